"""The journey of the news, in the order it is run.

    sources that are due
    | poll      fetch each, read it, store entries and revisions; a failure is stored beside its source (polling.py)
    | match     hold what is new against every profile
    | tidy      answer what was asked for on the web; end pauses, forget what is not needed any more
    | compose   for every subscription that is due: a digest for its group, and a delivery each, in one transaction
    | deliver   claim, send, settle by the server's answer
    | watch     tell the operator once when mails do not go out

`notifier run --once`, the scheduler and a cron line call the same four steps. Every step asks the database what is due,
does it, and finds nothing to do when it is run again. Transactions are opened and committed here and in the faces, and
none is open while the network is used.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from notifier import letters
from notifier.admission import admit
from notifier.deliver import outbox, pace
from notifier.deliver.ahead import Ahead
from notifier.deliver.outbox import Answer, Outcome
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.evidence import snapshot_key
from notifier.digest.quiet import Watched, quiet
from notifier.digest.view import Variant
from notifier.errors import StoreError
from notifier.match import matches, profiles
from notifier.refusals import Refusals
from notifier.store.models import Profile, Subscription
from notifier.store.statuses import Health
from notifier.subscribers import subscriptions
from notifier.subscribers.subscriptions import MONTH
from notifier.tidying import tidy
from notifier.watch import sources
from notifier.watch.health import health
from notifier.watchman import watch

if TYPE_CHECKING:
    from notifier.polling import PollResult, Progress

log = logging.getLogger("notifier")

_HEARTBEAT = 10.0
_CLAIM_SECONDS = 1.0
_MOST_CLAIMED = 1000


@dataclass(frozen=True)
class Sent:
    """What came of the outbox: how many deliveries ended how, and why the server could not be used, if so."""

    answers: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def accepted(self) -> int:
        """How many messages the mail server took."""
        return self.answers.get(Answer.ACCEPTED, 0)

    @property
    def not_accepted(self) -> int:
        """How many it refused, put off, or left in doubt."""
        tried = (Answer.REFUSED, Answer.DEFERRED, Answer.UNKNOWN)
        return sum(self.answers.get(answer, 0) for answer in tried)


@dataclass(frozen=True)
class Report:
    """What one run did."""

    polled: "list[PollResult]"
    matched: int
    composed: int
    sent: Sent

    @property
    def failed(self) -> bool:
        """Whether a step failed that a person should look at."""
        refused = self.sent.answers.get(Answer.REFUSED, 0)
        return bool(self.sent.problem or refused or any(one.status == "failed" for one in self.polled))


def _never() -> bool:
    return False


def run_once(deps: Deps, stop: Callable[[], bool] = _never) -> Report:
    """All steps, once; when it is to `stop`, no further mail is begun."""
    deps.require_sender()
    polled = poll(deps)
    matched = match(deps)
    admit(deps)
    tidy(deps)
    composed = compose(deps)
    sent = deliver(deps, stop)
    watch(deps)
    return Report(polled, matched, composed, sent)


def poll(
    deps: Deps, wanted: Sequence[str] = (), *, force: bool = False, progress: "Progress | None" = None
) -> "list[PollResult]":
    """Poll the sources that are due, or of those `wanted` the ones that are; `force` asks whatever their time."""
    from notifier.polling import Poll

    return Poll(deps, wanted, force=force).run(progress)


def failing_canaries(deps: Deps) -> list[str]:
    """The known texts of stored profiles that no longer get their tier, a sentence each; none where all is well."""
    with deps.reading() as session:
        return [
            f"{profile.slug}: {failed}"
            for profile in profiles.listed(session)
            for failed in matches.check_canaries(profile.document, profiles.stored_specs(profile), profile.name)
        ]


def match(deps: Deps) -> int:
    """Hold everything that was not looked at yet against the profiles; returns how many revisions that were."""
    total = 0
    while True:
        with deps.writing() as session:
            looked_at = matches.examine(session, deps.now())
        if not looked_at:
            return total
        total += looked_at


def compose(deps: Deps) -> int:
    """Compose a digest for every group of subscriptions that is due and owed something; returns how many."""
    now = deps.now()
    quiet = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    composed = 0
    with deps.reading() as session:
        waiting = [profile.id for profile in profiles.listed(session)]
    for profile_id in waiting:
        with deps.writing() as session:
            # Locked: a match that is made meanwhile must not slip below the place that is noted as served.
            profile = session.get_one(Profile, profile_id, with_for_update=True)
            due = subscriptions.due(session, profile, now, quiet)
            for group in digests.groups(session, profile, due):
                owed = [(one, one.next_due_at or now) for one in group.subscriptions]
                first_due = min(due_at for _, due_at in owed)
                digest = digests.compose(session, profile, group, letters.renderer(deps), first_due, now)
                outbox.enqueue_digest(session, digest, owed, deps.mail_domain, now)
                subscriptions.served(group.subscriptions, profile.position, snapshot_key(profile.document), now)
                composed += 1
            for one in due:
                subscriptions.advance(one, now)
            if deps.settings.schedule.sign_of_life:
                composed += _reassure(deps, session, profile, now)
    return composed


def _reassure(deps: Deps, session: Session, profile: Profile, now: datetime) -> int:
    """Tell those who have heard nothing for a month that we looked; returns how many digests say so."""
    silent = dict(subscriptions.in_silence(session, profile, now))
    owed = {one for group in digests.groups(session, profile, list(silent)) for one in group.subscriptions}
    watched = sources.feeding(session, profile)
    served: dict[Variant, list[Subscription]] = {}
    for one in silent:
        if one not in owed and watched:
            # Nothing of a snapshot is shown: what was introduced before stays so.
            served.setdefault(digests.variant_of(one, one.introduced), []).append(one)
    since = (now - MONTH).date()
    failing = (source.name for source in watched if health(source, now) in (Health.FAILING, Health.GONE))
    seen = Watched(sum(sources.looks_since(one, since) for one in watched), len(watched), tuple(failing))
    for variant, members in served.items():
        due_at = min(silent[one] for one in members)
        rendered = letters.rendered_quiet(deps, quiet(profile, variant, seen, now.date()))
        digest = digests.compose_quiet(session, profile, variant, rendered, due_at, now)
        outbox.enqueue_digest(session, digest, [(one, silent[one]) for one in members], deps.mail_domain, now)
        for one in members:
            subscriptions.reassured(one, now)
    return len(served)


def deliver(deps: Deps, stop: Callable[[], bool] = _never) -> Sent:
    """Send what is owed until nothing is left that can be sent now, or it is to `stop`."""
    deps.require_sender()
    press, size, problem = letters.Press(deps), _smallest(deps), ""
    slow = any(one.slow for one in deps.signers)
    with _little_rubbish(), deps.settling() as begin, closing(deps.transport) as transport, Ahead() as ahead:
        settling = _Settling(deps, begin)
        while not problem and not stop():
            now = deps.now()
            with deps.writing() as session:
                terms = _terms(deps, size)
                claimed = outbox.claim(session, now, terms)
                more = not claimed and outbox.waits(session, now, terms)
                parcels = [press.parcel(session, one, now) for one in claimed]
                rate = deps.settings.smtp.rate_per_second
                wait = pace.reserve(session, rate, len(parcels), now) if rate and parcels else timedelta()
            if more:
                continue
            if not parcels:
                break
            started = time.monotonic()
            if slow:
                parcels = ahead.prepared(parcels)
            settling.open.update(parcel.delivery_id for parcel in parcels)
            with _leases_kept(deps, settling.open):
                problem = transport.send(parcels, settling, wait.total_seconds(), stop)
            size = _next_size(deps, size, time.monotonic() - started)
    with deps.writing() as session:
        digests.finish(session)
    return Sent(settling.answers, problem)


@contextmanager
def _little_rubbish() -> Iterator[None]:
    """Keep the garbage collector to what is made meanwhile: else it looks through all there is every few mails."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _smallest(deps: Deps) -> int:
    return deps.settings.smtp.connections * 10


def _next_size(deps: Deps, size: int, took: float) -> int:
    """How many to claim next: about a second's worth, so that who leaves meanwhile is asked for soon enough."""
    if took < _CLAIM_SECONDS / 2:
        return min(size * 2, _MOST_CLAIMED)
    return max(size // 2, _smallest(deps)) if took > _CLAIM_SECONDS else size


def _terms(deps: Deps, size: int) -> outbox.Terms:
    smtp = deps.settings.smtp
    return outbox.Terms(size, hold_uncertain=smtp.when_uncertain == "hold", domain_rates=smtp.domain_rates)


class _Settling:
    """Writes down what the server answers, and counts it."""

    def __init__(self, deps: Deps, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._deps, self._begin, self._refusals = deps, begin, Refusals(deps)
        self.answers: dict[str, int] = {}
        self.open: set[int] = set()

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        """Write these down: what was accepted, which is nearly all, the short way."""
        now = self._deps.now()
        accepted = [one.delivery_id for one in outcomes if one.answer is Answer.ACCEPTED]
        if accepted:
            with self._begin() as connection:
                outbox.settle_accepted(connection, accepted, now)
            self.open.difference_update(accepted)
            self.answers[Answer.ACCEPTED] = self.answers.get(Answer.ACCEPTED, 0) + len(accepted)
        others = [one for one in outcomes if one.answer is not Answer.ACCEPTED]
        if others:
            with self._deps.writing() as session:
                outbox.settle(session, others, now)
                self._refusals.follow(session, others, now)
        for one in others:
            self.open.discard(one.delivery_id)
            self.answers[one.answer] = self.answers.get(one.answer, 0) + 1


@contextmanager
def _leases_kept(deps: Deps, unsettled: set[int]) -> Iterator[None]:
    """Renew the leases of what is still being sent, so that a slow server is not asked by two workers at once."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_HEARTBEAT):
            try:
                with deps.writing() as session:
                    outbox.renew(session, tuple(unsettled), deps.now())
            except StoreError as error:  # a lease outlives two beats that are missed
                log.warning("%s", error.problem)

    heart = threading.Thread(target=renew, name="leases", daemon=True)
    heart.start()
    try:
        yield
    finally:
        done.set()
        heart.join()


def as_document(results: "Sequence[PollResult]") -> dict[str, object]:
    """The JSON document of `poll`."""
    return {"sources": [asdict(result) for result in results]}
