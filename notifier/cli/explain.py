"""`notifier explain`."""

from pathlib import Path
from typing import Annotated

import typer

from notifier.cli import shared

# More than any article holds.
_LARGEST_BODY = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    title: Annotated[str, typer.Option(help="The headline.")] = "",
    summary: Annotated[str, typer.Option(help="The summary or lead.")] = "",
    body: Annotated[
        str, typer.Option(metavar="FILE|-", help="A file with the text, or - for standard input.")
    ] = "",
    profile: shared.Profile = None,
    json: shared.Json = False,
) -> None:
    """Tell the tier, the score and the reasons for a text that is not stored."""
    from notifier.errors import InputError
    from notifier.match import judging, profiles
    from notifier.text.cleaning import paragraphs, plain

    if not (title or summary or body):
        raise InputError("There is nothing to explain.", "Give --title, --summary or --body.")
    octets = b""
    if body:
        octets = (
            shared.standard_input(_LARGEST_BODY)
            if body == "-"
            else shared.file_bytes(Path(body), _LARGEST_BODY)
        )
    text = octets.decode("utf-8", "replace")
    with shared.open_deps() as deps, deps.reading() as session:
        stored = profiles.find(session, profile)
        found = judging.document_judge(stored)(
            judging.Document(plain(title), plain(summary), paragraphs(text))
        )
    if json:
        reasons = list(found.reasons)
        shared.print_json(
            {"profile": stored.slug, "tier": found.tier, "score": found.score, "reasons": reasons}
        )
        return
    shared.say(f"{found.tier} ({found.score:.2f}) for {stored.name}")
    for reason in found.reasons:
        shared.say(f"  because {reason}")
