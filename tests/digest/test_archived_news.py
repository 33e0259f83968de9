"""The list of the archive: each news item once, in its newest state, and where it was told."""

from datetime import timedelta

import pytest

from notifier.digest import archived_news
from notifier.enums import NewsKind
from notifier.i18n.catalog import language_of
from notifier.pipeline.run import run_once
from notifier.store.models import Digest, Match
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
FIRST = Article("Frexalimab slows relapses by 41% in a made-up trial", guid="1", slug="slows")
SECOND = Article("What patients ask about frexalimab", guid="2", slug="ask")


def sent(made: Installation, *articles: Article, day: int) -> None:
    made.publish(list(articles))
    run_once(made.at(MONDAY + day * DAY))


@pytest.fixture
def read_by_many(any_installation: Installation) -> Installation:
    """Three readers, each in a digest of their own, and an article for all."""
    made = any_installation
    made.subscribe("anna@example.org")
    made.subscribe("ben@example.org", language="de")
    made.subscribe("cleo@example.org", language="fr", edition="clinician")
    run_once(made.at(MONDAY))
    sent(made, FIRST, day=1)
    return made


def listed(made: Installation, code: str = "en") -> list[archived_news.ArchivedNews]:
    with made.at(MONDAY).reading() as session:
        return list(archived_news.listed(session, language_of(code)))


def test_what_three_digests_told_is_listed_once(read_by_many: Installation):
    assert [news.title for news in listed(read_by_many)] == [FIRST.title]
    with read_by_many.at(MONDAY).reading() as session:
        assert session.query(Digest).count() == 3


@pytest.mark.parametrize("code", ["en", "de", "fr", "es"])
def test_it_leads_to_the_digest_in_the_visitors_language(read_by_many: Installation, code: str):
    (news,) = listed(read_by_many, code)
    with read_by_many.at(MONDAY).reading() as session:
        digest = session.query(Digest).filter_by(key=news.key).one()
        assert digest.language == (code if code != "es" else "en")


def test_news_is_listed_in_its_newest_state_on_the_day_of_that(read_by_many: Installation):
    corrected = Article(FIRST.title.replace("41%", "37%"), guid="1", slug="slows")
    sent(read_by_many, corrected, SECOND, day=2)
    by_title = {news.title: news for news in listed(read_by_many)}
    assert set(by_title) == {corrected.title, SECOND.title}
    news = by_title[corrected.title]
    assert (news.kind, news.on) == (NewsKind.CORRECTED, (MONDAY + 2 * DAY).date())
    assert [change.marked for change in news.changes] == [
        "Frexalimab slows relapses by [41% → 37%] in a made-up trial"
    ]


def test_what_was_withdrawn_is_listed_once_and_says_so(read_by_many: Installation):
    sent(read_by_many, Article(f"RETRACTED: {FIRST.title}", guid="1", slug="slows"), day=2)
    (news,) = listed(read_by_many)
    assert news.kind is NewsKind.WITHDRAWN


def test_what_a_person_dropped_is_not_listed(read_by_many: Installation):
    with read_by_many.at(MONDAY).writing() as session:
        session.query(Match).one().dropped_because = "not about it"
    assert listed(read_by_many) == []


def test_the_page_tells_nobody_that_it_is_theirs(read_by_many: Installation):
    with visiting(read_by_many) as client:
        for code, words in (("en", ("your", "you")), ("de", ("ihre", "ihnen")), ("fr", ("votre",))):
            page = client.get(f"/archive?language={code}").text
            main = page.partition("<main>")[2].partition("</main>")[0].lower()
            assert main.count(FIRST.title.lower()) == 1
            for word in words:
                assert f" {word} " not in main
