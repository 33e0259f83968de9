"""The archive and the feed: what is public, what needs a link, and later corrections."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import feedparser
import pytest

from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

DAY = timedelta(days=1)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    with serving(create(installation.at(MONDAY))) as address:
        yield Client(address)


def send_digest(installation: Installation, *articles: Article, day: int = 1) -> None:
    """Publish articles and send Anna the digest of a day."""
    if day == 1:
        installation.subscribe("anna@example.org")
        run_once(installation.at(MONDAY))
    installation.publish(list(articles))
    run_once(installation.at(MONDAY + day * DAY))


def keep_private(installation: Installation) -> None:
    with installation.at(MONDAY).writing() as session:
        file = profiles.parse(profiles.bundled_file(), "the bundled profile")
        private = file.model_copy(
            update={"public": False, "sources": (installation.feed,), "pages": ()}
        )
        profiles.save(session, private, MONDAY)


def online(installation: Installation, number: int = 0) -> str:
    """Return the path under which a mail can be read online."""
    (path,) = set(
        re.findall(
            r"https://news\.example\.org(/archive/[\w.-]+)",
            html_of(installation.sink.messages[number]),
        )
    )
    return path


def test_a_public_digest_can_be_read_by_anybody(installation: Installation, client: Client):
    send_digest(installation, Article("Frexalimab slows lesions"))
    link = online(installation)
    page = client.get(link)
    assert page.status_code == 200
    assert '<a href="https://herald.example.org/' in page.text
    assert "Frexalimab slows lesions" in page.text
    assert "Why it is here: the headline names frexalimab." in page.text
    assert "style=" not in page.text
    assert f'href=".{link}"' in client.get("/archive").text


def test_the_archive_contains_nothing_about_a_reader(installation: Installation, client: Client):
    send_digest(installation, Article("Frexalimab slows lesions"))
    for path in ("/archive", "/archive/1", "/feeds/frexalimab.atom"):
        text = client.get(path).text
        assert "anna" not in text
        assert "unsubscribe" not in text.lower()
        assert "preferences" not in text.lower()


def test_a_private_digest_is_shown_only_under_its_link(installation: Installation, client: Client):
    keep_private(installation)
    send_digest(installation, Article("Frexalimab slows lesions"))
    link = online(installation)
    assert not re.search(r"/archive/\d+$", link)
    assert "Frexalimab slows lesions" in client.get(link).text
    for guessed in (
        "/archive/1",
        "/archive/2",
        link[:-1],
        link + "x",
        "/archive/%31",
        "/feeds/frexalimab.atom",
    ):
        answer = client.get(guessed)
        assert answer.status_code == 404, guessed
        assert "slows lesions" not in answer.text
    assert "Frexalimab" not in client.get("/archive").text


@pytest.mark.parametrize(
    "key", ["0", "99", "9" * 40, "-1", "1.0", "²", "٣", "x", "..", "1/2", "%00", "a.b"]
)
def test_a_digest_that_does_not_exist_is_answered_by_a_page(
    installation: Installation, client: Client, key: str
):
    answer = client.get(f"/archive/{key.encode().hex() if not key.isascii() else key}")
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_later_corrections_are_listed_above_the_digest_that_was_sent(
    installation: Installation, client: Client
):
    send_digest(
        installation,
        Article("Frexalimab cuts lesions by 89%", guid="1"),
        Article("Frexalimab again", slug="again", guid="2"),
    )
    assert "Corrected since" not in client.get("/archive/1").text
    send_digest(
        installation,
        Article("Frexalimab cuts lesions by 86%", guid="1"),
        Article("Frexalimab again", slug="again", guid="2"),
        day=2,
    )
    page = client.get("/archive/1").text
    banner, _, body = page.partition('<table class="mail"')
    assert "Corrected since this digest was written:" in banner
    assert "Frexalimab cuts lesions by <del>89%</del> → <ins>86%</ins>" in banner
    assert "Frexalimab again" not in banner
    assert "Frexalimab cuts lesions by 89%" in body
    assert "86%" not in body
    assert (
        "Corrected since" not in client.get("/archive/2").text.partition('<table class="mail"')[0]
    )


def test_the_archive_reports_a_withdrawn_article(installation: Installation, client: Client):
    send_digest(installation, Article("Frexalimab slows lesions", guid="1"))
    send_digest(installation, Article("RETRACTED: Frexalimab slows lesions", guid="1"), day=2)
    banner = client.get("/archive/1").text.partition('<table class="mail"')[0]
    assert "The publisher retracted it." in banner


def test_a_digest_is_shown_in_its_own_language_and_the_list_in_the_visitors(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org", language="de")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + DAY))
    page = client.get("/archive/1", Accept_Language="fr")
    assert '<html lang="de">' in page.text
    assert "Warum es hier steht:" in page.text
    index = client.get("/archive", Accept_Language="fr-CA, en;q=0.5")
    assert '<html lang="fr">' in index.text
    assert "Pour les lecteurs de flux" in index.text
    assert index.headers["Content-Language"] == "fr"


def test_the_feed_is_valid_and_an_entry_keeps_its_id_through_a_correction(
    installation: Installation, client: Client
):
    send_digest(
        installation,
        Article("Frexalimab cuts lesions by 89% & more <b>", guid="1"),
        Article("Nothing of it", slug="no"),
    )
    first = client.get("/feeds/frexalimab.atom")
    assert first.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    send_digest(installation, Article("Frexalimab cuts lesions by 86% & more <b>", guid="1"), day=2)
    second = client.get("/feeds/frexalimab.atom")
    (before,), (after,) = (feedparser.parse(answer.text).entries for answer in (first, second))
    assert not feedparser.parse(second.text).bozo
    assert before.id == after.id
    assert before.updated < after.updated
    assert "86%" in after.title
    assert "was “" in after.summary
    assert "you were sent" not in after.summary
    _follows_rfc_4287(second.text)


def _follows_rfc_4287(text: str) -> None:
    """Check what the schema of RFC 4287 (appendix B) requires of a feed and its entries."""
    root = ET.fromstring(text)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            (child,) = element.findall(f"{ATOM}{name}")
            assert child.text
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", element.findtext(f"{ATOM}id"))
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo is not None
    for entry in root.iter(f"{ATOM}entry"):
        assert (
            len([link for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"])
            == 1
        )
        assert entry.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))
    (own,) = [link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own.get("href") == "https://news.example.org/feeds/frexalimab.atom"


def test_a_feed_that_did_not_change_is_not_sent_again(installation: Installation, client: Client):
    send_digest(installation, Article("Frexalimab slows lesions"))
    etag = client.get("/feeds/frexalimab.atom").headers["ETag"]
    again = client.get("/feeds/frexalimab.atom", If_None_Match=etag)
    assert (again.status_code, again.text) == (304, "")
    send_digest(
        installation,
        Article("Frexalimab slows lesions"),
        Article("Frexalimab more", slug="more"),
        day=2,
    )
    assert client.get("/feeds/frexalimab.atom", If_None_Match=etag).status_code == 200


def test_an_empty_feed_is_valid(installation: Installation, client: Client):
    _follows_rfc_4287(client.get("/feeds/frexalimab.atom").text)
    assert client.get("/feeds/nothing.atom").status_code == 404


def many(number: int) -> list[Article]:
    text = "A made-up text about frexalimab that is as long as a summary may be. " * 8
    return [
        Article(
            f"Frexalimab headline number {n:03} of many",
            text,
            slug=f"n-{n:03}",
            published=MONDAY + DAY,
        )
        for n in range(number)
    ]


@pytest.mark.long
def test_a_digest_that_gmail_would_cut_ends_after_an_item_and_the_archive_shows_all(
    installation: Installation, client: Client
):
    send_digest(installation, *many(200))
    (mail,) = installation.sink.messages
    html, text = html_of(mail), text_of(mail)
    shown = len(re.findall(r"<h3", html))
    assert 60 < shown < 200
    assert len(html.encode()) < 92_160
    assert f"{200 - shown} more items in the archive" in html
    assert (
        f"{200 - shown} more items in the archive:\nhttps://news.example.org{online(installation)}"
        in text
    )
    assert mail["Subject"] == "Your daily digest: 200 items"
    assert html.rindex("Unsubscribe") > html.rindex("more items in the archive")
    assert len(re.findall(r"Why it is here", text)) == shown
    page = client.get("/archive/1").text
    assert len(re.findall(r"<h3", page)) == 200
    run_once(installation.at(MONDAY + 2 * DAY))
    assert len(installation.sink.messages) == 1, "the archive showed the items that were cut"
