"""`notifier matches`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import filters, shared
from notifier.cli.tables import Column, Kind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from notifier.digest.drafts import Ended
    from notifier.match.filters import Filter
    from notifier.store.models import Entry, Match, NearMiss

app = shared.group("matches", "The news that concerns a profile, with the reasons.")

_COLUMNS = (
    Column("id"),
    Column("profile", Kind.TEXT, 3),
    Column("tier"),
    Column("score", drop=2),
    Column("kind"),
    Column("matched", Kind.DAY, 1),
    Column("title", Kind.TEXT),
    Column("reasons", Kind.TEXT),
)
_HELD_COLUMNS = (
    Column("id"),
    Column("profile", Kind.TEXT, 2),
    Column("tier"),
    Column("kind"),
    Column("held", Kind.DAY, 1),
    Column("title", Kind.TEXT),
    Column("held because", Kind.TEXT),
    Column("reasons", Kind.TEXT, 3),
)

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
    source: filters.Source = None,
    since: filters.Since = "",
    limit: shared.Limit = None,
    wide: filters.Wide = False,
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Show matches with tier, score and reasons, newest first.

    With --held: the matches that are held until a person releases or drops them. --since counts
    from when they matched, or were held.
    """
    from notifier.enums import Tier
    from notifier.match import matches, profiles
    from notifier.match.filters import Filter

    wanted_tier = shared.optional_member(Tier, tier, "--tier")
    with shared.open_deps(now) as deps, deps.reading() as session:
        wanted = Filter(
            profiles.find(session, profile) if profile else None,
            wanted_tier,
            filters.source_id(session, source),
            filters.since(since, deps.now()),
        )
        if json and not held:
            newest = matches.one_by_one(session, wanted, limit)
            shared.print_json_rows(map(_match_to_json, newest))
            return
        read = _held_matches if held else _matches
        rows, total = read(session, wanted, shared.row_limit(limit, json=json))
    _print(rows, total, held=held, json=json, wide=wide, filtered=wanted != Filter())


def _print(
    rows: list[dict[str, Any]], total: int, *, held: bool, json: bool, wide: bool, filtered: bool
) -> None:
    """Print the rows, and what can be done with those that are held."""
    if json:
        shared.print_json(rows)
    elif held:
        cells = [_held_cells(row) for row in rows]
        empty = "Nothing like that is held back." if filtered else "Nothing is held back."
        shared.print_table(_HELD_COLUMNS, cells, empty, wide=wide)
        shared.say_if_cut(len(rows), total)
        if rows:
            shared.say("\nTo include one in the next digests: notifier matches release ID")
            shared.say("To drop one: notifier matches drop ID --held --because TEXT")
    else:
        empty = "There is no match like that." if filtered else "Nothing has matched yet."
        shared.print_table(_COLUMNS, [_cells(row) for row in rows], empty, wide=wide)
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
    from notifier.admin import news_review

    with shared.open_deps(now) as deps:
        match = news_review.release(deps, held_id)
    shared.say(f"Released as match {match.match_id} ({match.tier}): {match.title}")


@app.command("drop")
def drop(
    match_id: MatchId,
    because: shared.Because,
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


@app.command("join")
def join(
    match_id: MatchId,
    other_id: Annotated[int, typer.Argument(metavar="ID", help="A report of another outlet.")],
    now: shared.Now = "",
) -> None:
    """Make one story of two reports: digests show them as one item.

    What was sent stays as it is. A draft that shows them as two is void.
    """
    from notifier.admin import news_review

    with shared.open_deps(now) as deps:
        moved = news_review.join(deps, match_id, other_id)
    shared.say(f"Joined match {match_id} and match {other_id}: {moved.title}")
    _say_ended(moved.drafts)


@app.command("separate")
def separate(match_id: MatchId, now: shared.Now = "") -> None:
    """Show a report as an item of its own, apart from its story.

    What was sent stays as it is. A draft that shows it with the others as one item is void.
    """
    from notifier.admin import news_review

    with shared.open_deps(now) as deps:
        moved = news_review.separate(deps, match_id)
    shared.say(f"Separated match {match_id}: {moved.title}")
    _say_ended(moved.drafts)


def _say_ended(drafts: "Sequence[Ended]") -> None:
    for draft in drafts:
        if not draft.was_sent:
            shared.say(f"Draft {draft.digest_id} is void; the next run composes it anew.")


def _matches(
    session: "Session", wanted: "Filter", limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    from notifier.match import matches

    rows = [_match_to_json(match) for match in matches.listed(session, wanted, limit)]
    return rows, matches.number_stored(session, wanted) if limit else len(rows)


def _held_matches(
    session: "Session", wanted: "Filter", limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    from notifier.match import held

    rows = [_held_to_json(near_miss) for near_miss in held.listed(session, wanted, limit)]
    return rows, held.number_waiting(session, wanted) if limit else len(rows)


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
        row["profile"],
        row["tier"],
        row["score"],
        row["kind"],
        row["matched_at"],
        row["entry"]["title"],
        "; ".join(row["reasons"]),
    )


def _held_cells(row: dict[str, Any]) -> tuple[object, ...]:
    from notifier.match.held import SENTENCES

    return (
        row["id"],
        row["profile"],
        row["tier"],
        row["kind"],
        row["matched_at"],
        row["entry"]["title"],
        SENTENCES[row["held_because"]],
        "; ".join(row["reasons"]),
    )
