"""`notifier why`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from notifier.admin.why import Account, Answer
    from notifier.admin.why.facts import Facts, Sending
    from notifier.store.models import Entry, Match

# Outcomes of which one line is enough beside a better answer.
_BRIEF = ("not_matched", "not_fed")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    to: Annotated[str, typer.Option("--to", metavar="EMAIL", help="The person's e-mail address.")],
    entry: Annotated[
        str,
        typer.Option(
            "--entry",
            metavar="URL|ID",
            help="The entry: its address in any form, or its id from `entries list`.",
        ),
    ],
    profile: shared.Profile = None,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Say what became of an entry for a person, and why.

    From the source to the inbox: when it was seen, in which revisions; whether it matched or is
    held, and why; in which digest it was; whether it was sent, put off or refused, with the
    server's words; what happens next. Nothing is changed.
    """
    from notifier.admin import why as admin

    with shared.open_deps(now) as deps:
        answer = admin.answer(deps, to, entry, profile)
    if json:
        shared.print_json(_to_json(answer, to))
        return
    for line in _lines(answer, to):
        shared.say(line)


def _lines(answer: "Answer", to: str) -> "Iterator[str]":
    """Yield the lines for a person: the best answer whole, the others as far as they say more."""
    shown: set[int] = set()
    for place, account in enumerate(answer.accounts):
        facts = account.facts
        if place and account.verdict.outcome in _BRIEF:
            name = facts.subscription.profile.slug
            yield from tables.wrapped(f"{name}: {account.verdict.because}")
            continue
        if facts.entry.id not in shown:
            shown.add(facts.entry.id)
            yield from tables.wrapped(f"{facts.newest.title} (entry {facts.entry.id})")
            yield facts.entry.url
            yield ""
        yield from _account_lines(account, to)
    if answer.also_matched:
        slugs = ", ".join(answer.also_matched[:20])
        yield from tables.wrapped(f"It also matched, and {to} does not follow: {slugs}.")


def _account_lines(account: "Account", to: str) -> "Iterator[str]":
    verdict, facts = account.verdict, account.facts
    subscription = facts.subscription
    head = f"{to}, {subscription.profile.slug}, {subscription.cadence}, {subscription.status}: "
    yield from tables.wrapped(f"{head}{str(verdict.outcome).replace('_', ' ').upper()}")
    yield from tables.wrapped(verdict.because, "  ")
    when = f" ({tables.short_time(verdict.next_at)} UTC)" if verdict.next_at else ""
    yield from tables.wrapped(f"Next: {verdict.next}{when}", "  ")
    yield ""
    for step in account.steps:
        lines = [*tables.wrapped(step.text, " " * 29)]
        yield f"  {tables.short_time(step.at)} {step.step:<10}{lines[0][29:]}"
        yield from lines[1:]
    yield ""


def _to_json(answer: "Answer", to: str) -> dict[str, Any]:
    accounts = [_account_to_json(account) for account in answer.accounts]
    best = {key: value for key, value in accounts[0].items() if key not in ("steps", "entry")}
    return {
        "to": to,
        "asked_at": shared.as_time(answer.now),
        "entry": accounts[0]["entry"],
        **best,
        "steps": accounts[0]["steps"],
        "accounts": accounts,
        "also_matched": list(answer.also_matched),
    }


def _account_to_json(account: "Account") -> dict[str, Any]:
    facts, verdict = account.facts, account.verdict
    subscription = facts.subscription
    match = facts.matches[-1] if facts.matches else None
    held = facts.waiting_held
    judged = match or held
    return {
        "profile": subscription.profile.slug,
        "outcome": verdict.outcome,
        "because": verdict.because,
        "next": verdict.next,
        "next_at": shared.as_time(verdict.next_at),
        "matched": match is not None,
        "held": held is not None,
        "held_because": held.because if held else None,
        "tier": judged.tier if judged else None,
        "reasons": judged.reasons if judged else [],
        "confirmed_then": facts.was_confirmed(_moment_of(facts)),
        **_sending_to_json(facts),
        "subscription": {
            "id": subscription.id,
            "status": subscription.status,
            "cadence": subscription.cadence,
            "confirmed_at": shared.as_time(subscription.confirmed_at),
            "ended_at": shared.as_time(subscription.ended_at),
            "next_due_at": shared.as_time(subscription.next_due_at),
        },
        "entry": _entry_to_json(facts.entry),
        "matches": [_match_to_json(facts, each) for each in facts.matches],
        "deliveries": [_delivery_to_json(sending) for sending in facts.sendings],
        "steps": [
            {"at": shared.as_time(step.at), "step": step.step, "text": step.text}
            for step in account.steps
        ],
    }


def _moment_of(facts: "Facts") -> "datetime":
    """Return the moment at which the entry was decided on: its match, or its first sight."""
    return facts.matches[-1].created_at if facts.matches else facts.entry.first_seen_at


def _sending_to_json(facts: "Facts") -> dict[str, Any]:
    """Return the digest, delivery, time and revision of the mail that answers: a sent one first."""
    sent = [each for each in facts.sendings if each.delivery.status == "sent"]
    sending = next(reversed(sent or facts.sendings), None)
    number = sending.revision if sending is not None else facts.told_revision
    return {
        "digest": sending.digest.id if sending else None,
        "delivery": sending.delivery.id if sending else None,
        "status": sending.delivery.status if sending else None,
        "sent": bool(sent) or facts.told_revision is not None,
        "sent_at": shared.as_time(sending.delivery.sent_at) if sending and sent else None,
        "revision": number or facts.newest.number,
        "answer": sending.delivery.error if sending else None,
    }


def _entry_to_json(entry: "Entry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "source": {"id": entry.source.id, "name": entry.source.name, "url": entry.source.url},
        "published_at": shared.as_time(entry.published_at),
        "first_seen_at": shared.as_time(entry.first_seen_at),
        "revisions": [
            {
                "number": revision.number,
                "kind": revision.kind,
                "material": revision.material,
                "baseline": revision.baseline,
                "observed_at": shared.as_time(revision.observed_at),
            }
            for revision in entry.revisions
        ],
    }


def _match_to_json(facts: "Facts", match: "Match") -> dict[str, Any]:
    return {
        "id": match.id,
        "revision": facts.revision_number(match.revision_id),
        "kind": match.kind,
        "tier": match.tier,
        "score": match.score,
        "reasons": match.reasons,
        "filed": match.filed,
        "dropped_because": match.dropped_because or None,
        "matched_at": shared.as_time(match.created_at),
    }


def _delivery_to_json(sending: "Sending") -> dict[str, Any]:
    delivery = sending.delivery
    return {
        "id": delivery.id,
        "digest": sending.digest.id,
        "digest_status": sending.digest.status,
        "kind": sending.item.kind,
        "revision": sending.revision,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "due_at": shared.as_time(delivery.due_at),
        "next_attempt_at": shared.as_time(delivery.next_attempt_at),
        "sent_at": shared.as_time(delivery.sent_at),
        "ended_because": delivery.ended_because or None,
        "message_id": delivery.message_id,
        "error": delivery.error,
    }
