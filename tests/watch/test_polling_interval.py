"""The time until the next poll: our own wait, the one the server requests, and their limits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.watch.polling_interval import (
    LONGEST_FRESHNESS,
    LONGEST_OF_OURS,
    LONGEST_RETRY,
    next_wait,
    server_requested_wait,
)
from tests.support.installation import MONDAY

HALF_HOUR, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)
STAMP = "Mon, 02 Mar 2026 09:00:00 GMT"  # MONDAY


@pytest.mark.parametrize(
    ("quiet_for", "wait"),
    [
        (timedelta(0), HALF_HOUR),
        (DAY / 2, HALF_HOUR),
        (DAY, HOUR),
        (4 * DAY, 4 * HOUR),
        (99 * DAY, 6 * HOUR),
    ],
)
def test_a_quiet_source_is_polled_less_often(quiet_for: timedelta, wait: timedelta):
    assert wait * 0.9 <= next_wait(1, HALF_HOUR, quiet_for) <= wait


def test_sources_are_spread_and_each_keeps_its_own_place():
    waits = [next_wait(number, HALF_HOUR, timedelta(0)) for number in range(50)]
    assert len(set(waits)) == 50
    assert waits == [next_wait(number, HALF_HOUR, timedelta(0)) for number in range(50)]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, timedelta(0)),
        ({"cache-control": "max-age=7200"}, 2 * HOUR),
        ({"cache-control": "public, max-age = 7200, must-revalidate"}, 2 * HOUR),
        ({"cache-control": "max-age=7200", "age": "3600"}, HOUR),
        ({"cache-control": "s-maxage=7200"}, timedelta(0)),
        ({"cache-control": "no-cache, max-age=7200"}, timedelta(0)),
        ({"cache-control": "max-age=31536000"}, LONGEST_FRESHNESS),
        ({"cache-control": "max-age=-1"}, timedelta(0)),
        ({"expires": "Mon, 02 Mar 2026 12:00:00 GMT", "date": STAMP}, 3 * HOUR),
        ({"expires": "Mon, 02 Mar 2026 12:00:00 GMT"}, 3 * HOUR),
        ({"expires": "0", "date": STAMP}, timedelta(0)),
        (
            {"expires": "Mon, 02 Mar 2026 12:00:00 GMT", "cache-control": "max-age=60"},
            timedelta(minutes=1),
        ),
        ({"retry-after": "3600"}, HOUR),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT", "date": STAMP}, 2 * HOUR),
        ({"retry-after": "Mon, 02 Mar 2026 08:00:00 GMT", "date": STAMP}, timedelta(0)),
        ({"retry-after": "99999999999"}, LONGEST_RETRY),
        ({"retry-after": "soon"}, timedelta(0)),
        ({"retry-after": "3600.25"}, HOUR),
        ({"retry-after": " 3600 "}, HOUR),
        ({"retry-after": "-3600"}, timedelta(0)),
        ({"retry-after": "3600; really"}, timedelta(0)),
        ({"retry-after": "９９９９"}, timedelta(0)),
        ({"retry-after": "1e9"}, timedelta(0)),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT"}, 2 * HOUR),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": STAMP}, LONGEST_RETRY),
        ({"retry-after": "60", "cache-control": "max-age=7200"}, 2 * HOUR),
    ],
)
def test_the_wait_that_a_server_requests(headers: dict[str, str], wait: timedelta):
    assert server_requested_wait(headers, now=MONDAY) == wait


def test_a_feeds_ttl_counts_like_its_freshness():
    assert server_requested_wait({}, ttl_minutes=90) == 1.5 * HOUR
    assert server_requested_wait({"cache-control": "max-age=7200"}, ttl_minutes=90) == 2 * HOUR


def test_the_longer_one_of_our_wait_and_the_servers_counts():
    assert (
        next_wait(1, HALF_HOUR, timedelta(0), headers={"retry-after": "86400"}, now=MONDAY) == DAY
    )
    assert next_wait(1, HALF_HOUR, 99 * DAY, headers={"retry-after": "60"}, now=MONDAY) > 5 * HOUR


header = st.dictionaries(
    st.sampled_from(["cache-control", "expires", "date", "age", "retry-after"]),
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(["max-age=99999999999999", STAMP, "-1", "²", "0x10", "1e9"]),
    ),
)


@given(header, st.integers(-5, 10**7), st.integers(0, 200), st.timedeltas(timedelta(0), 900 * DAY))
def test_no_header_makes_a_source_wait_for_ever_or_not_at_all(headers, ttl, failures, quiet_for):
    wait = next_wait(
        3, HALF_HOUR, quiet_for, failures=failures, headers=headers, ttl_minutes=ttl, now=MONDAY
    )
    assert HALF_HOUR * 0.9 <= wait <= max(LONGEST_RETRY, LONGEST_OF_OURS)
