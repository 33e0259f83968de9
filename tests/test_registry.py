"""Trial registries: a record becomes an entry whose changes are told field by field."""

import json
from pathlib import Path

import pytest

from notifier.store.statuses import NewsKind
from notifier.watch.material import State, changes
from notifier.watch.observation import Observation, ReadError
from notifier.watch.registry import read

DEMO = Path(__file__).parents[1] / "notifier" / "data" / "demo"
ADDRESS = "https://clinicaltrials.gov/api/v2/studies/NCT99990001"


def trial(document: dict) -> Observation:
    (found,) = read(json.dumps(document).encode(), {}, ADDRESS).observations
    return found


@pytest.fixture
def record() -> dict:
    return json.loads((DEMO / "trial-1.json").read_text(encoding="utf-8"))


def test_a_record_is_an_entry_under_its_number(record: dict):
    found = trial(record)
    assert found.guid == "NCT99990001"
    assert found.url == "https://clinicaltrials.gov/study/NCT99990001"
    assert found.title.startswith("DEMO-FREX: ")
    assert "Frexalimab" in found.body
    assert found.change is NewsKind.TRIAL_CHANGE
    assert found.content["fields"]["Status"] == "Recruiting"
    assert found.content["fields"]["Primary completion"] == "2027-06 (estimated)"


def test_a_terminated_trial_is_told_with_the_reason_first(record: dict):
    old = trial(record)
    record["protocolSection"]["statusModule"] |= {"overallStatus": "TERMINATED", "whyStopped": "Made-up reason"}
    record["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = 12
    new = trial(record)
    states = [State(title=one.title, text=one.body, content=one.content) for one in (old, new)]
    assert [(one["what"], one["before"], one["after"]) for one in changes(*states)] == [
        ("Status", "Recruiting", "Terminated"),
        ("Why stopped", "", "Made-up reason"),
        ("Participants", "1400", "12"),
    ]


def test_a_field_that_is_not_followed_is_no_change(record: dict):
    before = trial(record).hash
    record["protocolSection"]["contactsLocationsModule"]["centralContacts"] = [{"phone": "000"}]
    assert trial(record).hash == before


def test_a_page_of_studies_gives_an_entry_each(record: dict):
    other = json.loads(json.dumps(record).replace("NCT99990001", "NCT99990002"))
    found = read(json.dumps({"studies": [record, other], "nextPageToken": "x"}).encode(), {}, ADDRESS)
    assert [one.guid for one in found.observations] == ["NCT99990001", "NCT99990002"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'"text"', b'{"studies": 1}', b'{"protocolSection": null}', b'{"studies": [null]}',
     b'{"protocolSection": {"identificationModule": []}}'],
)  # fmt: skip
def test_what_is_no_record_is_told(body: bytes):
    with pytest.raises(ReadError):
        read(body, {}, ADDRESS)


@pytest.mark.parametrize("path", ["statusModule", "designModule", "armsInterventionsModule", "outcomesModule"])
@pytest.mark.parametrize("odd", [None, [], "text", 7, {}, {"interventions": 3, "phases": None, "primaryOutcomes": "x"}])
def test_a_record_with_odd_parts_is_read_all_the_same(record: dict, path: str, odd: object):
    record["protocolSection"][path] = odd
    assert trial(record).guid == "NCT99990001"
