"""Sources: which addresses are watched, which are due, and how each one fares.

Owns the source's health and the time of its next poll. A failure is told here, in words, where
`sources list` shows it; it touches no other source and forgets nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from notifier.enums import Authority, SourceKind
from notifier.errors import InputError, NotFoundError
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Source, SourceProfile
from notifier.text import times
from notifier.text.cleaning import clean, shorten
from notifier.text.urls import LONGEST_ADDRESS, web_address
from notifier.watch.health import expected_by, health, to_tell
from notifier.watch.http.types import Purpose, Request, Response, body_hash
from notifier.watch.parsers.clinicaltrials import trial_of
from notifier.watch.parsers.observation import ParsedDocument
from notifier.watch.parsers.wordpress import FIRST_LOOK, request_url
from notifier.watch.polling_interval import next_wait

log = logging.getLogger("notifier")

MOVE_HOLDS = timedelta(hours=1)

_NOT_MODIFIED, _GONE = 304, 410
_LONGEST_ERROR = 500
# So many ids may stand in one statement of every database.
_FEW = 500
# A number beyond what PostgreSQL's INTEGER holds is nobody's.
_LARGEST_ID = 2**31 - 1
# A month, which is what readers are told of, and some days more.
_REMEMBERED = timedelta(days=40)


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
        InputError: an address that cannot be watched.
    """
    address = web_address(url)
    if not address:
        problem = f"{shorten(url, 200)!r} cannot be watched."
        raise InputError(
            problem,
            f"Give an address that begins with https:// or http://, {LONGEST_ADDRESS:,} characters at most.",
        )
    source = session.scalar(select(Source).where(Source.url == address))
    new = source is None
    if source is None:
        kind = kind or kind_of(address)
        tier = authority or (Authority.REGISTRY if kind is SourceKind.REGISTRY else Authority.NEWS)
        source = Source(
            kind=kind,
            url=address,
            name=name or _host(address),
            authority=tier,
            created_at=now,
            next_poll_at=now,
            failures=0,
            ttl_minutes=0,
            reported_state="",
        )
        session.add(source)
    if source.removed_at is not None:
        # Watched again: what it published meanwhile is a new baseline, mailed to nobody.
        new, source.removed_at, source.baselined_at, source.next_poll_at = True, None, None, now
        source.etag = source.last_modified = source.body_hash = source.last_error = None
        source.gone_at = source.changed_at = source.expected_by = source.moved_to = (
            source.moved_seen_at
        ) = None
        source.posts_until = source.posts_next_at = None
        source.failures, source.reported_state, source.profiles = 0, "", []
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
    try:
        condition = Source.id == times.whole_number(wanted, 1, _LARGEST_ID)
    except ValueError:
        condition = Source.url == web_address(wanted)
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
    return list(
        session.scalars(select(Source).where(Source.removed_at.is_(None)).order_by(Source.id))
    )


def due(
    session: Session, now: datetime, wanted: Sequence[str] = (), *, force: bool = False
) -> list[Request]:
    """The requests to make now: of all sources, or of those `wanted`, the ones whose time has come.

    `force` asks for each of them whatever its time, even for one that answered that it is gone.
    """
    chosen = select(Source).where(Source.removed_at.is_(None)).order_by(Source.id)
    if wanted:
        chosen = chosen.where(Source.id.in_([find(session, one).id for one in wanted]))
    if not force:
        chosen = chosen.where(Source.next_poll_at <= now, Source.gone_at.is_(None))
    columns = Source.id, Source.url, Source.etag, Source.last_modified, Source.body_hash
    return [
        Request(source_id, url, etag, last_modified, body_hash=known)
        for source_id, url, etag, last_modified, known in session.execute(
            chosen.with_only_columns(*columns)
        )
    ]


def watched(session: Session, wanted: Sequence[str] = ()) -> list[tuple[int, str, SourceKind]]:
    """The id, the address and the kind of the sources that are watched, or of those `wanted`.

    A row that cannot be read is left out and logged, so that it keeps no other source from being
    polled.

    Raises:
        NotFoundError: a source that is wanted and not there.
    """
    statement = select(Source.id).where(Source.removed_at.is_(None)).order_by(Source.id)
    if wanted:
        statement = statement.where(Source.id.in_([find(session, name).id for name in wanted]))
    columns = Source.id, Source.url, Source.kind
    try:
        return [
            (row[0], row[1], row[2])
            for row in session.execute(statement.with_only_columns(*columns))
        ]
    except (LookupError, ValueError):
        log.warning("a source's row cannot be read; each is looked at alone")
    rows = []
    for source_id in session.scalars(statement).all():
        try:
            row = session.execute(select(*columns).where(Source.id == source_id)).one()
        except (LookupError, ValueError):
            log.exception("source %d: its row cannot be read", source_id)
        else:
            rows.append((row[0], row[1], row[2]))
    return rows


def record_success(
    source: Source,
    now: datetime,
    interval: timedelta,
    response: Response,
    reading: ParsedDocument | None = None,
    *,
    changed: bool = False,
    whole: bool = True,
) -> None:
    """Note a poll that worked, and when to ask again.

    Args:
        source: the source, in a writing session.
        now: when it was polled.
        interval: the operator's shortest wait.
        response: what the server answered; a 304 leaves the validators we have.
        reading: the document, if it was new and had to be read.
        changed: whether it held a new or a changed entry.
        whole: whether all that it says was stored; else it is read again next time, even if it has
            not changed.
    """
    source.last_success_at = now
    source.poll_counts = _counted(source.poll_counts, now)
    source.failures, source.last_error, source.gone_at = 0, None, None
    if changed or source.changed_at is None:
        source.changed_at = now if source.baselined_at else _newest(reading, now)
    if reading is not None:
        dates = [one.published_at for one in reading.observations if one.published_at]
        rhythm = (
            expected_by([*dates, source.changed_at], now)
            if source.kind is SourceKind.FEED
            else None
        )
        source.expected_by, source.ttl_minutes = rhythm, reading.ttl_minutes
        source.left_out = reading.left_out
        if reading.name and source.name == _host(source.url):
            source.name = reading.name
    source.baselined_at = source.baselined_at or now
    if not whole:
        source.etag = source.last_modified = source.body_hash = None
    elif response.status != _NOT_MODIFIED:
        source.etag, source.last_modified = (
            response.headers.get("etag"),
            response.headers.get("last-modified"),
        )
        source.body_hash = body_hash(response.body)
    quiet_for = max(now - source.changed_at, timedelta(0))
    source.next_poll_at = now + next_wait(
        source.id,
        interval,
        quiet_for,
        headers=response.headers,
        ttl_minutes=source.ttl_minutes,
        now=now,
    )


def _counted(poll_counts: Mapping[str, int] | None, now: datetime) -> dict[str, int]:
    """One look more today; days that nobody will ask for any more are forgotten."""
    oldest, today = (now - _REMEMBERED).date().isoformat(), now.date().isoformat()
    kept = {day: count for day, count in (poll_counts or {}).items() if day >= oldest}
    return {**kept, today: kept.get(today, 0) + 1}


def _newest(reading: ParsedDocument | None, now: datetime) -> datetime:
    """When a source that is read for the first time last changed, as far as its dates tell."""
    dates = (
        [one.published_at for one in reading.observations if one.published_at] if reading else []
    )
    return max((date for date in dates if date <= now), default=now)


def forget_baseline(source: Source, now: datetime) -> None:
    """Let the next poll be the baseline where this one began it and could not read the list to its end."""
    if source.baselined_at == now:
        source.baselined_at = None


def many(session: Session, source_ids: Sequence[int]) -> dict[int, Source]:
    """Several sources at once, by id."""
    found: dict[int, Source] = {}
    for chunk in in_chunks(source_ids):
        chosen = select(Source).where(Source.id.in_(chunk))
        found.update((source.id, source) for source in session.scalars(chosen))
    return found


def sources_for(session: Session, profile: Profile) -> list[Source]:
    """The sources that are watched for a profile: its own, and those that feed every profile."""
    named = select(SourceProfile.source_id)
    own = named.where(SourceProfile.profile_id == profile.id)
    chosen = select(Source).where(
        Source.removed_at.is_(None), or_(Source.id.in_(own), Source.id.not_in(named))
    )
    return list(session.scalars(chosen.order_by(Source.id)))


def poll_counts_since(source: Source, day: date) -> int:
    """How often a source answered since the beginning of a day."""
    return sum(count for of, count in source.poll_counts.items() if of >= day.isoformat())


def followed_trials(session: Session) -> set[str]:
    """The trials whose own records are watched."""
    records = select(Source.url).where(
        Source.kind == SourceKind.REGISTRY, Source.removed_at.is_(None)
    )
    return {trial for url in session.scalars(records) if (trial := trial_of(url))}


def note_as_of(source: Source, moment: datetime) -> None:
    """Note of what date a registry says its data are."""
    source.as_of = moment


def learn_posts(source: Source, url: str, now: datetime) -> None:
    """Note where a feed's site lists its posts; another address than before is asked at once."""
    if source.posts_url != (url or None):
        source.posts_url, source.posts_next_at = url or None, now


def due_posts(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """The lists of posts to ask for now, each from the edit up to which it was read."""
    chosen = select(Source).where(Source.posts_url.is_not(None), Source.posts_next_at <= now)
    if len(source_ids) <= _FEW:
        chosen = chosen.where(Source.id.in_(source_ids))
    found = {source.id: source for source in session.scalars(chosen)}
    return [
        Request(
            one, request_url(url, found[one].posts_until or now - FIRST_LOOK), purpose=Purpose.POSTS
        )
        for one in source_ids
        if one in found and (url := found[one].posts_url)
    ]


def note_posts(source: Source, next_at: datetime, until: datetime | None = None) -> None:
    """Note when to ask for the list of posts again, and up to which edit it was read."""
    source.posts_next_at = next_at
    source.posts_until = until or source.posts_until


def record_reported_states(session: Session, now: datetime) -> list[tuple[Source, str]]:
    """The sources whose state the operator was not told of, each with what to tell; they count as told from now on."""
    chosen = select(Source).where(
        Source.removed_at.is_(None),
        or_(
            Source.failures > 0,
            Source.gone_at.is_not(None),
            Source.expected_by < now,
            Source.reported_state != "",
        ),
    )
    turned = []
    for source in session.scalars(chosen.order_by(Source.id)):
        if state := to_tell(source, now):
            turned.append((source, state))
            source.reported_state = "" if state == "recovered" else str(health(source, now))
    return turned


def record_failure(
    source: Source, now: datetime, interval: timedelta, response: Response, error: str
) -> None:
    """Note a poll that did not work, and wait longer each time; 410 stops the polling (RFC 9110, 15.5.11)."""
    source.failures += 1
    source.last_error = shorten(clean(error), _LONGEST_ERROR)
    source.gone_at = now if response.status == _GONE else None
    wait = next_wait(
        source.id,
        interval,
        timedelta(0),
        failures=source.failures,
        headers=response.headers,
        now=now,
    )
    source.next_poll_at = now + wait


def follow_move(session: Session, source: Source, response: Response, now: datetime) -> bool:
    """Take a permanent redirect (301, 308) for the source's address once it has held for an hour.

    One sighting may be a slip, a captive portal or an attack; an address that is watched already is
    not taken twice.

    Returns:
        Whether the source has another address now.
    """
    moved_to = web_address(response.moved_to)
    if not moved_to:  # none, or one that no reader's link could show
        source.moved_to = source.moved_seen_at = None
        return False
    if source.moved_to != moved_to or source.moved_seen_at is None:
        source.moved_to, source.moved_seen_at = moved_to, now
        return False
    taken = session.scalar(select(Source.id).where(Source.url == moved_to))
    if now - source.moved_seen_at < MOVE_HOLDS or taken is not None:
        return False
    source.url, source.moved_to, source.moved_seen_at = moved_to, None, None
    return True
