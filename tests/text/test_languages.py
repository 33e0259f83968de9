"""The language of a publisher's text is found by its script and its small words."""

import pytest

from notifier.text.languages import foreign, guess


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The trial of the drug was stopped after a year", "en"),
        ("Frexalimab slows relapses", "en"),
        ("", "en"),
        ("1234 + 5678", "en"),
        ("Die Studie mit dem Wirkstoff wurde nach einem Jahr beendet", "de"),
        ("L’essai du médicament a été arrêté après un an chez les patients", "fr"),
        ("El ensayo con el fármaco se detuvo después de un año", "es"),
        ("La sperimentazione del farmaco è stata sospesa dopo un anno per i pazienti della", "it"),
        ("Het onderzoek naar het middel werd na een jaar gestopt", "nl"),
        ("O ensaio do medicamento foi interrompido depois de um ano com os doentes", "pt"),
        ("フレキサリマブは再発を減らした", "ja"),
        ("弗瑞沙利单抗减少复发", "zh"),
        ("프렉살리맙은 재발을 줄였다", "ko"),
        ("Препарат замедляет болезнь", "ru"),
        ("الدواء يبطئ المرض", "ar"),
        ("התרופה מאטה את המחלה", "he"),
        ("Το φάρμακο επιβραδύνει τη νόσο", "el"),
        ("The company 荣昌 has said that the trial of β-interferon will go on", "en"),
    ],
)
def test_the_language_is_guessed(text: str, code: str):
    assert guess(text) == code


def test_a_very_long_text_is_read_only_at_its_beginning():
    assert guess("der die das und " * 300 + "the of and " * 100_000) == "de"


@pytest.mark.parametrize(
    ("text", "lang", "around", "marked"),
    [("news", "en", "de", "en"), ("news", "en", "en", None), ("", "en", "de", None)],
)
def test_a_text_knows_its_language_where_it_is_another_than_around_it(
    text: str, lang: str, around: str, marked: str | None
):
    shown = foreign(text, lang, around)
    assert shown == text
    assert getattr(shown, "lang", None) == marked
