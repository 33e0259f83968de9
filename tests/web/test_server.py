"""The server: slow, too many, ambiguous and invalid requests, and a log that names nobody."""

import logging
import math
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from notifier.web import server
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.web_server import serving

PAGE, LARGE = 300_000, 32_000_000


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _page(_request: Request) -> Response:
    return PlainTextResponse("x" * PAGE)


async def _large(_request: Request) -> Response:
    return PlainTextResponse("x" * LARGE)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """All limits of time, short enough to wait for."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HEAD_SECONDS", "BODY_SECONDS", "READ_SECONDS"):
            patch.setattr(server, name, 0.6)
        patch.setattr(server, "KEEP_ALIVE_SECONDS", 1)
        yield


@pytest.fixture(scope="module")
def address(quick: None) -> Iterator[tuple[str, int]]:
    """A small application behind the server."""
    routes = [
        Route("/", _echo, methods=["GET", "POST"]),
        Route("/page", _page, methods=["GET"]),
        Route("/large", _large, methods=["GET"]),
    ]
    with serving(Starlette(routes=routes, exception_handlers={ClientDisconnect: _gone})) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def connected(address: tuple[str, int]) -> closing[socket.socket]:
    return closing(socket.create_connection(address, timeout=10))


def rest(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    octets = b""
    try:
        while piece := connection.recv(65536):
            octets += piece
    except ConnectionResetError:
        pass
    return octets


def sent(address: tuple[str, int], octets: bytes) -> bytes:
    with connected(address) as connection:
        connection.sendall(octets)
        return rest(connection)


def dripped(connection: socket.socket, octets: bytes, seconds: float = 0.1) -> float:
    """Send byte by byte; return after how many seconds the server closed, or infinity."""
    began = time.monotonic()
    connection.settimeout(seconds)
    for octet in octets:
        try:
            connection.sendall(bytes([octet]))
            if connection.recv(1000) == b"":
                return time.monotonic() - began
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began
    return math.inf


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"", b"GET /" + b"a" * 200),
        (b"", GET[:-2] + b"X-Header: " + b"a" * 200),
        (GET, b"GET /" + b"b" * 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 50),
        (POST, b"b" * 40),
        (CHUNKED, b"1\r\nx\r\n" * 30),
        (CHUNKED, b"0\r\nX: " + b"y" * 100),
        (POST[:-2] + b"Expect: 100-continue\r\n\r\n", b"b" * 40),
    ],
    ids=["target", "header", "second request", "headers", "body", "chunks", "trailer", "expect"],
)
def test_a_request_that_comes_byte_by_byte_is_closed_in_time(
    address: tuple[str, int], at_once: bytes, slowly: bytes, caplog: pytest.LogCaptureFixture
):
    with connected(address) as connection:
        connection.sendall(at_once)
        assert 0.3 < dripped(connection, slowly) < math.inf
    assert caplog.records == []


@pytest.mark.parametrize(
    ("octets", "begins"),
    [(b"", b""), (b"GET / HT", b"HTTP/1.1 408"), (GET, b"HTTP/1.1 200"), (POST, b"HTTP/1.1 408")],
    ids=["nothing", "half a head", "one request", "no body"],
)
def test_a_connection_on_which_nothing_more_comes_is_closed(
    address: tuple[str, int], octets: bytes, begins: bytes
):
    answer = sent(address, octets)  # after ten seconds this gives up
    assert answer.startswith(begins)
    assert bool(answer) is bool(begins)


def test_others_are_served_while_fifty_send_slowly(address: tuple[str, int]):
    with ExitStack() as crowd:
        slow = [crowd.enter_context(connected(address)) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        quick = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert sent(address, quick).startswith(b"HTTP/1.1 200")
        closed, _, _ = select.select(slow, [], [], 0)
        assert len(closed) < len(slow), "the slow ones were waited for"
        assert [rest(connection)[:12] for connection in slow] == [b"HTTP/1.1 408"] * 50


def test_an_answer_that_nobody_reads_is_given_up(address: tuple[str, int]):
    with connected(address) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)
        assert len(rest(connection)) < LARGE


def test_an_answer_that_is_read_is_complete(address: tuple[str, int]):
    answer = sent(address, b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert len(answer.partition(b"\r\n\r\n")[2]) == PAGE


def test_a_connection_serves_one_request_after_another(address: tuple[str, int]):
    body = POST + b"b" * 50
    answer = sent(address, GET + body + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.count(b"HTTP/1.1 200 OK") == 3


TWO_LENGTHS = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"transfer-encoding: Chunked\r\nCONTENT-LENGTH: 0",
    b"Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 5, 6",
    b"Content-Length: +5",
    b"Content-Length: -1",
    b"Content-Length: 0x5",
    b"Content-Length: \xb2",
    b"Content-Length: 99999999999999999999999999",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:\x0bchunked",
]


@pytest.mark.parametrize("headers", TWO_LENGTHS, ids=repr)
def test_a_body_whose_length_can_be_read_in_two_ways_is_refused_and_what_follows_is_not_read(
    address: tuple[str, int], headers: bytes
):
    hidden = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = sent(
        address, b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n0\r\n\r\n" + hidden
    )
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "octets",
    [
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 150 + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x/../y\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET\x00/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX\x00: y\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    ],
    ids=lambda octets: repr(octets[:40]),
)
def test_an_invalid_request_is_answered_4xx_and_closed(address: tuple[str, int], octets: bytes):
    answer = sent(address, octets)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:80]
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"40"),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n", b"40"),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
        (b"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
        (b"GET / HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nHost: [::1]:8000\r\nConnection: close\r\n\r\n", b"200"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n",
            b"200",
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"400"),
        (
            (
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n"
                b"Connection: keep-alive, Upgrade\r\n\r\n"
            ),
            b"400",
        ),
    ],
    ids=lambda value: repr(value[:45]),
)
def test_an_unusual_request_is_answered_without_a_line_in_the_log(
    address: tuple[str, int], octets: bytes, status: bytes, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    logging.getLogger("uvicorn.error").propagate = True
    assert sent(address, octets).startswith(b"HTTP/1.1 " + status)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_too_many_visitors_are_answered_503_without_a_line_in_the_log(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(server, "CONNECTIONS", 5)
    monkeypatch.setattr(server, "HEAD_SECONDS", 5)
    caplog.set_level(logging.INFO)
    with ExitStack() as crowd:
        for _ in range(5):
            crowd.enter_context(connected(address)).sendall(b"GET")
        time.sleep(0.2)
        for _ in range(10):
            answer = sent(address, GET)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after:" in answer
    time.sleep(0.2)
    assert sent(address, GET).startswith(b"HTTP/1.1 200")
    assert caplog.records == []


def test_far_too_many_connections_are_closed_at_once(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 5)
    with ExitStack() as crowd:
        for _ in range(5):
            crowd.enter_context(connected(address))
        time.sleep(0.2)
        assert sent(address, b"") == b""


def test_the_log_contains_no_link(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    words = "anna@example.org has the link secret-link"

    def broken(*_: object) -> None:
        raise ValueError(words)

    caplog.set_level(logging.DEBUG)
    with serving(create(installation.at(MONDAY))) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        there = host, int(port)
        monkeypatch.setattr("notifier.web.link_actions._unsubscribe", broken)
        answers = [
            sent(
                there,
                b"POST /unsubscribe/secret-link HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            ),
            sent(there, b"GET /unsubscribe/secret-link HTTP/1.1\r\nHost: x\r\nX\x00: y\r\n\r\n"),
            sent(
                there,
                b"GET /unsubscribe/secret-link HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            ),
        ]
    assert [answer[9:12] for answer in answers] == [b"500", b"400", b"404"]
    text = caplog.text
    assert "a page failed: ValueError" in text
    assert "link_actions.py" in text
    assert "secret-link" not in text
    assert "anna" not in text


def test_a_visitor_who_leaves_in_the_middle_of_a_form_is_not_an_error(
    installation: Installation, caplog: pytest.LogCaptureFixture
):
    with serving(create(installation.at(MONDAY))) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        for path in (b"/subscribe", b"/link", b"/unsubscribe/x", b"/preferences/x"):
            with connected((host, int(port))) as connection:
                connection.sendall(POST.replace(b"POST /", b"POST " + path) + b"half")
                time.sleep(0.1)
        time.sleep(0.2)
    assert caplog.records == []


def test_the_server_stops_although_visitors_are_slow(quick: None):
    with ExitStack() as crowd:
        routes = [Route("/", _echo, methods=["GET", "POST"])]
        with serving(Starlette(routes=routes, exception_handlers={ClientDisconnect: _gone})) as url:
            host, _, port = url.removeprefix("http://").partition(":")
            for octets in (b"", b"GET /", POST, GET):
                crowd.enter_context(connected((host, int(port)))).sendall(octets)
            time.sleep(0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 10
