"""Documents that end too early: their complete items are read, and nothing is made of the rest."""

import pytest

from notifier.watch.parsers import json_feed, rss
from notifier.watch.parsers.cut_off import (
    complete_feed,
    page_ends_in_text,
    page_has_its_end,
)
from notifier.watch.parsers.observation import ParsedDocument, ParseError
from tests.support.effort import measured

ADDRESS = "https://herald.example.org/feed/"
ITEMS = "".join(
    f"<item><title>Article {n}</title><guid>id-{n}</guid>"
    f"<description><![CDATA[<p>It met its goal in {n}42 people.</p>]]></description></item>\n"
    for n in (1, 2, 3)
)
NAME = "<title>The Herald</title>"
RSS = f'<?xml version="1.0"?>\n<rss version="2.0"><channel>{NAME}{ITEMS}</channel></rss>'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns="http://purl.org/rss/1.0/">'
    f'<channel rdf:about="https://herald.example.org/">{NAME}</channel>{ITEMS}</rdf:RDF>'
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>The Herald</title>'
    + "".join(
        f"<entry><title>Article {n}</title><id>id-{n}</id><summary>It met its goal in {n}42 people."
        "</summary></entry>"
        for n in (1, 2, 3)
    )
    + "</feed>"
)


def titles(document: ParsedDocument) -> list[str]:
    return [observation.title for observation in document.observations]


@pytest.mark.parametrize("feed", [RSS, RDF, ATOM], ids=["RSS", "RDF", "Atom"])
@pytest.mark.parametrize("last", ["goal in 342", "<title>Article 3", "le>Article 3", "42 people"])
def test_a_feed_that_ends_in_an_item_gives_the_complete_ones(feed: str, last: str):
    found = rss.parse(feed[: feed.rindex(last)].encode(), {}, ADDRESS)
    assert titles(found) == ["Article 1", "Article 2"]
    assert (found.whole, bool(found.doubt)) == (False, True)
    whole = rss.parse(feed.encode(), {}, ADDRESS)
    assert found.observations == whole.observations[:2]


@pytest.mark.parametrize("feed", [RSS, RDF, ATOM], ids=["RSS", "RDF", "Atom"])
def test_a_whole_feed_is_whole(feed: str):
    found = rss.parse(feed.encode(), {}, ADDRESS)
    assert (titles(found)[-1], found.whole, found.doubt) == ("Article 3", True, "")
    assert complete_feed(feed).text == feed


def test_an_error_page_after_half_an_item_is_no_part_of_it():
    cut = (
        RSS[: RSS.rindex("42 people")]
        + "<!DOCTYPE html><html><body><p>Fatal error</p></body></html>"
    )
    assert titles(rss.parse(cut.encode(), {}, ADDRESS)) == ["Article 1", "Article 2"]


def test_a_feed_that_ends_between_two_items_is_not_whole_and_not_doubted():
    found = rss.parse(RSS[: RSS.rindex("<item>")].encode(), {}, ADDRESS)
    assert (titles(found), found.whole, found.doubt) == (["Article 1", "Article 2"], False, "")


def test_a_feed_without_the_last_tag_alone_is_whole():
    assert rss.parse(RSS.removesuffix("</rss>").encode(), {}, ADDRESS).whole


def test_a_feed_that_ends_in_its_first_item_is_refused():
    with pytest.raises(ParseError, match="middle of its first item"):
        rss.parse(RSS[: RSS.index("42 people")].encode(), {}, ADDRESS)


def test_tags_in_texts_and_comments_are_no_items():
    quoted = "<![CDATA[Write <item> and <channel> so]]><!-- <item> -->"
    feed = RSS.replace("<title>Article 3", f"<title>{quoted}Article 3")
    assert complete_feed(feed).whole


def test_an_item_that_is_not_closed_in_a_whole_feed_is_kept():
    feed = RSS.replace("</item>\n</channel>", "</channel>")
    assert "Article 3" in titles(rss.parse(feed.encode(), {}, ADDRESS))


def test_a_json_feed_that_ends_in_an_item_gives_the_complete_ones():
    feed = '{"version": "1.1", "items": [{"id": "1", "title": "One"}, {"id'
    found = json_feed.parse(feed.encode(), ADDRESS)
    assert (titles(found), found.whole, bool(found.doubt)) == (["One"], False, True)


@pytest.mark.parametrize("feed", ['{"items": [{"id', '{"items', '{"title": "x", "it'])
def test_a_json_feed_without_a_complete_item_is_refused(feed: str):
    with pytest.raises(ParseError, match="broken JSON"):
        json_feed.parse(feed.encode(), ADDRESS)


def test_one_broken_byte_damages_one_item_of_a_json_feed():
    feed = '{"items": [{"id": "1", "title": "Müde"}, {"id": "2", "title": "Schnee ☃"}]}'.encode()
    found = json_feed.parse(feed.replace("☃".encode(), "☃".encode()[:2]), ADDRESS)
    assert titles(found) == ["Müde", "Schnee \ufffd"]


@pytest.mark.parametrize(
    ("text", "has_end"),
    [
        ("<!DOCTYPE html><html><body><p>Text</p></body></html>", True),
        ("<!DOCTYPE html><html><body><p>Text</p></body>", True),
        ("<html><body><p>Text</BODY ></HTML>\n<!-- made in 0.1 s -->", True),
        ("<p>A part of a page</p>", True),
        ("<!DOCTYPE html><html><body><p>Text of 12", False),
        ("<!DOCTYPE html><title>T</title><p>Text", False),
    ],
)
def test_the_end_of_a_page_is_known(text: str, has_end: bool):
    assert page_has_its_end(text) is has_end


@pytest.mark.parametrize(
    ("text", "in_text"),
    [
        ("<!DOCTYPE html><html><body><p>Text of 12", True),
        ("<!DOCTYPE html><html><body><p>Text <a hre", True),
        ("<!DOCTYPE html><html><body><p>Text</p>\n", False),
        ("<!DOCTYPE html><html><body><p>Text</p></body></html> and more", False),
        ("<p>A part of a page", False),
    ],
)
def test_a_page_that_stops_in_its_text_is_known(text: str, *, in_text: bool):
    assert page_ends_in_text(text) is in_text


@pytest.mark.parametrize("part", ["<item>", "<![CDATA[", "<!--", "<channel ", "<rss", "</feed>"])
def test_hostile_feeds_are_read_in_linear_time(part: str):
    with measured() as effort:
        complete_feed(part * (1_000_000 // len(part)))
    assert effort.processor < 2
