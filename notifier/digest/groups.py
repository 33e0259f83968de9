"""Groups: which items subscriptions are owed, and which of them share a digest.

A subscription is owed the matches above its position in the profile's match sequence; no range of
dates plays a part. Where a digest of the subscription waits and certainly did not arrive, a newer
one contains its items, too.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.digest import told_before
from notifier.digest.evidence import snapshot_key
from notifier.digest.selection import Candidate, select_items
from notifier.digest.view import Variant
from notifier.enums import DeliveryStatus, NewsKind
from notifier.store.db import in_chunks
from notifier.store.models import Delivery, DigestItem, Match, Profile, Subscription

# The value of `Variant.seen_snapshot` for every snapshot but the current one.
_EARLIER = "earlier"


@dataclass(frozen=True)
class Group:
    """Subscriptions that are owed the same items in the same words.

    Attributes:
        subscriptions: the members.
        items: the items, most important first; none where nothing is news any more of what the
            digests say that wait for the members.
        variant: the choices that the members share.
        merging: the ids of the members whose waiting digests this one contains.
    """

    subscriptions: tuple[Subscription, ...]
    items: tuple[Candidate, ...]
    variant: Variant
    merging: frozenset[int] = frozenset()


class _Owed(NamedTuple):
    """Everything that decides which items a subscription is owed: the same for many of them.

    Attributes:
        position: of the last match that it was served with.
        sent: the ids of the changed entries that it was sent before.
        waiting: the digests that wait, by id.
        hidden: the sections that it leaves out.
    """

    position: int
    sent: frozenset[int]
    waiting: tuple[int, ...]
    hidden: frozenset[str]


def group_subscriptions(
    session: Session,
    profile: Profile,
    subscriptions: Sequence[Subscription],
    waiting: Mapping[int, Sequence[int]] | None = None,
) -> list[Group]:
    """Group subscriptions by the items that they are owed; leave out those that are owed none.

    Args:
        session: a reading session.
        profile: the profile.
        subscriptions: of this profile.
        waiting: by subscription id, the digests that a newer one may contain, by id.
    """
    if not subscriptions:
        return []
    waiting = waiting or {}
    lowest = min(subscription.position for subscription in subscriptions)
    candidates = _candidates(session, profile, lowest)
    contents = _contents(session, {each for digests in waiting.values() for each in digests})
    changed = _changed([*candidates, *(item for items in contents.values() for item in items)])
    sent = _sent_entries(session, changed, subscriptions, waiting)
    same: dict[_Owed, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        key = _Owed(
            subscription.position,
            sent[subscription.id],
            tuple(waiting.get(subscription.id, ())),
            frozenset(subscription.hidden),
        )
        same[key].append(subscription)
    grouped: dict[tuple[Variant, tuple[Candidate, ...]], list[Subscription]] = defaultdict(list)
    snapshot, merging = snapshot_key(profile.document), set()
    for owed, members in same.items():
        items, merges = _items_of(owed, candidates, contents)
        for subscription in members if items or merges else ():
            grouped[variant_of(subscription, snapshot), items].append(subscription)
        merging |= {subscription.id for subscription in members if merges}
    return [
        Group(tuple(members), items, variant, frozenset(merging & {each.id for each in members}))
        for (variant, items), members in grouped.items()
    ]


def _items_of(
    owed: _Owed, candidates: Sequence[Candidate], contents: Mapping[int, Sequence[Candidate]]
) -> tuple[tuple[Candidate, ...], bool]:
    """Return what is owed, and whether it contains the digests that wait.

    These are merged where a newer digest is due, or where there are several of them.
    """
    above = [candidate for candidate in candidates if candidate.position > owed.position]
    unsent = [item for digest_id in owed.waiting for item in contents.get(digest_id, ())]
    composed = {item.entry_id for item in unsent}
    newer = tuple(select_items(above, owed.sent | composed, owed.hidden))
    if not owed.waiting or not (newer or len(owed.waiting) > 1):
        return newer, False
    return tuple(select_items([*unsent, *above], owed.sent, owed.hidden)), True


def _contents(session: Session, digest_ids: Collection[int]) -> dict[int, list[Candidate]]:
    """Return the items of digests, as the kinds of news as which these show them."""
    contents: dict[int, list[Candidate]] = defaultdict(list)
    for chunk in in_chunks(digest_ids):
        items = (
            select(DigestItem.digest_id, DigestItem.kind, Match)
            .join(Match, Match.id == DigestItem.match_id)
            .where(DigestItem.digest_id.in_(chunk))
            .order_by(Match.position)
        )
        for digest_id, kind, match in session.execute(items):
            contents[digest_id].append(candidate_of(match, kind))
    return contents


def _changed(candidates: Sequence[Candidate]) -> frozenset[int]:
    """Return the entries that these matches change, by id."""
    return frozenset(item.entry_id for item in candidates if item.kind is not NewsKind.NEW)


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
        select(Match)
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
    return [candidate_of(match) for match in session.scalars(matches)]


def candidate_of(match: Match, kind: NewsKind | None = None) -> Candidate:
    """Return a stored match as the selection needs it.

    Args:
        match: the match.
        kind: the kind as which a stored digest shows it, if not its own.
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
    )


def _sent_entries(
    session: Session,
    changed: Collection[int],
    subscriptions: Sequence[Subscription],
    waiting: Mapping[int, Sequence[int]],
) -> dict[int, frozenset[int]]:
    """Return which of the changed entries each subscription was sent before.

    Deliveries that are still open count as sent, but for the `waiting` digests. What deliveries
    told that are not kept any more is stored on its own.

    Returns:
        By subscription id, the ids of the entries.
    """
    sent: dict[int, set[int]] = {subscription.id: set() for subscription in subscriptions}
    if changed:
        rows = session.execute(
            select(Delivery.subscription_id, Delivery.digest_id, Match.entry_id)
            .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
            .join(Match, Match.id == DigestItem.match_id)
            .where(Match.entry_id.in_(changed), Delivery.status.not_in(DeliveryStatus.LOST))
        )
        for subscription_id, digest_id, entry_id in rows:
            if subscription_id in sent and digest_id not in waiting.get(subscription_id, ()):
                sent[subscription_id].add(entry_id)
        for subscription_id, entry_id in session.execute(told_before.entries_told(changed)):
            if subscription_id in sent:
                sent[subscription_id].add(entry_id)
    return {subscription_id: frozenset(entries) for subscription_id, entries in sent.items()}


def seen_since(session: Session, profile: Profile, since: datetime) -> list[Candidate]:
    """Return the items of all matches since a moment, filed or not, for a preview without a reader.

    An entry that was first matched before that moment counts as sent: its changes are shown.
    """
    matches = (
        select(Match)
        .where(Match.profile_id == profile.id, Match.created_at >= since)
        .order_by(Match.position)
    )
    candidates = [replace(candidate_of(match), filed=False) for match in session.scalars(matches)]
    changed = {item.entry_id for item in candidates if item.kind is not NewsKind.NEW}
    new = {item.entry_id for item in candidates if item.kind is NewsKind.NEW}
    return select_items(candidates, changed - new)
