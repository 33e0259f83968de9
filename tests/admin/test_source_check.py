"""Source check: the feed of a site is found, and a check reports an answer with advice."""

from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.admin.source_check import OutOfTimeError, check, find_source
from notifier.enums import SourceKind
from notifier.errors import InputError
from notifier.store.models import Source
from notifier.watch import discovery
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Answer, Article, rss

FRONT_PAGE = """<html><head><title>Front</title>
<link rel="alternate" type="application/rss+xml" title="Herald » Comments Feed"
      href="/comments/feed/">
<link rel="alternate" type="application/rss+xml" title="Herald" href="/real-feed/">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">
<link rel="stylesheet" href="/style.css"></head><body><p>Welcome</p></body></html>"""


def test_the_feed_that_a_front_page_names_is_found(installation: Installation):
    installation.site.put("/", FRONT_PAGE, "text/html")
    feed = installation.site.put("/real-feed/", rss([Article("One")]))
    installation.site.put("/comments/feed/", rss([]))
    source = find_source(installation.at(MONDAY), f"{installation.site.address}/", None)
    assert (source.url, source.kind) == (feed, SourceKind.FEED)
    assert "comments" in source.how


def test_a_feed_that_the_page_does_not_name_is_found_at_a_usual_address(
    installation: Installation,
):
    page = installation.site.put("/blog/", "<html><body><p>Welcome</p></body></html>", "text/html")
    installation.site.answers.pop("/feed/")
    feed = installation.site.put("/rss.xml", rss([Article("One")]))
    assert find_source(installation.at(MONDAY), page, None).url == feed


def test_a_page_without_a_feed_is_refused_with_advice(installation: Installation):
    page = installation.site.put(
        "/page/", "<html><body><p>Only a page.</p></body></html>", "text/html"
    )
    installation.site.answers.pop("/feed/")
    with pytest.raises(InputError, match="is not a feed, and none was found from it") as refused:
        find_source(installation.at(MONDAY), page, None)
    assert "--kind page" in refused.value.fix
    assert find_source(installation.at(MONDAY), page, SourceKind.PAGE).url == page


def test_an_address_that_cannot_be_read_now_is_accepted_with_a_warning(
    installation: Installation,
):
    source = find_source(installation.at(MONDAY), installation.site.fail("/x/", 503), None)
    assert (source.kind, source.problem) == (SourceKind.FEED, "it answered 503")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/feed",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://169.254.169.254/",
        "http://user:pass@example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
        "x",
    ],
)
def test_a_private_or_invalid_address_is_refused(installation: Installation, url: str):
    watch = installation.at(MONDAY).settings.watch.model_copy(
        update={"allow_private_addresses": False}
    )
    installation.change(watch=watch)
    with pytest.raises(InputError, match="cannot be watched"):
        find_source(installation.at(MONDAY), url, None)


def test_a_search_for_a_feed_ends_when_its_time_is_over(installation: Installation):
    site, release = installation.site, Event()
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="/slow{number}/">'
        for number in range(5)
    )
    page = site.put("/", f"<html><head>{links}</head><body>Hi</body></html>", "text/html")
    for number in range(5):
        site.answers[f"/slow{number}/"] = Answer(held_until=release)
    try:
        with (
            measured() as effort,
            pytest.raises(OutOfTimeError, match=r"within 0\.6 seconds"),
        ):
            find_source(installation.at(MONDAY), page, None, seconds=0.6)
    finally:
        release.set()
    assert effort.elapsed < 5


def test_an_address_may_be_given_without_its_scheme(installation: Installation):
    source = find_source(installation.at(MONDAY), "no-such-host.invalid/feed/", None)
    assert source.url == "https://no-such-host.invalid/feed/"
    assert "cannot be resolved" in source.problem


def test_a_check_reports_the_answer_and_what_to_do(installation: Installation):
    installation.publish([Article("One", published=MONDAY)])
    site = installation.site
    site.put("/page/", FRONT_PAGE, "text/html")
    site.fail("/closed/", 403)
    site.answers["/plain/"] = Answer(200, rss([]).encode(), {"Cache-Control": "max-age=7200"})
    site.answers["/moved/"] = Answer(301, b"", {"Location": "/feed/"})
    paths = ("/feed/", "/page/", "/closed/", "/plain/", "/moved/", "/none/")
    good, page, closed, plain, moved, missing = check(
        installation.at(MONDAY), [(site.address + path, SourceKind.FEED) for path in paths]
    )
    assert (good.ok, good.entries) == (True, 1)
    assert "It can be read (feed): 1 entry." in good.lines
    assert any("The newest, of 2026-03-02: One" in line for line in good.lines)
    assert not page.ok
    assert any(f"notifier sources add {site.address}/real-feed/" in line for line in page.lines)
    assert any("refuses programs" in line for line in closed.lines)
    assert any("neither ETag nor Last-Modified" in line for line in plain.lines)
    assert any("not to be fetched again for 120 minutes" in line for line in plain.lines)
    assert any("redirects permanently to" in line for line in moved.lines)
    assert any("may have moved" in line for line in missing.lines)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Source).one().last_success_at is None, "a check stores nothing"


@given(st.text())
def test_no_page_breaks_the_search_for_its_feeds(text: str):
    for body in (text, f"<link rel=alternate type=application/rss+xml href={text!r}>"):
        for url, _ in discovery.feeds(body.encode("utf-8", "replace"), "https://x.example.org/"):
            assert url.startswith(("http://", "https://"))
