"""Address changes: a new address for a person, after the old and the new one have agreed.

Owns the request until the change is made, and the links from before it. The answer is the same
whoever the new address belongs to, so nobody learns whether it is subscribed.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from notifier.email_addresses import normalize
from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.errors import NotFoundError
from notifier.store import departures
from notifier.store.models import AddressChange, RetiredLink, Subscriber, Subscription
from notifier.subscribers import consent, deletion, due_times, subscriptions, suppressions
from notifier.subscribers.choices import choice_of

# How long both addresses have time to agree. Chosen by hand; not measured.
CHANGE_WAITS = timedelta(hours=48)

# The method of a consent (see `consent.record`) that was transferred to another address.
_METHOD = "address change"


class UnknownChangeError(NotFoundError):
    """A change of address that was made, was replaced by a newer one, or has expired.

    Attributes:
        link_id: the id in the link.
        expired: the change is stored, and older than `CHANGE_WAITS`.
    """

    def __init__(self, link_id: str, *, expired: bool) -> None:
        super().__init__(
            "There is no change of address to agree to any more.",
            "Ask for it again in your preferences.",
        )
        self.link_id, self.expired = link_id, expired


class Side(StrEnum):
    """One of the two addresses that must agree."""

    OLD = "old"
    NEW = "new"


class Successor(NamedTuple):
    """A subscription that goes on in place of one under the old address.

    Attributes:
        old_id: the subscription that ended.
        id: the one that goes on.
        composed_before: what was composed for the old one before this time was never owed to the
            other; None for everything.
    """

    old_id: int
    id: int
    composed_before: datetime | None


@dataclass(frozen=True)
class Made:
    """A change of address that was made.

    Attributes:
        successors: the subscriptions in which others go on. What waits for those was composed, and
            moves with them: the caller hands it over (`deliver/outbox/unsent.py`).
        left: the old address, if nothing that is stored has it any more; else empty. The files of
            the database still hold its bytes until `store.db.scrub` is called with it.
    """

    successors: tuple[Successor, ...] = ()
    left: str = ""


def ask(session: Session, subscriber: Subscriber, email: str, now: datetime) -> AddressChange:
    """Store a wish for a new address, whoever it belongs to; it replaces an earlier one.

    Raises:
        AddressError: the text is not an e-mail address.
    """
    address, key = normalize(email), subscriptions.hash_of(session, email)
    session.scalar(select(Subscriber.id).where(Subscriber.id == subscriber.id).with_for_update())
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id == subscriber.id))
    change = AddressChange(
        subscriber=subscriber,
        email=address,
        address_hash=key,
        link_id=secrets.token_urlsafe(16),
        asked_at=now,
    )
    session.add(change)
    session.flush()
    return change


def find(session: Session, link_id: str) -> AddressChange | None:
    """Return the change with this id, locked; None if it was made, replaced or deleted."""
    statement = (
        select(AddressChange)
        .where(AddressChange.link_id == link_id)
        .with_for_update(of=AddressChange)
    )
    return session.scalar(statement.options(joinedload(AddressChange.subscriber)))


def by_link(session: Session, link_id: str, now: datetime) -> AddressChange:
    """Return the change with the id of a signed link, locked.

    Raises:
        UnknownChangeError: it was made, replaced, or has expired.
    """
    change = find(session, link_id)
    if change is None or now - change.asked_at > CHANGE_WAITS:
        raise UnknownChangeError(link_id, expired=change is not None)
    return change


def agree(session: Session, change: AddressChange, side: Side, now: datetime) -> Made | None:
    """Store one side's agreement; when both have agreed, change the address.

    The agreement of the new address lifts a suppression that its owner may lift. If only the
    operator may lift it, or the new address was erased meanwhile, nothing is changed.

    Returns:
        The change; None if the address was not changed.
    """
    if side is Side.OLD:
        change.by_old_at = change.by_old_at or now
    else:
        change.by_new_at = change.by_new_at or now
    if change.by_old_at is None or change.by_new_at is None or not change.email:
        return None
    if not suppressions.lift_by_owner(session, change.address_hash):
        return None
    subscriber, email = change.subscriber, change.email
    old, old_hash = subscriber.email, subscriber.address_hash
    session.flush()
    session.execute(delete(AddressChange).where(AddressChange.id == change.id))
    departures.note(session, departures.Kind.MOVED, old_hash, to=change.address_hash)
    successors = _move(session, subscriber, email, now)
    is_stored = session.scalar(select(exists().where(Subscriber.address_hash == old_hash)))
    return Made(successors, "" if is_stored else old)


def _move(
    session: Session, subscriber: Subscriber, email: str, now: datetime
) -> tuple[Successor, ...]:
    """Give a person another address and new links; the old links only unsubscribe.

    If the new address belongs to a stored person, both are the same person, who has shown that they
    read both mailboxes: see `_merge`.
    """
    key = subscriptions.hash_of(session, email)
    owned = select(Subscriber).where(Subscriber.address_hash == key).with_for_update(of=Subscriber)
    owner = session.scalar(owned)
    if owner is None:
        try:
            with session.begin_nested():
                subscriber.email, subscriber.address_hash = normalize(email), key
                session.flush()
        except IntegrityError:  # somebody signed up with it at this moment
            session.refresh(subscriber)
            owner = session.scalars(owned).one()
    _retire_links(session, subscriber, now)
    successors: tuple[Successor, ...] = ()
    if owner is not None and owner is not subscriber:
        successors = _merge(session, subscriber, owner, now)
    person = owner or subscriber
    person.email, person.moved_at = normalize(email), now
    # These describe the old mailbox.
    person.soft_bounces, person.bounced_at, person.held_until = 0, None, None
    session.flush()
    return successors


def _retire_links(session: Session, subscriber: Subscriber, now: datetime) -> None:
    """Give a person's subscriptions new link ids, and keep the old ones as retired."""
    session.refresh(subscriber, ["subscriptions"])
    for subscription in subscriber.subscriptions:
        session.add(
            RetiredLink(
                link_id=subscription.link_id, subscription_id=subscription.id, retired_at=now
            )
        )
        subscription.link_id = subscriptions.new_link_id()
    session.flush()


def by_retired_link(session: Session, link_id: str) -> Subscription | None:
    """Return the subscription that a link from before a change of address may still end, locked.

    None for any other link.
    """
    # Separate statements by unique keys: of a join PostgreSQL may scan the whole tables for half a
    # minute, while its statistics are those of an emptier database.
    retired = select(RetiredLink.subscription_id).where(RetiredLink.link_id == link_id)
    while (subscription_id := session.scalar(retired)) is not None:
        statement = (
            select(Subscription)
            .where(Subscription.id == subscription_id)
            .with_for_update(of=Subscription)
        )
        subscription = session.scalar(statement.options(joinedload(Subscription.subscriber)))
        # While the lock was waited for, two people may have become one, and the link another's.
        if session.scalar(retired) == subscription_id:
            return subscription
    return None


def _merge(
    session: Session, old: Subscriber, owner: Subscriber, now: datetime
) -> tuple[Successor, ...]:
    """Move a person's subscriptions to the stored person who has the new address.

    A subscription to a profile that the owner does not have is moved. Where both have a running
    one, the owner's goes on unchanged, and the old one ends. Where only the old one is running, the
    owner's goes on with its choice and position. What is left under the old address has ended; it
    is kept for the consent ledger until it is erased. Sign-ups that were never confirmed are
    deleted.
    """
    _delete_unconfirmed(session, old, owner, now)
    theirs = {each.profile_id: each for each in owner.subscriptions}
    successors = []
    for subscription in list(old.subscriptions):
        counterpart = theirs.get(subscription.profile_id)
        if counterpart is None:
            subscription.subscriber, subscription.wish = owner, None
            due_times.keep(subscription, now)
            continue
        # A link in an old mail must end the subscription that goes on: the owner's, from now on.
        retired = update(RetiredLink).where(RetiredLink.subscription_id == subscription.id)
        session.execute(retired.values(subscription_id=counterpart.id))
        if subscription.status in SubscriptionStatus.RUNNING:
            both_run = counterpart.status in SubscriptionStatus.RUNNING
            since = counterpart.confirmed_at if both_run else None
            successors.append(Successor(subscription.id, counterpart.id, since))
            if not both_run:
                _take_over(session, subscription, counterpart, now)
            subscriptions.end(session, subscription, _METHOD, "subscriber", now)
    session.flush()
    session.refresh(old, ["subscriptions"])
    session.refresh(owner, ["subscriptions"])
    if not old.subscriptions:
        deletion.delete_subscribers(session, [old.id])
    return tuple(successors)


def _delete_unconfirmed(
    session: Session, old: Subscriber, owner: Subscriber, now: datetime
) -> None:
    """Delete the old address's pending sign-ups, and the owner's that a running one replaces.

    One before which something was confirmed has ended again: its ledger is the proof of that.
    """
    running = {
        each.profile_id for each in old.subscriptions if each.status in SubscriptionStatus.RUNNING
    }
    pending = [each for each in old.subscriptions if each.status is SubscriptionStatus.PENDING]
    unconfirmed = [each.id for each in pending if each.confirmed_at is None]
    for each in pending:
        if each.confirmed_at is not None:
            each.status, each.ended_at = SubscriptionStatus.ENDED, now
    unconfirmed += [
        each.id
        for each in owner.subscriptions
        if each.confirmed_at is None and each.profile_id in running
    ]
    deletion.delete_subscriptions(session, unconfirmed)
    session.refresh(old, ["subscriptions"])
    session.refresh(owner, ["subscriptions"])


def _take_over(
    session: Session, running: Subscription, counterpart: Subscription, now: datetime
) -> None:
    """Let an ended subscription go on in place of the running one under the old address."""
    owner = counterpart.subscriber
    counterpart.wish, counterpart.ended_at = None, None
    counterpart.status, counterpart.confirmed_at = running.status, now
    due_times.forget_renewals(counterpart)
    counterpart.paused_until, counterpart.seen_snapshot = (
        running.paused_until,
        running.seen_snapshot,
    )
    counterpart.position, counterpart.last_mailed_at = running.position, running.last_mailed_at
    counterpart.next_due_at = running.next_due_at
    subscriptions.set_choice(counterpart, choice_of(running).with_settings_of(owner), now)
    consent.record(session, counterpart, ConsentEvent.GIVEN, _METHOD, "subscriber", now)


def erase(session: Session, address_hash: str) -> int:
    """Delete an address from the changes that others asked for; return how many those were.

    The rows stay, so the person who asked does not learn that the address was erased.
    """
    named = session.scalars(
        select(AddressChange).where(AddressChange.address_hash == address_hash)
    ).all()
    for change in named:
        change.email = ""
    session.flush()
    return len(named)


def expired(now: datetime) -> Select[int]:
    """Select the changes that were not agreed to in time."""
    return select(AddressChange.id).where(AddressChange.asked_at <= now - CHANGE_WAITS)


def delete_expired(session: Session, now: datetime) -> None:
    """Delete the changes that were not agreed to in time."""
    session.execute(delete(AddressChange).where(AddressChange.id.in_(expired(now))))
