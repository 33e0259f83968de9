"""Digests: the list of what waits, goes out, comes next and was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from notifier.deliver.outbox import stop as outbox_stop
from notifier.digest import digests, issues
from notifier.errors import InputError
from notifier.match import news_list, profiles
from notifier.store.models import Digest
from notifier.subscribers.readers_ahead import Waiting
from notifier.text.cleaning import clean
from notifier.web.operator import rendering, words
from notifier.web.operator.access import action, page
from notifier.web.operator.digests import digest_actions, digest_page, digest_words, next_digest
from notifier.web.operator.digests.digest_words import State
from notifier.web.operator.visit import Visit, number_of
from notifier.web.operator.words import Clock

# Rows of a section on the first page, and of a page of one section. Chosen by hand.
_FEW, _MANY = 10, 50
_LONGEST_SEARCH = 200
# The groups of the list: the statuses, the heading, and what is said where there is none.
_GROUPS = {
    "waiting": (
        issues.WAITING,
        "Wait for a decision",
        "Nothing waits: no draft is to be approved, and nothing is held.",
    ),
    "going-out": (issues.GOING_OUT, "Go out", "Nothing is being sent at present."),
    "sent": (issues.SENT, "Sent", "Nothing was sent yet."),
    "ended": (
        issues.ENDED,
        "Not sent",
        "Every digest was sent: none was dropped, none reached nobody.",
    ),
}


@dataclass(frozen=True)
class Row:
    """A digest in the list.

    Attributes:
        digest: with its profile.
        title: what it is.
        when: the time that matters, in words.
        number: how many readers it has, in words.
        items: how many matches it shows.
        state: in words.
    """

    digest: Digest
    title: str
    when: str
    number: str
    items: int
    state: State


def routes() -> list[Route]:
    """Return the routes under ``/operator/digests``."""
    return [
        Route("/operator/digests", page(show), methods=["GET"]),
        Route("/operator/digests/next", page(next_digest.show), methods=["GET"]),
        Route("/operator/digests/next/mail", page(next_digest.show_mail), methods=["GET"]),
        *(
            Route(f"/operator/digests/{path}", action(handler), methods=["POST"])
            for path, handler in digest_actions.OF_ALL.items()
        ),
        Route("/operator/digests/{digest}", page(digest_page.show), methods=["GET"]),
        Route("/operator/digests/{digest}/mail", page(digest_page.show_mail), methods=["GET"]),
        *(
            Route(
                f"/operator/digests/{{digest}}/{path}",
                action(handler, limits=digest_actions.LIMITS),
                methods=["POST"],
            )
            for path, handler in digest_actions.OF_DIGEST.items()
        ),
    ]


def show(visit: Visit) -> Response:
    """Show the list: all groups in short, or one of them in pages; of all therapies, or of some."""
    query = visit.query
    shown = query.get("show", "")
    shown = shown if shown in (*_GROUPS, "next") else ""
    therapy = clean(query.get("profile", ""))[:_LONGEST_SEARCH]
    problem = ""
    with visit.deps.reading() as session:
        try:
            profile_ids = news_list.profiles_named(session, therapy) if therapy else ()
        except InputError as error:
            # What is wrong in the search must not look like a search that was done.
            problem, profile_ids = error.problem, ()
        stopped_at = outbox_stop.stopped_at(session)
        clock = visit.clock
        values = {
            "show": shown,
            "therapy": therapy,
            "problem": problem,
            "has_choice": bool(therapy) or profiles.number_stored(session) > 1,
            "tabs": _tabs(session, profile_ids),
            "link": partial(_link, therapy),
            "is_reviewed": visit.deps.settings.review.required,
            "lead_hours": visit.deps.settings.review.lead_hours,
            "stopped_at": clock.full(stopped_at) if stopped_at else "",
            "zone": clock.zone,
            "groups": [],
            "next": None,
        }
        if not problem:
            values |= _listed(visit, session, shown, profile_ids)
    status = 422 if problem else 200
    return rendering.show(visit, "digests", values, section="digests", status=status)


def _link(therapy: str, show: str = "", **fields: object) -> str:
    """Return the address of the list with these choices, behind ``/operator/``."""
    choices = {"show": show, "profile": therapy, **fields}
    query = urlencode({name: value for name, value in choices.items() if value != ""})
    return f"digests?{query}" if query else "digests"


def _listed(
    visit: Visit, session: Session, shown: str, profile_ids: Sequence[int]
) -> dict[str, object]:
    """Return what a tab shows: its groups of digests, and those that come next."""
    if shown == "next":
        return {"next": next_digest.chosen_day(visit, session, profile_ids, _MANY)}
    if shown:
        before = number_of(visit.query.get("before", ""))
        return {"groups": [_group(visit, session, shown, _MANY, profile_ids, before)]}
    groups = ("waiting", "going-out", "sent")
    return {
        "groups": [_group(visit, session, name, _FEW, profile_ids) for name in groups],
        "next": next_digest.first_day(visit, session, profile_ids, _FEW),
    }


def _tabs(session: Session, profile_ids: Sequence[int]) -> list[tuple[str, str]]:
    names = [("", "All")]
    for name in ("waiting", "going-out"):
        count = issues.count(session, _GROUPS[name][0], profile_ids)
        names.append((name, f"{_GROUPS[name][1]} ({count:,})"))
    return [*names, ("next", "Come next"), ("sent", "Sent"), ("ended", "Not sent")]


def _group(
    visit: Visit,
    session: Session,
    name: str,
    limit: int,
    profile_ids: Sequence[int],
    before: int = 0,
) -> dict[str, object]:
    statuses, heading, empty = _GROUPS[name]
    listed = issues.listed(session, statuses, limit + 1, before, profile_ids)
    rows = _rows(visit, session, visit.clock, listed[:limit])
    older = listed[limit - 1].id if len(listed) > limit else 0
    return {"name": name, "heading": heading, "empty": empty, "rows": rows, "older": older}


def _rows(visit: Visit, session: Session, clock: Clock, listed: Sequence[Digest]) -> list[Row]:
    items = issues.item_counts(session, [digest.id for digest in listed])
    counted: dict[object, Waiting] = {}
    rows = []
    for digest in listed:
        planned = digests.recipients(session, digest)
        is_open = digest.open_until is not None and not planned
        if is_open:
            number = digest_words.expected(
                digest, digest_page.waiting_for(session, digest, counted)
            )
        else:
            number = words.readers(planned)
        rows.append(
            Row(
                digest,
                issues.title_of(digest),
                clock.short(digest.due_at or digest.composed_at),
                number,
                items.get(digest.id, 0),
                digest_words.state_of(digest, clock, visit.now, planned),
            )
        )
    return rows
