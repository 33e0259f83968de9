"""Patience: work that asks other sites, for which a browser waits some seconds and no longer."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from notifier.errors import InputError

# Seconds for which a browser waits. Chosen by hand: proxies in front often end a request after 30.
SECONDS = 24.0
# Pieces of work at the same time, those that nobody waits for any more included. Chosen by hand;
# not measured.
_AT_ONCE = 6
_places = BoundedSemaphore(_AT_ONCE)

Result = TypeVar("Result")


def wait_for(work: Callable[[], Result]) -> Result:
    """Do something in a thread of its own, which goes on when nobody waits any more.

    Args:
        work: opens its own transactions; its errors are raised here.

    Raises:
        TimeoutError: it is not done after `SECONDS`, and goes on.
        InputError: too much is being done already; nothing was begun.
    """
    if not _places.acquire(blocking=False):
        raise InputError("Several sites are being read already.", "Try it again in a minute.")
    result: Future[Result] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised to whoever waits
            result.set_exception(error)
        finally:
            _places.release()

    Thread(target=run, name="operator page", daemon=True).start()
    return result.result(SECONDS)
