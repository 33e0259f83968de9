"""`notifier explain`."""

from typing import Annotated

import typer

from notifier.cli import shared, texts

# Bytes; longer than any article.
_LARGEST_BODY = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    title: Annotated[str, typer.Option(metavar="TEXT", help="The headline.")] = "",
    summary: Annotated[str, typer.Option(metavar="TEXT", help="The summary or lead.")] = "",
    body: Annotated[
        str, typer.Option(metavar="FILE|-", help="A file with the text, or - for standard input.")
    ] = "",
    profile: shared.Profile = None,
    json: shared.Json = False,
) -> None:
    """Judge a text: print its tier, its score and the reasons.

    The text is compared with a stored profile, and is not stored itself.
    """
    from notifier.errors import InputError
    from notifier.match import judging, profiles
    from notifier.text.cleaning import paragraphs, plain

    if not (title or summary or body):
        raise InputError("There is no text to judge.", "Give --title, --summary or --body.")
    document = judging.Document(
        plain(title), plain(summary), paragraphs(texts.text_at(body, _LARGEST_BODY))
    )
    with shared.open_deps() as deps, deps.reading() as session:
        stored = profiles.find(session, profile)
        judgement = judging.document_judge(stored)(document)
    reasons = list(judgement.reasons)
    if json:
        result = {"profile": stored.slug, "tier": judgement.tier, "score": judgement.score}
        shared.print_json({**result, "reasons": reasons})
        return
    shared.say(f"{judgement.tier} ({judgement.score:.2f}) for {stored.name}")
    for reason in reasons:
        shared.say(f"  because {reason}")
