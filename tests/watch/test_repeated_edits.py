"""Edits of one entry that come again and again are told a few times at most.

All texts are fictional.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from notifier.store.models.sources import Change
from notifier.watch.compare.diff import Difference, State, compare
from notifier.watch.compare.repeated_edits import restrained
from tests.support.installation import MONDAY

DAY = timedelta(days=1)


@dataclass
class Edition:
    material: bool
    observed_at: datetime
    changes: list[Change] = field(default_factory=list)
    title: str = ""
    body: str = ""
    content: dict = field(default_factory=dict)
    summary: str = ""
    held_because: str = ""


def an_edition(state: State, now: datetime, edit: Difference) -> Edition:
    changes = list(edit.changes)
    return Edition(edit.material, now, changes, state["title"], state["text"], state["content"])


def edited(states: list[State], every: timedelta = DAY) -> list[Difference]:
    """Return the difference that each state but the first is stored with."""
    found = [Difference((), material=True)]
    editions = [an_edition(states[0], MONDAY - DAY, found[0])]
    for number, (old, new) in enumerate(pairwise(states)):
        now = MONDAY + every * number
        found.append(restrained(compare(old, new), editions, now))
        editions.append(an_edition(new, now, found[-1]))
    return found[1:]


def told(states: list[State], every: timedelta = DAY) -> list[bool]:
    return [edit.material for edit in edited(states, every)]


def a_page(tip: str, effects: str = "Seen were headache and fever in 12 of 129 people.") -> State:
    sections = [
        {"heading": "What is it?", "blocks": ["It is an antibody.", f"Did you know? {tip}"]},
        {"heading": "Side effects", "blocks": [effects]},
    ]
    return State(title="A guide", text="", content={"sections": sections})


TIPS = [
    "About 2.8 million people live with MS.",
    "Walking helps many people.",
    "Vitamin D is under study in 14 places.",
    "Sleep is a need, not a wish.",
    "In 1868 Lindau built a bridge.",
    "Cooling vests were tried in 41 people.",
    "Bread was baked by Acme of Lindau.",
]


def an_article(title: str = "T", text: str = "Text.") -> State:
    return State(title=title, text=text, content={})


def test_a_tip_of_the_day_is_told_twice():
    assert told([a_page(tip) for tip in TIPS]) == [True, True, False, False, False, False]


def test_two_tips_in_turn_are_told_twice():
    assert told([a_page(TIPS[number % 2]) for number in range(7)]).count(True) == 2


@pytest.mark.parametrize(
    "wrong",
    ["Seen were headache and fever in 12 of 129 people.", "Seen was no fever in 129 people."],
)
def test_a_real_change_beside_a_tip_of_the_day_is_told(wrong: str):
    right = "Seen were headache and fever in 21 of 129 people."
    states = [a_page(tip, wrong) for tip in TIPS[:5]] + [a_page(tip, right) for tip in TIPS[5:]]
    assert told(states) == [True, True, False, False, True, False]


def test_a_real_change_beside_a_tip_is_shown_without_it():
    states = [a_page(tip) for tip in TIPS[:4]]
    states.append(a_page(TIPS[4], "Seen were headache and fever in 21 of 129 people."))
    (change,) = edited(states)[-1].changes
    assert change["what"] == "Side effects"


@pytest.mark.parametrize(
    "title", ["Frexalimab: {} people asked so far", "Frexalimab in {} towns", "{} for frexalimab"]
)
def test_a_headline_that_counts_is_told_a_few_times(title: str):
    assert told([an_article(title.format(number * 7)) for number in range(3, 12)]).count(True) <= 3


def test_headlines_have_the_limit_of_a_month_as_texts_have():
    titles = ["Acme", "Bonn", "Cumin", "Doves", "Egrets", "Ferns", "Gulls", "Herons", "Ibises"]
    assert told([an_article(title=title) for title in titles]).count(True) <= 5
    assert told([an_article(text=f"It is of {title}.") for title in titles]).count(True) <= 5


def test_a_counter_in_a_text_is_told_a_few_times():
    texts = [f"The petition of Lindau has {number * 11} names." for number in range(2, 12)]
    assert told([an_article(text=text) for text in texts]).count(True) <= 3


def test_a_number_that_is_put_right_twice_is_told_twice():
    texts = ["It enrolled 380 people.", "It enrolled 83 people.", "It enrolled 85 people."]
    assert told([an_article(text=text) for text in texts]) == [True, True]


def test_after_a_month_a_place_may_be_corrected_again():
    texts = [f"It enrolled {number} people." for number in (380, 83, 85, 87, 89)]
    assert told([an_article(text=text) for text in texts], every=20 * DAY) == [True] * 4


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((0, 4, 9, 26), [True] * 4),
        ((0, 7, 18, 25), [True] * 4),
        ((0, 4, 9, 15), [True, True, True, False]),
        ((0, 1, 2, 3, 4, 12), [True, True, True, False, False, True]),
    ],
    ids=["a dose that rose again", "one a week", "within the week", "a counter that came to rest"],
)
def test_a_sentence_that_stood_for_a_week_is_told_again(days: tuple[int, ...], expected: list):
    states = [
        a_page(TIPS[0], f"It is given as {1200 + 100 * number} mg a month.") for number in range(9)
    ]
    editions = [an_edition(states[0], MONDAY - DAY, Difference((), material=True))]
    for day, old, new in zip(days, states, states[1:], strict=False):
        edit = restrained(compare(old, new), editions, MONDAY + day * DAY)
        editions.append(an_edition(new, MONDAY + day * DAY, edit))
    assert [edition.material for edition in editions[1:]] == expected


def test_a_counter_that_is_read_each_day_does_not_come_to_rest():
    texts = [f"The petition of Lindau has {number * 11} names." for number in range(2, 31)]
    assert told([an_article(text=text) for text in texts]).count(True) <= 3


def test_held_edits_do_not_use_up_the_limit():
    states = [an_article(text=f"It had {number} people.") for number in (31, 13)]
    held = [Edition(True, MONDAY, held_because="mass_edit") for _ in range(9)]
    assert restrained(compare(*states), held, MONDAY + DAY).material
