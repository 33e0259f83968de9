"""The text of list files: encodings are recognised, and what is no text is refused."""

import io

import pytest

from notifier.errors import InputError
from notifier.subscribers import list_files, list_text, list_words
from notifier.text import times

TEXT = "E-Mail;Vorname;Rhythmus\r\nyara@people.example;Jörg;täglich\r\n"

ENCODED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": TEXT.encode("utf-8-sig"),
    "UTF-16 little endian with a mark": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16 big endian with a mark": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-16 little endian": TEXT.encode("utf-16-le"),
    "UTF-16 big endian": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "Windows-1252": TEXT.replace("Jörg", "Jörg – „gut“ €").encode("cp1252"),
    "Latin-1": TEXT.encode("latin-1"),
    "Latin-1 with bytes that Windows-1252 lacks": TEXT.replace("J", "\x81J").encode("latin-1"),
    "line ends of old Macs": TEXT.replace("\r\n", "\r").encode(),
    "blank lines before the headings": f"\r\n \r\n{TEXT}".encode(),
    "a line that names the separator": f"sep=;\r\n{TEXT}".encode("utf-8-sig"),
}


@pytest.mark.parametrize("octets", ENCODED.values(), ids=ENCODED)
def test_the_encoding_of_a_list_is_recognised(octets: bytes):
    with list_text.opened(io.BytesIO(octets)) as text:
        ((_, cells),) = list_files.read(text, json_lines=False)
    assert cells["email"] == "yara@people.example"
    assert list_words.cadence(cells["every"]) == "daily"


@pytest.mark.parametrize(
    ("octets", "fix"),
    [
        (b"PK\x03\x04" + bytes(100), "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as CSV"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(1, 250)), "as CSV"),
    ],
    ids=["xlsx", "xls", "picture"],
)
def test_a_file_that_is_no_text_is_refused_with_the_fix(octets: bytes, fix: str):
    with pytest.raises(InputError) as refused:
        list_text.opened(io.BytesIO(octets))
    assert fix in refused.value.fix


def test_a_file_that_ends_in_the_middle_of_a_character_is_refused():
    octets = b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1]
    with (
        list_text.opened(io.BytesIO(octets)) as text,
        pytest.raises(InputError, match="middle of a character"),
    ):
        list(list_files.read(text, json_lines=False))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_bytes_that_are_no_character_damage_their_line_alone(encoding: str):
    damage = {"utf-8-sig": b"\xfc", "utf-16": b"\x3d\xd8", "utf-32": b"\xff\xff\xff\xff"}
    before, after = TEXT.replace("Jörg", "J|rg").split("|")
    octets = before.encode(encoding) + damage[encoding]
    octets += after.encode({"utf-8-sig": "utf-8"}.get(encoding, f"{encoding}-le"))
    with list_text.opened(io.BytesIO(octets)) as text:
        assert list_files.count(text) == 2
        ((_, cells),) = list_files.read(text, json_lines=False)
    assert cells["email"] == "yara@people.example"


def test_a_file_that_is_cut_off_is_not_counted_either():
    with (
        list_text.opened(io.BytesIO(TEXT.encode("utf-16")[:-1])) as text,
        pytest.raises(InputError, match="middle of a character"),
    ):
        list_files.count(text)


@pytest.mark.parametrize("separator", list(",;\t|"))
def test_the_separator_is_recognised(separator: str):
    text = separator.join(("email", '"Name, or; both"', "every"))
    text += "\n" + separator.join(("yara@people.example", "Yara", "daily")) + "\n"
    ((number, cells),) = list_files.read(io.StringIO(text), json_lines=False)
    assert (number, cells["every"]) == (2, "daily")


def test_a_line_that_is_too_long_is_reported_and_the_next_is_read():
    text = f"email,note\na@people.example,{'x' * 300_000}\nb@people.example,y\n"
    lines = list(list_files.read(io.StringIO(text), json_lines=False))
    assert [(number, set(cells)) for number, cells in lines] == [
        (2, {list_files.PROBLEM}),
        (3, {"email"}),
    ]


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@a",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
    "'=1",
    "''=1",
]


@pytest.mark.parametrize("cell", FORMULAS, ids=ascii)
def test_a_formula_is_written_as_text_and_read_as_it_was(cell: str):
    written = "".join(
        list_files.write([{"email": "a@b.example", "profile": cell}], json_lines=False)
    )
    assert f"a@b.example,'{cell}" in written or f"a@b.example,\"'{cell}" in written
    text = io.StringIO(f"email,profile\r\n{written.splitlines(keepends=True)[1]}", newline="")
    if "\n" not in cell and "\r" not in cell:
        ((_, cells),) = list_files.read(text, json_lines=False)
        assert cells["profile"] == cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 Uhr", "08:00"),
        ("8.30 Uhr", "08:30"),
        ("08.30", "08:30"),
        ("8h", "08:00"),
        ("8h15", "08:15"),
        ("8:30 pm", "20:30"),
        ("08:00:00", "08:00"),
        ("8:30:00 PM", "20:30"),
        ("08:00:00:00", "08:00:00:00"),
        ("24:00:00", "24:00:00"),
        ("12 a.m.", "00:00"),
        ("12:05 PM", "12:05"),
        ("8", "8"),
        ("25 Uhr", "25 Uhr"),
        ("13 pm", "13 pm"),
        ("8.75", "8.75"),
        ("morning", "morning"),
    ],
)
def test_times_of_day_are_read_as_people_write_them(text: str, expected: str):
    assert list_words.time_of_day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Deutsch", "de"), ("de-AT", "de"), ("en_US", "en"), ("français", "fr"), ("it", "it")],
)
def test_languages_are_read_as_people_write_them(text: str, expected: str):
    assert list_words.language(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon.", "mon"),
        ("Mondays", "monday"),
        ("Tues.", "tue"),
        ("THURSDAY", "thursday"),
        ("Montags", "monday"),
        ("Di.", "tuesday"),
        ("jueves", "thursday"),
        ("31.", "31"),
        ("1", "1"),
        ("1-2", "1-2"),
        ("S", "S"),
        ("", ""),
    ],
)
def test_weekdays_are_read_as_people_write_them(text: str, expected: str):
    assert list_words.weekday(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("America/New_york", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("utc", "UTC"),
        ("Europe/Kyiv", "Europe/Kyiv"),
        ("Europe/Neverland", "Europe/Neverland"),
        ("", ""),
    ],
)
def test_zones_are_known_whatever_their_capitals(text: str, expected: str):
    assert list_words.time_zone(text) == expected


def test_no_two_zones_differ_by_their_capitals_alone():
    assert len(list_words._zones()) == len(times.zone_names())
