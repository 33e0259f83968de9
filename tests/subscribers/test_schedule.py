"""Due times: wall time in the reader's zone, through clock changes and short months."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.enums import Cadence
from notifier.errors import InputError
from notifier.subscribers.schedule import Schedule, parse_at, parse_on, parse_zone

# Naive, because hypothesis adds the zone.
EARLIEST, LATEST = datetime(2024, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001


def due(cadence: str, at: str, on: int | None, zone: str, after: str) -> str:
    moment = Schedule(Cadence(cadence), at, on, zone).next_after(datetime.fromisoformat(after))
    assert moment is not None
    assert moment.tzinfo is UTC
    return moment.isoformat(timespec="minutes").removesuffix("+00:00")


@pytest.mark.parametrize(
    ("cadence", "at", "on", "zone", "after", "expected"),
    [
        ("daily", "08:00", None, "UTC", "2026-03-02T07:59+00:00", "2026-03-02T08:00"),
        ("daily", "08:00", None, "UTC", "2026-03-02T08:00+00:00", "2026-03-03T08:00"),
        ("daily", "07:30", None, "America/New_York", "2026-03-02T09:00+00:00", "2026-03-02T12:30"),
        ("daily", "23:45", None, "Pacific/Auckland", "2026-03-02T09:00+00:00", "2026-03-02T10:45"),
        ("daily", "00:15", None, "Asia/Kathmandu", "2026-03-02T09:00+00:00", "2026-03-02T18:30"),
        ("weekly", "08:00", 0, "Europe/Berlin", "2026-03-02T06:59+00:00", "2026-03-02T07:00"),
        ("weekly", "08:00", 0, "Europe/Berlin", "2026-03-02T07:00+00:00", "2026-03-09T07:00"),
        ("weekly", "08:00", 6, "UTC", "2026-03-02T07:00+00:00", "2026-03-08T08:00"),
        ("monthly", "08:00", 31, "UTC", "2026-01-31T09:00+00:00", "2026-02-28T08:00"),
        ("monthly", "08:00", 31, "UTC", "2028-02-01T09:00+00:00", "2028-02-29T08:00"),
        ("monthly", "08:00", 30, "UTC", "2026-02-28T09:00+00:00", "2026-03-30T08:00"),
        ("monthly", "08:00", 1, "UTC", "2026-12-01T09:00+00:00", "2027-01-01T08:00"),
        # The clocks go forward from 02:00 to 03:00 on 29 March 2026: 02:30 does not exist, 03:00 is
        # the next minute.
        ("daily", "02:30", None, "Europe/Berlin", "2026-03-28T12:00+00:00", "2026-03-29T01:00"),
        ("daily", "02:30", None, "Europe/Berlin", "2026-03-29T01:00+00:00", "2026-03-30T00:30"),
        # They go back from 03:00 to 02:00 on 25 October 2026: 02:30 comes twice, the first one
        # counts.
        ("daily", "02:30", None, "Europe/Berlin", "2026-10-24T12:00+00:00", "2026-10-25T00:30"),
        ("daily", "02:30", None, "Europe/Berlin", "2026-10-25T00:30+00:00", "2026-10-26T01:30"),
        # Lord Howe Island moves by half an hour; Apia left out the whole of 30 December 2011.
        (
            "daily",
            "02:15",
            None,
            "Australia/Lord_Howe",
            "2026-10-03T00:00+00:00",
            "2026-10-03T15:30",
        ),
        ("daily", "08:00", None, "Pacific/Apia", "2011-12-30T00:00+00:00", "2011-12-30T10:00"),
    ],
)
def test_the_next_due_time(
    cadence: str, at: str, on: int | None, zone: str, after: str, expected: str
):
    assert due(cadence, at, on, zone, after) == expected


def test_immediate_has_no_due_time_of_its_own():
    assert (
        Schedule(Cadence.IMMEDIATE, "08:00", None, "UTC").next_after(
            datetime(2026, 3, 2, tzinfo=UTC)
        )
        is None
    )


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Pacific/Auckland",
            "Asia/Kolkata",
            "America/Santiago",
        ]
    ),
    st.times(),
)
def test_a_daily_digest_is_due_once_on_every_local_day(after: datetime, zone: str, at):
    daily = Schedule(Cadence.DAILY, f"{at:%H:%M}", None, zone)
    days = []
    moment = after
    for _ in range(4):
        due_at = daily.next_after(moment)
        assert due_at is not None
        assert due_at > moment
        days.append(due_at.astimezone(ZoneInfo(zone)).date())
        moment = due_at
    assert [later - earlier for earlier, later in pairwise(days)] == [timedelta(days=1)] * 3


@pytest.mark.parametrize("text", ["8", "24:00", "08:60", "8.00", "", "morning", "08:00:00"])
def test_a_text_that_is_not_a_time_of_day_is_refused(text: str):
    with pytest.raises(InputError, match="not a time of day"):
        parse_at(text)


@pytest.mark.parametrize(
    ("text", "cadence", "expected"),
    [
        (None, "weekly", 0),
        ("friday", "weekly", 4),
        ("FRI", "weekly", 4),
        (None, "monthly", 1),
        ("31", "monthly", 31),
        (None, "daily", None),
    ],
)
def test_the_day_of_a_cadence(text: str | None, cadence: str, expected: int | None):
    assert parse_on(text, Cadence(cadence)) == expected


@pytest.mark.parametrize(
    ("text", "cadence"),
    [
        ("someday", "weekly"),
        ("t", "weekly"),
        ("0", "monthly"),
        ("32", "monthly"),
        ("friday", "monthly"),
        ("1", "daily"),
    ],
)
def test_a_day_that_does_not_fit_the_cadence_is_refused(text: str, cadence: str):
    with pytest.raises(InputError):
        parse_on(text, Cadence(cadence))


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "Europe/Berlin\0"]
)
def test_a_time_zone_that_does_not_exist_is_refused(name: str):
    with pytest.raises(InputError, match="no time zone"):
        parse_zone(name)


def test_a_schedule_is_described_in_words():
    weekly = Schedule(Cadence.WEEKLY, "08:00", 0, "Europe/Berlin")
    assert weekly.describe() == "weekly, on Monday at 08:00 (Europe/Berlin)"
    assert Schedule(Cadence.DAILY, "07:30", None, "UTC").describe() == "daily, at 07:30 (UTC)"
    last_day = Schedule(Cadence.MONTHLY, "07:30", 31, "UTC")
    assert last_day.describe() == "monthly, on the last day of the month at 07:30 (UTC)"
    immediate = Schedule(Cadence.IMMEDIATE, "07:30", None, "UTC")
    assert immediate.describe() == "as soon as there is news"
