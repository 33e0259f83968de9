"""`notifier matches`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.enums import Tier
    from notifier.store.models import Entry, Match, NearMiss, Profile

app = shared.group("matches", "The news that concerns a profile, with the reasons.")

_HEADINGS = ("id", "tier", "score", "kind", "title", "reasons")


@app.command("list")
def list_(
    profile: shared.Profile = None,
    tier: Annotated[
        str | None, typer.Option(metavar="TIER", help="about, mention or related.")
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Show near misses, with the reason why each is held.")
    ] = False,
    json: shared.Json = False,
) -> None:
    """Show matches with tier, score and reasons, newest first.

    With --held: near misses instead, which are held back until they are released.
    """
    from notifier.enums import Tier
    from notifier.match import profiles

    wanted = shared.optional_member(Tier, tier, "--tier")
    with shared.open_deps() as deps, deps.reading() as session:
        stored = profiles.find(session, profile) if profile else None
        rows = (_near_misses if held else _matches)(session, stored, wanted)
    if json:
        shared.print_json(rows)
        return
    empty = "Nothing is held back." if held else "Nothing has matched yet."
    shared.print_table(_HEADINGS, [_cells(row) for row in rows], empty)
    if held and rows:
        shared.say("\nTo include one in the next digests: notifier matches release ID")


@app.command("release")
def release(
    near_miss_id: Annotated[
        int, typer.Argument(metavar="ID", help="As `matches list --held` shows it.")
    ],
    now: shared.Now = "",
) -> None:
    """Make a held near miss a match, for the next digests."""
    from notifier.match import batches, matches

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            first_match_id = batches.first_match_of_story(session, near_miss_id, deps.now())
        with deps.writing() as session:
            match = matches.release(session, near_miss_id, deps.now(), first_match_id)
            text = f"Released as match {match.id} ({match.tier}): {match.entry.title}"
    shared.say(text)


def _matches(
    session: "Session", profile: "Profile | None", tier: "Tier | None"
) -> list[dict[str, Any]]:
    from notifier.match import matches

    return [_match_to_json(match) for match in matches.listed(session, profile, tier)]


def _near_misses(
    session: "Session", profile: "Profile | None", tier: "Tier | None"
) -> list[dict[str, Any]]:
    from notifier.match import matches

    near_misses = matches.list_near_misses(session, profile)
    return [
        _near_miss_to_json(near_miss) for near_miss in near_misses if tier in (None, near_miss.tier)
    ]


def _near_miss_to_json(near_miss: "NearMiss") -> dict[str, Any]:
    return {
        "id": near_miss.id,
        "profile": near_miss.profile.slug,
        "tier": near_miss.tier,
        "score": 0.0,
        "reasons": near_miss.reasons,
        "held": True,
        "filed": near_miss.baseline,
        "kind": "new",
        "story": None,
        "revision": near_miss.revision.number,
        "matched_at": shared.as_time(near_miss.held_at),
        "entry": _entry_to_json(near_miss.entry),
    }


def _match_to_json(match: "Match") -> dict[str, Any]:
    return {
        "id": match.id,
        "profile": match.profile.slug,
        "tier": match.tier,
        "score": match.score,
        "reasons": match.reasons,
        "held": False,
        "filed": match.filed,
        "kind": match.kind,
        "story": match.story,
        "revision": match.revision.number,
        "matched_at": shared.as_time(match.created_at),
        "entry": _entry_to_json(match.entry),
    }


def _entry_to_json(entry: "Entry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "source": entry.source_id,
        "published_at": shared.as_time(entry.published_at),
    }


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row["id"],
        row["tier"],
        row["score"],
        row["kind"],
        row["entry"]["title"],
        "; ".join(row["reasons"]),
    )
