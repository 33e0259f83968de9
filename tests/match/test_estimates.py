"""Estimates: which entries an edited profile is compared on, and when it is too broad."""

from datetime import timedelta

import pytest

from notifier.enums import TermKind, Tier
from notifier.match import estimates, profiles
from notifier.match.estimates import Comparison
from notifier.match.past_entries import Candidate
from notifier.match.terms import TermSpec
from notifier.store.models import Entry, Revision
from notifier.watch import sources
from tests.support.forms import add_second_profile
from tests.support.installation import MONDAY, Installation
from tests.support.stored_news import store_entries


def candidate(*names: str, slug: str = "frexalimab", urls: tuple[str, ...] = ()) -> Candidate:
    terms = tuple(TermSpec(TermKind.NAME, name) for name in names)
    return Candidate(slug, "Frexalimab", terms, urls)


def compared(
    made: Installation, edited: Candidate, seconds: float = estimates.MOST_SECONDS
) -> Comparison:
    with made.at(MONDAY).reading() as session:
        return estimates.compare(session, candidate("frexalimab"), edited, MONDAY, seconds)


def move_to(made: Installation, url: str, slug: str | None) -> None:
    """Let all entries be of a source that feeds the profile of this slug, or every one."""
    with made.at(MONDAY).writing() as session:
        profile = profiles.find(session, slug) if slug else None
        source, _ = sources.add(session, url, MONDAY, profile=profile)
        session.query(Entry).update({"source_id": source.id})


def test_both_states_are_judged_on_the_same_entries(installation):
    store_entries(installation, ["Frexalimab", "Obexelimab", "A walk"], [""] * 3)
    comparison = compared(installation, candidate("obexelimab"))
    assert (comparison.entries, comparison.is_whole) == (3, True)
    assert (comparison.matched_before, comparison.matched_after) == (1, 1)
    assert sorted((each.title, each.way) for each in comparison.differing) == [
        ("Frexalimab", "out"),
        ("Obexelimab", "in"),
    ]


def test_only_the_newest_state_of_an_entry_and_only_90_days_count(installation):
    new, old = store_entries(installation, ["Obexelimab", "Obexelimab again"], [""] * 2)
    with installation.at(MONDAY).writing() as session:
        session.get_one(Revision, old).observed_at = MONDAY - timedelta(days=91)
        first = session.get_one(Revision, new)
        values = {
            column.name: getattr(first, column.name)
            for column in Revision.__table__.columns
            if column.name not in ("id", "number", "title")
        }
        session.add(Revision(**values, number=2, title="Corrected: another therapy"))
    comparison = compared(installation, candidate("obexelimab"))
    assert (comparison.entries, comparison.matched_after) == (1, 0)


@pytest.mark.parametrize(
    ("slug", "names_it", "entries"),
    [
        (None, False, 1),
        ("frexalimab", False, 1),
        ("tolebrutinib", False, 0),
        ("tolebrutinib", True, 1),
    ],
    ids=["of every profile", "its own", "another one's", "another one's that it names now"],
)
def test_entries_of_the_sources_that_feed_the_profile_count(installation, slug, names_it, entries):
    add_second_profile(installation)
    store_entries(installation, ["Obexelimab"], [""])
    url = "https://herald.example.org/feed"
    move_to(installation, url, slug)
    edited = candidate("obexelimab", urls=(url,) if names_it else ())
    assert compared(installation, edited).entries == entries


def test_when_the_time_is_over_it_says_that_not_all_was_looked_at(installation):
    store_entries(installation, ["Obexelimab"] * 5, [""] * 5)
    comparison = compared(installation, candidate("obexelimab"), seconds=0)
    assert (comparison.entries, comparison.is_whole) == (1, False)


def test_of_many_entries_the_newest_are_looked_at(installation, monkeypatch):
    monkeypatch.setattr(estimates, "MOST_ENTRIES", 2)
    store_entries(installation, ["A walk", "Obexelimab", "Obexelimab in mice"], [""] * 3)
    comparison = compared(installation, candidate("obexelimab"))
    assert (comparison.entries, comparison.is_whole, comparison.matched_after) == (2, False, 2)


@pytest.mark.parametrize(
    ("entries", "before", "after", "is_too_broad"),
    [(19, 0, 19, False), (20, 0, 10, False), (20, 0, 11, True), (20, 6, 11, False)],
    ids=["few entries", "half of them", "more than half", "not twice as many as now"],
)
def test_a_profile_that_would_match_most_is_too_broad(entries, before, after, is_too_broad):
    counts = ({Tier.ABOUT: before}, {Tier.RELATED: after})
    comparison = Comparison(entries, MONDAY, True, *counts, ())
    assert comparison.is_too_broad is is_too_broad
