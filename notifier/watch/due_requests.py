"""The requests with which a poll begins: the documents and lists of posts that are due.

Reads only; what a response makes to request is decided by `ingest.py`.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.db import in_chunks
from notifier.store.models import Source
from notifier.watch import articles, hosts, sources
from notifier.watch.http.types import Purpose, Request
from notifier.watch.parsers.observation import READING
from notifier.watch.parsers.wordpress import FIRST_REQUEST, request_url

log = logging.getLogger("notifier")

# A server that calls everything unchanged hides its news from whoever shows validators: once a day
# the document is requested without them. Chosen by hand; not measured.
WHOLE_AFTER = timedelta(days=1)


def watched(
    session: Session, wanted: Sequence[str] = (), among: Collection[int] | None = None
) -> list[tuple[int, str, SourceKind]]:
    """Return the id, the address and the kind of every source, or of those `wanted`.

    A row that cannot be read is left out and logged, so that the other sources are polled.

    Args:
        session: any session.
        wanted: ids or addresses; none means all.
        among: the ids of the sources that are considered; None for all.

    Raises:
        NotFoundError: one that is wanted does not exist.
    """
    statement = select(Source.id).where(Source.removed_at.is_(None)).order_by(Source.id)
    if wanted:
        ids = [sources.find(session, name).id for name in wanted]
        statement = statement.where(Source.id.in_(ids))
    if among is None:
        return _readable(session, statement)
    return [
        row
        for chunk in in_chunks(sorted(among))
        for row in _readable(session, statement.where(Source.id.in_(chunk)))
    ]


def _readable(session: Session, statement: Select[int]) -> list[tuple[int, str, SourceKind]]:
    columns = Source.id, Source.url, Source.kind
    try:
        rows = session.execute(statement.with_only_columns(*columns))
        return [(row[0], row[1], row[2]) for row in rows]
    except (LookupError, ValueError):
        log.warning("a source's row cannot be read; the sources are read one by one")
    readable = []
    for source_id in session.scalars(statement).all():
        try:
            row = session.execute(select(*columns).where(Source.id == source_id)).one()
        except (LookupError, ValueError):
            log.exception("source %d: its row cannot be read", source_id)
        else:
            readable.append((row[0], row[1], row[2]))
    return readable


def documents(
    session: Session, now: datetime, wanted: Sequence[str] = (), *, force: bool = False
) -> list[Request]:
    """Return the requests for the documents of the sources that are due; a paused one never is.

    They show the validators of the known document; once a day, if forced, and if another version
    of the parsers read it, they do not.

    Args:
        session: any session.
        now: the time of the poll.
        wanted: ids or addresses of the sources to consider; none means all.
        force: whether sources that are not due, or that are gone (410), are requested too.

    Raises:
        NotFoundError: one that is wanted does not exist.
    """
    statement = select(Source).where(Source.removed_at.is_(None), Source.paused_at.is_(None))
    if wanted:
        ids = [sources.find(session, name).id for name in wanted]
        statement = statement.where(Source.id.in_(ids))
    if not force:
        statement = statement.where(Source.next_poll_at <= now, Source.gone_at.is_(None))
    columns = (
        Source.id,
        Source.url,
        Source.etag,
        Source.last_modified,
        Source.body_hash,
        Source.requested_whole_at,
        Source.encoding,
        Source.reading,
    )
    requests = []
    # Sorted here: for a sorted answer SQLite would read all sources in that order.
    for row in sorted(session.execute(statement.with_only_columns(*columns)), key=itemgetter(0)):
        source_id, url, etag, last_modified, body_hash, whole_at, encoding, reading = row
        if reading != READING:
            body_hash, whole_at = None, None
        if force or whole_at is None or now - whole_at >= WHOLE_AFTER:
            etag = last_modified = None
        requests.append(
            Request(source_id, url, etag, last_modified, body_hash=body_hash, encoding=encoding)
        )
    return requests


def sources_by_host(session: Session, now: datetime) -> dict[str, list[int]]:
    """Return the ids of the sources for which something is to be requested, by host.

    That is their document, or pages of their articles. Two sources of a host belong together, so
    that it gets its pause between them.
    """
    is_due = or_(
        and_(Source.next_poll_at <= now, Source.gone_at.is_(None)),
        Source.id.in_(articles.due_sources(session, now)),
    )
    statement = select(Source.id, Source.url).where(
        Source.removed_at.is_(None), Source.paused_at.is_(None), is_due
    )
    of_host: dict[str, list[int]] = {}
    for source_id, url in session.execute(statement.order_by(Source.id)):
        of_host.setdefault(hosts.name_of(url), []).append(source_id)
    return of_host


def posts(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """Return the requests for the lists of posts that are due, for the edits since the last one."""
    requests = []
    for chunk in in_chunks(source_ids):
        statement = select(Source).where(
            Source.posts_url.is_not(None), Source.posts_next_at <= now, Source.id.in_(chunk)
        )
        due = {source.id: source for source in session.scalars(statement)}
        for source in (due[source_id] for source_id in chunk if source_id in due):
            if source.posts_url:
                since = source.posts_until or now - FIRST_REQUEST
                url = request_url(source.posts_url, since)
                requests.append(Request(source.id, url, purpose=Purpose.POSTS))
    return requests
