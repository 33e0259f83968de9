"""`notifier matches`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.store.models import Entry, Match, NearMiss

app = shared.group("matches", "What concerns a profile, and why.")


@app.command("list")
def list_(
    profile: shared.Profile = None,
    tier: Annotated[str | None, typer.Option(help="about, mention or related.")] = None,
    held: Annotated[
        bool, typer.Option("--held", help="What was nearly a match, and why it was held back.")
    ] = False,
    json: shared.Json = False,
) -> None:
    """Show matches with tier, score and reasons, newest first; with --held what was held back."""
    from notifier.enums import Tier
    from notifier.match import matches, profiles

    with shared.open_deps() as deps, deps.reading() as session:
        chosen = profiles.find(session, profile) if profile else None
        wanted = shared.choice(Tier, tier, "--tier")
        if held:
            rows = [
                _held(one)
                for one in matches.list_near_misses(session, chosen)
                if wanted in (None, one.tier)
            ]
        else:
            rows = [_row(one) for one in matches.listed(session, chosen, wanted)]
    if json:
        shared.print_json(rows)
        return
    table = [
        (
            row["id"],
            row["tier"],
            row["score"],
            row["kind"],
            row["entry"]["title"],
            "; ".join(row["reasons"]),
        )
        for row in rows
    ]
    empty = "Nothing is held back." if held else "Nothing matched yet."
    shared.print_table(("id", "tier", "score", "kind", "title", "reasons"), table, empty)
    if held and table:
        shared.say("\nTo let one go into the next digests: notifier matches release ID")


@app.command("release")
def release(
    held_id: Annotated[
        int, typer.Argument(metavar="ID", help="As `matches list --held` shows it.")
    ],
    now: shared.Now = "",
) -> None:
    """Let what was held back go into the next digests."""
    from notifier.match import batches, matches

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            first_match_id = batches.first_match_of_story(session, held_id, deps.now())
        with deps.writing() as session:
            made = matches.release(session, held_id, deps.now(), first_match_id)
            title = made.entry.title
        shared.say(f"Released as match {made.id} ({made.tier}): {title}")


def _held(one: "NearMiss") -> dict[str, Any]:
    return {
        "id": one.id,
        "profile": one.profile.slug,
        "tier": one.tier,
        "score": 0.0,
        "reasons": one.reasons,
        "held": True,
        "filed": one.baseline,
        "kind": "new",
        "story": None,
        "revision": one.revision.number,
        "matched_at": shared.as_time(one.held_at),
        "entry": _entry(one.entry),
    }


def _row(one: "Match") -> dict[str, Any]:
    return {
        "id": one.id,
        "profile": one.profile.slug,
        "tier": one.tier,
        "score": one.score,
        "reasons": one.reasons,
        "held": False,
        "filed": one.filed,
        "kind": one.kind,
        "story": one.story,
        "revision": one.revision.number,
        "matched_at": shared.as_time(one.created_at),
        "entry": _entry(one.entry),
    }


def _entry(one: "Entry") -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "title": one.title,
        "source": one.source_id,
        "published_at": shared.as_time(one.published_at),
    }
