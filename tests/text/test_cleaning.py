"""Text from outside becomes printable, comparable and harmless."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text.cleaning import clean, fold, plain, shorten
from notifier.text.urls import canonical_url, web_address


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("a &amp; b &#8217;s", "a & b ’s"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<b>bold</b>ly", "boldly"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("&lt;b&gt;shown as written&lt;/b&gt;", "shown as written"),
        ("line\r\nBcc: x@example.org", "line Bcc: x@example.org"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("", ""),
    ],
)
def test_markup_is_removed_and_its_text_stays(markup: str, words: str):
    assert plain(markup) == words


@given(st.text(st.characters(), max_size=300))
def test_any_text_becomes_one_printable_line(text: str):
    line = plain(text)
    line.encode("utf-8")
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in line)
    assert clean(line) == line


@given(st.text(max_size=200))
def test_folding_is_stable(text: str):
    once = fold(text)
    assert fold(once) == once
    assert once == once.strip()
    assert "  " not in once


@pytest.mark.parametrize(
    ("spelling", "folded"),
    [
        ("FREXALIMAB", "frexalimab"),
        ("Frex\u00adalimab", "frexalimab"),
        ("frex\u200balimab", "frexalimab"),
        ("ｆｒｅｘａｌｉｍａｂ", "frexalimab"),
        ("anti-CD40L", "anti cd40l"),
        ("frexalimab’s", "frexalimab s"),
    ],
)
def test_spellings_that_look_alike_fold_alike(spelling: str, folded: str):
    assert fold(spelling) == folded


@given(st.text(max_size=400), st.integers(10, 100))
def test_a_shortened_text_keeps_to_its_limit(text: str, limit: int):
    assert len(shorten(text, limit)) <= limit


def test_a_shortened_text_ends_at_a_word():
    assert shorten("one two three four", 12) == "one two…"


@pytest.mark.parametrize(
    "moved",
    [
        "http://news.example.org/a/",
        "https://www.news.example.org/a",
        "https://news.example.org/a/?utm_source=rss&utm_medium=feed",
        "https://news.example.org/a/#comments",
        "https://NEWS.example.org/a/?fbclid=1",
    ],
)
def test_a_moved_link_is_recognised_as_the_same_page(moved: str):
    assert canonical_url(moved) == canonical_url("https://news.example.org/a/")


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("https://www.x.example.org/a/b.html", "x.example.org/a/b.html"),
        ("https://x.example.org", "x.example.org"),
        ("https://x.example.org//a//", "x.example.org//a"),
        ("https://x.example.org/%20a/~b", "x.example.org/%20a/~b"),
        ("https://www.", ""),
        ("https://www.www.test/", "www.test"),
        ("https://x.example.org:8080/a", "x.example.org:8080/a"),
        ("https://x.example.org/a?b=1&utm_id=2", "x.example.org/a?b=1"),
        (" https://X.example.org/A/ ", "x.example.org/A"),
    ],
)
def test_the_canonical_form_is_the_host_the_path_and_the_query(address: str, form: str):
    assert canonical_url(address) == form


def test_a_link_to_another_page_is_a_different_one():
    assert canonical_url("https://x.example.org/?p=1") != canonical_url(
        "https://x.example.org/?p=2"
    )


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//x",
        "/relative",
        "https://",
        "ht tp://x",
        "http://[::1",
        "https://user:pass@example.org/",
        "",
    ],
)
def test_a_link_that_is_not_a_web_address_is_removed(link: str):
    assert web_address(link) == ""


def test_a_link_cannot_break_out_of_its_attribute():
    assert web_address('https://example.org/"><script>') == "https://example.org/%22%3E%3Cscript%3E"
