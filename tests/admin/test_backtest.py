"""Backtest: what would have gone out, by the profile of today and a reader's schedule."""

from datetime import timedelta

import pytest

from notifier.admin.backtest import backtest
from notifier.enums import Cadence, NewsKind, Tier
from notifier.match import profiles
from notifier.pipeline import match, poll
from notifier.store.models import Delivery, Digest, Match
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def past(any_installation: Installation) -> Installation:
    """Ten days of news, matched by a profile that looked for nothing of it."""
    made = any_installation
    made.publish([Article("Frexalimab before it was watched", published=MONDAY - 5 * DAY)])
    articles = {
        1: "Frexalimab slows lesions by 89%",
        2: "Weather",
        4: "A CD40L antibody",
        6: "Frexalimab again",
    }
    shown = [Article("Frexalimab before it was watched", published=MONDAY - 5 * DAY)]
    poll.run(made.at(MONDAY))
    for day, title in articles.items():
        shown.insert(0, Article(title, slug=f"day-{day}"))
        made.publish(shown)
        poll.run(made.at(MONDAY + day * DAY), force=True)
    next(one for one in shown if one.slug == "day-1").title = "Frexalimab slows lesions by 86%"
    shown.insert(0, Article("Sanofi and multiple sclerosis", slug="near"))
    made.publish(shown)
    poll.run(made.at(MONDAY + 8 * DAY), force=True)
    match.run(made.at(MONDAY + 8 * DAY))
    return made


def played(
    made: Installation, cadence: Cadence, since: timedelta = -10 * DAY
) -> list[tuple[int, list[tuple]]]:
    found = backtest(made.at(MONDAY + 14 * DAY), None, since=MONDAY + since, cadence=cadence)
    return [
        ((one.composed_at - MONDAY).days, [(i.kind, i.tier, i.title) for i in one.items])
        for one in found.digests
    ]


def test_the_digests_of_a_schedule_come_in_their_order(past: Installation):
    new = NewsKind.NEW
    assert played(past, Cadence.DAILY) == [
        (-5, [(new, Tier.ABOUT, "Frexalimab before it was watched")]),
        (1, [(new, Tier.ABOUT, "Frexalimab slows lesions by 89%")]),
        (6, [(new, Tier.ABOUT, "Frexalimab again"), (new, Tier.RELATED, "A CD40L antibody")]),
        (8, [(NewsKind.CORRECTED, Tier.ABOUT, "Frexalimab slows lesions by 86%")]),
    ]


def test_a_weekly_reader_would_have_got_fewer_and_no_correction_of_what_they_never_saw(
    past: Installation,
):
    weekly = played(past, Cadence.WEEKLY)
    assert [len(items) for _, items in weekly] == [1, 3, 1]
    assert len(played(past, Cadence.IMMEDIATE)) == 4


def test_what_was_before_the_day_asked_for_is_left_out(past: Installation):
    assert played(past, Cadence.DAILY, 5 * DAY) == [
        (6, [(NewsKind.NEW, Tier.ABOUT, "Frexalimab again")])
    ]


def test_near_misses_are_counted_and_nothing_is_stored(past: Installation):
    deps = past.at(MONDAY + 14 * DAY)
    with deps.reading() as session:
        before = session.query(Match).count()
    assert backtest(deps, None, since=MONDAY - 10 * DAY, cadence=Cadence.DAILY).near_misses == 1
    with deps.reading() as session:
        assert session.query(Match).count() == before
        assert session.query(Digest).count() == session.query(Delivery).count() == 0


def test_the_profile_of_today_counts(past: Installation):
    deps = past.at(MONDAY + 14 * DAY)
    text = 'slug = "frexalimab"\nname = "Weather"\n[[terms]]\nkind = "name"\ntext = "weather"\n'
    with deps.writing() as session:
        profiles.save(session, profiles.parse(text, "a test"), deps.now())
    assert [items for _, items in played(past, Cadence.DAILY)] == [
        [(NewsKind.NEW, Tier.ABOUT, "Weather")]
    ]
