"""Dates of publication: a text is that moment, or it is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text.published_dates import published_date

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        # RFC 822 and its relatives
        "Mon, 02 Mar 2026 08:00:00 GMT",
        "Mon, 02 Mar 2026 08:00:00 +0000",
        "Mon, 2 Mar 2026 08:00 UT",
        "02 Mar 26 08:00 Z",
        "Mon, 02 Mar 2026 09:00:00 +0100",
        "Mon, 02 Mar 2026 09:00:00 +0100 (CET)",
        "Mon, 02 Mar 2026 09:00:00 +01:00",
        "Mon, 02 Mar 2026 09:00:00 GMT+1",
        "Mon, 02 Mar 2026 09:00:00 UTC+01:00",
        "Mon, 02 Mar 2026 09:00:00 GMT+0100 (Central European Standard Time)",
        "Mon, 02 Mar 2026 08:00:00 -0000",
        "Tue, 02 Mar 2026 08:00:00 GMT",
        "Monday, 02-Mar-26 08:00:00 GMT",
        "Mon 02-Mar-2026 08:00:00 GMT",
        "Mon Mar  2 08:00:00 2026",
        "Mon Mar 02 09:00:00 CET 2026",
        # names of zones
        "Mon, 02 Mar 2026 03:00:00 EST",
        "Mon, 02 Mar 2026 04:00:00 EDT",
        "Mon, 02 Mar 2026 02:00:00 CST",
        "Mon, 02 Mar 2026 01:00:00 MST",
        "Mon, 02 Mar 2026 00:00:00 PST",
        "Mon, 02 Mar 2026 01:00:00 PDT",
        "Mon, 02 Mar 2026 09:00:00 CET",
        "Mon, 02 Mar 2026 10:00:00 CEST",
        "Mo, 02 Mär 2026 09:00:00 MEZ",
        "Mon, 02 Mar 2026 09:00:00 BST",
        "Mon, 02 Mar 2026 10:00:00 EET",
        "Mon, 02 Mar 2026 11:00:00 MSK",
        "Mon, 02 Mar 2026 17:00:00 JST",
        "Mon, 02 Mar 2026 17:00:00 KST",
        "Mon, 02 Mar 2026 16:00:00 HKT",
        "Mon, 02 Mar 2026 19:00:00 AEDT",
        "Mon, 02 Mar 2026 17:30:00 ACST",
        "Mon, 02 Mar 2026 21:00:00 NZDT",
        "Mon, 02 Mar 2026 10:00:00 SAST",
        "Mon, 02 Mar 2026 09:00:00 Europe/Berlin",
        "March 2, 2026 3:00 am ET",
        "2026-03-02 03:00:00 America/New_York",
        # ISO 8601
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:00Z",
        "2026-03-02t08:00:00z",
        "2026-03-02T08:00:00",
        "2026-03-02 08:00:00",
        "2026-03-02T09:00:00+01:00",
        "2026-03-02T09:00:00+0100",
        "2026-03-02T09:00:00+01",
        "2026-03-02T03:00:00-05:00",
        "2026-03-02T08:00:00.000Z",
        "2026-03-02T08:00:00,000Z",
        "2026-03-02T09:00:00+01:00[Europe/Berlin]",
        "2026-03-02T08:00:00Z[Europe/London][u-ca=gregory]",
        "2026-03-02 08:00:00 UTC",
        "2026-03-02 08:00:00 +0000",
        "20260302T080000Z",
        "20260302080000",
        "2026-3-2 8:00",
        "2026/03/02 08:00:00",
        # seconds and milliseconds since 1970
        "1772438400",
        "1772438400.0",
        "1772438400000",
        # written for people
        "March 2, 2026, 8:00 AM",
        "Mar 2nd, 2026 at 8 am",
        "2 March 2026 8:00 a.m.",
        "2. März 2026, 08:00 Uhr",
        "Montag, 2. März 2026 um 8:00 Uhr",
        "2 mars 2026 à 08:00",
        "lun., 02 mars 2026 08:00:00 +0000",
        "mar., 02 mars 2026 08:00:00 +0000",
        "lundi 2 mars 2026 8h00",
        "2 de marzo de 2026 08:00",
        "2 marzo 2026 alle ore 08:00",
        "2 de março de 2026 08:00",
        "Ma, 02 mrt 2026 08:00:00 +0000",
        "Пн, 02 мар 2026 11:00:00 +0300",
        "2026年3月2日 08:00",
        "2026年3月2日 8時00分",
        "2026년 3월 2일 오전 8:00",
        "02.03.2026 08:00",
        "2.3.2026 08:00:00",
        "  Mon, 02 Mar 2026 08:00:00 GMT\n",
    ],
)
def test_a_date_is_that_moment(text: str):
    assert published_date(text) == EIGHT


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02", MIDNIGHT),
        ("20260302", MIDNIGHT),
        ("2 March 2026", MIDNIGHT),
        ("pon, 2 marca 2026 08:00:00 +0000", EIGHT),
        ("2. března 2026 08:00 GMT", EIGHT),
        ("2 Mart 2026 08:00 +0000", EIGHT),
        ("2 марта 2026 г.", MIDNIGHT),
        ("Mar 2, 2026", MIDNIGHT),
        ("02.03.2026", MIDNIGHT),
        ("2026-03-01T24:00:00Z", MIDNIGHT),
        ("13/02/2026", datetime(2026, 2, 13, tzinfo=UTC)),
        ("02/13/2026", datetime(2026, 2, 13, tzinfo=UTC)),
        ("03/03/2026", datetime(2026, 3, 3, tzinfo=UTC)),
        ("02/13/2026 12:30:00 AM", datetime(2026, 2, 13, 0, 30, tzinfo=UTC)),
        ("02/13/2026 12:30 pm", datetime(2026, 2, 13, 12, 30, tzinfo=UTC)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Thu, 29 Feb 2024 08:00:00 GMT", datetime(2024, 2, 29, 8, tzinfo=UTC)),
        ("15 Jul 2026 08:00 ET", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-03-02T08:00:00.123456789Z", EIGHT.replace(microsecond=123456)),
        ("01 Jan 99 00:00 GMT", datetime(1999, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_of_another_form_is_that_moment(text: str, moment: datetime):
    assert published_date(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        # written by programs that have none
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Wed, 31 Dec 1969 19:00:00 -0500",
        "1970-01-01 01:00:00",
        # of two languages, another month in each
        "3 listopada 2026",
        # impossible
        "Mon, 30 Feb 2026 08:00:00 GMT",
        "Thu, 29 Feb 2026 08:00:00 GMT",
        "Tue, 31 Apr 2026 08:00:00 GMT",
        "Mon, 00 Mar 2026 08:00:00 GMT",
        "Mon, 02 Mar 2026 25:00:00 GMT",
        "Mon, 02 Mar 2026 24:30:00 GMT",
        "Mon, 02 Mar 2026 08:61:00 GMT",
        "Mon, 02 Mar 2026 08:00:75 GMT",
        "Mon, 02 Mar 0026 08:00:00 GMT",
        "Mon, 02 Mar 126 08:00:00 GMT",
        "Mon, 02 Mar 2026 08:00:00 +9900",
        "Mon, 02 Mar 2026 08:00:00 +0075",
        "Mon, 02 Mar 2026 08:00:00 +1500",
        "2026-13-02",
        "2026-02-30T08:00:00Z",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "Thu, 01 Jan 2201 00:00:00 GMT",
        "March 2, 2026 13:00 AM",
        "13.13.2026",
        # more than one meaning
        "03/04/2026 08:00",
        "03-04-2026",
        "02.03.26",
        "26-03-02",
        "Mar 2 26",
        "2026-03",
        "2026",
        "2026-03-02T08:00:00[Europe/Berlin]",
        "Mon, 02 Mar 2026 08:00:00 IST",
        "Mon, 02 Mar 2026 08:00:00 AST",
        "Mon, 02 Mar 2026 08:00:00 A",
        "Mon, 02 Mar 2026 08:00:00 XYZT",
        "Mon, 02 Mar 2026 08:00:00 Mars/Base",
        "Mon, 02 Mar 2026 08:00:00 CET EST",
        "2 March 3 April 2026",
        "02 Mar 2026 08:00 09:00",
        # no dates
        "",
        "now",
        "yesterday",
        "3 hours ago",
        "-1",
        "0",
        "1772438",
        "-62135596800",
        "99999999999999",
        "1e9",
        "{{ page.date }}",
        "Invalid Date",
        "Invalid DateTime",
        "null",
        "08:00",
        "Mon, 02 Mar 2026 08:00:00 GMT" + " " * 100 + "x",
        "٢٠٢٦-٠٣-٠٢",
        "2026-03-02T08:00:00Z\x00",
    ],
)
def test_what_is_no_date_or_may_be_several_is_none(text: str):
    assert published_date(text) is None


@given(st.text(max_size=110) | st.from_regex(r"[0-9:/.+\- TZaMr,]{0,100}", fullmatch=True))
def test_any_text_is_a_date_of_our_time_or_none(text: str):
    moment = published_date(text)
    assert moment is None or (moment.utcoffset() is not None and 1899 < moment.year < 2102)
