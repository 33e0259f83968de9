"""Ahead: messages that take long to make are made before their turn, on every core there is.

Owns the threads for it. What makes a message it does not know: a signature by RSA takes longer than
all else about a mail, and the other threads go on meanwhile.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from notifier.deliver.smtp.protocol import OutgoingMessage

# How many are made at one go, and how many goes are under way before the first is asked for: all
# these are kept.
_AT_ONCE = 8
_GOES = 8


class Prefetcher:
    """Makes the messages of parcels in their order, some of them before they are asked for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "ahead")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def prepared(self, parcels: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
        """The same parcels, each of which waits for its message instead of making it."""
        goes = [parcels[start : start + _AT_ONCE] for start in range(0, len(parcels), _AT_ONCE)]
        made: list[Future[list[bytes | None]]] = []

        def taken(go: int, place: int) -> bytes:
            while len(made) < min(go + _GOES, len(goes)):
                made.append(self._pool.submit(_made, goes[len(made)]))
            found = made[go].result()
            message, found[place] = found[place], None
            return goes[go][place].message() if message is None else message

        return [
            parcel._replace(message=partial(taken, number // _AT_ONCE, number % _AT_ONCE))
            for number, parcel in enumerate(parcels)
        ]


def _made(parcels: Sequence[OutgoingMessage]) -> list[bytes | None]:
    made: list[bytes | None] = []
    for parcel in parcels:
        try:
            made.append(parcel.message())
        except Exception:  # noqa: BLE001 - it is made again in its turn, where its failure is answered
            made.append(None)
    return made
