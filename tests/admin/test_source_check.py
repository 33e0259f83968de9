"""Finding sources: the feed behind a front page, lists from other readers, and a look at what an address answers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.admin.source_check import check, find_source
from notifier.enums import Authority, SourceKind
from notifier.errors import InputError
from notifier.store.models import Source
from notifier.watch import discovery, opml
from notifier.watch.parsers import json_feed
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Answer, Article, rss

FRONT = """<html><head><title>Front</title>
<link rel="alternate" type="application/rss+xml" title="Herald » Comments Feed" href="/comments/feed/">
<link rel="alternate" type="application/rss+xml" title="Herald" href="/real-feed/">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">
<link rel="stylesheet" href="/style.css"></head><body><p>Welcome</p></body></html>"""


def test_the_feed_behind_a_front_page_is_found(installation: Installation):
    installation.site.put("/", FRONT, "text/html")
    feed = installation.site.put("/real-feed/", rss([Article("One")]))
    installation.site.put("/comments/feed/", rss([]))
    found = find_source(installation.at(MONDAY), f"{installation.site.address}/", None)
    assert (found.url, found.kind) == (feed, SourceKind.FEED)
    assert "comments" in found.how


def test_a_feed_that_the_page_does_not_name_is_found_in_its_usual_place(installation: Installation):
    installation.site.put("/blog/", "<html><body><p>Welcome</p></body></html>", "text/html")
    installation.site.answers.pop("/feed/")
    feed = installation.site.put("/rss.xml", rss([Article("One")]))
    assert (
        find_source(installation.at(MONDAY), f"{installation.site.address}/blog/", None).url == feed
    )


def test_a_page_without_a_feed_is_told_with_what_to_do(installation: Installation):
    page = installation.site.put(
        "/page/", "<html><body><p>Only a page.</p></body></html>", "text/html"
    )
    installation.site.answers.pop("/feed/")
    with pytest.raises(InputError, match="none was found from it") as caught:
        find_source(installation.at(MONDAY), page, None)
    assert "--kind page" in caught.value.fix
    assert find_source(installation.at(MONDAY), page, SourceKind.PAGE).url == page


def test_an_address_that_cannot_be_read_now_is_taken_with_a_warning(installation: Installation):
    found = find_source(installation.at(MONDAY), installation.site.fail("/x/", 503), None)
    assert (found.kind, found.problem) == (SourceKind.FEED, "it answered 503")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/feed", "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
     "http://localhost/", "http://printer.local/", "http://metadata.google.internal/", "http://169.254.169.254/",
     "http://user:pass@example.org/", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "", "x"],
)  # fmt: skip
def test_a_private_or_odd_address_is_refused_at_the_door(installation: Installation, url: str):
    watch = installation.at(MONDAY).settings.watch.model_copy(
        update={"allow_private_addresses": False}
    )
    installation.change(watch=watch)
    with pytest.raises(InputError, match="cannot be watched"):
        find_source(installation.at(MONDAY), url, None)


def test_an_address_may_be_given_as_people_say_it(installation: Installation):
    found = find_source(installation.at(MONDAY), "no-such-host.invalid/feed/", None)
    assert found.url == "https://no-such-host.invalid/feed/"
    assert "cannot be resolved" in found.problem


def test_a_look_says_what_comes_and_what_to_do(installation: Installation):
    installation.publish([Article("One", published=MONDAY)])
    site = installation.site
    site.put("/page/", FRONT, "text/html")
    site.fail("/closed/", 403)
    site.answers["/plain/"] = Answer(200, rss([]).encode(), {"Cache-Control": "max-age=7200"})
    site.answers["/moved/"] = Answer(301, b"", {"Location": "/feed/"})
    paths = ("/feed/", "/page/", "/closed/", "/plain/", "/moved/", "/none/")
    good, page, closed, bare, moved, none = check(
        installation.at(MONDAY), [(site.address + path, SourceKind.FEED) for path in paths]
    )
    assert (good.ok, good.entries) == (True, 1)
    assert any("The newest, of 2026-03-02: One" in line for line in good.lines)
    assert not page.ok
    assert any(f"notifier sources add {site.address}/real-feed/" in line for line in page.lines)
    assert any("refuses programs" in line for line in closed.lines)
    assert any("neither ETag nor Last-Modified" in line for line in bare.lines)
    assert any("not to be fetched again for 120 minutes" in line for line in bare.lines)
    assert any("redirects permanently to" in line for line in moved.lines)
    assert any("may have moved" in line for line in none.lines)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Source).one().last_success_at is None  # a look stores nothing


@given(st.text())
def test_no_page_breaks_the_search_for_its_feeds(text: str):
    for body in (text, f"<link rel=alternate type=application/rss+xml href={text!r}>"):
        for url, _ in discovery.feeds(body.encode("utf-8", "replace"), "https://x.example.org/"):
            assert url.startswith(("http://", "https://"))


def test_a_list_of_sources_comes_back_as_it_went(tmp_path: Path):
    sources = [
        Source(
            kind=SourceKind.FEED,
            url="https://x.example.org/feed?a=1&b=2",
            name="A & B <c>",
            authority=Authority.NEWS,
        ),
        Source(
            kind=SourceKind.PAGE,
            url="https://x.example.org/page",
            name="Page",
            authority=Authority.SPONSOR,
        ),
    ]
    found = opml.read(opml.write(sources), "it")
    assert [(one.url, one.name, one.kind, one.authority) for one in found] == [
        (one.url, one.name, str(one.kind), str(one.authority)) for one in sources
    ]


def test_the_lists_of_other_readers_are_taken_with_their_folders():
    body = b"""<?xml version="1.0"?><opml version="1.0"><body><outline text="Folder">
      <outline text="One" type="rss" xmlUrl="https://one.example.org/feed"/>
      <outline title="Two" xmlURL="https://two.example.org/feed"/>
      <outline text="Twice" xmlUrl="https://one.example.org/feed"/>
      <outline text="Odd" xmlUrl="javascript:alert(1)"/></outline></body></opml>"""
    assert [(one.url, one.name) for one in opml.read(body, "it")] == [
        ("https://one.example.org/feed", "One"),
        ("https://two.example.org/feed", "Two"),
    ]


@pytest.mark.parametrize("body", [b"", b"not xml", b"<rss/>", b"<html></html>", b"\x00\x01"])
def test_what_is_no_list_is_told(body: bytes):
    with pytest.raises(InputError):
        opml.read(body, "it.opml")


def test_a_json_feed_gives_its_entries():
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "A made-up feed",
        "items": [
            {"id": 7, "url": "/one", "title": "One <b>bold</b>", "content_html": "<p>Text &amp; more</p>",
             "date_published": "2026-03-02T10:00:00+01:00", "authors": [{"name": "A. Writer"}], "tags": ["news", 3]},
            {"id": "https://x.example.org/two", "content_text": "a < b"},
            "odd",
        ],
    }  # fmt: skip
    reading = json_feed.read(
        b"\xef\xbb\xbf" + json.dumps(document).encode(), "https://x.example.org/feed.json"
    )
    one, two = reading.observations
    assert reading.name == "A made-up feed"
    assert (one.guid, one.url, one.title, one.body) == (
        "7",
        "https://x.example.org/one",
        "One bold",
        "Text & more",
    )
    assert (one.published_at, one.author, one.categories) == (MONDAY, "A. Writer", ("news", "3"))
    assert (two.url, two.body) == ("https://x.example.org/two", "a < b")
