"""Issues: the digests of a profile, cadence and due time, in all editions and languages.

Owns which digests belong to one issue, and the name of the state of each that a decision is bound
to. An issue is not stored: its digests are found by what they have in common.
"""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, defer, joinedload

from notifier.digest import drafts
from notifier.enums import DigestStatus, Edition
from notifier.i18n.catalog import ENGLISH_NAMES, LANGUAGES
from notifier.store.db import count_some
from notifier.store.models import Digest, DigestItem, has_status

# The digests of an issue are composed one after another, so their ids are near each other. Chosen
# by hand: sixteen are composed for a profile with two editions, four languages, and new readers.
_NEAR = 200
_READERS = {Edition.PATIENT: "patients", Edition.CLINICIAN: "clinicians"}

# The groups of a listing: the statuses of each.
WAITING = (DigestStatus.DRAFT, DigestStatus.HELD)
GOING_OUT = (DigestStatus.APPROVED, DigestStatus.COMPOSING)
ENDED = (DigestStatus.FAILED, DigestStatus.DROPPED, DigestStatus.VOID)
SENT = (DigestStatus.SENT,)


def state_of(digest: Digest) -> str:
    """Return the name of what an operator is shown of a digest: its content, and its status."""
    return f"{drafts.content_of(digest)}-{digest.status}"


def title_of(digest: Digest) -> str:
    """Return what a digest is, in English: ``Frexalimab, daily digest for patients, in German``."""
    readers = _READERS[digest.edition]
    language = ENGLISH_NAMES.get(digest.language, digest.language)
    return f"{digest.profile.name}, {digest.cadence} digest for {readers}, in {language}"


def of_same_issue(session: Session, digest: Digest) -> list[Digest]:
    """Return the digests of the issue of a digest, itself included, in the order of a page.

    Drafts that ended are among them: what they said may be needed again.
    """
    same = Digest.profile_id == digest.profile_id, Digest.cadence == digest.cadence
    if digest.due_at is not None:
        time: ColumnElement[bool] = Digest.due_at == digest.due_at
    else:
        time = (Digest.due_at.is_(None)) & (Digest.composed_at == digest.composed_at)
    near = Digest.id.between(digest.id - _NEAR, digest.id + _NEAR)
    digests = {
        each.id: each
        for place in (near, Digest.open_until.is_not(None))
        for each in session.scalars(select(Digest).where(*same, time, place))
    }
    editions, languages = list(Edition), list(LANGUAGES)

    def place(each: Digest) -> tuple[int, int, int, int]:
        known = each.language in languages
        language = languages.index(each.language) if known else len(languages)
        has_ended = each.status in (DigestStatus.VOID, DigestStatus.DROPPED)
        return int(has_ended), editions.index(each.edition), language, each.id

    return sorted(digests.values(), key=place)


def listed(
    session: Session,
    statuses: Collection[DigestStatus],
    limit: int,
    before_id: int = 0,
    profile_ids: Collection[int] = (),
) -> Sequence[Digest]:
    """Return digests of a group with their profiles and without their bodies, newest first.

    Args:
        session: a reading session.
        statuses: those of the group.
        limit: the most.
        before_id: only those before this one; 0 for all.
        profile_ids: only of these profiles; empty for all.
    """
    wanted = _wanted(profile_ids) + ([Digest.id < before_id] if before_id else [])
    bodies = (defer(Digest.body_html), defer(Digest.body_text), defer(Digest.page_html))
    rows: list[Digest] = []
    # One statement for each status, so that each is found by the index of its status.
    for condition in _conditions(statuses):
        page = select(Digest).where(condition, *wanted).order_by(Digest.id.desc()).limit(limit)
        rows += session.scalars(page.options(joinedload(Digest.profile), *bodies))
    return sorted(rows, key=lambda digest: -digest.id)[:limit]


def count(
    session: Session, statuses: Collection[DigestStatus], profile_ids: Collection[int] = ()
) -> int:
    """Return the number of digests of a group; see `db.count_some`."""
    wanted = _wanted(profile_ids)
    return sum(
        count_some(session, select(Digest.id).where(condition, *wanted))
        for condition in _conditions(statuses)
    )


def item_counts(session: Session, digest_ids: Collection[int]) -> dict[int, int]:
    """Return how many matches these digests show; those without any are missing."""
    counts = select(DigestItem.digest_id, func.count()).where(DigestItem.digest_id.in_(digest_ids))
    return {row[0]: row[1] for row in session.execute(counts.group_by(DigestItem.digest_id))}


def _conditions(statuses: Collection[DigestStatus]) -> Iterator[ColumnElement[bool]]:
    for status in statuses:
        yield Digest.status == status if status is DigestStatus.SENT else has_status(status)


def _wanted(profile_ids: Collection[int]) -> list[ColumnElement[bool]]:
    return [Digest.profile_id.in_(profile_ids)] if profile_ids else []
