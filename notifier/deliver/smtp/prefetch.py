"""Prefetching: messages that are slow to build are built before they are sent, on several cores.

A signature by RSA takes longer than everything else about a mail, and Python's interpreter lock is
free meanwhile. How a message is built is not known here.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from notifier.deliver.smtp.protocol import OutgoingMessage

# Messages are built in batches, and this many batches are ahead of the message that is sent, so
# that at most 64 messages are kept in memory. Chosen by hand; not measured.
BATCH_SIZE = 8
BATCHES_AHEAD = 8


class Prefetcher:
    """A pool of threads that builds messages in their order, some of them in advance."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "prefetch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def prepared(self, messages: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
        """Return the same messages, each of which waits for its bytes instead of building them.

        Bytes are kept until they are used. A message that is used again, or whose building failed
        in advance, is built at that moment, so that its error is raised there.
        """
        batches = [
            messages[start : start + BATCH_SIZE] for start in range(0, len(messages), BATCH_SIZE)
        ]
        built: list[Future[list[bytes | None]]] = []

        def use(batch: int, index: int) -> bytes:
            while len(built) < min(batch + BATCHES_AHEAD, len(batches)):
                built.append(self._pool.submit(_build, batches[len(built)]))
            results = built[batch].result()
            octets, results[index] = results[index], None
            return batches[batch][index].message() if octets is None else octets

        return [
            outgoing._replace(message=partial(use, number // BATCH_SIZE, number % BATCH_SIZE))
            for number, outgoing in enumerate(messages)
        ]


def _build(messages: Sequence[OutgoingMessage]) -> list[bytes | None]:
    """Return the bytes of each message; None for one that cannot be built."""
    built: list[bytes | None] = []
    for outgoing in messages:
        try:
            built.append(outgoing.message())
        except Exception:  # noqa: BLE001 - it is built again when it is sent, and fails there
            built.append(None)
    return built
