"""The list of trial fields: a field is parsed, compared and shown because it is in the list."""

import json
from itertools import pairwise

import pytest

from notifier import trial_fields
from notifier.digest import changes
from notifier.enums import Edition, NewsKind, SourceKind, Tier
from notifier.i18n.catalog import language_of
from notifier.match.urgency import urgent
from notifier.trial_fields import TRIAL_FIELDS, FieldForm, FieldGroup, TrialField
from notifier.watch.diff import Difference, State, compare
from notifier.watch.parsers import clinicaltrials
from notifier.watch.parsers.observation import Observation

URL = "https://clinicaltrials.gov/api/v2/studies/NCT99990001"
RECRUITMENT = TrialField(
    "Recruitment area",
    FieldGroup.DESIGN,
    FieldForm.CODE,
    ("protocolSection.designModule.recruitmentArea",),
    label="Recruitment area",
    plain_label="Where people are looked for",
    summary="recruits in {}",
    summary_place=5,
    is_matched=True,
    urgent_values=frozenset(("Nowhere",)),
)
LANGUAGES = TrialField(
    "Languages",
    FieldGroup.CONTACTS,
    FieldForm.OUTCOMES,
    ("protocolSection.designModule.languages",),
    label="Languages",
    is_news=False,
)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add two fields at the beginning and at the end of the list."""
    monkeypatch.setattr(trial_fields, "TRIAL_FIELDS", (RECRUITMENT, *TRIAL_FIELDS, LANGUAGES))


def trial(**design) -> Observation:
    module = {"recruitmentArea": "ALL_COUNTRIES", "languages": [{"measure": "English"}], **design}
    record = {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT99990001"},
            "statusModule": {"overallStatus": "RECRUITING"},
            "designModule": module,
        }
    }
    (observation,) = clinicaltrials.parse(json.dumps(record).encode(), {}, URL).observations
    return observation


def difference(old: Observation, new: Observation) -> Difference:
    return compare(
        *(State(title=one.title, text=one.body, content=one.content) for one in (old, new))
    )


@pytest.mark.usefixtures("added")
def test_a_field_that_is_added_is_parsed_compared_and_ranked():
    old, new = trial(), trial(recruitmentArea="NOWHERE", languages=[{"measure": "French"}])
    assert old.content["fields"]["Recruitment area"] == "All countries"
    assert old.content["lists"]["Languages"] == ["English"]
    assert old.summary == "Status: recruiting, recruits in all countries."
    assert old.body == "NCT99990001 All countries "
    found = difference(old, new)
    assert [(change["what"], change["before"], change["after"]) for change in found.changes] == [
        ("Recruitment area", "All countries", "Nowhere"),
        ("Languages", "English", "French"),
    ]
    assert found.material
    assert not difference(old, trial(languages=[])).material


@pytest.mark.usefixtures("added")
def test_a_field_that_is_added_is_shown_and_may_be_urgent():
    english = language_of("en")
    old, new = trial(), trial(recruitmentArea="NOWHERE", languages=[{"measure": "French"}])
    found = difference(old, new).changes
    shown = {
        edition: [
            (view.what, view.words)
            for view in changes.in_words(found, SourceKind.REGISTRY, edition, english)
        ]
        for edition in Edition
    }
    assert shown[Edition.PATIENT][0][0] == "Where people are looked for"
    assert shown[Edition.CLINICIAN] == [
        ("Recruitment area", "was “All countries”, now “Nowhere”"),
        ("Languages", "added “French”; removed “English”"),
    ]
    line = changes.trial_in_words(old.content["fields"], Edition.CLINICIAN, english)
    assert line == "Status: Recruiting; Recruitment area: All countries."
    assert urgent(NewsKind.TRIAL_CHANGE, Tier.ABOUT, "", found)
    assert not urgent(NewsKind.TRIAL_CHANGE, Tier.ABOUT, "", found[1:])


def test_the_list_is_in_the_order_that_the_rule_names():
    groups = list(FieldGroup)
    places = [groups.index(field.group) for field in TRIAL_FIELDS]
    assert places == sorted(places)
    named = [trial_fields.RULE.index(group.value) for group in groups]
    assert all(earlier < later for earlier, later in pairwise(named))


def test_every_name_is_in_the_list_once_and_unknown_ones_are_last():
    names = [field.name for field in TRIAL_FIELDS]
    assert len(set(names)) == len(names)
    assert [trial_fields.rank(name) for name in names] == list(range(len(names)))
    assert trial_fields.rank("A former field") == len(names)
    assert trial_fields.is_news("A former field")
