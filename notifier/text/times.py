"""Times as people write them: times of day, days, moments, whole numbers, names of time zones.

Owns the one way in which each is read, so that a form, a list or an option accepts exactly what is
used later. Only ASCII digits are accepted: `int`, `str.isdecimal` and regular expressions also take
the digits of other scripts, which other programs may refuse.
"""

import re
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

# For the end of a pause. Chosen by hand; arithmetic far beyond it would overflow (`datetime` ends
# with the year 9999).
_YEARS_AHEAD = 5

_WALL_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# ISO 8601 in the form of RFC 3339; seconds and the offset may be missing.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
# A name in the database that means "not set yet"; it is not a time zone.
_NO_ZONE = "Factory"


def wall_time(text: str) -> time:
    """Read a time of day, ``"HH:MM"`` or ``"H:MM"``.

    Raises:
        ValueError: the text has another form.
    """
    match = _WALL_TIME.fullmatch(text)
    if match is None:
        raise ValueError("a time of day looks like 08:00")
    return time(int(match[1]), int(match[2]))


def day(text: str) -> date:
    """Read a calendar day, ``"YYYY-MM-DD"`` only, from 1900 to 2100.

    Raises:
        ValueError: the text has another form, or there is no such day.
    """
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("a day looks like 2026-03-01")
    value = date(int(match[1]), int(match[2]), int(match[3]))
    _check_year(value)
    return value


def day_ahead(text: str, today: date) -> date:
    """Read a day from today to five years ahead, ``"YYYY-MM-DD"``.

    Raises:
        ValueError: the text has another form, or the day is outside of this range.
    """
    value = day(text)
    if not today <= value <= _years_later(today, _YEARS_AHEAD):
        raise ValueError("a day lies between today and five years ahead")
    return value


def moment(text: str) -> datetime:
    """Read a moment in ISO 8601, ``"2026-03-01T08:00:00+01:00"``, from 1900 to 2100.

    Without an offset it is in UTC; a day alone is its first moment.

    Returns:
        An aware time.

    Raises:
        ValueError: the text has another form, or there is no such moment.
    """
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("a moment looks like 2026-03-01T08:00:00+01:00")
    value = datetime.fromisoformat(text.upper())
    _check_year(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def whole_number(text: str, least: int, most: int) -> int:
    """Read a whole number in ASCII digits, without a sign.

    Raises:
        ValueError: the text has another form, or the number is not from `least` to `most`.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise ValueError(f"a number from {least} to {most}")
    return int(text)


@cache
def zone_names() -> frozenset[str]:
    """Return the time zones of the IANA database, with links of older names.

    The folder of this machine is not used: it may have names that other machines lack
    (``localtime``, ``right/…``, ``posix/…``), so that a list with such a name could not be read
    there; and ``right/…`` counts leap seconds.
    """
    text = (files("tzdata") / "zones").read_text(encoding="ascii")
    return frozenset(text.split()) - {_NO_ZONE}


def zone(name: str) -> ZoneInfo:
    """Return the time zone of a name, in exactly this spelling.

    Raises:
        ValueError: the IANA database has no such name.
    """
    if name not in zone_names():
        raise ValueError("time zones look like Europe/Berlin or UTC")
    return ZoneInfo(name)


def _check_year(value: date) -> None:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"years go from {_FIRST_YEAR} to {_LAST_YEAR}")


def _years_later(value: date, years: int) -> date:
    """Return the same day some years later; 28 February if that year has no 29th."""
    try:
        return value.replace(year=value.year + years)
    except ValueError:
        return value.replace(year=value.year + years, day=28)
