"""The server: HTTP/1.1 connections with limits on time, size and number, and requests that can be read in one way only.

Owns what uvicorn leaves open: a request that never ends, an answer that is never read, a crowd of
connections, framing that a proxy in front could read differently (RFC 9112, 6.1). It knows no page,
and logs neither targets nor addresses: both name people.
"""

import re
from asyncio import Transport
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

# Seconds for the whole head of a request, for the whole of its body, and for reading what is left
# of an answer.
HEAD_SECONDS = 10.0
BODY_SECONDS = 10.0
READ_SECONDS = 30.0
# Seconds for which a connection may wait for its next request.
KEEP_ALIVE_SECONDS = 5
# Seconds for what is under way when the server is told to stop.
STOP_SECONDS = 15
# Above the first number of connections requests are answered 503, above the second they are closed
# unanswered. A process may usually have 1024 files open.
CONNECTIONS = 200
MOST_CONNECTIONS = 400
WAITING_CONNECTIONS = 256
# Bytes of a request line with its headers, and how many headers: browsers send under 4 KB and 30.
HEAD_BYTES = 16_384
HEADERS = 100

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]*)(:[0-9]{0,5})?")


def limits() -> dict[str, Any]:
    """The arguments for `uvicorn.run` or `uvicorn.Config` that put these limits in force."""
    return {
        "http": Connection,
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "backlog": WAITING_CONNECTIONS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }


class _StrictReader(h11.Connection):
    """Reads requests as h11 does, and refuses those that somebody else could read differently."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            _refuse_ambiguous(event)
        return event


def _refuse_ambiguous(request: h11.Request) -> None:
    """Refuse a head that is too large, or whose body or host two readers could tell apart (RFC 9112, 3.2 and 6.1).

    Raises:
        RemoteProtocolError: it is answered 400, and the connection is closed.
    """
    headers = list(request.headers)
    names = [name for name, _ in headers]
    size = len(request.target) + sum(len(name) + len(value) for name, value in headers)
    if request.http_version not in (b"1.0", b"1.1"):
        raise h11.RemoteProtocolError("no such version of HTTP", error_status_hint=505)
    if len(headers) > HEADERS or size > HEAD_BYTES:
        raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
    if b"transfer-encoding" in names and (
        b"content-length" in names or request.http_version < b"1.1"
    ):
        raise h11.RemoteProtocolError("the length of the body is told in two ways")
    if any(name == b"host" and not _HOST.fullmatch(value) for name, value in headers):
        raise h11.RemoteProtocolError("the host is none")


class Connection(H11Protocol):
    """One connection: uvicorn's, with a clock for whatever is waited for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _StrictReader(h11.SERVER, HEAD_BYTES)
        self._application = self.app
        self._waiting_for: tuple[object, object] | None = None
        self._clock: TimerHandle | None = None
        self._reading_clock: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin the time for a first request, or end at once what is too much."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._set_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        for clock in (self._clock, self._reading_clock):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and see what is waited for now."""
        super().data_received(data)
        self._set_clock()

    def on_response_complete(self) -> None:
        """Begin the time in which the answer must be read."""
        super().on_response_complete()
        self._set_reading_clock()
        self._set_clock()

    def pause_writing(self) -> None:
        """Begin the time in which the visitor must read on."""
        super().pause_writing()
        self._set_reading_clock()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read; where an answer is under way already, only close."""
        if self._is_answering():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _should_upgrade(self) -> bool:
        """Choose who answers the request whose head has just come; no connection becomes one of another kind."""
        if len(self.connections) > CONNECTIONS:
            self.app = _too_many
        else:
            self.app = _no_web_socket if self._get_upgrade() == b"websocket" else self._application
        return False

    def _is_answering(self) -> bool:
        return self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE)

    def _set_clock(self) -> None:
        """Start the clock of what is waited for now, unless it runs already: the time is for the whole."""
        waiting_for, seconds = self._next_from_visitor()
        if waiting_for == self._waiting_for:
            return
        self._waiting_for = waiting_for
        if self._clock is not None:
            self._clock.cancel()
        self._clock = self.loop.call_later(seconds, self._close_late) if waiting_for else None

    def _next_from_visitor(self) -> tuple[tuple[object, object] | None, float]:
        """What is waited for (of which request), and for how long; None while another clock runs or we work."""
        state = self.conn.their_state
        if state is h11.IDLE and self.timeout_keep_alive_task is None:
            return (state, self.cycle), HEAD_SECONDS
        if state is h11.SEND_BODY:
            return (state, self.cycle), BODY_SECONDS
        return None, 0

    def _close_late(self) -> None:
        """Close a connection whose request did not come in time; who sent something is told why (RFC 9110, 15.5.9)."""
        if self.transport.is_closing():
            return
        began = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        if began and not self._is_answering():
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
                b"content-length: 15\r\nconnection: close\r\n\r\nRequest Timeout"
            )
        self.transport.close()
        self._set_reading_clock()

    def _set_reading_clock(self) -> None:
        if self._reading_clock is not None:
            self._reading_clock.cancel()
        self._reading_clock = self.loop.call_later(READ_SECONDS, self._abort_unread)

    def _abort_unread(self) -> None:
        """Let go of an answer that nobody reads."""
        if self.transport.is_closing() or self.flow.write_paused:
            self.transport.abort()


def _answer(status: int, text: str) -> "ASGI3Application":
    """An application that answers every request with one line, and closes."""
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


_too_many = _answer(503, "Too many visitors at this moment. Please try again.")
_no_web_socket = _answer(400, "There is no WebSocket here.")
