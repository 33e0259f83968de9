"""The last examination: which check had which status, to tell what has changed since.

Owns the file `doctor.json` beside the database. It holds names of checks, statuses and hashes, and
nothing about a person. The test mail is not part of it: it is asked for now and then.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Finding, Status
from notifier.errors import NotifierError
from notifier.store.files import read_input, write_private
from notifier.text.times import moment

FILE_NAME = "doctor.json"
_LARGEST_FILE = 1_000_000
_FORM = 1
# Checks of which another number is no other trouble.
_COUNTED = ("flow.", "installation.disk")
# The area that is not part of it.
TEST_MAIL = "round_trip"


@dataclass(frozen=True)
class Change:
    """A check whose status, or whose trouble, is another one than last time.

    Attributes:
        name: of the check.
        before: its status last time; empty for a check that was not run.
        after: its status now; empty likewise.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """The changes since the doctor last ran.

    Attributes:
        since: the time of the last examination, ISO 8601; empty if there was none.
        changes: in the order of the checks.
        problem: why this examination could not be stored for the next comparison; else empty.
    """

    since: str
    changes: Sequence[Change]
    problem: str = ""


def compare_and_store(examined: Examined, findings: Sequence[Finding]) -> Comparison | None:
    """Compare findings with those of the last examination, and store them for the next one.

    Returns:
        None while there is no folder for the file: the settings cannot be used.
    """
    if examined.settings_problem is not None:
        return None
    path = examined.data_folder / FILE_NAME
    last = _read(path)
    kept = [finding for finding in findings if finding.area != TEST_MAIL]
    states = {finding.name: _state(finding) for finding in kept}
    known: Mapping[str, Any] = last.get("checks", {})
    changes = [
        Change(name, _status(known.get(name)), _status(states.get(name)))
        for name in (*states, *(known.keys() - states.keys()))
        if known.get(name) != states.get(name)
    ]
    at = examined.now.isoformat(timespec="seconds")
    document = {"form": _FORM, "at": at, "checks": states}
    problem = ""
    try:
        write_private(path, json.dumps(document, indent=1).encode())
    except NotifierError as error:
        problem = error.problem
    return Comparison(last.get("at", ""), changes if last else [], problem)


def _state(finding: Finding) -> list[str]:
    """Return the status, and for a trouble what tells it from another one of the same check."""
    if finding.status in (Status.OK, Status.NOT_CHECKED):
        return [finding.status, ""]
    trouble = finding.result.actual
    if finding.name.startswith(_COUNTED):
        trouble = re.sub(r"[0-9]+", "0", trouble)
    return [finding.status, hashlib.sha256(trouble.encode()).hexdigest()[:12]]


def _status(state: object) -> str:
    return str(state[0]) if isinstance(state, list) and state else ""


def _read(path: Path) -> dict[str, Any]:
    """Return the last examination; empty if there is none that can be read."""
    try:
        document = json.loads(read_input(path, _LARGEST_FILE))
        moment(document["at"])
        is_known = document["form"] == _FORM and isinstance(document["checks"], dict)
    except (NotifierError, ValueError, KeyError, TypeError):
        return {}
    return document if is_known else {}
