"""Words are explained where a text means them, and nowhere else."""

import pytest

from notifier.digest.glossary import explain
from notifier.i18n.catalog import language_of


def explained(text: str) -> list[str]:
    return [term.word for term in explain([text], language_of("en"))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HR 0.53 (0.3 to 0.8)", ["HR"]),
        ("HR: 0.53", ["HR"]),
        ("an HR of 0.53", ["HR"]),
        ("Hazard ratios were low", ["Hazard ratios"]),
        ("NfL was lower", ["NfL"]),
        ("sNfL was lower", ["sNfL"]),
        ("PLACEBO and edss", ["PLACEBO", "edss"]),
    ],
)
def test_a_word_is_explained_as_the_text_spells_it(text: str, words: list[str]):
    assert explained(text) == words


@pytest.mark.parametrize(
    "text",
    ["An infusion over 24 hr", "Its HR department", "Hr. Roh lebt mit MS", "A star of the NFL"],
)
def test_another_word_of_the_same_letters_is_not_explained(text: str):
    assert explained(text) == []
