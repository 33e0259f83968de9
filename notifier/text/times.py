"""Times as people write them: wall times, days, moments, whole numbers and the names of time zones.

Owns the one way in which each is read, so that what a form, a list or an option accepts is exactly
what is used later. ASCII alone: `int`, `str.isdecimal` and regular expressions take the digits of
every script, which the next reader may refuse.
"""

import re
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

# Nobody plans a pause beyond, and arithmetic far beyond overflows (`datetime` ends with the year
# 9999).
_YEARS_AHEAD = 5

_WALL_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# ISO 8601 as RFC 3339 has it; seconds and the offset may be left out.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
# A name of the database that stands for "not set yet" and is no zone.
_NO_ZONE = "Factory"


def wall_time(text: str) -> time:
    """A time of day, ``"HH:MM"`` or ``"H:MM"``.

    Raises:
        ValueError: it is none.
    """
    match = _WALL_TIME.fullmatch(text)
    if match is None:
        raise ValueError("a time of day looks like 08:00")
    return time(int(match[1]), int(match[2]))


def day(text: str) -> date:
    """A calendar day, ``"YYYY-MM-DD"`` and nothing else, from 1900 to 2100.

    Raises:
        ValueError: it is none.
    """
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("a day looks like 2026-03-01")
    value = date(int(match[1]), int(match[2]), int(match[3]))
    _check_year(value)
    return value


def day_ahead(text: str, today: date) -> date:
    """A day from today to five years ahead, ``"YYYY-MM-DD"``.

    Raises:
        ValueError: it is none, or lies outside.
    """
    value = day(text)
    if not today <= value <= _years_later(today, _YEARS_AHEAD):
        raise ValueError("a day lies between today and five years ahead")
    return value


def moment(text: str) -> datetime:
    """A moment in ISO 8601, ``"2026-03-01T08:00:00+01:00"``, from 1900 to 2100; without an offset it is UTC.

    A day alone is its first moment.

    Raises:
        ValueError: it is none.
    """
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("a moment looks like 2026-03-01T08:00:00+01:00")
    value = datetime.fromisoformat(text.upper())
    _check_year(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def whole_number(text: str, least: int, most: int) -> int:
    """A whole number in ASCII digits, without a sign.

    Raises:
        ValueError: it is none, or lies outside.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise ValueError(f"a number from {least} to {most}")
    return int(text)


@cache
def zone_names() -> frozenset[str]:
    """The time zones of the IANA database, links of older names included; not what this machine has besides.

    A machine's folder may hold names that others lack (``localtime``, ``right/…``, ``posix/…``): a
    list that names one could not be read elsewhere, and ``right/…`` counts leap seconds.
    """
    text = (files("tzdata") / "zones").read_text(encoding="ascii")
    return frozenset(text.split()) - {_NO_ZONE}


def zone(name: str) -> ZoneInfo:
    """The time zone of this name, in exactly this spelling.

    Raises:
        ValueError: the IANA database has none.
    """
    if name not in zone_names():
        raise ValueError("time zones look like Europe/Berlin or UTC")
    return ZoneInfo(name)


def _check_year(value: date) -> None:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"years go from {_FIRST_YEAR} to {_LAST_YEAR}")


def _years_later(value: date, years: int) -> date:
    """The same day so many years later; 28 February for a 29th that year lacks."""
    try:
        return value.replace(year=value.year + years)
    except ValueError:
        return value.replace(year=value.year + years, day=28)
