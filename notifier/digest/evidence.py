"""Evidence: a therapy's stage and approvals with their dates, and a short form of its profile.

Owns which parts of a stored profile a reader is shown, in the reader's language where the profile
has a translation, else in English. Pure.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifier.enums import Edition
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.store.models import Profile
from notifier.text.cleaning import shorten
from notifier.text.languages import USUAL, foreign

# The most characters that a name, a fact and the summary have in a mail, and the most facts and
# trials: a profile may be longer, a mail must not. Chosen by hand; not measured.
_LONGEST_NAME, _LONGEST_FACT, _LONGEST_SUMMARY, _MOST_PARTS = 80, 600, 1200, 24
# The parts of a profile that its snapshot shows: after a change of one of them everybody is shown
# the snapshot again.
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
# Facts for professionals, which the patients' edition leaves out.
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
    """The evidence box: the stage and the approvals of a therapy.

    Attributes:
        stage: one sentence; empty where the profile names no stage.
        approvals: one sentence for each status: "Approved: European Union (since 2025).".
        as_of: the oldest of the dates on which these were checked; None where none is known.
    """

    stage: str
    approvals: tuple[str, ...]
    as_of: date | None


@dataclass(frozen=True)
class SnapshotView:
    """A profile in short.

    Attributes:
        changed: true if the reader has seen an earlier snapshot.
        summary: a few sentences.
        facts: a label and a text each.
        trials: a name each, with the phase where it is known.
    """

    changed: bool
    summary: str
    facts: tuple[tuple[str, str], ...]
    trials: tuple[str, ...]


def snapshot_key(document: Mapping[str, Any]) -> str:
    """Return a key that is equal for two profile documents whose snapshots show the same.

    Returns:
        The first 16 hexadecimal digits of a SHA-256.
    """
    shown = json.dumps({name: document.get(name) for name in _SHOWN}, sort_keys=True, default=str)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def evidence_view(profile: Profile, language: Language) -> EvidenceView | None:
    """Return the evidence box; None for a profile that names neither stage nor approvals."""
    stage = _translated(profile, "stage", language)
    approvals = profile.document.get("approvals", [])
    if not stage and not approvals:
        return None
    dates = [
        date.fromisoformat(approval["as_of"]) for approval in approvals if approval.get("as_of")
    ]
    dates += [profile.stage_as_of] if profile.stage_as_of else []
    sentences = [
        language.gettext(sentence, places=", ".join(places))
        for status, sentence in _APPROVALS.items()
        if (places := _places(approvals, status, language))
    ]
    # The box as a whole is only as current as its oldest part.
    shown = tuple(shorten(sentence, _LONGEST_FACT) for sentence in sentences)
    stage = _foreign(profile, "stage", shorten(stage, _LONGEST_FACT), language)
    return EvidenceView(stage, shown, min(dates, default=None))


def snapshot_view(
    profile: Profile, edition: Edition, language: Language, *, changed: bool
) -> SnapshotView:
    """Return a profile in short; the patients' edition leaves out the facts for professionals."""
    left_out = _FOR_CLINICIANS if edition is Edition.PATIENT else frozenset()
    document = profile.document
    translated = document.get("translations", {}).get(language.code, {}).get("facts", {})
    texts = {**document.get("facts", {}), **translated}
    facts = [
        (
            _label(name, language),
            _joined(value) if name in translated else foreign(_joined(value), USUAL, language.code),
        )
        for name, value in texts.items()
        if name not in left_out
    ]
    trials = [_trial(trial, language) for trial in document.get("trials", [])[:_MOST_PARTS]]
    summary = shorten(_translated(profile, "summary", language), _LONGEST_SUMMARY)
    summary = _foreign(profile, "summary", summary, language)
    return SnapshotView(changed, summary, tuple(facts[:_MOST_PARTS]), tuple(trials))


def _translated(profile: Profile, key: str, language: Language) -> str:
    translations = profile.document.get("translations", {})
    translation: str = translations.get(language.code, {}).get(key, "")
    return translation or str(getattr(profile, key))


def _foreign(profile: Profile, key: str, text: str, language: Language) -> str:
    """Return a text of a profile that knows its language where it has no translation."""
    translations = profile.document.get("translations", {}).get(language.code, {})
    return text if translations.get(key) else foreign(text, USUAL, language.code)


def _label(name: str, language: Language) -> str:
    label = (
        language.gettext(_FACTS[name]) if name in _FACTS else name.replace("_", " ").capitalize()
    )
    return shorten(label, _LONGEST_NAME)


def _joined(value: str | list[str]) -> str:
    return shorten(value if isinstance(value, str) else "; ".join(value), _LONGEST_FACT)


def _places(approvals: Sequence[Mapping[str, Any]], status: str, language: Language) -> list[str]:
    return [_place(approval, language) for approval in approvals if approval["status"] == status]


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
