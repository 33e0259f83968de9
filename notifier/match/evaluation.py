"""Evaluation: labelled texts in, how well they are told apart out.

Pure. A label is a tier's word; `unrelated` means `none`. An alert is what a digest is made for:
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
class Labelled:
    """A text and what a person says of it."""

    words: Document
    label: Tier


@dataclass(frozen=True)
class Measure:
    """Precision and recall, from 0 to 1; None where nothing was there to be measured."""

    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Mistake:
    """A text that was judged otherwise than it is labelled, and why."""

    title: str
    label: Tier
    tier: Tier
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """What came of all labelled texts; `confusion` counts the tiers that each label got."""

    items: int
    confusion: dict[str, dict[str, int]]
    alert: Measure
    tiers: dict[str, Measure]
    mistakes: tuple[Mistake, ...]


def read(text: str, name: str) -> list[Labelled]:
    """The labelled texts of a JSON Lines file: ``title`` and ``label``, and optionally ``summary`` and ``body``.

    Raises:
        InputError: a line that is none, with its number.
    """
    return [
        _labelled(line, f"{name}, line {n}")
        for n, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _labelled(line: str, place: str) -> Labelled:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{place} is not JSON: {error}.", "Write one JSON object a line."
        ) from error
    if not isinstance(item, dict) or not isinstance(item.get("title"), str):
        raise InputError(f"{place} has no title.", 'Write {"title": "…", "label": "about"}.')
    label = "none" if item.get("label") == "unrelated" else item.get("label")
    if label not in list(Tier):
        known = ", ".join((*Tier, "unrelated"))
        raise InputError(f"{place} has the label {item.get('label')!r}.", f"Labels are: {known}.")
    summary, body = (str(item.get(part) or "") for part in ("summary", "body"))
    return Labelled(Document(plain(item["title"]), plain(summary), paragraphs(body)), Tier(label))


def evaluate(items: Sequence[Labelled], judge: Callable[[Document], Judgement]) -> Evaluation:
    """Judge every text, and compare."""
    judged = [(item, judge(item.words)) for item in items]
    pairs = [(item.label, judgement.tier) for item, judgement in judged]
    confusion = {
        str(label): {str(tier): pairs.count((label, tier)) for tier in Tier} for label in Tier
    }
    mistakes = [
        Mistake(item.words.title, item.label, judgement.tier, judgement.reasons)
        for item, judgement in judged
        if item.label is not judgement.tier
    ]
    return Evaluation(
        items=len(items),
        confusion={label: row for label, row in confusion.items() if any(row.values())},
        alert=_measure((label in ALERTS, tier in ALERTS) for label, tier in pairs),
        tiers={
            str(one): _measure((label is one, tier is one) for label, tier in pairs) for one in Tier
        },
        mistakes=tuple(mistakes),
    )


def _measure(pairs: Iterable[tuple[bool, bool]]) -> Measure:
    counts = Counter(pairs)
    right = counts[True, True]
    found, wanted = right + counts[False, True], right + counts[True, False]
    return Measure(right / found if found else None, right / wanted if wanted else None)
