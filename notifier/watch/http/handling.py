"""The handling of responses, in threads beside the event loop that fetches them.

Owns the two threads and the order in which they are given responses. It must not know what is done
with a response.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self

from notifier.watch.http.types import Request, Response

# Takes a response and may return further requests.
OnResponse = Callable[[Response], Iterable[Request] | None]
# Takes a response whose turn has not come yet.
Prepare = Callable[[Response], None]
# A response, and the future of what it leads to.
_Waiting = tuple[Response, asyncio.Future[Iterable[Request] | None]]

# Responses that are prepared, or being handled after that: bench/polling.py was no faster with 8.
_PREPARED_AT_ONCE = 3


class Handling:
    """The handling of the responses, in two threads of its own.

    A context manager, which ends the threads.
    """

    def __init__(self, on_response: OnResponse, prepare: Prepare | None) -> None:
        self._on_response = on_response
        self._prepare = prepare
        self._handler = ThreadPoolExecutor(max_workers=1, thread_name_prefix="on_response")
        self._preparer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
        # What was prepared takes memory until it is handled.
        self._places = asyncio.Semaphore(_PREPARED_AT_ONCE)
        self._without_body: list[_Waiting] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._preparer.shutdown()
        self._handler.shutdown()

    async def __call__(self, response: Response) -> Iterable[Request] | None:
        """Handle a response and return the further requests."""
        loop = asyncio.get_running_loop()
        if not response.body:
            return await self._handled_with_others(response)
        if self._prepare is None:
            return await loop.run_in_executor(self._handler, self._on_response, response)
        async with self._places:
            await loop.run_in_executor(self._preparer, self._prepare, response)
            return await loop.run_in_executor(self._handler, self._on_response, response)

    async def _handled_with_others(self, response: Response) -> Iterable[Request] | None:
        """Handle a response together with those that arrive in the same turn of the loop.

        There is little to do for each: to wake the thread each time took longer.
        """
        loop = asyncio.get_running_loop()
        handled: asyncio.Future[Iterable[Request] | None] = loop.create_future()
        self._without_body.append((response, handled))
        if len(self._without_body) == 1:
            await asyncio.sleep(0)
            together, self._without_body = self._without_body, []
            for settle in await loop.run_in_executor(self._handler, self._handle_all, together):
                settle()
        return await handled

    def _handle_all(self, together: Sequence[_Waiting]) -> list[Callable[[], None]]:
        """Handle responses; return what is to be called in the loop, which owns the futures."""
        settled: list[Callable[[], None]] = []
        for response, handled in together:
            try:
                settled.append(partial(handled.set_result, self._on_response(response)))
            except Exception as error:  # noqa: BLE001 - its own task raises it
                settled.append(partial(handled.set_exception, error))
        return settled
