"""Evidence: where a therapy stands, as of when, and its profile in short.

Owns what of a stored profile a reader is shown, in their language as far as the profile speaks it.
Pure.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifier.enums import Edition
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.store.models import Profile
from notifier.text.cleaning import shorten

# What no part of a profile may be longer than in a mail; all of it stands in the profile.
_LONGEST_NAME, _LONGEST_FACT, _LONGEST_SUMMARY, _MOST_PARTS = 80, 600, 1200, 24
# The parts of a profile that its snapshot shows: a change of these is shown once more to everybody.
_SHOWN = ("summary", "stage", "stage_as_of", "facts", "approvals", "trials")

_FACTS = {
    "target": mark("Target"),
    "class": mark("Class"),
    "developer": mark("Developer"),
    "studied_for": mark("Studied for"),
    "how_it_is_given": mark("How it is given"),
    "doses_in_phase_2": mark("Doses in phase 2"),
    "compared_with": mark("Compared with"),
    "common_side_effects": mark("Common side effects"),
}
# What a pharmacologist asks for, and a patient's edition leaves out.
_FOR_CLINICIANS = frozenset(("target", "class", "studied_for", "doses_in_phase_2", "compared_with"))
_APPROVALS = {
    "approved": mark("Approved: %(places)s."),
    "under review": mark("Under review: %(places)s."),
    "refused": mark("Refused: %(places)s."),
    "withdrawn": mark("Approval withdrawn: %(places)s."),
    "not approved": mark("Not approved: %(places)s."),
}


@dataclass(frozen=True)
class EvidenceView:
    """The evidence box: the stage, what is approved where, and as of when each is said."""

    stage: str
    approvals: tuple[str, ...]
    as_of: date | None


@dataclass(frozen=True)
class SnapshotView:
    """The profile in short; `changed` where its reader has seen an earlier one."""

    changed: bool
    summary: str
    facts: tuple[tuple[str, str], ...]
    trials: tuple[str, ...]


def snapshot_key(document: Mapping[str, Any]) -> str:
    """By which two snapshots of a profile are told to show the same."""
    shown = json.dumps({name: document.get(name) for name in _SHOWN}, sort_keys=True, default=str)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def evidence(profile: Profile, language: Language) -> EvidenceView | None:
    """Where the therapy stands; None where the profile does not say."""
    stage = _translated(profile, "stage", language)
    approvals = profile.document.get("approvals", [])
    if not stage and not approvals:
        return None
    dates = [date.fromisoformat(one["as_of"]) for one in approvals if one.get("as_of")]
    dates += [profile.stage_as_of] if profile.stage_as_of else []
    sentences = [
        language.gettext(sentence, places=", ".join(places))
        for status, sentence in _APPROVALS.items()
        if (places := [_place(one, language) for one in approvals if one["status"] == status])
    ]
    # What is known of several dates is only as good as the oldest of them.
    shown = tuple(shorten(sentence, _LONGEST_FACT) for sentence in sentences)
    return EvidenceView(shorten(stage, _LONGEST_FACT), shown, min(dates, default=None))


def snapshot(
    profile: Profile, edition: Edition, language: Language, *, changed: bool
) -> SnapshotView:
    """The profile in short."""
    left_out = _FOR_CLINICIANS if edition is Edition.PATIENT else frozenset()
    document = profile.document
    known = {
        **document.get("facts", {}),
        **document.get("translations", {}).get(language.code, {}).get("facts", {}),
    }
    facts = [
        (_label(name, language), _listed(value))
        for name, value in known.items()
        if name not in left_out
    ]
    trials = [_trial(one, language) for one in document.get("trials", [])[:_MOST_PARTS]]
    summary = shorten(_translated(profile, "summary", language), _LONGEST_SUMMARY)
    return SnapshotView(changed, summary, tuple(facts[:_MOST_PARTS]), tuple(trials))


def _translated(profile: Profile, key: str, language: Language) -> str:
    own: str = profile.document.get("translations", {}).get(language.code, {}).get(key, "")
    return own or str(getattr(profile, key))


def _label(name: str, language: Language) -> str:
    label = (
        language.gettext(_FACTS[name]) if name in _FACTS else name.replace("_", " ").capitalize()
    )
    return shorten(label, _LONGEST_NAME)


def _listed(value: str | list[str]) -> str:
    return shorten(value if isinstance(value, str) else "; ".join(value), _LONGEST_FACT)


def _place(approval: Mapping[str, Any], language: Language) -> str:
    name = language.territory(approval["where"])
    since = approval.get("since")
    return (
        language.gettext("%(place)s (since %(year)s)", place=name, year=str(since))
        if since
        else name
    )


def _trial(trial: Mapping[str, Any], language: Language) -> str:
    name = shorten(trial.get("acronym") or trial["id"], _LONGEST_NAME)
    return (
        language.gettext("%(trial)s (phase %(phase)s)", trial=name, phase=trial["phase"])
        if trial.get("phase")
        else name
    )
