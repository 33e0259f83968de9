"""Sources: the addresses that are watched, and the result of each one's last polls.

Owns the time of a source's next poll. A failure is stored here as a text that `notifier sources
list` shows; it changes no other source, and no stored entry.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import Authority, SourceKind
from notifier.errors import InputError, NotFoundError
from notifier.store.models import Profile, Source
from notifier.text import times
from notifier.text.cleaning import clean, shorten
from notifier.text.urls import LONGEST_ADDRESS, web_address
from notifier.watch import poll_counts, source_lists
from notifier.watch.health import StateReport, expected_by, health
from notifier.watch.http.types import Purpose, Response, body_hash
from notifier.watch.parsers.clinicaltrials import trial_of
from notifier.watch.parsers.observation import READING, ParsedDocument
from notifier.watch.plausibility import NEXT_LOOK, SECOND_LOOK
from notifier.watch.polling_interval import least_wait_after, next_wait, server_requested_wait

# The target of a permanent redirect becomes the address after it was seen for so long. Chosen by
# hand; not measured.
MOVE_HOLDS = timedelta(hours=1)

_NOT_MODIFIED, _GONE = 304, 410
# Characters of a stored error, and of a refused address in a message. Chosen by hand; not measured.
_LONGEST_ERROR, LONGEST_SHOWN_ADDRESS = 500, 200
# The largest number in PostgreSQL's INTEGER: no source has a larger id.
_LARGEST_ID = 2**31 - 1


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
    """Watch an address; one that is watched already is kept, and only gets the further profile.

    One that was removed starts anew, with a baseline.

    Args:
        session: a writing session; the caller commits.
        url: an http or https address.
        now: the source is due from this time.
        kind: the kind of source; if it is not given, the address shows it.
        name: the name that readers see; if it is not given, the source's own name after its first
            poll.
        authority: the source's tier; if it is not given, registry for registries, else news.
        profile: the profile it is watched for; without one it is watched for every profile.

    Returns:
        The source, and whether it is new or watched again.

    Raises:
        InputError: an address that cannot be watched.
    """
    address = watchable(url)
    if not address:
        raise InputError(
            f"{shorten(url, LONGEST_SHOWN_ADDRESS)!r} cannot be watched.",
            "Give an address that begins with https:// or http:// and has at most"
            f" {LONGEST_ADDRESS:,} characters, all of them of ASCII if it is that long.",
        )
    source = session.scalar(select(Source).where(Source.url == address))
    source = source or _with_same_record(session, address)
    new = source is None or source.removed_at is not None
    if source is None:
        source = Source(**new_row(address, now, kind=kind, name=name, authority=authority))
        session.add(source)
    elif source.removed_at is not None:
        _start_anew(source, now)
    if profile is not None and profile not in source.profiles and (new or source.profiles):
        source.profiles.append(profile)
    session.flush()
    return source, new


def watchable(url: str) -> str:
    """Return the address if it can be watched (an index holds about 2,700 bytes), else nothing."""
    address = web_address(url)
    return address if len(address.encode()) <= LONGEST_ADDRESS else ""


def _with_same_record(session: Session, address: str) -> Source | None:
    """Return the watched source of the same trial's record: its number may be written otherwise."""
    host, trial = urlsplit(address).netloc, trial_of(address)
    if not trial or kind_of(address) is not SourceKind.REGISTRY:
        return None
    records = select(Source).where(Source.kind == SourceKind.REGISTRY, Source.removed_at.is_(None))
    for record in session.scalars(records.order_by(Source.id)):
        if (urlsplit(record.url).netloc, trial_of(record.url)) == (host, trial):
            return record
    return None


def is_plain(address: str) -> bool:
    """Return True for an address that is watched as it is written, and is no registry's record."""
    return watchable(address) == address and kind_of(address) is not SourceKind.REGISTRY


def new_row(
    address: str,
    now: datetime,
    *,
    kind: SourceKind | None = None,
    name: str = "",
    authority: Authority | None = None,
) -> dict[str, object]:
    """Return the columns of a new source; the arguments are those of `add`."""
    kind = kind or kind_of(address)
    default = Authority.REGISTRY if kind is SourceKind.REGISTRY else Authority.NEWS
    return {
        "kind": kind,
        "url": address,
        "name": name or _host(address),
        "authority": authority or default,
        "created_at": now,
        "next_poll_at": now,
        "failures": 0,
        "ttl_minutes": 0,
        "reported_state": "",
    }


def _start_anew(source: Source, now: datetime) -> None:
    """Watch a removed source again: what it published meanwhile is a baseline, sent to nobody."""
    source.removed_at = source.baselined_at = source.empty_since = source.gone_at = None
    source.next_poll_at = now
    source.etag = source.last_modified = source.body_hash = source.requested_whole_at = None
    source.changed_at = source.expected_by = None
    source.moved_to = source.moved_seen_at = None
    source.posts_until = source.posts_next_at = None
    source.failures, source.last_error, source.reported_state = 0, None, ""
    source.paused_at, source.paused_by = None, ""
    source.doubted_at = source.encoding = source.ended = None
    source.profiles = []


def kind_of(url: str) -> SourceKind:
    """Return the kind that the form of an address shows; without a sign it is a feed."""
    return SourceKind.REGISTRY if "/api/v2/studies" in urlsplit(url).path else SourceKind.FEED


def _host(url: str) -> str:
    return (urlsplit(url).hostname or url).removeprefix("www.")


def find(session: Session, wanted: str) -> Source:
    """Return the source with this id or address.

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
    """Stop watching a source and return its address; its entries stay, because mails show them."""
    source = find(session, wanted)
    source.removed_at = now
    return source.url


def listed(session: Session) -> list[Source]:
    """Return all sources that are watched, in the order in which they were added."""
    return list(
        session.scalars(select(Source).where(Source.removed_at.is_(None)).order_by(Source.id))
    )


def record_success(
    source: Source,
    now: datetime,
    interval: timedelta,
    response: Response,
    document: ParsedDocument | None = None,
    *,
    changed: bool = False,
    whole: bool = True,
) -> None:
    """Store a poll that worked, and the time of the next one.

    Args:
        source: the source, in a writing session.
        now: the time of the poll.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        response: the server's answer; a 304 keeps the stored validators.
        document: the parsed document; None if it was known.
        changed: whether it held a new or a changed entry.
        whole: whether all its observations were stored; if not, it is parsed again next time, even
            if it has not changed.
    """
    source.last_success_at = now
    source.poll_counts = poll_counts.with_one_more(source.poll_counts, now)
    source.failures, source.last_error, source.gone_at = 0, None, None
    source.doubted_at = None
    if response.request.is_whole:
        source.requested_whole_at = now
    if changed or source.changed_at is None:
        newest = document.newest_date(now) if document is not None else None
        source.changed_at = now if source.baselined_at else newest or now
    if document is not None:
        _note_document(source, document, source.changed_at, now)
    _note_baseline(source, document, now)
    if not whole:
        source.etag = source.last_modified = source.body_hash = None
    elif response.status != _NOT_MODIFIED:
        source.etag = response.headers.get("etag")
        source.last_modified = response.headers.get("last-modified")
        source.body_hash, source.reading = body_hash(response.body), READING
    source.next_poll_at = now + next_wait(
        source.id,
        interval,
        max(now - source.changed_at, timedelta(0)),
        headers=response.headers,
        ttl_minutes=source.ttl_minutes,
        now=now,
    )


def _note_baseline(source: Source, document: ParsedDocument | None, now: datetime) -> None:
    """Store that this poll was the baseline; an answer that lists nothing is none."""
    if document is not None and document.observations:
        source.baselined_at = source.baselined_at or now
    elif source.baselined_at is None:
        source.empty_since = source.empty_since or now


def _note_document(
    source: Source, document: ParsedDocument, changed_at: datetime, now: datetime
) -> None:
    source.expected_by = None
    if source.kind is SourceKind.FEED:
        source.expected_by = expected_by([*document.dates, changed_at], now)
    source.ttl_minutes = document.ttl_minutes
    source.left_out = document.left_out
    source.encoding, source.ended = document.encoding or None, document.whole
    if document.name and source.name == _host(source.url):
        source.name = document.name


def forget_baseline(source: Source, now: datetime) -> None:
    """Leave the baseline to the next poll if this one began it and could not complete it."""
    if source.baselined_at == now:
        source.baselined_at = None


def note_as_of(source: Source, moment: datetime) -> None:
    """Store the date of a registry's data."""
    source.as_of = moment


def note_posts_url(source: Source, url: str, now: datetime) -> None:
    """Store the address of the site's list of posts; a new address is due at once."""
    if source.posts_url != (url or None):
        source.posts_url, source.posts_next_at = url or None, now


def note_posts(source: Source, next_at: datetime, until: datetime | None = None) -> None:
    """Store when the list of posts is due again, and the time from which it asks for edits.

    Args:
        source: the source, in a writing session.
        next_at: the time of the next request.
        until: the time from which it asks for edits; None keeps the stored one.
    """
    source.posts_next_at = next_at
    source.posts_until = until or source.posts_until


def record_reported_states(session: Session, now: datetime) -> list[tuple[Source, StateReport]]:
    """Return the sources whose state must be reported to the operator, and store it as reported."""
    reports = source_lists.unreported(session, now)
    for source, report in reports:
        recovered = report is StateReport.RECOVERED
        source.reported_state = "" if recovered else str(health(source, now))
    return reports


def record_failure(
    source: Source,
    now: datetime,
    interval: timedelta,
    response: Response,
    error: str,
    *,
    earlier: int | None = None,
) -> None:
    """Store a poll that failed; the wait grows each time, and 410 (RFC 9110, 15.5.11) is the last.

    Args:
        source: the source, in a writing session.
        now: the time of the poll.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        response: the server's answer; its headers may ask for a longer wait.
        error: a clause without a full stop, in lower case.
        earlier: how many polls in a row had failed before this one; None if the source says so,
            because nothing of this poll was stored as a success.
    """
    source.failures = (source.failures if earlier is None else earlier) + 1
    source.failure_counts = poll_counts.with_one_more(source.failure_counts, now)
    source.last_error = shorten(clean(error), _LONGEST_ERROR)
    is_own = response.request.purpose is Purpose.DOCUMENT
    source.gone_at = now if is_own and response.status == _GONE else None
    wait = next_wait(
        source.id,
        interval,
        timedelta(0),
        failures=source.failures,
        headers=response.headers,
        now=now,
    )
    source.next_poll_at = now + max(wait, least_wait_after(response.status))


def record_doubt(
    source: Source,
    now: datetime,
    interval: timedelta,
    response: Response,
    document: ParsedDocument,
    error: str,
    *,
    changed: bool,
) -> None:
    """Store a poll whose document is not believed wholly; it is polled again in an hour.

    Args:
        source: the source, in a writing session.
        now: the time of the poll.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        response: the server's answer; its validators are not stored, so that the next one is whole.
        document: the parsed document.
        error: the reason, a clause.
        changed: whether it held a new or a changed entry all the same.
    """
    record_failure(source, now, interval, response, error)
    # A feed that is never whole has a baseline nevertheless, or its news would never be told.
    if source.failures > 1:
        _note_baseline(source, document, now)
    if changed:
        source.changed_at = now
    asked_for = server_requested_wait(response.headers, source.ttl_minutes, now)
    source.next_poll_at = now + max(NEXT_LOOK, asked_for)


def is_doubted_for_long(source: Source, now: datetime) -> bool:
    """Note that a source's document is doubted as a whole; return whether it is so for long."""
    source.doubted_at = source.doubted_at or now
    return now - source.doubted_at >= SECOND_LOOK


def follow_move(session: Session, source: Source, response: Response, now: datetime) -> bool:
    """Make the target of a permanent redirect (301, 308) the source's address after an hour.

    A redirect that is seen once may be a mistake, a captive portal or an attack. An address that is
    watched already is not taken.

    Returns:
        Whether the source has another address now.
    """
    moved_to = watchable(response.moved_to)
    if not moved_to:  # no redirect, or an address that cannot be shown as a link
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
