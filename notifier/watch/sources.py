"""Sources: which addresses are watched, which are due, and how each one fares.

Owns the source's health and the time of its next poll. A failure is told here, in words, where `sources list` shows it;
it touches no other source and forgets nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.errors import NotFoundError, SettingsError
from notifier.store.models import Profile, Source
from notifier.store.statuses import Authority, SourceKind
from notifier.text import web_address
from notifier.watch.fetch import Request

LONGEST_INTERVAL = timedelta(hours=6)


def add(
    session: Session,
    url: str,
    now: datetime,
    *,
    kind: SourceKind | None = None,
    name: str = "",
    authority: Authority | None = None,
    profile: Profile | None = None,
) -> tuple[Source, bool]:
    """Watch an address; one that is already watched is kept, and only learns the further profile.

    One that was removed starts anew, with a baseline.

    Args:
        session: a writing session; the caller commits.
        url: an http or https address.
        now: it is due from this moment.
        kind: told by the address where it is not given.
        name: what readers see; else the source's own name once it was read.
        authority: the source's tier; registries are told by their kind, all else is news.
        profile: the profile it feeds; without one it feeds every profile.

    Returns:
        The source, and whether it is new.

    Raises:
        SettingsError: an address that cannot be watched.
    """
    address = web_address(url)
    if not address:
        raise SettingsError(f"{url!r} cannot be watched.", "Give an address that begins with https:// or http://.")
    source = session.scalar(select(Source).where(Source.url == address))
    new = source is None
    if source is None:
        kind = kind or kind_of(address)
        tier = authority or (Authority.REGISTRY if kind is SourceKind.REGISTRY else Authority.NEWS)
        source = Source(
            kind=kind, url=address, name=name or _host(address), authority=tier, created_at=now, next_poll_at=now
        )
        session.add(source)
    if source.removed_at is not None:
        # Watched again: what it published meanwhile is a new baseline, mailed to nobody.
        new, source.removed_at, source.baselined_at, source.next_poll_at = True, None, None, now
        source.etag = source.last_modified = source.body_hash = source.gone_at = source.last_error = None
        source.failures, source.profiles = 0, []
    if profile is not None and profile not in source.profiles and (new or source.profiles):
        source.profiles.append(profile)
    session.flush()
    return source, new


def kind_of(url: str) -> SourceKind:
    """The kind that an address tells by its form; a feed where it tells none."""
    return SourceKind.REGISTRY if "/api/v2/studies" in urlsplit(url).path else SourceKind.FEED


def _host(url: str) -> str:
    return (urlsplit(url).hostname or url).removeprefix("www.")


def find(session: Session, wanted: str) -> Source:
    """The source with this id or address.

    Raises:
        NotFoundError: there is none.
    """
    condition = Source.id == int(wanted) if wanted.isdecimal() else Source.url == web_address(wanted)
    source = session.scalar(select(Source).where(condition, Source.removed_at.is_(None)))
    if source is None:
        raise NotFoundError(f"There is no source {wanted}.", "See them with: notifier sources list")
    return source


def remove(session: Session, wanted: str, now: datetime) -> str:
    """Stop watching a source; what it published stays, for readers were told of it. Returns its address."""
    source = find(session, wanted)
    source.removed_at = now
    return source.url


def listed(session: Session) -> list[Source]:
    """All sources that are watched, in the order they were added."""
    return list(session.scalars(select(Source).where(Source.removed_at.is_(None)).order_by(Source.id)))


def due(session: Session, now: datetime, wanted: Sequence[str] = (), *, force: bool = False) -> list[Request]:
    """The requests to make now: of all sources, or of those `wanted`, the ones whose time has come.

    `force` asks for each of them whatever its time, even for one that answered that it is gone.
    """
    chosen = select(Source).where(Source.removed_at.is_(None)).order_by(Source.id)
    if wanted:
        chosen = chosen.where(Source.id.in_([find(session, one).id for one in wanted]))
    if not force:
        chosen = chosen.where(Source.next_poll_at <= now, Source.gone_at.is_(None))
    return [Request(source.id, source.url, source.etag, source.last_modified) for source in session.scalars(chosen)]


def health(source: Source) -> str:
    """How a source fares: ``new``, ``healthy``, ``failing`` or ``gone``."""
    if source.gone_at:
        return "gone"
    if source.failures:
        return "failing"
    return "healthy" if source.last_success_at else "new"


def body_hash(body: bytes) -> str:
    """The hash by which an unchanged document is known without being read again."""
    return hashlib.sha256(body).hexdigest()


def succeed(
    source: Source,
    now: datetime,
    interval: timedelta,
    *,
    validators: tuple[str | None, str | None] | None = None,
    body: bytes | None = None,
    name: str = "",
) -> None:
    """Note a poll that worked.

    Args:
        source: the source, in a writing session.
        now: when it was polled.
        interval: how long until the next poll.
        validators: ETag and Last-Modified of the document; None after a 304, which leaves what we have.
        body: the document that was read; its hash spares the next reading.
        name: what the source calls itself; taken where an operator named nothing better.
    """
    source.last_success_at = now
    source.baselined_at = source.baselined_at or now
    source.failures, source.last_error, source.gone_at = 0, None, None
    source.next_poll_at = now + interval
    if validators is not None:
        source.etag, source.last_modified = validators
    if body is not None:
        source.body_hash = body_hash(body)
    if name and source.name == _host(source.url):
        source.name = name


def fail(source: Source, now: datetime, interval: timedelta, error: str, *, gone: bool = False) -> None:
    """Note a poll that did not work, and wait longer each time; `gone` (410) stops the polling."""
    source.failures += 1
    source.last_error = error
    source.gone_at = now if gone else None
    patience = min(source.failures - 1, 10)
    source.next_poll_at = now + max(interval, min(interval * 2**patience, LONGEST_INTERVAL))
