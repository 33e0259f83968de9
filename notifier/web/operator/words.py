"""Words of the operator pages: times, numbers and statuses as an editor reads them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from notifier.enums import Cadence
from notifier.i18n.catalog import ENGLISH
from notifier.subscribers.numbers import FEWEST_SHOWN
from notifier.text import times

CADENCES: Mapping[Cadence, str] = {
    Cadence.IMMEDIATE: "as soon as there is news",
    Cadence.DAILY: "daily",
    Cadence.WEEKLY: "weekly",
    Cadence.MONTHLY: "monthly",
}
FEWER = f"fewer than {FEWEST_SHOWN}"


class Clock:
    """Times in the installation's zone, in words.

    Args:
        zone: the name of the time zone.
        now: the moment at which the page is shown.
    """

    def __init__(self, zone: str, now: datetime) -> None:
        self.zone = zone
        self._zone = times.zone_or_utc(zone)
        self.this_day = now.astimezone(self._zone).date()
        self.date = f"{self.this_day:%A}, {self.this_day.day} {self.this_day:%B %Y}"

    def day(self, moment: datetime) -> str:
        """Return the day of a moment: ``today``, ``tomorrow``, ``Mon 9 March``."""
        return self._day(moment.astimezone(self._zone).date())

    def moment(self, moment: datetime) -> str:
        """Return a moment: ``tomorrow at 08:00``, ``Mon 9 March at 08:00``."""
        local = moment.astimezone(self._zone)
        return f"{self._day(local.date())} at {local:%H:%M}"

    def full(self, moment: datetime) -> str:
        """Return a moment with its zone: ``Monday, 2 March 2026, 08:00 (UTC)``."""
        return f"{ENGLISH.moment(moment.astimezone(self._zone))} ({self.zone})"

    def short(self, moment: datetime) -> str:
        """Return a moment for lists: ``Mon 2 Mar 2026, 08:00``."""
        local = moment.astimezone(self._zone)
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"

    def dated(self, moment: datetime | None) -> str:
        """Return a moment with its zone, short: ``2 Mar 2026, 08:00 CET``; a dash for none."""
        if moment is None:
            return "–"
        local = moment.astimezone(self._zone)
        return f"{local.day} {local:%b %Y, %H:%M %Z}"

    def labels(self, moments: Sequence[datetime]) -> list[str]:
        """Return short labels for moments in a row: without the day where all are of one day."""
        local = [moment.astimezone(self._zone) for moment in moments]
        if len({each.date() for each in local}) == 1:
            return [f"{each:%H:%M}" for each in local]
        return [f"{each.day} {each:%b, %H:%M}" for each in local]

    def ends(self, days: int) -> list[datetime]:
        """Return the end of each of the next days, today first."""
        nights = [self.this_day + timedelta(days=number + 1) for number in range(days)]
        return [datetime.combine(night, time(), self._zone) for night in nights]

    def names(self, days: int) -> list[str]:
        """Return the short names of the next days, today first: ``Mon 2``."""
        return [
            f"{day:%a} {day.day}"
            for day in (self.this_day + timedelta(days=number) for number in range(days))
        ]

    def _day(self, day: date) -> str:
        named = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((day - self.this_day).days)
        if named:
            return named
        if day.year == self.this_day.year:
            return f"{day:%a} {day.day} {day:%B}"
        return f"{day.day} {day:%B} {day.year}"


def count(value: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 mail``, ``1,204 mails``."""
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"


def people(number: int) -> str:
    """Return a number of people as it is shown: a small one could point at one of them."""
    return FEWER if 0 < number < FEWEST_SHOWN else f"{number:,}"


def readers(number: int) -> str:
    """Return a number of readers: ``0 readers``, ``fewer than 5 readers``, ``1,204 readers``."""
    return f"{people(number)} readers"


def up_to(number: int) -> str:
    """Return how many readers something can have: ``up to 1,204 readers``."""
    return readers(number) if 0 < number < FEWEST_SHOWN else f"up to {readers(number)}"
