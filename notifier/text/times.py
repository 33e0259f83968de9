"""Times as people write them: times of day, days, moments, whole numbers, names of time zones.

Owns the one way in which each is read, so that a form, a list or an option accepts exactly what is
used later. Only ASCII digits are accepted: `int`, `str.isdecimal` and regular expressions also take
the digits of other scripts, which other programs may refuse.
"""

import re
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

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
# The form of a name; the longest one has 32 characters.
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}")
_LONGEST_ZONE_NAME = 64
# Names in a machine's folder that mean another thing on another machine, or count leap seconds.
_OF_MACHINES = ("localtime", "posixrules", _NO_ZONE)
_COPIES = ("posix/", "right/")
# Names that the IANA database has given up, by their successors: all that its files `backward`,
# `systemv` and `solar87` to `solar89` had, and that it lists no more.
_RETIRED = {
    "America/Los_Angeles": ("US/Pacific-New", "SystemV/PST8PDT"),
    "America/Regina": ("Canada/East-Saskatchewan", "SystemV/CST6"),
    "America/Halifax": ("SystemV/AST4ADT",),
    "America/Puerto_Rico": ("SystemV/AST4",),
    "America/New_York": ("SystemV/EST5EDT",),
    "America/Panama": ("SystemV/EST5",),
    "America/Chicago": ("SystemV/CST6CDT",),
    "America/Denver": ("SystemV/MST7MDT",),
    "America/Phoenix": ("SystemV/MST7",),
    "Pacific/Pitcairn": ("SystemV/PST8",),
    "America/Anchorage": ("SystemV/YST9YDT",),
    "Pacific/Gambier": ("SystemV/YST9",),
    "Pacific/Honolulu": ("SystemV/HST10",),
    "Asia/Riyadh": (
        *("Asia/Riyadh87", "Asia/Riyadh88", "Asia/Riyadh89"),
        *("Mideast/Riyadh87", "Mideast/Riyadh88", "Mideast/Riyadh89"),
    ),
}
_SUCCESSORS = {old: new for new, names in _RETIRED.items() for old in names}


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

    These are what a form offers. The folder of this machine may have more (``localtime``,
    ``right/…``, ``posix/…``), which mean something else on another machine.
    """
    text = (files("tzdata") / "zones").read_text(encoding="ascii")
    return frozenset(text.split()) - {_NO_ZONE}


def zone(name: str) -> ZoneInfo:
    """Return the time zone of a name, in exactly this spelling.

    Raises:
        ValueError: neither the IANA database nor this machine has such a zone.
    """
    if name not in zone_names() and not _is_known_here(name):
        raise ValueError("time zones look like Europe/Berlin or UTC")
    return ZoneInfo(name)


def zone_or_utc(name: str) -> ZoneInfo:
    """Return the time zone of a stored name; UTC where there is no such zone any more."""
    try:
        return zone(name)
    except ValueError:
        return ZoneInfo("UTC")


def beginning(calendar_day: date, zone_name: str) -> datetime:
    """Return the first moment of a day in the time zone of a stored name, in UTC."""
    return datetime.combine(calendar_day, time(), zone_or_utc(zone_name)).astimezone(UTC)


def successor(name: str) -> str:
    """Return the name that replaced one that the IANA database has given up; else the same."""
    for prefix in _COPIES:
        name = name.removeprefix(prefix)
    return _SUCCESSORS.get(name, name)


@lru_cache(maxsize=1_000)
def _is_known_here(name: str) -> bool:
    """Return whether the time zone data of this machine has a zone that ours lacks.

    New zones reach a machine by its system's updates, before this program's.
    """
    if len(name) > _LONGEST_ZONE_NAME or not _ZONE_NAME.fullmatch(name):
        return False
    if name in _OF_MACHINES or name.startswith(_COPIES):
        return False
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    # A file system that ignores case also opens other spellings.
    return name in available_timezones()


def _check_year(value: date) -> None:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"years go from {_FIRST_YEAR} to {_LAST_YEAR}")


def _years_later(value: date, years: int) -> date:
    """Return the same day some years later; 28 February if that year has no 29th."""
    try:
        return value.replace(year=value.year + years)
    except ValueError:
        return value.replace(year=value.year + years, day=28)
