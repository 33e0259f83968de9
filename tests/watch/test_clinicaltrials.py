"""Trial registries: a record is an observation whose fields are compared one by one."""

import json

import pytest

from notifier.enums import NewsKind
from notifier.watch.compare.diff import State, compare
from notifier.watch.parsers.clinicaltrials import parse
from notifier.watch.parsers.observation import Observation, ParseError
from tests.support.paths import PACKAGE

DEMO = PACKAGE / "demo" / "data"
ADDRESS = "https://clinicaltrials.gov/api/v2/studies/NCT99990001"


def trial(document: dict) -> Observation:
    (found,) = parse(json.dumps(document).encode(), {}, ADDRESS).observations
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


def test_a_termination_and_its_reason_are_the_first_changes(record: dict):
    old = trial(record)
    record["protocolSection"]["statusModule"] |= {
        "overallStatus": "TERMINATED",
        "whyStopped": "Made-up reason",
    }
    record["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = 12
    new = trial(record)
    states = [State(title=one.title, text=one.body, content=one.content) for one in (old, new)]
    assert [(one["what"], one["before"], one["after"]) for one in compare(*states).changes] == [
        ("Status", "Recruiting", "Terminated"),
        ("Why stopped", "", "Made-up reason"),
        ("Participants", "1400", "12"),
    ]


def state(record: dict) -> State:
    one = trial(record)
    return State(title=one.title, text=one.body, content=one.content)


def test_a_field_that_is_not_followed_is_not_a_change(record: dict):
    before = trial(record).hash
    record["protocolSection"]["statusModule"]["statusVerifiedDate"] = "2026-05"
    assert trial(record).hash == before
    assert trial(record).content["aside"]["verified"] == "2026-05"


def test_an_edited_contact_alone_is_stored_but_is_not_news(record: dict):
    old = state(record)
    record["protocolSection"]["contactsLocationsModule"]["centralContacts"] = [{"phone": "000"}]
    found = compare(old, state(record))
    assert [change["what"] for change in found.changes] == ["Contacts"]
    assert not found.material


def test_changes_are_ranked_by_how_much_they_matter(record: dict):
    old = state(record)
    protocol = record["protocolSection"]
    protocol["contactsLocationsModule"]["centralContacts"] = [{"phone": "000"}]
    protocol["contactsLocationsModule"]["locations"].append(
        {"facility": "Second", "city": "Town", "country": "Chile"}
    )
    protocol["statusModule"]["primaryCompletionDateStruct"]["date"] = "2028-01"
    protocol["statusModule"]["overallStatus"] = "SUSPENDED"
    protocol["sponsorCollaboratorsModule"] = {"leadSponsor": {"name": "Another (fictional)"}}
    protocol["armsInterventionsModule"]["armGroups"] = [{"label": "Third arm"}]
    record["hasResults"] = True
    found = compare(old, state(record)).changes
    assert [change["what"] for change in found] == [
        "Status", "Results posted", "Primary completion", "Arms", "Countries", "Sites", "Sponsor",
        "Contacts",
    ]  # fmt: skip
    notes = {change["what"]: change["note"] for change in found}
    assert notes["Primary completion"] == "7 months later"
    assert notes["Countries"] == "1 added"
    assert notes["Sites"] == "1 opened"


def test_a_site_that_closed_is_a_change(record: dict):
    old = state(record)
    record["protocolSection"]["contactsLocationsModule"]["locations"][0]["status"] = "TERMINATED"
    (site,) = compare(old, state(record)).changes
    assert (site["what"], site["before"], site["note"]) == (
        "Sites", "Example Hospital, Exampletown, Germany", "1 closed"
    )  # fmt: skip


def with_sites(record: dict, status: str, *states: str) -> State:
    """Return a trial in a state, with sites in theirs; one without a state is given none."""
    protocol = json.loads(json.dumps(record))["protocolSection"]
    protocol["statusModule"]["overallStatus"] = status
    protocol["contactsLocationsModule"]["locations"] = [
        {"facility": f"Ward {number}", "city": "Exampletown", "country": "Germany"}
        | ({"status": state} if state else {})
        for number, state in enumerate(states)
    ]
    return state({"protocolSection": protocol})


@pytest.mark.parametrize(
    "status", ["ACTIVE_NOT_RECRUITING", "COMPLETED", "TERMINATED", "SUSPENDED", "UNKNOWN"]
)
def test_sites_that_had_closed_do_not_open_when_a_trial_stops_taking_people(
    record: dict, status: str
):
    open_trial = with_sites(record, "RECRUITING", "RECRUITING", "COMPLETED", "WITHDRAWN")
    stopped = with_sites(record, status, "", "", "")
    for old, new in ((open_trial, stopped), (stopped, open_trial)):
        assert [change["what"] for change in compare(old, new).changes] == ["Status"]
    assert compare(stopped, with_sites(record, status, "", "", "")).changes == ()


def test_a_site_that_opens_or_closes_with_its_trial_is_told(record: dict):
    before = with_sites(record, "RECRUITING", "RECRUITING", "COMPLETED")
    for status, states, note in (
        ("RECRUITING", ("RECRUITING", "RECRUITING"), "1 opened"),
        ("COMPLETED", ("", "", ""), "1 opened"),
        ("COMPLETED", (), "1 closed"),
        ("RECRUITING", ("COMPLETED", "COMPLETED"), "1 closed"),
    ):
        changes = compare(before, with_sites(record, status, *states)).changes
        assert [change["note"] for change in changes if change["what"] == "Sites"] == [note]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("2027-06", "2027-06-15", ""),
        ("2027-06-30", "2027-06", ""),
        ("2027-06", "2027-07-15", "1 month later"),
        ("2027-06-01", "2027-06-15", "2 weeks later"),
    ],
)
def test_a_month_that_becomes_a_day_of_it_has_not_moved(
    record: dict, before: str, after: str, note: str
):
    date = record["protocolSection"]["statusModule"]["primaryCompletionDateStruct"]
    date["date"] = before
    old = state(record)
    date["date"] = after
    (change,) = compare(old, state(record)).changes
    assert (change["what"], change["note"]) == ("Primary completion", note)


def test_each_study_of_a_page_is_an_observation(record: dict):
    other = json.loads(json.dumps(record).replace("NCT99990001", "NCT99990002"))
    found = parse(
        json.dumps({"studies": [record, other], "nextPageToken": "x"}).encode(), {}, ADDRESS
    )
    assert [one.guid for one in found.observations] == ["NCT99990001", "NCT99990002"]


@pytest.mark.parametrize("broken", [{}, None, "x", {"protocolSection": {}}, []])
def test_a_study_without_its_number_stops_no_other(record: dict, broken: object):
    page = {"studies": [broken, record, broken], "nextPageToken": "x"}
    found = parse(json.dumps(page).encode(), {}, ADDRESS)
    assert [one.guid for one in found.observations] == ["NCT99990001"]
    assert found.next_url


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'"text"', b'{"studies": 1}', b'{"protocolSection": null}',
     b'{"studies": [null]}', b'{"protocolSection": {"identificationModule": []}}'],
)  # fmt: skip
def test_an_answer_that_is_not_a_record_is_refused(body: bytes):
    with pytest.raises(ParseError):
        parse(body, {}, ADDRESS)


@pytest.mark.parametrize(
    "path", ["statusModule", "designModule", "armsInterventionsModule", "outcomesModule"]
)
@pytest.mark.parametrize(
    "odd", [None, [], "text", 7, {}, {"interventions": 3, "phases": None, "primaryOutcomes": "x"}]
)
def test_a_record_with_odd_parts_is_parsed(record: dict, path: str, odd: object):
    record["protocolSection"][path] = odd
    assert trial(record).guid == "NCT99990001"
