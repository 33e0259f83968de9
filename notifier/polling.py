"""One poll: what is asked of whom, and what becomes of each answer.

Owns the order of requests. A source's document comes first; what it says may make more to ask: the next page of a
search, the record of a trial that left it, the site's list of edited posts, whether an article's page is still there.
Each answer is stored in a transaction of its own, and none is open while the network is used. What a source did not
change is noted for all sources together.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from notifier.deliver import notices
from notifier.deps import Deps
from notifier.said import Said
from notifier.store.models import Source
from notifier.store.statuses import SourceKind
from notifier.watch import articles, entries, feed, health, page, posts, registry, sources
from notifier.watch.entries import Stored
from notifier.watch.exchange import Purpose, Request, Response
from notifier.watch.fetch import fetch_all
from notifier.watch.observation import ReadError, Reading

log = logging.getLogger("notifier")

_READERS = {SourceKind.FEED: feed.read, SourceKind.PAGE: page.read, SourceKind.REGISTRY: registry.read}
_UNCHANGED_AT_ONCE = 500
# When so many of a site's articles are missing at once, the site has moved: nobody withdraws most of what they wrote.
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


class Poll:
    """One poll of the sources that are due."""

    def __init__(self, deps: Deps, wanted: Sequence[str] = (), *, force: bool = False) -> None:
        self._deps = deps
        self._now = deps.now()
        self._interval = timedelta(minutes=deps.settings.watch.interval_minutes)
        with deps.reading() as session:
            self._requests = sources.due(session, self._now, wanted, force=force)
            watched = [sources.find(session, one) for one in wanted] or sources.listed(session)
            self._besides: dict[int, list[Request]] = defaultdict(list)
            feeds = {one.id for one in watched if one.kind is SourceKind.FEED}
            asked = [request.source_id for request in self._requests if request.source_id in feeds]
            for check in (
                *entries.due_checks(session, asked, self._now),
                *sources.due_posts(session, asked, self._now),
            ):
                self._besides[check.source_id].append(check)
        self.results = {one.id: PollResult(one.id, one.url, one.kind, "not_due") for one in watched}
        self._unchanged: list[Response] = []
        self._listed: dict[int, set[int]] = defaultdict(set)
        self._as_of: dict[str, list[int]] = {}
        self._missing: dict[int, dict[int, str | None]] = defaultdict(dict)

    def run(self, progress: Progress | None = None) -> list[PollResult]:
        """Ask, store, and tell the operator; `progress` hears of every document that came: how many of how many."""
        done = 0

        def arrived(response: Response) -> Iterable[Request]:
            nonlocal done
            further = self._arrived(response)
            if response.request.purpose is Purpose.DOCUMENT:
                done += 1
                if progress is not None:
                    progress(done, len(self._requests), response.request.url)
            return further

        fetch_all(self._requests, self._deps.settings, arrived)
        self._note_unchanged()
        self._note_missing()
        self._tell_operator()
        return list(self.results.values())

    def _arrived(self, response: Response) -> Sequence[Request]:
        if response.request.purpose is Purpose.DOCUMENT and response.known and not response.moved_to:
            return self._unchanged_document(response)
        if response.request.purpose is Purpose.CHECK:
            return self._checked(response)
        with self._deps.writing() as session:
            source = session.get(Source, response.request.source_id)
            if source is None or source.removed_at is not None:  # removed while it was fetched
                return ()
            if response.request.purpose is Purpose.DOCUMENT:
                return self._document(session, source, response)
            return self._further(session, source, response)

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
        with self._deps.writing() as session:
            found = sources.many(session, [one.request.source_id for one in waiting])
            for response in waiting:
                if source := found.get(response.request.source_id):
                    sources.follow_move(session, source, response, self._now)
                    sources.succeed(source, self._now, self._interval, response)

    def _document(self, session: Session, source: Source, response: Response) -> Sequence[Request]:
        """Store a source's own answer and how the source fares; gives what to ask next."""
        if response.known:
            sources.follow_move(session, source, response, self._now)
            sources.succeed(source, self._now, self._interval, response)
            self._set(source.id, status="unchanged")
            return self._besides.pop(source.id, ())
        try:
            reading = read_document(source.kind, response)
        except ReadError as error:
            sources.fail(source, self._now, self._interval, response, str(error))
            self._set(source.id, status="gone" if source.gone_at else "failed", error=str(error))
            return ()
        stored = self._stored(session, source, reading)
        self._set(source.id, status="ok")
        further = self._next(session, source, response, reading, stored)
        changed = bool(stored.new or stored.changed)
        # A search is a list that goes on: that its first page is unchanged says nothing of the others.
        whole = not stored.postponed and not (source.kind is SourceKind.REGISTRY and registry.is_search(source.url))
        sources.follow_move(session, source, response, self._now)
        sources.succeed(source, self._now, self._interval, response, reading, changed=changed, whole=whole)
        return further

    def _stored(self, session: Session, source: Source, reading: Reading, *, known_only: bool = False) -> Stored:
        observations = reading.observations
        if source.kind is SourceKind.REGISTRY and registry.is_search(source.url):
            # A trial whose own record is watched is told of from there.
            watched = sources.followed_trials(session)
            observations = tuple(one for one in observations if one.guid not in watched)
        stored = entries.store(session, source, observations, self._now, known_only=known_only)
        self._listed[source.id] |= stored.entry_ids
        self.results[source.id] = self.results[source.id].plus(stored)
        return stored

    def _next(
        self, session: Session, source: Source, response: Response, reading: Reading, stored: Stored
    ) -> list[Request]:
        """What a document that was just stored makes to ask."""
        if source.kind is SourceKind.FEED:
            sources.learn_posts(source, reading.posts_url, self._now)
            left = entries.note_listed(session, source, stored.entry_ids, self._now)
            due = [*self._besides.pop(source.id, ()), *sources.due_posts(session, [source.id], self._now)]
            # A list of posts holds the whole texts; elsewhere they are fetched one by one.
            pages = [] if source.posts_url else articles.wanted(session, stored.new_ids)
            return list({(one.purpose, one.entry_id): one for one in (*left, *due, *pages)}.values())
        if source.kind is SourceKind.REGISTRY:
            return [*self._more_trials(session, source, response, reading), *self._ask_as_of(source, stored)]
        return []

    def _more_trials(self, session: Session, source: Source, response: Response, reading: Reading) -> Sequence[Request]:
        """The next page of a search; after its last one the records of the trials that the search no longer finds."""
        if reading.next_url and urlsplit(reading.next_url).netloc == urlsplit(response.url).netloc:
            return [self._ask(source, reading.next_url, Purpose.NEXT_PAGE)]
        if not registry.is_search(source.url):
            return ()
        left = entries.unlisted(session, source, self._listed[source.id])
        watched = sources.followed_trials(session)
        trials = [one.key.removeprefix("guid:") for one in left]
        return [
            self._ask(source, registry.record_url(source.url, trial), Purpose.RECORD)
            for trial in trials
            if trial not in watched
        ]

    def _ask_as_of(self, source: Source, stored: Stored) -> list[Request]:
        """Ask once a poll of what date a registry's data are, where there is something to date."""
        if not (stored.new or stored.changed):
            return []
        url = registry.as_of_url(source.url)
        asked = url in self._as_of
        self._as_of.setdefault(url, []).append(source.id)
        return [] if asked else [self._ask(source, url, Purpose.AS_OF)]

    def _further(self, session: Session, source: Source, response: Response) -> Sequence[Request]:
        """Take an answer that a document made us ask for; one that fails is no failure of the source."""
        purpose = response.request.purpose
        if purpose is Purpose.AS_OF:
            self._note_as_of(session, response)
            return ()
        if purpose is Purpose.POSTS:
            return self._posts(session, source, response)
        if purpose is Purpose.ARTICLE:
            with suppress(ReadError):
                text = read_document(SourceKind.PAGE, response).observations[0].body
                articles.keep(session, response.request.entry_id, text, self._now)
            return ()
        try:
            reading = read_document(SourceKind.REGISTRY, response)
        except ReadError as error:
            log.warning("source %d: %s: %s", source.id, purpose, error)
            if purpose is Purpose.NEXT_PAGE:
                sources.forget_baseline(source, self._now)
            return ()
        stored = self._stored(session, source, reading)
        following = self._more_trials(session, source, response, reading) if purpose is Purpose.NEXT_PAGE else ()
        return [*following, *self._ask_as_of(source, stored)]

    def _note_as_of(self, session: Session, response: Response) -> None:
        moment = registry.read_as_of(response.body)
        if moment is None:
            return
        for source in sources.many(session, self._as_of[response.request.url]).values():
            sources.note_as_of(source, moment)
            entries.date_revisions(session, source, moment, self._now)

    def _posts(self, session: Session, source: Source, response: Response) -> Sequence[Request]:
        if response.status in (400, 401, 403, 404, 410):
            sources.note_posts(source, next_at=self._now + posts.PAUSE_AFTER_REFUSAL)
            return ()
        try:
            reading = _read_posts(response)
        except ReadError as error:
            log.warning("source %d: the site's list of posts: %s", source.id, error)
            sources.note_posts(source, next_at=self._now + posts.PAUSE_AFTER_FAILURE)
            return ()
        self._stored(session, source, reading, known_only=not posts.is_whole_site(source.url))
        if reading.next_url:
            return [self._ask(source, reading.next_url, Purpose.POSTS)]
        until = posts.read_until(response.body, response.headers, response.request.url, self._now)
        sources.note_posts(source, next_at=self._now + posts.PAUSE, until=until)
        return ()

    def _checked(self, response: Response) -> Sequence[Request]:
        """Note whether an article's page is there; an outage or a refusal says nothing of it."""
        request = response.request
        missing: str | None = ""
        if response.status in (404, 410):
            missing = Said("answers that there is no such page (%(status)s)", status=response.status)
        elif response.status == 200 and _front_page(response.url) and not _front_page(request.url):
            missing = Said("leads to the site's front page")
        elif response.error or response.status >= 400:
            missing = None
        self._missing[request.source_id][request.entry_id] = missing
        return ()

    def _note_missing(self) -> None:
        for source_id, answers in self._missing.items():
            found = answers
            missing = Counter(bool(one) for one in found.values())[True]
            if missing >= _MOST_MISSING and missing * 2 > len(found):
                log.warning("source %d: %d of %d articles are missing at once", source_id, missing, len(found))
                found = dict.fromkeys(found)  # asked, and nobody can say
            with self._deps.writing() as session:
                taken_down = sum(
                    entries.note_checked(session, entry_id, words, self._now) for entry_id, words in found.items()
                )
            self.results[source_id] = self.results[source_id].plus(Stored(0, changed=taken_down, withdrawn=taken_down))

    def _tell_operator(self) -> None:
        operator = self._deps.settings.operator.address
        if operator is None:
            return
        with self._deps.writing() as session:
            if turned := sources.tell(session, self._now):
                subject, text = health.notice(turned, self._now)
                notices.owe(session, operator, subject, text, self._deps.mail_domain, self._now)

    def _ask(self, source: Source, url: str, purpose: Purpose) -> Request:
        return Request(source.id, url, purpose=purpose)

    def _set(self, source_id: int, *, status: str, error: str | None = None) -> None:
        self.results[source_id] = replace(self.results[source_id], status=status, error=error)


def _front_page(url: str) -> bool:
    return urlsplit(url).path in ("", "/")


def _read_posts(response: Response) -> Reading:
    if response.error or response.status != 200:
        raise ReadError(response.error or f"it answered {response.status}")
    return posts.read(response.body, response.headers, response.request.url)


def read_document(kind: SourceKind, response: Response) -> Reading:
    """The document that was answered, read as one of this kind.

    Raises:
        ReadError: everything else that came, in words for the person who watches the source.
    """
    if response.error:
        raise ReadError(response.error)
    if response.status == 410:
        raise ReadError("the address answered 410: it is gone for good, and is not asked again")
    if response.status != 200:
        raise ReadError(f"the address answered {response.status} instead of a document")
    try:
        return _READERS[kind](response.body, response.headers, response.url)
    except ReadError:
        raise
    except Exception as error:
        # A document that a reader stumbles over is one source's failure and must not become another's.
        log.exception("source %d: its document could not be read", response.request.source_id)
        raise ReadError(f"the document could not be read ({type(error).__name__}: {error})") from error
