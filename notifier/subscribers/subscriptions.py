"""Subscriptions: signing up, confirming, changing the choice, ending, deleting.

Owns a subscription's position in its profile's sequence of matches: every match above it is still
to be sent. The position is set when the subscription is confirmed, and it moves only when a digest
was composed, so that no match is lost between two digests.
"""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, object_session

from notifier.email_addresses import normalize
from notifier.enums import Cadence, ConsentEvent, SubscriptionStatus, SuppressionCause
from notifier.errors import NotFoundError, NotifierError
from notifier.store import db, keys
from notifier.store.models import UNREADABLE, Profile, Subscriber, Subscription, Suppression
from notifier.subscribers import (
    consent,
    damaged_rows,
    deletion,
    due_subscriptions,
    due_times,
    suppressions,
)
from notifier.subscribers.choices import Choice, choice_to_confirm, to_json

# Methods of a consent (see `consent.record`): by the link in a mail to the owner's address, and on
# the page behind the link to the preferences.
OWN_LINK = "link"
ON_PREFERENCES = "preferences"


class UnknownLinkError(NotFoundError):
    """A signed link without a subscription: it was erased, or the owner's address was changed.

    Attributes:
        link_id: the id in the link.
    """

    def __init__(self, link_id: str) -> None:
        super().__init__(
            "This link does not work any more.",
            "Have a fresh one sent to the address of your digests.",
        )
        self.link_id = link_id


class SuppressedError(NotifierError):
    """A suppressed address to which no mail may be sent now.

    Attributes:
        cause: why the address is suppressed.
        reason: a code (``5.1.1``) or the operator's own words; may be empty.
    """

    def __init__(self, suppression: Suppression) -> None:
        super().__init__(
            f"This address is suppressed: {suppressions.describe(suppression)}.",
            "If its owner wants mail again: notifier subscribers unsuppress EMAIL",
        )
        self.cause, self.reason = suppression.cause, suppression.reason


def hash_of(session: Session, email: str) -> str:
    """Return the keyed hash under which this installation stores an address.

    Raises:
        AddressError: the text is not an e-mail address.
    """
    return keys.hash_of(session, normalize(email))


def find_subscriber(session: Session, email: str) -> Subscriber | None:
    """Return the person with this address; upper and lower case are the same.

    Raises:
        AddressError: the text is not an e-mail address.
    """
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
    from_form: bool = False,
) -> Subscription:
    """Store a sign-up; several transactions may do so at once.

    The operator's sign-up is applied at once: a confirmed subscription takes the choice and stays
    confirmed, any other is `pending` until `confirm`. The time zone belongs to the person: a new
    one moves the due times of all their digests.

    A sign-up from a form may come from anybody. It is applied only if this person never confirmed
    anything. Otherwise the choice waits as the subscription's `wish`, and nothing else changes
    until `confirm`.

    Args:
        session: a writing session.
        email: of the subscriber.
        profile: what to subscribe to.
        choice: schedule, edition and language.
        now: when.
        from_form: the sign-up comes from a form, not from the operator.

    Raises:
        AddressError: the text is not an e-mail address.
        SuppressedError: the address is suppressed, and (from a form) its owner may not be asked
            now.
    """
    key = hash_of(session, email)
    suppressed = suppressions.of(session, key)
    if suppressed is not None and not (from_form and suppressions.may_be_asked(suppressed, now)):
        raise SuppressedError(suppressed)
    subscriber = _stored_person(session, normalize(email), key, choice, now)
    if from_form and _has_history(subscriber):
        return _store_wish(session, subscriber, profile, choice, now)
    moved = _set_zone_and_language(subscriber, choice)
    subscription = _stored_subscription(session, subscriber, profile, choice, now)
    if subscription.status is SubscriptionStatus.ENDED:
        subscription.status, subscription.ended_at = SubscriptionStatus.PENDING, None
    if subscription.status not in SubscriptionStatus.RUNNING:
        subscription.asked_at, subscription.wish = now, None
    _apply(subscription, choice, now, moved=moved)
    return subscription


def _stored_person(
    session: Session, email: str, key: str, choice: Choice, now: datetime
) -> Subscriber:
    """Return the person with an address, stored if new, locked until the transaction ends."""
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
    """Return a locked person's subscription to a profile; a new one is pending."""
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
    """Return a random id for signed links: 128 bits, base64url."""
    return secrets.token_urlsafe(16)


def _has_history(subscriber: Subscriber) -> bool:
    """Return whether a person ever confirmed or ended anything, which no form may change."""
    return any(
        each.status is not SubscriptionStatus.PENDING or each.confirmed_at is not None
        for each in subscriber.subscriptions
    )


def _store_wish(
    session: Session, subscriber: Subscriber, profile: Profile, choice: Choice, now: datetime
) -> Subscription:
    """Store a form's choice beside what is stored, until its owner confirms it."""
    if _has_running(subscriber):
        choice = choice.with_settings_of(subscriber)
    subscription = _stored_subscription(session, subscriber, profile, choice, now)
    subscription.wish, subscription.asked_at = to_json(choice), now
    session.flush()
    return subscription


def _has_running(subscriber: Subscriber) -> bool:
    return any(each.status in SubscriptionStatus.RUNNING for each in subscriber.subscriptions)


def _apply(subscription: Subscription, choice: Choice, now: datetime, *, moved: bool) -> None:
    """Store a choice and set the due time: of all the person's subscriptions if they `moved`.

    What matched under an immediate schedule was promised at once, and does not wait for another.
    """
    schedule = choice.schedule
    confirmed = subscription.status is SubscriptionStatus.CONFIRMED
    slower = subscription.cadence is Cadence.IMMEDIATE and schedule.cadence is not Cadence.IMMEDIATE
    subscription.cadence, subscription.at = schedule.cadence, schedule.at
    subscription.on = None if schedule.cadence is Cadence.IMMEDIATE else schedule.on
    subscription.edition = choice.edition
    if choice.hidden is not None:
        subscription.hidden = [*choice.hidden]
    if choice.urgent is not None:
        subscription.urgent = choice.urgent
    session = object_session(subscription)
    assert session is not None
    session.flush()
    for affected in subscription.subscriber.subscriptions if moved else [subscription]:
        due_times.keep(affected, now)
    if confirmed and slower and due_subscriptions.has_unserved(session, subscription):
        due_times.make_due(subscription, now)


def _set_zone_and_language(subscriber: Subscriber, choice: Choice) -> bool:
    """Store a choice's time zone and language; return whether the time zone changed."""
    moved = subscriber.time_zone != choice.schedule.time_zone
    subscriber.time_zone, subscriber.language = choice.schedule.time_zone, choice.language
    return moved


def set_choice(subscription: Subscription, choice: Choice, now: datetime) -> None:
    """Store a new choice; its time zone and language apply to all subscriptions of the person."""
    moved = _set_zone_and_language(subscription.subscriber, choice)
    _apply(subscription, choice, now, moved=moved)


def confirm(
    session: Session, subscription: Subscription, method: str, attested_by: str, now: datetime
) -> bool:
    """Let the digests begin with the next match; apply the choice that waited for this.

    With the method `OWN_LINK` the owner of the address confirmed: that lifts a suppression that an
    owner may lift. If the operator alone may lift it, nothing is changed.

    Args:
        session: a writing session.
        subscription: what is confirmed.
        method: see `consent.record`.
        attested_by: see `consent.record`.
        now: when.

    Returns:
        Whether the subscription began now: False if it ran already, or the address stays
        suppressed.
    """
    if not waits_for_confirmation(subscription):
        return False
    if method == OWN_LINK and not suppressions.lift_by_owner(
        session, subscription.subscriber.address_hash
    ):
        return False
    if subscription.wish is not None:
        _apply_wish(subscription, now)
    subscription.status, subscription.confirmed_at = SubscriptionStatus.CONFIRMED, now
    subscription.ended_at = None
    due_times.forget_renewals(subscription)
    subscription.position, subscription.last_mailed_at = subscription.profile.position, now
    due_times.advance(subscription, now)
    consent.record(session, subscription, ConsentEvent.GIVEN, method, attested_by, now)
    session.flush()
    return True


def waits_for_confirmation(subscription: Subscription) -> bool:
    """Return whether a sign-up waits for its owner to confirm it: the first one, or another."""
    ended = subscription.status is SubscriptionStatus.ENDED
    return subscription.status is SubscriptionStatus.PENDING or (
        ended and subscription.wish is not None
    )


def _apply_wish(subscription: Subscription, now: datetime) -> None:
    choice = choice_to_confirm(subscription)
    if _has_running(subscription.subscriber):
        # Another subscription began since the form was sent. Time zone and language then apply to
        # that one too, and only its owner changes them, on the page of their preferences.
        choice = choice.with_settings_of(subscription.subscriber)
    subscription.wish = None
    set_choice(subscription, choice, now)


def end(
    session: Session, subscription: Subscription, method: str, attested_by: str, now: datetime
) -> bool:
    """End a subscription at once: mails that were composed are not sent either.

    Returns:
        Whether it had not ended before.
    """
    subscription.wish = None
    if subscription.status is SubscriptionStatus.ENDED:
        return False
    subscription.status, subscription.ended_at = SubscriptionStatus.ENDED, now
    subscription.paused_until = None
    consent.record(session, subscription, ConsentEvent.WITHDRAWN, method, attested_by, now)
    session.flush()
    return True


def never_again(session: Session, address_hash: str, now: datetime) -> None:
    """Suppress an address because its owner never wants mail again; only the operator lifts that.

    Subscriptions end, with the consent withdrawn. A sign-up is deleted if nothing was ever
    confirmed before it: of others the ledger is the proof of the consent. A second call changes
    nothing.
    """
    suppressions.add(session, address_hash, SuppressionCause.NEVER, "asked for by its owner", now)
    owner = select(Subscriber.id).where(Subscriber.address_hash == address_hash)
    person = session.scalar(owner.with_for_update())
    if person is None:
        return
    never_began = damaged_rows.ids_never_begun(session, person)
    if never_began:
        deletion.delete_sign_ups(session, never_began)
    for each in damaged_rows.ids_of(session, person):
        end_by_id(session, each, "never", "subscriber", now)


def unsubscribe(
    session: Session, email: str, profile: Profile | None, attested_by: str, now: datetime
) -> int:
    """End one subscription of a person, or all; return how many were ended."""
    wanted = (
        select(Subscription.id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address_hash == hash_of(session, email))
    )
    if profile is not None:
        wanted = wanted.where(Subscription.profile_id == profile.id)
    return sum(
        end_by_id(session, each, "command line", attested_by, now)
        for each in session.scalars(wanted).all()
    )


def end_by_id(
    session: Session, subscription_id: int, method: str, attested_by: str, now: datetime
) -> bool:
    """End a subscription, also one of which a column cannot be read."""
    statement = select(Subscription).where(Subscription.id == subscription_id)
    try:
        subscription = session.scalars(statement.options(joinedload(Subscription.subscriber))).one()
    except UNREADABLE:
        return damaged_rows.end(session, subscription_id, method, attested_by, now)
    return end(session, subscription, method, attested_by, now)


def by_link(session: Session, link_id: str) -> Subscription:
    """Return the subscription with this link id, locked until the transaction ends.

    Raises:
        UnknownLinkError: it was erased, or the owner's address was changed since the link was
            made.
    """
    statement = (
        select(Subscription).where(Subscription.link_id == link_id).with_for_update(of=Subscription)
    )
    subscription = session.scalar(
        statement.options(joinedload(Subscription.profile), joinedload(Subscription.subscriber))
    )
    if subscription is None:
        raise UnknownLinkError(link_id)
    return subscription
