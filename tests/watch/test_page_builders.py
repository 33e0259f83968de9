"""Pages as their makers put them together: all that a visitor can read is read, and no more.

The pages are in `tests/data/pages.toml`; the medicine “Lumetacept” does not exist.
"""

import tomllib

import pytest

from notifier.watch.parsers.html_page import parse
from tests.support.effort import measured
from tests.support.paths import DATA

PAGES = tomllib.loads((DATA / "pages.toml").read_text(encoding="utf-8"))
BUILDERS, PANELS, HIDDEN = PAGES["builders"], PAGES["panels"], PAGES["hidden"]
AROUND, LAYOUTS = PAGES["around"], PAGES["layouts"]

ADDRESS = "https://clinic.example.org/lumetacept/"
LEAD = "<p>Lumetacept is given as 40 mg by infusion once a month, in a made-up trial.</p>"
EFFECTS = "<p>The most common effects were headache and a sore throat, in 19 of 134 people.</p>"
TRIALS = "<p>Two made-up trials with about 900 people go on until 2031.</p>"
TERMS = ("cold", "cough", "rash")
OWN = ("given as 40 mg by infusion", "sore throat, in 19 of 134", "900 people go on until 2031")


def body_of(page: str) -> str:
    (observation,) = parse(
        page.encode(), {"content-type": "text/html; charset=utf-8"}, ADDRESS
    ).observations
    return observation.body


def html(content: str) -> str:
    head = "<!DOCTYPE html><html><head><title>T</title></head>"
    return f"{head}<body>{content}</body></html>"


MENU = (
    '<div class="topbar"><ul><li><a href="/">Home</a></li><li><a href="/a">Zulanicept news</a></li>'
    '<li><a href="/b">Contact us</a></li></ul></div>'
)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_page_of_every_maker_is_read(name: str):
    page = BUILDERS[name].format(lead=LEAD, effects=EFFECTS, trials=TRIALS)
    for frame in (page, MENU + page):
        text = body_of(html(frame))
        assert [part for part in OWN if part not in text] == []
        assert text.count("sore throat") == 1
        assert "Zulanicept" not in text


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_text_behind_a_click_is_read(panel: str):
    text = body_of(html(f"<main><h1>Lumetacept</h1>{LEAD}{panel.format(text=EFFECTS)}</main>"))
    assert "sore throat, in 19 of 134" in text


@pytest.mark.parametrize("name", ["details", "Bootstrap", "tab panels", "a button of its own"])
def test_what_is_clicked_is_the_heading_of_its_panel(name: str):
    panel = PANELS[name].format(text=EFFECTS)
    (observation,) = parse(
        html(f"<main><h1>L</h1>{LEAD}{panel}</main>").encode(), {}, ADDRESS
    ).observations
    assert [section["heading"] for section in observation.content["sections"]] == ["", "Effects"]


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_text_that_no_click_opens_is_not_read(hidden: str):
    text = body_of(html(f"<main><h1>L</h1>{LEAD}{EFFECTS}<div>{hidden}</div>{TRIALS}</main>"))
    assert "zulanicept" not in text.lower()
    assert [part for part in OWN if part not in text] == []


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_surrounds_an_article_is_no_part_of_it(around: str):
    for page in (
        f"{around}<main><h1>Lumetacept</h1>{LEAD}{EFFECTS}{TRIALS}</main>",
        f"<main><h1>Lumetacept</h1>{LEAD}{EFFECTS}{TRIALS}{around}</main>",
        f"<div><h1>Lumetacept</h1><div>{LEAD}{EFFECTS}{TRIALS}</div>{around}</div>",
    ):
        text = body_of(html(page))
        assert "Zulanicept" not in text
        assert [part for part in OWN if part not in text] == []


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_class_of_the_layout_removes_no_text(layout: str):
    page = layout.format(text=LEAD + EFFECTS + TRIALS)
    text = body_of(html(f"<header><h1>Lumetacept</h1></header>{page}"))
    assert [part for part in OWN if part not in text] == []


def test_a_section_on_a_topic_is_kept_beside_longer_text():
    section = f'<section id="recommendations"><h2>Recommendations</h2>{EFFECTS}</section>'
    text = body_of(html(f"<div><h1>L</h1>{LEAD * 4}{TRIALS * 4}{section}</div>"))
    assert "sore throat" in text


def test_a_list_of_terms_that_are_links_is_kept_where_the_text_leads_to_it():
    terms = "".join(f'<li><a href="/t/{term}">{term}</a></li>' for term in TERMS)
    text = body_of(html(f"<main>{LEAD}<p>The effects were:</p><ul>{terms}</ul>{TRIALS}</main>"))
    assert "cold\ncough\nrash" in text


def test_a_page_that_consists_of_linked_sections_is_kept():
    page = "".join(
        f'<div class="card"><h3><a href="/part/{number}">Part {number}</a></h3>{part}</div>'
        for number, part in enumerate((LEAD, EFFECTS, TRIALS))
    )
    text = body_of(html(f"<main><h1>Lumetacept</h1>{page}</main>"))
    assert [part for part in OWN if part not in text] == []


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Lume<b>ta</b>cept in 10<sup>6</sup> cells</p>", "Lumetacept in 10⁶ cells"),
        ("<p>It was 71.4%<sup>9</sup> of them</p>", "It was 71.4% of them"),
        ("<p>Lumeta<wbr>cept did well</p>", "Lumetacept did well"),
        ("<p>1,<a href=/d>200 mg</a> a day</p>", "1,200 mg a day"),
        ("<p>ALT <3×ULN and p<0.05</p>", "ALT <3×ULN and p<0.05"),
        ("<p>Blood cells <LLN in 3 people</p>", "Blood cells <LLN in 3 people"),
        ("<p>One<br>two three</p>", "One two three"),
        ("<p>Dose&amp;#8217;s &lt;em&gt;limits&lt;/em&gt; here</p>", "Dose’s limits here"),
        ("<div>40 mg</div>", "40 mg"),
        ("<table><tr><td>Dose</td><td>40 mg</td></tr></table>", "Dose\n40 mg"),
        ("<ul><li>One thing<ul><li>a part</li></ul></li></ul>", "One thing\na part"),
        ("<p>375 mg/m<sup>2</sup><sup>4</sup></p>", "375 mg/m²"),
    ],
)
def test_the_text_of_a_page_is_joined_and_parted_as_it_is_seen(markup: str, text: str):
    body = body_of(html(f"<main><h1>L</h1>{LEAD}{markup}</main>"))
    assert body.partition("trial.\n")[2] == text


HOSTILE = {
    "boxes in boxes": "<div>" * 190 + "x" + "</div>" * 190,
    "lists of links in lists": "<ul><li><a href=/>a b c d</a>" * 90,
    "classes": '<div class="' + "ad-" * 20_000 + '">x</div>',
    "powers": "<p>" + "a<sup>1</sup>" * 20_000,
    "links in paragraphs": "<p><a href='#'>1</a>" * 20_000,
    "labels": "<div><p>Ad</p>" * 180 + "<p>Ad</p>" * 20_000,
    "hidden": "<div hidden>x</div>" * 20_000,
    "buttons": "<h2><button>x</button></h2>" * 10_000,
    "headings": "<h2>Related</h2><h3>x</h3><p>y</p>" * 10_000,
    "tabs": '<a role="tab" href="#x">t</a><div id="x">y</div>' * 8_000,
    "details": "<details><summary>" * 90,
}


@pytest.mark.long
@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_costs_no_more_than_its_length(page: str):
    with measured() as effort:
        body_of(html(f"<main>{LEAD}{page}</main>"))
    assert effort.processor < 5
