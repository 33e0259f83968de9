"""Trials of a search: followed by their number, news if they are new, dated by the registry."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from notifier.pipeline import poll
from notifier.pipeline.run import run_once
from notifier.store.models import Entry, Source
from notifier.watch import sources, trial_lists
from notifier.watch.parsers import clinicaltrials
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Answer

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READER = "anna@example.org"


def study(number: int, status: str = "RECRUITING", **changes) -> dict:
    """A made-up trial of frexalimab."""
    trial = f"NCT9999{number:04}"
    protocol = {
        "identificationModule": {
            "nctId": trial,
            "briefTitle": f"A made-up frexalimab trial, number {number}",
        },
        "statusModule": {"overallStatus": status, **changes},
        "armsInterventionsModule": {"interventions": [{"name": "Frexalimab"}]},
    }
    return {"protocolSection": protocol, "hasResults": False}


class Registry:
    """A registry on loopback with a search, records, and the date of its data."""

    def __init__(self, made: Installation, page: int = 2) -> None:
        self.made, self.site, self.page = made, made.site, page
        self.studies: list[dict] = []
        self.hidden: list[dict] = []
        self.as_of = "2026-03-02T09:00:05"
        self.search = f"{made.site.address}/api/v2/studies?query.intr=frexalimab"
        self.site.dynamic["/api/v2/studies"] = self._search
        self.site.dynamic["/api/v2/version"] = lambda _: self._json(
            {"apiVersion": "2", "dataTimestamp": self.as_of}
        )

    def _json(self, document: dict) -> Answer:
        return Answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _search(self, asked) -> Answer:
        start = int(asked.path.partition("pageToken=")[2] or 0)
        document: dict = {"studies": self.studies[start : start + self.page]}
        if start + self.page < len(self.studies):
            document["nextPageToken"] = str(start + self.page)
        return self._json(document)

    def run(self, after: timedelta) -> list[str]:
        for one in (*self.studies, *self.hidden):
            trial = one["protocolSection"]["identificationModule"]["nctId"]
            self.site.dynamic[f"/api/v2/studies/{trial}"] = lambda _, one=one: self._json(one)
        before = len(self.made.sink.to(READER))
        run_once(self.made.at(MONDAY + after))
        return [
            " ".join(text_of(message).split()) for message in self.made.sink.to(READER)[before:]
        ]


@pytest.fixture
def trials(any_installation: Installation) -> Registry:
    made = Registry(any_installation)
    with any_installation.at(MONDAY).writing() as session:
        session.delete(session.query(Source).one())
    any_installation.adopt(sources=(made.search,))
    any_installation.subscribe(READER, every="daily", at="08:00")
    return made


def test_all_pages_of_a_search_are_read_and_a_new_trial_is_news(trials: Registry):
    trials.studies = [study(number) for number in range(5)]
    assert trials.run(timedelta(0)) == []
    with trials.made.at(MONDAY).reading() as session:
        assert session.query(Entry).count() == 5
    trials.studies.append(study(7))
    assert trials.run(3 * HOUR) == []
    (told,) = trials.run(DAY)
    assert "number 7" in told
    assert "number 3" not in told


def test_a_trial_that_leaves_the_search_is_still_followed_by_its_number(trials: Registry):
    trials.studies = [study(number) for number in range(4)]
    trials.run(timedelta(0))
    trials.hidden = [study(3, "TERMINATED", whyStopped="A made-up reason")]
    trials.studies = trials.studies[:3]
    trials.run(3 * HOUR)
    (told,) = trials.run(DAY)
    assert "Status: was “Recruiting”, now “Terminated”" in told
    assert "Why stopped: new: “A made-up reason”" in told
    assert "Most important first: whether the trial goes on, results, dates" in told
    assert "Registry data as of 2 March 2026." in told


def test_the_date_of_the_registrys_data_is_stored_and_requested_once_a_poll(trials: Registry):
    trials.studies = [study(number) for number in range(4)]
    trials.run(timedelta(0))
    assert [one.path for one in trials.site.asked].count("/api/v2/version") == 1
    with trials.made.at(MONDAY).reading() as session:
        moment = datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
        assert {entry.revisions[0].as_of for entry in session.query(Entry)} == {moment}
        assert session.query(Source).one().as_of == moment


def test_a_trial_whose_record_is_watched_is_not_reported_twice(trials: Registry):
    trials.studies = [study(1), study(2)]
    trials.made.adopt(sources=(trials.search, f"{trials.site.address}/api/v2/studies/NCT99990001"))
    trials.run(timedelta(0))
    with trials.made.at(MONDAY).reading() as session:
        assert sorted(entry.key for entry in session.query(Entry)) == [
            "guid:NCT99990001",
            "guid:NCT99990002",
        ]


def test_an_incomplete_baseline_is_made_again(trials: Registry):
    trials.studies = [study(number) for number in range(4)]
    trials.page = 1
    search = trials.site.dynamic["/api/v2/studies"]
    trials.site.dynamic["/api/v2/studies"] = lambda asked: (
        search(asked) if "pageToken" not in asked.path else Answer(500)
    )
    trials.run(timedelta(0))
    trials.site.dynamic["/api/v2/studies"] = search
    trials.run(3 * HOUR)
    assert trials.run(DAY) == []
    with trials.made.at(MONDAY).reading() as session:
        assert session.query(Entry).count() == 4


def test_a_registry_without_a_date_or_with_a_missing_page_is_still_read(
    trials: Registry,
):
    trials.site.dynamic["/api/v2/version"] = lambda _: Answer(500, b"")
    trials.studies = [study(number) for number in range(4)]
    trials.run(timedelta(0))
    trials.studies = trials.studies[:3]
    trials.site.dynamic["/api/v2/studies/NCT99990003"] = lambda _: Answer(500, b"")
    assert trials.run(3 * HOUR) == []
    with trials.made.at(MONDAY).reading() as session:
        assert session.query(Source).one().failures == 0
        assert session.query(Entry).count() == 4


def endless(trials: Registry, tokens: Callable[[int], str], number: Callable[[int], int]) -> None:
    """Let the search name a further page for ever.

    Args:
        tokens: the token of the page with this number, from 1.
        number: the number of the trial on it.
    """
    asked = trials.site.asked

    def page(_) -> Answer:
        count = sum(one.path.startswith("/api/v2/studies?") for one in asked) + 1
        document = {"studies": [study(number(count))], "nextPageToken": tokens(count)}
        return Answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    trials.site.dynamic["/api/v2/studies"] = page


def state_of(trials: Registry) -> tuple[int, str]:
    with trials.made.at(MONDAY).reading() as session:
        source = session.query(Source).one()
        return source.failures, source.last_error or ""


@pytest.mark.parametrize(
    ("tokens", "number", "most_requests"),
    [
        pytest.param(lambda _: "SAME", lambda _: 1, 3, id="one token for ever"),
        pytest.param(lambda _: "SAME", lambda count: count, 3, id="one token, other trials"),
        pytest.param(lambda count: "AB"[count % 2], lambda _: 1, 3, id="two tokens in turn"),
        pytest.param(lambda count: "ABC"[count % 3], lambda count: count, 5, id="three in turn"),
        pytest.param(lambda count: f"T{count}", lambda _: 1, 3, id="new tokens, the same trial"),
    ],
)
def test_a_list_that_repeats_itself_is_given_up_with_the_reason(
    trials: Registry, tokens, number, most_requests: int
):
    endless(trials, tokens, number)
    poll.run(trials.made.at(MONDAY))
    failures, reason = state_of(trials)
    assert failures == 1
    assert reason.startswith("its list of trials repeats itself after")
    assert len(trials.site.asked) <= most_requests + 1  # one for the date of the data


def test_a_list_that_never_ends_is_given_up_and_reported_when_it_lasts(
    trials: Registry, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trial_lists, "MOST_PAGES", 4)
    endless(trials, lambda count: f"T{count}", lambda count: count)
    for hours in (0, 3, 6):
        poll.run(trials.made.at(MONDAY + hours * HOUR))
    failures, reason = state_of(trials)
    assert failures == 3
    assert "does not end after 4 pages" in reason
    trials.site.dynamic["/api/v2/studies"] = trials._search
    trials.studies = [study(1)]
    poll.run(trials.made.at(MONDAY + 12 * HOUR))
    assert state_of(trials) == (0, "")


def test_a_page_of_a_list_that_cannot_be_read_is_the_sources_trouble(trials: Registry):
    trials.studies = [study(number) for number in range(4)]
    poll.run(trials.made.at(MONDAY))
    trials.site.dynamic["/api/v2/studies"] = lambda asked: (
        trials._search(asked) if "pageToken" not in asked.path else Answer(410)
    )
    poll.run(trials.made.at(MONDAY + 3 * HOUR))
    failures, reason = state_of(trials)
    assert failures == 1
    assert reason.startswith("a further page of its list could not be read: ")
    with trials.made.at(MONDAY).reading() as session:
        assert session.query(Source).one().gone_at is None


@pytest.mark.parametrize("written", ["nct99990001", "Nct99990001", "NCT099990001"])
def test_a_trial_watched_in_other_letters_is_not_reported_twice(trials: Registry, written: str):
    trials.studies = [study(1), study(2)]
    record = f"{trials.site.address}/api/v2/studies/{written}"
    trials.site.dynamic[f"/api/v2/studies/{written}"] = lambda _: trials._json(study(1))
    trials.made.adopt(sources=(trials.search, record))
    trials.run(timedelta(0))
    with trials.made.at(MONDAY).reading() as session:
        assert sorted(entry.key for entry in session.query(Entry)) == [
            "guid:NCT99990001",
            "guid:NCT99990002",
        ]


def test_one_record_in_two_spellings_is_one_source(trials: Registry):
    address = f"{trials.site.address}/api/v2/studies/"
    with trials.made.at(MONDAY).writing() as session:
        first, is_new = sources.add(session, f"{address}nct99990005", MONDAY)
        again, is_new_again = sources.add(session, f"{address}NCT99990005", MONDAY)
        other, _ = sources.add(session, f"{address}NCT99990006", MONDAY)
        elsewhere, _ = sources.add(
            session, "https://x.example.org/api/v2/studies/NCT99990005", MONDAY
        )
        assert (is_new, is_new_again) == (True, False)
        assert first is again
        assert len({first.id, other.id, elsewhere.id}) == 3


@pytest.mark.parametrize(
    ("last", "trial"),
    [
        ("NCT06141473", "NCT06141473"),
        ("nct06141473", "NCT06141473"),
        ("NCT6141473", "NCT06141473"),
        ("NCT00000000", ""),
        ("NCT614147333", ""),
        ("NCT", ""),
        ("XNCT06141473", ""),
        ("NCT0614147\u0663", ""),
    ],
)
def test_the_number_in_a_records_address(last: str, trial: str):
    assert clinicaltrials.trial_of(f"https://x.example.org/api/v2/studies/{last}") == trial


def test_the_addresses_of_a_registry(trials: Registry):
    assert (
        clinicaltrials.as_of_url("https://x.example.org/api/v2/studies/NCT00000001")
        == "https://x.example.org/api/v2/version"
    )
    assert clinicaltrials.record_url(trials.search, "NCT1").endswith("/api/v2/studies/NCT1")
    assert clinicaltrials.is_search("https://clinicaltrials.gov/api/v2/studies?query.intr=x")
    assert not clinicaltrials.is_search("https://clinicaltrials.gov/api/v2/studies/NCT06141473")
    assert (
        clinicaltrials.trial_of("https://clinicaltrials.gov/api/v2/studies/NCT06141473?format=json")
        == "NCT06141473"
    )
