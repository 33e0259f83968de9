"""The facts: everything that is stored about an entry and a subscription.

Owns the reading, by indexes: it costs the same however many mails were sent. It judges nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from notifier.digest import groups
from notifier.digest.selection import Candidate
from notifier.enums import ConsentEvent, DigestStatus, SubscriptionStatus
from notifier.match import judging
from notifier.match.score import Judgement
from notifier.store import backup_state
from notifier.store.models import (
    Consent,
    Delivery,
    Digest,
    DigestItem,
    Entry,
    Examination,
    HeldSuppression,
    Installation,
    Match,
    NearMiss,
    Revision,
    Subscription,
    Suppression,
    Told,
)
from notifier.subscribers import consent


class Sending(NamedTuple):
    """A mail to the subscription whose digest has the entry.

    Attributes:
        revision: the number of the state that it showed.
    """

    delivery: Delivery
    digest: Digest
    item: DigestItem
    revision: int


@dataclass(frozen=True)
class Circumstances:
    """The circumstances of all mails at a moment.

    Attributes:
        now: the time of the question.
        quiet: how long an immediate digest waits for further matches.
        holds_uncertain: whether mails whose answer was lost wait for a person.
        ran_at: the time of the last run; None before the first.
        stopped_at: the time at which a person stopped the sending; None while mails go out.
        restored_at: the time of a restore after which nothing is sent yet; None if there is none.
    """

    now: datetime
    quiet: timedelta
    holds_uncertain: bool
    ran_at: datetime | None
    stopped_at: datetime | None
    restored_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """The stored facts about an entry and a subscription.

    Attributes:
        feeds_profile: whether the entry's source is watched for the subscription's profile.
        judged_at: when a state of the entry was last judged; None if that is not kept.
        matches: of the entry for the profile, in their sequence.
        held: the held matches of the entry for the profile, with those that were dropped.
        sendings: the mails with the entry, oldest first.
        told_revision: the number of the state that mails told which are not kept any more; None if
            there is none.
        ledger: the consent ledger of the subscription, oldest first.
        suppression: of the address; None if it may be mailed.
        held_suppression: a suppression of the address that waits for a person, or is of today.
        reviewed: the newest digest under review with the entry that this subscription may get.
        owed: what the next digest would say of the entry; None if nothing.
        judgement: today's judgement on the newest state, where nothing matched; None without a hit.
    """

    entry: Entry
    subscription: Subscription
    circumstances: Circumstances
    feeds_profile: bool
    judged_at: datetime | None
    matches: Sequence[Match]
    held: Sequence[NearMiss]
    sendings: Sequence[Sending]
    told_revision: int | None
    ledger: Sequence[Consent]
    suppression: Suppression | None
    held_suppression: HeldSuppression | None
    reviewed: Digest | None
    owed: Candidate | None
    judgement: Judgement | None

    @property
    def now(self) -> datetime:
        """The time of the question."""
        return self.circumstances.now

    @property
    def newest(self) -> Revision:
        """The newest state of the entry."""
        return self.entry.revisions[-1]

    @property
    def waiting_held(self) -> NearMiss | None:
        """The newest held match that nobody released or dropped."""
        waiting = [each for each in self.held if not each.released_at and not each.dropped_because]
        return waiting[-1] if waiting else None

    def revision_number(self, revision_id: int) -> int:
        """Return the number of a state of the entry."""
        return next((each.number for each in self.entry.revisions if each.id == revision_id), 0)

    def was_confirmed(self, moment: datetime) -> bool:
        """Return whether the subscription was confirmed at a moment, by its consent ledger."""
        events = [record.event for record in self.ledger if record.at <= moment]
        if self.ledger:
            return bool(events) and events[-1] is ConsentEvent.GIVEN
        confirmed_at = self.subscription.confirmed_at
        return confirmed_at is not None and confirmed_at <= moment


def read(
    session: Session, entry: Entry, subscription: Subscription, circumstances: Circumstances
) -> Facts:
    """Read the facts about an entry and a subscription.

    Args:
        session: a reading session.
        entry: as `watch.entry_search.named` gives it.
        subscription: with its subscriber and profile.
        circumstances: of the moment.
    """
    profile_id = subscription.profile_id
    fed = judging.profiles_by_source(session, [entry.source_id]).get(entry.source_id)
    matches = session.scalars(
        select(Match)
        .where(Match.entry_id == entry.id, Match.profile_id == profile_id)
        .order_by(Match.position)
    ).all()
    held = session.scalars(
        select(NearMiss)
        .where(NearMiss.entry_id == entry.id, NearMiss.profile_id == profile_id)
        .order_by(NearMiss.revision_id)
    ).all()
    feeds = fed is None or profile_id in fed
    return Facts(
        entry=entry,
        subscription=subscription,
        circumstances=circumstances,
        feeds_profile=feeds,
        judged_at=_judged_at(session, entry),
        matches=matches,
        held=held,
        sendings=_sendings(session, entry, subscription, matches),
        told_revision=_told_revision(session, entry, subscription),
        ledger=consent.of(session, [subscription.id]),
        suppression=_suppression(session, subscription),
        held_suppression=_held_suppression(session, subscription),
        reviewed=_reviewed(session, subscription, matches),
        owed=_owed(session, entry, subscription) if matches else None,
        judgement=_judgement(session, entry, subscription) if feeds and not matches else None,
    )


def circumstances(
    session: Session, now: datetime, quiet: timedelta, *, holds_uncertain: bool
) -> Circumstances:
    """Read the circumstances of all mails; the arguments are its attributes."""
    row = session.execute(select(Installation.ran_at, Installation.stopped_at)).one()
    restored = backup_state.restored(session)
    restored_at = restored.at if restored is not None else None
    return Circumstances(now, quiet, holds_uncertain, row.ran_at, row.stopped_at, restored_at)


def _judged_at(session: Session, entry: Entry) -> datetime | None:
    ids = [revision.id for revision in entry.revisions]
    judged = select(Examination.examined_at).where(Examination.revision_id.in_(ids))
    return session.scalar(judged.order_by(Examination.revision_id.desc()).limit(1))


def _sendings(
    session: Session, entry: Entry, subscription: Subscription, matches: Sequence[Match]
) -> list[Sending]:
    numbers = {revision.id: revision.number for revision in entry.revisions}
    rows = session.execute(
        select(Delivery, Digest, DigestItem)
        .join(Digest, Digest.id == Delivery.digest_id)
        .join(DigestItem, DigestItem.digest_id == Digest.id)
        .where(
            Delivery.subscription_id == subscription.id,
            DigestItem.match_id.in_([match.id for match in matches]),
        )
        .options(defer(Digest.body_html), defer(Digest.body_text), defer(Digest.page_html))
        .order_by(Delivery.id, DigestItem.rank)
    )
    return [
        Sending(delivery, digest, item, numbers.get(item.revision_id, 0))
        for delivery, digest, item in rows
    ]


def _reviewed(
    session: Session, subscription: Subscription, matches: Sequence[Match]
) -> Digest | None:
    """Return the newest digest under review that has one of these matches for such a reader."""
    return session.scalar(
        select(Digest)
        .join(DigestItem, DigestItem.digest_id == Digest.id)
        .where(
            DigestItem.match_id.in_([match.id for match in matches]),
            Digest.position.is_not(None),
            Digest.cadence == subscription.cadence,
            Digest.edition == subscription.edition,
            Digest.language == subscription.subscriber.language,
            Digest.status != DigestStatus.VOID,
        )
        .options(defer(Digest.body_html), defer(Digest.body_text), defer(Digest.page_html))
        .order_by(Digest.id.desc())
        .limit(1)
    )


def _told_revision(session: Session, entry: Entry, subscription: Subscription) -> int | None:
    row = session.get(Told, (subscription.id, entry.id))
    if row is None:
        return None
    return next((each.number for each in entry.revisions if each.id == row.revision_id), 0)


def _suppression(session: Session, subscription: Subscription) -> Suppression | None:
    return session.get(Suppression, subscription.subscriber.address_hash)


def _held_suppression(session: Session, subscription: Subscription) -> HeldSuppression | None:
    of_address = HeldSuppression.address_hash == subscription.subscriber.address_hash
    return session.scalar(select(HeldSuppression).where(of_address))


def _owed(session: Session, entry: Entry, subscription: Subscription) -> Candidate | None:
    """Return what the next digest would say of the entry, by the selection of all digests."""
    if subscription.status not in SubscriptionStatus.RUNNING:
        return None
    items = groups.items_for(session, subscription.profile, subscription)
    return next((item for item in items if item.entry_id == entry.id), None)


def _judgement(session: Session, entry: Entry, subscription: Subscription) -> Judgement | None:
    """Judge the newest state by the terms of today; its text is read only here."""
    newest = session.scalar(
        select(Revision)
        .where(Revision.id == entry.revisions[-1].id)
        .options(joinedload(Revision.entry))
        .execution_options(populate_existing=True)
    )
    assert newest is not None
    return judging.revision_judge(session, subscription.profile)(newest)
