"""Imported lines: an invalid line does not affect the lines above and below it."""

import io
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from notifier.errors import InputError
from notifier.match import profiles
from notifier.subscribers import import_export, list_files
from notifier.subscribers.import_export import RowResult
from notifier.subscribers.list_files import COLUMNS
from tests.support.installation import MONDAY, Installation

ADDRESS = "a@example.org"


def taken(
    installation: Installation, text: str, *, json_lines: bool, dry: bool = False
) -> list[tuple[RowResult, str]]:
    with installation.at(MONDAY).writing() as session:
        terms = import_export.ImportOptions(
            {"frexalimab": profiles.find(session, None)}, "UTC", "operator test", dry
        )
        report = import_export.import_rows(
            session, list_files.read(io.StringIO(text), json_lines=json_lines), terms, MONDAY
        )
    return [(fate, why) for _, fate, why in report.lines]


BAD_LINES = [
    '{"email": ["a@example.org"]}',
    '{"email": {"a": "a@example.org"}}',
    '{"email": 1e400}',
    '{"email": NaN}',
    '{"email": -Infinity}',
    '{"email": true}',
    '{"email": null}',
    '{"email": 5}',
    '{"email": "a\\u0000@example.org"}',
    '{"email": "\\ud800@example.org"}',
    '{"email": "a@\\udfff.example.org"}',
    '{"email": "a@example.org\\nBcc: b@example.org"}',
    '{"email": "' + "a" * 330 + '@example.org"}',
    '{"email": "a@' + "b." * 200 + 'org"}',
    '{"email": "a@example.org", "every": ["daily"]}',
    '{"email": "a@example.org", "every": "\\ud800"}',
    '{"email": "a@example.org", "every": "daily\\u0000"}',
    '{"email": "a@example.org", "profile": "frexalimab\\u0000"}',
    '{"email": "a@example.org", "profile": {"slug": "frexalimab"}}',
    '{"email": "a@example.org", "profile": "' + "x" * 5000 + '"}',
    '{"email": "a@example.org", "every": "monthly", "on": 1.0}',
    '{"email": "a@example.org", "every": "monthly", "on": 32}',
    '{"email": "a@example.org", "every": "monthly", "on": ' + "9" * 4000 + "}",
    '{"email": "a@example.org", "every": "monthly", "on": ' + "9" * 5000 + "}",
    '{"email": "a@example.org", "at": 800}',
    '{"email": "a@example.org", "at": [8, 0]}',
    '{"email": "a@example.org", "time_zone": "UTC\\u0000"}',
    '{"email": "a@example.org", "time_zone": 1}',
    '{"email": "a@example.org", "every": "anna@example.org"}',
    '{"email": "a@example.org", "profile": "anna@example.org"}',
    '{"email": "a@example.org", "at": "anna@example.org"}',
    '{"email": "a@example.org", "language": "\\ud800"}',
    '{"email": "a@example.org", "language": ["en"]}',
    '{"email": "a@example.org", "edition": false}',
    '{"email": "a@example.org", "status": ["ended"]}',
    "[" * 50_000,
    '{"email":' * 5000,
    "[]",
    "NaN",
    '"a@example.org"',
    "\x00",
    "{",
    '{"email": "a@example.org"} {}',
]


def test_an_invalid_line_of_json_does_not_stop_the_others(
    any_installation: Installation,
):
    text = "\n".join(
        [
            '{"email": "first@example.org"}',
            *BAD_LINES,
            '{"email": "last@example.org", "every": "monthly"}',
        ]
    )
    fates = taken(any_installation, text, json_lines=True)
    assert [fate for fate, _ in fates] == [
        RowResult.ADDED,
        *[RowResult.INVALID] * len(BAD_LINES),
        RowResult.ADDED,
    ]
    for _, why in fates:
        why.encode()
        assert "@example.org" not in why


def test_the_day_of_the_month_may_be_a_number(any_installation: Installation):
    line = json.dumps({"email": ADDRESS, "every": "monthly", "on": 31})
    assert taken(any_installation, line, json_lines=True) == [(RowResult.ADDED, "")]


BAD_CELLS = [
    "a\x00@example.org,daily,08:00",
    "a\x7f@example.org,daily,08:00",
    "\u202ea@example.org,daily,08:00",
    "a@example.org,dai\x00ly,08:00",
    "a@example.org,daily,0\u0668:00",
    "a@example.org,daily,08:00\x00",
    "a@example.org,daily,8",
    f"{'a' * 65}@example.org,daily,08:00",
    f"a@{'b' * 300}.org,daily,08:00",
    "=cmd|' /C calc'!A0,daily,08:00",
]


def test_an_invalid_line_of_csv_does_not_stop_the_others(
    any_installation: Installation,
):
    text = "\n".join(
        ["email,every,at", "first@example.org,daily,08:00", *BAD_CELLS, "last@example.org,daily,"]
    )
    fates = [fate for fate, _ in taken(any_installation, text, json_lines=False)]
    assert fates == [RowResult.ADDED, *[RowResult.INVALID] * len(BAD_CELLS), RowResult.ADDED]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@seed(13)
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=5), max_size=4))
def test_each_line_of_any_json_has_a_result(
    any_installation: Installation, rows: list[dict[str, object]]
):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    assert len(taken(any_installation, text, json_lines=True)) == len(rows)


@seed(13)
@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_csv_is_imported_or_refused_as_a_whole(any_installation: Installation, text: str):
    with suppress(InputError):
        taken(any_installation, f"email,every,at,on,time_zone\n{text}", json_lines=False)
    with pytest.raises(InputError):
        taken(any_installation, f"name\n{text}", json_lines=False)
