"""Two simulated weeks of a difficult publisher: each reader gets each relevant entry once."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from notifier.pipeline.run import run_once
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

# Whole months or weeks are simulated, day by day.
pytestmark = pytest.mark.long

HOUR = timedelta(hours=1)

READERS = {
    "immediate@example.org": {"every": "immediate"},
    "berlin@example.org": {"every": "daily", "at": "07:30", "zone": "Europe/Berlin"},
    "auckland@example.org": {"every": "daily", "at": "23:45", "zone": "Pacific/Auckland"},
    "weekly@example.org": {"every": "weekly", "on": "thursday", "zone": "America/New_York"},
}


def new_article(number: int, moment: datetime, kind: str) -> Article:
    """Return a relevant article, dated as publishers do."""
    dates = {
        "plain": moment,
        "post-dated": moment + timedelta(days=9),
        # One that is older than 90 days is held as old news.
        "back-dated": moment - timedelta(days=80),
        "undated": None,
        "re-identified": moment,
        "moved": moment,
    }
    return Article(
        f"Frexalimab report number {number}", slug=f"report-{number}", published=dates[kind]
    )


def as_published(article: Article, kind: str, day: int) -> Article:
    """Return the same article as a later document contains it."""
    if kind == "re-identified":
        article.guid = f"urn:new-guid:{day}:{article.slug}"
    if kind == "moved":
        address = f"http://www.herald.example.org/{article.slug}/"
        article.link = f"{address}?utm_source=feed&utm_day={day}"
    return article


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_each_subscriber_gets_each_relevant_entry_exactly_once(
    any_installation: Installation, seed: int
):
    installation = any_installation
    chance = random.Random(seed)
    for email, choice in READERS.items():
        installation.subscribe(email, **choice)
    run_once(installation.at(MONDAY))
    published: list[tuple[Article, str]] = []
    kinds = ["plain", "post-dated", "back-dated", "undated", "re-identified", "moved"]

    for hour in range(1, 14 * 24):
        moment = MONDAY + hour * HOUR
        if hour % 24 == 3 and hour < 12 * 24:
            kind = kinds[(hour // 24) % len(kinds)]
            published.append((new_article(len(published), moment, kind), kind))
        document = [as_published(article, kind, hour // 24) for article, kind in published[-10:]]
        document += [Article("Sanofi in the news", slug=f"noise-{hour // 24}")]
        chance.shuffle(document)
        installation.publish(document)
        if 5 * 24 < hour < 5 * 24 + 20:
            installation.site.fail("/feed/", chance.choice([500, 503, 404]))
        if chance.random() < 0.4:
            run_once(installation.at(moment))
    run_once(installation.at(MONDAY + timedelta(days=21)))

    assert len(published) == 12
    for email in READERS:
        received = Counter(
            article.title
            for message in installation.sink.to(email)
            for article, _ in published
            if f"{article.title}\n" in text_of(message)
        )
        assert received == Counter(article.title for article, _ in published), email
    assert not any(
        "Sanofi in the news" in text_of(message) for message in installation.sink.messages
    )
