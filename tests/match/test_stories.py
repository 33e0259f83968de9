"""Stories: the same news from several outlets is one item, led by the most authoritative outlet."""

from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.enums import Authority
from notifier.match.stories.fingerprint import fingerprint
from notifier.match.stories.story_index import StoryIndex, is_same_news
from notifier.pipeline.run import run_once
from notifier.store.models import Match
from notifier.watch import sources
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.matching import CORPORA, SAMPLES, needs_corpora, read_lines
from tests.support.news_site import Article, rss

RELEASE = (
    "A made-up company said today that frexalimab lowered the number of new lesions in a made-up "
    "trial. The people who took part had relapsing multiple sclerosis and were followed for a "
    "year. Nobody should believe a word of this."
)
PAIRS = read_lines(SAMPLES / "stories.jsonl")


def is_same(first: dict, second: dict) -> bool:
    empty = {"url": "", "title": "", "text": ""}
    return is_same_news(fingerprint(**{**empty, **first}), fingerprint(**{**empty, **second}))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"url": "https://x.example.org/a/"}, {"url": "http://www.x.example.org/a?utm_source=y"}),
        (
            {"text": "See doi 10.1056/NEJMoa2309439."},
            {"text": "https://doi.org/10.1056/nejmoa2309439"},
        ),
        ({"text": "PMID: 12345678"}, {"url": "https://pubmed.ncbi.nlm.nih.gov/12345678/"}),
        ({"trial": "NCT06141473"}, {"trial": "NCT06141473"}),
        (
            {"title": "Frexalimab slows new lesions in phase 2"},
            {"title": "Frexalimab slows new lesions in Phase 2!"},
        ),
        (
            {"title": "One", "text": RELEASE},
            {"title": "Two", "text": f"By our reporter. {RELEASE} More follows below."},
        ),
    ],
)
def test_reports_of_the_same_news_are_recognised(first: dict, second: dict):
    assert is_same(first, second)
    assert is_same(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"title": "Frexalimab news"}, {"title": "Frexalimab news"}),
        (
            {"title": "Frexalimab cuts lesions by 89% in trial"},
            {"title": "Frexalimab cuts lesions by 86% in trial"},
        ),
        (
            {"title": "Frexalimab slows new lesions in a trial"},
            {"title": "Tolebrutinib fails in a phase of its trial"},
        ),
        ({"text": "10.1/a 10.1056/one and 10.1056/two"}, {"text": "10.1056/one and 10.1056/three"}),
        ({"url": "https://x.example.org/list#1"}, {"url": "https://x.example.org/list#2"}),
        ({"title": "In 2025", "text": RELEASE}, {"title": "In 2026", "text": RELEASE}),
    ],
)
def test_reports_of_different_news_are_kept_apart(first: dict, second: dict):
    assert not is_same(first, second)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(first: str, second: str):
    reports = {"title": first, "text": second}, {"title": second, "text": first}
    assert is_same(*reports) in (True, False)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["why"] for pair in PAIRS])
def test_the_pairs_of_the_made_up_sample_are_judged_as_labelled(pair: dict):
    first, second = fingerprint(**pair["first"]), fingerprint(**pair["second"])
    assert is_same_news(first, second) is pair["same"]
    assert is_same_news(second, first) is pair["same"]
    index = StoryIndex()
    index.add(1, 1, first)
    assert index.find_first(2, second) == (1 if pair["same"] else None)


def test_no_two_texts_of_the_labelled_sample_are_one_story():
    items = read_lines(SAMPLES / "labelled.jsonl")
    reports = [fingerprint("", item["title"], item["body"] or item["summary"]) for item in items]
    assert not [pair for pair in combinations(reports, 2) if is_same_news(*pair)]


@needs_corpora
def test_no_two_headlines_of_the_labelled_set_are_put_together_wrongly():
    reports = [
        (item["title"], fingerprint(item["url"], item["title"], item["body"] or item["summary"]))
        for item in read_lines(CORPORA / "dev.jsonl")
    ]
    pairs = [
        (first_title, second_title)
        for (first_title, first), (second_title, second) in combinations(reports, 2)
        if is_same_news(first, second)
    ]
    assert len(pairs) >= 2
    assert all(first_title[:60] == second_title[:60] for first_title, second_title in pairs)


def test_three_outlets_make_one_item_led_by_the_most_authoritative(any_installation: Installation):
    any_installation.subscribe("anna@example.org", every="daily", at="08:00")
    deps = any_installation.at(MONDAY)
    with deps.writing() as session:
        for name, authority in (("Sponsor", Authority.SPONSOR), ("Blog", Authority.OPINION)):
            address = any_installation.site.put(f"/{name}/", rss([], title=name))
            sources.add(session, address, MONDAY, name=name, authority=authority)
    run_once(deps)
    title = "Frexalimab lowers lesions in a made-up trial of phase 2"
    any_installation.publish(
        [
            Article(title, slug="herald"),
            Article("Frexalimab and something else entirely", slug="other"),
        ]
    )
    any_installation.site.put(
        "/Sponsor/",
        rss([Article(f"{title}!", slug="sponsor", link="https://sponsor.example.org/1")]),
    )
    any_installation.site.put(
        "/Blog/", rss([Article(f"{title}?", slug="blog", link="https://blog.example.org/1")])
    )
    run_once(any_installation.at(MONDAY + timedelta(days=1)))

    (mail,) = any_installation.sink.to("anna@example.org")
    text = " ".join(text_of(mail).split())
    assert mail["Subject"] == "Your daily digest: 2 items"
    assert text.index("https://sponsor.example.org/1") < text.index("Also told by:")
    assert (
        text.index("Also told by:")
        < text.index("(The Example Herald")
        < text.index("(Blog, opinion)")
    )
    assert html_of(mail).count("<h3") == 2
    with deps.reading() as session:
        stories = {match.entry.title: match.story for match in session.query(Match)}
    first = min(story for story in stories.values() if story)
    assert stories[title] == stories[f"{title}!"] == stories[f"{title}?"] == first
    assert stories["Frexalimab and something else entirely"] is None


@pytest.mark.postgresql_long
@pytest.mark.parametrize("copy_first", [True, False], ids=["copy first", "original first"])
@pytest.mark.parametrize("days", [0, 3])
def test_a_copy_of_a_news_search_is_a_story_with_its_original(
    any_installation: Installation, copy_first: bool, days: int
):
    deps = any_installation.at(MONDAY)
    with deps.writing() as session:
        search = any_installation.site.put("/search/", rss([], title="A news search"))
        sources.add(session, search, MONDAY, name="A news search")
    any_installation.publish([Article("Something else", slug="other")])
    any_installation.site.put("/search/", rss([Article("Another thing", slug="another")]))
    run_once(deps)
    title = "Frexalimab lowers lesions in a made-up trial of phase 2"
    original = Article(title, summary="The trial met its goal.", slug="herald")
    copied = Article(
        f"{title} - Example Herald",
        summary=f'<a href="https://search.example.org/rss/1">{title}</a> <i>Example Herald</i>',
        slug="copy",
        link="https://search.example.org/rss/1",
    )
    steps = [("/search/", copied), ("/feed/", original)]
    for number, (path, article) in enumerate(steps if copy_first else steps[::-1]):
        any_installation.site.put(path, rss([article]))
        if days or number:
            run_once(any_installation.at(MONDAY + timedelta(days=1 + number * days)))
    with deps.reading() as session:
        stories = {match.entry.title: match.story for match in session.query(Match)}
    assert stories[title] is not None
    assert stories[title] == stories[copied.title]
