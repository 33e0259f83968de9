"""The server: HTTP/1.1 connections with limits, and without requests that can be read in two ways.

Owns the limits that uvicorn lacks: for a request that never ends, an answer that is never read,
and too many connections. It refuses requests whose end a proxy in front could see at another place
(RFC 9112, 6.1). It knows no page, and it logs neither paths nor network addresses: both may name
people.
"""

import re
from asyncio import Transport
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

# All limits are chosen by hand; not measured, unless the comment says so.

# Seconds for the whole head of a request, for its whole body, and for reading the rest of an
# answer.
HEAD_SECONDS = 10.0
BODY_SECONDS = 10.0
READ_SECONDS = 30.0
# Seconds for which a connection may wait for its next request.
KEEP_ALIVE_SECONDS = 5
# Seconds for answers that have begun when the server is stopped.
STOP_SECONDS = 15
# Above the first number of connections a request is answered 503; above the second, connections
# are closed without an answer. The usual limit of a process is 1024 open files.
CONNECTIONS = 200
MOST_CONNECTIONS = 400
# Connections that the operating system keeps until the server accepts them.
WAITING_CONNECTIONS = 256
# The most bytes of a request line with its headers, and the most headers. Browsers send fewer than
# 4000 bytes and 30 headers.
HEAD_BYTES = 16_384
HEADERS = 100

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]*)(:[0-9]{0,5})?")


def limits() -> dict[str, Any]:
    """Return the arguments for `uvicorn.run` or `uvicorn.Config` that apply these limits."""
    return {
        "http": Connection,
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "backlog": WAITING_CONNECTIONS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }


class _StrictParser(h11.Connection):
    """A parser that works like h11's and refuses requests that others could read differently."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            _refuse_ambiguous(event)
        return event


def _refuse_ambiguous(request: h11.Request) -> None:
    """Refuse a request that is too large, or that can be read in two ways (RFC 9112, 3.2 and 6.1).

    Raises:
        RemoteProtocolError: the request is answered with the status in the error, 400 if it has
            none, and the connection is closed.
    """
    headers = list(request.headers)
    names = [name for name, _ in headers]
    size = len(request.target) + sum(len(name) + len(value) for name, value in headers)
    if request.http_version not in (b"1.0", b"1.1"):
        raise h11.RemoteProtocolError("the version of HTTP is not supported", error_status_hint=505)
    if len(headers) > HEADERS or size > HEAD_BYTES:
        raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
    if b"transfer-encoding" in names and (
        b"content-length" in names or request.http_version < b"1.1"
    ):
        raise h11.RemoteProtocolError("the length of the body is given in two ways")
    if any(name == b"host" and not _HOST.fullmatch(value) for name, value in headers):
        raise h11.RemoteProtocolError("the host is not valid")


class Connection(H11Protocol):
    """A connection of uvicorn's with a timer for everything that it waits for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _StrictParser(h11.SERVER, HEAD_BYTES)
        self._application = self.app
        self._waiting_for: tuple[object, object] | None = None
        self._timer: TimerHandle | None = None
        self._read_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timer for the first request; close at once above `MOST_CONNECTIONS`."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        for timer in (self._timer, self._read_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the bytes that came, and start the timer for what must come next."""
        super().data_received(data)
        self._set_timer()

    def on_response_complete(self) -> None:
        """Start the timer within which the visitor must read the answer."""
        super().on_response_complete()
        self._set_read_timer()
        self._set_timer()

    def pause_writing(self) -> None:
        """Start the timer within which the visitor must go on reading."""
        super().pause_writing()
        self._set_read_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be read; close without one while another answer is sent."""
        if self._is_answering():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _should_upgrade(self) -> bool:
        """Choose the application that answers the request whose head has just come.

        Returns False: no connection is upgraded to another protocol.
        """
        if len(self.connections) > CONNECTIONS:
            self.app = _too_many_visitors
        else:
            self.app = _no_web_socket if self._get_upgrade() == b"websocket" else self._application
        return False

    def _is_answering(self) -> bool:
        return self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE)

    def _set_timer(self) -> None:
        """Start the timer for what must come next; one that runs goes on: it is for the whole."""
        waiting_for, seconds = self._next_from_visitor()
        if waiting_for == self._waiting_for:
            return
        self._waiting_for = waiting_for
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._close_late) if waiting_for else None

    def _next_from_visitor(self) -> tuple[tuple[object, object] | None, float]:
        """Return what must come next, of which request, and within how many seconds.

        None while nothing must come: another timer runs, or an answer is being made.
        """
        state = self.conn.their_state
        if state is h11.IDLE and self.timeout_keep_alive_task is None:
            return (state, self.cycle), HEAD_SECONDS
        if state is h11.SEND_BODY:
            return (state, self.cycle), BODY_SECONDS
        return None, 0

    def _close_late(self) -> None:
        """Close a connection whose request did not come in time.

        A visitor who sent a part of it is answered 408 (RFC 9110, 15.5.9).
        """
        if self.transport.is_closing():
            return
        began = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        if began and not self._is_answering():
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
                b"content-length: 15\r\nconnection: close\r\n\r\nRequest Timeout"
            )
        self.transport.close()
        self._set_read_timer()

    def _set_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
        self._read_timer = self.loop.call_later(READ_SECONDS, self._abort_unread)

    def _abort_unread(self) -> None:
        """Close a connection whose visitor does not read the answer."""
        if self.transport.is_closing() or self.flow.write_paused:
            self.transport.abort()


def _answer(status: int, text: str) -> "ASGI3Application":
    """Return an application that answers every request with one line and closes."""
    body = text.encode("ascii")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"10"))

    async def answer(
        _scope: "Scope", _receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer


_too_many_visitors = _answer(503, "Too many visitors at this moment. Please try again.")
_no_web_socket = _answer(400, "There is no WebSocket here.")
