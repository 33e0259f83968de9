"""Several changes told as one: what differs from the state that a reader knows, no more."""

from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.digest.folding import fold
from notifier.i18n.messages import LazyMessage


def change(what: str, before: str, after: str, note: str = "") -> dict:
    return {"what": what, "before": before, "after": after, "note": note}


def text(before: str, after: str) -> dict:
    return change("text", before, after)


GONE = change("withdrawn", "", "The page is gone.")
BACK = change("availability", "The page is gone.", "The publisher shows it again.")


def told(*states: list[dict], of_record: bool = False) -> list[tuple[str, str, str]]:
    folded = fold(states, of_record=of_record)
    return [(one["what"], one["before"], one["after"]) for one in folded]


def test_one_change_stays_as_it_is():
    only = change("Countries", "", "France", "1 added")
    assert fold([[only]], of_record=True) == (only,)


def test_of_a_field_the_first_and_the_last_value_are_told():
    states = [
        [change("Participants", "90", "95")],
        [change("Status", "Recruiting", "Suspended")],
        [change("Status", "Suspended", "Terminated"), change("Participants", "95", "100")],
    ]
    assert told(*states, of_record=True) == [
        ("Status", "Recruiting", "Terminated"),
        ("Participants", "90", "100"),
    ]


def test_a_date_that_moved_twice_says_how_far_in_all():
    states = [
        [change("Start", "2026-01", "2026-03", "2 months later")],
        [change("Start", "2026-03", "2026-02", "1 month earlier")],
    ]
    (folded,) = fold(states, of_record=True)
    assert str(folded["note"]) == "1 month later"


@pytest.mark.parametrize(
    "states",
    [
        [
            [change("Status", "Recruiting", "Suspended")],
            [change("Status", "Suspended", "Recruiting")],
        ],
        [
            [change("Sites", "", "Ulm; Jena")],
            [change("Sites", "Ulm", "")],
            [change("Sites", "Jena", "")],
        ],
        [[change("Sites", "Ulm", "")], [change("Sites", "", "Ulm")]],
        [
            [change("Sites", "", LazyMessage("%(items)s; and %(n)s more", items="Ulm; Jena", n=9))],
            [change("Sites", LazyMessage("%(items)s; and %(n)s more", items="Ulm; Jena", n=9), "")],
        ],
        [
            [change("Status", "Recruiting", "Suspended")],
            [change("Status", "Suspended", "Recruiting"), change("Contacts", "Ms A", "Ms B")],
        ],
    ],
)  # fmt: skip
def test_a_record_that_is_as_it_was_is_not_told(states: list[list[dict]]):
    assert told(*states, of_record=True) == []


def test_what_joined_and_left_a_list_is_told_item_by_item():
    states = [
        [change("Countries", "Spain", "France; Italy")],
        [change("Countries", "Italy", "Norway")],
    ]
    assert told(*states, of_record=True) == [("Countries", "Spain", "France; Norway")]


def test_of_lists_that_are_not_known_whole_each_change_is_told():
    many = LazyMessage("%(items)s; and %(n)s more", items="Ulm; Jena", n=9)
    states = [[change("Sites", "", many)], [change("Sites", "Bonn", "")]]
    assert told(*states, of_record=True) == [("Sites", "", many), ("Sites", "Bonn", "")]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        # One passage, twice.
        ([[text("10 patients.", "20 patients.")], [text("20 patients.", "15 patients.")]],
         [("text", "10 patients.", "15 patients.")]),
        # Two passages.
        ([[text("10 patients.", "20 patients.")], [text("After a year.", "After two years.")]],
         [("text", "10 patients.", "20 patients."), ("text", "After a year.", "After two years.")]),
        # A part of the passage, and more than it.
        ([[text("It failed.", "It met its goal. 20 patients.")],
          [text("20 patients.", "15 patients.")]],
         [("text", "It failed.", "It met its goal. 15 patients.")]),
        ([[text("10 patients.", "20 patients.")],
          [text("20 patients. It failed.", "It met its goal.")]],
         [("text", "10 patients. It failed.", "It met its goal.")]),
        # Added, then edited; edited, then removed; added, then removed; removed, then shown again.
        ([[text("", "20 patients.")], [text("20 patients.", "15 patients.")]],
         [("text", "", "15 patients.")]),
        ([[text("10 patients.", "20 patients.")], [text("20 patients.", "")]],
         [("text", "10 patients.", "")]),
        ([[text("", "20 patients.")], [text("20 patients.", "")]], []),
        ([[text("20 patients.", "")], [text("", "20 patients.")]], []),
        # Back to the beginning, in one step and in two.
        ([[text("10 patients.", "20 patients.")], [text("20 patients.", "10 patients.")]], []),
        ([[text("10 patients.", "20 patients.")], [text("20 patients.", "15 patients.")],
          [text("15 patients.", "10 patients.")]], []),
        # Words that stand in others are no part of them.
        ([[text("", "Those 120 patients.")], [text("20 patients.", "15 patients.")]],
         [("text", "", "Those 120 patients."), ("text", "20 patients.", "15 patients.")]),
    ],
)  # fmt: skip
def test_changes_of_one_passage_are_one(states: list[list[dict]], expected: list[tuple]):
    assert told(*states) == expected


def test_the_headline_comes_first_in_its_first_and_last_wording():
    states = [
        [text("10 patients.", "20 patients."), change("Doses", "5 mg", "6 mg")],
        [change("headline", "A", "B")],
        [change("headline", "B", "C")],
    ]
    assert told(*states) == [
        ("headline", "A", "C"),
        ("text", "10 patients.", "20 patients."),
        ("Doses", "5 mg", "6 mg"),
    ]


def test_a_section_of_a_page_that_came_and_was_edited_is_new_still():
    states = [
        [change("Contacts", "", "Call 10. Write to us.", LazyMessage("new section"))],
        [change("Contacts", "Call 10.", "Call 12.", "10 → 12")],
    ]
    (folded,) = fold(states, of_record=False)
    assert (folded["after"], folded["note"]) == ("Call 12. Write to us.", "new section")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([[GONE], [BACK]], []),
        ([[BACK], [GONE]], []),
        ([[GONE], [BACK], [GONE]], ["withdrawn"]),
        ([[BACK], [GONE], [BACK]], ["availability"]),
        ([[text("10", "20")], [GONE]], ["withdrawn", "text"]),
        ([[text("10", "20")], [GONE], [BACK]], ["text"]),
    ],
)
def test_who_knows_an_entry_as_it_is_is_not_told_that_it_came_or_went(
    states: list[list[dict]], expected: list[str]
):
    assert [what for what, _, _ in told(*states)] == expected


@given(st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=2, max_size=8))
def test_however_often_a_passage_changes_its_first_and_last_wording_are_told(words: list[str]):
    words = [word for word, _ in groupby(words)]
    states = [[text(before, after)] for before, after in pairwise(words)]
    if states:
        back = words[0] == words[-1]
        assert told(*states) == ([] if back else [("text", words[0], words[-1])])
