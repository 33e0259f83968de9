"""The decision about an edited profile: what would differ, what it would match, and the saving.

Owns what the form, the whole file and the return to an earlier state have in common: the estimate,
the refusal of a profile that would match almost everything, and what an editor is told when
somebody else was faster.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData

from notifier.admin import profile_edit
from notifier.admin.profile_edit import State
from notifier.enums import TermKind
from notifier.match import estimates, profile_changes, profile_states
from notifier.match.estimates import Comparison, Differing
from notifier.match.profile_changes import Difference
from notifier.match.profile_file import ProfileFile
from notifier.operators import actions
from notifier.store.models import OperatorAction
from notifier.web import forms
from notifier.web.operator.own_threads import OwnThreads
from notifier.web.operator.profiles.profile_form import KINDS
from notifier.web.operator.visit import Visit, number_of

# For all pages that check a profile or estimate what it would match, one at a time: each keeps a
# processor busy, and the public pages are to be answered meanwhile.
THREADS = OwnThreads("estimates", 1)
# In seconds, of an estimate that is made while somebody types.
_LIVE_SECONDS = 2.5
# Articles that are named of each sort, and differences.
_MOST_NAMED, _MOST_DIFFERENCES = 20, 200
_WAYS = {
    "in": "Would match now, and did not before",
    "out": "Would not match any more",
    "tier": "Would match in another way",
}
_LOOK = (
    "This profile would match more than half of what its sources publish. Look at the list, and "
    "tick the box below if it is meant so."
)
_PARTS = {
    "trial": "Trial",
    "canary": "Known text",
    "page": "Page",
    "source": "Source",
    "name": "Name",
    "summary": "Summary",
    "stage": "Stage",
    "stage_as_of": "Date of the stage",
    "public": "Anybody may read its digests",
    "approvals": "Approvals",
    "facts": "Facts",
    "translations": "Other languages",
}


@dataclass(frozen=True)
class ShownDifference:
    """A difference as a page shows it: the part in words, its name, and the texts."""

    part: str
    verb: str
    name: str
    before: str
    after: str


@dataclass
class Outcome:
    """The part of the page below the form: estimate, differences, and what is wrong.

    Attributes:
        wrong: what has to be corrected first, in sentences.
        differences: what would differ from the stored profile; None if it was not looked at.
        more_differences: how many are not listed.
        comparison: what would match; None if it was not estimated, or the same is looked for.
        groups: of the articles whose tier differs: a heading, some of them, and how many more.
        is_same_search: whether the edit changes nothing of what is looked for.
        mark: of what is looked for; the box beside the estimate of too broad a profile holds it.
        translated: the languages whose texts of the summary or the stage stay as they are.
        status: of the answer.
        action_id: of the entry in the operators' log, if it was stored; else 0.
    """

    wrong: Sequence[str] = ()
    differences: Sequence[ShownDifference] | None = None
    more_differences: int = 0
    comparison: Comparison | None = None
    groups: Sequence[tuple[str, Sequence[Differing], int]] = ()
    is_same_search: bool = False
    mark: str = ""
    translated: Sequence[str] = ()
    status: int = 200
    action_id: int = 0


@dataclass(frozen=True)
class Meanwhile:
    """The changes that somebody else stored while an editor wrote."""

    differences: Sequence[ShownDifference] = field(default_factory=tuple)
    action: OperatorAction | None = None


def decide(visit: Visit, form: FormData, state: State, file: ProfileFile, verb: str) -> Outcome:
    """Estimate what an edited profile would match, and store it if the form says so.

    Args:
        visit: the request.
        form: its fields ``do``, ``past``, ``looked`` and ``reason`` count.
        state: the profile as it is stored.
        file: the checked profile as it would be.
        verb: how the sentence of the log begins.
    """
    is_live = forms.text(form, "do") == "live"
    outcome = proposed(visit, state, file, _LIVE_SECONDS if is_live else estimates.MOST_SECONDS)
    if forms.text(form, "do") != "save":
        return outcome
    if not outcome.differences:
        outcome.wrong, outcome.status = ["Nothing differs from what is stored."], 422
        return outcome
    comparison = outcome.comparison
    if comparison and comparison.is_too_broad and forms.text(form, "looked") != outcome.mark:
        outcome.wrong, outcome.status = [_LOOK], 422
        return outcome
    outcome.action_id = profile_edit.save(
        visit.deps,
        state,
        file,
        visit.actor,
        include_past=forms.text(form, "past") == "include",
        verb=verb,
        reason=forms.text(form, "reason"),
    )
    return outcome


def proposed(
    visit: Visit, state: State, file: ProfileFile, seconds: float = estimates.MOST_SECONDS
) -> Outcome:
    """Return what would differ, and what would match; nothing is written."""
    document = profile_edit.document_of(file)
    listed = profile_changes.differences(state.document, document)
    outcome = Outcome(
        differences=in_words(listed[:_MOST_DIFFERENCES]),
        more_differences=max(len(listed) - _MOST_DIFFERENCES, 0),
        is_same_search=profile_edit.candidate_of(file) == state.candidate,
        mark=_mark(document),
        translated=_left_translations(listed, document),
    )
    if not outcome.is_same_search:
        outcome.comparison = profile_edit.estimate(visit.deps, state, file, seconds)
        outcome.groups = _groups(outcome.comparison)
    return outcome


def meanwhile(visit: Visit, form: FormData, state: State) -> Meanwhile | None:
    """Return what changed since the form was opened; None if nothing did."""
    number = number_of(forms.text(form, "state"))
    if number == state.number:
        return None
    with visit.deps.reading() as session:
        seen = profile_states.state(session, state.profile_id, number)
        newest = actions.newest(session, about=profile_edit.about(state.slug), limit=1)
        listed = profile_changes.differences(seen.document, state.document) if seen else []
    return Meanwhile(in_words(listed[:_MOST_DIFFERENCES]), newest[0] if newest else None)


def in_words(listed: Sequence[Difference]) -> list[ShownDifference]:
    """Return differences as a page shows them."""
    return [_shown(each) for each in listed]


def current_state(visit: Visit) -> State:
    """Return the profile that the address names.

    Raises:
        NotFoundError: there is none.
    """
    with visit.deps.reading() as session:
        return profile_edit.state_of(session, visit.word("slug"))


def _shown(each: Difference) -> ShownDifference:
    part, name, before, after = _PARTS.get(each.part, each.part), each.name, each.before, each.after
    if each.part == "term":
        kind, _, name = each.name.partition(" ")
        part = KINDS[TermKind(kind)][0]
    if each.verb != "changed" and each.part in ("page", "source"):
        name = ""
    return ShownDifference(part, each.verb, name, before, after)


def _groups(comparison: Comparison) -> list[tuple[str, Sequence[Differing], int]]:
    groups: list[tuple[str, Sequence[Differing], int]] = []
    for way, heading in _WAYS.items():
        articles = [each for each in comparison.differing if each.way == way]
        if articles:
            more = max(len(articles) - _MOST_NAMED, 0)
            groups.append((f"{heading} ({len(articles):,})", articles[:_MOST_NAMED], more))
    return groups


def _mark(document: dict[str, Any]) -> str:
    """Return a mark of what is looked for: a tick beside another estimate does not count."""
    looked_for = [document.get(key) for key in ("terms", "trials", "sources", "pages")]
    return hashlib.sha256(json.dumps(looked_for).encode()).hexdigest()[:16]


def _left_translations(listed: Sequence[Difference], document: dict[str, Any]) -> list[str]:
    """Return the languages that have a text of what changed, though the text stays as it is."""
    changed = {each.part for each in listed}
    if "translations" in changed:
        return []
    return [
        code
        for code, texts in document.get("translations", {}).items()
        if any(part in texts for part in changed & {"summary", "stage", "facts"})
    ]
