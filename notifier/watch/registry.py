"""Trial registries: ClinicalTrials.gov API v2 records → one observation a trial, without network or database.

Owns which fields of a record are followed and how they read to a person. Record shapes: the API's data dictionary,
https://clinicaltrials.gov/data-api/about-api/study-data-structure.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from notifier.store.statuses import NewsKind
from notifier.text import clean
from notifier.watch.observation import Observation, ReadError, Reading

NAME = "ClinicalTrials.gov"


def read(body: bytes, headers: Mapping[str, str], url: str) -> Reading:  # noqa: ARG001 - all readers are called alike
    """Read one study record, or a page of them (``{"studies": […]}``).

    Raises:
        ReadError: not JSON, or not a study.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ReadError("the registry's answer is not JSON") from error
    studies = document.get("studies", [document]) if isinstance(document, dict) else None
    if not isinstance(studies, list):
        raise ReadError("the registry's answer holds no study")
    return Reading(NAME, tuple(_observation(study) for study in studies))


def _observation(study: Any) -> Observation:
    protocol = _inner(study, "protocolSection")
    names = _inner(protocol, "identificationModule")
    trial = clean(str(names.get("nctId", "")))
    if not trial:
        raise ReadError("the registry's answer holds a study without its number (nctId)")
    fields = _fields(study, protocol)
    acronym = clean(str(names.get("acronym", "")))
    brief = clean(str(names.get("briefTitle", "") or names.get("officialTitle", "")))
    arms = _items(_inner(protocol, "armsInterventionsModule"), "interventions")
    treatments = [clean(str(arm.get("name", ""))) for arm in arms if isinstance(arm, dict)]
    return Observation(
        guid=trial,
        url=f"https://clinicaltrials.gov/study/{trial}",
        title=f"{acronym}: {brief}" if acronym and acronym not in brief else brief or trial,
        summary=_sentence(fields),
        body=" ".join([trial, *treatments, fields.get("Conditions", "")]),
        published_at=_day(_inner(_inner(protocol, "statusModule"), "studyFirstPostDateStruct").get("date")),
        content={"trial": trial, "fields": fields},
        change=NewsKind.TRIAL_CHANGE,
    )


def _fields(study: Any, protocol: dict[str, Any]) -> dict[str, str]:
    """The fields that are followed, as a person reads them, the weightiest first."""
    status = _inner(protocol, "statusModule")
    design = _inner(protocol, "designModule")
    enrolment = _inner(design, "enrollmentInfo").get("count")
    places = _items(_inner(protocol, "contactsLocationsModule"), "locations")
    countries = sorted({clean(str(place.get("country", ""))) for place in places if isinstance(place, dict)} - {""})
    outcomes = _items(_inner(protocol, "outcomesModule"), "primaryOutcomes")
    found = {
        "Status": _words(status.get("overallStatus")),
        "Why stopped": status.get("whyStopped"),
        "Results posted": "yes" if study.get("hasResults") else "no",
        "Phase": ", ".join(_phase(phase) for phase in _items(design, "phases")),
        "Participants": str(enrolment) if enrolment is not None else None,
        "Start": _date(status, "startDateStruct"),
        "Primary completion": _date(status, "primaryCompletionDateStruct"),
        "Completion": _date(status, "completionDateStruct"),
        "Primary outcome": "; ".join(str(one.get("measure", "")) for one in outcomes if isinstance(one, dict)),
        "Conditions": ", ".join(str(one) for one in _items(_inner(protocol, "conditionsModule"), "conditions")),
        "Sponsor": _inner(_inner(protocol, "sponsorCollaboratorsModule"), "leadSponsor").get("name"),
        "Countries": ", ".join(countries),
    }
    return {name: clean(str(value)) for name, value in found.items() if value}


def _sentence(fields: Mapping[str, str]) -> str:
    parts = [f"Status: {fields['Status'].lower()}" if "Status" in fields else ""]
    parts += [f"phase {fields['Phase']}" if "Phase" in fields else ""]
    parts += [f"{fields['Participants']} participants" if "Participants" in fields else ""]
    parts += [f"primary completion {fields['Primary completion']}" if "Primary completion" in fields else ""]
    return ", ".join(part for part in parts if part) + "."


def _inner(document: Any, name: str) -> dict[str, Any]:
    inner = document.get(name) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else {}


def _items(module: dict[str, Any], name: str) -> list[Any]:
    found = module.get(name)
    return found if isinstance(found, list) else []


def _words(code: Any) -> str:
    return str(code or "").replace("_", " ").capitalize()


def _phase(code: Any) -> str:
    return str(code).replace("EARLY_PHASE", "early ").replace("PHASE", "").replace("NA", "not applicable")


def _date(status: dict[str, Any], name: str) -> str | None:
    struct = _inner(status, name)
    estimated = " (estimated)" if struct.get("type") == "ESTIMATED" else ""
    return f"{struct['date']}{estimated}" if struct.get("date") else None


def _day(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None
