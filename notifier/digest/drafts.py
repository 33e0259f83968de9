"""Drafts: digests that wait for a person's approval, who may still get one, and why one ends.

Owns the columns of a digest that concern its review. A draft has no deliveries: these are planned
when it is approved and its readers are due, from those who are subscribed then. Who they are, and
what the operator is mailed, is not known here.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from notifier.digest import digests, groups, outdated
from notifier.digest.digests import ComposedDigest
from notifier.enums import DigestStatus, NewsKind
from notifier.store.db import in_chunks
from notifier.store.models import Delivery, Digest, DigestItem, Entry, Match
from notifier.text.cleaning import redacted

# Who is due less than this after the first readers of a draft gets the same draft: so readers of
# all time zones read one digest of a day, which is approved once. A reader is due once in a day.
_JOINED_FOR = timedelta(days=1)
# The operator is reminded when this share of the time before the due time has passed, or of the
# lead for a draft that is due already. Chosen by hand; not measured.
_REMINDED_AFTER = 0.75
# Hexadecimal digits of the name of a draft's content, and of the shortest beginning of it that an
# approval may give.
_CONTENT_DIGITS, FEWEST_DIGITS = 16, 8

# The statuses in which a digest's deliveries may be planned.
_RELEASED = frozenset((DigestStatus.APPROVED, DigestStatus.SENT, DigestStatus.FAILED))


@dataclass(frozen=True)
class OpenDraft:
    """A digest under review, or reviewed, that somebody may still get.

    Attributes:
        digest_id: its id.
        cadence: of its readers.
        group_key: what they are owed, in which words (`digests.group_key`).
        position: of the last match that it may contain.
        status: its status.
        open_until: who is due before this time may get it.
        remind_at: the time at which the operator is reminded; None if not.
    """

    digest_id: int
    cadence: str
    group_key: str
    position: int
    status: DigestStatus
    open_until: datetime
    remind_at: datetime | None

    @property
    def is_released(self) -> bool:
        """True if it may be sent."""
        return self.status in _RELEASED

    @property
    def is_dropped(self) -> bool:
        """True if a person decided that its readers get nothing this time."""
        return self.status is DigestStatus.DROPPED


@dataclass(frozen=True)
class Ended:
    """A draft that ended because its items changed, with the reason.

    Attributes:
        digest_id: its id.
        because: a clause: "“A headline” was corrected".
        was_approved: a person had approved it.
        was_sent: some of its readers were sent it; the others get another one.
    """

    digest_id: int
    because: str
    was_approved: bool
    was_sent: bool


def content_of(digest: Digest) -> str:
    """Return the name of a digest's content: the beginning of its SHA-256, 16 hexadecimal digits.

    It covers all that a reader is sent: the subject, the first line, and both forms of the body.
    """
    parts = (
        digest.subject,
        digest.headline,
        digest.body_html,
        digest.body_text,
        digest.page_html or "",
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_CONTENT_DIGITS]


def is_for_review(digest: Digest) -> bool:
    """Return whether a digest was composed to be reviewed."""
    return digest.position is not None


def store(
    session: Session,
    profile_id: int,
    position: int,
    composed: ComposedDigest,
    due_at: datetime | None,
    lead: timedelta,
    now: datetime,
) -> tuple[Digest, bool]:
    """Store a composed digest as a draft, unless it is stored already.

    Args:
        session: a writing session that has locked the profile.
        profile_id: of the profile.
        position: of the last match that was considered.
        composed: the digest.
        due_at: the time at which its first readers are due; None for one that is sent at once.
        lead: how long before their due time drafts are composed.
        now: when.

    Returns:
        The digest, and whether it is new. One that was sent to others before is opened again, for
        the same readers as before the operator's decision about it.
    """
    first = composed.window.partition("-")[0]
    moment = f"{due_at:%Y-%m-%dT%H:%M}Z" if due_at is not None else "at once"
    named = replace(composed, window=f"review/{first}-{position}/{moment}")
    digest = session.get_one(Digest, digests.store(session, profile_id, named, now))
    is_new = digest.position is None
    digest.due_at = due_at or now
    digest.open_until = digest.due_at + _JOINED_FOR
    if is_new:
        digest.status, digest.position = DigestStatus.DRAFT, position
        ahead = digest.due_at - now
        digest.remind_at = now + (ahead if ahead > timedelta() else lead) * _REMINDED_AFTER
    session.flush()
    return digest, is_new


def note_reminded(digest: Digest) -> None:
    """Store that the operator was reminded of a draft."""
    digest.remind_at = None


def open_of(session: Session, profile_id: int) -> list[OpenDraft]:
    """Return the open drafts of a profile, those with fewer matches first."""
    rows = session.execute(
        select(
            Digest.id,
            Digest.cadence,
            Digest.group_key,
            Digest.position,
            Digest.status,
            Digest.open_until,
            Digest.remind_at,
        )
        .where(Digest.profile_id == profile_id, Digest.open_until.is_not(None))
        .order_by(Digest.position, Digest.id)
    )
    return [
        OpenDraft(digest_id, str(cadence), key, position or 0, status, open_until, remind_at)
        for digest_id, cadence, key, position, status, open_until, remind_at in rows
        if open_until is not None
    ]


def profiles_with_open(session: Session) -> list[int]:
    """Return the profiles with open drafts, by id."""
    is_open = Digest.open_until.is_not(None)
    return list(session.scalars(select(Digest.profile_id).where(is_open).distinct()))


def changed(session: Session, digest_ids: Collection[int]) -> dict[int, str]:
    """Return which open drafts are not true any more, each with a clause that says why.

    An item was dropped, or its entry was matched again since: corrected, withdrawn, or changed.
    """
    later = aliased(Match)
    items = (
        select(DigestItem.digest_id, Match.filed, later.kind, Entry.title)
        .join(Digest, Digest.id == DigestItem.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .join(Entry, Entry.id == Match.entry_id)
        .outerjoin(
            later,
            (later.profile_id == Match.profile_id)
            & (later.entry_id == Match.entry_id)
            & (later.position > Digest.position)
            & later.filed.is_(False),
        )
        .where(Digest.id.in_(digest_ids), Match.filed.is_(True) | later.id.is_not(None))
        .order_by(DigestItem.digest_id, DigestItem.rank, later.position)
    )
    reasons: dict[int, str] = {}
    for digest_id, filed, kind, title in session.execute(items) if digest_ids else ():
        reasons[digest_id] = outdated.because(title, kind, was_dropped=filed)
    return reasons


def end_changed(session: Session, profile_id: int) -> list[Ended]:
    """End the open drafts of a profile that are not true any more; return them, with the reasons.

    One that was dropped waits for nothing, and stays.
    """
    waiting = [each for each in open_of(session, profile_id) if not each.is_dropped]
    reasons = changed(session, [each.digest_id for each in waiting])
    return [end(session, digest_id, because) for digest_id, because in reasons.items()]


def end_regrouped(
    session: Session, profile_id: int, apart: tuple[Collection[int], Collection[int]], because: str
) -> list[Ended]:
    """End the open drafts of a profile that show matches of both sides; return them.

    They show as one item what is two now, or the other way round.

    Args:
        session: a writing session.
        profile_id: of the profile.
        apart: the ids of the matches of each side.
        because: the reason, a clause.
    """
    waiting = [each.digest_id for each in open_of(session, profile_id) if not each.is_dropped]
    sides = [_digests_with(session, waiting, side) for side in apart]
    return [end(session, digest_id, because) for digest_id in sorted(sides[0] & sides[1])]


def _digests_with(
    session: Session, digest_ids: Collection[int], match_ids: Collection[int]
) -> set[int]:
    """Return those of the digests that show one of these matches as news."""
    return {
        digest_id
        for chunk in in_chunks(match_ids)
        for digest_id in session.scalars(
            select(DigestItem.digest_id).where(
                DigestItem.match_id.in_(chunk),
                DigestItem.digest_id.in_(digest_ids),
                DigestItem.kind == NewsKind.NEW,
            )
        )
    }


def end(session: Session, digest_id: int, because: str) -> Ended:
    """Let nobody else get a draft; one that nobody was sent is void.

    Its key becomes free, so that the same items can be composed again.
    """
    digest = session.get_one(Digest, digest_id)
    was_sent = _has_deliveries(session, digest_id)
    was_approved = digest.status in _RELEASED
    digest.open_until = digest.remind_at = None
    if not was_sent:
        digest.status, digest.ended_because = DigestStatus.VOID, because
        digest.window = f"{digest.window}!{digest.id}"
    session.flush()
    return Ended(digest_id, because, was_approved, was_sent)


def end_past(session: Session, profile_id: int, wanted: Collection[int], now: datetime) -> None:
    """Close the open drafts whose time has passed, unless somebody waits for them.

    Args:
        session: a writing session.
        profile_id: of the profile.
        wanted: the drafts for which somebody is or will soon be due, by id.
        now: when.
    """
    for draft in open_of(session, profile_id):
        if draft.digest_id in wanted or draft.open_until > now:
            continue
        if draft.is_dropped:
            session.get_one(Digest, draft.digest_id).open_until = None
        else:
            end(session, draft.digest_id, "nobody was owed it when it was due")


def end_all(session: Session, because: str) -> None:
    """Let nobody else get any draft; those that nobody was sent are void."""
    open_ids = select(Digest.id).where(Digest.open_until.is_not(None)).order_by(Digest.id)
    for digest_id in session.scalars(open_ids).all():
        end(session, digest_id, because)


def due_for_reminder(session: Session, wanted: Iterable[int], now: datetime) -> list[Digest]:
    """Return the drafts of which the operator is to be reminded, locked."""
    waiting = select(Digest).where(
        Digest.id.in_(list(wanted)),
        Digest.status == DigestStatus.DRAFT,
        Digest.remind_at <= now,
    )
    return list(session.scalars(waiting.order_by(Digest.id).with_for_update()))


def go_on(session: Session, digest_ids: Collection[int]) -> bool:
    """Prepare approved drafts for deliveries: one that was sent or failed is approved again.

    Returns:
        False if one of them may not be sent any more: it was held, or an item changed.
    """
    locked = select(Digest.status).where(
        Digest.id.in_(digest_ids), Digest.open_until.is_not(None), Digest.status.in_(_RELEASED)
    )
    if len(session.scalars(locked.with_for_update()).all()) < len(digest_ids):
        return False
    if changed(session, digest_ids):
        return False
    return digests.go_on(session, digest_ids)


def is_urgent(session: Session, digest_id: int) -> bool:
    """Return whether a stored digest contains news that cannot wait."""
    items = groups.contents(session, [digest_id])[digest_id]
    return any(item.urgent for item in items)


def lock(session: Session, digest_id: int) -> Digest:
    """Return the digest with this id, locked against others who decide about it.

    Raises:
        NotFoundError: there is no such digest.
    """
    digest = digests.find(session, digest_id)
    session.refresh(digest, with_for_update=True)
    return digest


def approve(session: Session, digest: Digest, now: datetime) -> bool:
    """Release a held digest or a draft; return false if it was neither."""
    if digest.status not in (DigestStatus.HELD, DigestStatus.DRAFT):
        return False
    # Only who could know that servers refuse it decides that it goes out all the same.
    if digests.is_refused_by_many(session, digest.id):
        digest.approved_at = now
    else:
        digest.reviewed_at = now
    digest.status, digest.remind_at = DigestStatus.APPROVED, None
    return True


def hold(session: Session, digest: Digest) -> bool:
    """Stop a digest until it is approved; return false if it neither goes out nor is a draft."""
    if digest.status not in (DigestStatus.APPROVED, DigestStatus.DRAFT):
        return False
    digest.status, digest.remind_at = DigestStatus.HELD, None
    if not _has_deliveries(session, digest.id):
        digest.reviewed_at = None
    return True


def drop(session: Session, digest: Digest, because: str) -> bool:
    """Let the readers of a draft get nothing this time; return false if it is no draft that waits.

    Its items are owed to them still. Addresses in the reason are not stored.
    """
    waits = digest.status in (DigestStatus.DRAFT, DigestStatus.HELD, DigestStatus.APPROVED)
    if not waits or digest.open_until is None or _has_deliveries(session, digest.id):
        return False
    digest.status, digest.ended_because = DigestStatus.DROPPED, redacted(because)
    digest.remind_at = digest.reviewed_at = None
    return True


def _has_deliveries(session: Session, digest_id: int) -> bool:
    return bool(session.scalar(select(exists().where(Delivery.digest_id == digest_id))))
