"""Schedules: a cadence and a wall time in a zone become the next due time, as an aware UTC time.

Pure. A wall time that a clock change skips means the first valid minute after it; one that occurs
twice means the first; the 31st means a shorter month's last day.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.enums import Cadence
from notifier.errors import InputError
from notifier.i18n.catalog import ENGLISH, Language
from notifier.text import times

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MINUTE = timedelta(minutes=1)
# Counted from yesterday: the longest wait is a month of 31 days, and a zone that changes sides of
# the date line skips one more.
_DAYS_TO_SEARCH = 34


@dataclass(frozen=True)
class Schedule:
    """The times at which somebody gets their digests.

    A plain value: it can hold what a damaged row holds. `check` refuses what is not valid.

    Attributes:
        cadence: how often; `immediate` has no due time of its own.
        at: the wall time, ``"HH:MM"``.
        on: the weekday, 0 (Monday) to 6, for weekly; the day of the month, 1 to 31, for monthly;
            else None.
        time_zone: a name of the IANA time zone database.
    """

    cadence: Cadence
    at: str
    on: int | None
    time_zone: str

    def check(self) -> None:
        """Refuse a schedule without due times.

        Raises:
            InputError: the wall time, the zone or the day is not valid.
        """
        parse_at(self.at)
        parse_zone(self.time_zone)
        days = {Cadence.WEEKLY: range(7), Cadence.MONTHLY: range(1, 32)}.get(self.cadence)
        if (self.on is not None) if days is None else (self.on not in days):
            raise InputError(
                f"{self.on!r} is not a day of a {self.cadence} schedule.",
                "Weekly takes 0 to 6, monthly 1 to 31, others none.",
            )

    def next_after(self, now: datetime) -> datetime | None:
        """Return the first due time later than `now`, in UTC; None for `immediate`.

        Args:
            now: an aware time.

        Raises:
            ValueError: the wall time, the zone or the day is not valid.
        """
        if self.cadence is Cadence.IMMEDIATE:
            return None
        zone, wall = times.zone(self.time_zone), times.wall_time(self.at)
        yesterday = now.astimezone(zone).date() - timedelta(days=1)
        for days in range(_DAYS_TO_SEARCH):
            day = yesterday + timedelta(days=days)
            if self._falls_on(day):
                moment = _moment(datetime.combine(day, wall), zone)
                if moment > now:
                    return moment
        raise ValueError(f"such a day never comes: {self.cadence}, {self.on!r}")

    def _falls_on(self, day: date) -> bool:
        if self.cadence is Cadence.WEEKLY:
            return day.weekday() == self.on
        if self.cadence is Cadence.MONTHLY:
            return self.on is not None and day.day == min(
                self.on, monthrange(day.year, day.month)[1]
            )
        return True

    def describe(self, language: Language = ENGLISH) -> str:
        """Return the schedule in words: ``"weekly, on Monday at 08:00 (Europe/Berlin)"``."""
        at, on, zone = self.at, self.on, self.time_zone
        if self.cadence is Cadence.IMMEDIATE:
            return language.gettext("as soon as there is news")
        if self.cadence is Cadence.WEEKLY and on is not None:
            return language.gettext(
                "weekly, on %(weekday)s at %(time)s (%(zone)s)",
                weekday=language.weekday(on),
                time=at,
                zone=zone,
            )
        if self.cadence is Cadence.MONTHLY and on == 31:
            return language.gettext(
                "monthly, on the last day of the month at %(time)s (%(zone)s)", time=at, zone=zone
            )
        if self.cadence is Cadence.MONTHLY and on is not None:
            return language.gettext(
                "monthly, on day %(day)s of the month at %(time)s (%(zone)s)",
                day=on,
                time=at,
                zone=zone,
            )
        return language.gettext("daily, at %(time)s (%(zone)s)", time=at, zone=zone)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first time at or after a naive wall time that exists in the zone, in UTC."""
    while True:
        moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
        wall += _MINUTE


def months_earlier(moment: datetime, months: int) -> datetime:
    """Return the same day so many months before, or that month's last day if it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(
        year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1])
    )


def parse_at(text: str) -> str:
    """Return a wall time as ``"HH:MM"``.

    Raises:
        InputError: the text is not a wall time.
    """
    try:
        return times.wall_time(text).strftime("%H:%M")
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a time of day.", "Write it as HH:MM, for example 08:00."
        ) from error


def parse_on(text: str | None, cadence: Cadence) -> int | None:
    """Return the day of a weekly or monthly schedule, as `Schedule.on` has it.

    Args:
        text: for weekly an English weekday or its first three letters or more, Monday if None;
            for monthly a number from 1 to 31, the first if None; for other cadences None.
        cadence: decides how the text is read.

    Raises:
        InputError: the day does not fit the cadence.
    """
    if cadence in (Cadence.DAILY, Cadence.IMMEDIATE):
        if text is not None:
            raise InputError(
                f"--on cannot be used with {cadence}.", "Leave it out, or choose weekly or monthly."
            )
        return None
    if cadence is Cadence.WEEKLY:
        name = (text or WEEKDAYS[0]).lower()
        matching = [
            index for index, day in enumerate(WEEKDAYS) if len(name) >= 3 and day.startswith(name)
        ]
        if not matching:
            raise InputError(f"{text!r} is not a weekday.", f"Give one of: {', '.join(WEEKDAYS)}.")
        return matching[0]
    try:
        return times.whole_number(text or "1", 1, 31)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a day of a month.",
            "Give a number from 1 to 31; 31 means the last day.",
        ) from error


def parse_zone(name: str) -> str:
    """Return the name of a time zone, if it is spelt exactly so; a retired name's successor.

    Raises:
        InputError: there is no time zone of this name.
    """
    try:
        return times.zone(times.successor(name)).key
    except ValueError as error:
        raise InputError(
            f"There is no time zone {name!r}.", "Names look like Europe/Berlin or UTC."
        ) from error
