"""Headers of any text: what is decoded is what was written, and every line is short."""

import email
import email.header
import email.policy
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.deliver.mime.header_fields import address_field, text_field

TEXTS = {
    "ASCII": "Your digest of 3 March",
    "long ASCII": "Frexalimab slows lesions in a second phase 2 trial, as reported at the meeting "
    "in Barcelona, and a third trial begins",
    "two spaces": "Frexalimab:  two spaces, which stay two, also where a line has to end",
    "one umlaut at the end": "Die Nachrichten der Woche über die Prüfung der Phase drei für",
    "an umlaut in the middle": "Neuigkeiten aus München und Zürich: die Woche in sechs Sätzen",
    "an umlaut beside a space that ends a line": "Wöchentlich " * 12 + "ende",
    "French": "Résumé hebdomadaire : « l’essai de phase 3 a commencé » — à lire avant l’été",
    "Spanish": "Resumen semanal: ¿qué dice el ensayo? Según el informe, los efectos son leves",
    "Polish": "Cotygodniowe podsumowanie: żółć, źdźbło i gęś; wyniki badania fazy 3 są znane",
    "Russian": "Еженедельный обзор: результаты исследования третьей фазы опубликованы сегодня",
    "Greek": "Εβδομαδιαία επισκόπηση: τα αποτελέσματα της μελέτης φάσης 3",
    "Arabic": "ملخص الأسبوع: نتائج المرحلة الثالثة من التجربة السريرية منشورة الآن",
    "Hebrew": "סיכום שבועי: תוצאות שלב 3 של הניסוי הקליני פורסמו הבוקר",
    "Chinese": "每周摘要：第三期临床试验的结果已经公布，" * 4,
    "Japanese": "週刊ダイジェスト：第三相試験の結果が公表されました。" * 3,
    "signs of several parts": "👩🏽‍⚕️ 👨‍👩‍👧‍👦 🇩🇪 é ﬁ " * 6,
    "a word that is too long for a line": "x" * 200,
    "a word of a hundred umlauts": "ü" * 100,
    "quotation marks and signs": 'A "quoted" word; (a comment), <x@example.org>, a \\ and =?',
    "question marks and underscores": "Was_ist_das?=_ja_Ä",
    "a non-breaking space": "Phase\u00a03 und weitere Nachrichten aus der Forschung, kurz",
    "one letter": "Ä",
    "empty": "",
}


def decoded(raw: str) -> str:
    """Decode a header as RFC 2047 asks for, by the library's older reader."""
    unfolded = raw.removesuffix("\r\n").replace("\r\n", "").partition(": ")[2]
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def assert_well_formed(raw: str) -> None:
    assert raw.endswith("\r\n")
    assert raw.isascii()
    lines = raw.removesuffix("\r\n").split("\r\n")
    for line in lines:
        assert len(line) <= 76, line
        assert line.strip(), "a line of spaces alone"
    for line in lines[1:]:
        assert line.startswith(" ")
    for word in re.findall(r"=\?utf-8\?[qb]\?[^? ]*\?=", raw):
        assert len(word) <= 75
        email.header.decode_header(word)[0][0].decode("utf-8")  # no character is divided
    # An encoded word has white space on both sides (RFC 2047, 5).
    assert not re.search(r"\S=\?utf-8\?[qb]\?[^? ]*\?=|=\?utf-8\?[qb]\?[^? ]*\?=\S", raw)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_subject_is_decoded_as_it_was_written(text: str):
    text = text.strip()
    raw = text_field("Subject", text)
    assert_well_formed(raw) if text else None
    assert decoded(raw) == text
    message = email.message_from_bytes(f"{raw}\r\n".encode("ascii"), policy=email.policy.default)
    assert message["Subject"] == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_name_is_decoded_as_it_was_written_and_its_address_is_found(text: str):
    text = text.strip()
    raw = address_field("From", text, "digest@news.example.org")
    assert_well_formed(raw)
    message = email.message_from_bytes(f"{raw}\r\n".encode("ascii"), policy=email.policy.default)
    (address,) = message["From"].addresses
    assert address.addr_spec == "digest@news.example.org"
    assert (
        decoded(raw).rpartition("<")[0].strip(' "').replace('\\"', '"').replace("\\\\", "\\")
        == text
    )


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300))
@example("0 \xa1 00" + 19 * "\xa1" + "\u0300")  # too long with what follows the last space
def test_any_text_is_decoded_as_it_was_written(text: str):
    text = " ".join(text.split()).replace("=?", "= ?")
    raw = text_field("Subject", text)
    if text:
        assert_well_formed(raw)
    assert decoded(raw) == text


def test_a_text_of_ascii_is_not_encoded():
    assert text_field("Subject", "Your digest") == "Subject: Your digest\r\n"
    assert address_field("From", "Example Society", "a@b.example") == (
        "From: Example Society <a@b.example>\r\n"
    )
    assert address_field("From", "Dr. Example", "a@b.example") == (
        'From: "Dr. Example" <a@b.example>\r\n'
    )
