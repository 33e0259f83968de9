"""Groups: which items subscriptions are owed, and which of them share a digest.

A subscription is owed the matches above its position in the profile's match sequence; no range of
dates plays a part.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.digest.evidence import snapshot_key
from notifier.digest.selection import Candidate, select_items
from notifier.digest.view import Variant
from notifier.enums import DeliveryStatus, NewsKind
from notifier.store.models import Delivery, DigestItem, Match, Profile, Subscription

# The value of `Variant.seen_snapshot` for every snapshot but the current one.
_EARLIER = "earlier"


@dataclass(frozen=True)
class Group:
    """Subscriptions that are owed the same items in the same words.

    Attributes:
        subscriptions: the members.
        items: the items, most important first.
        variant: the choices that the members share.
    """

    subscriptions: tuple[Subscription, ...]
    items: tuple[Candidate, ...]
    variant: Variant


def group_subscriptions(
    session: Session, profile: Profile, subscriptions: Sequence[Subscription]
) -> list[Group]:
    """Group subscriptions by the items that they are owed; leave out those that are owed none."""
    if not subscriptions:
        return []
    lowest = min(subscription.position for subscription in subscriptions)
    candidates = _candidates(session, profile, lowest)
    sent = _sent_entries(session, candidates, subscriptions)
    # Subscriptions of the same key are owed the same items: these are selected once for each key.
    same: dict[tuple[int, frozenset[int], frozenset[str]], list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        key = subscription.position, sent[subscription.id], frozenset(subscription.hidden)
        same[key].append(subscription)
    grouped: dict[tuple[Variant, tuple[Candidate, ...]], list[Subscription]] = defaultdict(list)
    snapshot = snapshot_key(profile.document)
    for (position, sent_entries, hidden), members in same.items():
        above = [candidate for candidate in candidates if candidate.position > position]
        items = tuple(select_items(above, sent_entries, hidden))
        for subscription in members if items else ():
            grouped[variant_of(subscription, snapshot), items].append(subscription)
    return [Group(tuple(members), items, variant) for (variant, items), members in grouped.items()]


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
    session: Session, candidates: Sequence[Candidate], subscriptions: Sequence[Subscription]
) -> dict[int, frozenset[int]]:
    """Return which of the changed entries each subscription was sent before.

    Deliveries that are still open count as sent.

    Returns:
        By subscription id, the ids of the entries.
    """
    changed = {candidate.entry_id for candidate in candidates if candidate.kind is not NewsKind.NEW}
    sent: dict[int, set[int]] = {subscription.id: set() for subscription in subscriptions}
    if changed:
        rows = session.execute(
            select(Delivery.subscription_id, Match.entry_id)
            .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
            .join(Match, Match.id == DigestItem.match_id)
            .where(Match.entry_id.in_(changed), Delivery.status.not_in(DeliveryStatus.LOST))
        )
        for subscription_id, entry_id in rows:
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
