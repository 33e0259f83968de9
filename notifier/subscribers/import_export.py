"""Import and export of many subscribers at once; `list_files` reads and writes the files.

Owns the result of each imported line. An import never subscribes somebody again who left, bounced,
complained or was erased, whatever the file says.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.orm import Session

from notifier.email_addresses import normalize
from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.errors import AddressError, InputError
from notifier.i18n.catalog import LANGUAGES, SOURCE
from notifier.store import keys
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Subscriber, Subscription
from notifier.subscribers import consent, list_files, suppressions
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import WEEKDAYS, Schedule, parse_at, parse_on, parse_zone
from notifier.subscribers.subscriptions import new_link_id
from notifier.text.cleaning import redacted

# How many lines are looked up and stored together. Chosen by hand; not measured.
_BATCH = 1000


class RowResult(StrEnum):
    """The result of one line of an import."""

    ADDED = "added"
    KNOWN = "known"
    DUPLICATE = "duplicate"
    LEFT = "left"
    SUPPRESSED = "suppressed"
    INVALID = "invalid"


_REASONS = {
    RowResult.ADDED: "",
    RowResult.KNOWN: "already subscribed; their choice stays",
    RowResult.DUPLICATE: "the same person and profile as a line above",
    RowResult.LEFT: "left; only they themselves can subscribe again",
}


@dataclass
class Report:
    """The outcome of an import.

    Attributes:
        lines: for each line its number, its result and the reason, which names no address.
        unasked: the ids of the added subscriptions whose owners must be asked to confirm.
    """

    lines: list[tuple[int, RowResult, str]] = field(default_factory=list)
    unasked: list[int] = field(default_factory=list)

    def count(self) -> Counter[RowResult]:
        """Count the lines of each result."""
        return Counter(result for _, result, _ in self.lines)


@dataclass(frozen=True)
class ImportOptions:
    """The options of an import.

    Attributes:
        profiles: the stored ones by slug; a line without a profile means the only one.
        time_zone: for lines without one.
        attested_by: who vouches that these people agreed; None: each is asked by mail.
        dry: judge the lines and store nothing.
    """

    profiles: Mapping[str, Profile]
    time_zone: str
    attested_by: str | None = None
    dry: bool = False


def import_rows(
    session: Session,
    lines: Iterable[tuple[int, Mapping[str, str]]],
    options: ImportOptions,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Store a list in the caller's transaction: all of it, or nothing.

    Args:
        session: a writing session; in a dry run a reading one will do.
        lines: as `list_files.read` yields them.
        options: see there.
        now: when.
        progress: called after each batch with the number of lines done.

    Raises:
        InputError: the file cannot be read.
    """
    importer = _Importer(session, options, now)
    remaining = iter(lines)
    while batch := list(islice(remaining, _BATCH)):
        importer.take(batch)
        progress(len(importer.report.lines))
    importer.report.lines.sort()
    return importer.report


@dataclass(frozen=True)
class _Row:
    """A valid line."""

    line: int
    email: str
    key: str
    profile: Profile
    choice: Choice


class _Importer:
    """One import; it remembers the lines above, to find duplicates."""

    def __init__(self, session: Session, options: ImportOptions, now: datetime) -> None:
        self._session, self._options, self._now = session, options, now
        self._hash_of = keys.hasher(session)
        self._seen: set[tuple[bytes, int]] = set()
        self.report = Report()
        # Most lines of a list share a few schedules.
        self._next_due = lru_cache(maxsize=4096)(self._uncached_next_due)

    def take(self, lines: Iterable[tuple[int, Mapping[str, str]]]) -> None:
        """Judge a batch of lines, and store what is new."""
        rows = [row for number, cells in lines if (row := self._row(number, cells)) is not None]
        suppressed = suppressions.among(self._session, {row.key for row in rows})
        people = self._people({row.key for row in rows})
        statuses = self._statuses(people.values())
        new = []
        for row in rows:
            status = statuses.get((people.get(row.key, 0), row.profile.id))
            if row.key in suppressed:
                reason = f"suppressed: {suppressions.describe(suppressed[row.key])}"
                self._report(row.line, RowResult.SUPPRESSED, reason)
            elif status is SubscriptionStatus.ENDED:
                self._report(row.line, RowResult.LEFT)
            elif status is not None:
                self._report(row.line, RowResult.KNOWN)
            else:
                self._report(row.line, RowResult.ADDED)
                new.append(row)
        if not self._options.dry:
            self._store(new, people)

    def _row(self, number: int, cells: Mapping[str, str]) -> _Row | None:
        """Return a line that can be used; report any other, and return None."""
        if list_files.PROBLEM in cells:
            self._report(number, RowResult.INVALID, cells[list_files.PROBLEM])
            return None
        try:
            email, profile, choice = self._parse(cells)
        except (InputError, ValueError) as error:
            self._report(number, RowResult.INVALID, _reason(error))
            return None
        key = self._hash_of(email)
        # Half of the hash is enough to tell the addresses of a list apart, and saves memory.
        identity = bytes.fromhex(key)[:16], profile.id
        if identity in self._seen:
            self._report(number, RowResult.DUPLICATE)
            return None
        self._seen.add(identity)
        if cells.get("status", "").strip() == SubscriptionStatus.ENDED:
            self._report(number, RowResult.LEFT)
            return None
        return _Row(number, email, key, profile, choice)

    def _parse(self, cells: Mapping[str, str]) -> tuple[str, Profile, Choice]:
        # Longer cells are never valid; cutting them keeps the messages short.
        email = normalize(cells.get("email", "")[:400])
        profile = self._profile(cells.get("profile", "").strip())
        names = ("every", "at", "on", "time_zone", "edition", "language")
        texts = (cells.get(name, "").strip()[:80] for name in names)
        return email, profile, _parse_choice(*texts, self._options.time_zone)

    def _profile(self, slug: str) -> Profile:
        profiles = self._options.profiles
        if not slug and len(profiles) == 1:
            return next(iter(profiles.values()))
        if slug not in profiles:
            problem = (
                f"There is no profile {slug!r}."
                if slug
                else "The profile is missing, and several are stored."
            )
            raise InputError(problem)
        return profiles[slug]

    def _people(self, hashes: Iterable[str]) -> dict[str, int]:
        """Return the ids of the stored people among these address hashes."""
        people: dict[str, int] = {}
        for chunk in in_chunks(hashes):
            statement = select(Subscriber.address_hash, Subscriber.id).where(
                Subscriber.address_hash.in_(chunk)
            )
            people |= dict(self._session.execute(statement).all())
        return people

    def _statuses(self, people: Iterable[int]) -> dict[tuple[int, int], SubscriptionStatus]:
        """Return the status of these people's subscriptions, by subscriber and profile."""
        columns = Subscription.subscriber_id, Subscription.profile_id, Subscription.status
        statuses = {}
        for chunk in in_chunks(people):
            statement = select(*columns).where(Subscription.subscriber_id.in_(chunk))
            for person, profile, status in self._session.execute(statement):
                statuses[person, profile] = status
        return statuses

    def _store(self, rows: list[_Row], people: dict[str, int]) -> None:
        missing = {row.key: row for row in reversed(rows) if row.key not in people}
        new = [
            {
                "email": row.email,
                "address_hash": key,
                "language": row.choice.language,
                "time_zone": row.choice.schedule.time_zone,
                "created_at": self._now,
            }
            for key, row in missing.items()
        ]
        insert_subscribers(self._session, new)
        people |= self._people(missing)
        ids = insert_subscriptions(
            self._session, [self._columns(row, people[row.key]) for row in rows]
        )
        attested_by = self._options.attested_by
        if attested_by is None:
            self.report.unasked += ids
            return
        languages = (row.choice.language for row in rows)
        given = list(zip(ids, languages, strict=True))
        consent.record_many(self._session, given, "import", attested_by, self._now)

    def _columns(self, row: _Row, subscriber_id: int) -> dict[str, Any]:
        confirmed = self._options.attested_by is not None
        schedule = row.choice.schedule
        return {
            "subscriber_id": subscriber_id,
            "profile_id": row.profile.id,
            "cadence": schedule.cadence,
            "at": schedule.at,
            "on": schedule.on,
            "edition": row.choice.edition,
            "status": SubscriptionStatus.CONFIRMED if confirmed else SubscriptionStatus.PENDING,
            "link_id": new_link_id(),
            "position": row.profile.position if confirmed else 0,
            "seen_snapshot": "",
            "hidden": [],
            "urgent": False,
            "next_due_at": self._next_due(schedule) if confirmed else None,
            "last_mailed_at": self._now if confirmed else None,
            "created_at": self._now,
            "asked_at": self._now,
            "confirmed_at": self._now if confirmed else None,
        }

    def _uncached_next_due(self, schedule: Schedule) -> datetime | None:
        return schedule.next_after(self._now)

    def _report(self, line: int, result: RowResult, reason: str = "") -> None:
        self.report.lines.append((line, result, reason or _REASONS.get(result, "")))


def _reason(error: Exception) -> str:
    """Return why a line is invalid, without the address: the report may be kept or passed on."""
    if isinstance(error, AddressError):
        return error.reason
    if isinstance(error, InputError):
        return redacted(error.problem)
    # Half of a surrogate pair, for example.
    return "it holds characters that cannot be stored"


@lru_cache(maxsize=4096)
def _parse_choice(
    every: str, at: str, on: str, zone: str, edition: str, language: str, default_zone: str
) -> Choice:
    """Return the choice in a line's cells; cached, because most lines share a few choices.

    Raises:
        InputError: a cell is not valid.
    """
    for name, text, known in (("every", every, Cadence), ("edition", edition, Edition)):
        if text and text not in list(known):
            raise InputError(f"{name} is {text!r}; it can be {', '.join(known)}")
    if language and language not in LANGUAGES:
        raise InputError(f"language is {language!r}; it can be {', '.join(LANGUAGES)}")
    cadence = Cadence(every or "weekly")
    day = parse_on(on or None, cadence) if cadence in (Cadence.WEEKLY, Cadence.MONTHLY) else None
    schedule = Schedule(cadence, parse_at(at or "08:00"), day, parse_zone(zone or default_zone))
    return Choice(schedule, Edition(edition or "patient"), language or SOURCE)


def insert_subscribers(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many subscribers at once; the keys are the names of the table's attributes."""
    if rows:
        session.execute(insert(Subscriber), rows)


def insert_subscriptions(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert many subscriptions at once; return their ids, in the order of the rows."""
    if not rows:
        return []
    session.execute(insert(Subscription), rows)
    ids: dict[str, int] = {}
    for chunk in in_chunks(row["link_id"] for row in rows):
        statement = select(Subscription.link_id, Subscription.id).where(
            Subscription.link_id.in_(chunk)
        )
        ids |= dict(session.execute(statement).all())
    return [ids[row["link_id"]] for row in rows]


def export_rows(session: Session) -> Iterator[dict[str, str]]:
    """Yield all subscriptions by `list_files.EXPORT_COLUMNS`, read from the database in batches.

    Args:
        session: a reading session.
    """
    statement = _exported().execution_options(yield_per=_BATCH)
    for row in session.execute(statement):
        yield {
            "email": row.email,
            "profile": row.slug,
            "every": str(row.cadence),
            "at": row.at,
            "on": _day_of(row),
            "time_zone": row.time_zone,
            "edition": str(row.edition),
            "language": row.language,
            "status": str(row.status),
            "confirmed_at": row.confirmed_at.isoformat(timespec="seconds")
            if row.confirmed_at
            else "",
        }


def _exported() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Subscriber.email,
            Profile.slug,
            Subscription.cadence,
            Subscription.at,
            Subscription.on,
            Subscriber.time_zone,
            Subscription.edition,
            Subscriber.language,
            Subscription.status,
            Subscription.confirmed_at,
        )
        .select_from(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(Profile, Profile.id == Subscription.profile_id)
        .order_by(Subscriber.id, Subscription.id)
    )


def _day_of(row: Row[*tuple[Any, ...]]) -> str:
    """Return a row's day as `parse_on` reads it: a weekday's name, or the day of the month."""
    if row.on is None:
        return ""
    return WEEKDAYS[row.on] if row.cadence is Cadence.WEEKLY else str(row.on)
