"""Hostile news: whatever a feed holds, mail, links and archive page stay sound."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from notifier.pipeline.run import run_once
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article, rss
from tests.support.visitor import Client
from tests.support.web_server import serving

DAY = timedelta(days=1)
NESTED = (
    "<table><tr><td>" * 30_000 + "a made-up text about frexalimab" + "</td></tr></table>" * 30_000
)

TITLES = {
    "markup": "Frexalimab <b>slows</b> <script>alert(1)</script> & lesions",
    "long": "Frexalimab " + "slows lesions again and " * 90,
    "one long word": "Frexalimab " + "x" * 2000,
    "none": "",
    "emoji": "Frexalimab 🧠🧬 👩🏽‍⚕️ slows lesions",
    "line breaks": "Frexalimab\r\nBcc: thief@example.org\r\n\r\n<p>slows",
    "override": "Frexalimab \u202eslows\u202c \u2066lesions\u2069",
    "not unicode": "Frexalimab \ufffe\uffff slows",
    "template": "Frexalimab {{ 7*7 }} {% raw %} %(therapy)s %s",
    "encoded word": "Frexalimab =?utf-8?q?=0D=0ABcc:_x?= slows",
}
LINKS = [
    "javascript:alert(1)",
    "data:text/html,<b>",
    "//evil.example.org/x",
    "/one/",
    "one",
    "ftp://x.example.org/",
    "",
]


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    with serving(create(installation.at(MONDAY))) as address:
        yield Client(address)


def digest_of(installation: Installation, feed: str):
    installation.subscribe("anna@example.org")
    installation.subscribe("doctor@example.org", edition="clinician", language="de")
    run_once(installation.at(MONDAY))
    installation.site.put("/feed/", feed)
    run_once(installation.at(MONDAY + DAY))
    assert len(installation.sink.messages) == 2
    return installation.sink.messages


def is_sound(mail) -> None:
    assert not mail.defects
    assert mail.keys().count("Bcc") == 0
    assert len(mail["Subject"]) <= 70
    html, text = html_of(mail), text_of(mail)
    assert not re.search(r"(?i)<(script|img|iframe|b|svg)\b", html)
    assert set(re.findall(r'href="([a-z]+:)', html)) == {"https:"} or "http:" in html
    assert not re.search(r'href="(?!https?://)', html)
    assert html.count("<table") == html.count("</table>")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", html + text)
    assert max(len(line) for line in text.splitlines() if "http" not in line) < 2300
    assert len(html.encode()) < 12_000


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_no_title_breaks_a_mail_or_a_page(installation: Installation, client: Client, title: str):
    article = Article(title, "A made-up text about frexalimab and its trial.")
    for mail in digest_of(installation, rss([article])):
        is_sound(mail)
    page = client.get("/archive/1")
    assert page.status_code == 200
    assert not re.search(r"(?i)<(script|img|iframe|b)\b", page.text)
    assert client.get("/feeds/frexalimab.atom").status_code == 200


@pytest.mark.parametrize("link", LINKS)
def test_an_invalid_link_is_replaced_by_the_source(installation: Installation, link: str):
    for mail in digest_of(installation, rss([Article("Frexalimab slows lesions", link=link)])):
        is_sound(mail)
        (url,) = re.findall(r'<h3[^>]*><a href="([^"]+)"', html_of(mail))
        assert url.startswith(
            ("http://127.0.0.1", "https://herald.example.org/", "http://evil.example.org/x")
        )


def test_a_megabyte_of_nested_tables_becomes_a_line_of_text(
    installation: Installation, client: Client
):
    for mail in digest_of(installation, rss([Article("Frexalimab slows lesions", NESTED)])):
        is_sound(mail)
        assert "a made-up text about frexalimab" in html_of(mail)
    assert client.get("/archive/1").status_code == 200


def test_a_mail_without_a_title_says_so_in_the_readers_language(installation: Installation):
    messages = digest_of(
        installation, rss([Article("", "A made-up text about frexalimab and its trial.")])
    )
    plain, german = sorted(messages, key=lambda mail: str(mail["To"]))
    assert "Without a title" in text_of(plain)
    assert "Ohne Titel" in text_of(german)
