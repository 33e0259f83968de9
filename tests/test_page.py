"""Therapy pages: the article and nothing around it, and what changed in it."""

import pytest

from notifier.watch.material import State, compare
from notifier.watch.observation import ReadError
from notifier.watch.page import read

ADDRESS = "https://herald.example.org/frexalimab/"

PAGE = """<html><head><title>Site title</title></head><body>
<nav><a href="/">Home</a><ul><li>Menu entry</li></ul></nav>
<main><article><h1>A made-up therapy</h1><p>Last updated March 1, 2026, by A. Writer</p>
<h2>Dose</h2><p>The dose is 1,200 mg.</p><h2>Side effects</h2><ul><li>cold</li><li>headache</li></ul>
<aside><p>Subscribe to our newsletter</p></aside><script>var x = "not text"</script></article></main>
<footer><p>Footer</p></footer></body></html>"""


def content(page: str) -> dict:
    (found,) = read(page.encode(), {"content-type": "text/html; charset=utf-8"}, ADDRESS).observations
    return found.content


def test_the_article_is_cut_out_and_split_at_its_headings():
    (found,) = read(PAGE.encode(), {}, ADDRESS).observations
    assert found.title == "A made-up therapy"
    assert found.content["aside"]["last_updated"] == "March 1, 2026"
    assert found.content["sections"] == [
        {"heading": "Dose", "blocks": ["The dose is 1,200 mg."]},
        {"heading": "Side effects", "blocks": ["cold", "headache"]},
    ]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Menu entry", "Another menu entry"),
        ("Subscribe to our newsletter", "A new advertisement"),
        ("<footer><p>Footer", "<footer><p>Copyright 2027"),
        ("by A. Writer", "by B. Writer"),
        ("not text", "other script"),
    ],
)
def test_a_redesign_around_the_article_is_no_change(was: str, becomes: str):
    assert content(PAGE)["sections"] == content(PAGE.replace(was, becomes))["sections"]


def test_a_changed_dose_is_told_with_its_section_before_and_after():
    old, new = (State(title="", text="", content=content(one)) for one in (PAGE, PAGE.replace("1,200", "1,800")))
    found = compare(old, new)
    assert found.material
    assert found.changes == (
        {
            "what": "Dose",
            "before": "The dose is 1,200 mg.",
            "after": "The dose is 1,800 mg.",
            "note": "1200 mg → 1800 mg",
        },
    )


def test_a_section_that_came_and_one_that_went_are_told():
    other = PAGE.replace("<h2>Dose</h2><p>The dose is 1,200 mg.</p>", "<h2>Trials</h2><p>Two run.</p>")
    found = compare(State(title="", text="", content=content(PAGE)), State(title="", text="", content=content(other)))
    assert [(one["what"], bool(one["before"]), bool(one["after"])) for one in found.changes] == [
        ("Trials", False, True),
        ("Dose", True, False),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html><body></body></html>", b"\x00\x01", b"<nav><p>only a menu</p></nav>"]
)
def test_a_page_without_an_article_is_told(body: bytes):
    with pytest.raises(ReadError):
        read(body, {}, ADDRESS)


def test_an_encoding_that_does_not_exist_is_told_or_survived():
    with pytest.raises(ReadError):
        read(PAGE.encode(), {"content-type": "text/html; charset=klingon-8"}, ADDRESS)


def test_the_markup_of_the_source_site_is_known():
    body = '<main><h1>T</h1><div class="x bio-article-body y"><h2>Dose</h2><p>One.</p></div><p>Related</p></main>'
    assert content(body)["sections"] == [{"heading": "Dose", "blocks": ["One."]}]
