"""Import of many subscribers at once; `list_files` reads the file, `imported_rows` its lines.

Owns the result of each imported line. An import never subscribes somebody again who left, bounced,
complained or was erased, whatever the file says; and it never takes a person for confirmed whom
the file does not call so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from notifier.enums import ConsentEvent, SubscriptionStatus
from notifier.errors import InputError
from notifier.store import keys
from notifier.store.models import Profile
from notifier.subscribers import bulk, consent, list_files, subscriptions, suppressions
from notifier.subscribers.imported_rows import HashRow, Row, other_key, parse, reason_of
from notifier.subscribers.list_words import Standing
from notifier.subscribers.schedule import Schedule
from notifier.subscribers.subscriptions import new_link_id

# How many lines are looked up and stored together. Chosen by hand; not measured.
_BATCH = 1000
# Who attests what a list says of those who left, if nobody vouches for the list.
_THE_LIST = "the imported list"


class RowResult(StrEnum):
    """The result of one line of an import."""

    ADDED = "added"
    PENDING = "pending"
    PAUSED = "paused"
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
    RowResult.PAUSED: "paused",
    RowResult.PENDING: "not confirmed: gets no digest",
}
_RUNNING = SubscriptionStatus.RUNNING
_RESULTS = {
    SubscriptionStatus.CONFIRMED: RowResult.ADDED,
    SubscriptionStatus.PAUSED: RowResult.PAUSED,
    SubscriptionStatus.PENDING: RowResult.PENDING,
    SubscriptionStatus.ENDED: RowResult.LEFT,
}


@dataclass
class Report:
    """The outcome of an import.

    Attributes:
        lines: for each line its number, its result and the reason, which names no address.
        unasked: the ids of the subscriptions whose owners must be asked to confirm.
        forgotten: how many suppressed addresses could not be taken over.
    """

    lines: list[tuple[int, RowResult, str]] = field(default_factory=list)
    unasked: list[int] = field(default_factory=list)
    forgotten: int = 0

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
        asks_pending: those whom the file calls not confirmed are asked by mail, too.
        without_erased: leave out suppressed addresses that are known by another key's hashes.
    """

    profiles: Mapping[str, Profile]
    time_zone: str
    attested_by: str | None = None
    dry: bool = False
    asks_pending: bool = False
    without_erased: bool = False


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
        InputError: the file cannot be read, or it holds hashes of suppressed addresses that were
            made with another key.
    """
    importer = _Importer(session, options, now)
    remaining = iter(lines)
    while batch := list(islice(remaining, _BATCH)):
        importer.take(batch)
        progress(len(importer.report.lines))
    importer.report.lines.sort()
    return importer.report


class _Importer:
    """One import; it remembers the lines above, to find duplicates."""

    def __init__(self, session: Session, options: ImportOptions, now: datetime) -> None:
        self._session, self._options, self._now = session, options, now
        self._hash_of = keys.hasher(session)
        # The standing of each person and profile in the lines above.
        self._seen: dict[tuple[bytes, int], Standing] = {}
        self.report = Report()
        # Most lines of a list share a few schedules.
        self._next_due = lru_cache(maxsize=4096)(self._uncached_next_due)

    def take(self, lines: Iterable[tuple[int, Mapping[str, str]]]) -> None:
        """Judge a batch of lines, and store what is new."""
        rows = self._distinct(lines)
        suppressed = suppressions.among(self._session, {key for key, _ in rows})
        people = bulk.ids_by_hash(self._session, {key for key, _ in rows})
        stored = bulk.stored(self._session, people.values())
        new, changed = [], []
        for key, row in rows:
            known = stored.get((people.get(key, 0), row.profile.id)) if row.profile else None
            if key in suppressed and (known or not row.beside):
                reason = f"suppressed: {suppressions.describe(suppressed[key])}"
                self._report(row.line, RowResult.SUPPRESSED, reason)
            elif known is None:
                self._report_new(row)
                new.append((key, row))
            elif known.status is SubscriptionStatus.ENDED and not row.is_suppression:
                self._report(row.line, RowResult.LEFT)
            else:
                changed.append((key, row, known))
        self._change(changed)
        if not self._options.dry:
            self._store(new, people)

    def _distinct(self, lines: Iterable[tuple[int, Mapping[str, str]]]) -> list[tuple[str, Row]]:
        """Return the rows of a batch with their hashes: each person and profile once.

        Where a line says no and another one about the same person yes, the no counts.
        """
        rows: dict[tuple[bytes, int], tuple[str, Row]] = {}
        for number, cells in lines:
            row = self._row(number, cells)
            if row is None:
                continue
            key = self._hash_of(row.email)
            # Half of the hash is enough to tell the addresses of a list apart, and saves memory.
            identity = bytes.fromhex(key)[:16], row.profile.id if row.profile else 0
            standing = row.standing or Standing.CONFIRMED
            if standing <= self._seen.get(identity, -1):
                self._report(number, RowResult.DUPLICATE)
                continue
            self._seen[identity] = standing
            if identity in rows:
                self._report(
                    number, RowResult.DUPLICATE, f"it counts for line {rows[identity][1].line}"
                )
                row = replace(row, line=rows[identity][1].line)
            rows[identity] = key, row
        return list(rows.values())

    def _row(self, number: int, cells: Mapping[str, str]) -> Row | None:
        """Return a line about a person; report any other, and return None."""
        if list_files.PROBLEM in cells:
            self._report(number, RowResult.INVALID, cells[list_files.PROBLEM])
            return None
        try:
            row = parse(number, cells, self._options.profiles, self._options.time_zone)
        except (InputError, ValueError) as error:
            self._report(number, RowResult.INVALID, reason_of(error))
            return None
        if isinstance(row, HashRow):
            self._take_hash(row)
            return None
        return row

    def _take_hash(self, row: HashRow) -> None:
        """Suppress an address that is known by its hash, if it was made with our key."""
        if row.key != keys.name_of_key(self._session) and not self._adopts_salt(row):
            if not self._options.without_erased:
                raise other_key()
            self.report.forgotten += 1
            reason = "left out: known by another key's hash only"
            self._report(row.line, RowResult.SUPPRESSED, reason)
            return
        if not self._options.dry:
            at = min(row.since or self._now, self._now)
            suppressions.add(self._session, row.address_hash, row.cause, row.reason, at)
        self._report(row.line, RowResult.SUPPRESSED, f"suppressed: {row.cause}")

    def _adopts_salt(self, row: HashRow) -> bool:
        """Take over the salt of the file's hashes, if nothing was hashed here yet."""
        if self._options.dry:
            return keys.may_adopt_salt(self._session, row.key)
        if not keys.adopt_salt(self._session, row.key):
            return False
        self._hash_of = keys.hasher(self._session)
        return True

    def _change(self, changed: list[tuple[str, Row, bulk.Stored]]) -> None:
        """Report those who are stored already; a no ends what an import began."""
        # A status that cannot be read may be one that runs.
        running = {
            known.id for _, _, known in changed if known.status is None or known.status in _RUNNING
        }
        says_no = {
            known.id
            for _, row, known in changed
            if row.is_suppression or (row.standing is Standing.ENDED and known.id in running)
        }
        own_choices = bulk.agreed_to_by_owner(self._session, says_no & running)
        pending = {
            known.id
            for _, row, known in changed
            if known.status is SubscriptionStatus.PENDING and not row.is_no
        }
        unasked = bulk.never_asked(self._session, pending if self._options.asks_pending else ())
        for key, row, known in changed:
            if known.id in unasked:
                self.report.unasked.append(known.id)
                self._report(row.line, RowResult.PENDING, "stored before; is asked by mail now")
            elif known.id not in says_no or known.id in own_choices:
                self._report(row.line, RowResult.KNOWN)
            else:
                self._report_new(row)
                if not self._options.dry:
                    self._end(key, row, known.id)

    def _end(self, key: str, row: Row, subscription_id: int) -> None:
        if row.is_suppression:
            self._suppress(key, row)
            return
        attested_by = self._options.attested_by or _THE_LIST
        subscriptions.end_by_id(self._session, subscription_id, "import", attested_by, self._now)

    def _suppress(self, key: str, row: Row) -> None:
        at = min(row.since or self._now, self._now)
        suppressions.add(self._session, key, row.cause, row.reason, at)

    def _store(self, rows: list[tuple[str, Row]], people: dict[str, int]) -> None:
        for key, row in rows:
            if row.is_suppression:
                self._suppress(key, row)
        subscribing = [
            (key, row, profile, status)
            for key, row in rows
            if (profile := row.profile) and (status := self._status_of(row))
        ]
        missing: dict[str, Row] = {}
        for key, row, _, _ in subscribing:
            if key not in people:
                missing.setdefault(key, row)
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
        bulk.insert_subscribers(self._session, new)
        people |= bulk.ids_by_hash(self._session, missing)
        columns = [
            self._columns(row, profile, status, people[key])
            for key, row, profile, status in subscribing
        ]
        ids = bulk.insert_subscriptions(self._session, columns)
        self._record(
            [(id_, row, status) for id_, (_, row, _, status) in zip(ids, subscribing, strict=True)]
        )

    def _record(self, stored: list[tuple[int, Row, SubscriptionStatus]]) -> None:
        """Add what was stored to the ledger of consent, and to those who are asked."""
        self.report.unasked += [
            id_
            for id_, row, status in stored
            if status is SubscriptionStatus.PENDING and self._is_asked(row)
        ]
        events = {
            SubscriptionStatus.CONFIRMED: ConsentEvent.GIVEN,
            SubscriptionStatus.PAUSED: ConsentEvent.GIVEN,
            SubscriptionStatus.ENDED: ConsentEvent.WITHDRAWN,
        }
        attested_by = self._options.attested_by or _THE_LIST
        for event in ConsentEvent:
            rows = [
                (id_, row.choice.language)
                for id_, row, status in stored
                if events.get(status) is event
            ]
            consent.record_many(self._session, rows, event, "import", attested_by, self._now)

    def _status_of(self, row: Row) -> SubscriptionStatus | None:
        """Return the status of a line's subscription; None if only the address is suppressed."""
        attested = self._options.attested_by is not None
        if row.is_suppression:
            if row.beside in SubscriptionStatus.RUNNING and not attested:
                return SubscriptionStatus.PENDING
            return row.beside
        if row.standing is Standing.ENDED:
            return SubscriptionStatus.ENDED
        if row.standing is Standing.PENDING or not attested:
            return SubscriptionStatus.PENDING
        is_paused = row.standing is Standing.PAUSED
        return SubscriptionStatus.PAUSED if is_paused else SubscriptionStatus.CONFIRMED

    def _is_asked(self, row: Row) -> bool:
        """Return whether somebody whose consent is missing is asked by mail."""
        if row.is_suppression:
            return False
        return self._options.asks_pending or row.standing in (None, Standing.CONFIRMED)

    def _columns(
        self, row: Row, profile: Profile, status: SubscriptionStatus, subscriber_id: int
    ) -> dict[str, Any]:
        runs = status in SubscriptionStatus.RUNNING
        ended = status is SubscriptionStatus.ENDED
        schedule = row.choice.schedule
        return {
            "subscriber_id": subscriber_id,
            "profile_id": profile.id,
            "cadence": schedule.cadence,
            "at": schedule.at,
            "on": schedule.on,
            "edition": row.choice.edition,
            "status": status,
            "link_id": new_link_id(),
            "position": profile.position if runs else 0,
            "seen_snapshot": "",
            "hidden": [*(row.choice.hidden or ())],
            "urgent": bool(row.choice.urgent),
            "next_due_at": self._next_due(schedule)
            if status is SubscriptionStatus.CONFIRMED
            else None,
            "paused_until": row.until if status is SubscriptionStatus.PAUSED else None,
            "last_mailed_at": self._now if runs else None,
            "created_at": self._now,
            "asked_at": self._now,
            "confirmed_at": self._now if runs else None,
            "ended_at": min(row.since or self._now, self._now) if ended else None,
        }

    def _uncached_next_due(self, schedule: Schedule) -> datetime | None:
        return schedule.next_after(self._now)

    def _report_new(self, row: Row) -> None:
        """Report a line that is not about somebody who is stored."""
        if row.is_suppression:
            self._report(row.line, RowResult.SUPPRESSED, f"suppressed: {row.cause}")
            return
        status = self._status_of(row)
        asked = status is SubscriptionStatus.PENDING and self._is_asked(row)
        plain = asked and row.standing in (None, Standing.CONFIRMED)
        result = RowResult.ADDED if plain or status is None else _RESULTS[status]
        if row.standing is Standing.PENDING and not row.word:
            self._report(row.line, result, "its status is empty, which is not confirmed")
        elif result is RowResult.PENDING and asked:
            self._report(row.line, result, "not confirmed: is asked by mail")
        else:
            self._report(row.line, result)

    def _report(self, line: int, result: RowResult, reason: str = "") -> None:
        self.report.lines.append((line, result, reason or _REASONS.get(result, "")))
