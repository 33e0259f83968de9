"""Evaluation: compare the tiers of labelled texts with their labels. Pure functions.

A label is a tier; `unrelated` means `none`. An alert is a text that goes into a digest by itself:
`about` or `mention`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from notifier.enums import Tier
from notifier.errors import InputError
from notifier.match.judging import Document
from notifier.match.score import Judgement
from notifier.text.cleaning import paragraphs, plain

ALERTS = (Tier.ABOUT, Tier.MENTION)


@dataclass(frozen=True)
class LabelledDocument:
    """A text, and the tier that a person gave it."""

    document: Document
    label: Tier


@dataclass(frozen=True)
class Measure:
    """Precision and recall, from 0 to 1; None if there is nothing to measure."""

    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Mistake:
    """A text whose tier differs from its label, and the reasons for the tier."""

    title: str
    label: Tier
    tier: Tier
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """The result for a set of labelled texts.

    Attributes:
        items: the number of texts.
        confusion: by label, how many texts got each tier; labels without a text are left out.
        alert: measured on alerts, whichever of the two tiers they got.
        tiers: the measures of each tier.
        mistakes: in the order of the texts.
    """

    items: int
    confusion: dict[str, dict[str, int]]
    alert: Measure
    tiers: dict[str, Measure]
    mistakes: tuple[Mistake, ...]


def read(text: str, name: str) -> list[LabelledDocument]:
    """Read labelled texts from JSON Lines; empty lines are skipped.

    Args:
        text: one object per line, with ``title`` and ``label``, and optionally ``summary`` and
            ``body``, which may be HTML.
        name: the file's name, for error messages.

    Raises:
        InputError: a line is not a labelled text; with its number, from 1.
    """
    return [
        _labelled(line, f"{name}, line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _labelled(line: str, place: str) -> LabelledDocument:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{place} is not JSON: {error}.", "Write one JSON object per line."
        ) from error
    if not isinstance(item, dict) or not isinstance(item.get("title"), str):
        raise InputError(f"{place} has no title.", 'Write {"title": "…", "label": "about"}.')
    label = "none" if item.get("label") == "unrelated" else item.get("label")
    if label not in list(Tier):
        known = ", ".join((*Tier, "unrelated"))
        raise InputError(f"{place} has the label {item.get('label')!r}.", f"Labels are: {known}.")
    summary, body = (str(item.get(part) or "") for part in ("summary", "body"))
    document = Document(plain(item["title"]), plain(summary), paragraphs(body))
    return LabelledDocument(document, Tier(label))


def evaluate(
    items: Sequence[LabelledDocument], judge: Callable[[Document], Judgement]
) -> Evaluation:
    """Judge every text, and compare its tier with its label."""
    judged = [(item, judge(item.document)) for item in items]
    pairs = [(item.label, judgement.tier) for item, judgement in judged]
    confusion = {
        str(label): {str(tier): pairs.count((label, tier)) for tier in Tier} for label in Tier
    }
    mistakes = [
        Mistake(item.document.title, item.label, judgement.tier, judgement.reasons)
        for item, judgement in judged
        if item.label is not judgement.tier
    ]
    return Evaluation(
        items=len(items),
        confusion={label: row for label, row in confusion.items() if any(row.values())},
        alert=_measure((label in ALERTS, tier in ALERTS) for label, tier in pairs),
        tiers={
            str(measured): _measure((label is measured, tier is measured) for label, tier in pairs)
            for measured in Tier
        },
        mistakes=tuple(mistakes),
    )


def _measure(pairs: Iterable[tuple[bool, bool]]) -> Measure:
    """Measure pairs of (labelled so, judged so)."""
    counts = Counter(pairs)
    right = counts[True, True]
    judged, labelled = right + counts[False, True], right + counts[True, False]
    return Measure(right / judged if judged else None, right / labelled if labelled else None)
