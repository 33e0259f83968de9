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
        typer.Argument(
            metavar="FILE.jsonl",
            help="One JSON object per line: title, label, and optionally summary and body.",
        ),
    ],
    profile: shared.Profile = None,
    json: shared.Json = False,
) -> None:
    """Measure how well a profile judges labelled texts.

    Prints the confusion matrix, precision and recall, and every mistake.
    """
    from notifier.match import evaluation, judging, profiles

    texts = evaluation.read(shared.file_bytes(file).decode("utf-8-sig", "replace"), str(file))
    with shared.open_deps() as deps, deps.reading() as session:
        judge = judging.document_judge(profiles.find(session, profile))
        result = evaluation.evaluate(texts, judge)
    if json:
        shared.print_json(_to_json(result))
    else:
        _print_result(result)


def _to_json(result: "Evaluation") -> dict[str, object]:
    return {
        "items": result.items,
        "confusion": result.confusion,
        "alert": vars(result.alert),
        "tiers": {tier: vars(measure) for tier, measure in result.tiers.items()},
        "errors": [
            {
                "title": mistake.title,
                "label": mistake.label,
                "tier": mistake.tier,
                "reasons": list(mistake.reasons),
            }
            for mistake in result.mistakes
        ],
    }


def _print_result(result: "Evaluation") -> None:
    tiers = list(result.tiers)
    rows = [
        [label, *(counts[tier] for tier in tiers)] for label, counts in result.confusion.items()
    ]
    shared.print_table(("label", *tiers), rows, "The file contains no texts.")
    if not result.items:
        return
    texts = shared.count(result.items, "text")
    shared.say(f"\n{texts}. Alerts (about or mention): {_in_words(result.alert)}")
    for tier, measure in result.tiers.items():
        shared.say(f"  {tier:<8} {_in_words(measure)}")
    for mistake in result.mistakes:
        shared.say(f"\nLabelled {mistake.label}, judged {mistake.tier}: {mistake.title}")
        shared.say(f"  because {'; '.join(mistake.reasons)}")


def _in_words(measure: "Measure") -> str:
    values = (("precision", measure.precision), ("recall", measure.recall))
    return ", ".join(f"{name} {'–' if value is None else f'{value:.2f}'}" for name, value in values)
