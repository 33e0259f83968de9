"""Every text of the program is translated with its values; dates follow the language."""

import re
from datetime import UTC, date, datetime
from functools import cache

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


@cache
def messages_of_the_program() -> frozenset:
    """Return every text that is to be translated; reading all files takes a second."""
    messages = set()
    for folder, method, options in (
        ("notifier", "python", {}),
        ("templates", "jinja2", {"**": {"extensions": "jinja2.ext.i18n", "trimmed": "true"}}),
    ):
        pattern = "**.py" if method == "python" else "**.j2"
        rows = extract_from_dir(
            ROOT / folder, [(pattern, method)], {pattern: options.get("**", {})}, KEYWORDS
        )
        messages |= {message for _, _, message, _, _ in rows if message}
    return frozenset(messages)


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_the_program_is_translated_with_its_values(code: str):
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
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        for text in forms:
            assert set(re.findall(r"%\(\w+\)s", text)) == set(
                re.findall(r"%\(\w+\)s", originals[-1])
            ), text
            assert re.sub(r"%\(\w+\)s", "", text).count("%") == 0, text


def test_a_lazy_message_is_the_english_sentence_as_a_string():
    sentence = LazyMessage(
        "%(place)s names %(term)s", place=LazyMessage("the headline"), term="frexalimab"
    )
    assert sentence == "the headline names frexalimab"
    assert f"{sentence}!" == "the headline names frexalimab!"
    assert language_of("de").translate(sentence) == "die Überschrift nennt frexalimab"
    assert language_of("fr").translate("a publisher's own words") == "a publisher's own words"


@pytest.mark.parametrize(
    ("code", "singular", "plural_form"),
    [
        ("en", "1 month later", "3 months later"),
        ("de", "1 Monat später", "3 Monate später"),
        ("fr", "1 mois plus tard", "3 mois plus tard"),
        ("es", "1 mes después", "3 meses después"),
    ],
)
def test_the_number_decides_the_form(code: str, singular: str, plural_form: str):
    for number, words in ((1, singular), (3, plural_form)):
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
def test_dates_have_the_form_of_the_language(code: str, day: str, month: str, weekday: str):
    language = language_of(code)
    assert language.day(date(2025, 10, 2)) == day
    assert language.month(date(2025, 10, 1)) == month
    assert language.weekday(0) == weekday
    assert language.day(None) == ""
    assert language.moment(datetime(2025, 10, 2, 8, 5, tzinfo=UTC)).endswith("08:05")


def test_a_date_in_a_sentence_has_the_form_of_the_language():
    sentence = LazyMessage("Registry data as of %(date)s.", date=date(2026, 3, 2))
    assert sentence == "Registry data as of 2 March 2026."
    assert language_of("de").translate(sentence) == "Registerdaten vom 2. März 2026."


VALUES = st.dictionaries(
    st.sampled_from(["n", "text", "day"]),
    st.one_of(st.text(), st.integers(), st.dates()),
    min_size=0,
    max_size=3,
)


@given(VALUES, st.text(), st.integers(0, 5))
def test_a_stored_message_is_the_same_when_it_is_read(values: dict, outside: str, number: int):
    sentence = LazyMessage(
        "a %(inner)s", inner=plural("%(n)s week later", "%(n)s weeks later", number), **values
    )
    document = {"reasons": [sentence, outside, ""], "deep": [{"note": sentence}], "number": 3}
    again = from_json(to_json(document))
    assert again == document
    for code in LANGUAGES:
        assert language_of(code).translate(again["reasons"][0]) == language_of(code).translate(
            sentence
        )


def test_a_sentence_that_was_stored_as_a_plain_text_stays_one():
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
def test_a_browser_gets_the_language_that_it_prefers(accepted: str, code: str):
    assert negotiate(accepted).code == code


def test_a_language_without_a_catalogue_is_english():
    assert language_of("tlh").code == ENGLISH.code == "en"
