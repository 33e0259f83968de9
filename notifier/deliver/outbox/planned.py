"""Planned deliveries: those of a whole group of subscriptions, stored by one statement.

Owns the Message-IDs that the database makes, which digests of a profile wait and may be contained
in newer ones, and how these end. It must not know who is due, or what a digest says.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Select,
    String,
    Update,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifier.deliver.outbox.enqueue import due_from
from notifier.deliver.outbox.unsent import MERGED_VALUES, may_be_merged
from notifier.enums import DeliveryKind, DigestStatus
from notifier.store.models import Delivery, Digest, has_status, is_unfinished

# A mail of an outdated digest that is due within this time is put off, so that a newer digest can
# contain its news: long before it is sent, however seldom somebody runs. Chosen by hand; not
# measured.
SOON = timedelta(hours=1)

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last hexadecimal digits of the variant of RFC 9562.
_VARIANTS = "89ab"


def waiting_digests(session: Session, profile_id: int) -> list[int]:
    """Return the digests of a profile that newer ones may contain, oldest first.

    A digest that is held is not among them: a person decides about it.
    """
    waits = exists().where(
        Delivery.digest_id == Digest.id,
        is_unfinished(),  # for its index
        may_be_merged(),
    )
    of_profile = Digest.profile_id == profile_id, has_status(DigestStatus.APPROVED)
    return list(session.scalars(select(Digest.id).where(*of_profile, waits).order_by(Digest.id)))


def is_waiting_in(digest_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the SQL condition that a delivery waits and is of one of these digests."""
    return Delivery.digest_id.in_(digest_ids) & may_be_merged()


def waiting_rows(digest_ids: Collection[int]) -> Select[Any]:
    """Return who waits for these digests.

    Returns:
        Rows with `subscription_id`, `digest_id` and `due_at`.
    """
    columns: tuple[Any, ...] = (
        Delivery.subscription_id.label("subscription_id"),
        Delivery.digest_id.label("digest_id"),
        Delivery.due_at.label("due_at"),
    )
    return select(*columns).where(is_waiting_in(digest_ids), Delivery.subscription_id.is_not(None))


def lock_waiting(session: Session, digest_ids: Collection[int], above: int, last: int) -> None:
    """Lock the deliveries of digests that wait, so that no worker claims one before it has ended.

    SQLite has one writer at a time.

    Args:
        session: a writing session.
        digest_ids: the digests.
        above: only those of subscriptions above this id.
        last: the last id of a subscription.
    """
    if not digest_ids or session.get_bind().dialect.name == "sqlite":
        return
    owner = Delivery.subscription_id
    waiting = is_waiting_in(digest_ids), owner > above, owner <= last
    locked = select(Delivery.id).where(*waiting).order_by(Delivery.id)
    rows = locked.with_for_update(of=Delivery).cte("locked")
    session.execute(select(func.count()).select_from(rows))


def enqueue_members(session: Session, members: FromClause, domain: str, now: datetime) -> Insert:
    """Return the statement that enqueues a digest for each member; again, it changes nothing.

    Args:
        session: tells the kind of database.
        members: rows with `subscription_id`, `digest_id` (None: no digest), `lane` and `due_at`.
        domain: the right side of the Message-IDs.
        now: the time of enqueuing.

    The statement has the parameter `message_id_start` (`message_id_start`).
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    values: dict[str, Any] = {
        "kind": literal(DeliveryKind.DIGEST, Delivery.kind.type),
        "digest_id": members.c.digest_id,
        "subscription_id": members.c.subscription_id,
        "message_id": _message_id(domain, is_sqlite=is_sqlite),
        "lane": members.c.lane,
        "attempts": literal(0),
        "created_at": literal(now, Delivery.created_at.type),
        "due_at": members.c.due_at,
        **{
            name: literal(value, Delivery.__table__.c[name].type)
            for name, value in due_from(now).items()
        },
    }
    rows = (
        select(*values.values())
        .where(members.c.digest_id.is_not(None))
        .order_by(members.c.subscription_id)
    )
    insert = sqlite.insert if is_sqlite else postgresql.insert
    stored = insert(Delivery).from_select(list(values), rows)
    return stored.on_conflict_do_nothing(index_elements=["digest_id", "subscription_id"])


def message_id_start(now: datetime, part: int) -> str:
    """Return the beginning of the Message-IDs of a statement: the time of a UUID of version 7.

    It comes first, so that the unique index grows at its end.

    Args:
        now: the time of enqueuing.
        part: the number of the statement among those of a run, each a millisecond later.
    """
    return f"<{(now - _EPOCH) // _MILLISECOND + part:012x}7"


def _message_id(domain: str, *, is_sqlite: bool) -> ColumnElement[str]:
    """Return the SQL expression of a Message-ID: a UUID of version 7 (RFC 9562, 5.7).

    74 random bits follow its time.
    """
    if is_sqlite:
        variant = func.substr(_VARIANTS, func.abs(func.random()) % 4 + 1, 1)
        rest = (
            func.substr(func.lower(func.hex(func.randomblob(2))), 2)
            .concat(variant)
            .concat(func.substr(func.lower(func.hex(func.randomblob(8))), 2))
        )
    else:
        # Version 4 has the same variant at the same place.
        random = func.replace(cast(func.gen_random_uuid(), String), "-", "")
        rest = func.substr(random, 14)
    start = bindparam("message_id_start", type_=String())
    return start.concat(rest).concat(literal(f"@{domain}>", String))


def end_merged(members: FromClause, digest_ids: Collection[int]) -> Update:
    """Return the statement that ends the waiting deliveries of the members with `merges`.

    Args:
        members: rows with `subscription_id` and `merges`.
        digest_ids: the digests that wait.
    """
    merged = select(members.c.subscription_id).where(members.c.merges.is_(True))
    ended = update(Delivery).where(is_waiting_in(digest_ids), Delivery.subscription_id.in_(merged))
    return ended.values(**MERGED_VALUES)


def put_off(mails: FromClause, until: datetime) -> Update:
    """Return the statement that lets deliveries wait until a time.

    Args:
        mails: rows with `delivery_id`.
        until: the time of the next attempt.
    """
    named = Delivery.id.in_(select(mails.c.delivery_id))
    return update(Delivery).where(named).values(**due_from(until))
