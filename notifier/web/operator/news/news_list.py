"""News: the list of what the sources published, its search, and the addresses of its pages."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from notifier.enums import NewsKind, Tier
from notifier.errors import InputError
from notifier.match import news_list
from notifier.match.news_list import Wanted
from notifier.text import times
from notifier.web.operator import rendering
from notifier.web.operator.access import action, page
from notifier.web.operator.news import (
    news_changes,
    news_entry,
    news_held,
    news_matches,
    news_tabs,
    news_words,
)
from notifier.web.operator.visit import Visit, number_of

_ROWS = 40
_LONGEST_FIELD = 200
_FIELDS = ("title", "source", "profile", "tier", "kind", "since", "all", "source_id")


def routes() -> list[Route]:
    """Return the routes of the pages about news."""
    matches = {
        "drop": news_matches.drop,
        "restore": news_matches.restore,
        "join": news_matches.join,
        "separate": news_matches.separate,
    }
    return [
        Route("/operator/news", page(show), methods=["GET"]),
        Route("/operator/news/held", page(news_held.show), methods=["GET"]),
        Route("/operator/news/held", action(news_held.decide), methods=["POST"]),
        Route("/operator/news/changes", page(news_changes.show), methods=["GET"]),
        Route("/operator/news/entries/{entry}", page(news_entry.show), methods=["GET"]),
        *(
            Route(f"/operator/news/matches/{{match}}/{name}", action(handler), methods=["POST"])
            for name, handler in matches.items()
        ),
    ]


def show(visit: Visit) -> Response:
    """Show entries with what they matched, the newest first."""
    query = visit.query
    fields = {name: query.get(name, "").strip()[:_LONGEST_FIELD] for name in _FIELDS}
    before = number_of(query.get("before", ""))
    with visit.deps.reading() as session:
        wanted, problems = _wanted(session, visit, fields)
        # What is wrong in the search must not look like a search that was done.
        listed = None if problems else news_list.page(session, wanted, before, _ROWS)
        entries = listed.entries if listed else ()
        matches = news_list.matches_of(session, [entry.id for entry in entries])
        values = {
            "entries": entries,
            "matches": matches,
            "stories": news_list.stories_of(session, matches),
            "older": listed.older if listed else 0,
            "is_cut": bool(listed and listed.is_cut),
            "looked_at": news_list.LOOKED_AT,
            "before": before,
            "fields": fields,
            "problems": problems,
            "is_search": any(fields.values()),
            "has_choices": any(text for name, text in fields.items() if name != "title"),
            "query": urlencode({name: text for name, text in fields.items() if text}),
            "tabs": news_tabs.tabs(session, "news"),
            "words": news_words,
        }
    return rendering.show(visit, "news", values, section="news", status=422 if problems else 200)


def _wanted(
    session: Session, visit: Visit, fields: Mapping[str, str]
) -> tuple[Wanted, dict[str, str]]:
    """Return what is looked for, and what is wrong with a field, by its name."""
    values: dict[str, Any] = {"title": fields["title"], "matched": fields["all"] != "yes"}
    problems: dict[str, str] = {}
    for name, key, named in (
        ("source", "source_ids", news_list.sources_named),
        ("profile", "profile_ids", news_list.profiles_named),
    ):
        try:
            values[key] = named(session, fields[name]) if fields[name] else ()
        except InputError as error:
            problems[name] = error.problem
    if source_id := number_of(fields["source_id"]):
        values["source_ids"] = (source_id,)
    values["tier"] = Tier(fields["tier"]) if fields["tier"] in set(Tier) else None
    values["kind"] = NewsKind(fields["kind"]) if fields["kind"] in set(NewsKind) else None
    try:
        values["since"] = _since(visit, fields["since"])
    except ValueError:
        problems["since"] = "Write a day like 2026-03-02."
    return Wanted(**values), problems


def _since(visit: Visit, text: str) -> datetime | None:
    """Return the start of a day in the installation's time zone, in UTC; None for no day.

    Raises:
        ValueError: it is no day.
    """
    if not text:
        return None
    zone = times.zone_or_utc(visit.deps.settings.schedule.time_zone)
    return datetime.combine(times.day(text), time(), zone).astimezone(UTC)
