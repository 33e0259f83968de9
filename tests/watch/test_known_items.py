"""Items of a large feed that are known letter by letter are not parsed again, and read the same."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from notifier.pipeline import poll
from notifier.store.models import Entry, ParsedItems, Revision
from notifier.watch import parsed_items
from notifier.watch.parser_process import wire
from notifier.watch.parsers import known_items, observation, rss
from notifier.watch.parsers.known_items import KnownItems, filled
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    StandIn,
    within_limits,
)
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


def parsed(
    body: bytes, known: dict[str, Observation], url: str = ADDRESS
) -> tuple[ParsedDocument, list[str]]:
    """Return the document, and the titles of the items that were read from its letters."""
    read: list[str] = []
    observe = rss._observation

    def noted(entry, base: str) -> Observation:
        observation = observe(entry, base)
        read.append(observation.title)
        return observation

    rss._observation = noted
    try:
        dates = wire.decode_dates(wire.encode_dates(known))
        document = rss.parse(body, {}, url, KnownItems(dates))
        answer = wire.decode_document(json.loads(json.dumps(wire.encode_document(document))))
        return filled(within_limits(answer), known), read
    finally:
        rss._observation = observe


def known_from(body: bytes) -> dict[str, Observation]:
    """Return the items of a document as the next poll knows them, packed and unpacked."""
    return wire.unpack_items(
        wire.pack_items(rss.parse(body, {}, ADDRESS, KnownItems({})).observations)
    )


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
    document, its_read = parsed(later, known_from(feed(*THREE)))
    assert its_read == read
    assert document == rss.parse(later, {}, ADDRESS)


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
    packed = wire.pack_items(rss.parse(feed(*THREE), {}, ADDRESS, KnownItems({})).observations)
    assert len(wire.unpack_items(packed)) == 3
    assert wire.unpack_items(damage(packed)) == {}


def test_an_answer_with_an_item_that_nobody_knows_is_refused():
    """A parser process that was taken over may name any item."""
    with pytest.raises(KeyError):
        filled(ParsedDocument("", (StandIn(digest="of nothing"),)), known_from(feed(*THREE)))


ENTITIES = "<!DOCTYPE rss [\n<!ENTITY dose '{}'>\n]>\n<rss version='2.0'>"


@pytest.mark.parametrize(
    ("before", "after", "url"),
    [
        pytest.param(
            {"root": "<rss version='2.0' xml:base='https://herald.example.org/a/'>"},
            {"root": "<rss version='2.0' xml:base='https://herald.example.org/b/'>"},
            ADDRESS,
            id="another base",
        ),
        pytest.param({}, {}, "https://other.example.org/feed/", id="another address"),
        pytest.param({}, {"root": "<rss version='0.92'>"}, ADDRESS, id="another version"),
        pytest.param(
            {"root": ENTITIES.format("1 mg")},
            {"root": ENTITIES.format("2 mg")},
            ADDRESS,
            id="another meaning of an entity",
        ),
        pytest.param(
            {"root": "<rss xmlns:dc='https://one.test/'>"},
            {"root": "<rss xmlns:dc='https://other.test/'>"},
            ADDRESS,
            id="another meaning of a prefix",
        ),
    ],
)
def test_what_items_depend_on_makes_them_unknown(
    before: dict[str, str], after: dict[str, str], url: str
):
    known = known_from(feed(*THREE, **before))
    assert parsed(feed(*THREE, **before), known)[1] == []
    document, read = parsed(feed(*THREE, **after), known, url)
    assert read == ["Article 1", "Article 2", "Article 3"]
    assert document == rss.parse(feed(*THREE, **after), {}, url)


def test_another_version_of_the_parsers_knows_no_item(monkeypatch: pytest.MonkeyPatch):
    known = known_from(feed(*THREE))
    monkeypatch.setattr(known_items, "READING", known_items.READING + 1)
    assert parsed(feed(*THREE), known)[1] == ["Article 1", "Article 2", "Article 3"]


def test_an_item_in_another_encoding_is_known_by_its_text():
    french = item(1, "Trois œufs, déjà là.")
    head = "<?xml version='1.0' encoding='{}'?><rss version='2.0'>"
    known = known_from(feed(french, *THREE[1:], root=head.format("utf-8")))
    later = feed(french, *THREE[1:], root=head.format("cp1252")).decode().encode("cp1252")
    document, read = parsed(later, known)
    assert read == []
    assert [one.title for one in document.observations] == ["Article 1", "Article 2", "Article 3"]


def test_only_the_newest_items_of_a_very_long_feed_are_kept_as_ever(
    monkeypatch: pytest.MonkeyPatch,
):
    """The date of a known item is known, so that the oldest are left out as if all were read."""
    monkeypatch.setattr(observation, "MOST_ITEMS", 3)
    later = feed(item(2), item(5), item(1), item(4), item(3))
    known = wire.decode_dates(wire.encode_dates(known_from(feed(item(2), item(3), item(4)))))
    found = within_limits(rss.parse(later, {}, ADDRESS, KnownItems(known)))
    whole = within_limits(rss.parse(later, {}, ADDRESS))
    assert [one.published_at for one in found.observations] == [
        one.published_at for one in whole.observations
    ]
    assert found.left_out == whole.left_out == 2


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
