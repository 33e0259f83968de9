"""The list of trial fields: a field is parsed, compared and shown because it is in the list."""

import json
from itertools import pairwise

import pytest

from notifier import trial_fields
from notifier.digest import changes
from notifier.digest.items import item_view
from notifier.digest.selection import Candidate
from notifier.enums import Authority, Edition, NewsKind, SourceKind, Tier
from notifier.i18n.catalog import language_of
from notifier.match.urgency import is_urgent
from notifier.store.models import Entry, Match, Revision, Source
from notifier.trial_fields import TRIAL_FIELDS, FieldForm, FieldGroup, TrialField
from notifier.watch.compare.diff import Difference, State, compare
from notifier.watch.parsers import clinicaltrials
from notifier.watch.parsers.observation import Observation
from tests.support.installation import MONDAY

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
    detail_label="Spoken there",
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
            for view in changes.describe_changes(found, SourceKind.REGISTRY, edition, english)
        ]
        for edition in Edition
    }
    assert shown[Edition.PATIENT][0][0] == "Where people are looked for"
    assert shown[Edition.CLINICIAN] == [
        ("Recruitment area", "was “All countries”, now “Nowhere”"),
        ("Languages", "added “French”; removed “English”"),
    ]
    line = changes.describe_trial(old.content["fields"], Edition.CLINICIAN, english)
    assert line == "Status: Recruiting; Recruitment area: All countries."
    assert is_urgent(NewsKind.TRIAL_CHANGE, Tier.ABOUT, "", found)
    assert not is_urgent(NewsKind.TRIAL_CHANGE, Tier.ABOUT, "", found[1:])


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize(
    ("edition", "label", "shown"),
    [
        (Edition.CLINICIAN, "Recruitment area", ["English"]),
        (Edition.PATIENT, "Where people are looked for", []),
    ],
)
def test_a_list_that_is_added_is_shown_to_clinicians_beside_the_trial(
    edition: Edition, label: str, shown: list[str]
):
    record = trial()
    source = Source(
        kind=SourceKind.REGISTRY, authority=Authority.REGISTRY, name="Registry", url=URL
    )
    entry = Entry(source=source, url=URL, title="A trial")
    revision = Revision(
        title="A trial",
        summary="",
        body="",
        content=record.content,
        changes=[],
        observed_at=MONDAY,
    )
    candidate = Candidate(1, 1, 1, NewsKind.NEW, Tier.ABOUT, 0.5)
    view = item_view(
        candidate, Match(entry=entry, reasons=[]), revision, [], [], edition, language_of("en")
    )
    assert [detail.text for detail in view.details if detail.label == "Spoken there"] == shown
    assert f"{label}: All countries" in view.summary


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
