"""One person, looked up by an owner of the pages, and what can be done for them.

Opens the transactions. Each look-up and each change is in the operators' log, by the number of the
subscriber and never by the address; an operator looks up at most sixty addresses an hour.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind, DeliveryStatus, SubscriptionStatus
from notifier.errors import ChangedMeanwhileError, NotifierError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store import db
from notifier.store.models import Consent, Delivery, Digest, Subscriber, Subscription, Suppression
from notifier.subscribers import (
    consent,
    due_times,
    held_suppressions,
    lifecycle,
    subscriptions,
    suppressions,
)
from notifier.subscribers.choices import schedule_of

MOST_LOOK_UPS, PERIOD = 60, timedelta(hours=1)
_LOOKED_UP = "looked_up"
# Mails that are shown, the newest. Chosen by hand.
_MAILS = 20
_FINGERPRINT_DIGITS = 16


class TooManyLookUpsError(NotifierError):
    """A look-up beyond the limit; nothing was looked up."""

    def __init__(self) -> None:
        super().__init__(
            f"You looked up {MOST_LOOK_UPS} addresses within an hour: nothing was looked up.",
            "Wait a while. The limit keeps the list of readers from being read out.",
        )


@dataclass(frozen=True)
class Following:
    """A subscription of a person.

    Attributes:
        id: its id.
        profile: the name of the profile.
        schedule: in words.
        edition: patient or clinician.
        status: its status.
        confirmed_at: when it was confirmed; None if it never was.
        ended_at: when it ended; None if it did not.
        paused_until: the end of its pause; None for none.
        next_due_at: when the next digest is due; None if none is planned.
        trouble: why no digest can be composed; empty for none.
    """

    id: int
    profile: str
    schedule: str
    edition: str
    status: SubscriptionStatus
    confirmed_at: datetime | None
    ended_at: datetime | None
    paused_until: datetime | None
    next_due_at: datetime | None
    trouble: str


@dataclass(frozen=True)
class Mail:
    """A mail to a person.

    Attributes:
        kind: of the message.
        subject: of the digest, and its language; empty for other messages.
        language: of the subject, a code.
        status: its status.
        at: when it was sent, or is to be tried next.
        error: the last answer of the mail server, without addresses; empty for none.
        ended_because: why it was not sent; empty if it was not ended.
    """

    kind: DeliveryKind
    subject: str
    language: str
    status: DeliveryStatus
    at: datetime
    error: str
    ended_because: str


@dataclass(frozen=True)
class Person:
    """The account of one address.

    Attributes:
        email: the address as it was given.
        subscriber: the person; None if nobody is stored under it. Its columns are loaded.
        suppression: why the address is not mailed; None if it is.
        is_held: whether it waits for an owner whether the address exists.
        following: the subscriptions.
        mails: the newest first.
        consents: the list of consents, each with the name of the profile.
        fingerprint: changes with the subscriptions and the suppression.
    """

    email: str
    subscriber: Subscriber | None
    suppression: Suppression | None
    is_held: bool
    following: Sequence[Following]
    mails: Sequence[Mail]
    consents: Sequence[tuple[str, Consent]]
    fingerprint: str


def look_up(deps: Deps, email: str, actor: Actor) -> Person:
    """Look up an address, and record that.

    Raises:
        AddressError: it is no address; nothing was recorded.
        TooManyLookUpsError: the operator looked up too many within an hour.
    """
    with deps.writing() as session:
        subscriber = subscriptions.find_subscriber(session, email)
        db.take_turns(session, f"look-ups of {actor.name}")
        since = actor.now - PERIOD
        if actions.number_since(session, _LOOKED_UP, since, actor.name) >= MOST_LOOK_UPS:
            raise TooManyLookUpsError
        text = f"Looked up one address: {_named(subscriber)}"
        actions.record(session, actor, _LOOKED_UP, text, about=_about(subscriber))
        return _read(session, email)


@dataclass(frozen=True)
class Asked:
    """The request of an operator on the page of a person.

    Attributes:
        email: the address.
        fingerprint: of the account that was shown.
        actor: the operator.
        reason: in their words; addresses in it are not stored.
    """

    email: str
    fingerprint: str
    actor: Actor
    reason: str = ""


def pause(deps: Deps, asked: Asked, subscription_id: int, until: date | None) -> int:
    """Hold a subscription's digests back until a day, or until `resume`.

    Returns:
        The id of the entry in the operators' log.

    Raises:
        ChangedMeanwhileError: the account is another one now, or has no such subscription; nothing
            was changed.
    """

    def change(_session: Session, subscription: Subscription) -> bool:
        return lifecycle.pause(subscription, until, asked.actor.now)

    return _changed(deps, asked, subscription_id, "paused", "Paused", change)


def resume(deps: Deps, asked: Asked, subscription_id: int) -> int:
    """End a pause. Result and errors are those of `pause`."""

    def change(session: Session, subscription: Subscription) -> bool:
        outbox.resume_subscriptions(session, [subscription.id], asked.actor.now)
        return lifecycle.resume(subscription, asked.actor.now)

    return _changed(deps, asked, subscription_id, "resumed", "Ended the pause of", change)


def end(deps: Deps, asked: Asked, subscription_id: int) -> int:
    """End a subscription. Result and errors are those of `pause`."""

    def change(session: Session, subscription: Subscription) -> bool:
        attested_by = f"operator {asked.actor.name}"
        return subscriptions.end(
            session, subscription, "operator page", attested_by, asked.actor.now
        )

    return _changed(deps, asked, subscription_id, "ended", "Ended", change)


def let_go(deps: Deps, asked: Asked) -> int:
    """Lift the suppression of an address. Result and errors are those of `pause`."""
    with deps.writing() as session:
        subscriber = _unchanged(session, asked)
        address_hash = subscriptions.hash_of(session, asked.email)
        if not suppressions.lift(session, address_hash):
            raise ChangedMeanwhileError
        text = f"Allowed mail again to one address: {_named(subscriber)}"
        return _recorded(session, asked, "let_go", text, subscriber)


def _changed(
    deps: Deps,
    asked: Asked,
    subscription_id: int,
    kind: str,
    verb: str,
    change: Callable[[Session, Subscription], bool],
) -> int:
    with deps.writing() as session:
        subscriber = _unchanged(session, asked)
        subscription = next(
            (
                each
                for each in (subscriber.subscriptions if subscriber else ())
                if each.id == subscription_id
            ),
            None,
        )
        # No answer of its own for an unknown subscription: the state of an address that is not
        # stored is the same for all, and would tell without a look-up who is stored.
        if subscription is None or not change(session, subscription):
            raise ChangedMeanwhileError
        return _recorded(
            session, asked, kind, f"{verb} one subscription of {_named(subscriber)}", subscriber
        )


def _unchanged(session: Session, asked: Asked) -> Subscriber | None:
    """Return the person, locked, if the account is the one that was shown."""
    address_hash = subscriptions.hash_of(session, asked.email)
    locked = select(Subscriber).where(Subscriber.address_hash == address_hash)
    subscriber = session.scalar(locked.with_for_update(of=Subscriber))
    suppression = suppressions.of(session, address_hash)
    if _fingerprint(subscriber, suppression) != asked.fingerprint:
        raise ChangedMeanwhileError
    return subscriber


def _recorded(
    session: Session, asked: Asked, kind: str, text: str, subscriber: Subscriber | None
) -> int:
    about = _about(subscriber)
    return actions.record(session, asked.actor, kind, text, about=about, reason=asked.reason)


def _named(subscriber: Subscriber | None) -> str:
    return f"subscriber {subscriber.id}" if subscriber is not None else "not stored"


def _about(subscriber: Subscriber | None) -> str:
    return f"subscriber {subscriber.id}" if subscriber is not None else ""


def _read(session: Session, email: str) -> Person:
    subscriber = subscriptions.find_subscriber(session, email)
    address_hash = subscriptions.hash_of(session, email)
    suppression = suppressions.of(session, address_hash)
    stored = list(subscriber.subscriptions) if subscriber is not None else []
    profiles = {each.id: each.profile.name for each in stored}
    ids = list(profiles)
    return Person(
        email,
        subscriber,
        suppression,
        held_suppressions.is_held(session, address_hash),
        [_following(each) for each in stored],
        _mails(session, ids),
        [(profiles[each.subscription_id], each) for each in consent.of(session, ids)],
        _fingerprint(subscriber, suppression),
    )


def _following(subscription: Subscription) -> Following:
    try:
        schedule = schedule_of(subscription).describe()
    except (LookupError, TypeError, ValueError):
        schedule = "a schedule that cannot be read"
    return Following(
        subscription.id,
        subscription.profile.name,
        schedule,
        subscription.edition,
        subscription.status,
        subscription.confirmed_at,
        subscription.ended_at,
        subscription.paused_until,
        due_times.next_of(subscription),
        subscription.trouble or "",
    )


def _mails(session: Session, subscription_ids: Sequence[int]) -> list[Mail]:
    subject = joinedload(Delivery.digest).options(load_only(Digest.subject, Digest.language))
    newest = (
        select(Delivery)
        .where(Delivery.subscription_id.in_(subscription_ids))
        .order_by(Delivery.id.desc())
        .limit(_MAILS)
        .options(subject)
    )
    return [
        Mail(
            each.kind,
            each.digest.subject if each.digest else "",
            each.digest.language if each.digest else "en",
            each.status,
            each.sent_at or each.next_attempt_at,
            each.error or "",
            each.ended_because,
        )
        for each in session.scalars(newest)
    ]


def _fingerprint(subscriber: Subscriber | None, suppression: Suppression | None) -> str:
    """Return a name of what can be decided about, which changes with it."""
    stored = subscriber.subscriptions if subscriber is not None else ()
    parts = [
        [[each.id, each.status, str(each.paused_until)] for each in stored],
        [suppression.cause, str(suppression.at)] if suppression is not None else None,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_FINGERPRINT_DIGITS]
