"""The part of a poll that reads the pages of articles which feeds show as teasers.

Drives these requests: one at a time for each host, after its robots.txt was read, and none while
the host is left alone. Opens the transactions for them. Which pages are wanted is decided by
`watch/articles.py`, how a host is treated by `watch/hosts.py` and `watch/robots.py`.
"""

import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.match import unjudged
from notifier.store.models import Entry
from notifier.watch import articles, hosts, ingest, robots
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.parser_process import Parser, parse_document
from notifier.watch.parsers.observation import ParseError

log = logging.getLogger("notifier")


class _Page(NamedTuple):
    """The title and the text of an article's page, and whether nothing speaks against it."""

    title: str
    text: str
    sure: bool


class ArticlePages:
    """The article pages of one poll."""

    def __init__(self, deps: Deps, parser: Parser, now: datetime) -> None:
        self._deps = deps
        self._parser = parser
        self._now = now
        self._waiting: dict[str, deque[Request]] = defaultdict(deque)
        self._rules: dict[str, robots.Rules] = {}
        self._in_flight: set[str] = set()
        self._admitted: set[int] = set()

    def due(self, source_ids: Sequence[int]) -> list[Request]:
        """Return the first requests for the pages of these sources that are due."""
        with self._deps.reading() as session:
            wanted = articles.due(session, source_ids, self._now)
        return self.admit(wanted)

    def admit(self, requests: Iterable[Request]) -> list[Request]:
        """Return the requests that may be made now; those for further pages of a host wait.

        Args:
            requests: of any purpose; those that are not for articles are returned as they are.
        """
        others = []
        free = []
        for request in requests:
            if request.purpose is not Purpose.ARTICLE:
                others.append(request)
                continue
            if request.entry_id in self._admitted:
                continue
            self._admitted.add(request.entry_id)
            name = hosts.name_of(request.url)
            self._waiting[name].append(request)
            if name not in self._in_flight:
                self._in_flight.add(name)
                free.append(name)
        if free:
            with self._deps.writing() as session:
                others += self._next(session, free)
        return others

    def take(self, response: Response) -> list[Request]:
        """Store a page or a robots.txt, and return the next request to its host."""
        request = response.request
        name = hosts.name_of(request.url)
        page = self._page(response) if request.purpose is Purpose.ARTICLE else None
        with self._deps.writing() as session:
            host = hosts.many(session, [name])[name]
            if request.purpose is Purpose.ROBOTS:
                hosts.note_robots(host, response, self._now)
            else:
                hosts.note_page(host, response, self._now)
                if ingest.watched_source(session, request.source_id):
                    self._store(session, response, page)
            return self._next(session, [name])

    def _page(self, response: Response) -> _Page | None:
        """Return what a page says; None if it cannot be read."""
        try:
            document = parse_document(SourceKind.PAGE, response, self._parser)
        except ParseError:
            return None
        observation = document.observations[0]
        return _Page(observation.title, observation.body, document.whole and not document.doubt)

    def _store(self, session: Session, response: Response, page: _Page | None) -> None:
        entry = session.get(Entry, response.request.entry_id)
        if entry is None:
            return
        if page is None or not articles.is_about(entry, page.title, page.text):
            articles.note_failure(session, response, self._now)
            return
        if articles.store(session, entry.id, page.text, self._now):
            unjudged.requeue(session, entry.revisions[-1].id)
        if page.sure or articles.is_read_often(session, entry.id):
            articles.unwant(session, [entry.id])
        else:
            articles.note_failure(session, response, self._now)

    def _next(self, session: Session, names: Sequence[str]) -> list[Request]:
        """Return the next request to each of these hosts, which have none in flight."""
        requests = []
        for name, host in hosts.many(session, names).items():
            free_at = hosts.free_at(host, self._now)
            if free_at > self._now:
                waiting = [request.entry_id for request in self._waiting.pop(name, ())]
                articles.postpone(session, waiting, free_at, self._now)
            elif self._waiting[name] and hosts.needs_robots(host, self._now):
                first = self._waiting[name][0]
                url = robots.robots_url(first.url)
                requests.append(Request(first.source_id, url, purpose=Purpose.ROBOTS))
                continue
            elif request := self._first_allowed(session, name, host.robots or ""):
                requests.append(request)
                continue
            self._in_flight.discard(name)
        return requests

    def _first_allowed(self, session: Session, name: str, text: str) -> Request | None:
        """Return the next page of a host that its robots.txt allows; the others wait for a day."""
        if name not in self._rules:
            self._rules[name] = robots.Rules(text, self._deps.settings.user_agent)
        while self._waiting[name]:
            request = self._waiting[name].popleft()
            if not self._rules[name].allow(request.url):
                until = self._now + hosts.ROBOTS_LAST
                articles.postpone(session, [request.entry_id], until, self._now)
            elif articles.drop_known(session, [request.entry_id]):
                return request
        return None
