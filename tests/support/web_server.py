"""A web server for the tests: an application on loopback, with the limits that the product sets."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from notifier.web.server import limits


class _Server(uvicorn.Server):
    """uvicorn's server without its pauses: it looks only every 0.1 s for whether it shall stop.

    The pauses took more time than most of the tests. That the product's own server starts and
    stops has tests of its own, in processes.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Stop the server, from another thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.is_ready.set()
        seconds = 0
        while not self._stopping.is_set():
            await self.on_tick(10 * seconds)
            seconds += 1
            try:
                await asyncio.wait_for(self._stopping.wait(), 1)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)
        # With connections or answers under way, all is done as uvicorn does it.
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)


@contextmanager
def serving(application: ASGIApp, certificate: Path | None = None) -> Iterator[str]:
    """Serve an application on a free port of the loopback interface; yield its address.

    With a certificate it speaks TLS.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application,
            log_level="error",
            log_config=None,
            lifespan="off",
            ssl_certfile=certificate,
            **limits(),
        )
        server = _Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])),
            name="test-web-server",
            daemon=True,
        )
        thread.start()
        if not server.is_ready.wait(20):
            raise RuntimeError("The web server of the test did not start.")
        try:
            yield f"http{'s' * bool(certificate)}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()
