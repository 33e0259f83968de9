"""The verdict where a digest with the entry was composed for the subscription.

Owns the sentences about a mail: sent, waiting for what, refused with which words, or ended. Its
order is that in which `deliver/outbox/claim.py` looks at a mail before it is sent. Pure.
"""

from collections.abc import Callable

from notifier.admin.why.facts import Facts, Sending
from notifier.admin.why.verdict import Outcome, Verdict, at, in_words
from notifier.deliver.bounces.advice import advice_for
from notifier.deliver.outbox import MOST_UNCERTAIN
from notifier.enums import (
    DeliveryStatus,
    DigestStatus,
    EndReason,
    SubscriptionStatus,
    SuppressionCause,
    WaitReason,
)
from notifier.store import heartbeat
from notifier.subscribers import suppressions

_NEXT_RUN = "The next `notifier run` sends it."
_SUPPRESSING = (SuppressionCause.BOUNCED, SuppressionCause.COMPLAINED)


def verdict(facts: Facts) -> Verdict | None:
    """Return the verdict; None if no digest with the entry was composed for the subscription."""
    by_status = {each.delivery.status: each for each in facts.sendings}
    sent = by_status.get(DeliveryStatus.SENT)
    if sent is not None:
        return _sent(facts, sent)
    if facts.told_revision is not None:
        return _sent_before(facts)
    unsettled = [each for each in facts.sendings if each.delivery.status in DeliveryStatus.OPEN]
    if unsettled:
        return _unsettled(facts, unsettled[-1])
    ended = [each for each in facts.sendings if each.delivery.ended_because != EndReason.MERGED]
    return _ended(facts, (ended or facts.sendings)[-1]) if facts.sendings else None


def _sent(facts: Facts, sending: Sending) -> Verdict:
    delivery, digest = sending.delivery, sending.digest
    because = (
        f"The mail server accepted it on {at(delivery.sent_at)}, in digest {digest.id}, as "
        f"revision {sending.revision}."
    )
    subscriber = facts.subscription.subscriber
    if delivery.address_hash not in ("", subscriber.address_hash):
        because += " It went to the address that this person had then."
    held, suppression = facts.held_suppression, facts.suppression
    if held is not None and held.delivery_id == delivery.id:
        because += f" It came back on {at(held.at)}: {held.code or 'without a code'}."
    elif (
        suppression is not None
        and suppression.cause in _SUPPRESSING
        and delivery.sent_at is not None
        and suppression.at >= delivery.sent_at
    ):
        because += (
            f" On {at(suppression.at)} the address was suppressed: "
            f"{suppressions.describe(suppression)}."
        )
    return _with_later(facts, Outcome.SENT, because, sending.revision)


def _sent_before(facts: Facts) -> Verdict:
    number = facts.told_revision or 0
    because = (
        f"It was sent, as revision {number} at the latest. The mail itself and its date are not "
        "kept any more (retention.deliveries_days)."
    )
    return _with_later(facts, Outcome.SENT, because, number)


def _with_later(facts: Facts, outcome: Outcome, because: str, revision: int) -> Verdict:
    """Return the verdict on what was sent, with what becomes of later states of the entry."""
    later = [
        each
        for each in facts.sendings
        if each.revision > revision and each.delivery.status in DeliveryStatus.OPEN
    ]
    if later:
        waiting = _unsettled(facts, later[-1])
        text = f"Revision {later[-1].revision} follows: {waiting.because} {waiting.next}"
        return Verdict(outcome, because, text, waiting.next_at)
    if facts.owed is not None:
        number = facts.revision_number(facts.owed.revision_id)
        text = f"Revision {number} ({facts.owed.kind}) goes into the next digest."
        return Verdict(outcome, because, text, facts.subscription.next_due_at)
    if (held := facts.waiting_held) is not None:
        return Verdict(outcome, because, f"A later state waits for you: {_see_held(held.id)}")
    if facts.subscription.status not in SubscriptionStatus.RUNNING:
        return Verdict(outcome, because, f"Nothing more: the subscription {_is(facts)}.")
    return Verdict(outcome, because, "Nothing more, unless it is corrected or withdrawn.")


def _see_held(held_id: int) -> str:
    return f"notifier matches list --held (id {held_id})"


def _is(facts: Facts) -> str:
    status = facts.subscription.status
    return "has ended" if status is SubscriptionStatus.ENDED else f"is {status}"


def _unsettled(facts: Facts, sending: Sending) -> Verdict:
    """Return the verdict on a mail whose fate is not settled."""
    delivery = sending.delivery
    if delivery.status is DeliveryStatus.UNCERTAIN:
        return _uncertain(facts, sending)
    if delivery.status is DeliveryStatus.SENDING:
        because = f"It is in digest {sending.digest.id}, which is being sent at this moment."
        return Verdict(Outcome.WAITING, because, "The answer of the mail server settles it.")
    reasons: tuple[Callable[[Facts, Sending], tuple[str, str] | None], ...] = (
        _restored,
        _stopped,
        _not_released,
        _not_mailed,
        _of_the_subscription,
    )
    in_digest = f"It is in digest {sending.digest.id}, composed on {at(sending.digest.composed_at)}"
    for reason in reasons:
        if (texts := reason(facts, sending)) is not None:
            return Verdict(Outcome.WAITING, f"{in_digest}. {texts[0]}", texts[1])
    because, text = _of_the_server(facts, sending)
    return Verdict(Outcome.WAITING, f"{in_digest}. {because}", text, delivery.next_attempt_at)


def _uncertain(facts: Facts, sending: Sending) -> Verdict:
    delivery = sending.delivery
    because = (
        f"Digest {sending.digest.id} was handed over, and the connection ended before the answer: "
        "it may have arrived."
    )
    if facts.circumstances.holds_uncertain or delivery.uncertain_times >= MOST_UNCERTAIN:
        text = (
            "It waits for you. Rather twice than not at all: notifier deliveries retry "
            f"{delivery.id}. Rather not twice: notifier deliveries drop {delivery.id}"
        )
        return Verdict(Outcome.UNCERTAIN, because, text)
    text = "It is sent once more, with the same Message-ID."
    return Verdict(Outcome.UNCERTAIN, because, text, delivery.next_attempt_at)


def _restored(facts: Facts, _sending: Sending) -> tuple[str, str] | None:
    restored_at = facts.circumstances.restored_at
    if restored_at is None:
        return None
    return (
        f"The database was restored on {at(restored_at)}, and nothing is sent since then.",
        "To decide what is sent: notifier db resume",
    )


def _stopped(facts: Facts, _sending: Sending) -> tuple[str, str] | None:
    stopped_at = facts.circumstances.stopped_at
    if stopped_at is None:
        return None
    return (
        f"A person stopped all sending on {at(stopped_at)}.",
        "To let mails go out again: notifier deliveries resume",
    )


def _not_released(_facts: Facts, sending: Sending) -> tuple[str, str] | None:
    digest = sending.digest
    if digest.status is DigestStatus.COMPOSING:
        return "The digest is still being stored.", "The next `notifier run` goes on with it."
    if digest.status in (DigestStatus.HELD, DigestStatus.DRAFT):
        waits = "held" if digest.status is DigestStatus.HELD else "a draft"
        return (
            f"The digest is {waits}, and waits for a person.",
            f"To let it go out: notifier digests approve {digest.id}",
        )
    return None


def _not_mailed(facts: Facts, _sending: Sending) -> tuple[str, str] | None:
    held = facts.held_suppression
    if held is not None and held.held_at is not None:
        because = (
            f"A suppression of the address waits for a person since {at(held.held_at)} "
            f"({held.code or 'no code'}): too many came at once."
        )
        return because, "To decide: notifier bounces held"
    if facts.suppression is not None:
        return (
            f"The address is suppressed: {suppressions.describe(facts.suppression)}.",
            "It is not sent. If its owner wants mail again: notifier subscribers unsuppress EMAIL",
        )
    return None


def _of_the_subscription(facts: Facts, _sending: Sending) -> tuple[str, str] | None:
    subscription = facts.subscription
    if subscription.status is SubscriptionStatus.PAUSED:
        end = subscription.paused_until
        return (
            f"The subscription is paused{f' until {at(end)}' if end else ''}.",
            "It is sent after the pause."
            + ("" if end else " To end that: notifier subscribers resume EMAIL"),
        )
    if subscription.status is not SubscriptionStatus.CONFIRMED:
        return f"The subscription {_is(facts)}.", "It is not sent."
    held_until = subscription.subscriber.held_until
    if held_until is not None and held_until > facts.now:
        return (
            "Mails to this person came back lately for a reason that passes, so theirs wait.",
            f"It is sent after {at(held_until)}.",
        )
    return None


def _of_the_server(facts: Facts, sending: Sending) -> tuple[str, str]:
    """Return why a mail waits that may be sent, and what follows."""
    delivery = sending.delivery
    words = in_words(delivery.error)
    of_waits = {
        WaitReason.WARM_UP: (
            "Its provider got as many mails today as a new sender may send (smtp.warm_up).",
            "It is sent on a later day.",
        ),
        WaitReason.OURS: (
            f"Mail servers refuse us, not this person: {words}.",
            f"It is tried again, ever more slowly. {advice_for(delivery.error or '')}",
        ),
        WaitReason.LOAD: (
            f"The mail server takes no more at this moment: {words}.",
            "It is tried again.",
        ),
        WaitReason.UNREADABLE: (
            "What is stored of it or of this person cannot be read.",
            "It is sent when that is mended: notifier subscribe EMAIL stores the choice again.",
        ),
    }
    if delivery.waits_because in of_waits:
        return of_waits[WaitReason(delivery.waits_because)]
    if delivery.error and delivery.attempts:
        tries = f"{delivery.attempts} {'attempt' if delivery.attempts == 1 else 'attempts'}"
        return (
            f"It was put off ({tries}): {words}.",
            f"It is tried again, until {at(delivery.given_up_at)}.",
        )
    return _of_time(facts, sending)


def _of_time(facts: Facts, sending: Sending) -> tuple[str, str]:
    """Return why a mail waits that no server has put off."""
    if sending.delivery.error:
        return f"It waits: {sending.delivery.error}", "It is sent again."
    if sending.delivery.next_attempt_at > facts.now:
        return "It is not due yet.", "It is sent when its time has come."
    ran_at = facts.circumstances.ran_at
    if ran_at is None or facts.now - ran_at > heartbeat.SILENT_AFTER:
        since = f"not run since {at(ran_at)}" if ran_at else "never run"
        return f"It is due, and notifier has {since}.", f"Start it: notifier run. {_NEXT_RUN}"
    return "It is due now.", _NEXT_RUN


def _ended(facts: Facts, sending: Sending) -> Verdict:
    """Return the verdict on a mail that ended and was not sent."""
    delivery, digest = sending.delivery, sending.digest
    words = in_words(delivery.error)
    again = f"To send it again: notifier deliveries retry {delivery.id}"
    if delivery.status is DeliveryStatus.FAILED:
        because = f"Digest {digest.id} was refused or given up: {words}."
        if delivery.ended_because == EndReason.SUPPRESSED:
            return _suppressed(facts, f"{because} That suppressed the address.")
        return Verdict(Outcome.FAILED, because, again)
    if delivery.ended_because == EndReason.SUPPRESSED:
        return _suppressed(facts, f"Digest {digest.id} was not sent: {words}.")
    if delivery.ended_because == EndReason.LEFT:
        because = f"Digest {digest.id} was not sent: the subscription had ended."
        return Verdict(Outcome.ENDED, because, "Nothing, unless the person comes back.")
    if delivery.ended_because == EndReason.DROPPED:
        because = f"A person dropped this mail of digest {digest.id}."
        return Verdict(Outcome.DROPPED, because, again)
    because = f"Digest {digest.id} was not sent: {words}. The newer one is not kept."
    return Verdict(Outcome.NOT_OWED, because, "Nothing.")


def _suppressed(facts: Facts, because: str) -> Verdict:
    if facts.suppression is not None:
        text = (
            f"The address is suppressed: {suppressions.describe(facts.suppression)}. When that "
            "ends, it is owed again: notifier subscribers unsuppress EMAIL"
        )
    elif facts.subscription.status is SubscriptionStatus.CONFIRMED:
        text = "The address may be mailed again: the next `notifier run` makes it due."
    else:
        text = f"Nothing: the subscription {_is(facts)}."
    return Verdict(Outcome.SUPPRESSED, because, text)
