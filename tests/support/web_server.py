"""A web server for the tests: an application on loopback, with the limits that the product sets."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from notifier.web.server import limits


@contextmanager
def serving(application: Starlette) -> Iterator[str]:
    """Serve an application on a free port of the loopback interface; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application, log_level="error", log_config=None, lifespan="off", **limits()
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])),
            name="test-web-server",
            daemon=True,
        )
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("The web server of the test did not start.")
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
