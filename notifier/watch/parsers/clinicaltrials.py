"""Trial registries: ClinicalTrials.gov API v2 records → one observation a trial, without network or database.

Owns which fields of a record are followed, how they read to a person, and which of them matters
most when several change. Record shapes: the API's data dictionary,
https://clinicaltrials.gov/data-api/about-api/study-data-structure.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from notifier.enums import NewsKind
from notifier.text.cleaning import clean, storable
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
    published_moment,
)

NAME = "ClinicalTrials.gov"

_STUDIES = "/api/v2/studies"
_NUMBER = re.compile(r"NCT[0-9]{8}")


def read(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:  # noqa: ARG001 - all readers are called alike
    """Read one study record, or a page of a search (``{"studies": […], "nextPageToken": "…"}``).

    Raises:
        ReadError: not JSON, or not a study.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("the registry's answer is not JSON") from error
    studies = document.get("studies", [document]) if isinstance(document, dict) else None
    if not isinstance(studies, list):
        raise ParseError("the registry's answer holds no study")
    token = document.get("nextPageToken")
    following = _with_token(url, storable(token)) if isinstance(token, str) and token else ""
    return ParsedDocument(NAME, tuple(_observation(study) for study in studies), next_url=following)


def read_as_of(body: bytes) -> datetime | None:
    """The moment that the registry's data are of, from the answer to `as_of_url`; None where it tells none."""
    try:
        return _moment(json.loads(body)["dataTimestamp"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return None


def is_search(url: str) -> bool:
    """Whether an address asks the registry for a list of trials, and not for one of them."""
    return urlsplit(url).path.rstrip("/").endswith(_STUDIES)


def trial_of(url: str) -> str:
    """The number of the trial whose record an address is, empty for a search."""
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return last if _NUMBER.fullmatch(last) else ""


def record_url(url: str, trial: str) -> str:
    """The address of one trial's record, on the registry whose search `url` is."""
    return urljoin(url, f"{urlsplit(url).path.rstrip('/')}/{trial}")


def as_of_url(url: str) -> str:
    """Where the registry of this address says what its data are of."""
    path = urlsplit(url).path
    return urljoin(url, path[: path.find("/studies")] + "/version")


def _with_token(url: str, token: str) -> str:
    parts = urlsplit(url)
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "pageToken"
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, ("pageToken", token)])))


def _observation(study: Any) -> Observation:
    protocol = _inner(study, "protocolSection")
    names = _inner(protocol, "identificationModule")
    trial = _text(names.get("nctId"))
    if not trial:
        raise ParseError("the registry's answer holds a study without its number (nctId)")
    fields, lists = _fields(study, protocol), _lists(protocol)
    acronym = _text(names.get("acronym"))
    brief = _text(names.get("briefTitle") or names.get("officialTitle"))
    treatments = [
        _text(one.get("name"))
        for one in _items(_inner(protocol, "armsInterventionsModule"), "interventions")
    ]
    status = _inner(protocol, "statusModule")
    aside = {
        "verified": _text(status.get("statusVerifiedDate")),
        "updated": _text(_inner(status, "lastUpdatePostDateStruct").get("date")),
    }
    return Observation(
        guid=trial,
        url=f"https://clinicaltrials.gov/study/{trial}",
        title=f"{acronym}: {brief}" if acronym and acronym not in brief else brief or trial,
        summary=_sentence(fields),
        body=" ".join([trial, *treatments, fields.get("Conditions", "")]),
        published_at=_moment(_inner(status, "studyFirstPostDateStruct").get("date")),
        content={"trial": trial, "fields": fields, "lists": lists, "aside": aside},
        change=NewsKind.TRIAL_CHANGE,
    )


def _fields(study: Any, protocol: dict[str, Any]) -> dict[str, str]:
    """The fields that are followed, as a person reads them."""
    status = _inner(protocol, "statusModule")
    design = _inner(protocol, "designModule")
    count = _inner(design, "enrollmentInfo").get("count")
    found = {
        "Status": _words(status.get("overallStatus")),
        "Why stopped": status.get("whyStopped"),
        "Results posted": "yes" if study.get("hasResults") else "no",
        "Phase": ", ".join(_phase(phase) for phase in _any_items(design, "phases")),
        "Participants": str(count) if count is not None else None,
        "Start": _date(status, "startDateStruct"),
        "Primary completion": _date(status, "primaryCompletionDateStruct"),
        "Completion": _date(status, "completionDateStruct"),
        "Conditions": ", ".join(
            _text(one) for one in _any_items(_inner(protocol, "conditionsModule"), "conditions")
        ),
        "Sponsor": _inner(_inner(protocol, "sponsorCollaboratorsModule"), "leadSponsor").get(
            "name"
        ),
    }
    return {name: _text(value) for name, value in found.items() if value}


def _lists(protocol: dict[str, Any]) -> dict[str, list[str]]:
    """What a record lists: an addition and a removal is told, not the whole list."""
    arms = _items(_inner(protocol, "armsInterventionsModule"), "armGroups")
    outcomes = _inner(protocol, "outcomesModule")
    contacts = _inner(protocol, "contactsLocationsModule")
    places = _items(contacts, "locations")
    found = {
        "Arms": [
            _joined(": ", one.get("label"), _text(one.get("description"))[:200]) for one in arms
        ],
        "Primary outcomes": [_outcome(one) for one in _items(outcomes, "primaryOutcomes")],
        "Secondary outcomes": [_outcome(one) for one in _items(outcomes, "secondaryOutcomes")],
        "Countries": sorted({_text(place.get("country")) for place in places}),
        "Sites": sorted(
            {_site(place) for place in places if _text(place.get("status")) not in _CLOSED}
        ),
        "Contacts": [
            _joined(", ", one.get("name"), one.get("phone"), one.get("email"))
            for one in (*_items(contacts, "centralContacts"), *_items(contacts, "overallOfficials"))
        ],
    }
    return {name: [one for one in items if one] for name, items in found.items()}


_CLOSED = ("COMPLETED", "TERMINATED", "SUSPENDED", "WITHDRAWN", "NO_LONGER_AVAILABLE")


def _outcome(one: dict[str, Any]) -> str:
    frame = _text(one.get("timeFrame"))
    return f"{_text(one.get('measure'))} ({frame})" if frame else _text(one.get("measure"))


def _site(place: dict[str, Any]) -> str:
    return _joined(", ", place.get("facility"), place.get("city"), place.get("country"))


def _joined(between: str, *parts: Any) -> str:
    return between.join(text for part in parts if (text := _text(part)))


def _sentence(fields: Mapping[str, str]) -> str:
    parts = [f"Status: {fields['Status'].lower()}" if "Status" in fields else ""]
    parts += [f"phase {fields['Phase']}" if "Phase" in fields else ""]
    parts += [f"{fields['Participants']} participants" if "Participants" in fields else ""]
    parts += [
        f"primary completion {fields['Primary completion']}"
        if "Primary completion" in fields
        else ""
    ]
    return ", ".join(part for part in parts if part) + "."


def _inner(document: Any, name: str) -> dict[str, Any]:
    inner = document.get(name) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else {}


def _any_items(module: dict[str, Any], name: str) -> list[Any]:
    found = module.get(name)
    return found if isinstance(found, list) else []


def _items(module: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in _any_items(module, name) if isinstance(one, dict)]


def _text(value: Any) -> str:
    return "" if value is None else clean(str(value))


def _words(code: Any) -> str:
    return str(code or "").replace("_", " ").capitalize()


def _phase(code: Any) -> str:
    return (
        str(code)
        .replace("EARLY_PHASE", "early ")
        .replace("PHASE", "")
        .replace("NA", "not applicable")
    )


def _date(status: dict[str, Any], name: str) -> str | None:
    struct = _inner(status, name)
    estimated = " (estimated)" if struct.get("type") == "ESTIMATED" else ""
    return f"{struct['date']}{estimated}" if struct.get("date") else None


def _moment(text: Any) -> datetime | None:
    try:
        return published_moment(datetime.fromisoformat(str(text)))
    except ValueError:
        return None
