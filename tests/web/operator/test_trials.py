"""Timelines of trials: what the registry's record said about dates and status, and when."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from notifier.admin.profile_import import import_profile
from notifier.match import profiles
from notifier.pipeline import poll
from notifier.store.models import Revision
from notifier.watch import sources, trial_history
from notifier.watch.parsers import clinicaltrials
from tests.support.installation import MONDAY, Installation

pytestmark = pytest.mark.postgresql_long

TRIAL = "NCT99990001"
PROFILE = f"""
slug = "madeup"
name = "Madeupumab"
[[terms]]
kind = "name"
text = "madeupumab"
[[trials]]
id = "{TRIAL}"
acronym = "MADEUP"
[[trials]]
id = "NCT99990002"
"""
DAYS = (0, 30, 60)


def study(status: str, primary: str, completion: str, **kind: str) -> str:
    dates = {
        "startDateStruct": {"date": "2025-01-15", "type": "ACTUAL"},
        "primaryCompletionDateStruct": {"date": primary, "type": "ESTIMATED", **kind},
        "completionDateStruct": {"date": completion, "type": "ESTIMATED"},
    }
    return json.dumps(
        {
            "protocolSection": {
                "identificationModule": {"nctId": TRIAL, "briefTitle": "A <made-up> trial"},
                "statusModule": {"overallStatus": status, **dates},
            }
        }
    )


STATES = (
    study("RECRUITING", "2026-06", "2027-06"),
    study("RECRUITING", "2026-12", "2027-12"),
    study("COMPLETED", "2026-11-20", "2027-12", type="ACTUAL"),
)


@pytest.fixture
def made(any_installation: Installation) -> Installation:
    """An installation that read three states of a trial's record."""
    made = any_installation
    path = f"/api/v2/studies/{TRIAL}"
    with made.at(MONDAY).writing() as session:
        file = profiles.parse(PROFILE, "a made-up profile")
        import_profile(session, file, MONDAY)
        sources.add(session, f"{made.site.address}{path}", MONDAY, name="The registry")
    for day, state in zip(DAYS, STATES, strict=True):
        made.site.put(path, state, "application/json")
        poll.run(made.at(MONDAY + timedelta(days=day)), force=True)
    return made


def rows_of(page: str) -> list[list[str]]:
    """Return the texts of the cells of each row of the last table of a page."""
    table = page.rpartition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_a_profile_shows_the_dates_of_its_trials(made, any_operator):
    page = any_operator.get("/operator/trials?profile=madeup").text
    first, second = rows_of(page)
    assert first == [
        f"MADEUP ({TRIAL})", "Completed", "15 Jan 2025", "20 Nov 2026", "Dec 2027, planned", "2",
    ]  # fmt: skip
    assert second[0] == "NCT99990002 Its record is not read. Watch it"
    assert 'href="./sources/add?url=NCT99990002"' in page
    drawn = page.partition("<figure")[2].partition("</figure>")[0]
    assert "1 Apr 2026: end of the main measurements Jun 2026, planned → Dec 2026" in drawn
    assert "Recruiting → Completed" in drawn


def test_a_trial_shows_how_its_dates_moved(made, any_operator):
    page = any_operator.get(f"/operator/trials/{TRIAL}").text
    assert "<h1>A &lt;made-up&gt; trial</h1>" in page
    drawn = page.partition("<figure")[2].partition("</figure>")[0]
    assert re.findall(r"<text[^>]*>(\d+ \w+ 2026: [^<]+)</text>", drawn) == [
        "2 Mar 2026: Recruiting",
        "1 Apr 2026: Recruiting",
        "1 May 2026: Completed",
    ]
    assert rows_of(page) == [
        ["1 May 2026", "Status", "Recruiting → Completed"],
        [
            *("1 May 2026", "End of the main measurements"),
            "Dec 2026, planned → 20 Nov 2026 2 weeks earlier",
        ],
        [
            *("1 Apr 2026", "End of the main measurements"),
            "Jun 2026, planned → Dec 2026, planned 6 months later",
        ],
        [
            *("1 Apr 2026", "End of the trial"),
            "Jun 2027, planned → Dec 2027, planned 6 months later",
        ],
    ]


def test_a_state_whose_text_was_removed_is_known_by_its_changes(made):
    with made.at(MONDAY).writing() as session:
        entry = trial_history.entries_of(session, [TRIAL])[TRIAL]
        before = trial_history.states_of(session, [entry.id])[entry.id]
        for revision in session.query(Revision).filter(Revision.number > 1):
            revision.content, revision.emptied = {}, True
        session.flush()
        assert trial_history.states_of(session, [entry.id])[entry.id] == before
        assert [state.status for state in before] == ["Recruiting", "Recruiting", "Completed"]


@pytest.mark.parametrize("path", [f"/{TRIAL}", "/x", "/NCT1"])
def test_a_trial_that_was_never_read_is_not_found(any_operator, path: str):
    assert any_operator.get(f"/operator/trials{path}").status_code == 404


def test_a_profile_without_read_trials_says_so(any_operator, any_installation):
    page = any_operator.get("/operator/trials").text
    assert "None of these trials&#39; records was read yet." in page
    assert any_operator.get("/operator/trials?profile=nobody").status_code == 404
    assert "names no trial on this page" in any_operator.get("/operator/trials?page=99").text


def test_a_profile_leads_to_its_trials(made, any_operator):
    assert 'href="../trials?profile=madeup"' in any_operator.get("/operator/profiles/madeup").text


def test_several_profiles_are_offered(made, any_operator):
    page = any_operator.get("/operator/trials").text
    assert "Choose a profile to see its trials." in page
    assert '<option value="madeup">Madeupumab</option>' in page


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NCT06141473", "NCT06141473"),
        (" nct6141473 ", "NCT06141473"),
        ("https://clinicaltrials.gov/study/NCT06141473?tab=table", "NCT06141473"),
        ("https://www.clinicaltrials.gov/ct2/show/NCT06141473", "NCT06141473"),
        ("https://clinicaltrials.gov/api/v2/studies/NCT06141473", ""),
        ("https://clinicaltrials.gov/search?cond=ms", ""),
        ("https://example.org/study/NCT06141473", ""),
        ("https://[", ""),
    ],
)
def test_the_page_of_a_trial_for_people_leads_to_its_record_for_programs(text: str, number: str):
    address = f"https://clinicaltrials.gov/api/v2/studies/{number}" if number else ""
    assert clinicaltrials.api_address(text) == address
