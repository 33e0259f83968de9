"""Withdrawals: an article that its publisher removes or retracts, and nothing else."""

from datetime import timedelta

import pytest

from notifier.enums import NewsKind
from notifier.match import held, matches
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Entry
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Answer, Article

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Whole months or weeks are simulated, day by day.
pytestmark = pytest.mark.postgresql_long

READER, OFFICE = "anna@example.org", "office@example.org"


class Herald:
    """A news site whose articles have pages of their own, and a reader of it."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.articles: list[Article] = []
        made.subscribe(READER, every="daily", at="08:00")

    def run(self, after: timedelta) -> list[str]:
        """Run once and return the texts of the mails that the reader got."""
        before = len(self.made.sink.to(READER))
        self.made.publish(self.articles)
        run_once(self.made.at(MONDAY + after))
        return [text_of(message) for message in self.made.sink.to(READER)[before:]]

    def write(self, title: str, **more) -> Article:
        slug = "-".join(title.lower().split())
        link = self.made.site.put(f"/news/{slug}/", f"<h1>{title}</h1>", "text/html")
        one = Article(title, slug=slug, link=link, **more)
        self.articles.insert(0, one)
        return one

    def take_down(self, one: Article, status: int = 404) -> None:
        """Remove an article from the feed and from the site."""
        self.articles.remove(one)
        self.made.site.fail(f"/news/{one.slug}/", status)

    def kinds(self) -> list[str]:
        """Return the kinds of the revisions of the newest entry."""
        with self.made.at(MONDAY).reading() as session:
            return [
                one.kind for one in session.query(Entry).order_by(Entry.id.desc()).first().revisions
            ]


@pytest.fixture
def herald(any_installation: Installation) -> Herald:
    made = Herald(any_installation)
    made.write("An older article")
    made.run(timedelta(0))
    return made


@pytest.mark.parametrize("status", [404, 410])
def test_a_removed_article_is_reported_to_those_who_were_sent_it(herald: Herald, status: int):
    one = herald.write("Frexalimab does wonders")
    assert herald.run(HOUR) == []
    (told,) = herald.run(DAY)
    assert "Frexalimab does wonders" in told
    herald.take_down(one, status)
    assert herald.run(DAY + 2 * HOUR) == []  # seen once: it may be an accident
    assert herald.run(DAY + 20 * HOUR) == []
    (notice,) = herald.run(2 * DAY + 3 * HOUR)
    assert "CORRECTED SINCE WE WROTE" in notice
    assert "Frexalimab does wonders" in notice
    assert f"no such page ({status})" in " ".join(notice.split())
    assert "the older version was in an earlier digest" in notice.lower()
    assert [text for days in range(3, 9) for text in herald.run(days * DAY)] == []
    assert herald.kinds() == [NewsKind.NEW, NewsKind.WITHDRAWN]


def test_two_checks_within_a_day_count_as_one(herald: Herald):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.run(DAY)
    herald.made.site.fail(f"/news/{one.slug}/", 404)
    herald.run(2 * DAY)  # missing, while the feed still lists it
    herald.articles.remove(one)
    herald.run(2 * DAY + 4 * HOUR)  # checked once more because it left the feed
    asked = [
        request.status for request in herald.made.site.asked if request.path == f"/news/{one.slug}/"
    ]
    assert asked[-2:] == [404, 404]
    assert herald.kinds() == [NewsKind.NEW]


def test_an_article_that_its_feed_lists_is_not_withdrawn_though_its_page_is_missing(
    herald: Herald,
):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.run(DAY)
    herald.made.site.fail(f"/news/{one.slug}/", 404)
    assert [text for days in range(2, 6) for text in herald.run(days * DAY)] == []
    assert herald.kinds() == [NewsKind.NEW]


def test_the_withdrawal_of_an_unsent_article_is_sent_to_nobody(herald: Herald):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.take_down(one)
    herald.made.publish(herald.articles)
    for moment in (MONDAY + 2 * HOUR, MONDAY + DAY + 3 * HOUR):
        poll.run(herald.made.at(moment), force=True)
        match.run(herald.made.at(moment))
    assert herald.kinds() == [NewsKind.NEW, NewsKind.WITHDRAWN]
    assert herald.run(DAY + 4 * HOUR) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(403),
        Answer(429),
        Answer(301, b"", {"Location": "/moved/"}),
        Answer(200, b"as ever"),
    ],
    ids=lambda answer: str(answer.status),
)
def test_an_article_that_leaves_its_feed_or_cannot_be_reached_is_not_withdrawn(
    herald: Herald, answer: Answer
):
    one = herald.write("Frexalimab does wonders")
    herald.made.site.put("/moved/", "<h1>here now</h1>", "text/html")
    herald.run(HOUR)
    herald.run(DAY)
    herald.articles.remove(one)
    herald.made.site.answers[f"/news/{one.slug}/"] = answer
    for days in range(2, 9):
        assert herald.run(days * DAY) == []
    assert herald.kinds() == [NewsKind.NEW]


@pytest.mark.parametrize("target", ["/", "/?paywall=1", "/login?next=/", "/news/"])
def test_an_article_that_leads_elsewhere_is_not_withdrawn(herald: Herald, target: str):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.run(DAY)
    for path in ("/", "/login", "/news/"):
        herald.made.site.put(path, "<h1>Welcome</h1>", "text/html")
        herald.made.site.put(f"{path}?paywall=1", "<h1>Welcome</h1>", "text/html")
    herald.articles.remove(one)
    herald.made.site.answers[f"/news/{one.slug}/"] = Answer(302, b"", {"Location": target})
    assert [text for days in range(2, 6) for text in herald.run(days * DAY)] == []
    assert herald.kinds() == [NewsKind.NEW]


def test_an_article_that_comes_back_is_reported(herald: Herald):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.run(DAY)
    herald.take_down(one)
    assert len([text for days in range(2, 6) for text in herald.run(days * DAY)]) == 1
    herald.made.site.put(f"/news/{one.slug}/", "<h1>back</h1>", "text/html")
    told = [text for days in range(6, 9) for text in herald.run(days * DAY)]
    assert len(told) == 1
    assert "The publisher shows it again" in " ".join(told[0].split())


@pytest.mark.long
def test_a_site_that_moves_all_its_articles_has_withdrawn_none(herald: Herald):
    written = [herald.write(f"Frexalimab report {number}") for number in range(5)]
    herald.run(HOUR)
    herald.run(DAY)
    herald.made.change(operator=Operator(address=OFFICE))
    for one in written:
        herald.take_down(one)
    assert [text for days in range(2, 7) for text in herald.run(days * DAY)] == []
    (mail,) = herald.made.sink.to(OFFICE)
    assert mail["Subject"] == "notifier: 5 matches wait for you"
    with herald.made.at(MONDAY).reading() as session:
        waiting = held.listed(session)
    assert {(one.kind, one.because) for one in waiting} == {("withdrawn", "withdrawal")}
    with herald.made.at(MONDAY).writing() as session:
        matches.release(session, waiting[0].id, MONDAY + 6 * DAY + HOUR)
    herald.made.site.put(f"/news/{written[1].slug}/", "<h1>back</h1>", "text/html")
    (notice,) = herald.run(7 * DAY)
    assert notice.count("no such page (404)") == 1
    with herald.made.at(MONDAY).reading() as session:
        assert len(held.listed(session)) == 3
    herald.made.site.asked.clear()
    herald.run(7 * DAY + 7 * HOUR)
    assert not [
        one for one in herald.made.site.asked if one.path.startswith("/news/")
    ]  # checked once a day, not more


@pytest.mark.long
@pytest.mark.postgresql_long
def test_an_article_is_checked_while_it_is_young_and_no_longer(herald: Herald):
    one = herald.write("Frexalimab does wonders", published=MONDAY)
    herald.run(HOUR)
    herald.run(DAY)
    herald.articles.clear()
    for day in range(2, 40):
        if day % 3 == 0:
            herald.write(f"Other news {day}", published=MONDAY + day * DAY)
            del herald.articles[2:]
        herald.run(day * DAY)
    asked = [request for request in herald.made.site.asked if request.path == f"/news/{one.slug}/"]
    assert 5 <= len(asked) <= 20


@pytest.mark.parametrize(
    "title", ["RETRACTED: Frexalimab does wonders", "Frexalimab does wonders [Withdrawn]"]
)
def test_an_article_that_its_publisher_marks_is_withdrawn_at_once(herald: Herald, title: str):
    one = herald.write("Frexalimab does wonders")
    herald.run(HOUR)
    herald.run(DAY)
    one.title = title
    herald.run(DAY + HOUR)
    (notice,) = herald.run(2 * DAY)
    assert "Withdrawn: The publisher" in notice
    assert herald.kinds() == [NewsKind.NEW, NewsKind.WITHDRAWN]
    assert herald.run(3 * DAY) == []


def test_what_was_marked_when_it_was_first_seen_is_news_and_is_corrected_as_ever(herald: Herald):
    title = "Retracted: Frexalimab does wonders"
    one = herald.write(title, summary="It was about 89 patients.")
    herald.run(HOUR)
    assert len(herald.run(DAY)) == 1
    one.summary = "It was about 98 patients."
    herald.run(DAY + HOUR)
    (notice,) = herald.run(2 * DAY)
    assert "→ 98 patients.]" in " ".join(notice.split())
    assert herald.kinds() == [NewsKind.NEW, NewsKind.CORRECTED]
