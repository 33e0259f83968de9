"""Recent news is found by stored keys: the same links as by whole texts, and few texts are read."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from notifier.match import batches, recent_news
from notifier.match.stories.fingerprint import FORM, Keys, fingerprint, keys_of
from notifier.match.stories.story_index import StoryIndex
from notifier.pipeline import housekeeping, match
from notifier.store.models import Match, StoryKeys
from tests.support.installation import MONDAY, Installation
from tests.support.matching import SAMPLES, read_lines
from tests.support.stored_news import store_entries

pytestmark = pytest.mark.postgresql_long

STORIES = [
    report for pair in read_lines(SAMPLES / "stories.jsonl") for report in pair.values()
    if isinstance(report, dict)
]  # fmt: skip
RELEASE = (
    "The made-up company said that frexalimab lowered the number of new lesions in its trial. "
    "People with relapsing disease took part and were followed for {} weeks. Nobody should "
    "believe a word of this report, which was written for a test and for nothing else at all."
)


def altered(chance: random.Random, text: str, share: float) -> str:
    """Return a text in which a share of the words is replaced by others of it."""
    words = text.split()
    return " ".join(chance.choice(words) if chance.random() < share else word for word in words)


def news(chance: random.Random, number: int) -> list[tuple[str, str]]:
    """Return titles and bodies of reports; many are altered copies of one another."""
    items = []
    for _ in range(number):
        report = chance.choice(STORIES)
        title = report.get("title") or "News of the week about a trial"
        items.append(
            (
                f"Frexalimab: {altered(chance, title, chance.choice((0, 0, 0.1)))}",
                altered(chance, report.get("text") or RELEASE, chance.choice((0, 0.05, 0.3))),
            )
        )
    return items


def stories_of(installation: Installation) -> list[int | None]:
    """Return the place of the first report of each match's story; None if it has no other."""
    with installation.at(MONDAY).reading() as session:
        found = session.scalars(select(Match).order_by(Match.position)).all()
    places = {report.id: place for place, report in enumerate(found)}
    return [places.get(report.story) for report in found]


def expected_stories(items: list[tuple[str, str]]) -> list[int | None]:
    """Return the same by an index that holds the whole texts of all reports."""
    index = StoryIndex()
    firsts: list[int | None] = []
    for place, (title, body) in enumerate(items):
        report = fingerprint(f"https://herald.example.org/{place}", title, body)
        first = index.find_first(place, report)
        index.add(place, place, report, first)
        firsts.append(first)
    stories = list(firsts)
    for place, first in enumerate(firsts):
        if first is not None:
            # A story's number is the first report of all.
            stories[place] = first if stories[first] is None else stories[first]
            stories[stories[place]] = stories[place]
    return stories


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_links_are_those_of_a_search_in_all_texts(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch, seed: int
):
    installation = any_installation
    items = news(random.Random(seed), 40)
    monkeypatch.setattr(batches, "BATCH", 7)
    store_entries(installation, [title for title, _ in items], [body for _, body in items])
    assert match.run(installation.at(MONDAY)) == len(items)
    stories = stories_of(installation)
    assert stories == expected_stories(items)
    assert len([story for story in stories if story is not None]) > 10


def test_links_are_the_same_where_no_keys_are_stored_or_those_of_another_form(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    deps = installation.at(MONDAY)
    items = news(random.Random(4), 30)
    for number, (title, body) in enumerate(items):
        store_entries(installation, [title], [body])
        match.run(deps)
        with deps.writing() as session:
            if number % 3 == 0:
                session.query(StoryKeys).delete()
            elif number % 3 == 1:
                session.execute(update(StoryKeys).values(form=FORM + 1, runs=b"", document={}))
    assert stories_of(installation) == expected_stories(items)
    with deps.reading() as session:
        assert session.query(StoryKeys).filter(StoryKeys.form == FORM).count() == len(items)


def test_only_texts_that_may_be_the_same_news_are_read(any_installation: Installation):
    installation = any_installation
    deps = installation.at(MONDAY)
    chance = random.Random(5)
    words = [f"word{number}" for number in range(3000)]
    bodies = [" ".join(chance.choice(words) for _ in range(80)) for _ in range(30)]
    titles = [f"Frexalimab {' '.join(chance.choice(words) for _ in range(9))}" for _ in bodies]
    store_entries(installation, titles, bodies)
    match.run(deps)
    read: list[int] = []

    def note(_connection, _cursor, statement: str, parameters, *_) -> None:
        if "substr(" in statement:
            read.append(len(parameters))

    event.listen(deps.engine, "before_cursor_execute", note)
    store_entries(installation, ["Frexalimab is in the news again today"], [bodies[3]])
    match.run(deps)
    assert len(read) == 1
    assert stories_of(installation)[-1] == 3


def test_keys_are_kept_as_long_as_news_is_recent(any_installation: Installation):
    installation = any_installation
    store_entries(installation, ["Frexalimab slows lesions in a trial"], [RELEASE])
    match.run(installation.at(MONDAY))
    for days, kept in ((13, 1), (15, 0)):
        deps = installation.at(MONDAY + timedelta(days=days))
        housekeeping.run(deps)
        with deps.reading() as session:
            assert session.query(StoryKeys).count() == kept


@pytest.mark.parametrize("text", ["", "short", RELEASE, "試験の結果が発表された。" * 40])
def test_keys_are_read_as_they_were_written(text: str):
    keys = keys_of(
        fingerprint("https://x.example.org/a", "A headline of more than five words", text)
    )
    assert Keys.from_json(keys.to_json(), keys.runs) == keys
    assert len(keys.run_hashes()) == keys.run_count
    assert bool(keys.run_count) is (len(text) >= 200)


def test_a_stored_match_is_recent_by_its_stored_keys(any_installation: Installation):
    installation = any_installation
    deps = installation.at(MONDAY)
    store_entries(installation, ["Frexalimab slows lesions in a trial"], [RELEASE])
    match.run(deps)
    with deps.reading() as session:
        (stored,) = session.query(Match)
        reports = recent_news.Reports(session)
        (recent,) = recent_news.read(session, stored.profile_id, MONDAY, reports)
    assert (recent.match_id, recent.revision_id) == (stored.id, stored.revision_id)
    assert reports.made_keys == {}
