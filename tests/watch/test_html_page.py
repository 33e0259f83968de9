"""Therapy pages: the article and nothing around it, and what changed in it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.watch.compare.diff import State, compare
from notifier.watch.parsers import document
from notifier.watch.parsers.html_page import parse
from notifier.watch.parsers.observation import ParseError

ADDRESS = "https://herald.example.org/frexalimab/"

PAGE = """<html><head><title>Site title</title></head><body>
<nav><a href="/">Home</a><ul><li>Menu entry</li></ul></nav>
<main><article><h1>A made-up therapy</h1><p>Last updated March 1, 2026, by A. Writer</p>
<h2>Dose</h2><p>The dose is 1,200 mg.</p><h2>Side effects</h2>
<ul><li>cold</li><li>headache</li></ul><aside><p>Subscribe to our newsletter</p></aside>
<script>var x = "not text"</script></article></main>
<footer><p>Footer</p></footer></body></html>"""


def content(page: str) -> dict:
    (found,) = parse(
        page.encode(), {"content-type": "text/html; charset=utf-8"}, ADDRESS
    ).observations
    return found.content


def test_the_article_is_cut_out_and_split_at_its_headings():
    (found,) = parse(PAGE.encode(), {}, ADDRESS).observations
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
def test_a_redesign_around_the_article_is_not_a_change(was: str, becomes: str):
    assert content(PAGE)["sections"] == content(PAGE.replace(was, becomes))["sections"]


def test_a_changed_dose_is_shown_with_its_section_before_and_after():
    old, new = (
        State(title="", text="", content=content(one))
        for one in (PAGE, PAGE.replace("1,200", "1,800"))
    )
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


def test_an_added_and_a_removed_section_are_changes():
    other = PAGE.replace(
        "<h2>Dose</h2><p>The dose is 1,200 mg.</p>", "<h2>Trials</h2><p>Two run.</p>"
    )
    found = compare(
        State(title="", text="", content=content(PAGE)),
        State(title="", text="", content=content(other)),
    )
    assert [(one["what"], bool(one["before"]), bool(one["after"])) for one in found.changes] == [
        ("Trials", False, True),
        ("Dose", True, False),
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"<html><body></body></html>", b"\x00\x01", b"<nav><p>only a menu</p></nav>"],
)
def test_a_page_without_an_article_is_refused(body: bytes):
    with pytest.raises(ParseError):
        parse(body, {}, ADDRESS)


def test_an_encoding_that_does_not_exist_is_ignored():
    odd = {"content-type": "text/html; charset=klingon-8"}
    assert parse(PAGE.encode(), odd, ADDRESS) == parse(PAGE.encode(), {}, ADDRESS)


def test_the_markup_of_the_source_site_is_known():
    article = '<div class="x bio-article-body y"><h2>Dose</h2><p>One.</p></div>'
    body = f"<main><h1>T</h1>{article}<p>Related</p></main>"
    assert content(body)["sections"] == [{"heading": "Dose", "blocks": ["One."]}]


ARTICLE = """<h1>Frexalimab (a made-up page)</h1>
<p>Last updated Oct. 2, 2025, by A. Writer, PhD</p><p>Fact-checked by B. Checker, PhD</p>
<p>The treatment is investigational.</p>
<h2>How is it given?</h2><p>The dose is 1,200 mg by infusion. It is given once a month.</p>
<h2>Side effects</h2><p>The most common were:</p>
<ul><li>cold</li><li>headache</li><li>COVID-19</li></ul>
<h2>Trials</h2><p>A trial with 129 people ended in 2023. Another, with 1,400 people, goes on.</p>"""

FRAMES = {
    "the site's own markup": (
        '<div class="menu"><ul><li><a href="/">Home</a></li>'
        '<li><a href="/news">News</a></li></ul></div>'
        '<div class="bio-article"><div class="bio-article-body">{}</div></div>'
        '<div class="bio-related"><h3>Related Articles</h3>'
        "<p>Dose of 7 mg in another drug</p></div>"
    ),
    "semantic markup": (
        "<header><nav><a href=/>Home</a></nav></header><main><article>{}</article></main>"
        "<aside><h2>Recent Posts</h2><p>March 3, 2026: something else</p></aside>"
        "<footer><p>(c) 2026</p></footer>"
    ),
    "boxes without meaning": (
        '<div id="top"><div><a href=/>Home</a> <a href=/b>Blog</a></div></div>'
        '<div id="x7"><div class="col-8">{}</div>'
        '<div class="sidebar"><h3>Recent posts</h3><ul><li>March 3, 2026 One</li></ul></div></div>'
        '<div class="newsletter-signup"><p>Get our mail, 5,000 readers do!</p></div>'
        "<div>Copyright 2026</div>"
    ),
    "another design of boxes": (
        '<section><p><a href=/>Start</a></p></section><section class="content">{}</section>'
        '<section class="ad-slot"><p>Buy 2, get 1 free</p></section>'
        '<div class="related-posts"><p>Other 99 news</p></div>'
        "<div>Impressum</div>"
    ),
}


def in_frame(name: str, article: str = ARTICLE) -> dict:
    return content(
        f"<html><head><title>T</title></head><body>{FRAMES[name].format(article)}</body></html>"
    )


@pytest.mark.parametrize("name", FRAMES)
def test_the_article_is_found_in_every_design(name: str):
    found = in_frame(name)
    assert [section["heading"] for section in found["sections"]] == [
        "",
        "How is it given?",
        "Side effects",
        "Trials",
    ]
    assert found["sections"][2]["blocks"] == [
        "The most common were:",
        "cold",
        "headache",
        "COVID-19",
    ]
    assert found["aside"] == {
        "last_updated": "Oct. 2, 2025",
        "author": "A. Writer, PhD",
        "reviewer": "B. Checker, PhD",
    }


@pytest.mark.parametrize("before", FRAMES)
@pytest.mark.parametrize("after", FRAMES)
def test_a_redesign_is_not_a_change(before: str, after: str):
    states = [State(title="", text="", content=in_frame(name)) for name in (before, after)]
    found = compare(*states)
    assert (found.changes, found.material) == ((), False)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize(
    ("was", "becomes", "told", "material"),
    [
        ("1,200 mg", "1,800 mg", ("How is it given?", "1200 mg → 1800 mg"), True),
        ("<li>headache</li>", "", ("Side effects", ""), True),
        ("129 people", "192 people", ("Trials", "129 → 192"), True),
        (
            "The treatment is investigational.",
            "The treatment is approved.",
            ("introduction", ""),
            True,
        ),
        ("<h2>Side effects</h2>", "<h2>Its side effects</h2>", ("heading", ""), False),
        ("ended in 2023", "was ended in 2023", ("Trials", ""), False),
    ],
)
def test_a_change_of_the_article_is_listed_sentence_by_sentence(name, was, becomes, told, material):
    states = [
        State(title="", text="", content=in_frame(name, one))
        for one in (ARTICLE, ARTICLE.replace(was, becomes))
    ]
    found = compare(*states)
    assert [(change["what"], change["note"]) for change in found.changes] == [told]
    assert found.material is material


@pytest.mark.parametrize(
    "line",
    ["by infusion into a vein", "It is made, by Sanofi", "Reviewed by nobody so far", "by mouth"],
)
def test_a_line_of_the_article_is_not_taken_for_its_dateline(line: str):
    assert content(f"<article><h2>How</h2><ul><li>{line}</li></ul></article>")["sections"][0][
        "blocks"
    ] == [line]


def test_text_outside_paragraphs_is_kept_and_labels_are_not():
    body = (
        "<article><div><strong>Dose:</strong> 1,200 mg <em>a month</em></div>"
        "<div>March 3, 2026</div><div>Share</div>"
        "<div><p>A paragraph.</p> and a tail of some length</div></article>"
    )
    assert content(body)["sections"][0]["blocks"] == [
        "Dose: 1,200 mg a month",
        "A paragraph.",
        "and a tail of some length",
    ]


def test_what_is_struck_out_on_a_page_is_left_out():
    body = (
        "<article><p>The dose of it is <s>1,200 <b>mg</b></s> 1,800 mg.</p>"
        "<p>It fell by <del>86</del><ins>89</ins>% in a year.</p></article>"
    )
    assert content(body)["sections"][0]["blocks"] == [
        "The dose of it is 1,800 mg.",
        "It fell by 89% in a year.",
    ]


def test_text_below_the_article_on_its_page_is_left_out():
    below = (
        "<p>This site is strictly a news site.</p>"
        "<h4>Recent Posts</h4><ul><li>99 dates on 3 March</li></ul>"
        "<h3>Related articles</h3><ol><li><p>November 28, 2025 News by A. Writer</p></li></ol>"
        "<p>Swipe for 4 more</p>"
    )
    found = content(f"<main><h1>T</h1><h2>Dose</h2><p>One.</p>{below}</main>")
    assert found["sections"] == [
        {"heading": "Dose", "blocks": ["One.", "This site is strictly a news site."]}
    ]


def test_a_new_date_or_reviewer_alone_is_not_a_new_state():
    def of(text: str):
        (found,) = parse(f"<article>{text}</article>".encode(), {}, ADDRESS).observations
        return found

    later = ARTICLE.replace("Oct. 2, 2025", "Nov. 20, 2026").replace("B. Checker", "C. Checker")
    assert of(ARTICLE).hash == of(later).hash
    assert of(later).content["aside"]["last_updated"] == "Nov. 20, 2026"


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
def test_any_bytes_are_parsed_as_a_page_or_refused(body: bytes):
    with contextlib.suppress(ParseError):
        assert len(parse(body, {}, ADDRESS).observations) == 1


GUIDE = b"<!DOCTYPE html><h1>Guide</h1><p>It is an antibody that is given as an infusion.</p>"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>", "application/pdf"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>", "text/html"),
        (b"\x89PNG\r\n\x1a\n and so on, for many bytes", ""),
        (b"\xff\xd8\xff\xe0 and so on, for many bytes", "image/jpeg"),
        (b"PK\x03\x04 and so on, for many bytes", "application/octet-stream"),
        (b'{"status": "ok", "message": "it runs well, and all is there"}', "application/json"),
        (b"var words = 'it runs well, and all is there'", "application/javascript"),
    ],
)
def test_a_file_is_no_page(body: bytes, kind: str):
    with pytest.raises(ParseError, match="a file, not a web page"):
        document.parse("page", body, {"content-type": kind}, "https://clinic.example.org/")


@pytest.mark.parametrize(
    "kind",
    ["text/html", "", "application/xhtml+xml", "text/plain", "application/octet-stream",
     "application/x-httpd-php", "application/vnd.wap.xhtml+xml; charset=utf-8"],
)  # fmt: skip
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n \n"], ids=["", "mark", "spaces"])
def test_a_page_is_one_whatever_its_server_calls_it(kind: str, before: bytes):
    body = before + GUIDE
    found = document.parse("page", body, {"content-type": kind}, "https://clinic.example.org/")
    assert found.observations[0].title == "Guide"
