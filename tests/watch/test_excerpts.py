"""A part of a known text corrects nothing of it, nor does the whole that comes back.

All texts are fictional.
"""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from notifier.store import db
from notifier.store.models import Entry
from notifier.watch import entries
from notifier.watch.compare.excerpts import is_part
from notifier.watch.parsers.observation import Observation
from tests.support.installation import MONDAY
from tests.watch.test_identity import a_source

WHOLE = (
    "In Lindau, the bakers asked 31 people how frexalimab worked.\n"
    "Of those, 22 did well, and 4 did not. Dr. Roe of the Acme Clinic had hoped for more.\n"
    "The next trial begins in May 2027 and takes 1,400 people."
)
PARTS = {
    "ellipsis in brackets": "In Lindau, the bakers asked 31 people how frexali […]",
    "three points": "In Lindau, the bakers asked 31 people how frexalimab...",
    "ellipsis": "In Lindau, the bakers asked 31 people how frexalimab worked. Of those, 22…",
    "cut word": "In Lindau, the bakers asked 31 people how frexa",
    "pointer": "In Lindau, the bakers asked 31 people how frexalimab worked. Continue reading →",
    "pointer with the title": "In Lindau, the bakers asked 31 people… Read more “Frexalimab”",
    "German pointer": "In Lindau, the bakers asked 31 people how frexalimab worked. Weiterlesen",
    "French pointer": "In Lindau, the bakers asked 31 people how frexalimab […] Lire la suite",
    "Spanish pointer": "In Lindau, the bakers asked 31 people how… Leer más »",
    "first paragraph": "In Lindau, the bakers asked 31 people how frexalimab worked.",
    "nothing": "",
    "for members": "In Lindau, the bakers asked 31 people how frexalimab worked.\n"
    "This text is for members. Join for $ 5 a month or log in.",
    "password": "This content is password protected. To view it please enter your password below:",
    "a protected post": "There is no excerpt because this is a protected post.",
    "an offer to join": "Join now to read the full story.",
    "German password": "Dieser Inhalt ist passwortgeschützt. Bitte geben Sie das Passwort ein.",
    "French password": "Cet article est protégé par un mot de passe.",
    "Spanish subscribers": "In Lindau, the bakers asked 31 people how frexalimab worked.\n"
    "Contenido exclusivo para suscriptores. Inicia sesión.",
    "Italian subscribers": "Contenuto riservato agli abbonati: 3 mesi a 9 euro.",
    "Japanese members": "この記事は会員限定です。",
    "to be unlocked": "In Lindau, the bakers asked 31 people how frexalimab worked.\n"
    "Subscribe to unlock this article. 12 articles left.",
}  # fmt: skip
OTHER_TEXTS = {
    "number": WHOLE.replace("22 did", "12 did"),
    "number in an excerpt": "In Lindau, the bakers asked 13 people how frexalimab […]",
    "last sentence removed": WHOLE.rpartition("\n")[0],
    "not": WHOLE.replace("did well", "did not do well"),
    "note about a password added to a correction": WHOLE.replace("31", "13")
    + "\nThis text is for members.",
    "members in the text": WHOLE.replace("1,400 people", "1,400 members"),
    "another text": "Two people died at Bonn.",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_text_is_recognised(name: str):
    assert is_part(PARTS[name], WHOLE)


@pytest.mark.parametrize("name", OTHER_TEXTS)
def test_another_text_is_no_part(name: str):
    assert not is_part(OTHER_TEXTS[name], WHOLE)


def material(engine: Engine, *states: dict[str, str]) -> list[bool]:
    """Store states of an entry one a day; return whether each of its later revisions is news."""
    for number, state in enumerate(states):
        with db.writing(engine) as session:
            values = {"guid": "g", "url": "https://herald.example.org/1", "title": "T", **state}
            now = MONDAY + timedelta(days=number)
            entries.store(session, a_source(session), [Observation(**values)], now)
    with db.reading(engine) as session:
        return [one.material for one in session.query(Entry).one().revisions[1:]]


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("field", ["body", "summary"])
def test_a_text_that_turns_to_a_part_and_back_is_not_corrected(
    sqlite_engine: Engine, name: str, field: str
):
    whole, part = {"body": WHOLE, "summary": "The bakers."}, {field: PARTS[name]}
    assert not any(material(sqlite_engine, whole, part, whole, part))


def test_a_summary_in_place_of_the_text_is_no_correction(sqlite_engine: Engine):
    whole = {"body": WHOLE, "summary": "The 31 people of Lindau."}
    states = (
        whole,
        {"summary": "The 31 people of Lindau."},
        {"summary": "News of 12 towns."},
        whole,
    )
    assert not any(material(sqlite_engine, *states))


def test_a_number_put_right_in_a_summary_is_a_correction(sqlite_engine: Engine):
    whole = {"body": WHOLE, "summary": "They asked 31 people of Lindau how they were."}
    assert material(sqlite_engine, whole, {"summary": whole["summary"].replace("31", "13")}) == [
        True
    ]


def test_a_number_put_right_while_only_a_part_was_shown_is_a_correction(sqlite_engine: Engine):
    whole, part = {"body": WHOLE}, {"summary": PARTS["ellipsis in brackets"]}
    right = {"body": WHOLE.replace("22 did", "12 did")}
    assert material(sqlite_engine, whole, part, right) == [True]


def test_a_headline_put_right_beside_a_part_is_a_correction_and_keeps_the_text(
    sqlite_engine: Engine,
):
    whole, part = {"body": WHOLE}, {"summary": PARTS["pointer"], "title": "T does not work"}
    assert material(sqlite_engine, whole, part, whole | {"title": "T does not work"})[:1] == [True]
    with db.reading(sqlite_engine) as session:
        assert session.query(Entry).one().revisions[1].body == WHOLE


@pytest.mark.parametrize("name", ["ellipsis", "pointer", "for members", "Spanish subscribers"])
def test_the_whole_text_of_what_was_known_in_part_is_no_correction(
    sqlite_engine: Engine, name: str
):
    assert material(sqlite_engine, {"body": PARTS[name]}, {"body": WHOLE}) == [False]
