"""Backtest: the digests that today's profile and a reader's schedule would have given."""

from datetime import timedelta

import pytest

from notifier.admin.backtest import backtest
from notifier.enums import Cadence, NewsKind, Tier
from notifier.match import profiles
from notifier.pipeline import match, poll
from notifier.store.models import Delivery, Digest, Match
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)


@pytest.fixture
def past(any_installation: Installation) -> Installation:
    """Ten days of news, polled and matched."""
    installation = any_installation
    articles = [Article("Frexalimab before it was watched", published=MONDAY - 5 * DAY)]
    installation.publish(articles)
    poll.run(installation.at(MONDAY))
    for day, title in {
        1: "Frexalimab slows lesions by 89%",
        2: "Weather",
        4: "A CD40L antibody",
        6: "Frexalimab again",
    }.items():
        articles.insert(0, Article(title, slug=f"day-{day}"))
        installation.publish(articles)
        poll.run(installation.at(MONDAY + day * DAY), force=True)
    corrected = next(article for article in articles if article.slug == "day-1")
    corrected.title = "Frexalimab slows lesions by 86%"
    articles.insert(0, Article("Sanofi and multiple sclerosis", slug="near"))
    installation.publish(articles)
    poll.run(installation.at(MONDAY + 8 * DAY), force=True)
    match.run(installation.at(MONDAY + 8 * DAY))
    return installation


def digests_of(
    installation: Installation, cadence: Cadence, since: timedelta = -10 * DAY
) -> list[tuple[int, list[tuple]]]:
    """Return day and items of each digest."""
    result = backtest(
        installation.at(MONDAY + 14 * DAY), None, since=MONDAY + since, cadence=cadence
    )
    return [
        (
            (digest.composed_at - MONDAY).days,
            [(item.kind, item.tier, item.title) for item in digest.items],
        )
        for digest in result.digests
    ]


def test_the_digests_of_a_schedule_come_in_their_order(past: Installation):
    new = NewsKind.NEW
    assert digests_of(past, Cadence.DAILY) == [
        (-5, [(new, Tier.ABOUT, "Frexalimab before it was watched")]),
        (1, [(new, Tier.ABOUT, "Frexalimab slows lesions by 89%")]),
        (6, [(new, Tier.ABOUT, "Frexalimab again"), (new, Tier.RELATED, "A CD40L antibody")]),
        (8, [(NewsKind.CORRECTED, Tier.ABOUT, "Frexalimab slows lesions by 86%")]),
    ]


def test_a_weekly_reader_gets_fewer_digests_and_no_correction_of_an_item_not_sent(
    past: Installation,
):
    weekly = digests_of(past, Cadence.WEEKLY)
    assert [len(items) for _, items in weekly] == [1, 3, 1]
    assert len(digests_of(past, Cadence.IMMEDIATE)) == 4


def test_news_from_before_the_given_time_is_left_out(past: Installation):
    assert digests_of(past, Cadence.DAILY, 5 * DAY) == [
        (6, [(NewsKind.NEW, Tier.ABOUT, "Frexalimab again")])
    ]


def test_near_misses_are_counted_and_nothing_is_stored(past: Installation):
    deps = past.at(MONDAY + 14 * DAY)
    with deps.reading() as session:
        before = session.query(Match).count()
    result = backtest(deps, None, since=MONDAY - 10 * DAY, cadence=Cadence.DAILY)
    assert result.held == 1
    with deps.reading() as session:
        assert session.query(Match).count() == before
        assert session.query(Digest).count() == session.query(Delivery).count() == 0


def test_the_profile_of_today_decides(past: Installation):
    deps = past.at(MONDAY + 14 * DAY)
    text = 'slug = "frexalimab"\nname = "Weather"\n[[terms]]\nkind = "name"\ntext = "weather"\n'
    with deps.writing() as session:
        profiles.save(session, profiles.parse(text, "a test"), deps.now())
    assert [items for _, items in digests_of(past, Cadence.DAILY)] == [
        [(NewsKind.NEW, Tier.ABOUT, "Weather")]
    ]
