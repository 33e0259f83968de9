"""Items of a large feed that are known letter by letter are not parsed again, and read the same."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest

from notifier.pipeline import poll
from notifier.store.models import Entry, ParsedItems, Revision
from notifier.watch import parsed_items
from notifier.watch.parser_process import wire
from notifier.watch.parsers import known_items, rss
from notifier.watch.parsers.known_items import KnownItems
from notifier.watch.parsers.observation import Observation, ParsedDocument
from tests.support.installation import MONDAY, Installation

DAY = timedelta(days=1)
ADDRESS = "https://herald.example.org/feed/"


@pytest.fixture(autouse=True)
def three_items_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_items, "FEWEST_ITEMS", 3)


def item(number: int, text: str = "Made up.") -> str:
    return (
        f"<item><title>Article {number}</title><guid>g{number}</guid>"
        f"<pubDate>Mon, 0{number} Mar 2026 08:00:00 GMT</pubDate>"
        f"<description><![CDATA[<p>{text}</p>]]></description></item>"
    )


def feed(*items: str, head: str = "", root: str = "<rss version='2.0'>") -> bytes:
    between = "\n".join(items)
    return f"{root}<channel><title>Herald</title>{head}{between}</channel></rss>".encode()


def parsed(body: bytes, known: KnownItems) -> tuple[ParsedDocument, list[str]]:
    """Return the document, and the titles of the items that were read from its letters."""
    read: list[str] = []
    observe = rss._observation

    def noted(entry, base: str) -> Observation:
        observation = observe(entry, base)
        read.append(observation.title)
        return observation

    rss._observation = noted
    try:
        return rss.parse(body, {}, ADDRESS, known), read
    finally:
        rss._observation = observe


def known_from(body: bytes) -> KnownItems:
    """Return the items of a document as the next poll knows them, packed and unpacked."""
    first = KnownItems({})
    rss.parse(body, {}, ADDRESS, first)
    return KnownItems(wire.unpack_items(base64.b64decode(wire.pack_items(first.current))))


THREE = (item(1), item(2), item(3))


@pytest.mark.parametrize(
    ("later", "read"),
    [
        pytest.param(feed(*THREE), [], id="the same items"),
        pytest.param(feed(*THREE, head="<lastBuildDate>today</lastBuildDate>"), [], id="the head"),
        pytest.param(feed(item(4), *THREE), ["Article 4"], id="one more above"),
        pytest.param(feed(item(3), item(1), item(2)), [], id="another order"),
        pytest.param(feed(item(1), item(2, "Not so."), item(3)), ["Article 2"], id="an edit"),
        pytest.param(
            feed(item(4), item(5), item(6)), ["Article 4", "Article 5", "Article 6"], id="all"
        ),
        pytest.param(feed(item(1), item(1), item(2)), [], id="one twice"),
    ],
)
def test_only_unknown_items_are_read_and_all_are_listed(later: bytes, read: list[str]):
    known = known_from(feed(*THREE))
    document, its_read = parsed(later, known)
    assert its_read == read
    assert document == rss.parse(later, {}, ADDRESS)
    assert known.is_new == bool(read)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(feed(*THREE[:2]), id="too few items"),
        pytest.param(
            feed(*THREE, root="<rss version='2.0' xml:base='https://x.test/'>"), id="a base"
        ),
        pytest.param(feed(*THREE[:2], f"<!-- {item(3)} -->", item(3)), id="an item in a comment"),
        pytest.param(feed(item(1), item(2, "</item><item>"), item(3)), id="a mark in a text"),
        pytest.param(feed(*THREE, "<item/>"), id="an empty item"),
        pytest.param(feed(*THREE, "text between", item(4)), id="a text between items"),
    ],
)
def test_wherever_it_is_not_certain_the_whole_feed_is_read(later: bytes):
    document, read = parsed(later, known_from(feed(*THREE)))
    assert document == rss.parse(later, {}, ADDRESS)
    assert len(read) >= len(document.observations)


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"nonsense", lambda packed: packed[:-5], lambda _: b""],
    ids=["other", "cut", "none"],
)
def test_damaged_known_items_are_none(damage: Callable[[bytes], bytes]):
    first = KnownItems({})
    rss.parse(feed(*THREE), {}, ADDRESS, first)
    packed = base64.b64decode(wire.pack_items(first.current))
    assert wire.unpack_items(packed) == first.current
    assert wire.unpack_items(damage(packed)) == {}


def test_a_large_feed_is_told_as_before(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    # The parser process counts for itself: enough items for it, and small ones for the poll.
    monkeypatch.setattr(parsed_items, "LEAST_BYTES", 1_000)
    made = any_installation

    def publish(*texts: tuple[int, str]) -> None:
        items = "".join(
            f"<item><title>Article {number}</title><guid>g{number}</guid>"
            f"<description>{text}</description></item>"
            for number, text in texts
        )
        made.site.put("/feed/", feed(items).decode())

    usual = [(number, f"Made up, number {number}.") for number in range(250)]
    publish(*usual)
    poll.run(made.at(MONDAY))
    with made.at(MONDAY).reading() as session:
        assert session.query(ParsedItems).one().items
    edited = [(7, "The dose was 100 mg, not 10 mg."), *(each for each in usual if each[0] != 7)]
    publish((900, "A new one."), *edited)
    (result,) = poll.run(made.at(MONDAY + DAY))
    assert (result.status, result.entries, result.new, result.changed) == ("ok", 251, 1, 1)
    with made.at(MONDAY).reading() as session:
        assert session.query(Entry).filter(Entry.left_at.is_not(None)).count() == 0
        assert session.query(Revision).count() == 252
