"""Stories: the same news from several outlets is one item, led by the outlet that knows best."""

import json
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.enums import Authority
from notifier.match.stories import fingerprint, is_same_news
from notifier.pipeline.run import run_once
from notifier.store.models import Match
from notifier.watch import sources
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article, rss
from tests.support.paths import SHARED

RELEASE = (
    "A made-up company said today that frexalimab lowered the number of new lesions in a made-up trial. The people who "
    "took part had relapsing multiple sclerosis and were followed for a year. Nobody should believe a word of this."
)


def same(one: dict, other: dict) -> bool:
    values = {"url": "", "title": "", "text": ""}
    return is_same_news(fingerprint(**{**values, **one}), fingerprint(**{**values, **other}))


@pytest.mark.parametrize(
    ("one", "other"),
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
def test_the_same_news_is_known_as_such(one: dict, other: dict):
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
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
def test_different_news_stays_different(one: dict, other: dict):
    assert not same(one, other)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(one: str, other: str):
    assert same({"title": one, "text": other}, {"title": other, "text": one}) in (True, False)


@pytest.mark.skipif(
    not (SHARED / "corpora").is_dir(), reason="the labelled set does not lie beside this checkout"
)
def test_no_two_headlines_of_the_labelled_set_are_put_together_wrongly():
    lines = (
        (SHARED / "corpora" / "relevance" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    )
    items = [json.loads(line) for line in lines]
    found = [
        (one["title"], other["title"])
        for one, other in combinations(items, 2)
        if is_same_news(
            *(
                fingerprint(each["url"], each["title"], each["body"] or each["summary"])
                for each in (one, other)
            )
        )
    ]
    assert len(found) >= 2
    assert all(one[:60] == other[:60] for one, other in found)


def test_three_outlets_make_one_item_led_by_the_most_authoritative(any_installation: Installation):
    made = any_installation
    made.subscribe("anna@example.org", every="daily", at="08:00")
    deps = made.at(MONDAY)
    with deps.writing() as session:
        for name, tier in (("Sponsor", Authority.SPONSOR), ("Blog", Authority.OPINION)):
            address = made.site.put(f"/{name}/", rss([], title=name))
            sources.add(session, address, MONDAY, name=name, authority=tier)
    run_once(deps)
    title = "Frexalimab lowers lesions in a made-up trial of phase 2"
    made.publish(
        [
            Article(title, slug="herald"),
            Article("Frexalimab and something else entirely", slug="other"),
        ]
    )
    made.site.put(
        "/Sponsor/",
        rss([Article(f"{title}!", slug="sponsor", link="https://sponsor.example.org/1")]),
    )
    made.site.put(
        "/Blog/", rss([Article(f"{title}?", slug="blog", link="https://blog.example.org/1")])
    )
    run_once(made.at(MONDAY + timedelta(days=1)))

    (mail,) = made.sink.to("anna@example.org")
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
        found = {match.entry.title: match.story for match in session.query(Match)}
    first = min(story for story in found.values() if story)
    assert found[title] == found[f"{title}!"] == found[f"{title}?"] == first
    assert found["Frexalimab and something else entirely"] is None
