"""Delivering: due mails are claimed, built, sent and settled by the mail server's answer.

Joins the outbox (which mails are due to whom), the messages (their text) and the mail server.
Transactions are opened here, and none is open while the network is used or a message is signed.
"""

import gc
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from notifier.deliver import outbox
from notifier.deliver.outbox import Attempt, Claimed, Outcome, SendResult, rate_limits, warm_up
from notifier.deliver.outbox import stop as outbox_stop
from notifier.deliver.outbox.waiting import anything_due
from notifier.deliver.smtp.prefetch import Prefetcher
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.digest import digests
from notifier.enums import Lane
from notifier.errors import StoreError
from notifier.messages.digest_mail import MessageBuilder
from notifier.pipeline import brake
from notifier.pipeline.bounces import Refusals
from notifier.pipeline.interruptions import Interruptions
from notifier.pipeline.problems import Problems, describe_unexpected, log_trace
from notifier.store.db import Run

# Seconds between two renewals of the leases: two may fail before a lease of 30 seconds runs out.
# Chosen by hand; not measured.
_HEARTBEAT = 10.0
# A claim holds the mails of about this many seconds, and at most this many mails, so that somebody
# who unsubscribes meanwhile still gets at most those. Chosen by hand; not measured.
_CLAIM_SECONDS = 1.0
_MOST_CLAIMED = 1000
# A run waits for mails that are due within a moment, as those to a limited domain are, at most so
# many seconds in all, in steps of `_SLEEP`. Chosen by hand; not measured.
_MOMENT, _LONGEST_WAITING, _SLEEP = timedelta(seconds=2), 60.0, 0.1


@dataclass(frozen=True)
class Sent:
    """The results of one run.

    Attributes:
        answers: the number of deliveries by `SendResult`.
        problem: the reason why the mail server could not be used; empty if it could.
        for_our_fault: the number of deliveries that wait because servers refuse us, or how much we
            send.
        stopped_at: the time at which a person stopped the sending; None if nobody did.
    """

    answers: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    for_our_fault: int = 0
    stopped_at: datetime | None = None

    @property
    def accepted(self) -> int:
        """The number of messages that the mail server accepted."""
        return self.answers.get(SendResult.ACCEPTED, 0)

    @property
    def not_accepted(self) -> int:
        """The number of messages that were refused, deferred, or left in doubt."""
        tried = (SendResult.REFUSED, SendResult.DEFERRED, SendResult.UNKNOWN)
        return sum(self.answers.get(answer, 0) for answer in tried)


def never() -> bool:
    """Return False, as a `stop` that lets everything be finished."""
    return False


def run(
    deps: Deps,
    stop: Callable[[], bool] = never,
    before: Lane | None = None,
    on_accepted: Callable[[], None] | None = None,
) -> Sent:
    """Send the due mails until none is left that can be sent now.

    Args:
        deps: the installation.
        stop: returns True when no further message is to start.
        before: only the lanes before this one; None for all.
        on_accepted: called once, when the mail server accepted the first messages.

    Raises:
        SettingsError: the sender is not set; nothing was claimed.
    """
    deps.require_sender()
    _exempt_from_gc()
    with (
        deps.small_transactions() as write,
        closing(deps.transport),
        Prefetcher(deps.signers) as prefetcher,
    ):
        _release_warm_up(deps)
        sending = _Sending(deps, write, prefetcher, stop, before)
        sending.settling.on_accepted = on_accepted
        problem = sending.send_all()
        if before is None and brake.apply(deps):  # its mail to the operator is sent now
            problem = problem or sending.send_all()
    with deps.writing() as session:
        if before is None:
            digests.finish(session)
        stopped_at = outbox_stop.stopped_at(session)
    settling = sending.settling
    return Sent(settling.answers, problem, settling.for_our_fault, stopped_at)


def _release_warm_up(deps: Deps) -> None:
    """Make due what waited for warm-up, if it was switched off."""
    more = not deps.settings.smtp.warm_up
    while more:
        with deps.reading() as session:
            more = warm_up.is_running(session)
        if more:
            with deps.writing() as session:
                more = warm_up.release(session, deps.now())


class _Sending:
    """One run: claims of growing size, each built, sent and settled."""

    def __init__(
        self,
        deps: Deps,
        write: Run,
        prefetcher: Prefetcher,
        stop: Callable[[], bool],
        before: Lane | None,
    ) -> None:
        self._deps, self._prefetcher, self._before = deps, prefetcher, before
        self._interruptions = Interruptions(deps, stop, self._claim_first)
        self._builder = MessageBuilder(deps)
        self._waited = 0.0
        self._smallest_claim = deps.settings.smtp.connections * 10
        self._claim_size = self._smallest_claim
        self.settling = _Settling(deps, write)

    def send_all(self) -> str:
        """Send until nothing is left; return the reason why the server cannot be used, if any."""
        problem = ""
        while not problem and not self._interruptions.stopped():
            now = self._deps.now()
            claimed, wait, has_more = self._claim(now, self._before)
            if claimed:
                problem = self._send(claimed, wait, now)
            elif not has_more and not self._wait_for_next(now):
                break
        return problem

    def _wait_for_next(self, now: datetime) -> bool:
        """Wait for a mail that is due in a moment, as those to a limited domain are.

        Returns:
            False if there is none, or if this run has waited long enough: other steps wait too.
        """
        if self._deps.fixed_now is not None or self._waited >= _LONGEST_WAITING:
            return False
        if self._before is not None:  # the mails of other lanes are another process's
            return False
        with self._deps.reading() as session:
            due_at = outbox.next_due_at(session, now)
        if due_at is None or due_at - now > _MOMENT:
            return False
        until = time.monotonic() + max((due_at - self._deps.now()).total_seconds(), 0.01)
        while (rest := until - time.monotonic()) > 0 and not self._interruptions.stopped():
            pause = min(rest, _SLEEP)
            time.sleep(pause)
            self._waited += pause
        return True

    def _claim(
        self, now: datetime, before: int | None = None
    ) -> tuple[list[Claimed], timedelta, bool]:
        """Claim the next deliveries.

        Args:
            now: the time of the claim.
            before: only the lanes before this one; None for all.

        Returns:
            The deliveries, the time until the first may be sent, and True if none was claimed
            although more are due.
        """
        smtp = self._deps.settings.smtp
        options = outbox.ClaimOptions(
            self._limit(),
            hold_uncertain=smtp.when_uncertain == "hold",
            domain_rates=smtp.domain_rates,
            before=before,
            warm_up=smtp.warm_up,
        )
        with self._deps.reading() as session:  # one read, where nothing is due
            if not anything_due(session, now, before, hold_uncertain=options.hold_uncertain):
                return [], timedelta(), False
        with self._deps.writing() as session:
            claimed = outbox.claim_due(session, now, options)
            digests.reopen(session, {each.digest_id for each in claimed if each.has_ended})
            if not claimed:
                self._claim_size = min(self._claim_size * 2, _MOST_CLAIMED)  # all were put off
                return [], timedelta(), outbox.has_more(session, now, options)
            wait = timedelta()
            if smtp.rate_per_second:
                wait = rate_limits.reserve(session, smtp.rate_per_second, len(claimed), now)
        self.settling.open.update(delivery.attempt for delivery in claimed)
        return claimed, wait, False

    def _limit(self) -> int:
        """Return the most deliveries of a claim; under a rate limit, those of about a second."""
        rate = self._deps.settings.smtp.rate_per_second
        if not rate:
            return self._claim_size
        return min(self._claim_size, max(1, math.ceil(rate * _CLAIM_SECONDS)))

    def _claim_first(self, before: int | None) -> Sequence[OutgoingMessage]:
        """Claim and build what goes before the messages that wait.

        What goes before them takes the next of the places that were reserved for them; the last of
        them then takes the one that is reserved now.
        """
        now = self._deps.now()
        claimed, wait, _ = self._claim(now, self._before if before is None else before)
        if before is None:
            self._deps.transport.start_later(wait.total_seconds())
        return self._built(claimed, now)

    def _send(self, claimed: Sequence[Claimed], wait: timedelta, now: datetime) -> str:
        started = time.monotonic()
        with _leases_kept(self._deps, self.settling.open):
            problem = self._deps.transport.send(
                self._built(claimed, now),
                self.settling,
                wait.total_seconds(),
                self._interruptions.stopped,
                self._interruptions.arrivals,
            )
        self._adjust_claim_size(time.monotonic() - started)
        return problem

    def _built(self, claimed: Sequence[Claimed], now: datetime) -> Sequence[OutgoingMessage]:
        return self._prefetcher.prepared(self._build(claimed, now))

    def _build(self, claimed: Sequence[Claimed], now: datetime) -> list[OutgoingMessage]:
        """Return the messages of claimed deliveries; defer those that cannot be built."""
        messages: list[OutgoingMessage] = []
        failed: list[Outcome] = []
        logged: set[int | None] = set()
        with self._deps.reading() as session:
            for delivery in claimed:
                try:
                    messages.append(self._builder.outgoing(session, delivery, now))
                except Exception as error:  # noqa: BLE001 - one mail stops no other
                    if not outbox.is_held(session, delivery.attempt):  # erased since the claim
                        failed.append(Outcome(delivery.attempt, SendResult.NOT_TRIED))
                        continue
                    # One trace per digest is enough.
                    if delivery.digest_id is None or delivery.digest_id not in logged:
                        log_trace(f"Delivery {delivery.id} cannot be built", error)
                    logged.add(delivery.digest_id)
                    text = f"the mail cannot be built: {describe_unexpected(error)}"
                    failed.append(Outcome(delivery.attempt, SendResult.DEFERRED, text))
        if failed:
            self.settling(failed)
        return messages

    def _adjust_claim_size(self, seconds: float) -> None:
        """Let the next claim hold about a second's worth of mails.

        Args:
            seconds: the duration of the last claim.
        """
        if seconds < _CLAIM_SECONDS / 2:
            self._claim_size = min(self._claim_size * 2, _MOST_CLAIMED)
        elif seconds > _CLAIM_SECONDS:
            self._claim_size = max(self._claim_size // 2, self._smallest_claim)


@cache
def _exempt_from_gc() -> None:
    """Exclude all objects that exist now from garbage collection, once in the life of a process.

    Otherwise each collection, every few mails, would visit all objects of the process. Repeated for
    each run, it would keep the garbage of all runs: what was exempt and is not any more is visited
    only by the rarest of collections.
    """
    gc.freeze()


class _Settling:
    """The storing and counting of outcomes.

    Attributes:
        answers: the number of deliveries by `SendResult`.
        for_our_fault: the number of those that wait because servers refuse us.
        open: the attempts without an outcome.
        on_accepted: called once, after the first messages that were accepted.
    """

    def __init__(self, deps: Deps, write: Run) -> None:
        self.on_accepted: Callable[[], None] | None = None
        self._deps, self._write, self._refusals = deps, write, Refusals(deps)
        self.answers: dict[str, int] = {}
        self.for_our_fault = 0
        self.open: set[Attempt] = set()

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        """Store outcomes; accepted ones, which are nearly all, in one cheap statement."""
        now = self._deps.now()
        accepted = [
            outcome.attempt for outcome in outcomes if outcome.answer is SendResult.ACCEPTED
        ]
        if accepted:
            for claim, delivery_ids in _by_claim(accepted).items():
                outbox.settle_accepted(self._write, delivery_ids, claim, now)
            self.open.difference_update(accepted)
            self._count(SendResult.ACCEPTED, len(accepted))
            on_accepted, self.on_accepted = self.on_accepted, None
            if on_accepted is not None:
                on_accepted()
        others = [outcome for outcome in outcomes if outcome.answer is not SendResult.ACCEPTED]
        if others:
            self._settle_others(others, now)
            self.open.difference_update(outcome.attempt for outcome in others)
        for outcome in others:
            self._count(outcome.answer, 1)
            self.for_our_fault += outcome.waits_because is not None

    def _count(self, answer: SendResult, number: int) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + number

    def _settle_others(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Store outcomes that were not accepted, with their consequences.

        If a consequence cannot be stored, the outcomes are stored without it, and then the
        consequences one by one: otherwise the mails would be sent again.
        """
        try:
            with self._deps.writing() as session:
                stored = outbox.settle_attempts(session, outcomes, now)
                self._refusals.apply(session, stored, now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the outcomes must be stored in any case
            log_trace("The consequences of refusals could not be stored", error)
            with self._deps.writing() as session:
                stored = outbox.settle_attempts(session, outcomes, now)
            for outcome in stored:
                task = f"Storing the consequences for delivery {outcome.attempt.delivery_id}"
                with Problems().contained(task), self._deps.writing() as session:
                    self._refusals.apply(session, [outcome], now)


def _by_claim(attempts: Sequence[Attempt]) -> dict[str, list[int]]:
    """Return the ids of the deliveries by the name of their claim."""
    claims: dict[str, list[int]] = {}
    for attempt in attempts:
        claims.setdefault(attempt.claim, []).append(attempt.delivery_id)
    return claims


@contextmanager
def _leases_kept(deps: Deps, unsettled: Collection[Attempt]) -> Iterator[None]:
    """Renew the leases of what is still being sent, from a thread.

    So no second worker takes over the deliveries while a slow server has them.

    Args:
        deps: the installation.
        unsettled: the attempts; the caller removes those with an outcome.
    """
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_HEARTBEAT):
            try:
                # The copy is made in one step, while the other thread adds and removes attempts.
                claims = {attempt.claim for attempt in tuple(unsettled)}
                with deps.writing() as session:
                    outbox.renew(session, claims, deps.now())
            except Exception as error:  # noqa: BLE001 - a lease outlives two failed renewals
                log_trace("Leases could not be renewed", error)

    heartbeat = threading.Thread(target=renew, name="leases", daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        done.set()
        heartbeat.join()
