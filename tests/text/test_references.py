"""Character references and bytes that name no character."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text.cleaning import paragraphs, plain
from notifier.text.references import repaired
from notifier.watch.parsers.document import parse

EMOJI = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("&#55357;&#56832;", EMOJI, id="two halves"),
        pytest.param("&#xD83D;&#xDE00;", EMOJI, id="two halves in hexadecimal"),
        pytest.param("&#xd83d;&#56832;", EMOJI, id="one of each"),
        pytest.param("&#055357;&#x0DE00;", EMOJI, id="zeros before the number"),
        pytest.param("&#55357;&#56832;&#55357;&#56832;", EMOJI * 2, id="two emojis"),
        pytest.param("&#55357;&#55357;&#56832;", f"\ufffd{EMOJI}", id="a half before them"),
        pytest.param("&#55357; &#56832;", "\ufffd \ufffd", id="a space between"),
        pytest.param("a&#55357;b", "a\ufffdb", id="the first half alone"),
        pytest.param("a&#56832;b", "a\ufffdb", id="the second half alone"),
        pytest.param("a&#0;b&#x1F;c&#11;d", "a b c d", id="control characters"),
        pytest.param("a&#9;b&#10;c&#xD;d", "a\tb\nc\rd", id="spaces that XML allows"),
        pytest.param("&#xFFFE;&#65535;", "\ufffd\ufffd", id="non-characters"),
        pytest.param("&#99999999;&#x110000;", "\ufffd\ufffd", id="too large"),
        pytest.param("&#8217;&#x2019;&#55000;&#57344;", "’’\ud6d8\ue000", id="characters"),
        pytest.param("&#128512; & &#; &#x; &#55357", "\U0001f600 & &#; &#x; \ufffd", id="others"),
        pytest.param("&eacute;&amp;", "é&", id="names"),
    ],
)
def test_a_reference_names_a_character(text: str, shown: str):
    assert html.unescape(repaired(text)) == shown


def test_escaped_halves_are_one_character_in_a_text():
    assert plain("a &#55357;&#56832; b") == f"a {EMOJI} b"
    assert paragraphs("<p>a &#xD83D;&#xDE00;</p>") == f"a {EMOJI}"


def feed(encoding: str, *titles: bytes) -> bytes:
    """Return a feed of items with these titles."""
    head = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel>".encode()
    items = (b"<item><title>" + title + b"</title></item>" for title in titles)
    return head + b"".join(items) + b"</channel></rss>"


@pytest.mark.parametrize(
    ("encoding", "odd", "title"),
    [
        pytest.param("utf-8", b"x &#55357;&#56832;", f"x {EMOJI}", id="two references"),
        pytest.param("utf-8", b"x &amp;#55357;&amp;#56832;", f"x {EMOJI}", id="escaped twice"),
        pytest.param("utf-8", b"<![CDATA[x &#55357;&#56832;]]>", f"x {EMOJI}", id="in CDATA"),
        pytest.param("utf-8", b"x \xed\xa0\xbd\xed\xb8\x80", f"x {EMOJI}", id="CESU-8"),
        pytest.param("utf-8", b"x &#0; y", "x y", id="a reference to no character"),
        pytest.param("utf-8", b"x \x0b\x1b y", "x y", id="control characters"),
        pytest.param("iso-8859-1", b"x \xe9 &#55357;&#56832;", f"x é {EMOJI}", id="Latin-1"),
        pytest.param("iso-8859-1", b"x \xed\xa0\xbd y", "x í ½ y", id="no CESU-8"),
    ],
)
def test_one_odd_character_in_a_feed_harms_no_item(encoding: str, odd: bytes, title: str):
    body = feed(encoding, odd, b"Next &amp; last")
    observed = parse("feed", body, {}, "https://x.example.org/").observations
    assert [item.title for item in observed] == [title, "Next & last"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "iso2022_jp", "euc_jp"])
def test_the_letters_of_other_encodings_are_left_as_they_are(encoding: str):
    head = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel>"
    item = "<item><title>日本語 &#55357;&#56832;</title></item></channel></rss>"
    body = (head + item).encode(encoding)
    (observed,) = parse("feed", body, {}, "https://x.example.org/").observations
    assert observed.title == f"日本語 {EMOJI}"


@given(st.text(alphabet="&#xXdD0123456789;5783 ", max_size=200))
def test_any_references_can_be_repaired_once(text: str):
    once = repaired(text)
    assert repaired(once) == once
    assert not [char for char in html.unescape(once) if 0xD800 <= ord(char) <= 0xDFFF]
