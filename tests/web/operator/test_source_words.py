"""The words about a source: what is wrong, what to do, how often it says something."""

from datetime import timedelta

import pytest

from notifier.enums import SourceKind
from notifier.store.models import Source
from notifier.watch.source_overview import Rhythm
from notifier.web.operator.sources import source_words
from notifier.web.operator.words import Clock
from tests.support.installation import MONDAY

DAY = timedelta(days=1)


def source(**columns) -> Source:
    known = {"kind": SourceKind.FEED, "failures": 0, "paused_by": "", "last_success_at": MONDAY}
    return Source(**{**known, **columns})


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("the address answered 403 instead of a document", "refuses programs"),
        ("the address answered with a challenge of the site's guard", "refuses programs"),
        ("the address answered 404 instead of a document", "may have moved"),
        ("the address answered with an HTML page, not a feed", "may have moved"),
        ("the address answered 429 instead of a document", "limits how often"),
        ("the address answered 503 instead of a document", "trouble of its own"),
        ("x.example did not answer completely within 20 s (watch.timeout_seconds)", "of its own"),
        ("the name x.example cannot be resolved: no network, or no such host", "does not exist"),
        ("x.example does not show a valid certificate: expired", "certificate is not valid"),
        ("the feed is broken XML and holds no entry: mismatched tag", "cannot be read"),
        ("a reason that nobody foresaw", "Open the address in a browser"),
    ],
)
def test_each_failure_has_its_advice_and_no_word_of_the_terminal(error: str, advice: str):
    state = source_words.state_of(
        source(failures=3, last_error=error), MONDAY, Clock("UTC", MONDAY)
    )
    assert advice in state.advice
    assert "watch." not in state.text + state.advice
    assert "notifier" not in state.text + state.advice
    assert ".." not in state.text


@pytest.mark.parametrize(
    ("entries", "days", "text"),
    [
        (270, 90, "about 3 a day"),
        (90, 90, "about 1 a day"),
        (26, 90, "about 2 a week"),
        (3, 90, "about 1 a month"),
        (1, 90, "1 in 90 days"),
        (0, 40, "nothing in 40 days"),
        (9, 0, "too new to tell"),
    ],
)
def test_a_rhythm_in_words(entries: int, days: int, text: str):
    assert source_words.rhythm_text(source(), Rhythm(entries, days)) == text


def test_a_page_has_the_day_of_its_last_change_instead_of_a_rhythm():
    page = source(kind=SourceKind.PAGE, changed_at=MONDAY)
    assert source_words.rhythm_text(page, Rhythm(0, 0)) == "last change 2 Mar 2026"


@pytest.mark.parametrize(
    ("wait", "ahead", "ago"),
    [
        (timedelta(0), "at once", "just now"),
        (-DAY, "at once", "just now"),
        (timedelta(minutes=1), "in 1 minute", "1 minute ago"),
        (timedelta(minutes=119), "in 119 minutes", "119 minutes ago"),
        (timedelta(hours=3), "in 3 hours", "3 hours ago"),
        (3 * DAY, "in 3 days", "3 days ago"),
    ],
)
def test_times_in_words(wait: timedelta, ahead: str, ago: str):
    assert source_words.wait_text(MONDAY + wait, MONDAY) == ahead
    assert source_words.ago_text(MONDAY - wait, MONDAY) == ago
    assert source_words.ago_text(None, MONDAY) == "never"
