"""Profiles: the list of them, and a page for each."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from notifier.admin import profile_edit
from notifier.enums import Health, Tier
from notifier.match import estimates, matches, profile_list, removed_profiles
from notifier.match import profiles as stored_profiles
from notifier.store.models import Source
from notifier.subscribers import followers, profile_endings
from notifier.watch import source_lists
from notifier.watch.health import health
from notifier.web.operator import rendering, words
from notifier.web.operator.access import action, page
from notifier.web.operator.charts import chart_parts, series_charts
from notifier.web.operator.charts.series_charts import Series
from notifier.web.operator.profiles import (
    profile_adding,
    profile_editing,
    profile_history,
    profile_removal,
)
from notifier.web.operator.profiles.profile_decisions import THREADS
from notifier.web.operator.profiles.profile_form import KINDS, TIERS
from notifier.web.operator.visit import Visit, number_of

_SIZE, _WEEKS = 50, 13
# A removal that was interrupted is shown for so long.
_REMOVED_LATELY = timedelta(days=30)
# The class of the words for a bad state.
_TONES = {Health.FAILING: "wrong", Health.GONE: "wrong", Health.SILENT: "warn"}
# Sources that are listed; a profile has a few of its own, and those of every profile.
_MOST_SOURCES = 100


def routes() -> list[Route]:
    """Return the routes of the pages about profiles."""
    path = "/operator/profiles/{slug}"
    return [
        Route("/operator/profiles", page(show_all), methods=["GET"]),
        Route("/operator/new-profile", page(profile_adding.show), methods=["GET"]),
        Route(
            "/operator/new-profile",
            action(profile_adding.send, limits=profile_editing.LIMITS, threads=THREADS),
            methods=["POST"],
        ),
        Route(path, page(show), methods=["GET"]),
        *profile_editing.routes(path),
        Route(f"{path}/history", page(profile_history.show), methods=["GET"]),
        Route(
            f"{path}/history/{{number}}",
            page(profile_history.show_state, threads=THREADS),
            methods=["GET"],
        ),
        Route(
            f"{path}/history/{{number}}",
            action(profile_history.go_back, threads=THREADS),
            methods=["POST"],
        ),
        Route(f"{path}/remove", page(profile_removal.show, for_owners=True), methods=["GET"]),
        Route(f"{path}/remove", action(profile_removal.remove, for_owners=True), methods=["POST"]),
    ]


def show_all(visit: Visit) -> Response:
    """Show the profiles, fifty at a time, or those that a search finds."""
    query = visit.query
    search, number = query.get("search", "").strip(), number_of(query.get("page", "")) or 1
    with visit.deps.reading() as session:
        listed = profile_list.page(session, search, number, _SIZE)
        ids = [profile.id for profile in listed.profiles]
        since = visit.now - timedelta(days=estimates.DAYS)
        values = {
            "rows": [
                {
                    "slug": profile.slug,
                    "name": profile.name,
                    "stage": profile.stage,
                    "stage_as_of": profile.stage_as_of,
                    "id": profile.id,
                    "canaries": len(profile.document.get("canaries", ())),
                }
                for profile in listed.profiles
            ],
            "followers": followers.counts(session, ids),
            "people": words.people,
            "matches": matches.counts_since(session, ids, since),
            "failing": profile_list.failing_canaries(session, listed.profiles),
            "unfinished": _unfinished(session, visit) if visit.is_owner else [],
        }
    pages = -(-listed.total // _SIZE)
    shared = {"search": search, "total": listed.total, "page": number, "pages": pages}
    return rendering.show(visit, "profiles", {**values, **shared}, section="profiles")


def _unfinished(session: Session, visit: Visit) -> list[dict[str, str]]:
    """Return the profiles whose removal did not come to its end: some readers were not told."""
    return [
        {"slug": profile.slug, "name": profile.name}
        for profile in removed_profiles.removed_since(session, visit.now - _REMOVED_LATELY)
        if profile_endings.count_running(session, profile.id)
    ]


def show(visit: Visit) -> Response:
    """Show one profile: what it says, what it looks for, and what it watches."""
    slug = visit.word("slug")
    with visit.deps.reading() as session:
        profile = stored_profiles.find(session, slug)
        document = profile.document
        sources = source_lists.of_profile(session, profile, _MOST_SOURCES)
        since = visit.now - timedelta(days=estimates.DAYS)
        values = {
            "profile": profile,
            "document": document,
            "facts": stored_profiles.facts(profile),
            "approvals": [_approval(each) for each in document.get("approvals", ())],
            "groups": _groups(document),
            "canaries": _canaries(profile_edit.state_of(session, slug)),
            "sources": [_source(visit, each) for each in sources],
            "more_sources": source_lists.count_of_profile(session, profile) - len(sources),
            "followers": words.people(followers.counts(session, [profile.id]).get(profile.id, 0)),
            "matches": matches.counts_since(session, [profile.id], since).get(profile.id, 0),
            "chart": _chart(visit, matches.weekly_counts(session, profile.id, _mondays(visit.now))),
        }
    return rendering.show(visit, "profile", values, section="profiles")


def _mondays(now: datetime) -> list[datetime]:
    """Return the beginnings of the last thirteen weeks, UTC, the earliest first."""
    monday = (now - timedelta(days=now.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return [monday - timedelta(weeks=weeks) for weeks in reversed(range(_WEEKS))]


def _chart(visit: Visit, counts: Mapping[Tier, Sequence[int]]) -> Markup:
    labels = [f"{monday.day} {monday:%b}" for monday in _mondays(visit.now)]
    caption = chart_parts.Caption(
        "matches",
        "Matches per week",
        "matches",
        "Week from",
        empty="No match in the last thirteen weeks. When news matches, it is counted here.",
    )
    names = {Tier.ABOUT: "About it", Tier.MENTION: "Mention it", Tier.RELATED: "Related"}
    nothing = [0] * len(labels)
    series = [Series(name, counts.get(tier, nothing)) for tier, name in names.items()]
    return series_charts.stacked_bars(caption, labels, series if counts else [])


def _groups(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the terms by kind, in the order of the form; kinds without a term are left out."""
    groups = []
    for kind, (name, does) in KINDS.items():
        terms = [term for term in document.get("terms", ()) if term["kind"] == kind]
        if terms:
            groups.append({"name": name, "does": does, "terms": terms})
    return groups


def _canaries(state: profile_edit.State) -> list[dict[str, Any]]:
    tiers = profile_edit.stored_canary_tiers(state)
    return [
        {"title": canary["title"], "wanted": TIERS[canary["tier"]], "gets": TIERS[tier]}
        for canary, tier in zip(state.document.get("canaries", ()), tiers, strict=True)
    ]


def _approval(approval: Mapping[str, Any]) -> dict[str, Any]:
    as_of = approval.get("as_of")
    return {"since": "", **approval, "as_of": date.fromisoformat(as_of) if as_of else None}


def _source(visit: Visit, source: Source) -> dict[str, Any]:
    state = health(source, visit.now)
    return {
        "id": source.id,
        "name": source.name,
        "url": source.url,
        "health": str(state),
        "tone": _TONES.get(state, ""),
        "read_at": source.last_success_at,
    }
