"""Evidence after a restore: what the replaced database had sent since the backup.

Owns how it is found and read: by Message-ID for mails that both databases know, and by article and
reader for digests that the backup does not have. Nothing is changed in it; where it cannot be read,
there is no evidence.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from notifier.deliver.outbox import restored as outbox_restored
from notifier.deps import Deps
from notifier.digest import digests, told_before
from notifier.digest.told_before import Telling
from notifier.enums import DeliveryKind, DeliveryStatus
from notifier.errors import NotifierError
from notifier.store import db
from notifier.store.backup_state import Restored
from notifier.store.db import postgres_schemas
from notifier.store.models import (
    Delivery,
    DigestItem,
    Entry,
    Match,
    Revision,
    Source,
    Subscription,
)

# The clock that a backup bears may be another machine's. Chosen by hand; not measured.
_CLOCKS_DIFFER = timedelta(hours=1)

# An article by which both databases know it: the address of its source, and its key there.
_Article = tuple[str, str]


@dataclass(frozen=True)
class _Sendings:
    """Digests that the replaced database sent since the backup.

    Attributes:
        readers: by digest the link ids of the subscriptions that got it.
        articles: by digest what it told.
    """

    readers: Mapping[int, Sequence[str]]
    articles: Mapping[int, Sequence[_Article]]


def apply(deps: Deps, restore: Restored) -> int | None:
    """Store what the replaced database had sent; a second time changes nothing.

    Returns:
        How many open mails it had sent; None if it cannot be read.
    """
    with _replaced(deps, restore.at) as engine:
        if engine is None:
            return None
        with deps.reading() as session:
            message_ids = outbox_restored.open_message_ids(session)
        try:
            with db.reading(engine) as session:
                sent_at = _sent(session, message_ids)
                sendings = _sendings(session, restore.since - _CLOCKS_DIFFER)
        except (SQLAlchemyError, NotifierError):
            return None
    with deps.writing() as session:
        number = outbox_restored.note_sent(session, sent_at, deps.now())
        digests.finish(session)
    _store(deps, sendings)
    return number


@contextmanager
def _replaced(deps: Deps, restored_at: datetime) -> Iterator[Engine | None]:
    """Open the replaced database; None if it is not there."""
    engine = None
    name = db.kept_name(restored_at)
    if deps.engine.dialect.name == "postgresql":
        engine = postgres_schemas.engine_of(deps.settings.database_url, name)
    elif kept_file(deps, restored_at).is_file():
        engine = db.make_engine(f"sqlite:///{kept_file(deps, restored_at)}")
    try:
        yield engine
    finally:
        if engine is not None:
            engine.dispose()


def kept_file(deps: Deps, restored_at: datetime) -> Path:
    """Return the path of the SQLite database that a restore replaced."""
    database = Path(deps.engine.url.database or "")
    return database.with_name(f"{database.name}.{db.kept_name(restored_at)}")


def _sent(session: Session, message_ids: Sequence[str]) -> dict[str, datetime | None]:
    sent: dict[str, datetime | None] = {}
    for chunk in db.in_chunks(message_ids):
        query = select(Delivery.message_id, Delivery.sent_at).where(
            Delivery.message_id.in_(chunk), Delivery.status == DeliveryStatus.SENT
        )
        sent |= dict(session.execute(query).all())
    return sent


def _sendings(session: Session, since: datetime) -> _Sendings:
    readers: dict[int, list[str]] = defaultdict(list)
    sent = (
        select(Delivery.digest_id, Subscription.link_id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.status == DeliveryStatus.SENT,
            Delivery.sent_at >= since,
        )
    )
    for digest_id, link_id in session.execute(sent):
        if digest_id is not None:
            readers[digest_id].append(link_id)
    articles: dict[int, list[_Article]] = defaultdict(list)
    for chunk in db.in_chunks(readers):
        items = (
            select(DigestItem.digest_id, Source.url, Entry.key)
            .join(Match, Match.id == DigestItem.match_id)
            .join(Entry, Entry.id == Match.entry_id)
            .join(Source, Source.id == Entry.source_id)
            .where(DigestItem.digest_id.in_(chunk))
        )
        for digest_id, url, key in session.execute(items):
            articles[digest_id].append((url, key))
    return _Sendings(readers, articles)


def _store(deps: Deps, sendings: _Sendings) -> None:
    """Store who was told of what, a transaction for each digest."""
    with deps.reading() as session:
        states = _states(session, {each for items in sendings.articles.values() for each in items})
    for digest_id, link_ids in sendings.readers.items():
        known = [states[each] for each in sendings.articles.get(digest_id, ()) if each in states]
        with deps.reading() as session:
            subscription_ids = _subscriptions(session, link_ids)
        for chunk in db.in_chunks(subscription_ids):
            with deps.writing() as session:
                told_before.add(
                    session,
                    [
                        Telling(subscription_id, *state)
                        for subscription_id in chunk
                        for state in known
                    ],
                )


def _states(session: Session, articles: set[_Article]) -> dict[_Article, tuple[int, int]]:
    """Return the ids of these articles and of their newest states, as far as they are stored."""
    states: dict[_Article, tuple[int, int]] = {}
    for chunk in db.in_chunks(sorted({key for _, key in articles})):
        query = (
            select(Source.url, Entry.key, Entry.id, func.max(Revision.id))
            .join(Entry, Entry.source_id == Source.id)
            .join(Revision, Revision.entry_id == Entry.id)
            .where(Entry.key.in_(chunk))
            .group_by(Source.url, Entry.key, Entry.id)
        )
        for url, key, entry_id, revision_id in session.execute(query):
            states[url, key] = entry_id, revision_id
    return {each: state for each, state in states.items() if each in articles}


def _subscriptions(session: Session, link_ids: Sequence[str]) -> list[int]:
    ids: list[int] = []
    for chunk in db.in_chunks(link_ids):
        ids += session.scalars(select(Subscription.id).where(Subscription.link_id.in_(chunk)))
    return ids
