"""Groups: which items subscriptions are owed, and which of them share a digest.

A subscription is owed the matches above its position in the profile's match sequence; no range of
dates plays a part. Where a digest of the subscription waits and certainly did not arrive, a newer
one contains its items, too. Subscriptions with the same position, history and hidden sections are
owed the same; who they are is not known here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, false, func, select, union_all
from sqlalchemy.orm import Session, contains_eager, joinedload

from notifier.digest import outdated, told_before
from notifier.digest.folding import Change
from notifier.digest.selection import Candidate, select_items, together, told_state
from notifier.digest.told import shown_before, told
from notifier.digest.view import Variant
from notifier.enums import NewsKind
from notifier.store.db import in_chunks
from notifier.store.models import DigestItem, Match, Profile, Revision, Subscription

# How far before the newest match the latest items reach. Chosen by hand; not measured.
_LATEST_PERIOD = timedelta(days=30)
# The value of `Variant.seen_snapshot` for every snapshot but the current one.
_EARLIER = "earlier"


@dataclass(frozen=True)
class Group:
    """Subscriptions that are owed the same items in the same words.

    Attributes:
        items: the items, most important first.
        variant: the choices that the members share.
        merging: true if the digest contains others that wait for members.
    """

    items: tuple[Candidate, ...]
    variant: Variant
    merging: bool = False


class Owed(NamedTuple):
    """Everything that decides which items a subscription is owed: the same for many of them.

    Attributes:
        position: of the last match that it was served with.
        sent: the ids of the entries that it was sent before, as far as that matters, and the
            states that it was shown (`selection.told_state`).
        waiting: the digests that wait, by id, oldest first.
        hidden: the sections that it leaves out.
    """

    position: int
    sent: frozenset[int] = frozenset()
    waiting: tuple[int, ...] = ()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stock:
    """Everything that may be owed to subscriptions of a profile.

    Attributes:
        candidates: the matches above the lowest position, in the order of the sequence.
        contents: the items of digests that wait, by digest id.
        known: the entries of these that somebody was told of by deliveries that are not here; after
            a restore these may be news that was polled again.
        later: the matches by which items of digests that wait are outdated, by entry.
        shown: the states of these, by id, that somebody was shown before they were news: they were
            held, and a newer state was not.
    """

    candidates: tuple[Candidate, ...]
    contents: Mapping[int, Sequence[Candidate]]
    known: frozenset[int] = frozenset()
    later: Mapping[int, Sequence[Candidate]] = field(default_factory=dict)
    shown: frozenset[int] = frozenset()

    @property
    def changed(self) -> tuple[int, ...]:
        """The entries that some may have been told of before, by id, and states (`told_state`).

        Who was told is owed the change of one, and not the same news again: what was dropped and
        restored, or polled again after a restore of the database.
        """
        unsent = (item for items in self.contents.values() for item in items)
        items = (*self.candidates, *unsent)
        earlier = (item for item in items if item.kind is not NewsKind.NEW or item.restored)
        entries = {item.entry_id for item in earlier} | self.known | self.later.keys()
        return (*sorted(entries), *sorted(map(told_state, self.shown)))

    def until(self, position: int) -> "Stock":
        """Return what was known at a position."""
        return replace(
            self,
            candidates=tuple(each for each in self.candidates if each.position <= position),
            later={
                entry_id: [each for each in matches if each.position <= position]
                for entry_id, matches in self.later.items()
            },
        )

    def later_than(self, item: Candidate) -> list[Candidate]:
        """Return the matches by which an item of a digest that waits is outdated."""
        return [
            each
            for each in self.later.get(item.entry_id, ())
            if each.position > item.position and each.revision_id > item.revision_id
        ]


def stock(session: Session, profile: Profile, above: int, waiting: Collection[int] = ()) -> Stock:
    """Read what may be owed.

    Args:
        session: a reading session.
        profile: the profile.
        above: the lowest position of a subscription.
        waiting: the digests that a newer one may contain, by id.
    """
    candidates = tuple(_candidates(session, profile, above))
    known = told_before.among(session, {item.entry_id for item in candidates})
    changes = [item.revision_id for item in candidates if item.kind is not NewsKind.NEW]
    shown = shown_before(session, profile.id, changes)
    return Stock(
        candidates,
        contents(session, waiting),
        frozenset(known),
        _later(session, profile, waiting),
        frozenset(shown),
    )


def items_of(owed: Owed, stock: Stock) -> tuple[tuple[Candidate, ...], bool]:
    """Return what is owed, and whether it contains the digests that wait.

    These are merged where a newer digest is due, where there are several of them, or where an item
    was corrected, withdrawn or dropped since.
    """
    above = [candidate for candidate in stock.candidates if candidate.position > owed.position]
    waiting = [item for digest_id in owed.waiting for item in stock.contents.get(digest_id, ())]
    composed = {item.entry_id for item in waiting}
    newer = tuple(select_items(above, owed.sent | composed, owed.hidden))
    has_changed = any(item.filed or stock.later_than(item) for item in waiting)
    if not owed.waiting or not (newer or len(owed.waiting) > 1 or has_changed):
        return newer, False
    unsent = [each for item in waiting for each in _states(item, owed, stock)]
    # Related items below the position would be lost: a digest with them was due already.
    items = select_items([*unsent, *above], owed.sent, owed.hidden, related_alone=True)
    return tuple(items), True


def _states(item: Candidate, owed: Owed, stock: Stock) -> list[Candidate]:
    """Return an item of a digest that waits, with the later states that are not owed newly.

    Who was told of these in another digest is not owed the item any more.
    """
    served = [each for each in stock.later_than(item) if each.position <= owed.position]
    if served and item.entry_id in owed.sent:
        return []
    return [item, *served]


def items_for(
    session: Session, profile: Profile, subscription: Subscription
) -> tuple[Candidate, ...]:
    """Return the items that one subscription is owed; digests that wait count as sent."""
    owed = stock(session, profile, subscription.position)
    sent: Collection[int] = ()
    if owed.changed and subscription.id:
        pairs = union_all(*told(owed.changed, false())).subquery()
        entries = select(pairs.c.entry_id).where(pairs.c.subscription_id == subscription.id)
        sent = session.scalars(entries).all()
    reader = Owed(subscription.position, frozenset(sent), (), frozenset(subscription.hidden))
    return items_of(reader, owed)[0]


def contents(session: Session, digest_ids: Collection[int]) -> Mapping[int, Sequence[Candidate]]:
    """Return the items of digests, as the kinds of news as which these show them."""
    by_digest: dict[int, list[Candidate]] = defaultdict(list)
    for chunk in in_chunks(digest_ids):
        items = session.scalars(
            select(DigestItem)
            .join(DigestItem.match)
            .where(DigestItem.digest_id.in_(chunk))
            .order_by(Match.position)
            .options(
                contains_eager(DigestItem.match),
                joinedload(DigestItem.revision).load_only(Revision.changes),
            )
        ).all()
        for item, candidate in zip(items, stored(session, items), strict=True):
            by_digest[item.digest_id].append(candidate)
    return by_digest


def stored(session: Session, items: Sequence[DigestItem]) -> list[Candidate]:
    """Return the items of digests as they were selected, with the changes that these tell.

    Args:
        session: a session of any kind.
        items: with their match and revision.
    """
    ids = {revision_id for item in items for revision_id in item.earlier or ()}
    changes: dict[int, tuple[NewsKind, Sequence[Change]]] = {}
    for chunk in in_chunks(ids):
        rows = select(Revision.id, Revision.kind, Revision.changes).where(Revision.id.in_(chunk))
        changes |= {row.id: (row.kind, row.changes) for row in session.execute(rows)}
    return [_stored(item, changes) for item in items]


def _stored(
    item: DigestItem, changes: Mapping[int, tuple[NewsKind, Sequence[Change]]]
) -> Candidate:
    own = candidate_of(item.match, item.kind, item.revision.changes)
    earlier = [
        replace(own, revision_id=revision_id, kind=kind, changes=tuple(its_changes))
        for revision_id in item.earlier or ()
        for kind, its_changes in (changes[revision_id],)
    ]
    return next(iter(together([*earlier, own])), own)


def _later(
    session: Session, profile: Profile, digest_ids: Collection[int]
) -> dict[int, list[Candidate]]:
    """Return the matches by which items of digests of a profile are outdated, by entry."""
    candidates: dict[int, Candidate] = {}
    for chunk in in_chunks(digest_ids):
        ids = outdated.later_matches(chunk, profile.position)
        rows = session.execute(_matches().where(Match.id.in_(ids)))
        candidates |= {match.id: candidate_of(match, None, changes) for match, changes in rows}
    later: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates.values():
        later[candidate.entry_id].append(candidate)
    return dict(later)


def variant_of(subscription: Subscription, snapshot: str) -> Variant:
    """Return the variant of a subscription's digest.

    Args:
        subscription: with its subscriber.
        snapshot: the key of the profile's current snapshot. All earlier ones count as one.
    """
    seen = subscription.seen_snapshot
    return Variant(
        subscription.cadence,
        subscription.edition,
        subscription.subscriber.language,
        seen if seen in ("", snapshot) else _EARLIER,
    )


def _candidates(session: Session, profile: Profile, above: int) -> list[Candidate]:
    matches = (
        _matches()
        .where(
            Match.profile_id == profile.id,
            Match.position > above,
            # A match that was stored after the profile was read belongs to the next digest: the
            # subscriptions' positions move to `profile.position`.
            Match.position <= profile.position,
            Match.filed.is_(False),
        )
        .order_by(Match.position)
    )
    return [candidate_of(match, None, changes) for match, changes in session.execute(matches)]


def _matches() -> Select[Match, Sequence[Change]]:
    return select(Match, Revision.changes).join(Revision, Revision.id == Match.revision_id)


def candidate_of(
    match: Match, kind: NewsKind | None = None, changes: Sequence[Change] = ()
) -> Candidate:
    """Return a stored match as the selection needs it.

    Args:
        match: the match.
        kind: the kind as which a stored digest shows it, if not its own.
        changes: of its revision.
    """
    kind = kind or match.kind
    return Candidate(
        match.id,
        match.position,
        match.entry_id,
        kind,
        match.tier,
        match.score,
        filed=match.filed,
        revision_id=match.revision_id,
        restored=match.restored_at is not None,
        changes=tuple(changes),
        urgent=match.urgent,
    )


def seen_since(session: Session, profile: Profile, since: datetime) -> list[Candidate]:
    """Return the items of all matches since a moment, filed or not, for a preview without a reader.

    An entry that was first matched before that moment counts as sent: its changes are shown.
    """
    matches = (
        _matches()
        .where(Match.profile_id == profile.id, Match.created_at >= since)
        .order_by(Match.position)
    )
    candidates = [
        replace(candidate_of(match, None, changes), filed=False)
        for match, changes in session.execute(matches)
    ]
    changed = {item.entry_id for item in candidates if item.kind is not NewsKind.NEW}
    new = {item.entry_id for item in candidates if item.kind is NewsKind.NEW}
    return select_items(candidates, changed - new)


def latest(session: Session, profile: Profile) -> list[Candidate]:
    """Return the items of the month before the newest match, for a preview when nothing is owed."""
    newest = session.scalar(
        select(func.max(Match.created_at)).where(Match.profile_id == profile.id)
    )
    return [] if newest is None else seen_since(session, profile, newest - _LATEST_PERIOD)
