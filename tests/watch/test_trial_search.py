"""Trials of a search: followed by their number, news if they are new, dated by the registry."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from notifier.pipeline.run import run_once
from notifier.store.models import Entry, Source
from notifier.watch.parsers import clinicaltrials
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Answer

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
