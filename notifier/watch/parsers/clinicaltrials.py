"""Parser of trial records: answers of the ClinicalTrials.gov API v2, one observation per trial.

Pure. The followed fields are listed in `trial_fields.py`; this file knows how each form of field
reads as text. Shapes of records: the API's data dictionary,
https://clinicaltrials.gov/data-api/about-api/study-data-structure.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from notifier import trial_fields
from notifier.enums import NewsKind
from notifier.text.cleaning import clean, storable
from notifier.trial_fields import FieldForm, TrialField
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
    published_moment,
)

NAME = "ClinicalTrials.gov"

_STUDIES = "/api/v2/studies"
# The registry's own pattern of a number; it accepts small letters, and fewer or more zeros.
_NUMBER = re.compile(r"[Nn][Cc][Tt]0{0,20}([1-9][0-9]{0,7})")
# The address of a record for people, now and before 2023.
_PAGE = re.compile(
    r"(?:https?://)?(?:www\.)?clinicaltrials\.gov/(?:study|show|ct2/show)/(NCT[0-9]{8})\b",
    re.IGNORECASE,
)
# A sign that Markdown would take for markup, escaped (CommonMark 0.31, 2.4).
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# States in which a place takes part no longer.
_CLOSED = ("COMPLETED", "TERMINATED", "SUSPENDED", "WITHDRAWN", "NO_LONGER_AVAILABLE")
# The key, under `observation.ASIDE`, of the sites in such a state.
CLOSED_SITES = "closed_sites"
# Characters of an arm's description. Chosen by hand; not measured.
_LONGEST_ARM = 200


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:  # noqa: ARG001
    """Parse one study, or a page of a search (``{"studies": […], "nextPageToken": "…"}``).

    Args:
        body: JSON in UTF-8.
        headers: not used; all parsers have the same parameters.
        url: the requested address, from which that of the next page is made.

    Raises:
        ParseError: not JSON, or no study; one study without its number is left out of a list.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("the registry's answer is not JSON") from error
    studies = document.get("studies", [document]) if isinstance(document, dict) else None
    if not isinstance(studies, list):
        raise ParseError("the registry's answer holds no study")
    token = document.get("nextPageToken") if "studies" in document else None
    next_url = _with_token(url, storable(token)) if isinstance(token, str) and token else ""
    observations = [_observation(study) for study in studies if _trial_in(study)]
    if studies and not observations:
        raise ParseError("the registry's answer holds a study without its number (nctId)")
    return ParsedDocument(NAME, tuple(observations), next_url=next_url)


def parse_as_of(body: bytes) -> datetime | None:
    """Return the date of the registry's data from the answer to `as_of_url`; None if not given."""
    try:
        return _moment(json.loads(body)["dataTimestamp"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return None


def is_search(url: str) -> bool:
    """Return whether an address is a search, which answers with a list of trials."""
    return urlsplit(url).path.rstrip("/").endswith(_STUDIES)


def trial_of(url: str) -> str:
    """Return the number (``NCT01234567``) in a record's address; empty for a search."""
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return _number(last) if _NUMBER.fullmatch(last) else ""


def _number(text: str) -> str:
    """Return a trial's number in the one form by which trials are compared (``NCT01234567``)."""
    number = _NUMBER.fullmatch(text)
    return f"NCT{int(number[1]):08}" if number else text


def api_address(text: str) -> str:
    """Return the address of a record for programs; empty if a text names none.

    Args:
        text: a trial's number, or the address of its page for people.
    """
    page = _PAGE.match(text.strip())
    trial = _number(page[1] if page else text.strip())
    return f"https://clinicaltrials.gov{_STUDIES}/{trial}" if _NUMBER.fullmatch(trial) else ""


def record_url(url: str, trial: str) -> str:
    """Return the address of one trial's record, on the registry whose search is at `url`."""
    return urljoin(url, f"{urlsplit(url).path.rstrip('/')}/{trial}")


def as_of_url(url: str) -> str:
    """Return the address at which the registry of `url` gives the date of its data."""
    path = urlsplit(url).path
    return urljoin(url, path[: path.find("/studies")] + "/version")


def _with_token(url: str, token: str) -> str:
    parts = urlsplit(url)
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "pageToken"
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, ("pageToken", token)])))


def _trial_in(study: Any) -> str:
    """Return the number of the trial that a study is about; empty if it does not say so."""
    protocol = _module(study, "protocolSection")
    return _number(_text(_module(protocol, "identificationModule").get("nctId")))


def _observation(study: Any) -> Observation:
    protocol = _module(study, "protocolSection")
    names = _module(protocol, "identificationModule")
    trial = _trial_in(study)
    fields, lists = _fields(study), _lists(study)
    acronym = _text(names.get("acronym"))
    brief = _text(names.get("briefTitle") or names.get("officialTitle"))
    treatments = [
        _text(treatment.get("name"))
        for treatment in _objects(_module(protocol, "armsInterventionsModule").get("interventions"))
    ]
    matched = [fields.get(field.name, "") for field in _followed() if field.is_matched]
    status = _module(protocol, "statusModule")
    aside: dict[str, Any] = {
        "verified": _text(status.get("statusVerifiedDate")),
        "updated": _text(_module(status, "lastUpdatePostDateStruct").get("date")),
    } | _closed_sites(_module(protocol, "contactsLocationsModule").get("locations"))
    return Observation(
        guid=trial,
        url=f"https://clinicaltrials.gov/study/{trial}",
        title=f"{acronym}: {brief}" if acronym and acronym not in brief else brief or trial,
        summary=_summary(fields),
        body=" ".join([trial, *treatments, *matched]),
        published_at=_moment(_module(status, "studyFirstPostDateStruct").get("date")),
        content={"trial": trial, "fields": fields, "lists": lists, "aside": aside},
        change=NewsKind.TRIAL_CHANGE,
    )


def _followed(*, lists: bool = False) -> list[TrialField]:
    return [field for field in trial_fields.TRIAL_FIELDS if field.is_list is lists]


def _fields(study: Any) -> dict[str, str]:
    """Return the followed fields that have a value, as text."""
    texts = {
        field.name: _TEXT_OF[field.form](_value_at(study, field.paths[0])) for field in _followed()
    }
    return {name: text for name, text in texts.items() if text}


def _lists(study: Any) -> dict[str, list[str]]:
    """Return the followed lists; an empty one is kept, so that it can be compared."""
    lists = {}
    for field in _followed(lists=True):
        objects = [listed for path in field.paths for listed in _objects(_value_at(study, path))]
        lists[field.name] = [item for item in _ITEMS_OF[field.form](objects) if item]
    return lists


def _value_at(study: Any, path: str) -> Any:
    """Return the value at a path (``protocolSection.designModule.phases``); None if not there."""
    *modules, name = path.split(".")
    module = study
    for module_name in modules:
        module = _module(module, module_name)
    return module.get(name) if isinstance(module, dict) else None


def _module(document: Any, name: str) -> dict[str, Any]:
    inner = document.get(name) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else without_escapes(clean(str(value)))


def without_escapes(text: str) -> str:
    r"""Return a text of the registry without the escapes of its markup (``\<0.17``)."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def without_escapes_in(content: Any) -> Any:
    """Return stored content of a record with all its texts as they are read today."""
    if isinstance(content, str):
        return without_escapes(content)
    if isinstance(content, Mapping):
        return {name: without_escapes_in(part) for name, part in content.items()}
    return [without_escapes_in(part) for part in content] if isinstance(content, list) else content


def _plain_text(value: Any) -> str:
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return _text(value) if is_plain else ""


def _code(value: Any) -> str:
    return _text(str(value or "").replace("_", " ").capitalize())


def _yes_no(value: Any) -> str:
    return "yes" if value else "no"


def _phases(value: Any) -> str:
    phases = (
        str(code)
        .replace("EARLY_PHASE", "early ")
        .replace("PHASE", "")
        .replace("NA", "not applicable")
        for code in (value if isinstance(value, list) else [])
    )
    return _text(", ".join(phases))


def _date(value: Any) -> str:
    """Return ``2027-06 (estimated)`` or ``2027-06-15``."""
    day = value.get("date") if isinstance(value, dict) else None
    if not day:
        return ""
    return _text(f"{day} (estimated)" if value.get("type") == "ESTIMATED" else day)


def _texts(value: Any) -> str:
    return _text(", ".join(_text(item) for item in (value if isinstance(value, list) else [])))


def _arms(arms: list[dict[str, Any]]) -> list[str]:
    return [
        _joined(": ", arm.get("label"), _text(arm.get("description"))[:_LONGEST_ARM])
        for arm in arms
    ]


def _outcomes(outcomes: list[dict[str, Any]]) -> list[str]:
    return [_outcome(_text(item.get("measure")), _text(item.get("timeFrame"))) for item in outcomes]


def _outcome(measure: str, time_frame: str) -> str:
    return f"{measure} ({time_frame})" if time_frame else measure


def _countries(places: list[dict[str, Any]]) -> list[str]:
    return sorted({_text(place.get("country")) for place in places})


def _sites(places: list[dict[str, Any]]) -> list[str]:
    return sorted({_site(place) for place in places if not _is_closed(place)})


def _closed_sites(places: Any) -> dict[str, list[str]]:
    """Return the sites that take part no longer, if there are any.

    The registry says so only while a trial recruits; later it lists them without a state.
    """
    closed = {_site(place) for place in _objects(places) if _is_closed(place)}
    return {CLOSED_SITES: sorted(closed)} if closed else {}


def _is_closed(place: Mapping[str, Any]) -> bool:
    return _text(place.get("status")) in _CLOSED


def _site(place: Mapping[str, Any]) -> str:
    return _joined(", ", place.get("facility"), place.get("city"), place.get("country"))


def _contacts(contacts: list[dict[str, Any]]) -> list[str]:
    return [
        _joined(", ", contact.get("name"), contact.get("phone"), contact.get("email"))
        for contact in contacts
    ]


_TEXT_OF: Mapping[FieldForm, Callable[[Any], str]] = {
    FieldForm.TEXT: _plain_text,
    FieldForm.CODE: _code,
    FieldForm.YES_NO: _yes_no,
    FieldForm.PHASES: _phases,
    FieldForm.DATE: _date,
    FieldForm.TEXTS: _texts,
}
_ITEMS_OF: Mapping[FieldForm, Callable[[list[dict[str, Any]]], list[str]]] = {
    FieldForm.ARMS: _arms,
    FieldForm.OUTCOMES: _outcomes,
    FieldForm.COUNTRIES: _countries,
    FieldForm.SITES: _sites,
    FieldForm.CONTACTS: _contacts,
}


def _joined(separator: str, *parts: Any) -> str:
    return separator.join(text for part in parts if (text := _text(part)))


def _summary(fields: Mapping[str, str]) -> str:
    """Return ``Status: recruiting, phase 3, 1400 participants, primary completion 2027-06.``."""
    parts = [
        field.summary.format(
            fields[field.name].lower() if field.form is FieldForm.CODE else fields[field.name]
        )
        for field in trial_fields.summary_fields()
        if field.name in fields
    ]
    return ", ".join(parts) + "."


def _moment(text: Any) -> datetime | None:
    try:
        return published_moment(datetime.fromisoformat(str(text)))
    except ValueError:
        return None
