"""Feeds: a document is parsed into observations, or refused with a reason."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.text.cleaning import clean
from notifier.watch.parsers.observation import ParsedDocument, ParseError
from notifier.watch.parsers.rss import parse
from tests.support.paths import DATA

FEEDS = DATA / "feeds"
ADDRESS = "https://herald.example.org/feed/"


def as_document(reading: ParsedDocument) -> dict:
    """Return a parsed document in the form of its golden file."""
    entries = [
        {
            key: value
            for key, value in asdict(one).items()
            if value and key not in ("change", "origin")
        }
        for one in reading.observations
    ]
    return json.loads(json.dumps({"name": reading.name, "entries": entries}, default=str))


@pytest.mark.parametrize("path", sorted(FEEDS.glob("*.xml")), ids=lambda path: path.stem)
def test_a_feed_gives_the_entries_of_its_golden_file(path: Path):
    golden = path.with_suffix(".json")
    found = as_document(parse(path.read_bytes(), {}, ADDRESS))
    assert found == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "nothing"),
        (b"   \n", "nothing"),
        (b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>", "an HTML page, not a feed"),
        (b"<html><head><title>x</title></head></html>", "an HTML page, not a feed"),
        (b'{"hello": "world"}', "not a JSON Feed"),
        (b'{"hello', "broken JSON"),
        (b"<rss version='2.0'><channel><title>x", "broken XML"),
        (b"\x00\xff\xfe garbage", "not a feed"),
    ],
)
def test_an_answer_that_is_not_a_feed_is_refused_with_a_reason(body: bytes, said: str):
    with pytest.raises(ParseError, match=said):
        parse(body, {}, ADDRESS)


def test_a_feed_without_entries_is_a_feed():
    document = (
        b"<?xml version='1.0'?><rss version='2.0'><channel><title>Quiet</title></channel></rss>"
    )
    assert parse(document, {}, ADDRESS) == ParsedDocument("Quiet", (), encoding="utf-8")


def test_the_encoding_that_the_server_names_is_used():
    feed = (
        "<rss version='2.0'><channel><title>Größe</title>"
        "<item><title>Ä</title></item></channel></rss>"
    )
    body = feed.encode("latin-1")
    assert (
        parse(body, {"content-type": "application/rss+xml; charset=iso-8859-1"}, ADDRESS).name
        == "Größe"
    )


DATED = (
    "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'>"
    "<channel><item>%s</item></channel></rss>"
)


@pytest.mark.parametrize(
    ("dates", "moment"),
    [
        ("<pubDate>Mon, 02 Mar 2026 10:00:00 CEST</pubDate>", "2026-03-02T08:00:00+00:00"),
        ("<pubDate>Mon, 02 Mar 2026 08:00:00 XYZT</pubDate>", None),
        ("<pubDate>Mon, 30 Feb 2026 08:00:00 GMT</pubDate>", None),
        ("<pubDate>1772438400</pubDate>", "2026-03-02T08:00:00+00:00"),
        (
            "<pubDate>soon</pubDate><a:updated>2026-03-02T08:00:00Z</a:updated>",
            "2026-03-02T08:00:00+00:00",
        ),
        (
            "<pubDate>2026-03-02T08:00:00Z</pubDate><a:updated>2026-03-09</a:updated>",
            "2026-03-02T08:00:00+00:00",
        ),
        ("", None),
    ],
)
def test_an_items_date_is_read_from_its_own_words(dates: str, moment: str | None):
    (item,) = parse((DATED % f"<title>x</title>{dates}").encode(), {}, ADDRESS).observations
    assert (item.published_at.isoformat() if item.published_at else None) == moment


def test_an_entity_bomb_is_survived():
    bomb = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + index, b"&%c;" % (97 + index) * 10) for index in range(9)
    )
    document = (
        bomb + b"]><rss version='2.0'><channel><item><title>&j;</title></item></channel></rss>"
    )
    try:
        titles = [one.title for one in parse(document, {}, ADDRESS).observations]
    except ParseError:
        titles = []
    assert sum(map(len, titles)) < 100_000


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.binary(max_size=200))
def test_any_document_is_parsed_or_refused(words: str, noise: bytes):
    document = (
        f"<rss version='2.0'><channel><item><title>{words}</title>".encode()
        + noise
        + b"</item></channel></rss>"
    )
    try:
        titles = [one.title for one in parse(document, {}, ADDRESS).observations]
    except ParseError:
        titles = []
    assert [clean(title) for title in titles] == titles
