"""Characters that were lost on the way: their repair is no news."""

import pytest

from notifier.watch.compare.damage import is_damaged, is_repair
from notifier.watch.parsers.observation import Observation


def article(body: str, title: str = "A made-up article") -> Observation:
    return Observation(guid="1", url="", title=title, body=body)


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        ("The caf\ufffd clinic", "The caf\u00e9 clinic"),
        ("Dr. M\ufffd\ufffdller gave 5 \ufffdg", "Dr. M\u00fcller gave 5 \u00b5g"),
        ("Snow \ufffd falls", "Snow \u2603 falls"),
        ("\ufffdrzte", "\u00c4rzte"),
    ],
)
def test_lost_characters_that_are_back_are_a_repair(damaged: str, text: str):
    assert is_repair(article(damaged), article(text))
    assert is_repair(article("", damaged), article("", text))


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("The caf\ufffd clinic met 5 people", "The caf\u00e9 clinic met 6 people"),
        ("The caf\ufffd clinic", "The caf\u00e9 clinic did not open"),
        ("The cafe clinic", "The caf\u00e9 clinic"),
        ("The caf\ufffd clinic", "The caf\ufffd clinic"),
        ("A \ufffdword", "A sentence"),
    ],
)
def test_another_edit_is_no_repair(before: str, text: str):
    assert not is_repair(article(before), article(text))


def test_a_text_without_the_sign_is_not_damaged():
    assert not is_damaged(article("The caf\u00e9 clinic"))
