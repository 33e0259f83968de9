"""Matching bounds its work: a hostile text costs no more than its length, and no item is compared with all others."""

import random
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from notifier.enums import NewsKind, Tier
from notifier.match import batches, boilerplate, judging, matches, past_entries, profiles
from notifier.match.score import is_medical
from notifier.match.stories import StoryIndex, fingerprint, is_same_news
from notifier.match.terms import Vocabulary
from notifier.match.urgency import is_urgent
from notifier.pipeline import match
from notifier.pipeline.problems import Problems
from notifier.pipeline.run import run_once
from notifier.store.models import Entry, Examination, Match, NearMiss, Revision, Source
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

BUNDLED = profiles.parse(profiles.bundled_file(), "the bundled profile")
VOCABULARY = Vocabulary({1: profiles.term_specs(BUNDLED)})
LONG = 1_000_000

HOSTILE = {
    "letters without a space": "a" * LONG,
    "colons": ":" * LONG,
    "line ends": "\n" * LONG,
    "spaces": " " * LONG,
    "pointers": "Read more:" * 100_000,
    "pointers that are sentences": "Read more: x. " * 70_000,
    "pointers on lines": "Related\n" * 120_000,
    "a pointer with a long tail": "Related" + " " * LONG + "x",
    "more from, again and again": "more from " * 100_000,
    "hyphens": "a-" * 500_000,
    "broken words": "ab- " * 250_000,
    "mixed scripts": "aа" * 500_000,
    "mixed scripts in words": "aаb " * 250_000,
    "katakana": "あア" * 160_000,
    "cyrillic": "фрексалимаб " * 80_000,
    "dots": "." * LONG + "a",
    "dots inside words": "a." * 500_000,
    "one word and a dot inside it": "a" * LONG + ".b",
    "ellipses": "…" * LONG + "a",
    "the name": "frexalimab " * 90_000,
    "slips of the name": "frexalimap " * 90_000,
    "an acronym": "F-R-E-X-A-L-T " * 70_000,
    "entities": "&#x" * 330_000,
    "marks": "\u0301" * LONG,
    "alert words": "stops " * 160_000,
    "papers": "10.1000/" * 125_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(text: str):
    """Each took minutes to for ever where it was quadratic; a megabyte may take seconds on a busy machine."""
    begun = time.process_time()
    judging.judge_document(
        VOCABULARY, {1: BUNDLED.name}, judging.Document(text[:2000], text[:2000], text)
    )
    boilerplate.without_boilerplate(text[:99_999])
    boilerplate.split_lead(text)
    is_medical(text)
    fingerprint(f"https://x.example.org/{text[:100]}", text, text)
    is_urgent(NewsKind.NEW, Tier.ABOUT, text[:100_000], ())
    assert time.process_time() - begun < 15


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Good. Read more: Frexalimab fails. The end.", "Good. The end."),
        ("Good. Read more: Version 2.0 came. The end.", "Good. Version 2. The end."),
        ("Good. Read more: Is it true?! The end.", "Good. The end."),
    ],
)
def test_a_pointer_still_goes_with_its_sentence(text: str, without: str):
    article = f"{text} {'More of the article itself follows here. ' * 5}"
    assert " ".join(boilerplate.without_boilerplate(article).split()).startswith(without)


def write(
    made: Installation, titles: list[str], bodies: list[str], *, baseline: bool = False
) -> list[int]:
    """Entries with these titles, as a poll would have stored them; gives the ids of their revisions."""
    with made.at(MONDAY).writing() as session:
        source = session.query(Source).first()
        begun = session.query(Entry).count()
        revisions = []
        for number, (title, body) in enumerate(zip(titles, bodies, strict=True), begun):
            url = f"https://herald.example.org/{number}"
            entry = Entry(
                source_id=source.id, key=str(number), url=url, title=title, first_seen_at=MONDAY
            )
            session.add(entry)
            session.flush()
            revision = Revision(
                entry_id=entry.id,
                number=1,
                hash=str(number),
                kind=NewsKind.NEW,
                material=True,
                baseline=baseline,
                observed_at=MONDAY,
                url=url,
                title=title,
                summary="",
                body=body,
                author="",
                categories=[],
                content={},
                changes=[],
            )
            session.add(revision)
            revisions.append(revision)
        session.flush()
        return [revision.id for revision in revisions]


def prose(chance: random.Random, words: int) -> str:
    stock = "lesions trial people placebo antibody study doctors weeks results brain cells safety dose company report"
    return " ".join(chance.choice(stock.split()) for _ in range(words))


def test_four_hundred_items_match_in_seconds_and_hold_the_database_for_moments(
    installation: Installation,
):
    chance = random.Random(1)
    titles = [f"Frexalimab {prose(chance, 8)}" for _ in range(400)]
    write(installation, titles, [prose(chance, 400) for _ in titles])
    held: list[float] = []
    begun: list[float] = []
    engine = installation.at(MONDAY).engine
    event.listen(engine, "commit", lambda _: held.append(time.perf_counter() - begun[-1]))

    @event.listens_for(engine, "begin")
    def _(connection) -> None:
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            begun.append(time.perf_counter())

    spent = time.process_time()
    assert match.run(installation.at(MONDAY)) == 400
    assert time.process_time() - spent < 20, "it was 89 seconds when each was compared with all"
    assert max(held) < 2


def test_nothing_is_judged_or_compared_while_a_write_transaction_is_open(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    writing = []
    for module, name in (
        (judging, "judge_document"),
        (batches, "fingerprint_of"),
        (batches, "link_stories"),
    ):
        real = getattr(module, name)

        def seen(*words, real=real, **named):
            assert not writing, "a write transaction is open"
            return real(*words, **named)

        monkeypatch.setattr(module, name, seen)
    real_store = matches.store

    def store(session, found, now):
        writing.append(True)
        try:
            return real_store(session, found, now)
        finally:
            writing.pop()

    monkeypatch.setattr(matches, "store", store)
    write(made, ["Frexalimab slows lesions in a trial"], ["A text."])
    assert match.run(made.at(MONDAY)) == 1
    with made.at(MONDAY).reading() as session:
        assert session.query(Match).count() == 1


def test_what_was_matched_meanwhile_is_not_matched_twice(
    any_installation: Installation, monkeypatch
):
    made = any_installation
    write(
        made,
        ["Frexalimab slows lesions in a trial", "Frexalimab slows lesions in another trial"],
        ["a", "b"],
    )
    real = batches.judge
    others: list[int] = []

    def judge(batch):
        if not others:
            others.append(0)
            others.append(match.run(made.at(MONDAY)))
        return real(batch)

    monkeypatch.setattr(batches, "judge", judge)
    assert match.run(made.at(MONDAY)) == 0
    assert others == [0, 2]
    with made.at(MONDAY).reading() as session:
        assert session.query(Match).count() == 2
        assert session.query(Examination).count() == 2
        assert sorted(match.position for match in session.query(Match)) == [1, 2]


def test_a_profile_that_is_imported_while_a_batch_is_judged_misses_nothing(
    any_installation: Installation, monkeypatch
):
    made = any_installation
    write(made, ["Tolebrutinib slows lesions in a trial"], ["a"])
    other = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    real = batches.judge
    imported: list[bool] = []

    def judge(batch):
        if not imported:
            imported.append(True)
            from notifier.admin.profile_import import import_profile

            with made.at(MONDAY).writing() as session:
                source = session.query(Source).filter(Source.kind == "feed").first()
                source.profiles = []
                import_profile(
                    session, other.model_copy(update={"sources": (), "pages": ()}), MONDAY
                )
        return real(batch)

    monkeypatch.setattr(batches, "judge", judge)
    match.run(made.at(MONDAY))
    with made.at(MONDAY).reading() as session:
        assert [
            match.profile.slug for match in session.query(Match) if match.tier is Tier.ABOUT
        ] == ["tolebrutinib"]


def test_what_is_looked_at_while_a_profile_is_imported_is_looked_at_once_more_for_it(
    any_installation: Installation,
):
    made = any_installation
    deps = made.at(MONDAY)
    other = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    other = other.model_copy(update={"sources": (), "pages": ()})
    from notifier.admin import profile_import

    with deps.writing() as session:
        session.query(Source).filter(Source.kind == "feed").first().profiles = []
    write(made, ["Frexalimab and tolebrutinib slow lesions"], ["a"])
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


def test_a_revision_that_cannot_be_judged_is_held_for_a_person_and_the_others_match(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    write(made, ["Frexalimab one", "Frexalimab breaks it", "Frexalimab three"], ["a", "b", "c"])
    real = judging.judge_document

    def judge_document(vocabulary, names, words):
        if "breaks" in words.title:
            raise RecursionError("somebody@example.org is too deep")
        return real(vocabulary, names, words)

    monkeypatch.setattr(judging, "judge_document", judge_document)
    problems = Problems()
    assert match.run(made.at(MONDAY), problems) == 3
    with made.at(MONDAY).reading() as session:
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
    "A made-up company said today that frexalimab lowered the number of new lesions in a made-up trial. The people who "
    "took part had relapsing multiple sclerosis and were followed for a year. Nobody should believe a word of this. "
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


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_index_finds_what_a_comparison_of_each_with_each_finds(one: dict, other: dict):
    empty = {"url": "", "title": "", "text": ""}
    earlier, later = fingerprint(**{**empty, **one}), fingerprint(**{**empty, **other})
    recent = StoryIndex()
    recent.add(
        1,
        1,
        fingerprint(
            "https://y.example.org/", "Something else entirely is told here", "Another text."
        ),
    )
    recent.add(2, 2, earlier)
    assert (recent.find_first(3, later) == 2) is is_same_news(earlier, later)
    assert recent.find_first(2, later) is None, "an entry is no other telling of itself"


def test_of_several_tellings_the_first_is_found():
    recent = StoryIndex()
    for number in range(5):
        recent.add(
            number,
            number,
            fingerprint(f"https://x.example.org/{number}", f"Title {number:c}", RELEASE * 3),
        )
    title = "Frexalimab slows new lesions in a trial"
    recent.add(6, 6, fingerprint("https://x.example.org/6", title, ""))
    recent.add(7, 7, fingerprint("https://x.example.org/7", title, ""))
    assert recent.find_first(8, fingerprint("https://y.example.org", title, "")) == 6


def test_the_past_of_many_entries_is_judged_for_a_new_profile_outside_the_transaction(
    any_installation: Installation,
):
    made = any_installation
    deps = made.at(MONDAY)
    with deps.writing() as session:
        session.query(Source).filter(Source.kind == "feed").first().profiles = []
    write(made, [f"Tolebrutinib report {number}" for number in range(30)], ["a"] * 30)
    match.run(deps)
    file = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
    with deps.reading() as session:
        judged = past_entries.judge_past(
            session, file.slug, profiles.term_specs(file), file.name, MONDAY
        )
    assert len(judged.drafts) == 30
    assert all(candidacy.filed for candidacy in judged.drafts)
    with deps.reading() as session:
        assert session.query(Match).filter(Match.tier == Tier.ABOUT).count() == 0, (
            "nothing is written by judging"
        )


def test_a_story_goes_on_over_two_runs_and_a_release(any_installation: Installation):
    made = any_installation
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    title = "Frexalimab lowers lesions in a made-up trial"
    made.publish([Article(title, slug="one")])
    run_once(made.at(MONDAY + timedelta(hours=1)))
    made.publish(
        [
            Article(title, slug="one"),
            Article(f"{title}!", slug="two", link="https://wire.example.org/1"),
        ]
    )
    run_once(made.at(MONDAY + timedelta(hours=2)))
    with made.at(MONDAY).reading() as session:
        stories = [match.story for match in session.query(Match)]
    assert len(stories) == 2
    assert len(set(stories)) == 1
    assert stories[0] is not None


def test_a_batch_that_is_always_outdated_is_left_to_the_next_run(
    installation: Installation, monkeypatch
):
    write(installation, ["Frexalimab one"], ["a"])
    monkeypatch.setattr(matches, "store", lambda *_: None)
    assert match.run(installation.at(MONDAY)) == 0
    with installation.at(MONDAY).reading() as session:
        assert session.query(Examination).count() == 0


def test_versions_tell_a_match_and_an_import(any_installation: Installation):
    deps = any_installation.at(MONDAY)
    with deps.reading() as session:
        before = matches.versions(session)
    any_installation.adopt(MONDAY + timedelta(days=1))
    with deps.reading() as session:
        assert matches.versions(session) != before


def test_a_telling_reads_no_more_of_a_text_than_is_compared():
    told = fingerprint("https://x.example.org", "t" * 10_000, "word " * 100_000)
    assert len(told.title) <= 600
    assert len(told.text) <= 4500
    assert replace(told, title="") != told
