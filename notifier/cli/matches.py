"""`notifier matches`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import door

if TYPE_CHECKING:
    from notifier.store.models import Match

app = door.group("matches", "What concerns a profile, and why.")


@app.command("list")
def list_(
    profile: door.Profile = None,
    tier: Annotated[str | None, typer.Option(help="about, mention or related.")] = None,
    json: door.Json = False,
) -> None:
    """Show matches with tier, score and reasons, newest first."""
    from notifier.match import matches, profiles
    from notifier.store.statuses import Tier

    with door.opened() as deps, deps.reading() as session:
        chosen = profiles.find(session, profile) if profile else None
        rows = [_row(one) for one in matches.listed(session, chosen, door.choice(Tier, tier, "--tier"))]
    if json:
        door.print_json(rows)
        return
    table = [
        (row["id"], row["tier"], row["score"], row["kind"], row["entry"]["title"], "; ".join(row["reasons"]))
        for row in rows
    ]
    door.print_table(("id", "tier", "score", "kind", "title", "reasons"), table, "Nothing matched yet.")


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
        "story": None,
        "revision": one.revision.number,
        "matched_at": door.as_time(one.created_at),
        "entry": {
            "id": one.entry.id,
            "url": one.entry.url,
            "title": one.entry.title,
            "source": one.entry.source_id,
            "published_at": door.as_time(one.entry.published_at),
        },
    }
