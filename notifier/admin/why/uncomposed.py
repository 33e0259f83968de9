"""The verdict where no digest with the entry was composed for the subscription.

Owns the sentences about what comes before a digest: held, filed, not confirmed then, due later, or
not matched at all. Pure.
"""

from collections.abc import Callable

from notifier.admin.why.facts import Facts
from notifier.admin.why.verdict import Outcome, Verdict, at
from notifier.digest.groups import candidate_of
from notifier.digest.selection import Section, section_of
from notifier.enums import Cadence, DigestStatus, NewsKind, SubscriptionStatus, Tier
from notifier.match.held import SENTENCES
from notifier.store.models import Match
from notifier.subscribers import suppressions


def verdict(facts: Facts) -> Verdict:
    """Return the verdict."""
    rules: tuple[Callable[[Facts], Verdict | None], ...] = (
        (
            _reviewed,
            _due,
            _dropped,
            _filed,
            _of_the_subscription,
            _not_mailed,
            _not_confirmed_then,
            _not_owed,
        )
        if facts.matches
        else (_held, _not_fed, _held_dropped, _not_judged, _not_matched)
    )
    for rule in rules:
        if (decided := rule(facts)) is not None:
            return decided
    return Verdict(Outcome.NOT_MATCHED, "It does not concern the therapy.", "Nothing.")


def _what(match: Match) -> str:
    return f"It matched on {at(match.created_at)} ({match.tier})"


def _reviewed(facts: Facts) -> Verdict | None:
    """Return the verdict on what is in a draft: mails are planned when a person approves it."""
    digest = facts.reviewed
    if digest is None or facts.subscription.status not in SubscriptionStatus.RUNNING:
        return None
    what = _what(facts.matches[-1])
    if digest.status in (DigestStatus.DRAFT, DigestStatus.HELD) and facts.owed is not None:
        because = (
            f"{what}, and is in draft {digest.id} of {at(digest.composed_at)}, which waits for a "
            "person's approval (review.required)."
        )
        text = (
            f"To read it: notifier digests show {digest.id}. To let it go out: notifier digests "
            f"approve {digest.id}"
        )
        return Verdict(Outcome.WAITING, because, text)
    return None


def _due(facts: Facts) -> Verdict | None:
    """Return the verdict on what goes into the next digest."""
    subscription = facts.subscription
    may_be_mailed = facts.suppression is None and (
        facts.held_suppression is None or facts.held_suppression.held_at is None
    )
    is_paused = subscription.status is SubscriptionStatus.PAUSED
    if facts.owed is None or not may_be_mailed or is_paused:
        return None
    what = _what(facts.matches[-1])
    draft = facts.reviewed
    if draft is not None and draft.status is DigestStatus.DROPPED:
        what += f", was in draft {draft.id}, which a person dropped ({draft.ended_because})"
    if subscription.trouble:
        return Verdict(
            Outcome.DUE,
            f"{what}, and no digest can be composed for this subscription: {subscription.trouble}",
            "Store the choice again: notifier subscribe EMAIL",
        )
    if facts.circumstances.restored_at is not None:
        because = f"{what}, and is owed. The database was restored, and nothing is sent since then."
        return Verdict(Outcome.DUE, because, "To decide what is sent: notifier db resume")
    if draft is not None and draft.status is DigestStatus.APPROVED:
        because = f"{what}, and is in draft {draft.id}, which is approved."
        return Verdict(Outcome.DUE, because, "It is sent when it is due.", subscription.next_due_at)
    if subscription.cadence is Cadence.IMMEDIATE:
        due_at = max(facts.matches[-1].created_at + facts.circumstances.quiet, facts.now)
        because = f"{what}, and is owed. Digests of this subscription go out at once."
        return Verdict(Outcome.DUE, because, "The next `notifier run` after that time.", due_at)
    because = f"{what}, and is owed: it goes into the next {subscription.cadence} digest."
    return Verdict(Outcome.DUE, because, "It is composed when it is due.", subscription.next_due_at)


def _dropped(facts: Facts) -> Verdict | None:
    match = facts.matches[-1]
    if not match.dropped_because:
        return None
    because = f"{_what(match)}. A person dropped match {match.id}: {match.dropped_because}"
    return Verdict(Outcome.DROPPED, because, "Nothing: it goes into no digest.")


def _filed(facts: Facts) -> Verdict | None:
    if not all(match.filed for match in facts.matches):
        return None
    first = facts.entry.revisions[0] if facts.entry.revisions else None
    if first is not None and first.baseline:
        reason = (
            "its source listed it at its first poll, which is the baseline and is mailed to nobody"
        )
    else:
        reason = "it was seen before the profile was imported, and that import filed the past"
    because = f"{_what(facts.matches[0])}, and was filed: {reason}."
    return Verdict(
        Outcome.FILED,
        because,
        "Nothing, unless it changes. To look at it: notifier preview --since 90d",
    )


def _of_the_subscription(facts: Facts) -> Verdict | None:
    subscription, match = facts.subscription, facts.matches[-1]
    if subscription.status is SubscriptionStatus.PENDING:
        because = f"{_what(match)}, and the subscription was not confirmed by its owner."
        text = "Only what matches after the confirmation is owed."
        return Verdict(Outcome.PENDING, because, text)
    if subscription.status is SubscriptionStatus.ENDED:
        because = f"{_what(match)}. The subscription ended on {at(subscription.ended_at)}."
        return Verdict(Outcome.ENDED, because, "Nothing, unless the person comes back.")
    if subscription.status is SubscriptionStatus.PAUSED and facts.owed is not None:
        end = subscription.paused_until
        because = f"{_what(match)}, and is owed. The subscription is paused."
        text = "It goes into the first digest after the pause."
        if end is None:
            text += " To end that: notifier subscribers resume EMAIL"
        return Verdict(Outcome.PAUSED, because, text, end)
    return None


def _not_mailed(facts: Facts) -> Verdict | None:
    held = facts.held_suppression
    if facts.suppression is not None and facts.owed is not None:
        because = (
            f"{_what(facts.matches[-1])}. The address is suppressed since "
            f"{at(facts.suppression.at)}: {suppressions.describe(facts.suppression)}."
        )
        text = "It stays owed. When it may be mailed again: notifier subscribers unsuppress EMAIL"
        return Verdict(Outcome.SUPPRESSED, because, text)
    if held is not None and held.held_at is not None and facts.owed is not None:
        because = (
            f"{_what(facts.matches[-1])}. A suppression of the address waits for a person since "
            f"{at(held.held_at)}."
        )
        return Verdict(
            Outcome.SUPPRESSED, because, "It stays owed. To decide: notifier bounces held"
        )
    return None


def _not_confirmed_then(facts: Facts) -> Verdict | None:
    subscription, match = facts.subscription, facts.matches[-1]
    confirmed_at = subscription.confirmed_at
    if match.position > subscription.position or confirmed_at is None:
        return None
    if confirmed_at <= match.created_at and facts.was_confirmed(match.created_at):
        return None
    because = (
        f"{_what(match)}, before the subscription was confirmed on {at(confirmed_at)}: only what "
        "matches later is owed."
    )
    return Verdict(Outcome.NOT_OWED, because, "Nothing, unless it is news again.")


def _not_owed(facts: Facts) -> Verdict | None:
    """Return why a match is not in a digest although the subscription was confirmed."""
    match, hidden = facts.matches[-1], facts.subscription.hidden or ()
    section = section_of(candidate_of(match))
    what, nothing = _what(match), "Nothing."
    if section in hidden:
        because = f"{what}. This person hides that section ({section})."
        return Verdict(Outcome.NOT_OWED, because, nothing)
    if match.kind is NewsKind.WITHDRAWN:
        because = f"{what}, and was withdrawn before it was sent to this person."
        return Verdict(Outcome.NOT_OWED, because, nothing)
    if match.position > facts.subscription.position and section is Section.RELATED:
        because = f"{what}. Related news alone makes no digest; it goes out beside other news."
        return Verdict(
            Outcome.DUE, because, "It waits for other news.", facts.subscription.next_due_at
        )
    if section is Section.RELATED:
        because = f"{what}. When its digest was due there was only related news, which makes none."
        return Verdict(Outcome.NOT_OWED, because, nothing)
    if match.kind is NewsKind.CORRECTED:
        because = f"{what} as a correction, which goes to those who were sent the entry before."
        return Verdict(Outcome.NOT_OWED, because, nothing)
    because = (
        f"{what}, and its digest was due, but no mail with it is kept: what did not arrive is "
        "removed after its period (retention.deliveries_days)."
    )
    return Verdict(Outcome.NOT_OWED, because, nothing)


def _held(facts: Facts) -> Verdict | None:
    held = facts.waiting_held
    if held is None:
        return None
    because = (
        f"It is held since {at(held.held_at)}, as held match {held.id}: {SENTENCES[held.because]}."
    )
    text = (
        f"It waits for a person: notifier matches release {held.id}, or notifier matches drop "
        f"{held.id} --held --because TEXT"
    )
    return Verdict(Outcome.HELD, because, text)


def _held_dropped(facts: Facts) -> Verdict | None:
    dropped = [each for each in facts.held if each.dropped_because]
    if not dropped:
        return None
    because = f"A person dropped held match {dropped[-1].id}: {dropped[-1].dropped_because}"
    return Verdict(Outcome.DROPPED, because, "Nothing: it goes into no digest.")


def _not_fed(facts: Facts) -> Verdict | None:
    if facts.feeds_profile:
        return None
    slug = facts.subscription.profile.slug
    because = f"Its source {facts.entry.source_id} is watched for other therapies, not for {slug}."
    text = f"To watch it for {slug}, too: notifier sources add URL --profile {slug}"
    return Verdict(Outcome.NOT_FED, because, text)


def _not_judged(facts: Facts) -> Verdict | None:
    if not any(revision.judge_requests for revision in facts.entry.revisions):
        return None
    return Verdict(
        Outcome.NOT_JUDGED,
        "It was seen, and was not judged yet.",
        "The next `notifier run` judges it.",
    )


def _not_matched(facts: Facts) -> Verdict | None:
    judgement, name = facts.judgement, facts.subscription.profile.name
    if judgement is None:
        because = f"Its text names nothing of the terms of {name}."
    elif judgement.tier is Tier.NONE:
        reasons = "; ".join(map(str, judgement.reasons))
        because = f"It was judged not to concern {name}" + (f": {reasons}." if reasons else ".")
    else:
        because = (
            f"It did not match when it was judged. By the terms of today it is {judgement.tier}: "
            f"{'; '.join(map(str, judgement.reasons))}."
        )
    slug = facts.subscription.profile.slug
    return Verdict(
        Outcome.NOT_MATCHED,
        because,
        f"Nothing. To see or change its terms: notifier profiles show {slug}",
    )
