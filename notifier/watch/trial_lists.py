"""Searches of a trial registry: their further pages, and the trials that they no longer find.

Reads only. Owns where a list of trials ends.
"""

from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.models import Entry, Source
from notifier.watch import source_lists
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.keys import KeyKind
from notifier.watch.parsers import clinicaltrials
from notifier.watch.parsers.observation import ParsedDocument
from notifier.watch.poll_state import PollState
from notifier.watch.stored import Stored

# Limits chosen by hand; not measured.

# Pages of a search that are read in one poll: nobody watches so many trials, and some servers never
# end a list.
MOST_PAGES = 50
# Trials that a search no longer finds and whose records are requested in one poll, the newest.
_MOST_UNLISTED = 200


def is_search(source: Source) -> bool:
    """Return whether a source is a search, which lists trials."""
    return source.kind is SourceKind.REGISTRY and clinicaltrials.is_search(source.url)


def more_trials(
    session: Session,
    source: Source,
    response: Response,
    document: ParsedDocument,
    state: PollState,
) -> list[Request]:
    """Return the request for a search's next page; after the last page, for the missing records."""
    next_host = urlsplit(document.next_url).netloc
    if document.next_url and next_host == urlsplit(response.url).netloc:
        state.pages[source.id].add(document.next_url)
        return [Request(source.id, document.next_url, purpose=Purpose.NEXT_PAGE)]
    if not is_search(source):
        return []
    followed = source_lists.followed_trials(session)
    trials = [
        KeyKind.GUID.name_in(entry.key)
        for entry in _unlisted(session, source, state.listed[source.id])
    ]
    return [
        Request(source.id, clinicaltrials.record_url(source.url, trial), purpose=Purpose.RECORD)
        for trial in trials
        if trial not in followed
    ]


def _unlisted(session: Session, source: Source, listed: set[int]) -> list[Entry]:
    """Return the entries of a search that it no longer finds, the newest two hundred."""
    statement = select(Entry.id).where(Entry.source_id == source.id).order_by(Entry.id.desc())
    left = [entry_id for entry_id in session.scalars(statement) if entry_id not in listed]
    newest = select(Entry).where(Entry.id.in_(left[:_MOST_UNLISTED])).order_by(Entry.id)
    return list(session.scalars(newest))


def endless(source: Source, url: str, repeats: bool, state: PollState) -> str:
    """Return the reason why a list is not read any further; empty if its next page is requested.

    The rest of such a list is unknown, so no trial counts as one that left it.

    Args:
        source: the search.
        url: the address of its next page.
        repeats: whether the last page named only trials that earlier ones had named.
        state: the poll.
    """
    requested = state.pages[source.id]
    if repeats or url in requested:
        return f"its list of trials repeats itself after {len(requested) + 1} pages"
    if len(requested) + 1 >= MOST_PAGES:
        return (
            f"its list of trials does not end after {MOST_PAGES} pages: narrow the search, or ask"
            " for more trials on a page (pageSize=1000)"
        )
    return ""


def as_of_request(source: Source, stored: Stored, state: PollState) -> list[Request]:
    """Return the request for the date of a registry's data, once a poll, if something is new."""
    if not (stored.new or stored.changed):
        return []
    url = clinicaltrials.as_of_url(source.url)
    requested = url in state.dated_by
    state.dated_by.setdefault(url, []).append(source.id)
    return [] if requested else [Request(source.id, url, purpose=Purpose.AS_OF)]
