"""Health: the operator is told once when a source fails, and once when it recovers."""

from datetime import timedelta

import pytest

from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Source
from notifier.watch.health import expected_by, health
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article, rss

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OPERATOR = "operator@example.org"


@pytest.fixture
def watched(any_installation: Installation) -> Installation:
    """An installation with an operator to report to."""
    any_installation.change(operator=Operator(address=OPERATOR))
    any_installation.publish([Article("One", published=MONDAY - DAY)])
    return any_installation


def run(made: Installation, after: timedelta) -> list[str]:
    """Run once and return the subjects of the mails that the operator got."""
    before = len(made.sink.to(OPERATOR))
    run_once(made.at(MONDAY + after))
    return [message["Subject"] for message in made.sink.to(OPERATOR)[before:]]


def state(made: Installation, after: timedelta = timedelta(0)) -> str:
    with made.at(MONDAY).reading() as session:
        return health(session.query(Source).one(), MONDAY + after)


def test_a_failure_and_a_recovery_are_reported_once_each(watched: Installation):
    assert run(watched, timedelta(0)) == []
    watched.site.fail("/feed/", 500)
    assert run(watched, HOUR) == []  # a single failure is not reported
    assert run(watched, 3 * HOUR) == ["notifier: 1 source needs attention"]
    assert run(watched, 9 * HOUR) == []
    assert run(watched, 20 * HOUR) == []
    watched.publish([Article("One", published=MONDAY - DAY), Article("Two", published=MONDAY)])
    assert run(watched, 30 * HOUR) == ["notifier: 1 source works again"]
    assert run(watched, 40 * HOUR) == []

    bad, good = watched.sink.to(OPERATOR)
    assert "answered 500" in text_of(bad)
    assert watched.feed in text_of(bad)
    assert "The last successful poll was on 2 March 2026" in text_of(bad)
    assert "sources check 1" in text_of(bad)
    assert "works again" in text_of(good)


def test_one_mail_reports_all_sources_whose_state_changed_in_a_run(watched: Installation):
    watched.adopt(sources=(watched.feed, watched.site.put("/other/", rss([]))))
    run(watched, timedelta(0))
    for path in ("/feed/", "/other/"):
        watched.site.fail(path, 503)
    assert run(watched, HOUR) == []
    assert run(watched, 3 * HOUR) == ["notifier: 2 sources need attention"]


def test_without_an_operator_nobody_is_mailed_and_one_who_comes_later_is(
    any_installation: Installation,
):
    any_installation.site.fail("/feed/", 500)
    for hours in (0, 1, 3):
        assert run(any_installation, hours * HOUR) == []
    any_installation.change(operator=Operator(address=OPERATOR))
    assert run(any_installation, 4 * HOUR) == ["notifier: 1 source needs attention"]


def test_a_source_that_is_gone_is_reported_at_once(watched: Installation):
    watched.site.fail("/feed/", 410)
    assert run(watched, timedelta(0)) == ["notifier: 1 source needs attention"]
    assert "gone for good" in text_of(watched.sink.to(OPERATOR)[0])


def test_a_feed_that_answers_but_publishes_nothing_any_more_is_silent(watched: Installation):
    daily = [Article(f"Number {day}", published=MONDAY - day * DAY) for day in range(8)]
    watched.publish(daily)
    run(watched, timedelta(0))
    assert state(watched, 6 * DAY) == "healthy"
    assert run(watched, 6 * DAY) == []
    assert run(watched, 8 * DAY) == ["notifier: 1 source needs attention"]
    assert state(watched, 8 * DAY) == "silent"
    assert "unusually long" in text_of(watched.sink.to(OPERATOR)[0])
    watched.publish([Article("At last", published=MONDAY + 9 * DAY), *daily])
    assert run(watched, 9 * DAY) == ["notifier: 1 source works again"]


@pytest.mark.parametrize(
    ("ages", "after_the_newest"),
    [
        ([0, 1, 2, 3, 4], 7),
        ([0, 7, 14, 21, 28], 21),
        ([0, 1, 2, 12, 13], 30),
        ([0, 1, 2, 3], None),
        ([0, 0, 0, 0, 0, 0], None),
        ([], None),
        ([-40, 0, 1, 2, 3, 4], 7),
    ],
)
def test_the_expected_time_follows_from_the_longest_gap(
    ages: list[int], after_the_newest: int | None
):
    dates = [MONDAY - age * DAY for age in ages]
    expected = None if after_the_newest is None else MONDAY + after_the_newest * DAY
    assert expected_by(dates, MONDAY) == expected


def test_a_notice_waits_for_a_mail_server_that_is_away(watched: Installation):
    watched.site.fail("/feed/", 410)
    watched.sink.refuse_recipient[OPERATOR] = "451 4.3.0 come back later"
    assert run(watched, timedelta(0)) == []
    watched.sink.refuse_recipient.clear()
    assert run(watched, HOUR) == ["notifier: 1 source needs attention"]
