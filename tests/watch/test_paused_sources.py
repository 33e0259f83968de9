"""A paused source is not polled, alarms nobody, and goes on where it stood."""

from datetime import timedelta

import pytest

from notifier.enums import Health, PollStatus
from notifier.pipeline import monitoring, pending, poll
from notifier.settings import Operator
from notifier.store.models import Notice, Source
from notifier.watch import edited_sources, source_lists, sources
from notifier.watch.health import health
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

DAY = timedelta(days=1)


@pytest.fixture
def watching(installation: Installation) -> Installation:
    """An installation whose feed was polled once."""
    installation.publish([Article("First")])
    installation.adopt()
    poll.run(installation.at(MONDAY))
    return installation


def pause(made: Installation, moment=MONDAY, by: str = "anna") -> None:
    with made.at(moment).writing() as session:
        assert edited_sources.pause(session.query(Source).one(), moment, by)


def go_on(made: Installation, moment) -> None:
    with made.at(moment).writing() as session:
        assert edited_sources.go_on(session.query(Source).one(), moment)


def source_of(made: Installation) -> Source:
    with made.at(MONDAY).reading() as session:
        return session.query(Source).one()


@pytest.mark.parametrize("force", [False, True], ids=["when due", "even if forced"])
def test_it_is_not_polled(watching, force: bool):
    pause(watching)
    watching.site.asked.clear()
    results = poll.run(watching.at(MONDAY + DAY), force=force)
    assert [result.status for result in results] == [PollStatus.NOT_DUE]
    assert watching.site.asked == []


def test_it_goes_on_with_the_next_poll_and_its_news_are_news(watching):
    pause(watching)
    watching.publish([Article("First"), Article("Second")])
    go_on(watching, MONDAY + 9 * DAY)
    (result,) = poll.run(watching.at(MONDAY + 9 * DAY))
    assert (result.status, result.new) == (PollStatus.OK, 1)
    assert source_of(watching).paused_at is None


def test_pausing_twice_keeps_the_first_time_and_name(watching):
    pause(watching)
    with watching.at(MONDAY + DAY).writing() as session:
        assert not edited_sources.pause(session.query(Source).one(), MONDAY + DAY, "ben")
    source = source_of(watching)
    assert (source.paused_at, source.paused_by) == (MONDAY, "anna")


def test_it_alarms_nobody_while_it_rests(watching):
    watching.change(operator=Operator(address="operator@example.org"))
    watching.site.fail("/feed/", 500)
    for day in (1, 2):
        with watching.at(MONDAY).writing() as session:
            session.query(Source).one().failures = day
    pause(watching)
    with watching.at(MONDAY + DAY).reading() as session:
        assert source_lists.unreported(session, MONDAY + DAY) == []
        assert pending.troubles(session, MONDAY + DAY, 5) == ([], 0)
        checks = monitoring.checks(session, MONDAY + DAY)
        assert next(check for check in checks if check.name == "sources").ok
    poll.run(watching.at(MONDAY + DAY))
    with watching.at(MONDAY).reading() as session:
        assert session.query(Notice).count() == 0


def test_it_is_not_called_silent_for_having_rested(watching):
    with watching.at(MONDAY).writing() as session:
        session.query(Source).one().expected_by = MONDAY + 10 * DAY
    pause(watching, MONDAY + 5 * DAY)
    go_on(watching, MONDAY + 60 * DAY)
    source = source_of(watching)
    assert source.expected_by == MONDAY + 65 * DAY
    assert health(source, MONDAY + 60 * DAY) is Health.HEALTHY


def test_one_that_was_removed_and_is_added_again_does_not_rest(watching):
    pause(watching)
    with watching.at(MONDAY).writing() as session:
        url = sources.remove(session, watching.feed, MONDAY)
    with watching.at(MONDAY).writing() as session:
        source, _ = sources.add(session, url, MONDAY)
        assert (source.paused_at, source.paused_by) == (None, "")


def test_polls_that_fail_are_counted_by_day(watching):
    watching.site.fail("/feed/", 500)
    for hour in (1, 2, 24):
        poll.run(watching.at(MONDAY + timedelta(hours=hour)), force=True)
    source = source_of(watching)
    assert source.failure_counts == {"2026-03-02": 2, "2026-03-03": 1}
    assert source.poll_counts == {"2026-03-02": 1}
    poll.run(watching.at(MONDAY + 60 * DAY), force=True)
    assert source_of(watching).failure_counts == {"2026-05-01": 1}
