"""Held news, from the site's bytes to the operator's mail: each reason at once, and released."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from notifier.enums import HeldBecause
from notifier.match import held, matches
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article, rss

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
READER, OFFICE = "anna@example.org", "office@example.org"
TOWNS = ("Arbeck", "Bexheim", "Corvano", "Drumlin", "Estrava", "Fennby")


WEATHER = Article("Weather of the week (made up)", slug="weather")
OLD = Article("Frexalimab in the archive", published=MONDAY - 200 * DAY)
DOUBTFUL = Article("Sanofi and multiple sclerosis")


class Newsroom:
    """Three feeds of one site, whose articles have pages."""

    def __init__(self, made: Installation) -> None:
        self.made, self.site = made, made.site
        self.put_page("/", "The Example Herald (fictional)")
        self.moved = [self.article(town, "moved") for town in TOWNS]
        self.edited = [self.article(town, "edited") for town in TOWNS]
        for feed in ("news", "moved", "edited"):
            self.publish(feed)
        addresses = [f"{made.site.address}/{feed}/" for feed in ("news", "moved", "edited")]
        made.adopt(sources=tuple(addresses))

    def publish(self, feed: str, *articles: Article) -> None:
        self.site.put(f"/{feed}/", rss([WEATHER, *articles], f"{feed} (fictional)"))

    def put_page(self, path: str, title: str) -> None:
        page = f"<html><body><article><h1>{title}</h1></article></body></html>"
        self.site.put(path, page, "text/html")

    def article(self, town: str, feed: str) -> Article:
        title = f"Frexalimab helps the {feed} people of {town}"
        path = f"/{feed}-{town.lower()}/"
        self.put_page(path, title)
        summary = f"The clinic of {town} (made up) told {len(town)} visitors about its last year."
        return Article(title, summary, slug=path.strip("/"), link=self.site.address + path)

    def edit_alike(self) -> list[Article]:
        more = " Our ward has moved to house 7 of the old mill by the lake."
        return [replace(article, summary=article.summary + more) for article in self.edited]

    def run(self, moment: datetime) -> None:
        run_once(self.made.at(moment))

    def waiting(self) -> Counter[str]:
        with self.made.at(MONDAY).reading() as session:
            return Counter(one.because for one in held.listed(session))

    def release(self, because: str, now: datetime) -> None:
        with self.made.at(MONDAY).writing() as session:
            one = next(each for each in held.listed(session) if each.because == because)
            matches.release(session, one.id, now)

    def mails(self, address: str) -> list[str]:
        return [" ".join(text_of(one).split()) for one in self.made.sink.to(address)]


@pytest.fixture
def newsroom(any_installation: Installation) -> Newsroom:
    any_installation.change(operator=Operator(address=OFFICE))
    return Newsroom(any_installation)


def test_each_reason_holds_its_news_is_told_in_one_mail_a_day_and_can_be_released(
    newsroom: Newsroom,
):
    newsroom.run(MONDAY)
    newsroom.made.subscribe(READER)
    newsroom.publish("moved", *newsroom.moved)
    newsroom.publish("edited", *newsroom.edited)
    newsroom.run(MONDAY + DAY)
    (digest,) = newsroom.mails(READER)
    assert "moved people of Arbeck" in digest

    newsroom.publish("news", OLD, DOUBTFUL)
    newsroom.publish("moved")
    newsroom.publish("edited", *newsroom.edit_alike())
    for article in newsroom.moved[:4]:
        newsroom.site.fail(f"/{article.slug}/", 404)
    for number in range(4, 15):
        newsroom.run(MONDAY + DAY * number / 2)

    assert newsroom.waiting() == {
        HeldBecause.OLD_NEWS: 1,
        HeldBecause.DOUBTFUL: 1,
        HeldBecause.MASS_EDIT: 6,
        HeldBecause.WITHDRAWAL: 4,
    }
    assert newsroom.mails(READER) == [digest]
    operator_mails = [mail for mail in newsroom.mails(OFFICE) if "matches release" in mail]
    assert sum(mail.count("matches release") for mail in operator_mails) == 12
    assert 1 <= len(operator_mails) <= 3

    newsroom.release(HeldBecause.WITHDRAWAL, MONDAY + 8 * DAY)
    newsroom.release(HeldBecause.OLD_NEWS, MONDAY + 8 * DAY)
    newsroom.run(MONDAY + 9 * DAY)
    told = newsroom.mails(READER)[1]
    assert "Frexalimab in the archive" in told
    assert told.lower().count("withdr") >= 1
    assert newsroom.waiting()[HeldBecause.WITHDRAWAL] == 3
