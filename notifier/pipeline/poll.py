"""The step poll: fetch the sources that are due, and store what their responses mean.

Drives the requests and opens the transactions; `watch/ingest.py` decides what a response means. It
is parsed (`document_parsing.py`), and compared with what is known, while no transaction is open; a
large document is stored in several, so that nobody who writes meanwhile waits long.

Trouble with one response is its source's trouble: it is rolled back, stored with the source, and
the others go on. Only a database that cannot be used is raised, after everything else was tried.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import PollStatus, SourceKind
from notifier.errors import StoreError
from notifier.pipeline.article_pages import ArticlePages
from notifier.pipeline.document_parsing import DocumentParsing
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.poll_result import PollResult
from notifier.watch import (
    articles,
    due_requests,
    entries,
    health,
    ingest,
    page_checks,
    parsed_items,
    presence,
    source_lists,
    sources,
)
from notifier.watch.compare import edits
from notifier.watch.http.client import fetch_all
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.parser_process import Parser, require_document
from notifier.watch.parsers.observation import ParsedDocument, ParseError
from notifier.watch.poll_state import Outcome, PollState
from notifier.watch.stored import Stored

log = logging.getLogger("notifier")

# Sources without changes that are stored in one transaction. Chosen by hand; not measured.
_UNCHANGED_AT_ONCE = 500
# Seconds between two transactions of a large document, in which others may write: SQLite tries
# every 0.1 s to get the lock. And the seconds of writing after which such a pause is made: another
# writer waits no longer than that and one transaction. Chosen by hand; bench/feeds.py shows what
# pauses cost.
_PAUSE_BETWEEN_PARTS, _WRITING_WITHOUT_PAUSE = 0.11, 0.2


# Called after each document: the number of documents that came, that of all, and the address.
Progress = Callable[[int, int, str], None]
# Returns requests beside the documents of these sources: `due_requests.posts`, `page_checks.due`.
_Lookup = Callable[[Session, Sequence[int], datetime], list[Request]]


def run(
    deps: Deps,
    wanted: Sequence[str] = (),
    *,
    force: bool = False,
    only_due: bool = False,
    progress: Progress | None = None,
) -> list[PollResult]:
    """Poll the sources that are due.

    Args:
        deps: settings, database and clock.
        wanted: ids or addresses of the sources to consider; none means all.
        force: whether sources that are not due are polled, too.
        only_due: whether those that are not due are left out of the results, and not read.
        progress: called after each document.

    Raises:
        NotFoundError: a source that is wanted does not exist.
        StoreError: the database could not be used for something; everything else was done.
    """
    return Poll(deps, wanted, force=force, only_due=only_due).run(progress)


class Poll:
    """One poll of the sources that are due.

    Attributes:
        state: what the responses showed so far.
        results: the result for every source, or for those with something due, by its id.
    """

    def __init__(
        self,
        deps: Deps,
        wanted: Sequence[str] = (),
        *,
        force: bool = False,
        only_due: bool = False,
    ) -> None:
        self._deps = deps
        self._parser = Parser()
        interval = timedelta(minutes=deps.settings.watch.interval_minutes)
        self.state = PollState(deps.now(), interval)
        with deps.reading() as session:
            requests = due_requests.documents(session, self.state.now, wanted, force=force)
            due = {request.source_id for request in requests}
            among = due | articles.due_sources(session, self.state.now) if only_due else None
            watched = due_requests.watched(session, wanted, among)
        self._kinds = {source_id: kind for source_id, _, kind in watched}
        self._requests = [request for request in requests if request.source_id in self._kinds]
        self.results = {
            source_id: PollResult(source_id, url, kind, PollStatus.NOT_DUE)
            for source_id, url, kind in watched
        }
        feeds = [
            request.source_id
            for request in self._requests
            if self._kinds[request.source_id] is SourceKind.FEED
        ]
        for lookup in (page_checks.due, due_requests.posts):
            for request in self._due_beside(lookup, feeds):
                self.state.waiting[request.source_id].append(request)
        self._articles = ArticlePages(deps, self._parser, self.state.now)
        self._documents = DocumentParsing(deps, self._parser, self._kinds, self.state.now)
        self._unchanged: list[Response] = []
        self._unusable: StoreError | None = None

    def run(self, progress: Progress | None = None) -> list[PollResult]:
        """Fetch, store, and report to the operator which sources changed their state.

        Args:
            progress: called after each document.

        Raises:
            StoreError: the database could not be used for something; everything else was done.
        """
        finished = 0

        def on_response(response: Response) -> Iterable[Request]:
            nonlocal finished
            requests = self._store(response)
            if response.request.purpose is Purpose.DOCUMENT:
                finished += 1
                if progress is not None:
                    progress(finished, len(self._requests), response.request.url)
            return requests

        with self._parser:
            requests = [*self._requests, *self._due_articles()]
            fetch_all(
                requests, self._deps.settings, on_response, prepare=self._documents.parse_ahead
            )
        self._store_unchanged()
        self._store_page_checks()
        with self._contained("the operator could not be notified of the sources"):
            self._notify_operator()
        if self._unusable is not None:
            raise self._unusable
        return list(self.results.values())

    def _due_beside(self, lookup: _Lookup, source_ids: Sequence[int]) -> list[Request]:
        """Look up further requests; if that fails for all sources at once, source by source."""
        try:
            with self._deps.reading() as session:
                return lookup(session, source_ids, self.state.now)
        except StoreError:
            raise
        except Exception:
            if len(source_ids) <= 1:
                log.exception("sources %s: further requests could not be looked up", source_ids)
                return []
        return [
            request for source_id in source_ids for request in self._due_beside(lookup, [source_id])
        ]

    def _due_articles(self) -> list[Request]:
        """Return the first requests for article pages, whether or not their sources are due."""
        requests: list[Request] = []
        with self._contained("the article pages that are due could not be looked up"):
            requests += self._articles.due(list(self._kinds))
        return requests

    @contextmanager
    def _contained(self, trouble: str, *values: object) -> Iterator[None]:
        """Log an error inside and go on; the first unusable database is kept to be raised later.

        Args:
            trouble: the message of the log, with placeholders.
            values: their values.
        """
        try:
            yield
        except StoreError as error:
            log.warning(trouble, *values)
            self._unusable = self._unusable or error
        except Exception:
            log.exception(trouble, *values)

    def _store(self, response: Response) -> Sequence[Request]:
        """Store a response and return what is requested next; trouble is stored with the source."""
        request = response.request
        requests: Sequence[Request] = ()
        with self._contained("source %d: its response could not be stored", request.source_id):
            try:
                requests = self._store_by_purpose(response)
            except StoreError as error:
                if request.purpose not in ingest.SUPPLEMENTS:
                    self._note(request.source_id, Outcome(PollStatus.FAILED, str(error)))
                raise
            except Exception as error:
                if request.purpose not in ingest.SUPPLEMENTS:
                    self._store_trouble(request, error)
                raise
        return requests

    def _store_trouble(self, request: Request, error: Exception) -> None:
        reason = f"the answer could not be stored ({type(error).__name__})"
        self._note(request.source_id, Outcome(PollStatus.FAILED, reason))
        with (
            self._contained("source %d: its failure could not be stored", request.source_id),
            self._deps.writing() as session,
        ):
            if source := ingest.watched_source(session, request.source_id):
                ingest.record_trouble(source, request, reason, self.state)

    def _store_by_purpose(self, response: Response) -> Sequence[Request]:
        purpose = response.request.purpose
        if purpose is Purpose.DOCUMENT and response.known:
            return self._keep_unchanged(response)
        if purpose is Purpose.CHECK:
            return self._note_check(response)
        if purpose is Purpose.SITE:
            self.state.site_answers.note(response)
        elif purpose is Purpose.AS_OF:
            self._store_as_of(response)
        elif purpose in (Purpose.ARTICLE, Purpose.ROBOTS):
            return self._articles.take(response)
        else:
            return self._store_document(response)
        return ()

    def _note_check(self, response: Response) -> Sequence[Request]:
        if not page_checks.note(response, self.state.page_checks):
            return ()
        entry_id, answers = response.request.entry_id, self.state.site_answers
        with self._deps.reading() as session:
            return page_checks.requests_to_site(session, entry_id, answers, self.state.now)

    def _keep_unchanged(self, response: Response) -> Sequence[Request]:
        source_id = response.request.source_id
        self._note(source_id, Outcome(PollStatus.UNCHANGED))
        self._unchanged.append(response)
        if len(self._unchanged) >= _UNCHANGED_AT_ONCE:
            self._store_unchanged()
        return self.state.waiting.pop(source_id, ())

    def _store_unchanged(self) -> None:
        """Store the unchanged sources in one transaction; after a crash they are due again."""
        responses, self._unchanged = self._unchanged, []
        if not responses:
            return
        try:
            self._store_these_unchanged(responses)
        except StoreError as error:
            self._unusable = self._unusable or error
        except Exception:
            log.exception("%d unchanged sources could not be stored together", len(responses))
            for response in responses:
                source_id = response.request.source_id
                with self._contained("source %d: it could not be stored", source_id):
                    self._store_these_unchanged([response])

    def _store_these_unchanged(self, responses: Sequence[Response]) -> None:
        with self._deps.writing() as session:
            ingest.store_unchanged(session, responses, self.state)

    def _store_document(self, response: Response) -> Sequence[Request]:
        """Store the observations of a document, or the reason why it cannot be parsed."""
        try:
            document = self._documents.parse(response)
        except ParseError as error:
            return self._reject(response, str(error))
        source_id = response.request.source_id
        with self._deps.reading() as session:
            source = ingest.watched_source(session, source_id)
            if source is None:
                return ()
            plan = ingest.plan(session, source, document)
            known_only = not ingest.stores_new_entries(source, response.request.purpose)
            refusal = ingest.judge(session, source, document, plan, self.state)
        if refusal:
            return self._reject(response, refusal)
        plan.compare()
        outcome = self._store_parts(response, document, plan, known_only=known_only)
        self._note(source_id, outcome)
        return self._articles.admit(outcome.requests)

    def _reject(self, response: Response, error: str) -> Sequence[Request]:
        source_id, purpose = response.request.source_id, response.request.purpose
        if purpose not in ingest.FAILURES_STORED:
            log.warning("source %d: %s: %s", source_id, purpose, error)
            return ()
        with self._deps.writing() as session:
            source = ingest.watched_source(session, source_id)
            if source is None:
                return ()
            outcome = ingest.reject(source, response, error, self.state)
        self._note(source_id, outcome)
        return outcome.requests

    def _store_parts(
        self, response: Response, document: ParsedDocument, plan: edits.Plan, *, known_only: bool
    ) -> Outcome:
        """Store each part of a document in a transaction, and what follows from it in the last."""
        source_id = response.request.source_id
        stored = Stored(seen=len(plan.unchanged), entry_ids=plan.unchanged)
        before, outcome = self.results[source_id], Outcome()
        began = time.monotonic()
        for number, part in enumerate(plan.parts, start=1):
            if time.monotonic() - began > _WRITING_WITHOUT_PAUSE:
                time.sleep(_PAUSE_BETWEEN_PARTS)
                began = time.monotonic()
            with self._deps.writing() as session:
                source = ingest.watched_source(session, source_id)
                if source is None:
                    return Outcome()
                of_part = entries.store_part(
                    session,
                    source,
                    part,
                    plan.differences,
                    self.state.now,
                    known_only=known_only,
                    backlog=plan.backlog,
                )
                stored = stored.plus(of_part)
                if number == len(plan.parts):
                    parsed_items.store(session, source, document.known_items)
                    outcome = ingest.complete(
                        session, source, response, document, stored, self.state
                    )
            self.results[source_id] = before.plus(stored)
        return outcome

    def _store_as_of(self, response: Response) -> None:
        try:
            require_document(response)
            moment = self._parser.parse_as_of(response.body)
        except ParseError:
            return
        if moment is not None:
            with self._deps.writing() as session:
                ingest.store_as_of(session, response.request.url, moment, self.state)

    def _store_page_checks(self) -> None:
        answers, now = self.state.site_answers, self.state.now
        for source_id, checks in self.state.page_checks.items():
            with self._contained("source %d: its page checks could not be stored", source_id):
                with self._deps.writing() as session:
                    stored = presence.note_checked(session, source_id, checks, answers, now)
                self.results[source_id] = self.results[source_id].plus(stored)

    def _notify_operator(self) -> None:
        # Without an address nothing is stored as reported; one that is set later is told then.
        if self._deps.settings.operator.address is None:
            return
        now = self.state.now
        with self._deps.reading() as session:
            if not source_lists.unreported(session, now):
                return
        with self._deps.writing() as session:
            if reports := sources.record_reported_states(session, now):
                enqueue_for_operator(self._deps, session, *health.notice(reports, now), now)

    def _note(self, source_id: int, outcome: Outcome) -> None:
        if outcome.status is not None:
            result = self.results[source_id]
            self.results[source_id] = replace(result, status=outcome.status, error=outcome.error)
