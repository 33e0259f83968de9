"""Lists: many subscribers at once, in from a file and out to one, as CSV or JSON Lines.

Owns the columns and what becomes of each line. An import never revives anybody: who left, bounced,
complained or was erased stays out, whatever the file says.
"""

import csv
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.email_addresses import normalize
from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.errors import AddressError, InputError
from notifier.i18n.catalog import LANGUAGES, SOURCE
from notifier.store import keys
from notifier.store.models import Profile, Subscriber, Subscription
from notifier.subscribers import consent, subscriptions, suppressions
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import WEEKDAYS, Schedule, parse_at, parse_on, parse_zone
from notifier.text.cleaning import redacted

COLUMNS = ("email", "profile", "every", "at", "on", "time_zone", "edition", "language")
# What an export says besides; an import reads it only to leave out who had left.
_TOLD = ("status", "confirmed_at")

_BATCH = 1000
_LONGEST_LINE = 100_000
# What a spreadsheet takes for a formula (OWASP, CSV injection).
_FORMULA = re.compile(r"^[=+\-@\t\r]")


class RowResult(StrEnum):
    """What becomes of a line."""

    ADDED = "added"
    KNOWN = "known"
    DUPLICATE = "duplicate"
    LEFT = "left"
    SUPPRESSED = "suppressed"
    INVALID = "invalid"


_WHY = {
    RowResult.ADDED: "",
    RowResult.KNOWN: "already subscribed; their choice stays",
    RowResult.DUPLICATE: "the same person and profile as a line above",
    RowResult.LEFT: "left, and only they themselves can come back",
}


@dataclass
class Report:
    """What an import did: each line's number, fate and reason; and the ids of those who are still to be asked."""

    lines: list[tuple[int, RowResult, str]] = field(default_factory=list)
    unasked: list[int] = field(default_factory=list)

    def count(self) -> Counter[RowResult]:
        """How many lines ended how."""
        return Counter(fate for _, fate, _ in self.lines)


@dataclass(frozen=True)
class ImportOptions:
    """By what an import goes.

    Attributes:
        profiles: those stored, by slug; a line that names none means the only one.
        time_zone: for lines that name none.
        attested_by: who vouches that these people agreed; None: each is asked by mail.
        dry: judge the lines and store nothing.
    """

    profiles: Mapping[str, Profile]
    time_zone: str
    attested_by: str | None = None
    dry: bool = False


def read(file: TextIO, *, json_lines: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a list, each with its number in the file.

    Raises:
        InputError: the file as a whole cannot be taken: no column `email`, an unknown one, no
            text, too long a line.
    """
    try:
        yield from _json_lines(file) if json_lines else _csv_lines(file)
    except UnicodeDecodeError as error:
        raise InputError(
            "The file is no UTF-8 text.", "Save it as UTF-8 (in Excel: CSV UTF-8)."
        ) from error
    except csv.Error as error:
        raise InputError(
            f"The file cannot be read as CSV: {error}.", "Export it once more, and look at it."
        ) from error


def _csv_lines(file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    first = file.readline(_LONGEST_LINE)
    separator = max(",;\t", key=first.count)
    names = [name.strip().lower() for name in next(csv.reader([first], delimiter=separator), [])]
    _check_columns(names)
    reader = csv.reader(file, delimiter=separator)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield (
                reader.line_num + 1,
                {name: _plain(cell) for name, cell in zip(names, cells, strict=False)},
            )


def _json_lines(file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            yield number, {"problem": "no JSON object"}
            continue
        _check_columns(["email", *found])
        odd = [
            name for name, value in found.items() if not isinstance(value, (str, int, type(None)))
        ]
        if odd:
            yield number, {"problem": f"{odd[0]} is no text"}
            continue
        yield number, {name: "" if value is None else str(value) for name, value in found.items()}


def _check_columns(names: list[str]) -> None:
    unknown = [name for name in names if name not in (*COLUMNS, *_TOLD)]
    if "email" not in names or unknown:
        problem = (
            f"There is no column {unknown[0][:40]!r}." if unknown else "There is no column email."
        )
        raise InputError(
            problem, f"The columns are {', '.join(COLUMNS)}; only email must be there."
        )


def _plain(cell: str) -> str:
    """A cell without the mark that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def import_rows(
    session: Session,
    lines: Iterable[tuple[int, Mapping[str, str]]],
    terms: ImportOptions,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Store a list, in the caller's one transaction: all of it, or nothing."""
    taking = _Taking(session, terms, now)
    waiting = iter(lines)
    while batch := list(islice(waiting, _BATCH)):
        taking.batch(batch)
        progress(len(taking.report.lines))
    taking.report.lines.sort()
    return taking.report


@dataclass(frozen=True)
class _Row:
    line: int
    email: str
    key: str
    profile: Profile
    choice: Choice


class _Taking:
    """One import: what it knows of the lines above."""

    def __init__(self, session: Session, terms: ImportOptions, now: datetime) -> None:
        self._session, self._terms, self._now = session, terms, now
        self._hash_of = keys.hasher(session)
        self._seen: set[tuple[bytes, int]] = set()
        self.report = Report()
        self._next_due = lru_cache(maxsize=4096)(self._uncached_next_due)

    def batch(self, lines: Iterable[tuple[int, Mapping[str, str]]]) -> None:
        rows = [row for number, values in lines if (row := self._row(number, values)) is not None]
        suppressed = suppressions.among(self._session, {row.key for row in rows})
        people = self._people({row.key for row in rows})
        standing = self._standing(people.values())
        fresh = []
        for row in rows:
            known = standing.get((people.get(row.key, 0), row.profile.id))
            if row.key in suppressed:
                self._tell(
                    row.line,
                    RowResult.SUPPRESSED,
                    f"suppressed: {suppressions.why(suppressed[row.key])}",
                )
            elif known is SubscriptionStatus.ENDED:
                self._tell(row.line, RowResult.LEFT)
            elif known is not None:
                self._tell(row.line, RowResult.KNOWN)
            else:
                self._tell(row.line, RowResult.ADDED)
                fresh.append(row)
        if not self._terms.dry:
            self._store(fresh, people)

    def _row(self, number: int, values: Mapping[str, str]) -> _Row | None:
        if "problem" in values:
            self._tell(number, RowResult.INVALID, values["problem"])
            return None
        try:
            email, profile, choice = self._read(values)
        except (InputError, ValueError) as error:
            self._tell(number, RowResult.INVALID, _reason(error))
            return None
        key = self._hash_of(email)
        seen = bytes.fromhex(key)[:16], profile.id
        if seen in self._seen:
            self._tell(number, RowResult.DUPLICATE)
            return None
        self._seen.add(seen)
        if values.get("status", "").strip() == SubscriptionStatus.ENDED:
            self._tell(number, RowResult.LEFT)
            return None
        return _Row(number, email, key, profile, choice)

    def _read(self, values: Mapping[str, str]) -> tuple[str, Profile, Choice]:
        email = normalize(values.get("email", "")[:400])
        profile = self._profile(values.get("profile", "").strip())
        names = ("every", "at", "on", "time_zone", "edition", "language")
        return (
            email,
            profile,
            _choice(*(values.get(name, "").strip()[:80] for name in names), self._terms.time_zone),
        )

    def _profile(self, slug: str) -> Profile:
        profiles = self._terms.profiles
        if not slug and len(profiles) == 1:
            return next(iter(profiles.values()))
        if slug not in profiles:
            named = (
                f"There is no profile {slug!r}."
                if slug
                else "It names no profile, and several are stored."
            )
            raise InputError(named)
        return profiles[slug]

    def _people(self, keys: set[str]) -> dict[str, int]:
        chosen = select(Subscriber.address_hash, Subscriber.id).where(
            Subscriber.address_hash.in_(keys)
        )
        return dict(self._session.execute(chosen).all())

    def _standing(self, people: Iterable[int]) -> dict[tuple[int, int], SubscriptionStatus]:
        chosen = select(Subscription.subscriber_id, Subscription.profile_id, Subscription.status)
        found = self._session.execute(chosen.where(Subscription.subscriber_id.in_(list(people))))
        return {(person, profile): status for person, profile, status in found}

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
        subscriptions.add_people(self._session, new)
        people |= self._people(set(missing))
        ids = subscriptions.add_subscriptions(
            self._session, [self._columns(row, people[row.key]) for row in rows]
        )
        attested = self._terms.attested_by
        if attested is None:
            self.report.unasked += ids
            return
        given = [(one, row.choice.language) for one, row in zip(ids, rows, strict=True)]
        consent.record_many(self._session, given, "import", attested, self._now)

    def _columns(self, row: _Row, subscriber_id: int) -> dict[str, Any]:
        confirmed = self._terms.attested_by is not None
        return {
            "subscriber_id": subscriber_id,
            "profile_id": row.profile.id,
            "cadence": row.choice.schedule.cadence,
            "at": row.choice.schedule.at,
            "on": row.choice.schedule.on,
            "edition": row.choice.edition,
            "status": SubscriptionStatus.CONFIRMED if confirmed else SubscriptionStatus.PENDING,
            "link_id": secrets.token_urlsafe(16),
            "position": row.profile.position if confirmed else 0,
            "seen_snapshot": "",
            "hidden": [],
            "urgent": False,
            "next_due_at": self._next_due(row.choice.schedule) if confirmed else None,
            "last_mailed_at": self._now if confirmed else None,
            "created_at": self._now,
            "asked_at": self._now,
            "confirmed_at": self._now if confirmed else None,
        }

    def _uncached_next_due(self, schedule: Schedule) -> datetime | None:
        return schedule.next_after(self._now)

    def _tell(self, line: int, fate: RowResult, why: str = "") -> None:
        self.report.lines.append((line, fate, why or _WHY.get(fate, "")))


def _reason(error: Exception) -> str:
    """Why a line is invalid; the report may be kept or sent on: it names the line, and not the person."""
    if isinstance(error, AddressError):
        return str(error.__cause__ or "no e-mail address")
    if isinstance(error, InputError):
        return redacted(error.problem)
    # Half of a surrogate pair, for example.
    return "it holds characters that cannot be stored"


@lru_cache(maxsize=4096)
def _choice(
    every: str, at: str, on: str, zone: str, edition: str, language: str, default_zone: str
) -> Choice:
    for name, text, known in (("every", every, Cadence), ("edition", edition, Edition)):
        if text and text not in list(known):
            raise InputError(f"{name} is {text!r}; it can be {', '.join(known)}")
    cadence, words_for = Cadence(every or "weekly"), Edition(edition or "patient")
    if language and language not in LANGUAGES:
        raise InputError(f"{language!r} is not spoken here.")
    day = parse_on(on or None, cadence) if cadence in (Cadence.WEEKLY, Cadence.MONTHLY) else None
    wall = parse_at(at or "08:00")
    schedule = Schedule(cadence, wall, day, parse_zone(zone or default_zone))
    return Choice(schedule, words_for, language or SOURCE)


def export_rows(session: Session) -> Iterator[dict[str, str]]:
    """Everybody with each of their subscriptions, by the columns of an import and what is told besides."""
    chosen = (
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
        .execution_options(yield_per=_BATCH)
    )
    for one in session.execute(chosen):
        day = (
            ""
            if one.on is None
            else WEEKDAYS[one.on]
            if one.cadence is Cadence.WEEKLY
            else str(one.on)
        )
        yield {
            "email": one.email,
            "profile": one.slug,
            "every": str(one.cadence),
            "at": one.at,
            "on": day,
            "time_zone": one.time_zone,
            "edition": str(one.edition),
            "language": one.language,
            "status": str(one.status),
            "confirmed_at": one.confirmed_at.isoformat(timespec="seconds")
            if one.confirmed_at
            else "",
        }


def write(lines: Iterable[Mapping[str, str]], *, json_lines: bool) -> Iterator[str]:
    """The text of a list, piece by piece; in CSV nothing stands that a spreadsheet would run as a formula."""
    if json_lines:
        for line in lines:
            yield json.dumps(line, ensure_ascii=False) + "\n"
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *_TOLD))
    for line in lines:
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in line.values()])
        if buffer.tell() > _LONGEST_LINE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
