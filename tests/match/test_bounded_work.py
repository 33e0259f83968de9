"""Matching costs no more than the length of a text, and does not compare all items with all."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from notifier.admin import profile_import
from notifier.enums import NewsKind, Tier
from notifier.match import batches, boilerplate, judging, matches, profiles, recent_news
from notifier.match.score import is_medical
from notifier.match.stories.fingerprint import fingerprint
from notifier.match.stories.story_index import StoryIndex, is_same_news
from notifier.match.urgency import is_urgent
from notifier.pipeline import match
from notifier.pipeline.problems import Problems
from notifier.pipeline.run import run_once
from notifier.store.models import Examination, Match, NearMiss, Source
from tests.support.effort import measured, seconds_not_starved
from tests.support.installation import MONDAY, Installation
from tests.support.matching import judge_text
from tests.support.news_site import Article
from tests.support.stored_news import store_entries

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

LONG = 500_000

HOSTILE = {
    "letters without a space": "a" * LONG,
    "colons": ":" * LONG,
    "line ends": "\n" * LONG,
    "spaces": " " * LONG,
    "pointers": "Read more:" * 50_000,
    "pointers that are sentences": "Read more: x. " * 35_000,
    "pointers on lines": "Related\n" * 60_000,
    "a pointer with a long tail": "Related" + " " * LONG + "x",
    "more from, again and again": "more from " * 50_000,
    "hyphens": "a-" * 250_000,
    "broken words": "ab- " * 125_000,
    "mixed scripts": "aа" * 250_000,
    "mixed scripts in words": "aаb " * 125_000,
    "katakana": "あア" * 80_000,
    "cyrillic": "фрексалимаб " * 40_000,
    "dots": "." * LONG + "a",
    "dots inside words": "a." * 250_000,
    "one word and a dot inside it": "a" * LONG + ".b",
    "ellipses": "…" * LONG + "a",
    "the name": "frexalimab " * 45_000,
    "misspellings of the name": "frexalimap " * 45_000,
    "an acronym": "F-R-E-X-A-L-T " * 35_000,
    "entities": "&#x" * 165_000,
    "marks": "\u0301" * LONG,
    "alert words": "stops " * 80_000,
    "papers": "10.1000/" * 62_500,
}


@pytest.mark.parametrize(
    ("length", "seconds"), [(150_000, 2.5), pytest.param(LONG, 7.0, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("whole", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(whole: str, length: int, seconds: float):
    """A quadratic search took minutes; on a busy machine half a megabyte may take seconds."""
    text = whole[: length - 10] + whole[-10:]
    with measured() as effort:
        judge_text(text[:2000], text[:2000], text)
        boilerplate.without_boilerplate(text[:99_999])
        boilerplate.split_lead(text)
        is_medical(text)
        fingerprint(f"https://x.example.org/{text[:100]}", text, text)
        is_urgent(NewsKind.NEW, Tier.ABOUT, text[:100_000], ())
    assert effort.processor < seconds


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Good. Read more: Frexalimab fails. The end.", "Good. The end."),
        ("Good. Read more: Version 2.0 came. The end.", "Good. Version 2. The end."),
        ("Good. Read more: Is it true?! The end.", "Good. The end."),
    ],
)
def test_a_pointer_is_removed_with_its_sentence(text: str, without: str):
    article = f"{text} {'More of the article itself follows here. ' * 5}"
    assert " ".join(boilerplate.without_boilerplate(article).split()).startswith(without)


def prose(chance: random.Random, words: int) -> str:
    stock = (
        "lesions trial people placebo antibody study doctors weeks results brain cells safety dose "
        "company report"
    )
    return " ".join(chance.choice(stock.split()) for _ in range(words))


def test_four_hundred_items_match_in_seconds_and_lock_the_database_briefly(
    installation: Installation,
):
    chance = random.Random(1)
    titles = [f"Frexalimab {prose(chance, 8)}" for _ in range(400)]
    store_entries(installation, titles, [prose(chance, 400) for _ in titles])
    held: list[float] = []
    begun: list[float] = []
    engine = installation.at(MONDAY).engine
    event.listen(engine, "commit", lambda _: held.append(seconds_not_starved() - begun[-1]))

    @event.listens_for(engine, "begin")
    def _(connection) -> None:
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            begun.append(seconds_not_starved())

    with measured() as effort:
        assert match.run(installation.at(MONDAY)) == 400
    assert effort.processor < 20, "it was 89 seconds when each was compared with all"
    assert max(held) < 2


def test_nothing_is_judged_or_compared_while_a_write_transaction_is_open(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    writing = []
    for module, name in (
        (judging, "judge_document"),
        (batches, "fingerprint_of"),
        (recent_news, "fingerprint_of"),
        (batches, "link_stories"),
    ):
        real = getattr(module, name)

        def checked(*arguments, real=real, **named):
            assert not writing, "a write transaction is open"
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, checked)
    real_store = matches.store

    def store(session, batch, now):
        writing.append(True)
        try:
            return real_store(session, batch, now)
        finally:
            writing.pop()

    monkeypatch.setattr(matches, "store", store)
    store_entries(installation, ["Frexalimab slows lesions in a trial"], ["A text."])
    assert match.run(installation.at(MONDAY)) == 1
    with installation.at(MONDAY).reading() as session:
        assert session.query(Match).count() == 1


def test_a_batch_that_another_process_matched_is_not_matched_twice(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    store_entries(
        installation,
        ["Frexalimab slows lesions in a trial", "Frexalimab slows lesions in another trial"],
        ["a", "b"],
    )
    real = batches.judge
    counts_of_other: list[int] = []

    def judge(batch):
        if not counts_of_other:
            counts_of_other.append(0)
            counts_of_other.append(match.run(installation.at(MONDAY)))
        return real(batch)

    monkeypatch.setattr(batches, "judge", judge)
    assert match.run(installation.at(MONDAY)) == 0
    assert counts_of_other == [0, 2]
    with installation.at(MONDAY).reading() as session:
        assert session.query(Match).count() == 2
        assert session.query(Examination).count() == 2
        assert sorted(match.position for match in session.query(Match)) == [1, 2]


def test_a_profile_imported_while_a_batch_is_judged_misses_nothing(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    store_entries(installation, ["Tolebrutinib slows lesions in a trial"], ["a"])
    other = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    real = batches.judge
    imported: list[bool] = []

    def judge(batch):
        if not imported:
            imported.append(True)
            with installation.at(MONDAY).writing() as session:
                source = session.query(Source).filter(Source.kind == "feed").first()
                source.profiles = []
                profile_import.import_profile(
                    session, other.model_copy(update={"sources": (), "pages": ()}), MONDAY
                )
        return real(batch)

    monkeypatch.setattr(batches, "judge", judge)
    match.run(installation.at(MONDAY))
    with installation.at(MONDAY).reading() as session:
        assert [
            match.profile.slug for match in session.query(Match) if match.tier is Tier.ABOUT
        ] == ["tolebrutinib"]


def test_revisions_judged_during_an_import_are_judged_again_for_the_profile(
    any_installation: Installation,
):
    installation = any_installation
    deps = installation.at(MONDAY)
    other = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    other = other.model_copy(update={"sources": (), "pages": ()})
    with deps.writing() as session:
        session.query(Source).filter(Source.kind == "feed").first().profiles = []
    store_entries(installation, ["Frexalimab and tolebrutinib slow lesions"], ["a"])
    with deps.reading() as session:
        past = profile_import.judge_past(session, other, MONDAY)
    assert match.run(deps) == 1
    with deps.writing() as session:
        profile_import.import_profile(session, other, MONDAY, past=past)
    assert match.run(deps) == 1
    with deps.reading() as session:
        assert sorted(match.profile.slug for match in session.query(Match)) == [
            "frexalimab",
            "tolebrutinib",
        ]


def test_a_revision_that_cannot_be_judged_is_a_near_miss_and_the_others_match(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    store_entries(
        installation,
        ["Frexalimab one", "Frexalimab breaks it", "Frexalimab three"],
        ["a", "b", "c"],
    )
    real = judging.judge_document

    def judge_document(vocabulary, names, document):
        if "breaks" in document.title:
            raise RecursionError("somebody@example.org is too deep")
        return real(vocabulary, names, document)

    monkeypatch.setattr(judging, "judge_document", judge_document)
    problems = Problems()
    assert match.run(installation.at(MONDAY), problems) == 3
    with installation.at(MONDAY).reading() as session:
        assert [match.revision.title for match in session.query(Match)] == [
            "Frexalimab one",
            "Frexalimab three",
        ]
        (near,) = session.query(NearMiss)
        assert near.reasons == ["an unexpected error kept it from being judged"]
    (line,) = problems.lines
    assert "RecursionError" in line
    assert "example.org" not in line


RELEASE = (
    "A made-up company said today that frexalimab lowered the number of new lesions in a made-up "
    "trial. The people who took part had relapsing multiple sclerosis and were followed for a "
    "year. Nobody should believe a word of this. "
)
PAIRS = [
    ({"url": "https://x.example.org/a/"}, {"url": "http://www.x.example.org/a?utm_source=y"}),
    ({"text": "See doi 10.1056/NEJMoa2309439."}, {"text": "https://doi.org/10.1056/nejmoa2309439"}),
    ({"trial": "NCT06141473"}, {"trial": "NCT06141473"}),
    (
        {"title": "Frexalimab slows new lesions in phase 2"},
        {"title": "New lesions: frexalimab slows in Phase 2!"},
    ),
    (
        {"title": "Frexalimab slows new lesions in phase 2"},
        {"title": "Frexalimab slows the new lesion in phase 2"},
    ),
    (
        {"title": "One", "text": RELEASE},
        {"title": "Two", "text": f"By our reporter. {RELEASE} More follows."},
    ),
    ({"title": "One", "text": RELEASE * 9}, {"title": "Two", "text": RELEASE * 9}),
    (
        {"title": "One", "text": RELEASE},
        {"title": "Two", "text": RELEASE.replace("made-up", "fictional")},
    ),
    (
        {"title": "甲", "text": "試験の結果が発表された。" * 40},
        {"title": "乙", "text": "試験の結果が発表された。" * 40},
    ),
    ({"title": "Frexalimab news"}, {"title": "Frexalimab news"}),
    (
        {"title": "Frexalimab cuts lesions by 89% in trial"},
        {"title": "Frexalimab cuts lesions by 86% in trial"},
    ),
    ({"title": "In 2025", "text": RELEASE}, {"title": "In 2026", "text": RELEASE}),
    ({"url": "https://x.example.org/list#1"}, {"url": "https://x.example.org/list#2"}),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_index_finds_what_a_comparison_of_all_pairs_finds(first: dict, second: dict):
    empty = {"url": "", "title": "", "text": ""}
    earlier, later = fingerprint(**{**empty, **first}), fingerprint(**{**empty, **second})
    index = StoryIndex()
    index.add(
        1,
        1,
        fingerprint(
            "https://y.example.org/", "Something else entirely is told here", "Another text."
        ),
    )
    index.add(2, 2, earlier)
    assert (index.find_first(3, later) == 2) is is_same_news(earlier, later)
    assert index.find_first(2, later) is None, "an entry does not repeat itself"


def test_of_several_reports_the_first_is_found():
    index = StoryIndex()
    for number in range(5):
        index.add(
            number,
            number,
            fingerprint(f"https://x.example.org/{number}", f"Title {number:c}", RELEASE * 3),
        )
    title = "Frexalimab slows new lesions in a trial"
    index.add(6, 6, fingerprint("https://x.example.org/6", title, ""))
    index.add(7, 7, fingerprint("https://x.example.org/7", title, ""))
    assert index.find_first(8, fingerprint("https://y.example.org", title, "")) == 6


def test_judging_many_past_entries_for_a_new_profile_writes_nothing(
    any_installation: Installation,
):
    installation = any_installation
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        session.query(Source).filter(Source.kind == "feed").first().profiles = []
    store_entries(
        installation, [f"Tolebrutinib report {number}" for number in range(30)], ["a"] * 30
    )
    match.run(deps)
    file = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    with deps.reading() as session:
        past = profile_import.judge_past(session, file, MONDAY)
    assert len(past.drafts) == 30
    assert all(draft.filed for draft in past.drafts)
    with deps.reading() as session:
        assert session.query(Match).filter(Match.tier == Tier.ABOUT).count() == 0, (
            "nothing is written by judging"
        )


def test_a_story_continues_over_two_runs(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    title = "Frexalimab lowers lesions in a made-up trial"
    installation.publish([Article(title, slug="one")])
    run_once(installation.at(MONDAY + timedelta(hours=1)))
    installation.publish(
        [
            Article(title, slug="one"),
            Article(f"{title}!", slug="two", link="https://wire.example.org/1"),
        ]
    )
    run_once(installation.at(MONDAY + timedelta(hours=2)))
    with installation.at(MONDAY).reading() as session:
        stories = [match.story for match in session.query(Match)]
    assert len(stories) == 2
    assert len(set(stories)) == 1
    assert stories[0] is not None


def test_a_batch_that_stays_outdated_is_left_to_the_next_run(
    installation: Installation, monkeypatch
):
    store_entries(installation, ["Frexalimab one"], ["a"])
    monkeypatch.setattr(matches, "store", lambda *_: None)
    assert match.run(installation.at(MONDAY)) == 0
    with installation.at(MONDAY).reading() as session:
        assert session.query(Examination).count() == 0


def test_an_import_changes_the_version_of_a_profile(any_installation: Installation):
    deps = any_installation.at(MONDAY)
    with deps.reading() as session:
        before = matches.versions(session)
    any_installation.adopt(MONDAY + timedelta(days=1))
    with deps.reading() as session:
        assert matches.versions(session) != before


def test_a_fingerprint_holds_no_more_of_a_text_than_is_compared():
    report = fingerprint("https://x.example.org", "t" * 10_000, "word " * 100_000)
    assert len(report.headline.full) <= 600
    assert len(report.text) <= 4500
    assert len(report.written) <= 4500
    assert replace(report, text="") != report
