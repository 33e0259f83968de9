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
_HELD_HEADINGS = ("id", "tier", "kind", "title", "held because", "reasons")

MatchId = Annotated[int, typer.Argument(metavar="ID", help="As `matches list` shows it.")]


@app.command("list")
def list_(
    profile: shared.Profile = None,
    tier: Annotated[
        str | None, typer.Option(metavar="TIER", help="about, mention or related.")
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Show what waits for you, with the reason why.")
    ] = False,
    limit: shared.Limit = None,
    json: shared.Json = False,
) -> None:
    """Show matches with tier, score and reasons, newest first.

    With --held: the matches that are held until a person releases or drops them.
    """
    from notifier.enums import Tier
    from notifier.match import matches, profiles

    wanted = shared.optional_member(Tier, tier, "--tier")
    with shared.open_deps() as deps, deps.reading() as session:
        stored = profiles.find(session, profile) if profile else None
        if json and not held:
            newest = matches.one_by_one(session, stored, wanted, limit)
            shared.print_json_rows(map(_match_to_json, newest))
            return
        read = _held_matches if held else _matches
        rows, total = read(session, stored, wanted, shared.row_limit(limit, json=json))
    if json:
        shared.print_json(rows)
    elif held:
        cells = [_held_cells(row) for row in rows]
        shared.print_table(_HELD_HEADINGS, cells, "Nothing is held back.")
        shared.say_if_cut(len(rows), total)
        if rows:
            shared.say("\nTo include one in the next digests: notifier matches release ID")
            shared.say("To drop one: notifier matches drop ID --held --because TEXT")
    else:
        shared.print_table(_HEADINGS, [_cells(row) for row in rows], "Nothing has matched yet.")
        shared.say_if_cut(len(rows), total)


@app.command("release")
def release(
    held_id: Annotated[
        int, typer.Argument(metavar="ID", help="As `matches list --held` shows it.")
    ],
    now: shared.Now = "",
) -> None:
    """Make a held match an ordinary one, for the next digests.

    A correction or a withdrawal goes to those who were sent the entry.
    """
    from notifier.match import batches, matches

    with shared.open_deps(now) as deps:
        with deps.reading() as session:
            first_match_id = batches.first_match_of_story(session, held_id, deps.now())
        with deps.writing() as session:
            match = matches.release(session, held_id, deps.now(), first_match_id)
            text = f"Released as match {match.id} ({match.tier}): {match.entry.title}"
    shared.say(text)


@app.command("drop")
def drop(
    match_id: MatchId,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; for the list.")],
    held: Annotated[
        bool, typer.Option("--held", help="ID is one of `matches list --held`.")
    ] = False,
    now: shared.Now = "",
) -> None:
    """Keep a match out of all further digests.

    What was sent stays sent. A draft that contains it is void, and composed anew by the next run.
    """
    from notifier.admin import review

    with shared.open_deps(now) as deps:
        dropped = (review.drop_held_match if held else review.drop_match)(deps, match_id, because)
    shared.say(f"Dropped {'held match' if held else 'match'} {match_id}: {dropped.title}")
    for draft in dropped.drafts:
        if not draft.was_sent:
            shared.say(
                f"Draft {draft.digest_id} is void; the next run composes it anew without this."
            )
    if not held:
        shared.say(f"To take it back: notifier matches restore {match_id}")


@app.command("restore")
def restore(match_id: MatchId, now: shared.Now = "") -> None:
    """Take back that a match was dropped.

    It goes into the next digest of everybody who was not sent it.
    """
    from notifier.admin import review

    with shared.open_deps(now) as deps:
        restored = review.restore_match(deps, match_id)
    shared.say(f"Restored match {match_id}: {restored.title}")


def _matches(
    session: "Session", profile: "Profile | None", tier: "Tier | None", limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    from notifier.match import matches

    rows = [_match_to_json(match) for match in matches.listed(session, profile, tier, limit)]
    return rows, matches.number_stored(session, profile, tier) if limit else len(rows)


def _held_matches(
    session: "Session", profile: "Profile | None", tier: "Tier | None", limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    from notifier.match import held

    rows = [_held_to_json(near_miss) for near_miss in held.listed(session, profile, tier, limit)]
    return rows, held.number_waiting(session, profile, tier) if limit else len(rows)


def _held_to_json(near_miss: "NearMiss") -> dict[str, Any]:
    return {
        "id": near_miss.id,
        "profile": near_miss.profile.slug,
        "tier": near_miss.tier,
        "score": near_miss.score,
        "reasons": near_miss.reasons,
        "held": True,
        "held_because": near_miss.because,
        "dropped_because": None,
        "filed": near_miss.baseline,
        "kind": near_miss.kind,
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
        "held_because": None,
        "dropped_because": match.dropped_because or None,
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


def _held_cells(row: dict[str, Any]) -> tuple[object, ...]:
    from notifier.match.held import SENTENCES

    return (
        row["id"],
        row["tier"],
        row["kind"],
        row["entry"]["title"],
        SENTENCES[row["held_because"]],
        "; ".join(row["reasons"]),
    )
