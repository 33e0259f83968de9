"""Another spelling in a trial record changes no trial; another place, date or number does.

All records are fictional.
"""

import json
from typing import Any

import pytest

from notifier.watch.compare.diff import Difference, State, compare
from notifier.watch.parsers import clinicaltrials

URL = "https://clinicaltrials.gov/api/v2/studies/NCT99990001"


def trial(**values: Any) -> State:
    """Return a record; a site is written ``facility, city, country``."""
    given = {
        "status": "RECRUITING",
        "why": "",
        "count": 1400,
        "completion": "2027-06",
        "arms": ["Frexalimab: Intravenous infusion every 4 weeks"],
        "outcomes": ["Annual relapse rate"],
        "sites": ["Clinic of Tern, Lindau, Germany"],
        "sponsor": "Acme",
        "conditions": ["Multiple Sclerosis", "Relapse"],
        **values,
    }
    places = [
        dict(zip(("facility", "city", "country"), site.split(", ", 2), strict=True))
        for site in given["sites"]
    ]
    arms = [
        dict(zip(("label", "description"), arm.split(": "), strict=True)) for arm in given["arms"]
    ]
    protocol = {
        "identificationModule": {"nctId": "NCT99990001"},
        "statusModule": {
            "overallStatus": given["status"],
            "whyStopped": given["why"],
            "primaryCompletionDateStruct": {"date": given["completion"]},
        },
        "designModule": {"enrollmentInfo": {"count": given["count"]}},
        "armsInterventionsModule": {"armGroups": arms},
        "outcomesModule": {"primaryOutcomes": [{"measure": one} for one in given["outcomes"]]},
        "contactsLocationsModule": {"locations": places},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": given["sponsor"]}},
        "conditionsModule": {"conditions": given["conditions"]},
    }
    record = json.dumps({"protocolSection": protocol}).encode()
    (found,) = clinicaltrials.parse(record, {}, URL).observations
    return State(title=found.title, text=found.body, content=found.content)


def of_sites(before: str, after: str) -> Difference:
    return compare(trial(sites=[before]), trial(sites=[after]))


COUNTRIES = [
    ("Turkey", "Türkiye"),
    ("Turkey", "Turkey (Türkiye)"),
    ("Czech Republic", "Czechia"),
    ("Korea (Republic of)", "South Korea"),
    ("Korea, Republic of", "South Korea"),
    ("Iran, Islamic Republic of", "Iran"),
    ("Moldova, Republic of", "Moldova"),
    ("Congo, The Democratic Republic of the", "DR Congo"),
    ("Russian Federation", "Russia"),
    ("United States", "USA"),
    ("United Kingdom", "Great Britain"),
    ("Viet Nam", "Vietnam"),
    ("Moldova (Republic of)", "Moldova"),
    ("Macedonia", "North Macedonia"),
    ("Iran (Islamic Republic of)", "Iran"),
    ("The Netherlands", "Netherlands"),
    ("Côte d'Ivoire", "Ivory Coast"),
    ("Taiwan", "Taiwan (Province of China)"),
    ("GERMANY", "Germany"),
    ("Slovakia", "Slovak Republic"),
]
CITIES = [
    ("Köln", "Cologne"),
    ("Koeln", "KÖLN"),
    ("München", "Munich"),
    ("Praha", "Prague"),
    ("Wien", "Vienna"),
    ("Warszawa", "Warsaw"),
    ("Zürich", "Zurich"),
    ("Milano", "Milan"),
    ("Göteborg", "Gothenburg"),
    ("København", "Copenhagen"),
    ("Kiev", "Kyiv"),
    ("Bruxelles", "Brussels"),
    ("Lisboa", "Lisbon"),
    ("Saint Louis", "St. Louis"),
    ("Istanbul", "İstanbul"),
    ("LINDAU", "Lindau"),
    ("Montréal", "Montreal"),
    ("Frankfurt am Main", "Frankfurt"),
]
FACILITIES = [
    ("Site Number: 8400001", "Site Number : 8400001"),
    ("Tern Hospital- Neurology", "Tern Hospital - Neurology"),
    ("Tern Hospital", "TERN HOSPITAL"),
    ("Tern Hospital.", "Tern Hospital"),
    ("Hôpital Saint-Tern", "Hopital Saint Tern"),
    ("Tern & Roe Clinic", "Tern and Roe Clinic"),
    ("Clinic “Tern”", 'Clinic "Tern"'),
]


@pytest.mark.parametrize(("before", "after"), COUNTRIES)
def test_a_country_that_is_written_another_way_opens_and_closes_nothing(before: str, after: str):
    assert not of_sites(f"Clinic, Lindau, {before}", f"Clinic, Lindau, {after}").changes
    assert not of_sites(f"Clinic, Lindau, {after}", f"Clinic, Lindau, {before}").changes


@pytest.mark.parametrize(("before", "after"), CITIES)
def test_a_city_that_is_written_another_way_opens_and_closes_nothing(before: str, after: str):
    assert not of_sites(f"Clinic, {before}, Spain", f"Clinic, {after}, Spain").changes


@pytest.mark.parametrize(("before", "after"), FACILITIES)
def test_a_site_that_is_written_another_way_opens_and_closes_nothing(before: str, after: str):
    assert not of_sites(f"{before}, Lindau, Spain", f"{after}, Lindau, Spain").changes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Clinic, Lindau, Turkey", "Clinic, Lindau, Greece"),
        ("Clinic, Köln, Germany", "Clinic, Bonn, Germany"),
        ("Clinic, Lindau, North Korea", "Clinic, Lindau, South Korea"),
        ("Clinic, Lindau, Korea, Republic of", "Clinic, Lindau, North Korea"),
        ("Clinic, Lindau, Congo", "Clinic, Lindau, Congo (The Democratic Republic of the)"),
        ("Clinic, Lindau, Austria", "Clinic, Lindau, Australia"),
        ("Clinic, Lindau, Niger", "Clinic, Lindau, Nigeria"),
        ("Clinic, Lindau, Slovakia", "Clinic, Lindau, Slovenia"),
        ("Site 8400001, Lindau, Spain", "Site 8400002, Lindau, Spain"),
    ],
)
def test_another_place_is_news(before: str, after: str):
    assert of_sites(before, after).material
    assert of_sites(after, before).material


@pytest.mark.parametrize(
    "value",
    [
        {"sponsor": "ACME"},
        {"conditions": ["MULTIPLE SCLEROSIS", "relapse"]},
        {"conditions": ["Relapse", "Multiple Sclerosis"]},
        {"arms": ["Frexalimab: Intravenous infusion every 4 weeks."]},
        {"arms": ["FREXALIMAB: Intravenous infusion every four weeks"]},
        {"outcomes": ["Annual Relapse Rate."]},
        {"outcomes": ["Annual\u00a0relapse rate"]},
        {"count": "1400"},
        {"sites": ["Clinic of Tern, Lindau, Germany", "CLINIC OF TERN, Lindau, Germany"]},
    ],
)
def test_a_record_that_is_written_another_way_has_not_changed(value: dict[str, Any]):
    assert compare(trial(), trial(**value)).changes == ()
    assert compare(trial(**value), trial()).changes == ()


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"status": "TERMINATED"}, "Status"),
        ({"why": "Three people died"}, "Why stopped"),
        ({"count": 140}, "Participants"),
        ({"completion": "2028-06"}, "Primary completion"),
        ({"arms": ["Frexalimab: Intravenous infusion every 8 weeks"]}, "Arms"),
        ({"arms": ["Frexalimab: Oral tablet every 4 weeks"]}, "Arms"),
        ({"outcomes": ["Annual relapse rate at 2 years"]}, "Primary outcomes"),
        ({"sponsor": "Acme and Tern"}, "Sponsor"),
        ({"conditions": ["Multiple Sclerosis"]}, "Conditions"),
        ({"sites": []}, "Countries"),
    ],
)
def test_a_record_that_says_something_else_is_news(value: dict[str, Any], field: str):
    for old, new in ((trial(), trial(**value)), (trial(**value), trial())):
        found = compare(old, new)
        assert found.material
        assert found.changes[0]["what"] == field


def test_a_trial_that_ends_while_its_places_are_respelt_shows_the_end_alone():
    old = trial(sites=["Clinic, Köln, Germany", "Tern, Ankara, Turkey"])
    new = trial(
        sites=["Clinic, Cologne, Germany", "TERN, Ankara, Türkiye"], status="ACTIVE_NOT_RECRUITING"
    )
    (change,) = compare(old, new).changes
    assert (change["what"], change["after"]) == ("Status", "Active not recruiting")
