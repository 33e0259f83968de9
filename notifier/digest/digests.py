"""Digests: composed for a group of subscriptions, stored with their items, released and ended.

Owns the table of digests; what a person decides about one is in `drafts.py` and `editing.py`, the
rows of the items in `item_rows.py`.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from notifier.digest import item_rows
from notifier.digest.groups import Group
from notifier.digest.item_rows import ItemRow
from notifier.digest.selection import Candidate
from notifier.digest.view import DigestView, Variant, digest_view
from notifier.enums import DeliveryStatus, DigestStatus, NewsKind
from notifier.errors import NotFoundError
from notifier.store.db import in_chunks
from notifier.store.models import (
    Delivery,
    Digest,
    Entry,
    HeldSuppression,
    Match,
    Profile,
    Revision,
    has_status,
    is_unfinished,
)


@dataclass(frozen=True)
class Rendered:
    """The rendered parts of a digest that are the same for all its recipients.

    Attributes:
        subject: the subject line.
        headline: the first visible line.
        html: the body as an HTML fragment.
        text: the body as plain text.
        left_out: how many items did not fit into the mail.
        page: the HTML fragment with all items, for the archive; None if all items fit.
    """

    subject: str
    headline: str
    html: str
    text: str
    left_out: int = 0
    page: str | None = None


@dataclass(frozen=True)
class States:
    """The stored states that the items of a digest show.

    Attributes:
        matches: by match id, with their entry and its source.
        revisions: by match id, the revision that is shown.
    """

    matches: Mapping[int, Match]
    revisions: Mapping[int, Revision]


@dataclass(frozen=True)
class ComposedDigest:
    """A digest that is rendered and not stored yet.

    Attributes:
        variant: the choices that its recipients share.
        group_key: 64 hexadecimal digits that are equal for the same items in the same words.
        window: `"12-40/2026-03-02T08:00Z"`: the position of the first item, that of the profile's
            last match, and the earliest due time of the group, UTC. Where it contains digests that
            waited, the time of composing follows after a `+`. `"quiet/2026-03-02"` for a digest of
            a month without news: the day on which it was due.
        rendered: the subject and the body.
        items: in their order.
        urgent: whether it contains news that cannot wait.
    """

    variant: Variant
    group_key: str
    window: str
    rendered: Rendered
    items: tuple[ItemRow, ...] = ()
    urgent: bool = False


Renderer = Callable[[DigestView], Rendered]


def states(session: Session, items: Collection[Candidate]) -> States:
    """Load the states that items show: the matched ones, news as later small edits left it."""
    with_entries = (
        select(Match)
        .where(Match.id.in_([item.match_id for item in items]))
        .options(joinedload(Match.entry).joinedload(Entry.source), joinedload(Match.revision))
    )
    matches = {match.id: match for match in session.scalars(with_entries)}
    news = [matches[item.match_id] for item in items if item.kind is NewsKind.NEW]
    revisions = {match_id: match.revision for match_id, match in matches.items()}
    return States(matches, revisions | item_rows.shown_as_news(session, news))


def compose(
    profile: Profile,
    group: Group,
    states: States,
    render: Renderer,
    due_at: datetime,
    now: datetime,
) -> ComposedDigest:
    """Compose and render the digest of a group. Needs no session: everything was read before.

    The table's unique key (profile, cadence, group key, window) makes the same digest the same row,
    whoever composes it.

    Args:
        profile: as it was read with the group.
        group: the items and the variant.
        states: the states that the items show.
        render: turns the view into subject and body.
        due_at: the earliest due time of the group.
        now: when it is composed.
    """
    view = digest_view(profile, group.items, states.matches, states.revisions, group.variant, now)
    window = f"{group.items[0].position}-{profile.position}/{due_at:%Y-%m-%dT%H:%M}Z"
    if group.merging:
        window += f"+{now:%Y-%m-%dT%H:%M}Z"
    urgent = any(item.urgent for item in group.items)
    items = item_rows.rows(group.items, states.revisions)
    return ComposedDigest(group.variant, group_key(group), window, render(view), items, urgent)


def compose_no_news(variant: Variant, rendered: Rendered, due_at: datetime) -> ComposedDigest:
    """Return the digest of a month without news; one a day serves all of a variant."""
    key = hashlib.sha256(f"{variant.edition} {variant.language}".encode()).hexdigest()
    return ComposedDigest(variant, key, f"quiet/{due_at:%Y-%m-%d}", rendered)


def store(session: Session, profile_id: int, composed: ComposedDigest, now: datetime) -> int:
    """Store a composed digest, unless it is stored already; return its id.

    Nobody is mailed from it before it is released (`release`): its deliveries follow in other
    transactions.
    """
    same = (
        Digest.profile_id == profile_id,
        Digest.cadence == composed.variant.cadence,
        Digest.group_key == composed.group_key,
        Digest.window == composed.window,
    )
    stored = session.scalar(select(Digest.id).where(*same))
    if stored is not None:
        return stored
    digest = _digest(profile_id, composed, now)
    session.add(digest)
    session.flush()
    item_rows.store(session, digest.id, composed.items)
    return digest.id


def go_on(session: Session, digest_ids: Collection[int]) -> bool:
    """Prepare digests for further deliveries, as `reopen` does.

    Returns:
        False if one of them is not stored any more: nobody was served with it, and another process
        has removed it.
    """
    return reopen(session, digest_ids) == len(digest_ids)


def profiles_composing(session: Session) -> list[int]:
    """Return the profiles with digests that are not released, because a process ended."""
    composing = has_status(DigestStatus.COMPOSING)
    return list(session.scalars(select(Digest.profile_id).where(composing).distinct()))


def release(session: Session, profile_id: int) -> None:
    """Let the digests of a profile go out whose deliveries are stored.

    One that nobody is sent is removed.
    """
    composing = Digest.profile_id == profile_id, Digest.status == DigestStatus.COMPOSING
    is_sent = exists().where(Delivery.digest_id == Digest.id)
    released = update(Digest).where(*composing, is_sent).values(status=DigestStatus.APPROVED)
    session.execute(released.execution_options(synchronize_session=False))
    removed = delete(Digest).where(*composing)
    session.execute(removed.execution_options(synchronize_session=False))


def stored(session: Session, digest_ids: Collection[int]) -> int:
    """Count which of these digests are stored."""
    return session.scalar(select(func.count(Digest.id)).where(Digest.id.in_(digest_ids))) or 0


def _digest(profile_id: int, composed: ComposedDigest, now: datetime) -> Digest:
    rendered = composed.rendered
    return Digest(
        profile_id=profile_id,
        cadence=composed.variant.cadence,
        edition=composed.variant.edition,
        language=composed.variant.language,
        group_key=composed.group_key,
        window=composed.window,
        status=DigestStatus.COMPOSING,
        subject=rendered.subject,
        headline=rendered.headline,
        body_html=rendered.html,
        body_text=rendered.text,
        page_html=rendered.page,
        left_out=rendered.left_out,
        seen_snapshot=composed.variant.seen_snapshot,
        composed_at=now,
    )


def build_view(
    session: Session, profile: Profile, items: Sequence[Candidate], variant: Variant, now: datetime
) -> DigestView:
    """Return the view of these items as `compose` renders it; for a preview."""
    shown = states(session, items)
    return digest_view(profile, items, shown.matches, shown.revisions, variant, now)


def group_key(group: Group) -> str:
    """Return 64 hexadecimal digits that are equal for the same items in the same words."""
    variant = group.variant
    parts = [
        str(variant.edition),
        variant.language,
        variant.seen_snapshot,
        *(_key_of(item) for item in group.items),
    ]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _key_of(item: Candidate) -> str:
    earlier = f" after {','.join(map(str, item.earlier))}" if item.earlier else ""
    return f"{item.match_id} {item.kind}{earlier}"


def find(session: Session, digest_id: int) -> Digest:
    """Return the digest with this id.

    Raises:
        NotFoundError: there is no such digest.
    """
    digest = session.get(Digest, digest_id)
    if digest is None:
        raise NotFoundError(
            f"There is no digest {digest_id}.", "See them with: notifier digests list"
        )
    return digest


def recipients(session: Session, digest: Digest) -> int:
    """Return the number of deliveries of a digest; it is counted only until the digest has ended.

    Deliveries that were removed after their period count, too.
    """
    if digest.recipients is not None and digest.status in (DigestStatus.SENT, DigestStatus.FAILED):
        return digest.recipients
    return max(digest.recipients or 0, _count_deliveries(session, digest))


def note_recipients(session: Session, digest_ids: Collection[int]) -> None:
    """Store how many deliveries these digests have, before the first of them is removed."""
    number = select(func.count(Delivery.id)).where(Delivery.digest_id == Digest.id)
    uncounted = Digest.id.in_(digest_ids), Digest.recipients.is_(None)
    session.execute(
        update(Digest)
        .where(*uncounted)
        .values(recipients=number.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


def _count_deliveries(session: Session, digest: Digest) -> int:
    return (
        session.scalar(select(func.count(Delivery.id)).where(Delivery.digest_id == digest.id)) or 0
    )


# A digest is held when mail servers refused at least so many of its deliveries and at least this
# share of those that were tried. Chosen by hand; not measured.
_FEWEST_REFUSED, _SHARE_REFUSED = 10, 0.2


def hold_if_refused(session: Session, digest_id: int) -> tuple[int, int, str] | None:
    """Hold a digest that too many mail servers refuse, unless a person released it in spite of it.

    Returns:
        The number of refused deliveries, the number of refused and sent ones, and the error of the
        last refusal; None where the digest is not held. Of a long list no more sent deliveries are
        counted than decide.
    """
    digest = session.get_one(Digest, digest_id)
    if digest.status is not DigestStatus.APPROVED or digest.approved_at is not None:
        return None
    refused = _count_refused(session, digest_id)
    if refused < _FEWEST_REFUSED:
        return None
    enough = int(refused / _SHARE_REFUSED) - refused + 1
    accepted = select(Delivery.id).where(
        Delivery.digest_id == digest_id, Delivery.status == DeliveryStatus.SENT
    )
    counted = accepted.limit(enough).subquery()
    sent = session.scalar(select(func.count()).select_from(counted)) or 0
    if refused < _SHARE_REFUSED * (refused + sent):
        return None
    digest.status = DigestStatus.HELD
    last = select(Delivery.error).where(*_is_refused(digest_id)).order_by(Delivery.id.desc())
    return refused, refused + sent, session.scalar(last.limit(1)) or ""


def is_refused_by_many(session: Session, digest_id: int) -> bool:
    """Return whether so many mail servers refused a digest that it may be held for it."""
    return _count_refused(session, digest_id) >= _FEWEST_REFUSED


def _count_refused(session: Session, digest_id: int) -> int:
    return session.scalar(select(func.count(Delivery.id)).where(*_is_refused(digest_id))) or 0


def _is_refused(digest_id: int) -> tuple[ColumnElement[bool], ...]:
    # Addresses that do not exist are counted elsewhere (`subscribers/held_suppressions.py`).
    gone = select(HeldSuppression.delivery_id).where(HeldSuppression.delivery_id.is_not(None))
    return (
        Delivery.digest_id == digest_id,
        Delivery.status == DeliveryStatus.FAILED,
        Delivery.id.not_in(gone),
    )


def reopen(session: Session, digest_ids: Collection[int | None]) -> int:
    """Let deliveries of digests go out that were sent or failed; others stay as they are.

    Until the end of the transaction nobody else ends them (`finish`), whatever status they had.
    Returns how many of them are stored.
    """
    number = 0
    for chunk in in_chunks(sorted({each for each in digest_ids if each is not None})):
        number += len(_locked(session, chunk))
        ended = Digest.status.in_((DigestStatus.SENT, DigestStatus.FAILED))
        reopened = update(Digest).where(Digest.id.in_(chunk), ended)
        session.execute(reopened.values(status=DigestStatus.APPROVED))
    return number


def _locked(
    session: Session, digest_ids: Collection[int], *, skip_locked: bool = False
) -> Sequence[int]:
    """Lock digests, in one order; return their ids. A new delivery of one need not wait."""
    rows = select(Digest.id).where(Digest.id.in_(digest_ids)).order_by(Digest.id)
    return session.scalars(rows.with_for_update(key_share=True, skip_locked=skip_locked)).all()


def finish(session: Session) -> None:
    """End the approved digests without open deliveries: as sent, or failed if nobody got them.

    Their recipients are counted, so that nobody need count them again. An approved draft is not
    ended before anybody was due. One that another transaction works on is left for the next time.
    """
    of_digest = Delivery.digest_id == Digest.id
    has_begun = or_(Digest.open_until.is_(None), exists().where(of_digest))
    unfinished = select(Delivery.id).where(of_digest, is_unfinished())
    is_over = has_status(DigestStatus.APPROVED), has_begun, ~unfinished.exists()
    got = select(Delivery.id).where(of_digest, Delivery.status == DeliveryStatus.SENT)
    for chunk in in_chunks(session.scalars(select(Digest.id).where(*is_over)).all()):
        locked = _locked(session, chunk, skip_locked=True)
        # Asked again by another statement: before the lock, somebody may have given one a mail.
        ended = select(Digest, got.exists()).where(Digest.id.in_(locked), *is_over)
        ended = ended.execution_options(populate_existing=True)
        for digest, reached in session.execute(ended).all():
            digest.status = DigestStatus.SENT if reached else DigestStatus.FAILED
            digest.recipients = max(digest.recipients or 0, _count_deliveries(session, digest))
