"""The pages of the sources: the list, and one source with its health over time.

They read. What an editor does about a source is in `source_actions.py`, adding one in
`source_adding.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response

from notifier.enums import SourceKind
from notifier.errors import NotFoundError
from notifier.operators import actions
from notifier.store.models import Source
from notifier.text.cleaning import clean, shorten
from notifier.watch import source_overview
from notifier.watch.parsers.clinicaltrials import trial_of
from notifier.watch.source_overview import Part
from notifier.web.operator import rendering
from notifier.web.operator.charts import series_charts
from notifier.web.operator.charts.chart_parts import Caption, day_text, short_day
from notifier.web.operator.charts.series_charts import Series
from notifier.web.operator.sources import source_fields, source_words
from notifier.web.operator.sources.source_fields import SourceFields
from notifier.web.operator.visit import Visit, number_of

# Of a page of the list; of sources in trouble above it; of entries; of lines of the log.
_ROWS, _TROUBLES, _ENTRIES, _ACTIONS = 50, 5, 20, 10
# What the charts show.
_DAYS, _WEEKS = 40, 26
_LONGEST_SEARCH = 200
_PARTS = {Part.ALL: "All", Part.TROUBLE: "In trouble", Part.PAUSED: "Paused"}


class Shown(NamedTuple):
    """The parts of a source's page that are not stored.

    Attributes:
        fields: what was typed; None for what is stored.
        errors: what is wrong, by the field.
        is_stale: whether the source was changed by somebody else meanwhile.
        status: the HTTP status.
    """

    fields: SourceFields | None = None
    errors: Mapping[str, str] = {}
    is_stale: bool = False
    status: int = 200


def show_list(visit: Visit) -> Response:
    """Show the sources by name, a page at a time, those in trouble first."""
    query = visit.query
    part = Part(query["part"]) if query.get("part") in [*Part] else Part.ALL
    search = clean(query.get("search", ""))[:_LONGEST_SEARCH]
    number = max(1, number_of(query.get("page", "")))
    with visit.deps.reading() as session:
        counts = {
            each: source_overview.listed(session, visit.now, part=each, limit=0)[1] for each in Part
        }
        sources, total = source_overview.listed(
            session,
            visit.now,
            part=part,
            search=search,
            start=(number - 1) * _ROWS,
            limit=_ROWS,
        )
        is_first = part is Part.ALL and not search and number == 1
        troubles = source_overview.listed(
            session, visit.now, part=Part.TROUBLE, limit=_TROUBLES if is_first else 0
        )[0]
        rhythms = source_overview.rhythms(session, sources, visit.now)
        rows = [_row(source, rhythms[source.id], visit) for source in sources]
        trouble_rows = [_trouble(source, visit) for source in troubles]
    pages = max(1, -(-total // _ROWS))
    values = {
        "rows": rows,
        "troubles": trouble_rows,
        "tabs": [(str(each), _PARTS[each], counts[each]) for each in Part],
        "part": str(part),
        "search": search,
        "total": total,
        "page": number,
        "pages": pages,
        "earlier": _place(part, search, number - 1) if number > 1 else "",
        "later": _place(part, search, number + 1) if number < pages else "",
    }
    return rendering.show(visit, "sources", values, section="sources")


def _place(part: Part, search: str, number: int) -> str:
    return f"sources?{urlencode({'part': str(part), 'search': search, 'page': number})}"


def _row(source: Source, rhythm: source_overview.Rhythm, visit: Visit) -> dict[str, Any]:
    now = visit.now
    next_poll = source_words.wait_text(source.next_poll_at, now)
    rests = source.paused_at is not None or source.gone_at is not None
    return {
        "id": source.id,
        "name": source.name,
        "host": shorten(source.url.partition("://")[2].partition("/")[0], 60),
        "kind": source_words.KINDS[source.kind],
        "state": source_words.state_of(source, now, visit.clock),
        "read": source_words.ago_text(source.last_success_at, now),
        "rhythm": source_words.rhythm_text(source, rhythm),
        "next": "not read now" if rests else f"again {next_poll}",
        "profiles": [profile.name for profile in source.profiles[:3]],
        "more_profiles": max(0, len(source.profiles) - 3),
    }


def _trouble(source: Source, visit: Visit) -> dict[str, Any]:
    state = source_words.state_of(source, visit.now, visit.clock)
    return {"id": source.id, "name": source.name, "state": state}


def show(visit: Visit) -> Response:
    """Show a source."""
    return show_again(visit, visit.number("source"), Shown())


def show_again(visit: Visit, source_id: int, shown: Shown) -> Response:
    """Show a source, with what was typed and what is wrong with it.

    Raises:
        NotFoundError: it is not watched.
    """
    before = number_of(visit.query.get("before", ""))
    with visit.deps.reading() as session:
        source = session.get(Source, source_id)
        if source is None or source.removed_at is not None:
            raise _missing(session, source, visit)
        offer = source_fields.offer(session)
        entries = source_overview.entries_of(session, source, before, _ENTRIES + 1)
        done = actions.newest(session, about=about(source_id), limit=_ACTIONS)
        values = {
            "source": _heading(source),
            "state": source_words.state_of(source, visit.now, visit.clock),
            "facts": _facts(session, visit, source),
            "charts": [_polls(source, visit.now), _weeks(session, source, visit.now)],
            "entries": [_entry(entry, states, visit) for entry, states in entries[:_ENTRIES]],
            "older": entries[_ENTRIES - 1][0].id if len(entries) > _ENTRIES else 0,
            "is_beginning": not before,
            "fields": shown.fields or source_fields.of_source(source, offer),
            "mark": source_fields.mark_of(source),
            "offer": offer,
            "tiers": source_words.TIERS,
            "errors": shown.errors,
            "is_stale": shown.is_stale,
            "actions": [_action(action, visit) for action in done],
        }
    return rendering.show(visit, "source", values, section="sources", status=shown.status)


def about(source_id: int) -> str:
    """Return how the operators' log names a source."""
    return f"source {source_id}"


def _missing(session: Session, source: Source | None, visit: Visit) -> NotFoundError:
    if source is None:
        return NotFoundError("There is no such source.", "")
    removed = visit.clock.dated(source.removed_at)
    last = next(iter(actions.newest(session, about=about(source.id), limit=1)), None)
    by = f" by {last.name}" if last is not None and last.kind == "removed" else ""
    return NotFoundError(
        f"The source {source.name} was removed{by} on {removed}. What it published stays.", ""
    )


def _heading(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "name": source.name,
        "url": source.url,
        "kind": source_words.KINDS[source.kind],
        "tier": source_words.TIERS[source.authority],
        "is_paused": source.paused_at is not None,
        "profiles": [(profile.slug, profile.name) for profile in source.profiles],
        "trial": trial_of(source.url) if source.kind is SourceKind.REGISTRY else "",
    }


def _facts(session: Session, visit: Visit, source: Source) -> list[tuple[str, str]]:
    now = visit.now
    rhythm = source_overview.rhythms(session, [source], now)[source.id]
    facts = [
        ("Last read", _both(source.last_success_at, visit)),
        ("Read next", _next(source, visit)),
        ("Rhythm", source_words.rhythm_text(source, rhythm)),
        ("Last new content", _both(source.changed_at, visit)),
        ("Watched since", visit.clock.dated(source.created_at)),
    ]
    if source.ttl_minutes:
        facts.append(("The site asks", f"to be read every {source.ttl_minutes:,} minutes at most"))
    if source.left_out:
        facts.append(("Left out", f"{source.left_out:,} older items, which are too many to read"))
    if source.as_of is not None:
        facts.append(("Data of the registry", f"as of {visit.clock.dated(source.as_of)}"))
    if source.moved_to and source.moved_seen_at is not None:
        seen = visit.clock.dated(source.moved_seen_at)
        target = f"it leads to {source.moved_to}, which becomes its address if that stays so"
        facts.append(("Moving", f"since {seen} {target}"))
    return facts + _manners(session, visit, source)


def _manners(session: Session, visit: Visit, source: Source) -> list[tuple[str, str]]:
    manners = source_overview.manners(session, source, visit.deps.settings.user_agent, visit.now)
    if manners is None:
        return []
    facts = []
    if manners.waits_until is not None:
        until = visit.clock.dated(manners.waits_until)
        facts.append(("Pages of articles", f"the site asks to be left alone until {until}"))
    if manners.robots_at is not None and not manners.is_allowed:
        facts.append(("Pages of articles", "the site's robots.txt does not allow to read them"))
    return facts


def _both(moment: datetime | None, visit: Visit) -> str:
    if moment is None:
        return "never"
    return f"{source_words.ago_text(moment, visit.now)} ({visit.clock.dated(moment)})"


def _next(source: Source, visit: Visit) -> str:
    if source.paused_at is not None:
        return "not while it is paused"
    if source.gone_at is not None:
        return "not any more: the site says that it is gone"
    wait = source_words.wait_text(source.next_poll_at, visit.now)
    return f"{wait} ({visit.clock.dated(source.next_poll_at)})"


def _polls(source: Source, now: datetime) -> Markup:
    """Draw how often the source was read each day, and how often that failed."""
    days = [now.date() - timedelta(days=ago) for ago in range(_DAYS - 1, -1, -1)]
    keys = [day.isoformat() for day in days]
    first = min([*source.poll_counts, *source.failure_counts, keys[-1]])
    shown = [number for number, key in enumerate(keys) if key >= first]
    has_polls = bool(source.poll_counts or source.failure_counts)
    caption = Caption(
        "readings",
        "Readings a day",
        "readings",
        first="Day",
        note=f"Of the last {_DAYS} days, in UTC." if has_polls else "",
        empty="The first day appears here after the first reading.",
    )
    if not has_polls:
        return series_charts.bars(caption, [], [])
    well = [source.poll_counts.get(keys[number], 0) for number in shown]
    failed = [source.failure_counts.get(keys[number], 0) for number in shown]
    series = [
        Series("read", well, series_charts.GOOD),
        Series("failed", failed, series_charts.TROUBLE),
    ]
    return series_charts.stacked_bars(
        caption, [short_day(days[number]) for number in shown], series
    )


def _weeks(session: Session, source: Source, now: datetime) -> Markup:
    """Draw how much new there was each week."""
    monday = datetime.combine(now.date() - timedelta(days=now.weekday()), time(), UTC)
    mondays = [monday + timedelta(weeks=week) for week in range(1 - _WEEKS, 2)]
    begin = source.baselined_at or now
    mondays = [day for day in mondays if day + timedelta(weeks=1) > begin] or mondays[-2:]
    numbers = source_overview.per_week(session, source, mondays)
    is_feed = source.kind is SourceKind.FEED
    caption = Caption(
        "new",
        "New entries a week" if is_feed else "Changes a week",
        "entries" if is_feed else "changes",
        first="Week from",
        note="Weeks begin on Monday, in UTC; what was there before it was watched is not counted.",
    )
    return series_charts.bars(caption, [short_day(day) for day in mondays[:-1]], numbers)


def _entry(entry: Any, states: int, visit: Visit) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title or entry.url,
        "published": day_text(entry.published_at) if entry.published_at else "no date",
        "seen": visit.clock.dated(entry.first_seen_at),
        "changes": states - 1,
        "is_missing": entry.missing_since is not None,
    }


def _action(action: Any, visit: Visit) -> dict[str, str]:
    return {
        "at": visit.clock.dated(action.at),
        "name": action.name,
        "text": action.text,
        "reason": action.reason,
    }
