"""`notifier evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.match.evaluation import Evaluation, Measure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.jsonl", help="A line a text: title, label, summary, body."),
    ],
    profile: shared.Profile = None,
    json: shared.Json = False,
) -> None:
    """Judge labelled texts by a stored profile: the confusion matrix, precision and recall, and every mistake."""
    from notifier.match import evaluation, judging, profiles

    items = evaluation.read(shared.file_bytes(file).decode("utf-8", "replace"), str(file))
    with shared.open_deps() as deps, deps.reading() as session:
        found = evaluation.evaluate(items, judging.document_judge(profiles.find(session, profile)))
    if json:
        shared.print_json(_document(found))
        return
    _tell(found)


def _document(found: "Evaluation") -> dict[str, object]:
    return {
        "items": found.items,
        "confusion": found.confusion,
        "alert": vars(found.alert),
        "tiers": {tier: vars(measure) for tier, measure in found.tiers.items()},
        "errors": [
            {"title": one.title, "label": one.label, "tier": one.tier, "reasons": list(one.reasons)}
            for one in found.mistakes
        ],
    }


def _tell(found: "Evaluation") -> None:
    tiers = list(found.tiers)
    rows = [[label, *(row[tier] for tier in tiers)] for label, row in found.confusion.items()]
    shared.print_table(("label", *tiers), rows, "The file holds no text.")
    if not found.items:
        return
    shared.say(f"\n{found.items} texts. Alerts (about or mention): {_percent(found.alert)}")
    for tier, measure in found.tiers.items():
        shared.say(f"  {tier:<8} {_percent(measure)}")
    for one in found.mistakes:
        shared.say(
            f"\n{one.label} taken for {one.tier}: {one.title}\n  because {'; '.join(one.reasons)}"
        )


def _percent(measure: "Measure") -> str:
    parts = zip(("precision", "recall"), (measure.precision, measure.recall), strict=True)
    return ", ".join(f"{name} {'–' if value is None else f'{value:.2f}'}" for name, value in parts)
