"""The selection of items: each entry once, in its newest state, the most important first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.digest.selection import Candidate, Section, section_of, select_items
from notifier.enums import NewsKind, Tier


def a_match(
    position: int, entry: int, kind: NewsKind = NewsKind.NEW, tier: Tier = Tier.ABOUT, **more
) -> Candidate:
    return Candidate(position, position, entry, kind, tier, more.pop("score", 0.5), **more)


def kinds(items: list[Candidate]) -> list[tuple[int, NewsKind]]:
    return [(item.entry_id, item.kind) for item in items]


def test_news_that_was_corrected_before_it_went_out_goes_out_once_as_news():
    items = select_items([a_match(1, 1), a_match(2, 1, NewsKind.CORRECTED)], sent=())
    assert kinds(items) == [(1, NewsKind.NEW)]
    assert items[0].match_id == 2


def test_news_that_was_withdrawn_before_it_went_out_does_not_go_out():
    assert select_items([a_match(1, 1), a_match(2, 1, NewsKind.WITHDRAWN)], sent=()) == []


@pytest.mark.parametrize("kind", [NewsKind.CORRECTED, NewsKind.WITHDRAWN])
def test_a_correction_is_owed_only_to_those_who_were_sent_the_entry(kind: NewsKind):
    assert kinds(select_items([a_match(5, 1, kind)], sent={1})) == [(1, kind)]
    assert select_items([a_match(5, 1, kind)], sent=()) == []


@pytest.mark.parametrize("kind", [NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE])
def test_a_trial_or_page_change_is_owed_to_everyone(kind: NewsKind):
    assert kinds(select_items([a_match(5, 1, kind)], sent=())) == [(1, kind)]


def test_several_corrections_of_one_entry_are_one_item():
    items = select_items(
        [a_match(5, 1, NewsKind.CORRECTED), a_match(6, 1, NewsKind.CORRECTED)], sent={1}
    )
    assert [item.match_id for item in items] == [6]


def test_a_state_that_was_matched_late_is_not_newer_than_its_successors():
    held_until_now = a_match(7, 1, NewsKind.CORRECTED, revision_id=2)
    withdrawal = a_match(6, 1, NewsKind.WITHDRAWN, revision_id=3)
    assert kinds(select_items([withdrawal, held_until_now], sent={1})) == [(1, NewsKind.WITHDRAWN)]


def test_a_filed_match_is_owed_to_nobody():
    assert select_items([a_match(1, 1, filed=True)], sent=()) == []


def test_related_items_alone_make_no_digest():
    related = a_match(1, 1, tier=Tier.RELATED)
    assert select_items([related], sent=()) == []
    assert len(select_items([related, a_match(2, 2)], sent=())) == 2


def test_items_are_ordered_by_section_and_then_by_score():
    items = select_items(
        [
            a_match(1, 1, tier=Tier.RELATED),
            a_match(2, 2, tier=Tier.MENTION),
            a_match(3, 3, score=0.5),
            a_match(4, 4, score=0.9),
            a_match(5, 5, NewsKind.CORRECTED),
            a_match(6, 6, NewsKind.TRIAL_CHANGE),
            a_match(7, 7, NewsKind.PAGE_CHANGE),
        ],
        sent={5},
    )
    assert [item.entry_id for item in items] == [5, 4, 3, 6, 7, 2, 1]
    assert [section_of(item) for item in items] == [
        Section.CORRECTED,
        Section.ABOUT,
        Section.ABOUT,
        Section.TRIALS,
        Section.PAGE,
        Section.MENTION,
        Section.RELATED,
    ]


candidates = st.lists(
    st.builds(
        a_match,
        st.integers(1, 50),
        st.integers(1, 5),
        st.sampled_from(list(NewsKind)),
        st.sampled_from([Tier.ABOUT, Tier.MENTION, Tier.RELATED]),
        filed=st.booleans(),
    ),
    max_size=12,
)


@given(candidates, st.sets(st.integers(1, 5)))
def test_a_digest_shows_an_entry_at_most_once(matches: list[Candidate], sent: set[int]):
    items = select_items(matches, sent)
    assert len({item.entry_id for item in items}) == len(items)
    assert not any(item.filed for item in items)
