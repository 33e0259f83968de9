"""The encoding of documents: what is UTF-8 is read as such, and a broken byte costs one letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.watch.parsers.encoding import as_utf_8, decoded
from tests.support.effort import measured

TEXT = "Die Ärztin sagt: „Müde“ – Café, naïve, 5 µg"
GERMAN = f"<p>{TEXT}</p>"
RUSSIAN = "<p>Рассеянный склероз: новое исследование</p>"
JAPANESE = "<p>多発性硬化症の臨床試験が始まった</p>"


def header(charset: str) -> dict[str, str]:
    return {"content-type": f"text/html; charset={charset}"}


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        pytest.param({}, "", id="no header"),
        pytest.param({"content-type": "text/html"}, "", id="no charset"),
        pytest.param(header("iso-8859-1"), "", id="the server's default"),
        pytest.param(header("windows-1251"), "", id="a wrong charset"),
        pytest.param(header("klingon-8"), "", id="an unknown charset"),
        pytest.param(header("base64"), "", id="a codec that is no charset"),
        pytest.param(header("undefined"), "", id="a codec that always fails"),
        pytest.param(header("utf-16"), "cp1252", id="UTF-16, and Latin yesterday"),
    ],
)
def test_valid_utf_8_is_utf_8_whatever_is_said(headers: dict[str, str], known: str):
    assert decoded(GERMAN.encode(), headers, known) == (GERMAN, "utf-8")


@pytest.mark.parametrize(
    ("text", "charset", "python_name"),
    [
        (GERMAN.replace("„", "“"), "windows-1252", "cp1252"),
        ("<p>Müdigkeit</p>", "iso-8859-1", "cp1252"),
        (RUSSIAN, "windows-1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE, "euc-jp", "euc_jp"),
        (JAPANESE, "iso-2022-jp", "iso2022_jp"),
        ("<p>다발성 경화증 임상시험</p>", "euc-kr", "cp949"),
        ("<p>多发性硬化症的临床试验</p>", "gb2312", "gb18030"),
    ],
)
def test_a_named_encoding_is_used_for_what_is_not_utf_8(text: str, charset: str, python_name: str):
    assert decoded(text.encode(charset), header(charset)) == (text, python_name)


@pytest.mark.parametrize(
    ("text", "label", "python_name"),
    [
        ("<p>מחקר חדש על טרשת נפוצה</p>", "iso-8859-8-i", "iso8859-8"),
        ("<p>การทดลองยาใหม่</p>", "windows-874", "cp874"),
        (RUSSIAN, "x-cp1251", "cp1251"),
        (RUSSIAN, "x-mac-cyrillic", "mac-cyrillic"),
        (JAPANESE, "Windows-31J", "cp932"),
        ("<p>다발성 경화증 임상시험</p>", "windows-949", "cp949"),
        ("<p>多发性硬化症的临床试验</p>", "GB_2312-80", "gb18030"),
    ],
)
def test_an_encoding_is_known_by_all_labels_of_the_standard(
    text: str, label: str, python_name: str
):
    assert decoded(text.encode(python_name), header(label)) == (text, python_name)


@pytest.mark.parametrize(
    "start",
    [
        '<?xml version="1.0" encoding="windows-1251"?>',
        "<meta charset=windows-1251>",
        '<meta http-equiv="content-type" content="text/html; charset=windows-1251">',
    ],
)
def test_a_document_that_names_its_encoding_is_believed_more_than_a_servers_default(start: str):
    body = (start + RUSSIAN).encode("windows-1251")
    for headers in ({}, header("iso-8859-1")):
        assert decoded(body, headers) == (start + RUSSIAN, "cp1251")


def test_an_encoding_that_nobody_names_today_is_that_of_yesterday():
    body = RUSSIAN.encode("koi8-r")
    assert decoded(body, {}, "koi8-r")[0] == RUSSIAN
    assert decoded(body, header("iso-8859-1"), "koi8-r")[0] == RUSSIAN


@pytest.mark.parametrize("charset", ["windows-1251", "shift_jis", "euc-kr"])
def test_an_encoding_that_nobody_names_is_guessed(charset: str):
    text = {
        "windows-1251": "Рассеянный склероз: новое исследование антитела начато в двух странах. ",
        "shift_jis": "多発性硬化症の臨床試験が始まったと病院が発表した。新しい抗体の効果を調べる。",
        "euc-kr": "다발성 경화증 환자를 위한 새로운 항체의 임상시험이 시작되었다고 병원이 밝혔다. ",
    }[charset]
    assert decoded((text * 3).encode(charset), {})[0] == text * 3


@pytest.mark.parametrize("broken", [b"\xf0\x9f\x98", b"\xff", b"\xc3", b"\xe9", b"\x80"])
@pytest.mark.parametrize(
    "headers", [{}, header("utf-8"), header("iso-8859-1")], ids=["none", "utf-8", "latin"]
)
def test_a_broken_byte_costs_one_letter(broken: bytes, headers: dict[str, str]):
    text, name = decoded(GERMAN.encode() + broken + b"<p>end</p>", headers)
    assert (text, name) == (GERMAN + "\ufffd<p>end</p>", "utf-8")


def test_the_only_letter_beyond_ascii_may_be_broken_in_what_was_utf_8_before():
    assert decoded(b"<p>caf\xc3</p>", {}, "utf-8") == ("<p>caf\ufffd</p>", "utf-8")
    assert decoded(b"<p>caf\xe9</p>", {}) == ("<p>caf\u00e9</p>", "cp1252")


@pytest.mark.parametrize(("known", "name"), [("koi8-r", "koi8-r"), ("", "utf-8")])
def test_ascii_says_nothing_of_the_encoding(known: str, name: str):
    assert decoded(b"<p>plain</p>", {}, known) == ("<p>plain</p>", name)


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_what_was_encoded_twice_is_decoded_twice(wrong: str):
    text = "<p>Müde Ärztin, Café</p>"
    assert decoded(text.encode().decode(wrong).encode(), {})[0] == text


def shown_as_latin(text: str) -> str:
    """Return what a program shows that takes the bytes of a text for Latin letters.

    Bytes that name no letter stay control characters, as browsers and databases keep them.
    """
    letters = (bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())
    return "".join(letters)


QUOTED = "The “rate” fell by ≥ 5 % – in naïve people’s words"


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        (f"<p>{shown_as_latin(QUOTED)}</p>", f"<p>{QUOTED}</p>"),
        (
            f"<h1>Zürich – 漢</h1><p>{shown_as_latin(QUOTED)}</p><p>Müde</p>",
            f"<h1>Zürich – 漢</h1><p>{QUOTED}</p><p>Müde</p>",
        ),
        (
            f"<title>Ü</title><b><![CDATA[<p>{shown_as_latin('é à')} <i>x</i></p>]]></b>",
            "<title>Ü</title><b><![CDATA[<p>é à <i>x</i></p>]]></b>",
        ),
        ("<p>LEMTRADAÂ® is given</p><p>naÃ¯ve</p><p>Größe</p>",
         "<p>LEMTRADA® is given</p><p>naïve</p><p>Größe</p>"),
        (f"<p>{shown_as_latin('Лечение')}</p><p>Лечение</p>", "<p>Лечение</p><p>Лечение</p>"),
    ],
    ids=["quotes", "an article", "an item", "single letters", "Russian"],
)  # fmt: skip
def test_a_text_that_was_encoded_twice_is_read_beside_one_that_was_not(shown: str, meant: str):
    assert decoded(shown.encode(), {})[0] == meant


@pytest.mark.parametrize(
    "document",
    [
        "<p>BEAUTÉ»</p><p>Ã© and Ã¼ are shown for é and ü</p>",
        "<p>SÃO PAULO, MANHÃ – NÃO</p><p>«BEAUTÉ»</p><p>“ACÇÃO”</p>",
        "<p>TÃ¼rkiye</p><p>Türkiye</p>",
    ],
)
def test_a_text_that_shows_such_letters_among_others_is_left(document: str):
    assert decoded(document.encode(), {})[0] == document


@pytest.mark.parametrize("part", ["Ã©<", "Ã©>", "<aÃ©Ã©"])
def test_hostile_letters_cost_little_time(part: str):
    with measured() as effort:
        decoded(f"{part * 300_000}é".encode(), {})
    assert effort.processor < 5


@pytest.mark.parametrize("text", ["Ã© is shown for é", "naïve café, 5 µg", "Ünlü Ärzte", "Ã©"])
def test_latin_letters_that_were_encoded_once_are_left(text: str):
    assert decoded(text.encode(), {})[0] == text


def test_latin_letters_in_a_document_that_is_called_utf_8_are_read_as_latin():
    body = "<p>Müdigkeit, Kältegefühl</p>".encode("latin-1")
    assert decoded(body, header("utf-8")) == ("<p>Müdigkeit, Kältegefühl</p>", "cp1252")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_and_bare_utf_16_are_known(codec: str):
    assert decoded(GERMAN.encode(codec), header("iso-8859-1"))[0] == GERMAN


def test_a_document_is_passed_on_in_utf_8():
    body, headers, name = as_utf_8(RUSSIAN.encode("koi8-r"), header("koi8-r"))
    assert (body.decode(), name) == (RUSSIAN, "koi8-r")
    assert headers["content-type"] == "text/html; charset=utf-8"


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=20))
def test_any_bytes_become_text_that_is_utf_8(body: bytes, charset: str, known: str):
    text, _ = decoded(body, {"content-type": f"text/html; charset={charset}"}, known)
    assert text.encode().decode() == text
