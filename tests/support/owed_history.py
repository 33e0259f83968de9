"""A made-up history of news and subscriptions, and who is owed what by the rules.

The rules are those of the mails' promises, worked out for one subscription at a time and without
the program's own selection: `expected` is what each digest must contain.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from notifier.enums import DeliveryStatus, NewsKind, SubscriptionStatus, Tier
from notifier.store.models import (
    Delivery,
    Digest,
    DigestItem,
    Entry,
    Match,
    Profile,
    Revision,
    Source,
    Subscription,
)

# What a reader is shown of an entry: its id, as which kind of news, in which state.
Shown = tuple[int, NewsKind, int]

_LOST = (DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED)
_TO_ALL = (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)
_HIDEABLE = {NewsKind.TRIAL_CHANGE: "trials", NewsKind.PAGE_CHANGE: "page"}


@dataclass
class Published:
    """An entry, with the tier of its matches and the states that it had."""

    entry_id: int
    tier: Tier
    states: list[tuple[int, NewsKind]] = field(default_factory=list)


def publish(
    session: Session, published: Published | None, kind: NewsKind, tier: Tier, now: datetime
) -> Published:
    """Store a new entry, or a further state of one, with its match; return the entry."""
    profile = session.scalars(select(Profile)).one()
    if published is None:
        source = session.scalars(select(Source)).first()
        number = len(session.scalars(select(Entry.id)).all()) + 1
        entry = Entry(
            source_id=source.id,
            key=f"key {number}",
            url=f"https://news.example/{number}",
            title=f"Headline {number}",
            first_seen_at=now,
        )
        session.add(entry)
        session.flush()
        published = Published(entry.id, tier)
    number = len(published.states) + 1
    revision = Revision(
        entry_id=published.entry_id,
        number=number,
        hash=f"{published.entry_id:032}{number:032}",
        kind=kind,
        material=True,
        baseline=False,
        observed_at=now,
        url=f"https://news.example/{published.entry_id}",
        title=f"Headline {published.entry_id}",
        summary=f"State {number}.",
        body="",
        author="",
        categories=[],
        content={},
        changes=[],
        judge_requests=0,
    )
    session.add(revision)
    session.flush()
    profile.position += 1
    session.add(
        Match(
            profile_id=profile.id,
            revision_id=revision.id,
            entry_id=published.entry_id,
            position=profile.position,
            kind=kind,
            tier=published.tier,
            score=0.5,
            reasons=[],
            filed=False,
            created_at=now - timedelta(hours=1),
        )
    )
    published.states.append((revision.id, kind))
    return published


def empty(session: Session) -> None:
    """Remove all news and digests; subscriptions begin anew."""
    for table in (Delivery, DigestItem, Digest, Match, Revision, Entry):
        session.execute(delete(table))
    session.execute(update(Profile).values(position=0))
    session.execute(
        update(Subscription).values(
            position=0,
            status=SubscriptionStatus.CONFIRMED,
            seen_snapshot="",
            last_mailed_at=None,
            trouble=None,
        )
    )


def expected(session: Session, subscription: Subscription) -> tuple[set[Shown], set[int]]:
    """Return what the next digest of a due subscription shows, and which deliveries it replaces.

    Nothing is shown and nothing replaced where no digest is owed.
    """
    deliveries = session.scalars(
        select(Delivery).where(
            Delivery.subscription_id == subscription.id, Delivery.digest_id.is_not(None)
        )
    ).all()
    waiting = [each for each in deliveries if each.status is DeliveryStatus.PENDING]
    arrived = [each for each in deliveries if each.status not in _LOST and each not in waiting]
    sent = {item.match.entry_id for each in arrived for item in each.digest.items}
    waits = [(item.match, item.kind) for each in waiting for item in each.digest.items]
    newer = [
        (match, match.kind)
        for match in session.scalars(
            select(Match).where(Match.position > subscription.position).order_by(Match.position)
        )
    ]
    hidden = set(subscription.hidden)
    fresh = _shown(newer, sent | {match.entry_id for match, _ in waits}, hidden)
    if not waiting or not (fresh or len(waiting) > 1):
        return fresh, set()
    return _shown([*waits, *newer], sent, hidden), {each.id for each in waiting}


def _shown(
    matches: Iterable[tuple[Match, NewsKind]], sent: set[int], hidden: set[str]
) -> set[Shown]:
    """Return what is shown of these matches; nothing if it is all only related."""
    by_entry: dict[int, list[tuple[Match, NewsKind]]] = {}
    for match, kind in matches:
        by_entry.setdefault(match.entry_id, []).append((match, kind))
    shown: set[Shown] = set()
    worth_a_mail = False
    for entry_id, states in by_entry.items():
        last, kind = max(states, key=lambda state: state[0].revision_id)
        if entry_id not in sent and any(each is NewsKind.NEW for _, each in states):
            if kind is NewsKind.WITHDRAWN:
                continue
            kind = NewsKind.NEW
        elif kind is NewsKind.NEW or not (entry_id in sent or kind in _TO_ALL):
            continue
        section = _HIDEABLE.get(kind) or (str(last.tier) if kind is NewsKind.NEW else "corrected")
        if section in hidden:
            continue
        shown.add((entry_id, kind, last.revision_id))
        worth_a_mail |= section != "related"
    return shown if worth_a_mail else set()


def planned(session: Session, subscription_id: int, known: set[int]) -> set[Shown]:
    """Return what the deliveries of a subscription show that are not among the known ones."""
    deliveries = session.scalars(
        select(Delivery).where(
            Delivery.subscription_id == subscription_id, Delivery.id.not_in(known)
        )
    ).all()
    assert len(deliveries) <= 1
    return {
        (item.match.entry_id, item.kind, item.match.revision_id)
        for delivery in deliveries
        for item in delivery.digest.items
    }
