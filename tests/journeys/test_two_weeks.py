"""Two simulated weeks with everything that publishers do: each reader gets each relevant entry exactly once."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from notifier.pipeline.run import run_once
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

HOUR = timedelta(hours=1)

READERS = {
    "immediate@example.org": {"every": "immediate"},
    "berlin@example.org": {"every": "daily", "at": "07:30", "zone": "Europe/Berlin"},
    "auckland@example.org": {"every": "daily", "at": "23:45", "zone": "Pacific/Auckland"},
    "weekly@example.org": {"every": "weekly", "on": "thursday", "zone": "America/New_York"},
}


def article(number: int, moment: datetime, kind: str) -> Article:
    """A relevant article as an awkward publisher dates it."""
    dates = {
        "plain": moment,
        "post-dated": moment + timedelta(days=9),
        "back-dated": moment - timedelta(days=400),
        "undated": None,
        "re-identified": moment,
        "moved": moment,
    }
    return Article(
        f"Frexalimab report number {number}", slug=f"report-{number}", published=dates[kind]
    )


def again(one: Article, kind: str, day: int) -> Article:
    """The same article as it stands in a later document."""
    if kind == "re-identified":
        one.guid = f"urn:new-guid:{day}:{one.slug}"
    if kind == "moved":
        one.link = f"http://www.herald.example.org/{one.slug}/?utm_source=feed&utm_day={day}"
    return one


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_each_subscriber_gets_each_relevant_entry_exactly_once(
    any_installation: Installation, seed: int
):
    made = any_installation
    chance = random.Random(seed)
    for email, choice in READERS.items():
        made.subscribe(email, **choice)
    run_once(made.at(MONDAY))
    published: list[tuple[Article, str]] = []
    kinds = ["plain", "post-dated", "back-dated", "undated", "re-identified", "moved"]

    for hour in range(1, 14 * 24):
        moment = MONDAY + hour * HOUR
        if hour % 24 == 3 and hour < 12 * 24:
            kind = kinds[(hour // 24) % len(kinds)]
            published.append((article(len(published), moment, kind), kind))
        document = [again(one, kind, hour // 24) for one, kind in published[-10:]]
        document += [Article("Sanofi in the news", slug=f"noise-{hour // 24}")]
        chance.shuffle(document)
        made.publish(document)
        if 5 * 24 < hour < 5 * 24 + 20:
            made.site.fail("/feed/", chance.choice([500, 503, 404]))
        if chance.random() < 0.4:
            run_once(made.at(moment))
    run_once(made.at(MONDAY + timedelta(days=21)))

    assert len(published) == 12
    for email in READERS:
        told = Counter(
            one.title
            for message in made.sink.to(email)
            for one, _ in published
            if f"{one.title}\n" in text_of(message)
        )
        assert told == Counter(one.title for one, _ in published), email
    assert not any("Sanofi in the news" in text_of(message) for message in made.sink.messages)
