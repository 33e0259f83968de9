"""Languages: every text of ours is said in all of them, with the same values, and dates and plurals follow each."""

import re
from datetime import UTC, date, datetime

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from notifier.i18n.catalog import ENGLISH, LANGUAGES, language_of, negotiate
from notifier.i18n.messages import LazyMessage, from_json, plural, to_json
from tests.support.paths import ROOT

KEYWORDS = {
    **dict.fromkeys(("_", "mark", "LazyMessage", "gettext"), None),
    **dict.fromkeys(("ngettext", "mark_number", "plural"), (1, 2)),
}
OTHERS = [code for code in LANGUAGES if code != "en"]


def messages_of_the_program() -> set:
    found = set()
    for folder, method, options in (
        ("notifier", "python", {}),
        ("templates", "jinja2", {"**": {"extensions": "jinja2.ext.i18n", "trimmed": "true"}}),
    ):
        pattern = "**.py" if method == "python" else "**.j2"
        rows = extract_from_dir(
            ROOT / folder, [(pattern, method)], {pattern: options.get("**", {})}, KEYWORDS
        )
        found |= {message for _, _, message, _, _ in rows if message}
    return found


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_ours_is_translated_with_its_values(code: str):
    with (ROOT / "notifier" / "i18n" / "locale" / f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    known = {
        message.id if isinstance(message.id, str) else tuple(message.id): message
        for message in catalog
        if message.id
    }
    wanted = messages_of_the_program()
    assert len(wanted) > 200
    assert wanted == set(known), "run `make words`, then translate what is empty"
    for message in known.values():
        said = [message.string] if isinstance(message.string, str) else list(message.string)
        meant = [message.id] if isinstance(message.id, str) else list(message.id)
        assert all(said), message.id
        assert not message.fuzzy, message.id
        for text in said:
            assert set(re.findall(r"%\(\w+\)s", text)) == set(
                re.findall(r"%\(\w+\)s", meant[-1])
            ), text
            assert re.sub(r"%\(\w+\)s", "", text).count("%") == 0, text


def test_a_sentence_is_english_to_everything_that_does_not_care():
    said = LazyMessage(
        "%(place)s names %(term)s", place=LazyMessage("the headline"), term="frexalimab"
    )
    assert said == "the headline names frexalimab"
    assert f"{said}!" == "the headline names frexalimab!"
    assert language_of("de").translate(said) == "die Überschrift nennt frexalimab"
    assert language_of("fr").translate("a publisher's own words") == "a publisher's own words"


@pytest.mark.parametrize(
    ("code", "one", "many"),
    [
        ("en", "1 month later", "3 months later"),
        ("de", "1 Monat später", "3 Monate später"),
        ("fr", "1 mois plus tard", "3 mois plus tard"),
        ("es", "1 mes después", "3 meses después"),
    ],
)
def test_numbers_decide_the_form(code: str, one: str, many: str):
    for number, words in ((1, one), (3, many)):
        assert (
            language_of(code).translate(plural("%(n)s month later", "%(n)s months later", number))
            == words
        )


@pytest.mark.parametrize(
    ("code", "day", "month", "weekday"),
    [
        ("en", "2 October 2025", "October 2025", "Monday"),
        ("de", "2. Oktober 2025", "Oktober 2025", "Montag"),
        ("fr", "2 octobre 2025", "octobre 2025", "lundi"),
        ("es", "2 de octubre de 2025", "octubre de 2025", "lunes"),
    ],
)
def test_dates_are_written_as_the_language_writes_them(
    code: str, day: str, month: str, weekday: str
):
    spoken = language_of(code)
    assert (spoken.day(date(2025, 10, 2)), spoken.month(date(2025, 10, 1)), spoken.weekday(0)) == (
        day,
        month,
        weekday,
    )
    assert spoken.day(None) == ""
    assert spoken.moment(datetime(2025, 10, 2, 8, 5, tzinfo=UTC)).endswith("08:05")


def test_a_date_in_a_sentence_is_written_by_whoever_says_it():
    said = LazyMessage("Registry data as of %(date)s.", date=date(2026, 3, 2))
    assert said == "Registry data as of 2 March 2026."
    assert language_of("de").translate(said) == "Registerdaten vom 2. März 2026."


VALUES = st.dictionaries(
    st.sampled_from(["n", "text", "day"]),
    st.one_of(st.text(), st.integers(), st.dates()),
    min_size=0,
    max_size=3,
)


@given(VALUES, st.text(), st.integers(0, 5))
def test_what_was_said_is_recalled_as_it_was_said(values: dict, outside: str, number: int):
    said = LazyMessage(
        "a %(inner)s", inner=plural("%(n)s week later", "%(n)s weeks later", number), **values
    )
    document = {"reasons": [said, outside, ""], "deep": [{"note": said}], "number": 3}
    again = from_json(to_json(document))
    assert again == document
    for code in LANGUAGES:
        assert language_of(code).translate(again["reasons"][0]) == language_of(code).translate(said)


def test_what_was_stored_before_sentences_were_kept_apart_stays_what_it_is():
    assert from_json(["the headline names frexalimab"]) == ["the headline names frexalimab"]
    assert (
        language_of("de").translate(from_json(["the headline names frexalimab"])[0])
        == "the headline names frexalimab"
    )


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.5, es", "es"),
        ("nl, pt", "en"),
        ("", "en"),
        ("de;q=abc, es;q=0.1", "es"),
        ("*", "en"),
        ("é, \x00, ;q=1, " * 100, "en"),
    ],
)
def test_a_browser_gets_the_language_it_asks_for(accepted: str, code: str):
    assert negotiate(accepted).code == code


def test_a_language_that_is_not_spoken_is_english():
    assert language_of("tlh").code == ENGLISH.code == "en"
