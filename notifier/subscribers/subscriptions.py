"""Subscriptions: asked for, confirmed, due, ended.

Owns a person's place in a profile's match sequence: everything above it is owed. The place is set
when the subscription is confirmed and moves only when a digest was composed, so that nothing falls
between two of them.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, joinedload, object_session

from notifier.email_addresses import normalize
from notifier.enums import Cadence, ConsentEvent, SubscriptionStatus, SuppressionCause, Tier
from notifier.errors import NotFoundError, NotifierError
from notifier.i18n.messages import LazyMessage
from notifier.store import db, keys
from notifier.store.models import Match, Profile, Subscriber, Subscription
from notifier.subscribers import consent, suppressions
from notifier.subscribers.choices import Choice, choice_to_confirm, schedule_of, to_json
from notifier.subscribers.schedule import Schedule

# The id in the links of a mail that is only looked at: it is nobody's.
PREVIEWED = "preview"

MONTH = timedelta(days=30)

# How a consent was given: by the link of a mail that only they got, and on the page behind the link
# to preferences.
OWN_LINK = "link"
ON_PREFERENCES = "preferences"


class UnknownLinkError(NotFoundError):
    """A signed link whose subscription was erased, or whose owner has changed their address since."""


class SuppressedError(NotifierError):
    """The address is suppressed, and nobody but the operator, or time, changes that."""


def hash_of(session: Session, email: str) -> str:
    """The key by which this installation recognises an address.

    Raises:
        AddressError: it is no address.
    """
    return keys.hash_of(session, normalize(email))


def find_subscriber(session: Session, email: str) -> Subscriber | None:
    """The person with this address, however it is spelt in capitals."""
    return session.scalar(
        select(Subscriber).where(Subscriber.address_hash == hash_of(session, email))
    )


def running_subscriptions(
    session: Session, email: str, profile: Profile | None = None
) -> list[Subscription]:
    """Return the running subscriptions of a person, oldest first: to one profile, or all.

    Raises:
        AddressError: the text is not an e-mail address.
    """
    subscriber = find_subscriber(session, email)
    return [
        subscription
        for subscription in (subscriber.subscriptions if subscriber else ())
        if subscription.status in SubscriptionStatus.RUNNING
        and profile in (None, subscription.profile)
    ]


def subscribe(
    session: Session,
    email: str,
    profile: Profile,
    choice: Choice,
    now: datetime,
    *,
    own: bool = False,
) -> Subscription:
    """Store a wish to be written to; safe when several do so at once.

    Without `own` an operator asks: a confirmed subscription takes the choice and stays confirmed,
    any other is `pending` until `confirm`. The time zone is the person's: a new one moves their
    other digests too.

    With `own` somebody filled in a form, whoever that was. A person who never confirmed anything is
    stored as the form says. For anybody else the choice waits as the subscription's `wish`, and
    nothing of theirs changes until `confirm`.

    Raises:
        AddressError: no address that can be written to.
        SuppressedError: the address is suppressed, and (with `own`) its owner may not be asked now.
    """
    key = hash_of(session, email)
    suppressed = suppressions.of(session, key)
    if suppressed is not None and not (own and suppressions.may_be_asked(suppressed, now)):
        raise SuppressedError(
            f"This address is suppressed: {suppressions.why(suppressed)}.",
            "If its owner wants mail again: notifier subscribers unsuppress EMAIL",
        )
    subscriber = _stored_person(session, normalize(email), key, choice, now)
    if own and _has_history(subscriber):
        return _wish(session, subscriber, profile, choice, now)
    moved = _set_zone_and_language(subscriber, choice)
    subscription = _stored_subscription(session, subscriber, profile, choice, now)
    if subscription.status is SubscriptionStatus.ENDED:
        subscription.status, subscription.ended_at = SubscriptionStatus.PENDING, None
    subscription.asked_at, subscription.wish = now, None
    _take(subscription, choice, now, moved=moved)
    return subscription


def _stored_person(
    session: Session, email: str, key: str, choice: Choice, now: datetime
) -> Subscriber:
    """The person with an address, made if there is none, locked until the transaction ends."""
    locked = select(Subscriber).where(Subscriber.address_hash == key).with_for_update(of=Subscriber)
    while (subscriber := session.scalar(locked.execution_options(populate_existing=True))) is None:
        values = {
            "email": email,
            "language": choice.language,
            "time_zone": choice.schedule.time_zone,
            "created_at": now,
        }
        db.insert_missing(session, Subscriber, {"address_hash": key, **values})
    session.expire(subscriber, ["subscriptions"])
    return subscriber


def _stored_subscription(
    session: Session, subscriber: Subscriber, profile: Profile, choice: Choice, now: datetime
) -> Subscription:
    """A locked person's subscription to a profile; a new one is pending."""
    stored = next(
        (each for each in subscriber.subscriptions if each.profile_id == profile.id), None
    )
    if stored is not None:
        return stored
    subscription = Subscription(
        subscriber=subscriber,
        profile=profile,
        cadence=choice.schedule.cadence,
        at=choice.schedule.at,
        on=choice.schedule.on,
        edition=choice.edition,
        status=SubscriptionStatus.PENDING,
        link_id=new_link_id(),
        position=0,
        created_at=now,
    )
    session.add(subscription)
    session.flush()
    return subscription


def new_link_id() -> str:
    """A random id for signed links: it says nothing of whom it means."""
    return secrets.token_urlsafe(16)


def _has_history(subscriber: Subscriber) -> bool:
    """Whether there is anything about a person that a stranger's form must not change."""
    return any(
        each.status is not SubscriptionStatus.PENDING or each.confirmed_at is not None
        for each in subscriber.subscriptions
    )


def _wish(
    session: Session, subscriber: Subscriber, profile: Profile, choice: Choice, now: datetime
) -> Subscription:
    """Keep a form's choice beside what is stored, until its owner confirms it."""
    if any(each.status in SubscriptionStatus.RUNNING for each in subscriber.subscriptions):
        choice = choice.with_settings_of(subscriber)
    subscription = _stored_subscription(session, subscriber, profile, choice, now)
    subscription.wish, subscription.asked_at = to_json(choice), now
    session.flush()
    return subscription


def _take(subscription: Subscription, choice: Choice, now: datetime, *, moved: bool) -> None:
    schedule = choice.schedule
    subscription.cadence, subscription.at, subscription.on = (
        schedule.cadence,
        schedule.at,
        schedule.on,
    )
    subscription.edition = choice.edition
    if choice.hidden is not None:
        subscription.hidden = [*choice.hidden]
    if choice.urgent is not None:
        subscription.urgent = choice.urgent
    if schedule.cadence is Cadence.IMMEDIATE:
        subscription.on = None
    session = object_session(subscription)
    assert session is not None
    session.flush()
    for affected in subscription.subscriber.subscriptions if moved else [subscription]:
        reschedule(affected, now)


def _set_zone_and_language(subscriber: Subscriber, choice: Choice) -> bool:
    """Store a choice's time zone and language; return whether the time zone changed."""
    moved = subscriber.time_zone != choice.schedule.time_zone
    subscriber.time_zone, subscriber.language = choice.schedule.time_zone, choice.language
    return moved


def choose(subscription: Subscription, choice: Choice, now: datetime) -> None:
    """Take a person's new choice; the time zone and the language are theirs, for all that they subscribe to."""
    moved = _set_zone_and_language(subscription.subscriber, choice)
    _take(subscription, choice, now, moved=moved)


def confirm(
    session: Session, subscription: Subscription, method: str, attested_by: str, now: datetime
) -> bool:
    """Let the digests begin: what is matched from now on is owed. Returns whether they did not run before.

    A choice that waited for this yes is applied. With `OWN_LINK` the person said yes to the link of
    a mail: that lifts what its owner may lift; an address that only the operator may free stays as
    it is, and so does the subscription.
    """
    if not waits_for_yes(subscription):
        return False
    if method == OWN_LINK and not suppressions.lift_by_owner(
        session, subscription.subscriber.address_hash
    ):
        return False
    if subscription.wish is not None:
        _apply_wish(subscription, now)
    subscription.status, subscription.confirmed_at = SubscriptionStatus.CONFIRMED, now
    subscription.ended_at = None
    subscription.position, subscription.last_mailed_at = subscription.profile.position, now
    reschedule(subscription, now)
    consent.record(session, subscription, ConsentEvent.GIVEN, method, attested_by, now)
    session.flush()
    return True


def waits_for_yes(subscription: Subscription) -> bool:
    """Whether a sign-up waits for its owner's yes: it never began, or it ended and a form asks for it again."""
    ended = subscription.status is SubscriptionStatus.ENDED
    return subscription.status is SubscriptionStatus.PENDING or (
        ended and subscription.wish is not None
    )


def _apply_wish(subscription: Subscription, now: datetime) -> None:
    choice = choice_to_confirm(subscription)
    person = subscription.subscriber
    if any(each.status in SubscriptionStatus.RUNNING for each in person.subscriptions):
        # Meanwhile something of theirs runs: zone and language are theirs, and are changed on their
        # own page alone.
        choice = choice.with_settings_of(person)
    subscription.wish = None
    choose(subscription, choice, now)


def end(
    session: Session, subscription: Subscription, method: str, attested_by: str, now: datetime
) -> bool:
    """End a subscription at once; nothing more goes out, not even what was composed. Returns whether it ran."""
    subscription.wish = None
    if subscription.status is SubscriptionStatus.ENDED:
        return False
    subscription.status, subscription.ended_at = SubscriptionStatus.ENDED, now
    subscription.next_due_at, subscription.paused_until = None, None
    consent.record(session, subscription, ConsentEvent.WITHDRAWN, method, attested_by, now)
    session.flush()
    return True


def never_again(session: Session, address_hash: str, now: datetime) -> None:
    """Suppress an address because its owner wants no mail from us ever again; only the operator lifts that.

    Sign-ups that wait are cancelled, and what runs ends: consent is withdrawn. Asked again it
    changes nothing.
    """
    suppressions.add(session, address_hash, SuppressionCause.NEVER, "asked for by its owner", now)
    person = session.scalar(
        select(Subscriber).where(Subscriber.address_hash == address_hash).with_for_update()
    )
    if person is None:
        return
    for subscription in person.subscriptions:
        if subscription.status in SubscriptionStatus.RUNNING or subscription.wish is not None:
            end(session, subscription, "never", "subscriber", now)
    pending = [
        each.id for each in person.subscriptions if each.status is SubscriptionStatus.PENDING
    ]
    if pending:
        cancel(session, pending)


def unsubscribe(
    session: Session, email: str, profile: Profile | None, attested_by: str, now: datetime
) -> int:
    """End one subscription of a person, or all; returns how many were ended."""
    subscriber = find_subscriber(session, email)
    running = [
        one
        for one in (subscriber.subscriptions if subscriber else ())
        if profile in (None, one.profile)
    ]
    return sum(end(session, one, "command line", attested_by, now) for one in running)


def by_link(session: Session, link_id: str) -> Subscription:
    """The subscription that a signed link means; a link from before a change of address means none.

    Raises:
        UnknownLinkError: it was erased, or the address was changed since.
    """
    chosen = (
        select(Subscription).where(Subscription.link_id == link_id).with_for_update(of=Subscription)
    )
    found = session.scalar(
        chosen.options(joinedload(Subscription.profile), joinedload(Subscription.subscriber))
    )
    if found is None:
        raise UnknownLinkError(
            LazyMessage("This link does not work any more."),
            LazyMessage("Have a fresh one sent to the address of your digests."),
        )
    return found


def reschedule(subscription: Subscription, now: datetime) -> None:
    """Set the next due time by the choice that is stored; none while it is not confirmed.

    Where that succeeds, the choice can be read: an earlier trouble with it is over.
    """
    confirmed = subscription.status is SubscriptionStatus.CONFIRMED
    subscription.next_due_at = schedule_of(subscription).next_after(now) if confirmed else None
    subscription.trouble = None


def due(session: Session, profile_id: int, now: datetime, quiet: timedelta) -> Sequence[int]:
    """The ids of the subscriptions of a profile to compose for now; `due_subscriptions.py` reads their rows.

    Scheduled ones whose time has come; immediate ones whose oldest unserved match has waited out
    the quiet time; and those who asked for it when something urgent is owed. Who could not be
    served waits for the time that was set then.
    """
    chosen = (
        select(Subscription.id)
        .where(
            Subscription.profile_id == profile_id,
            Subscription.status == SubscriptionStatus.CONFIRMED,
            _not_put_off(now),
            or_(
                Subscription.next_due_at <= now,
                and_(*_immediately_due(now - quiet)),
                and_(Subscription.urgent.is_(True), _something_urgent()),
            ),
        )
        .join(Subscription.subscriber)
        # Whose mailbox was full is written to when it may have room again; nothing is composed for
        # nobody.
        .where(or_(Subscriber.held_until.is_(None), Subscriber.held_until <= now))
        .order_by(Subscription.id)
    )
    return session.scalars(chosen).all()


def _not_put_off(now: datetime) -> ColumnElement[bool]:
    return or_(
        Subscription.trouble.is_(None),
        Subscription.next_due_at.is_(None),
        Subscription.next_due_at <= now,
    )


def _immediately_due(before: datetime) -> Iterable[ColumnElement[bool]]:
    waiting = select(Match.id).where(
        Match.profile_id == Subscription.profile_id,
        Match.position > Subscription.position,
        Match.filed.is_(False),
        Match.tier.in_((Tier.ABOUT, Tier.MENTION)),
        Match.created_at <= before,
    )
    return Subscription.cadence == Cadence.IMMEDIATE, exists(waiting)


def _something_urgent() -> ColumnElement[bool]:
    waiting = select(Match.id).where(
        Match.profile_id == Subscription.profile_id,
        Match.position > Subscription.position,
        Match.filed.is_(False),
        Match.urgent.is_(True),
    )
    return exists(waiting)


def mark_composed(
    subscriptions: Sequence[Subscription], position: int, snapshot: str, now: datetime
) -> None:
    """Note that a digest was composed for these, with all that is owed up to `position` and the profile's snapshot."""
    for subscription in subscriptions:
        subscription.position = max(subscription.position, position)
        subscription.seen_snapshot, subscription.last_mailed_at = snapshot, now


def inactive_subscriptions(session: Session, profile_id: int, now: datetime) -> Sequence[int]:
    """The ids of the subscriptions that have not heard of us for a month; `silent_since` says whether it is time."""
    chosen = select(Subscription.id).where(
        Subscription.profile_id == profile_id,
        Subscription.status == SubscriptionStatus.CONFIRMED,
        _not_put_off(now),
        func.coalesce(Subscription.last_mailed_at, Subscription.confirmed_at) < now - MONTH,
    )
    return session.scalars(chosen.order_by(Subscription.id)).all()


def silent_since(subscription: Subscription) -> datetime | None:
    """When somebody is to be told that there is nothing to tell: at their hour, a month and a bit after the last."""
    last = subscription.last_mailed_at or subscription.confirmed_at or subscription.created_at
    daily = Schedule(Cadence.DAILY, subscription.at, None, subscription.subscriber.time_zone)
    return daily.next_after(last + MONTH)


def reassured(one: Subscription, now: datetime) -> None:
    """Note that somebody was told that there is nothing to tell."""
    one.last_mailed_at = now


def advance(subscription: Subscription, now: datetime) -> None:
    """Set the next due time, the first one after now: several that were missed give one digest."""
    reschedule(subscription, now)


def put_off(session: Session, subscription_id: int, trouble: str, until: datetime) -> None:
    """Note why somebody cannot be served, for the operator; they are tried again at a later moment.

    It reads nothing of the row, for what stands there may be what cannot be read.
    """
    changed = update(Subscription).where(Subscription.id == subscription_id)
    values = {"trouble": trouble, "next_due_at": until}
    session.execute(changed.values(**values).execution_options(synchronize_session=False))


def dummy_subscription(
    profile: Profile, choice: Choice, now: datetime, email: str = "reader@example.org"
) -> Subscription:
    """A subscription of nobody, stored nowhere, for which a digest can be shown."""
    nobody = Subscriber(
        email=email,
        language=choice.language,
        time_zone=choice.schedule.time_zone,
        created_at=now,
    )
    return Subscription(
        id=0,
        subscriber=nobody,
        profile_id=profile.id,
        cadence=choice.schedule.cadence,
        at=choice.schedule.at,
        on=choice.schedule.on,
        edition=choice.edition,
        status=SubscriptionStatus.CONFIRMED,
        link_id=PREVIEWED,
        position=0,
        seen_snapshot="",
        hidden=[*(choice.hidden or ())],
        urgent=bool(choice.urgent),
    )


def remove(session: Session, subscriber_ids: Collection[int]) -> None:
    """Delete people with all that hangs on them: subscriptions, their part of the ledger, deliveries."""
    session.execute(delete(Subscriber).where(Subscriber.id.in_(subscriber_ids)))


def drop(session: Session, subscription_ids: Collection[int]) -> None:
    """Delete subscriptions that never began."""
    session.execute(delete(Subscription).where(Subscription.id.in_(subscription_ids)))


def cancel(session: Session, subscription_ids: Collection[int]) -> None:
    """Delete subscriptions that never began, and the people who have no other."""
    people = select(Subscription.subscriber_id).where(Subscription.id.in_(subscription_ids))
    owners = session.scalars(people).all()
    drop(session, subscription_ids)
    others = select(Subscription.subscriber_id).where(Subscription.subscriber_id.in_(owners))
    session.execute(
        delete(Subscriber).where(Subscriber.id.in_(owners), Subscriber.id.not_in(others))
    )


def add_people(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store many people at once; the keys are those of the table."""
    if rows:
        session.execute(insert(Subscriber), rows)


def add_subscriptions(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store many subscriptions at once; gives their ids, in the order of the rows."""
    if not rows:
        return []
    session.execute(insert(Subscription), rows)
    chosen = select(Subscription.link_id, Subscription.id).where(
        Subscription.link_id.in_([row["link_id"] for row in rows])
    )
    ids = dict(session.execute(chosen).all())
    return [ids[row["link_id"]] for row in rows]


def listed(session: Session, limit: int | None = None) -> tuple[list[Subscriber], int]:
    """Subscribers with their subscriptions, the newest last, and how many there are in all.

    Args:
        session: a reading session.
        limit: so many of the newest; all when None.
    """
    newest = select(Subscriber.id).order_by(Subscriber.id.desc()).limit(limit)
    chosen = select(Subscriber).where(Subscriber.id.in_(newest)) if limit else select(Subscriber)
    loaded = chosen.options(joinedload(Subscriber.subscriptions).joinedload(Subscription.profile))
    total = session.scalar(select(func.count(Subscriber.id))) or 0
    return list(session.scalars(loaded.order_by(Subscriber.id)).unique()), total


def status_of(session: Session, subscriber: Subscriber) -> str:
    """A person's standing in one word: suppressed, or the best that any of their subscriptions has."""
    if suppressions.of(session, subscriber.address_hash):
        return "suppressed"
    order = (
        SubscriptionStatus.CONFIRMED,
        SubscriptionStatus.PENDING,
        SubscriptionStatus.PAUSED,
        SubscriptionStatus.ENDED,
    )
    found = {one.status for one in subscriber.subscriptions}
    return next((str(status) for status in order if status in found), str(SubscriptionStatus.ENDED))
