"""The reach of news in numbers: how many readers were told of it, and how many will be.

It names no reader, reads by indexes, and changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, false, func, or_, select, union
from sqlalchemy.orm import Session, aliased, joinedload, load_only

from notifier.digest.told import told
from notifier.enums import DeliveryStatus, DigestStatus, NewsKind, SubscriptionStatus
from notifier.store.models import (
    Delivery,
    Digest,
    DigestItem,
    Entry,
    Match,
    Profile,
    Revision,
    Subscription,
    Told,
)

# The digests with an entry that are looked at, the newest. Chosen by hand; not measured.
_MOST_DIGESTS = 200
# A match that is older is owed to nobody: the longest cadence is a month, and a digest that was put
# off waits as a delivery. Chosen by hand, with some days more.
OWED_FOR = timedelta(days=45)
# Changes that are looked at together. Chosen by hand; not measured.
_LOOKED_AT = 500
_CORRECTIONS = (NewsKind.CORRECTED, NewsKind.WITHDRAWN)


class InDigest(NamedTuple):
    """A digest that shows a match.

    Attributes:
        match_id: the match.
        revision_id: the state of the entry that it shows.
        kind: as which kind of news.
        readers: how many mails with it were sent, as far as they are kept.
        is_open: whether further readers may get it after a person's approval.
    """

    match_id: int
    digest_id: int
    subject: str
    status: DigestStatus
    composed_at: datetime
    revision_id: int
    kind: NewsKind
    readers: int
    is_open: bool


class Waiting(NamedTuple):
    """The readers who are owed a match and were not sent it.

    Attributes:
        readers: how many; those who hide its section are among them.
        first_due_at: when the first of them is due; None if nobody has a due time.
    """

    readers: int
    first_due_at: datetime | None


def digests_with(session: Session, entry_id: int) -> Sequence[InDigest]:
    """Return the digests that show an entry, the newest first."""
    rows = session.execute(_with_entry(entry_id)).all()
    sent = (
        select(Delivery.digest_id, func.count())
        .where(
            Delivery.digest_id.in_({row.id for row in rows}),
            Delivery.status == DeliveryStatus.SENT,
        )
        .group_by(Delivery.digest_id)
    )
    readers: dict[int | None, int] = {row[0]: row[1] for row in session.execute(sent)}
    return [
        InDigest(
            row.match_id,
            row.id,
            row.subject,
            row.status,
            row.composed_at,
            row.revision_id,
            row.kind,
            readers.get(row.id, 0),
            row.open_until is not None and row.status is not DigestStatus.DROPPED,
        )
        for row in rows
    ]


def _with_entry(entry_id: int) -> Any:
    """Select the digests that show an entry, the newest first."""
    return (
        select(
            DigestItem.match_id,
            Digest.id,
            Digest.subject,
            Digest.status,
            Digest.composed_at,
            DigestItem.revision_id,
            DigestItem.kind,
            Digest.open_until,
        )
        .select_from(Match)
        .join(DigestItem, DigestItem.match_id == Match.id)
        .join(Digest, Digest.id == DigestItem.digest_id)
        .where(Match.entry_id == entry_id, Digest.status != DigestStatus.VOID)
        .order_by(Digest.id.desc())
        .limit(_MOST_DIGESTS)
    )


def readers_told(
    session: Session, entry_id: int, digests: Collection[InDigest]
) -> Mapping[int, int]:
    """Return how many readers were told of each state of an entry, by revision id.

    Args:
        session: a reading session.
        entry_id: of the entry.
        digests: as `digests_with` returns them.
    """
    readers: dict[int, int] = defaultdict(int)
    for digest in digests:
        readers[digest.revision_id] += digest.readers
    # What was told by mails that are not kept any more.
    kept = (
        select(Told.revision_id, func.count())
        .where(Told.entry_id == entry_id)
        .group_by(Told.revision_id)
    )
    for revision_id, number in session.execute(kept):
        readers[revision_id] += number
    return readers


def waiting(session: Session, match: Match, now: datetime) -> Waiting:
    """Return who is owed a match.

    Args:
        session: a reading session.
        match: the match.
        now: when.
    """
    if match.filed or match.created_at < now - OWED_FOR:
        return Waiting(0, None)
    owed = [
        Subscription.profile_id == match.profile_id,
        Subscription.status == SubscriptionStatus.CONFIRMED,
        Subscription.position < match.position,
    ]
    if match.kind in _CORRECTIONS:
        pairs = union(*told((match.entry_id,), false())).subquery()
        owed.append(Subscription.id.in_(select(pairs.c.subscription_id)))
    counted = select(func.count(), func.min(Subscription.next_due_at)).where(*owed)
    number, first_due_at = session.execute(counted).one()
    return Waiting(number, first_due_at)


def followers(session: Session, profile_ids: Collection[int]) -> Mapping[int, int]:
    """Return how many readers are sent the news of profiles, by profile id."""
    counted = (
        select(Subscription.profile_id, func.count())
        .where(
            Subscription.profile_id.in_(profile_ids),
            Subscription.status == SubscriptionStatus.CONFIRMED,
        )
        .group_by(Subscription.profile_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


class WaitingChange(NamedTuple):
    """A correction, withdrawal or other change that readers are going to be told of."""

    match: Match
    waiting: Waiting


def waiting_changes(
    session: Session, now: datetime, before: int, limit: int
) -> tuple[Sequence[WaitingChange], int]:
    """Return changes that were matched and are owed to somebody, the newest first.

    Args:
        session: a reading session.
        now: when.
        before: only matches with a smaller id; 0 for the newest.
        limit: the most that are returned.

    Returns:
        The changes, and the id before which the list goes on; 0 at its end.
    """
    candidates = session.scalars(_changes(now, before)).all()
    lowest = _lowest_positions(session, {match.profile_id for match in candidates})
    shown: list[WaitingChange] = []
    for match in candidates:
        if match.position <= lowest.get(match.profile_id, match.position):
            continue
        if (owed := waiting(session, match, now)).readers:
            shown.append(WaitingChange(match, owed))
        if len(shown) == limit:
            return shown, match.id
    return shown, candidates[-1].id if len(candidates) == _LOOKED_AT else 0


def _changes(now: datetime, before: int) -> Select[Any]:
    """Select the changes that may be owed: the newest one of each entry and profile."""
    later = aliased(Match)
    wanted: list[ColumnElement[bool]] = [
        Match.kind != NewsKind.NEW,
        Match.filed.is_(False),
        Match.created_at >= now - OWED_FOR,
        ~select(later.id)
        .where(
            later.entry_id == Match.entry_id,
            later.profile_id == Match.profile_id,
            later.filed.is_(False),
            or_(
                later.revision_id > Match.revision_id,
                (later.revision_id == Match.revision_id) & (later.position > Match.position),
            ),
        )
        .exists(),
    ]
    if before:
        wanted.append(Match.id < before)
    texts = joinedload(Match.revision).defer(Revision.body)
    return (
        select(Match)
        .where(*wanted)
        .order_by(Match.id.desc())
        .limit(_LOOKED_AT)
        .options(
            joinedload(Match.entry).joinedload(Entry.source),
            joinedload(Match.profile).options(load_only(Profile.slug, Profile.name)),
            texts,
        )
    )


def _lowest_positions(session: Session, profile_ids: Collection[int]) -> dict[int, int]:
    """Return how far the least served of a profile's readers was served, by profile id."""
    lowest = (
        select(Subscription.profile_id, func.min(Subscription.position))
        .where(
            Subscription.profile_id.in_(profile_ids),
            Subscription.status == SubscriptionStatus.CONFIRMED,
        )
        .group_by(Subscription.profile_id)
    )
    return {row[0]: row[1] for row in session.execute(lowest)}
