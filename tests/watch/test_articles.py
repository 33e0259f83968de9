"""Articles: if a feed shows a teaser, the article's own page is read, for matching alone."""

from datetime import timedelta

import pytest

from notifier.pipeline import match as match_step
from notifier.pipeline import poll
from notifier.store.models import Article as Text
from notifier.store.models import Entry, Match
from notifier.watch.articles import is_teaser
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

HOUR = timedelta(hours=1)
PAGE = (
    "<nav><a href=/>Frexalimab menu</a></nav><article><h1>A new drug</h1>"
    "<p>It begins here and goes on for a while.</p><p>{}</p></article>"
    "<aside><p>Related: frexalimab</p></aside>"
)


def polled(made: Installation, article: Article, after: timedelta = timedelta(0)) -> list[str]:
    """Poll with this article in the feed and return the tiers of all matches."""
    made.publish([article])
    deps = made.at(MONDAY + after)
    poll.run(deps, force=True)
    match_step.run(deps)
    with deps.reading() as session:
        return [match.tier for match in session.query(Match)]


def test_a_name_that_is_only_on_the_page_is_found(any_installation: Installation):
    made = any_installation
    link = made.site.put("/one/", PAGE.format("The drug is frexalimab."), "text/html")
    assert polled(made, Article("A new drug in MS", "It begins here […]", link=link)) == ["mention"]
    with made.at(MONDAY).reading() as session:
        assert session.query(Text).one().text.endswith("The drug is frexalimab.")
        assert len(session.query(Entry).one().revisions) == 1


def test_text_around_the_article_on_its_page_does_not_count(any_installation: Installation):
    made = any_installation
    link = made.site.put("/one/", PAGE.format("The drug is another."), "text/html")
    assert polled(made, Article("A new drug in MS", "It begins here …", link=link)) == []


def test_a_page_is_fetched_once_and_its_changes_are_not_corrections(any_installation: Installation):
    made = any_installation
    link = made.site.put(
        "/one/", PAGE.format("The drug is frexalimab, in 129 people."), "text/html"
    )
    article = Article("A new drug in MS", "It begins here …", link=link)
    polled(made, article)
    made.site.put("/one/", PAGE.format("The drug is frexalimab, in 192 people."), "text/html")
    assert polled(made, article, 3 * HOUR) == ["mention"]
    assert [one.path for one in made.site.asked].count("/one/") == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_page_that_cannot_be_fetched_leaves_the_teaser(
    any_installation: Installation, status: int
):
    made = any_installation
    link = made.site.fail("/one/", status)
    assert polled(made, Article("Frexalimab news", "It begins here …", link=link)) == ["about"]


def test_a_whole_text_is_not_fetched_again(any_installation: Installation):
    made = any_installation
    link = made.site.put("/one/", PAGE.format("The drug is frexalimab."), "text/html")
    polled(made, Article("A new drug in MS", "A long summary. " * 60, link=link))
    assert "/one/" not in [one.path for one in made.site.asked]


@pytest.mark.parametrize(
    ("summary", "body", "teaser"),
    [
        ("", "", True),
        ("A short one.", "", True),
        ("A long one. " * 60, "", False),
        ("A long one. " * 60 + "[…]", "", True),
        ("Short.", "A whole text. " * 60, False),
        ("Short.", "A whole text. " * 60 + "Continue reading", True),
        ("Short.", "A beginning that a feed gives as its whole content.", True),
    ],
)
def test_a_short_text_or_one_that_is_cut_off_is_a_teaser(summary: str, body: str, teaser: bool):
    assert is_teaser(summary, body) is teaser
