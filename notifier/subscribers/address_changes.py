"""Moving: a new address for a person, when both the old and the new one have said yes.

Owns the change until it is made, and the links from before it. A change is noted and answered alike
whoever the new address belongs to; nobody learns whether it is known here.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from notifier.email_addresses import normalize
from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.store.models import AddressChange, RetiredLink, Subscriber, Subscription
from notifier.subscribers import consent, subscriptions, suppressions
from notifier.subscribers.choices import choice_of

MOVE_FOR = timedelta(hours=48)

# How a consent came to be that was taken along to another address.
_METHOD = "address change"


class Side(StrEnum):
    """Which of the two addresses says yes."""

    OLD = "old"
    NEW = "new"


def ask(session: Session, subscriber: Subscriber, email: str, now: datetime) -> AddressChange:
    """Note a new address that somebody wants, whoever it belongs to; an earlier wish is replaced.

    Raises:
        AddressError: it is no address.
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
    """The change that is known by this id; None once it was made, replaced or forgotten."""
    chosen = (
        select(AddressChange)
        .where(AddressChange.link_id == link_id)
        .with_for_update(of=AddressChange)
    )
    return session.scalar(chosen.options(joinedload(AddressChange.subscriber)))


def by_link(session: Session, link_id: str, now: datetime) -> AddressChange:
    """The change that a signed link means.

    Raises:
        NotFoundError: it was made, replaced, or is too old.
    """
    change = find(session, link_id)
    if change is None or now - change.asked_at > MOVE_FOR:
        raise NotFoundError(
            LazyMessage("There is no change of address to agree to any more."),
            LazyMessage("Ask for it again in your preferences."),
        )
    return change


def agree(session: Session, change: AddressChange, side: Side, now: datetime) -> bool:
    """Note one side's yes; with both the address is changed. Returns whether it is.

    The yes of the new address lifts what its owner may lift. One that only the operator may free,
    or that was erased meanwhile, takes nobody's place.
    """
    if side is Side.OLD:
        change.by_old_at = change.by_old_at or now
    else:
        change.by_new_at = change.by_new_at or now
    if change.by_old_at is None or change.by_new_at is None or not change.email:
        return False
    if not suppressions.lift_by_owner(session, change.address_hash):
        return False
    subscriber, email = change.subscriber, change.email
    session.flush()
    session.execute(delete(AddressChange).where(AddressChange.id == change.id))
    _move(session, subscriber, email, now)
    return True


def _move(session: Session, subscriber: Subscriber, email: str, now: datetime) -> None:
    """Give a person another address and new links; the old links only unsubscribe.

    Where the new address belongs to somebody who is stored, both are the same person, for they have
    shown that they read both mailboxes. The one with the new address stays. They take over what
    they do not have; what runs under both goes on as it is under the new address, and ends under
    the old one; what had ended under the new one goes on there as it ran under the old one. What
    then is left under the old address has ended, and stays for the ledger until it is forgotten.
    Sign-ups that were never confirmed give way.
    """
    key = subscriptions.hash_of(session, email)
    owned = select(Subscriber).where(Subscriber.address_hash == key).with_for_update(of=Subscriber)
    owner = session.scalar(owned)
    if owner is None:
        try:
            with session.begin_nested():
                subscriber.email, subscriber.address_hash = normalize(email), key
                session.flush()
        except IntegrityError:  # somebody signed up with it at this very moment
            session.refresh(subscriber)
            owner = session.scalars(owned).one()
    _retire_links(session, subscriber, now)
    if owner is not None and owner is not subscriber:
        _merge(session, subscriber, owner, now)
    person = owner or subscriber
    person.email, person.moved_at = normalize(email), now
    # These told of the old mailbox.
    person.soft_bounces, person.bounced_at, person.held_until = 0, None, None
    session.flush()


def _retire_links(session: Session, subscriber: Subscriber, now: datetime) -> None:
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
    """The subscription that a link from before a change of address may still end; None for any other link."""
    retired = select(RetiredLink.subscription_id).where(RetiredLink.link_id == link_id)
    chosen = (
        select(Subscription).where(Subscription.id.in_(retired)).with_for_update(of=Subscription)
    )
    return session.scalar(chosen.options(joinedload(Subscription.subscriber)))


def _merge(session: Session, old: Subscriber, owner: Subscriber, now: datetime) -> None:
    _drop_what_never_began(session, old, owner)
    theirs = {each.profile_id: each for each in owner.subscriptions}
    for subscription in list(old.subscriptions):
        counterpart = theirs.get(subscription.profile_id)
        if counterpart is None:
            subscription.subscriber, subscription.wish = owner, None
            subscriptions.reschedule(subscription, now)
            continue
        # Who leaves by an old mail means what goes on, and that is the other row from now on.
        retired = update(RetiredLink).where(RetiredLink.subscription_id == subscription.id)
        session.execute(retired.values(subscription_id=counterpart.id))
        if subscription.status in SubscriptionStatus.RUNNING:
            if counterpart.status not in SubscriptionStatus.RUNNING:
                _take_over(session, subscription, counterpart, now)
            subscriptions.end(session, subscription, _METHOD, "subscriber", now)
    session.flush()
    session.refresh(old, ["subscriptions"])
    session.refresh(owner, ["subscriptions"])
    if not old.subscriptions:
        subscriptions.remove(session, [old.id])


def _drop_what_never_began(session: Session, old: Subscriber, owner: Subscriber) -> None:
    """Delete the old address's pending sign-ups, and the new one's where something takes their place that runs."""
    running = {
        each.profile_id for each in old.subscriptions if each.status in SubscriptionStatus.RUNNING
    }
    dropped = [each.id for each in old.subscriptions if each.status is SubscriptionStatus.PENDING]
    dropped += [
        each.id
        for each in owner.subscriptions
        if each.confirmed_at is None and each.profile_id in running
    ]
    subscriptions.drop(session, dropped)
    session.refresh(old, ["subscriptions"])
    session.refresh(owner, ["subscriptions"])


def _take_over(
    session: Session, running: Subscription, counterpart: Subscription, now: datetime
) -> None:
    """Let what runs under the old address go on in the row that ended under the new one."""
    owner = counterpart.subscriber
    counterpart.wish, counterpart.ended_at = None, None
    counterpart.status, counterpart.confirmed_at = running.status, now
    counterpart.paused_until, counterpart.seen_snapshot = (
        running.paused_until,
        running.seen_snapshot,
    )
    counterpart.position, counterpart.last_mailed_at = running.position, running.last_mailed_at
    subscriptions.choose(counterpart, choice_of(running).with_settings_of(owner), now)
    consent.record(session, counterpart, ConsentEvent.GIVEN, _METHOD, "subscriber", now)


def erase(session: Session, address_hash: str) -> int:
    """Overwrite an address in the changes that others asked for; returns how many those were.

    The rows stay: who asked sees no difference, and so does not learn that somebody was erased.
    """
    named = session.scalars(
        select(AddressChange).where(AddressChange.address_hash == address_hash)
    ).all()
    for change in named:
        change.email = ""
    session.flush()
    return len(named)


def forget(session: Session, now: datetime) -> None:
    """Delete the changes that were not agreed to in time."""
    session.execute(delete(AddressChange).where(AddressChange.asked_at <= now - MOVE_FOR))
