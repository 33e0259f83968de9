"""One poll: what is asked of whom, and what becomes of each answer.

Owns the order of requests. A source's document comes first; what it says may make more to ask: the
next page of a search, the record of a trial that left it, the site's list of edited posts, whether
an article's page is still there. An answer is read and compared with what is known while no
transaction is open; then it is stored, a large one in several transactions, so that nobody who
writes meanwhile waits. What a source did not change is noted for all sources together.

Whatever goes wrong with one answer is that source's trouble: it is undone, stored beside the
source, and the others go on. Only a database that cannot be used is raised, after everything else
was tried.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from notifier.deliver import operator_mail
from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.errors import StoreError
from notifier.i18n.messages import LazyMessage
from notifier.store.models import Source
from notifier.watch import articles, entries, health, sources
from notifier.watch.entries import Stored
from notifier.watch.http.client import fetch_all
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.parser_process import Parser, read_document, require_document
from notifier.watch.parsers import clinicaltrials, wordpress
from notifier.watch.parsers.observation import ParsedDocument, ParseError

log = logging.getLogger("notifier")

# A list that goes on for longer is not followed: nobody watches so many trials, and some servers
# never come to an end.
MOST_PAGES = 50

# What follows from a document and whose failure says nothing of the source.
_BESIDES = (Purpose.ARTICLE, Purpose.CHECK, Purpose.AS_OF)
_UNCHANGED_AT_ONCE = 500
# Seconds in which others may write between two parts of a large document: SQLite looks for a gap
# ten times a second.
_PAUSE_BETWEEN_PARTS = 0.11
# When so many of a site's articles are missing at once, the site has moved: nobody withdraws most
# of what they wrote.
_MOST_MISSING = 3


@dataclass(frozen=True)
class PollResult:
    """What came of one source: ``ok``, ``unchanged``, ``failed``, ``gone`` or ``not_due``."""

    id: int
    url: str
    kind: str
    status: str
    entries: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    error: str | None = None

    def plus(self, stored: Stored) -> "PollResult":
        """With what a further answer about the same source held."""
        return replace(
            self,
            entries=self.entries + stored.seen,
            new=self.new + stored.new,
            changed=self.changed + stored.changed,
            withdrawn=self.withdrawn + stored.withdrawn,
        )


Progress = Callable[[int, int, str], None]
# What is done in the last transaction in which a document is stored; gives what to ask next.
Finish = Callable[[Session, Source, Stored], list[Request]]


def run(
    deps: Deps, wanted: Sequence[str] = (), *, force: bool = False, progress: Progress | None = None
) -> list[PollResult]:
    """Poll the sources that are due, or of those `wanted` the ones that are; `force` asks whatever their time.

    Raises:
        StoreError: the database could not be used for something; everything else was done.
    """
    return Poll(deps, wanted, force=force).run(progress)


class Poll:
    """One poll of the sources that are due."""

    def __init__(self, deps: Deps, wanted: Sequence[str] = (), *, force: bool = False) -> None:
        self._deps = deps
        self._now = deps.now()
        self._interval = timedelta(minutes=deps.settings.watch.interval_minutes)
        self._parser = Parser()
        with deps.reading() as session:
            self._requests = sources.due(session, self._now, wanted, force=force)
            watched = sources.watched(session, wanted)
        self._kinds = {source_id: kind for source_id, _, kind in watched}
        self.results = {
            source_id: PollResult(source_id, url, kind, "not_due")
            for source_id, url, kind in watched
        }
        self._requests = [request for request in self._requests if request.source_id in self._kinds]
        asked = [
            request.source_id
            for request in self._requests
            if self._kinds[request.source_id] is SourceKind.FEED
        ]
        self._besides: dict[int, list[Request]] = defaultdict(list)
        for look in (entries.due_checks, sources.due_posts):
            for check in self._due_besides(look, asked):
                self._besides[check.source_id].append(check)
        self._unchanged: list[Response] = []
        self._listed: dict[int, set[int]] = defaultdict(set)
        self._pages: dict[int, set[str]] = defaultdict(set)
        self._as_of: dict[str, list[int]] = {}
        self._missing: dict[int, dict[int, str | None]] = defaultdict(dict)
        self._unusable: StoreError | None = None

    def run(self, progress: Progress | None = None) -> list[PollResult]:
        """Ask, store, and tell the operator; `progress` hears of every document that came: how many of how many.

        Raises:
            StoreError: the database could not be used for something; everything else was done.
        """
        done = 0

        def arrived(response: Response) -> Iterable[Request]:
            nonlocal done
            further = self._taken(response)
            if response.request.purpose is Purpose.DOCUMENT:
                done += 1
                if progress is not None:
                    progress(done, len(self._requests), response.request.url)
            return further

        with self._parser:
            fetch_all(self._requests, self._deps.settings, arrived)
        self._note_unchanged()
        self._note_missing()
        with self._contained("the operator could not be told of the sources"):
            self._tell_operator()
        if self._unusable is not None:
            raise self._unusable
        return list(self.results.values())

    def _due_besides(
        self, look: Callable[..., list[Request]], source_ids: Sequence[int]
    ) -> list[Request]:
        """What else is to be asked of these sources; where that cannot be told for all, source by source."""
        try:
            with self._deps.reading() as session:
                return look(session, source_ids, self._now)
        except StoreError:
            raise
        except Exception:
            if len(source_ids) <= 1:
                log.exception("sources %s: what else to ask cannot be told", source_ids)
                return []
        return [
            request for source_id in source_ids for request in self._due_besides(look, [source_id])
        ]

    @contextmanager
    def _contained(self, trouble: str, *values: object) -> Iterator[None]:
        """Let what goes wrong inside be the trouble of this alone: it is logged, and the poll goes on."""
        try:
            yield
        except StoreError as error:
            log.warning(trouble, *values)
            self._unusable = self._unusable or error
        except Exception:
            log.exception(trouble, *values)

    def _taken(self, response: Response) -> Sequence[Request]:
        """Take an answer; what goes wrong with it is undone and stored as its source's trouble."""
        source_id = response.request.source_id
        further: Sequence[Request] = ()
        with self._contained("source %d: what it answered could not be stored", source_id):
            try:
                further = self._arrived(response)
            except StoreError as error:
                if response.request.purpose not in _BESIDES:
                    self._set(source_id, status="failed", error=str(error))
                raise
            except Exception as error:
                self._note_trouble(response, error)
                raise
        return further

    def _note_trouble(self, response: Response, error: Exception) -> None:
        request = response.request
        if request.purpose in _BESIDES:
            return
        words = f"the answer could not be stored ({type(error).__name__})"
        self._set(request.source_id, status="failed", error=words)
        with (
            self._contained("source %d: that it failed could not be stored", request.source_id),
            self._deps.writing() as session,
        ):
            source = self._source(session, request.source_id)
            if source is None:
                return
            if request.purpose is Purpose.POSTS:
                sources.note_posts(source, next_at=self._now + wordpress.PAUSE_AFTER_FAILURE)
            # Without the answer's headers, which may be what is wrong with it.
            sources.record_failure(
                source, self._now, self._interval, Response(request, request.url), words
            )
            sources.forget_baseline(source, self._now)

    def _arrived(self, response: Response) -> Sequence[Request]:
        purpose = response.request.purpose
        if purpose is Purpose.DOCUMENT:
            return self._document(response)
        if purpose is Purpose.CHECK:
            return self._checked(response)
        if purpose is Purpose.AS_OF:
            return self._note_as_of(response)
        if purpose is Purpose.POSTS:
            return self._posts(response)
        if purpose is Purpose.ARTICLE:
            return self._article(response)
        return self._further(response)

    def _source(self, session: Session, source_id: int) -> Source | None:
        """The source, unless it was removed while it was fetched."""
        source = session.get(Source, source_id)
        return source if source is not None and source.removed_at is None else None

    def _unchanged_document(self, response: Response) -> Sequence[Request]:
        source_id = response.request.source_id
        self._set(source_id, status="unchanged")
        self._unchanged.append(response)
        if len(self._unchanged) >= _UNCHANGED_AT_ONCE:
            self._note_unchanged()
        return self._besides.pop(source_id, ())

    def _note_unchanged(self) -> None:
        """Note all documents that had not changed in one transaction; a crash before it costs a repeated question."""
        waiting, self._unchanged = self._unchanged, []
        if not waiting:
            return
        try:
            self._note_these_unchanged(waiting)
        except StoreError as error:
            self._unusable = self._unusable or error
        except Exception:
            log.exception("%d unchanged sources could not be noted together", len(waiting))
            for response in waiting:
                with self._contained(
                    "source %d: it could not be noted", response.request.source_id
                ):
                    self._note_these_unchanged([response])

    def _note_these_unchanged(self, responses: Sequence[Response]) -> None:
        with self._deps.writing() as session:
            known = sources.many(session, [response.request.source_id for response in responses])
            for response in responses:
                if source := known.get(response.request.source_id):
                    sources.follow_move(session, source, response, self._now)
                    sources.record_success(source, self._now, self._interval, response)

    def _document(self, response: Response) -> Sequence[Request]:
        """Store a source's own answer and how the source fares; gives what to ask next."""
        if response.known:
            return self._unchanged_document(response)
        source_id = response.request.source_id
        try:
            reading = read_document(self._kinds[source_id], response, self._parser)
        except ParseError as error:
            self._failed(response, str(error))
            return ()

        def finish(session: Session, source: Source, stored: Stored) -> list[Request]:
            further = self._next(session, source, response, reading, stored)
            changed = bool(stored.new or stored.changed)
            # A search is a list that goes on: that its first page is unchanged says nothing of the
            # others.
            is_search = source.kind is SourceKind.REGISTRY and clinicaltrials.is_search(source.url)
            whole = not stored.postponed and not is_search
            sources.follow_move(session, source, response, self._now)
            sources.record_success(
                source, self._now, self._interval, response, reading, changed=changed, whole=whole
            )
            self._set(source_id, status="ok")
            return further

        return self._stored(source_id, reading, finish)

    def _failed(self, response: Response, words: str) -> None:
        source_id = response.request.source_id
        with self._deps.writing() as session:
            source = self._source(session, source_id)
            if source is None:
                return
            sources.record_failure(source, self._now, self._interval, response, words)
            status = "gone" if source.gone_at else "failed"
        self._set(source_id, status=status, error=words)

    def _stored(
        self, source_id: int, reading: ParsedDocument, finish: Finish, *, known_only: bool = False
    ) -> list[Request]:
        """Store what was read; `finish` is called in the last of its transactions and says what to ask next."""
        with self._deps.reading() as session:
            source = self._source(session, source_id)
            if source is None:
                return []
            observations = reading.observations
            if source.kind is SourceKind.REGISTRY and clinicaltrials.is_search(source.url):
                # A trial whose own record is watched is told of from there.
                watched = sources.followed_trials(session)
                observations = tuple(trial for trial in observations if trial.guid not in watched)
            plan = entries.plan(session, source, observations)
        plan.compare()
        further: list[Request] = []
        stored = Stored(0)
        for number, part in enumerate(plan.parts, start=1):
            if number > 1:
                time.sleep(_PAUSE_BETWEEN_PARTS)
            with self._deps.writing() as session:
                source = self._source(session, source_id)
                if source is None:
                    return []
                of_part = entries.store_part(
                    session, source, part, plan.differences, self._now, known_only=known_only
                )
                stored = stored.plus(of_part)
                if number == len(plan.parts):
                    self._listed[source_id] |= stored.entry_ids
                    further = finish(session, source, stored)
            self.results[source_id] = self.results[source_id].plus(of_part)
        return further

    def _next(
        self,
        session: Session,
        source: Source,
        response: Response,
        reading: ParsedDocument,
        stored: Stored,
    ) -> list[Request]:
        """What a document that was just stored makes to ask."""
        if source.kind is SourceKind.FEED:
            sources.learn_posts(source, reading.posts_url, self._now)
            left = entries.note_listed(session, source, stored.entry_ids, self._now)
            due = [
                *self._besides.pop(source.id, ()),
                *sources.due_posts(session, [source.id], self._now),
            ]
            # A list of posts holds the whole texts; elsewhere they are fetched one by one.
            pages = [] if source.posts_url else articles.wanted(session, stored.new_ids)
            return list(
                {(one.purpose, one.entry_id): one for one in (*left, *due, *pages)}.values()
            )
        if source.kind is SourceKind.REGISTRY:
            return [
                *self._more_trials(session, source, response, reading),
                *self._ask_as_of(source, stored),
            ]
        return []

    def _more_trials(
        self, session: Session, source: Source, response: Response, reading: ParsedDocument
    ) -> Sequence[Request]:
        """The next page of a search; after its last one the records of the trials that the search no longer finds."""
        if reading.next_url and urlsplit(reading.next_url).netloc == urlsplit(response.url).netloc:
            return self._next_page(source, reading.next_url)
        if not clinicaltrials.is_search(source.url):
            return ()
        left = entries.unlisted(session, source, self._listed[source.id])
        watched = sources.followed_trials(session)
        trials = [one.key.removeprefix("guid:") for one in left]
        return [
            self._ask(source, clinicaltrials.record_url(source.url, trial), Purpose.RECORD)
            for trial in trials
            if trial not in watched
        ]

    def _next_page(self, source: Source, url: str) -> Sequence[Request]:
        """The next page of a list, unless it was asked for before or the list does not end."""
        asked = self._pages[source.id]
        if url in asked or len(asked) + 1 >= MOST_PAGES:
            log.warning(
                "source %d: its list does not end after %d pages", source.id, len(asked) + 1
            )
            return ()  # what stands on no page is not known, and so nothing counts as having left
        asked.add(url)
        return [self._ask(source, url, Purpose.NEXT_PAGE)]

    def _ask_as_of(self, source: Source, stored: Stored) -> list[Request]:
        """Ask once a poll of what date a registry's data are, where there is something to date."""
        if not (stored.new or stored.changed):
            return []
        url = clinicaltrials.as_of_url(source.url)
        asked = url in self._as_of
        self._as_of.setdefault(url, []).append(source.id)
        return [] if asked else [self._ask(source, url, Purpose.AS_OF)]

    def _further(self, response: Response) -> Sequence[Request]:
        """Take a further page, or a record, that a document made us ask for; its failure is not the source's."""
        source_id, purpose = response.request.source_id, response.request.purpose
        try:
            reading = read_document(SourceKind.REGISTRY, response, self._parser)
        except ParseError as error:
            log.warning("source %d: %s: %s", source_id, purpose, error)
            if purpose is Purpose.NEXT_PAGE:
                with self._deps.writing() as session:
                    if source := self._source(session, source_id):
                        sources.forget_baseline(source, self._now)
            return ()

        def finish(session: Session, source: Source, stored: Stored) -> list[Request]:
            following = (
                self._more_trials(session, source, response, reading)
                if purpose is Purpose.NEXT_PAGE
                else ()
            )
            return [*following, *self._ask_as_of(source, stored)]

        return self._stored(source_id, reading, finish)

    def _article(self, response: Response) -> Sequence[Request]:
        try:
            text = read_document(SourceKind.PAGE, response, self._parser).observations[0].body
        except ParseError:
            return ()
        with self._deps.writing() as session:
            if self._source(session, response.request.source_id):
                articles.keep(session, response.request.entry_id, text, self._now)
        return ()

    def _note_as_of(self, response: Response) -> Sequence[Request]:
        try:
            require_document(response)
            moment = self._parser.as_of(response.body)
        except ParseError:
            return ()
        if moment is None:
            return ()
        with self._deps.writing() as session:
            for source in sources.many(session, self._as_of[response.request.url]).values():
                sources.note_as_of(source, moment)
                entries.date_revisions(session, source, moment, self._now)
        return ()

    def _posts(self, response: Response) -> Sequence[Request]:
        source_id, address = response.request.source_id, response.request.url
        if response.status in (400, 401, 403, 404, 410):
            return self._leave_posts(source_id, wordpress.PAUSE_AFTER_REFUSAL)
        try:
            require_document(response)
            reading = self._parser.posts(response.body, response.headers, address, self._now)
        except ParseError as error:
            log.warning("source %d: the site's list of posts: %s", source_id, error)
            return self._leave_posts(source_id, wordpress.PAUSE_AFTER_FAILURE)

        def finish(_: Session, source: Source, __: Stored) -> list[Request]:
            if reading.next_url:
                return [self._ask(source, reading.next_url, Purpose.POSTS)]
            sources.note_posts(source, next_at=self._now + wordpress.PAUSE, until=reading.until)
            return []

        with self._deps.reading() as session:
            source = self._source(session, source_id)
            known_only = source is not None and not wordpress.is_whole_site(source.url)
        return self._stored(source_id, reading, finish, known_only=known_only)

    def _leave_posts(self, source_id: int, pause: timedelta) -> Sequence[Request]:
        with self._deps.writing() as session:
            if source := self._source(session, source_id):
                sources.note_posts(source, next_at=self._now + pause)
        return ()

    def _checked(self, response: Response) -> Sequence[Request]:
        """Note whether an article's page is there; an outage or a refusal says nothing of it."""
        request = response.request
        missing: str | None = ""
        if response.status in (404, 410):
            missing = LazyMessage(
                "answers that there is no such page (%(status)s)", status=response.status
            )
        elif response.status == 200 and _front_page(response.url) and not _front_page(request.url):
            missing = LazyMessage("leads to the site's front page")
        elif response.error or response.status >= 400:
            missing = None
        self._missing[request.source_id][request.entry_id] = missing
        return ()

    def _note_missing(self) -> None:
        for source_id, answers in self._missing.items():
            with self._contained(
                "source %d: what its articles answered could not be stored", source_id
            ):
                self._note_missing_of(source_id, answers)

    def _note_missing_of(self, source_id: int, answers: Mapping[int, str | None]) -> None:
        missing = sum(bool(words) for words in answers.values())
        if missing >= _MOST_MISSING and missing * 2 > len(answers):
            log.warning(
                "source %d: %d of %d articles are missing at once", source_id, missing, len(answers)
            )
            answers = dict.fromkeys(answers)  # asked, and nobody can say
        with self._deps.writing() as session:
            taken_down = sum(
                entries.note_checked(session, entry_id, words, self._now)
                for entry_id, words in answers.items()
            )
        self.results[source_id] = self.results[source_id].plus(
            Stored(0, changed=taken_down, withdrawn=taken_down)
        )

    def _tell_operator(self) -> None:
        operator = self._deps.settings.operator.address
        if operator is None:
            return
        with self._deps.writing() as session:
            if turned := sources.record_reported_states(session, self._now):
                subject, text = health.notice(turned, self._now)
                operator_mail.enqueue(
                    session, operator, subject, text, self._deps.mail_domain, self._now
                )

    def _ask(self, source: Source, url: str, purpose: Purpose) -> Request:
        return Request(source.id, url, purpose=purpose)

    def _set(self, source_id: int, *, status: str, error: str | None = None) -> None:
        self.results[source_id] = replace(self.results[source_id], status=status, error=error)


def _front_page(url: str) -> bool:
    return urlsplit(url).path in ("", "/")
