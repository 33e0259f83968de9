"""Told: which entries a subscription was sent, and what the digests of a profile say.

Owns the answer to "who was told of this entry?", which the database gives for all subscriptions at
once. It must not know when a digest is due.
"""

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from notifier.digest import told_before
from notifier.enums import DeliveryStatus, NewsKind
from notifier.store.db import in_chunks
from notifier.store.models import Delivery, DigestItem, Match, Revision


def told(entry_ids: Collection[int], not_yet: ColumnElement[bool]) -> tuple[Select[Any], ...]:
    """Return the pairs of subscription and entry, each at least once, of those who were told.

    Deliveries that are still open count as told, and so do those that may have arrived, however
    they ended: a correction too many does less harm than one that is missing. What deliveries told
    that are not kept any more is stored on its own (`told_before.py`).

    Args:
        entry_ids: the entries that are asked about, and states (`selection.told_state`).
        not_yet: the SQL condition of deliveries that do not count: they wait, and a newer digest
            may contain what they say.

    Returns:
        Statements that give rows with `subscription_id` and `entry_id`; a state stands there for
        those who were shown it, or a newer one, whole.
    """
    states = [-each for each in entry_ids if each < 0]
    columns: tuple[Any, ...] = (
        Delivery.subscription_id.label("subscription_id"),
        Match.entry_id.label("entry_id"),
    )
    by_deliveries = (
        select(*columns)
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .where(
            Match.entry_id.in_(entry_ids),
            or_(Delivery.status.not_in(DeliveryStatus.LOST), told_before.may_have_arrived()),
            Delivery.subscription_id.is_not(None),
            ~not_yet,
        )
    )
    stored: Select[Any] = cast("Select[Any]", told_before.entries_told(entry_ids))
    shown: Select[Any] = cast("Select[Any]", _shown(states, not_yet))
    return (by_deliveries, stored, shown) if states else (by_deliveries, stored)


def _shown(states: Collection[int], not_yet: ColumnElement[bool]) -> Select[int | None, int]:
    """Return who was shown one of these states, or a newer one of its entry, as news.

    Only deliveries say that. What is stored of those that are gone may have been a change.
    """
    return (
        select(Delivery.subscription_id, (-Revision.id).label("entry_id"))
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .join(Revision, Revision.entry_id == Match.entry_id)
        .where(
            Revision.id.in_(states),
            DigestItem.kind == NewsKind.NEW,
            DigestItem.revision_id >= Revision.id,
            Delivery.status.not_in(DeliveryStatus.LOST),
            Delivery.subscription_id.is_not(None),
            ~not_yet,
        )
    )


def shown_before(session: Session, profile_id: int, revision_ids: Collection[int]) -> set[int]:
    """Return those of these states that were shown, in a newer one, before they were matched."""
    shown: set[int] = set()
    late = aliased(Match)
    for chunk in in_chunks(revision_ids):
        in_digests = (
            select(late.revision_id)
            .join(Match, (Match.entry_id == late.entry_id) & (Match.profile_id == profile_id))
            .join(DigestItem, DigestItem.match_id == Match.id)
            .where(
                late.profile_id == profile_id,
                late.revision_id.in_(chunk),
                DigestItem.kind == NewsKind.NEW,
                DigestItem.revision_id >= late.revision_id,
                Match.position < late.position,
            )
        )
        shown |= {*session.scalars(in_digests.distinct())}
    return shown
