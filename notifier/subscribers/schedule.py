"""Due times: a cadence and a wall time in a zone become the next moment, as an aware UTC time.

Pure. A wall time that a clock change skips means the first valid minute after it; one that occurs
twice means the first; the 31st means a shorter month's last day.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.enums import Cadence
from notifier.errors import InputError
from notifier.i18n.catalog import ENGLISH, Language
from notifier.text import times

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MINUTE = timedelta(minutes=1)
# The day before, a whole month, and a day that a zone skipped when it changed sides of the date
# line.
_DAYS_TO_SEARCH = 34


def next_due(
    cadence: Cadence, at: str, on: int | None, zone: str, after: datetime
) -> datetime | None:
    """The first due moment later than `after`.

    Args:
        cadence: `immediate` has no due time of its own: None is returned.
        at: wall time, ``"HH:MM"``.
        on: weekday 0 (Monday) to 6 for weekly, day 1 to 31 for monthly, else unused.
        zone: an IANA time zone.
        after: aware; usually now.

    Raises:
        ValueError: no such time of day, zone or day.
    """
    if cadence is Cadence.IMMEDIATE:
        return None
    place, wall = times.zone(zone), times.wall_time(at)
    yesterday = after.astimezone(place).date() - timedelta(days=1)
    for days in range(_DAYS_TO_SEARCH):
        day = yesterday + timedelta(days=days)
        if _falls_on(day, cadence, on):
            moment = _moment(datetime.combine(day, wall), place)
            if moment > after:
                return moment
    raise ValueError(f"such a day never comes: {cadence}, {on!r}")


def _falls_on(day: date, cadence: Cadence, on: int | None) -> bool:
    if cadence is Cadence.WEEKLY:
        return day.weekday() == on
    if cadence is Cadence.MONTHLY:
        return on is not None and day.day == min(on, monthrange(day.year, day.month)[1])
    return True


def _moment(wall: datetime, place: ZoneInfo) -> datetime:
    while True:
        moment = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
        if moment.astimezone(place).replace(tzinfo=None) == wall:
            return moment
        wall += _MINUTE


def months_earlier(moment: datetime, months: int) -> datetime:
    """The same day of the month so many months before, or that month's last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(
        year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1])
    )


def check(cadence: Cadence, at: str, on: int | None, zone: str) -> None:
    """Refuse a schedule that no due time can be worked out of.

    Raises:
        InputError: a wall time, a zone, or a day that does not go with the cadence.
    """
    parse_at(at)
    parse_zone(zone)
    days = {Cadence.WEEKLY: range(7), Cadence.MONTHLY: range(1, 32)}.get(cadence)
    if (on is not None) if days is None else (on not in days):
        raise InputError(
            f"{on!r} is no day for {cadence}.", "Weekly takes 0 to 6, monthly 1 to 31, others none."
        )


def parse_at(text: str) -> str:
    """A wall time as ``"HH:MM"``.

    Raises:
        InputError: it is none.
    """
    try:
        return times.wall_time(text).strftime("%H:%M")
    except ValueError as error:
        raise InputError(
            f"{text!r} is no time of day.", "Write it as HH:MM, for example 08:00."
        ) from error


def parse_on(text: str | None, cadence: Cadence) -> int | None:
    """The day of a cadence: a weekday's name for weekly (Monday if none is given), 1 to 31 for monthly (1).

    Raises:
        InputError: a day that does not go with the cadence.
    """
    if cadence in (Cadence.DAILY, Cadence.IMMEDIATE):
        if text is not None:
            raise InputError(
                f"--on does not go with {cadence}.", "Leave it out, or choose weekly or monthly."
            )
        return None
    if cadence is Cadence.WEEKLY:
        name = (text or WEEKDAYS[0]).lower()
        matching = [
            index for index, day in enumerate(WEEKDAYS) if len(name) >= 3 and day.startswith(name)
        ]
        if not matching:
            raise InputError(f"{text!r} is no weekday.", f"Give one of: {', '.join(WEEKDAYS)}.")
        return matching[0]
    try:
        return times.whole_number(text or "1", 1, 31)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no day of a month.", "Give a number from 1 to 31; 31 means the last day."
        ) from error


def parse_zone(name: str) -> str:
    """A time zone of the IANA database, in exactly this spelling.

    Raises:
        InputError: there is none of this name.
    """
    try:
        return times.zone(name).key
    except ValueError as error:
        raise InputError(
            f"There is no time zone {name!r}.", "Names look like Europe/Berlin or UTC."
        ) from error


def in_words(
    cadence: Cadence, at: str, on: int | None, zone: str, spoken: Language = ENGLISH
) -> str:
    """The schedule as a person says it: ``"weekly, on Monday at 08:00 (Europe/Berlin)"``."""
    if cadence is Cadence.IMMEDIATE:
        return spoken.gettext("as soon as there is news")
    if cadence is Cadence.WEEKLY and on is not None:
        day = spoken.weekday(on)
        return spoken.gettext(
            "weekly, on %(weekday)s at %(time)s (%(zone)s)", weekday=day, time=at, zone=zone
        )
    if cadence is Cadence.MONTHLY and on == 31:
        return spoken.gettext(
            "monthly, on the last day of the month at %(time)s (%(zone)s)", time=at, zone=zone
        )
    if cadence is Cadence.MONTHLY and on is not None:
        return spoken.gettext(
            "monthly, on day %(day)s of the month at %(time)s (%(zone)s)",
            day=on,
            time=at,
            zone=zone,
        )
    return spoken.gettext("daily, at %(time)s (%(zone)s)", time=at, zone=zone)
