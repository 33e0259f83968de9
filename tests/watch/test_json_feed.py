"""JSON Feed: items become observations (https://www.jsonfeed.org/version/1.1/)."""

import json
from typing import Any

import pytest

from notifier.watch.parsers import json_feed
from tests.support.installation import MONDAY


def test_a_json_feed_gives_its_entries():
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "A made-up feed",
        "items": [
            {
                "id": 7,
                "url": "/one",
                "title": "One <b>bold</b>",
                "content_html": "<p>Text &amp; more</p>",
                "date_published": "2026-03-02T10:00:00+01:00",
                "authors": [{"name": "A. Writer"}],
                "tags": ["news", 3],
            },
            {"id": "https://x.example.org/two", "content_text": "a < b"},
            "odd",
        ],
    }
    feed = json_feed.parse(
        b"\xef\xbb\xbf" + json.dumps(document).encode(), "https://x.example.org/feed.json"
    )
    first, second = feed.observations
    assert feed.name == "A made-up feed"
    assert (first.guid, first.url, first.title, first.body) == (
        "7",
        "https://x.example.org/one",
        "One bold",
        "Text & more",
    )
    assert first.published_at == MONDAY
    assert (first.author, first.categories) == ("A. Writer", ("news", "3"))
    assert (second.url, second.body) == ("https://x.example.org/two", "a < b")


@pytest.mark.parametrize(
    ("date", "is_monday"),
    [
        ("2026-03-02T09:00:00Z", True),
        ("2026-03-02 10:00:00 CET", True),
        (1772442000, True),
        (1772442000000, True),
        (1772442000.0, True),
        ("1772442000", True),
        ("2026-02-30T09:00:00Z", False),
        (True, False),
        ({"date": "2026-03-02"}, False),
        (-62135596800, False),
        (1e300, False),
    ],
)
def test_the_date_of_an_item_is_that_moment_or_none(date: Any, is_monday: bool):
    document = {"items": [{"id": "1", "title": "x", "date_published": date}]}
    (item,) = json_feed.parse(json.dumps(document).encode(), "https://x.example.org/").observations
    assert item.published_at == (MONDAY if is_monday else None)
