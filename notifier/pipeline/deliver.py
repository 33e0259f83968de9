"""Delivering: what is owed goes out, and each answer is written down before its connection goes on.

Joins the outbox (what is owed to whom), the letters (what it says) and the mail server (who takes
it). Transactions are opened here, and none is open while the network is used.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from notifier.deliver import outbox
from notifier.deliver.outbox import Claimed, Outcome, SendResult, rate_limits
from notifier.deliver.smtp.prefetch import Prefetcher
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.digest import digests
from notifier.errors import StoreError
from notifier.messages import digest_mail
from notifier.pipeline.problems import Problems, describe_unexpected, log_trace
from notifier.pipeline.refusals import Refusals

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
        return self.answers.get(SendResult.ACCEPTED, 0)

    @property
    def not_accepted(self) -> int:
        """How many it refused, put off, or left in doubt."""
        tried = (SendResult.REFUSED, SendResult.DEFERRED, SendResult.UNKNOWN)
        return sum(self.answers.get(answer, 0) for answer in tried)


def never() -> bool:
    """Go on to the end."""
    return False


def run(deps: Deps, stop: Callable[[], bool] = never) -> Sent:
    """Send what is owed until nothing is left that can be sent now, or it is to `stop`."""
    deps.require_sender()
    press, size, problem = digest_mail.MessageBuilder(deps), _smallest(deps), ""
    slow = any(one.slow for one in deps.signers)
    with (
        _gc_frozen(),
        deps.small_transactions() as begin,
        closing(deps.transport) as transport,
        Prefetcher() as ahead,
    ):
        settling = _Settling(deps, begin)
        while not problem and not stop():
            now = deps.now()
            with deps.writing() as session:
                terms = _terms(deps, size)
                claimed = outbox.claim_due(session, now, terms)
                more = not claimed and outbox.has_more(session, now, terms)
                rate = deps.settings.smtp.rate_per_second
                wait = (
                    rate_limits.reserve(session, rate, len(claimed), now)
                    if rate and claimed
                    else timedelta()
                )
            if more:
                continue
            if not claimed:
                break
            started = time.monotonic()
            settling.open.update(one.id for one in claimed)
            with _leases_kept(deps, settling.open):
                parcels = _built(deps, press, claimed, settling, now)
                if slow:
                    parcels = ahead.prepared(parcels)
                problem = transport.send(parcels, settling, wait.total_seconds(), stop)
            size = _next_size(deps, size, time.monotonic() - started)
    with deps.writing() as session:
        digests.finish(session)
    return Sent(settling.answers, problem)


def _built(
    deps: Deps,
    press: digest_mail.MessageBuilder,
    claimed: Sequence[Claimed],
    settling: "_Settling",
    now: datetime,
) -> list[OutgoingMessage]:
    """The parcels of claimed deliveries; one that cannot be built is put off, and the others go out."""
    parcels: list[OutgoingMessage] = []
    failed: list[Outcome] = []
    logged: set[int | None] = set()
    with deps.reading() as session:
        for delivery in claimed:
            try:
                parcels.append(press.outgoing(session, delivery, now))
            except Exception as error:  # noqa: BLE001 - one mail stops no other
                if (
                    delivery.digest_id is None or delivery.digest_id not in logged
                ):  # one trace a digest is enough
                    log_trace(f"Delivery {delivery.id} cannot be built", error)
                logged.add(delivery.digest_id)
                failed.append(
                    Outcome(
                        delivery.id,
                        SendResult.DEFERRED,
                        f"the mail cannot be built: {describe_unexpected(error)}",
                    )
                )
    if failed:
        settling(failed)
    return parcels


@contextmanager
def _gc_frozen() -> Iterator[None]:
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


def _terms(deps: Deps, size: int) -> outbox.ClaimOptions:
    smtp = deps.settings.smtp
    return outbox.ClaimOptions(
        size, hold_uncertain=smtp.when_uncertain == "hold", domain_rates=smtp.domain_rates
    )


class _Settling:
    """Writes down what the server answers, and counts it."""

    def __init__(self, deps: Deps, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._deps, self._begin, self._refusals = deps, begin, Refusals(deps)
        self.answers: dict[str, int] = {}
        self.open: set[int] = set()

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        """Write these down: what was accepted, which is nearly all, the short way."""
        now = self._deps.now()
        accepted = [one.delivery_id for one in outcomes if one.answer is SendResult.ACCEPTED]
        if accepted:
            with self._begin() as connection:
                outbox.settle_accepted(connection, accepted, now)
            self.open.difference_update(accepted)
            self.answers[SendResult.ACCEPTED] = self.answers.get(SendResult.ACCEPTED, 0) + len(
                accepted
            )
        others = [one for one in outcomes if one.answer is not SendResult.ACCEPTED]
        if others:
            self._settle_others(others, now)
        for one in others:
            self.open.discard(one.delivery_id)
            self.answers[one.answer] = self.answers.get(one.answer, 0) + 1

    def _settle_others(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write down what was not accepted, with what follows from it; what cannot be drawn from one stops no other."""
        try:
            with self._deps.writing() as session:
                outbox.settle_attempts(session, outcomes, now)
                self._refusals.follow(session, outcomes, now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - an answer that is not written down would be asked for again
            log_trace("What follows from refusals could not be written down", error)
            with self._deps.writing() as session:
                outbox.settle_attempts(session, outcomes, now)
            for outcome in outcomes:
                what = f"What follows for delivery {outcome.delivery_id}"
                with Problems().contained(what), self._deps.writing() as session:
                    self._refusals.follow(session, [outcome], now)


@contextmanager
def _leases_kept(deps: Deps, unsettled: set[int]) -> Iterator[None]:
    """Renew the leases of what is still being sent, so that a slow server is not asked by two workers at once."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_HEARTBEAT):
            try:
                with deps.writing() as session:
                    outbox.renew(session, tuple(unsettled), deps.now())
            except Exception as error:  # noqa: BLE001 - a lease outlives two beats that are missed
                log_trace("Leases could not be renewed", error)

    heart = threading.Thread(target=renew, name="leases", daemon=True)
    heart.start()
    try:
        yield
    finally:
        done.set()
        heart.join()
