"""Digests: composed for groups of like subscriptions, stored with all they told.

Owns what is owed to whom. The window of a digest is a stretch of the profile's match sequence,
never one of dates.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from notifier.digest.evidence import snapshot_key
from notifier.digest.selection import Candidate, select_items
from notifier.digest.view import DigestView, Variant, view
from notifier.enums import DeliveryStatus, DigestStatus, NewsKind
from notifier.errors import NotFoundError
from notifier.store.models import (
    Delivery,
    Digest,
    DigestItem,
    Entry,
    Match,
    Profile,
    Revision,
    Subscription,
)


@dataclass(frozen=True)
class Rendered:
    """A digest's subject, first line, and body as HTML fragment and as text, without anything of a recipient's.

    `left_out` of its items did not fit into a mail; then `page` is the body with all of them, for
    the archive.
    """

    subject: str
    headline: str
    html: str
    text: str
    left_out: int = 0
    page: str | None = None


@dataclass(frozen=True)
class Group:
    """Subscriptions that are owed the very same items in the very same words, and these items."""

    subscriptions: tuple[Subscription, ...]
    items: tuple[Candidate, ...]
    variant: Variant


@dataclass(frozen=True)
class States:
    """What the items of a digest tell: the matches by their id, and the revision that each of them shows."""

    matches: Mapping[int, Match]
    revisions: Mapping[int, Revision]


@dataclass(frozen=True)
class Edition:
    """A digest that is rendered and not stored yet; `items` are match, revision and kind, in their order."""

    variant: Variant
    group_key: str
    window: str
    rendered: Rendered
    items: tuple[tuple[int, int, NewsKind], ...] = ()


# What stands for any snapshot of a profile that is not the current one.
_EARLIER = "earlier"

Renderer = Callable[[DigestView], Rendered]


def groups(
    session: Session, profile: Profile, subscriptions: Sequence[Subscription]
) -> list[Group]:
    """Who of these is owed what; those who are owed nothing stand in no group."""
    if not subscriptions:
        return []
    candidates = _candidates(session, profile, min(one.position for one in subscriptions))
    told = _told(session, candidates, subscriptions)
    served: dict[tuple[int, frozenset[int], frozenset[str]], list[Subscription]] = defaultdict(list)
    for one in subscriptions:
        served[one.position, told[one.id], frozenset(one.hidden)].append(one)
    found: dict[tuple[Variant, tuple[Candidate, ...]], list[Subscription]] = defaultdict(list)
    snapshot = snapshot_key(profile.document)
    for (position, known, hidden), members in served.items():
        items = tuple(
            select_items([one for one in candidates if one.position > position], known, hidden)
        )
        for one in members if items else ():
            found[variant_of(one, snapshot), items].append(one)
    return [Group(tuple(members), items, variant) for (variant, items), members in found.items()]


def variant_of(one: Subscription, snapshot: str) -> Variant:
    """For whom a subscription's digest is made; of the snapshots before the current one all are the same."""
    seen = one.seen_snapshot if one.seen_snapshot in ("", snapshot) else _EARLIER
    return Variant(one.cadence, one.edition, one.subscriber.language, seen)


def _candidates(session: Session, profile: Profile, above: int) -> list[Candidate]:
    chosen = (
        select(Match)
        .where(
            Match.profile_id == profile.id,
            Match.position > above,
            # What was matched since the profile was read comes next time: `profile.position` is
            # noted as served.
            Match.position <= profile.position,
            Match.filed.is_(False),
        )
        .order_by(Match.position)
    )
    return [candidate(match) for match in session.scalars(chosen)]


def candidate(match: Match, kind: NewsKind | None = None) -> Candidate:
    """A stored match as the chooser sees it; as another kind of news where it was told as one."""
    kind = kind or match.kind
    return Candidate(
        match.id, match.position, match.entry_id, kind, match.tier, match.score, filed=match.filed
    )


def _told(
    session: Session, candidates: Sequence[Candidate], subscriptions: Sequence[Subscription]
) -> dict[int, frozenset[int]]:
    """Of which changed entries each subscription was told before: what went out, or is on its way."""
    changed = {one.entry_id for one in candidates if one.kind is not NewsKind.NEW}
    told: dict[int, set[int]] = {one.id: set() for one in subscriptions}
    if changed:
        lost = (DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED)
        rows = session.execute(
            select(Delivery.subscription_id, Match.entry_id)
            .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
            .join(Match, Match.id == DigestItem.match_id)
            .where(Match.entry_id.in_(changed), Delivery.status.not_in(lost))
        )
        for subscription_id, entry_id in rows:
            if subscription_id in told:
                told[subscription_id].add(entry_id)
    return {one: frozenset(entries) for one, entries in told.items()}


def states(session: Session, items: Collection[Candidate]) -> States:
    """What these items tell: the newest revision of what is news, else the one that matched."""
    chosen = (
        select(Match)
        .where(Match.id.in_([one.match_id for one in items]))
        .options(joinedload(Match.entry).joinedload(Entry.source), joinedload(Match.revision))
    )
    matches = {match.id: match for match in session.scalars(chosen)}
    newest = (
        select(func.max(Revision.id))
        .where(Revision.entry_id.in_([one.entry_id for one in items]))
        .group_by(Revision.entry_id)
    )
    latest = {
        one.entry_id: one
        for one in session.scalars(select(Revision).where(Revision.id.in_(newest)))
    }
    revisions = {
        one.match_id: latest[one.entry_id]
        if one.kind is NewsKind.NEW
        else matches[one.match_id].revision
        for one in items
    }
    return States(matches, revisions)


def edition(
    profile: Profile, group: Group, told: States, render: Renderer, due_at: datetime, now: datetime
) -> Edition:
    """Render the digest of a group. No session is needed: everything was read before.

    The unique key (profile, cadence, group, window) makes the same edition the same row, whoever
    composes it.
    """
    shown = view(profile, group.items, told.matches, told.revisions, group.variant, now)
    window = f"{group.items[0].position}-{profile.position}/{due_at:%Y-%m-%dT%H:%M}Z"
    items = tuple((one.match_id, told.revisions[one.match_id].id, one.kind) for one in group.items)
    return Edition(group.variant, _group_key(group), window, render(shown), items)


def quiet_edition(variant: Variant, rendered: Rendered, due_at: datetime) -> Edition:
    """A digest that says that there was nothing to say; one a day serves everybody whose month is over."""
    key = hashlib.sha256(f"{variant.edition} {variant.language}".encode()).hexdigest()
    return Edition(variant, key, f"quiet/{due_at:%Y-%m-%d}", rendered)


def store(session: Session, profile_id: int, made: Edition, now: datetime) -> Digest:
    """Store an edition; the caller enqueues its deliveries in the same transaction.

    Returns:
        The digest: the one that is stored already where this edition went to other members of its
        group before.
    """
    same = (
        Digest.profile_id == profile_id,
        Digest.cadence == made.variant.cadence,
        Digest.group_key == made.group_key,
        Digest.window == made.window,
    )
    digest = session.scalar(select(Digest).where(*same))
    if digest is not None:
        reopen(digest)
        return digest
    digest = _digest(profile_id, made, now)
    digest.items = [
        DigestItem(match_id=match_id, revision_id=revision_id, kind=kind, rank=rank)
        for rank, (match_id, revision_id, kind) in enumerate(made.items, 1)
    ]
    session.add(digest)
    session.flush()
    return digest


def _digest(profile_id: int, made: Edition, now: datetime) -> Digest:
    rendered = made.rendered
    return Digest(
        profile_id=profile_id,
        cadence=made.variant.cadence,
        edition=made.variant.edition,
        language=made.variant.language,
        group_key=made.group_key,
        window=made.window,
        status=DigestStatus.APPROVED,
        subject=rendered.subject,
        headline=rendered.headline,
        body_html=rendered.html,
        body_text=rendered.text,
        page_html=rendered.page,
        left_out=rendered.left_out,
        composed_at=now,
    )


def build_view(
    session: Session, profile: Profile, items: Sequence[Candidate], variant: Variant, now: datetime
) -> DigestView:
    """These items in words, as `edition` renders them; for a preview."""
    told = states(session, items)
    return view(profile, items, told.matches, told.revisions, variant, now)


def _group_key(group: Group) -> str:
    of = group.variant
    parts = [
        str(of.edition),
        of.language,
        of.seen_snapshot,
        *(str(one.match_id) for one in group.items),
    ]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def seen_since(session: Session, profile: Profile, since: datetime) -> list[Candidate]:
    """Everything that matched since a moment, filed or not, as news: what a preview without a reader shows."""
    chosen = (
        select(Match)
        .where(Match.profile_id == profile.id, Match.created_at >= since)
        .order_by(Match.position)
    )
    shown = [candidate(match) for match in session.scalars(chosen)]
    told = {one.entry_id for one in shown if one.kind is not NewsKind.NEW}
    fresh = {one.entry_id for one in shown if one.kind is NewsKind.NEW}
    unfiled = [
        Candidate(one.match_id, one.position, one.entry_id, one.kind, one.tier, one.score)
        for one in shown
    ]
    return select_items(unfiled, told - fresh)


def listed(session: Session) -> list[Digest]:
    """All digests, newest first, with their items and what these tell."""
    chosen = select(Digest).order_by(Digest.id.desc()).options(joinedload(Digest.profile))
    return list(session.scalars(chosen))


def find(session: Session, digest_id: int) -> Digest:
    """The digest with this id.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(Digest, digest_id)
    if found is None:
        raise NotFoundError(
            f"There is no digest {digest_id}.", "See them with: notifier digests list"
        )
    return found


def recipients(session: Session, digest: Digest) -> int:
    """How many deliveries a digest has."""
    return (
        session.scalar(select(func.count(Delivery.id)).where(Delivery.digest_id == digest.id)) or 0
    )


# A digest is held when at least so many of its recipients were refused, and so large a share.
_FEWEST_REFUSED, _SHARE_REFUSED = 10, 0.2


def hold_if_refused(session: Session, digest_id: int) -> tuple[int, int, str] | None:
    """Hold a digest that too many recipients' servers refuse.

    Returns:
        How many were refused, of how many tried, and what was said last; None where it goes on.
    """
    digest = session.get_one(Digest, digest_id)
    if digest.status is not DigestStatus.APPROVED or digest.approved_at is not None:
        return None
    failed = Delivery.digest_id == digest_id, Delivery.status == DeliveryStatus.FAILED
    refused = session.scalar(select(func.count(Delivery.id)).where(*failed)) or 0
    if refused < _FEWEST_REFUSED:
        return None
    # No more are counted than decide it: a list may be long.
    enough = int(refused / _SHARE_REFUSED) - refused + 1
    some = select(Delivery.id).where(
        Delivery.digest_id == digest_id, Delivery.status == DeliveryStatus.SENT
    )
    sent = session.scalar(select(func.count()).select_from(some.limit(enough).subquery())) or 0
    if refused < _SHARE_REFUSED * (refused + sent):
        return None
    digest.status = DigestStatus.HELD
    last = select(Delivery.error).where(*failed).order_by(Delivery.id.desc()).limit(1)
    return refused, refused + sent, session.scalar(last) or ""


def approve(digest: Digest, now: datetime) -> bool:
    """Let a digest go out, whatever it was held for; returns whether it was held."""
    if digest.status not in (DigestStatus.HELD, DigestStatus.DRAFT):
        return False
    digest.status, digest.approved_at = DigestStatus.APPROVED, now
    return True


def hold(digest: Digest) -> bool:
    """Let nothing more of a digest go out until it is approved; returns whether it could still be held."""
    if digest.status is not DigestStatus.APPROVED:
        return False
    digest.status = DigestStatus.HELD
    return True


def reopen(digest: Digest | None) -> None:
    """Let deliveries of a digest that was sent already go out; any other digest stays as it is."""
    if digest is not None and digest.status is DigestStatus.SENT:
        digest.status = DigestStatus.APPROVED


def finish(session: Session) -> None:
    """Mark those digests sent of which no delivery is open any more."""
    still = (DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.UNCERTAIN)
    open_ones = select(Delivery.digest_id).where(
        Delivery.status.in_(still), Delivery.digest_id.is_not(None)
    )
    waiting = select(Digest).where(
        Digest.status == DigestStatus.APPROVED, Digest.id.not_in(open_ones)
    )
    for digest in session.scalars(waiting):
        digest.status = DigestStatus.SENT
