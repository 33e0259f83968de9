"""Random requests to every page: each is answered, and no page fails, on both databases."""

import logging
import socket
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from notifier.enums import SubscriptionStatus
from notifier.links import Purpose
from notifier.store.models import SignupRequest, Subscription
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.operators import add_operator
from tests.support.web_server import serving

pytestmark = pytest.mark.postgresql_long

FIELDS = (
    *(
        "email",
        "profile",
        "consent",
        "website",
        "every",
        "at",
        "on",
        "weekday",
        "day",
        "time_zone",
        "edition",
    ),
    *(
        "language",
        "spoken",
        "name",
        "password",
        "opened",
        "next",
        "do",
        "until",
        "sections",
        "show",
        "urgent",
        "sure",
        "List-Unsubscribe",
    ),
)
ACTIONS = ("save", "pause", "resume", "leave", "follow", "address", "export", "undo", "nothing")
PURPOSES = [purpose for purpose in Purpose if purpose is not Purpose.ARCHIVE]
KINDS = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=unicode_escape",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=b; charset=utf-7",
    "multipart/form-data; boundary=b; charset=raw_unicode_escape",
    "multipart/form-data; boundary=b; charset=idna",
    "multipart/form-data; boundary=b; charset=undefined",
    "multipart/form-data; boundary=b; charset=punycode",
    "multipart/form-data; boundary=b; charset=no-such",
    "multipart/form-data; boundary=b; charset=rot13",
    "multipart/form-data; boundary=b; charset=zlib",
    "multipart/form-data; boundary=b; charset=\x00",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 300,
    "multipart/mixed; boundary=b",
    "application/json",
    "text/plain",
    "",
    ";",
    "\xff",
)
HEADERS = (
    *(
        "Accept-Language",
        "Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "Origin",
    ),
    *(
        "Sec-Fetch-Site",
        "If-None-Match",
        "Authorization",
        "Cookie",
        "Referer",
        "Expect",
        "Range",
        "Content-Encoding",
    ),
)
ODD_VALUES = (
    *(
        "",
        "\x00",
        "\ud800",
        "0٣:00",
        "²",
        "9" * 400,
        "-1",
        "nan",
        "inf",
        "1e400",
        "a" * 5000,
        "%",
        "%zz",
        "%00",
    ),
    *(
        "\r\n",
        "anna@example.org",
        "a@b",
        "a\x00@example.org",
        "'; DROP TABLE subscriber; --",
        "{{ 7 * 7 }}",
    ),
    *(
        "9999-12-31",
        "0001-01-01",
        "2026-03-20",
        "8:5",
        "daily",
        "weekly",
        "monthly",
        "yes",
        "frexalimab",
        "UTC",
    ),
    *(
        "localtime",
        "right/UTC",
        "en",
        "fr",
        "x-klingon",
        "*;q=nan",
        "de;q=-1,fr;q=1e999",
        "[::1",
        "http://[",
        "//[",
        "same-origin",
        "x:99999",
    ),
    *('for="_x"', "\u202e", "<script>", "../x"),
)

values = st.sampled_from(ODD_VALUES) | st.text(st.characters(), max_size=40)
pairs = st.lists(st.tuples(st.sampled_from(FIELDS), values | st.sampled_from(ACTIONS)), max_size=12)


def urlencoded(fields: list[tuple[str, str]]) -> bytes:
    return urlencode(fields, errors="replace").encode()


def multipart(fields: list[tuple[str, str]]) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value.encode("utf-8", "replace")
        for name, value in fields
    ]
    return b"\r\n".join([*parts, b"--b--\r\n"])


bodies = st.one_of(
    pairs.map(urlencoded),
    pairs.map(multipart),
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"{",
            b'{"email": "anna@example.org"}',
            b"&" * 5000,
            b"a=1&" * 10_000,
            b"email=%ff%fe&consent=yes",
            b"email=%ED%A0%80",
            b"%zz=%zz&=&==",
            b"x" * 70_000,
            b"--b\r\n" * 2000,
            (
                b'--b\r\nContent-Disposition: form-data; name="email"; filename="x"'
                b"\r\n\r\nx\r\n--b--\r\n"
            ),
            (
                b'--b\r\nContent-Disposition: form-data; name="email"'
                b"\r\n\r\n+2AA-\\ud800\xff\x00\r\n--b--\r\n"
            ),
            b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
            b"--b\r\n\r\nx",
            b"--b\r\n" + b"X: y\r\n" * 5000,
            multipart([("email", "x")] * 100),
        ]
    ),
)


class Pages:
    """A running application with one subscriber, and the paths that exist in it."""

    def __init__(self, made: Installation, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._address = host, int(port)
        self._deps = deps = made.at(MONDAY)
        with deps.reading() as session:
            link_id = session.query(Subscription).one().link_id
        links = [f"/{purpose}/{deps.links.token(purpose, link_id, MONDAY)}" for purpose in PURPOSES]
        self.paths = [
            "/",
            "/subscribe",
            "/link",
            "/archive",
            "/archive/1",
            "/feeds/frexalimab.atom",
            "/healthz",
            "/operator/",
            "/operator/login",
            "/operator/log",
            "/operator/logout",
            "/operator/profiles/frexalimab/edit",
            "/operator/digests/1/approve",
            *links,
        ]

    def revive(self) -> None:
        """Subscribe the subscriber again and delete the requests that count for limits."""
        with self._deps.writing() as session:
            session.query(Subscription).one().status = SubscriptionStatus.CONFIRMED
            session.query(SignupRequest).delete()

    def status(self, octets: bytes) -> int:
        """Send a request as it is; gives the status of the answer, 0 for none."""
        with socket.create_connection(self._address, timeout=60) as connection:
            connection.sendall(octets)
            line = connection.makefile("rb").readline()
        return int(line.split()[1]) if line else 0


@pytest.fixture
def pages(any_installation: Installation, caplog: pytest.LogCaptureFixture) -> Iterator[Pages]:
    any_installation.subscribe("anna@example.org")
    add_operator(any_installation)
    caplog.set_level(logging.ERROR)
    with serving(create(any_installation.at(MONDAY))) as url:
        yield Pages(any_installation, url)
    assert caplog.records == []


def header(name: str, value: str) -> bytes:
    """A header line, without what would end it."""
    octets = value.encode("utf-8", "replace").translate(None, b"\r\n\x00")
    return f"{name}: ".encode() + octets.strip() + b"\r\n"


def request(
    method: str, path: str, headers: list[tuple[str, str]], kind: str, body: bytes
) -> bytes:
    lines = b"".join(header(name, value) for name, value in headers)
    hosts = b"" if any(name == "Host" for name, _ in headers) else b"Host: news.example.org\r\n"
    kinds = (
        header("Content-Type", kind.encode("latin-1", "replace").decode("latin-1")) if kind else b""
    )
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    return f"{method} {path} HTTP/1.1\r\n".encode() + hosts + lines + kinds + length + body


REQUESTS = st.tuples(
    st.sampled_from(
        ["POST", "POST", "POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"]
    ),
    st.integers(0, 100),
    st.one_of(
        st.just(""),
        st.sampled_from(
            [
                "?",
                "?language=",
                "?next=//[",
                "?profile=%00",
                "?profile=%ff&profile=x",
                "?" + "a=b&" * 900,
            ]
        ),
    ),
    st.lists(
        st.tuples(st.sampled_from(HEADERS), values), max_size=4, unique_by=lambda pair: pair[0]
    ),
    st.sampled_from(KINDS),
    bodies,
)


@seed(13)
@settings(max_examples=250, suppress_health_check=list(HealthCheck), deadline=None)
@given(REQUESTS)
def test_no_request_makes_a_page_fail(pages: Pages, parts):
    method, number, query, headers, kind, body = parts
    # Who expects something waits for the server first, which this test does not.
    headers = [(name, value) for name, value in headers if name != "Expect"]
    pages.revive()
    path = pages.paths[number % len(pages.paths)]
    status = pages.status(request(method, path + query, headers, kind, body))
    assert 200 <= status < 500, (method, path, headers, kind, body[:300])


PATHS = (
    *(
        "archive/{}",
        "feeds/{}.atom",
        "feeds/{}",
        "confirm/{}",
        "unsubscribe/{}",
        "preferences/{}",
        "renew/{}",
    ),
    *("address/{}", "{}", "style.css/{}"),
)


@seed(13)
@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.sampled_from(PATHS),
    values | st.binary(max_size=30),
    st.sampled_from(["GET", "POST", "HEAD"]),
)
def test_no_address_makes_a_page_fail(pages: Pages, path: str, odd: str | bytes, method: str):
    octets = odd if isinstance(odd, bytes) else odd.encode("utf-8", "replace")
    status = pages.status(request(method, "/" + path.format(quote(octets, safe="/.")), [], "", b""))
    # The archive with a slash at its end is the archive.
    leads_on = status == 308 and path.format("") == "archive/" and not octets.strip(b"/.")
    assert status in (200, 404, 405) or leads_on or (status == 400 and len(octets) > 3000), (
        path,
        odd,
    )


@pytest.mark.long
def test_every_odd_value_in_every_field_of_every_form_is_answered_with_a_page(pages: Pages):
    for path in pages.paths:
        for action in ACTIONS:
            pages.revive()
            for odd in ODD_VALUES[:20]:
                fields = [(name, odd) for name in FIELDS if name != "do"]
                body = urlencoded([("do", action), *fields])
                assert 200 <= pages.status(request("POST", path, [], KINDS[0], body)) < 500, (
                    path,
                    action,
                    odd,
                )
