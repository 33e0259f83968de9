"""The steps of an account: what happened to the entry and to the subscription, in order of time.

Owns the words of each step. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from notifier.admin.why.facts import Facts, Sending
from notifier.enums import DeliveryStatus
from notifier.match.held import SENTENCES
from notifier.store.models import Match, Revision
from notifier.subscribers import suppressions
from notifier.text.cleaning import shorten

# Characters of a text that changed, and how many changes of a state are told.
_LONGEST_TEXT, _MOST_CHANGES = 80, 3


@dataclass(frozen=True)
class Step:
    """Something that happened.

    Attributes:
        at: when.
        step: ``seen``, ``revision``, ``judged``, ``matched``, ``held``, ``consent``,
            ``suppressed``, ``composed``, ``sent``, ``refused`` or ``ended``.
        text: what, in words.
    """

    at: datetime
    step: str
    text: str


def steps(facts: Facts) -> list[Step]:
    """Return all steps, the earliest first."""
    unordered = [
        *_of_entry(facts),
        *(_of_match(facts, match) for match in facts.matches),
        *_of_held(facts),
        *_of_person(facts),
        *(step for sending in facts.sendings for step in _of_sending(sending)),
    ]
    return sorted(unordered, key=lambda step: step.at)


def _of_entry(facts: Facts) -> Iterator[Step]:
    entry = facts.entry
    source = entry.source
    dated = f", dated {entry.published_at:%Y-%m-%d}" if entry.published_at else ", without a date"
    text = f"by source {source.id} ({source.name}){dated}"
    if entry.revisions and entry.revisions[0].baseline:
        text += "; at the first poll of the source (baseline)"
    yield Step(entry.first_seen_at, "seen", text)
    for revision in entry.revisions[1:]:
        yield Step(revision.observed_at, "revision", _revision(revision))
    if facts.judged_at is not None and not facts.matches and not facts.held:
        yield Step(facts.judged_at, "judged", "for all profiles")


def _revision(revision: Revision) -> str:
    text = f"{revision.number}: {revision.kind}"
    if not revision.material:
        return f"{text}, cosmetic: no news"
    changes = [
        f"{change['what']}: “{shorten(str(change['before']), _LONGEST_TEXT)}” became "
        f"“{shorten(str(change['after']), _LONGEST_TEXT)}”"
        for change in revision.changes[:_MOST_CHANGES]
    ]
    return f"{text}; {'; '.join(changes)}" if changes else text


def _of_match(facts: Facts, match: Match) -> Step:
    text = (
        f"{facts.subscription.profile.slug}: {match.tier} ({match.score:.2f}), as {match.kind}, "
        f"revision {facts.revision_number(match.revision_id)}, match {match.id}; "
        f"{'; '.join(map(str, match.reasons))}"
    )
    if match.filed:
        text += "; filed: mailed to nobody"
    return Step(match.created_at, "matched", text)


def _of_held(facts: Facts) -> Iterator[Step]:
    for held in facts.held:
        yield Step(held.held_at, "held", f"held match {held.id}: {SENTENCES[held.because]}")
        if held.released_at is not None:
            yield Step(held.released_at, "held", f"held match {held.id} was released")


def _of_person(facts: Facts) -> Iterator[Step]:
    for record in facts.ledger:
        yield Step(
            record.at,
            "consent",
            f"{record.event} by {record.method}, attested by {record.attested_by}",
        )
    if facts.suppression is not None:
        text = suppressions.describe(facts.suppression)
        yield Step(facts.suppression.at, "suppressed", f"the address: {text}")


def _of_sending(sending: Sending) -> Iterator[Step]:
    delivery, digest = sending.delivery, sending.digest
    yield Step(
        delivery.created_at,
        "composed",
        f"in digest {digest.id} ({digest.cadence}), as {sending.item.kind}, revision "
        f"{sending.revision}, delivery {delivery.id}",
    )
    if delivery.sent_at is not None:
        text = f"delivery {delivery.id}: accepted by the mail server"
        yield Step(delivery.sent_at, "sent", text)
    if delivery.status in DeliveryStatus.LOST:
        step = "refused" if delivery.status is DeliveryStatus.FAILED else "ended"
        text = f"delivery {delivery.id}: {delivery.error or 'without words'}"
        # What was not sent has no time of its own: that of its last attempt stands for it.
        yield Step(max(delivery.next_attempt_at, delivery.created_at), step, text)
