"""Feeds and hostile input from elsewhere: the tests run where these collections are."""

import csv
import ipaddress
import json
import re
import socket
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import html

from notifier.admin.source_check import find_source
from notifier.deliver.mime.message import MessageSpec
from notifier.digest.items import ItemView
from notifier.enums import NewsKind
from notifier.errors import InputError
from notifier.messages.digest_body import renderer
from notifier.messages.digest_mail import build_message
from notifier.text.cleaning import clean, plain
from notifier.watch.http import ssrf
from notifier.watch.parsers import clinicaltrials, html_page, rss
from notifier.watch.parsers.observation import ParseError
from tests.support import news_site
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.mails import a_digest
from tests.support.news_site import Article, Site
from tests.support.paths import SHARED

FEEDS = SHARED / "corpora" / "feeds"
HOSTILE = SHARED / "corpora" / "hostile"

pytestmark = pytest.mark.skipif(
    not FEEDS.is_dir(), reason="the corpora do not lie beside this checkout"
)

# Its only item breaks off before it says anything: to take it for an empty feed would hide that.
CUT_OFF = {"rss_incomplete_cdata.xml"}

# Seconds of processor time, and seconds in all, in case a parser waits for something. The limits
# are against blow-ups; they measure nothing.
SLOWEST, LONGEST_WAIT = 5.0, 60.0


def rows() -> list[dict[str, str]]:
    with (FEEDS / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["role"] == "feed"]


def headers_of(body: bytes) -> dict[str, str]:
    """Return the headers with which a file of feedparser's own tests wants to be served."""
    found = re.findall(rb"(?m)^Header:\s*([\w-]+):\s*(.+?)\s*$", body[:2000])
    return {name.decode().lower(): text.decode("latin-1") for name, text in found}


@pytest.mark.parametrize("collection", ["feedparser", "wordpress", "rss-parser", "yarr", "feed-rs"])
def test_every_feed_gives_its_entries_or_a_readable_error(collection: str):
    wrong = []
    for row in rows():
        if not row["file"].startswith(f"{collection}/"):
            continue
        body = (FEEDS / row["file"]).read_bytes()
        with measured() as effort:
            try:
                reading = rss.parse(body, {}, "https://x.example.org/feed")
                count, said = len(reading.observations), ""
            except ParseError as error:
                count, said = 0, str(error)
                assert said == clean(said)
        assert effort.processor < SLOWEST, row["file"]
        assert effort.elapsed < LONGEST_WAIT, row["file"]
        sound = row["bozo"] == "no" or (row["well_formed"] == "yes" and collection != "feed-rs")
        if (sound and count != int(row["entries"])) or (said and row["bozo"] == "no"):
            wrong.append((row["file"], count, row["entries"], said))
        if said and int(row["entries"]) and row["file"].rpartition("/")[2] not in CUT_OFF:
            wrong.append((row["file"], "refused", said))
    assert wrong == []


def test_json_feeds_are_parsed():
    for row in rows():
        if row["file"].startswith("feed-rs/"):
            body = (FEEDS / row["file"]).read_bytes()
            assert len(rss.parse(body, {}, "https://x.example.org/").observations) == len(
                json.loads(body)["items"]
            )


@pytest.mark.long
def test_no_script_survives_any_feed():
    for row in rows():
        body = (FEEDS / row["file"]).read_bytes()
        try:
            reading = rss.parse(body, headers_of(body), "https://x.example.org/feed")
        except ParseError:
            continue
        for one in reading.observations:
            assert one.url == "" or one.url.startswith(("http://", "https://")), row["file"]
            for text in (
                one.title,
                one.summary,
                *one.body.split("\n"),
                one.author,
                *one.categories,
            ):
                assert text == clean(text), row["file"]


@pytest.mark.parametrize(
    "path", sorted((HOSTILE / "xml").glob("*.xml")), ids=lambda path: path.name
)
def test_a_bomb_or_a_request_for_a_file_is_an_entry_or_an_error_in_bounded_time(path: Path):
    with measured() as effort:
        try:
            reading = rss.parse(path.read_bytes(), {}, "https://x.example.org/feed")
            text = " ".join(f"{one.title} {one.summary} {one.body}" for one in reading.observations)
        except ParseError as error:
            text = str(error)
    assert len(text) < 100_000
    assert "root:" not in text
    assert effort.processor < SLOWEST
    assert effort.elapsed < LONGEST_WAIT


def payloads() -> list[str]:
    lines = (HOSTILE / "xss.txt").read_text(encoding="utf-8").splitlines()
    return lines + [
        one["payload"]
        for one in json.loads((HOSTILE / "dompurify.json").read_text(encoding="utf-8"))
    ]


@pytest.mark.long
def test_no_payload_makes_markup_of_a_mail(installation: Installation):
    deps = installation.at(MONDAY)
    render = renderer(deps)
    allowed = {"a", "p", "h2", "h3", "strong", "span", "table", "tbody", "tr", "td", "div", "br"}
    for start in range(0, len(payloads()), 400):
        items = []
        for payload in payloads()[start : start + 400]:
            body = news_site.rss([Article(payload, payload, link=payload)]).encode()
            for one in rss.parse(body, {}, "https://x.example.org/").observations:
                values = (
                    NewsKind.NEW,
                    "about",
                    one.title,
                    one.url,
                    payload,
                    "news",
                    None,
                    one.summary,
                )
                items.append(ItemView(*values, (), 0, "", (payload,)))
        root = html.fromstring(f"<div><table>{render(a_digest(*items)).html}</table></div>")
        for element in root.iter():
            assert element.tag in allowed, html.tostring(element)[:300]
            assert not [name for name in element.attrib if name.startswith("on")]
            assert not element.get("href") or element.get("href").startswith(
                ("http://", "https://")
            )


@pytest.mark.long
def test_no_payload_makes_the_parser_of_a_page_or_a_record_fail():
    for payload in payloads():
        for body in (
            payload,
            f"<html><body><article><h1>{payload}</h1><p>{payload}</p></article></body></html>",
        ):
            try:
                (one,) = html_page.parse(body.encode(), {}, "https://x.example.org/").observations
            except ParseError:
                continue
            assert one.url.startswith("https://")
            assert "<script" not in one.body.lower() or "<script" in plain(payload).lower()
        with pytest.raises(ParseError):
            clinicaltrials.parse(
                json.dumps({"protocolSection": payload}).encode(), {}, "https://x.example.org/"
            )


def test_naughty_strings_are_kept_except_what_cannot_be_printed():
    for text in json.loads((HOSTILE / "naughty_strings.json").read_text(encoding="utf-8")):
        found = jsonfeed_of(text)
        assert found.body == "\n".join(line for part in text.splitlines() if (line := clean(part)))


def test_no_payload_adds_a_header_or_a_recipient(installation: Installation):
    deps = installation.at(MONDAY)
    names = None
    for line in (HOSTILE / "header_injection.txt").read_text(encoding="utf-8").splitlines():
        payload = json.loads(line)
        found = rss.parse(jsonfeed(payload, payload), {}, "https://x.example.org/").observations[0]
        sender = deps.settings.sender.model_copy(update={"name": payload})
        installation.change(sender=sender)
        letter = MessageSpec(
            "<1@example.org>",
            "anna@example.org",
            found.title,
            "operator_alert",
            {"paragraphs": [[found.title]]},
        )
        parsed = message_from_bytes(
            build_message(installation.at(MONDAY), letter, MONDAY), policy=policy.default
        )
        names = names or parsed.keys()
        assert parsed.keys() == names, payload
        assert parsed["To"] == "anna@example.org"
        assert [part.get_content_type() for part in parsed.iter_parts()] == [
            "text/plain",
            "text/html",
        ]


def jsonfeed(title: str, text: str) -> bytes:
    item = {"id": "1", "title": title, "content_text": text}
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}).encode()


def jsonfeed_of(text: str):
    (one,) = rss.parse(jsonfeed("", text), {}, "https://x.example.org/").observations
    return one


def lines(name: str) -> list[tuple[str, str]]:
    text = (HOSTILE / name).read_text(encoding="utf-8")
    return [
        tuple(line.split("\t")[:2])
        for line in text.splitlines()
        if "\t" in line and not line.startswith("#")
    ]


def test_no_refused_address_is_connected_to(
    installation: Installation, site: Site, monkeypatch: pytest.MonkeyPatch
):
    """Every name resolves to a private address here, as with a hostile resolver."""
    dialled = []
    monkeypatch.setattr(socket.socket, "connect", lambda *target: dialled.append(target))
    watch = installation.at(MONDAY).settings.watch.model_copy(
        update={"allow_private_addresses": False}
    )
    installation.change(watch=watch)

    def resolve(host, port, *_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port or 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for url, _ in lines("ssrf_urls.txt"):
        try:
            assert find_source(installation.at(MONDAY), url, None).problem, url
        except InputError:
            continue
    assert dialled == []


def test_public_addresses_at_the_edges_are_not_refused():
    for url, _ in lines("ssrf_allowed.txt"):
        host = urlsplit(url).hostname or ""
        try:
            assert ssrf.is_public_ip(str(ipaddress.ip_address(host))), url
        except ValueError:
            ssrf.refuse_private_name(url)
