"""The HTTP client: many addresses at once, each within limits of size and time.

Owns the HTTP client and asyncio. It knows no source and no database: it is given requests and
passes on each response as it comes, so that only the responses of requests in flight are in memory.
A failure is a `Response` with an error, never an exception.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from http.cookies import Morsel
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from yarl import URL

from notifier.settings import Settings, Watch
from notifier.text.cleaning import clean, shorten, storable
from notifier.watch.http.handling import Handling, OnResponse, Prepare
from notifier.watch.http.packing import ACCEPTED, too_large, unpacked
from notifier.watch.http.ssrf import AddressRefusedError, connector, refuse_private_name
from notifier.watch.http.types import Request, Response

# All values were chosen by hand; not measured.

# Seconds between two requests to one host.
PAUSE_SECONDS = 0.25

# Requests in flight, and redirects that are followed.
_AT_ONCE, _MOST_REDIRECTS = 50, 10
# Bytes of all headers of an answer, and how many they are: browsers accept 256 KB, common clients
# 64 KB to 100 KB.
_HEADER_BYTES, _MOST_HEADERS = 65_536, 1_000
# Characters of the cookies that are sent with one request: servers refuse longer headers.
_LONGEST_COOKIES = 8_000
# Characters of a validator, of the target of a redirect (RFC 9110, 4.1 recommends to support 8,000
# octets), and of a stored error.
_LONGEST_VALIDATOR, _LONGEST_LOCATION, _LONGEST_ERROR = 1_000, 8_000, 400
# Characters that no address holds: control characters, the space, and the surrogates by which
# aiohttp represents bytes that are not UTF-8 (PEP 383).
_NOT_IN_ADDRESS = re.compile("[\udc80-\udcff\x00-\x20\x7f]")
# An address that needs no further encoding, and has some (RFC 3986, 2).
_ENCODED = re.compile(r"(?:[\w.~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_REDIRECTS, _PERMANENT_REDIRECTS = (301, 302, 303, 307, 308), (301, 308)
# Answers with the document that was requested: from the server, changed by a proxy on the way
# (RFC 9110, 15.3.4), and as a part that is the whole (15.3.7).
_OK, _CHANGED_BY_PROXY, _PART = 200, 203, 206
_WHOLE_RANGE = re.compile(r"bytes 0-([0-9]{1,18})/([0-9]{1,18})")
# Domains that strangers share (``org``, ``co.uk``): a cookie for all of one is refused (RFC 6265,
# 5.3). Only the usual forms are known; cookies live for a few requests.
_SHARED_DOMAIN = re.compile(r"(?:(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}|[^.]+)")
# Headers that are lists, by their names in lower case.
_LISTS = ("cache-control", "link")
_CHUNK_BYTES = 65_536
_TOO_LONG_HEADERS = f"the headers of the answer are larger than {_HEADER_BYTES:,} bytes"
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/json, application/xml;q=0.9,"
    " text/html;q=0.8, */*;q=0.5"
)


def fetch_all(
    requests: Sequence[Request],
    settings: Settings,
    on_response: OnResponse,
    prepare: Prepare | None = None,
) -> None:
    """Fetch all requests, one at a time from each host, with a pause before the next.

    Args:
        requests: the first requests.
        settings: those of `watch`, and our user agent.
        on_response: called once for each request, in the order in which they end; the requests that
            it returns are fetched, too. It is called in a thread of its own, for one response at a
            time, so that no other request times out while it works.
        prepare: called before it with each response that has a body, in another thread, for one
            response at a time: one is prepared while another is handled.

    Raises:
        Exception: the first one that `prepare` or `on_response` raised, after all other requests
            have ended.
    """
    if not requests:
        return
    with Handling(on_response, prepare) as handling:
        failures = asyncio.run(_fetch_all(requests, settings, handling))
    if failures:
        raise failures[0]


class _Host:
    """The lock of a host: one request at a time, and a pause before the next."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._left_at = float("-inf")

    async def __aenter__(self) -> Self:
        await self._lock.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left_at = asyncio.get_running_loop().time()
        self._lock.release()

    def seconds_until_free(self) -> float:
        """Return the seconds until the pause after the last request is over."""
        return max(0.0, self._left_at + PAUSE_SECONDS - asyncio.get_running_loop().time())


async def _fetch_all(
    requests: Sequence[Request], settings: Settings, handling: Handling
) -> list[Exception]:
    failures: list[Exception] = []
    hosts: dict[str, _Host] = defaultdict(_Host)
    slots = asyncio.Semaphore(_AT_ONCE)
    async with _new_client(settings) as client, asyncio.TaskGroup() as group:

        async def fetch(request: Request) -> None:
            async with hosts[urlsplit(request.url).netloc] as host:
                await asyncio.sleep(host.seconds_until_free())
                # The slot is kept until the response was handled, so that no more of them are in
                # memory.
                async with slots:
                    response = await _fetch(client, request, settings)
                    try:
                        further = await handling(response)
                    except Exception as error:  # noqa: BLE001 - raised by `fetch_all` at the end
                        failures.append(error)
                        return
                for next_request in further or ():
                    group.create_task(fetch(next_request))

        for request in requests:
            group.create_task(fetch(request))
    return failures


def _new_client(settings: Settings) -> aiohttp.ClientSession:
    watch = settings.watch
    # A proxy connects to the source itself; this client connects to the proxy, whose address the
    # operator gave.
    allow_private = watch.allow_private_addresses or bool(watch.proxy)
    return aiohttp.ClientSession(
        connector=connector(allow_private=allow_private, limit=_AT_ONCE),
        timeout=aiohttp.ClientTimeout(total=watch.timeout_seconds),
        headers={
            "User-Agent": settings.user_agent,
            "Accept": _ACCEPT,
            "Accept-Encoding": ACCEPTED,
        },
        proxy=watch.proxy,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        max_headers=_MOST_HEADERS,
    )


async def _fetch(client: aiohttp.ClientSession, request: Request, settings: Settings) -> Response:
    try:
        return await _follow(client, request, settings.watch)
    except Exception as error:  # noqa: BLE001 - whatever an answer does, it is one source's trouble
        reason = _without_log_in(_reason(error, request.url, settings), settings.watch.proxy)
        reason = shorten(clean(reason), _LONGEST_ERROR)
        return Response(request, request.url, error=reason, refused=_refusal(error) is not None)


def _without_log_in(reason: str, proxy: str | None) -> str:
    """Remove the proxy's user name and password from an error: it is stored, shown and mailed."""
    log_in = urlsplit(proxy or "").netloc.rpartition("@")[0]
    password = log_in.partition(":")[2]
    for secret in (f"{log_in}@", password, unquote(password)):
        reason = reason.replace(secret, "***") if secret.strip("@") else reason
    return reason


async def _follow(client: aiohttp.ClientSession, request: Request, watch: Watch) -> Response:
    url, moved_to, permanent = request.url, "", True
    cookies = _Cookies()
    for _ in range(_MOST_REDIRECTS + 1):
        _refuse_odd(url)
        if watch.proxy and not watch.allow_private_addresses:
            refuse_private_name(url)
        headers = _validators(request) | cookies.header(url)
        async with client.get(_as_given(url), headers=headers, allow_redirects=False) as answer:
            _check_headers(answer)
            if answer.status in _REDIRECTS and "Location" in answer.headers:
                cookies.keep(answer)
                url = urljoin(url, _location(answer.headers["Location"]))
                permanent = permanent and answer.status in _PERMANENT_REDIRECTS
                moved_to = url if permanent else moved_to
                continue
            status, body = _status(answer), b""
            if status == _OK and request.purpose.wants_body:
                body = await _body(answer, watch.max_bytes)
            moved_to = moved_to if status in (_OK, 304) else ""
            return Response(
                request, url, status, _clean_headers(answer.headers), body, moved_to=moved_to
            )
    raise ValueError(f"the address redirects more than {_MOST_REDIRECTS} times")


def _as_given(url: str) -> URL:
    """Return an address in the letters in which it was given, if they can be sent.

    Servers sign addresses, and lead to the one form that they know: ``%21`` is not ``!`` to them.
    """
    return URL(url, encoded="%" in url and bool(_ENCODED.fullmatch(url)))


class _Cookies:
    """The cookies of one chain of redirects (RFC 6265): some sites show nothing without them.

    They are forgotten at its end, so that no site recognises us, and none gets another's.
    """

    def __init__(self) -> None:
        # Unsafe: also of hosts without a name; they too get only their own.
        self._jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)

    def keep(self, answer: aiohttp.ClientResponse) -> None:
        """Keep the cookies that an answer sets, those for its own host and its subdomains."""
        for name, cookie in answer.cookies.items():
            domain = cookie["domain"].strip(".").lower()
            text = cookie.coded_value  # as it was written, with its quotes
            if not _SHARED_DOMAIN.fullmatch(domain) and text.isascii() and text.isprintable():
                raw: Morsel[str] = Morsel()
                raw.set(name, text, text)
                raw.update(cookie)
                self._jar.update_cookies({name: raw}, answer.url)

    def header(self, url: str) -> dict[str, str]:
        """Return the header with the cookies for an address, if there are any."""
        cookies = self._jar.filter_cookies(URL(url)).values()
        text = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies)
        return {"Cookie": text} if 0 < len(text) <= _LONGEST_COOKIES else {}


def _check_headers(answer: aiohttp.ClientResponse) -> None:
    if sum(len(name) + len(text) + 4 for name, text in answer.raw_headers) > _HEADER_BYTES:
        raise ValueError(_TOO_LONG_HEADERS)


def _status(answer: aiohttp.ClientResponse) -> int:
    """Return the status, 200 for each that comes with the whole document."""
    if answer.status == _PART:
        if not (given := answer.headers.get("Content-Range", "").strip()):
            return _OK
        part = _WHOLE_RANGE.fullmatch(given)
        return _OK if part and int(part[1]) + 1 == int(part[2]) else _PART
    return _OK if answer.status == _CHANGED_BY_PROXY else answer.status


async def _body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise ValueError(too_large(max_bytes))
    codings = ",".join(answer.headers.getall("Content-Encoding", ()))
    # In another thread: the other requests go on meanwhile.
    return await asyncio.to_thread(unpacked, bytes(body), codings, max_bytes)


def _location(text: str) -> str:
    """Return the target of a redirect; bytes that no address holds are percent-encoded.

    Browsers encode them in the same way.
    """
    if len(text) > _LONGEST_LOCATION:
        raise ValueError(
            f"the address redirects to an address of more than {_LONGEST_LOCATION:,} characters"
        )
    return _NOT_IN_ADDRESS.sub(lambda char: f"%{ord(char[0]) & 0xFF:02X}", text.strip())


def _clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by their names in lower case, as texts that can be stored.

    A validator that could not be sent back byte by byte is left out, because it would never match.
    A list that is sent in several parts is one (RFC 9110, 5.3); of another header the last counts.
    """
    cleaned: dict[str, str] = {}
    for name, text in headers.items():
        lower = name.lower()
        if lower in ("etag", "last-modified") and not (
            text.isprintable() and len(text) <= _LONGEST_VALIDATOR
        ):
            continue
        before = f"{cleaned[lower]}, " if lower in _LISTS and lower in cleaned else ""
        cleaned[storable(lower)] = before + storable(text)
    return cleaned


def _refuse_odd(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https address")
    if "@" in parts.netloc:
        raise ValueError("an address with a user name in it is refused")


def _validators(request: Request) -> dict[str, str]:
    headers = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: text for name, text in headers.items() if text}


def _refusal(error: Exception) -> AddressRefusedError | None:
    """Return the refusal of `ssrf.py`, which aiohttp wraps in an error of its own."""
    causes = (error, error.__cause__, getattr(error, "os_error", None))
    return next((cause for cause in causes if isinstance(cause, AddressRefusedError)), None)


def _reason(error: Exception, url: str, settings: Settings) -> str:
    host = urlsplit(url).hostname or url
    if refusal := _refusal(error):
        return f"{refusal}; set watch.allow_private_addresses for an intranet"
    if isinstance(error, TimeoutError):
        seconds = settings.watch.timeout_seconds
        return f"{host} did not answer completely within {seconds:g} s (watch.timeout_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {host} cannot be resolved: no network, or no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"{host} does not show a valid certificate: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{host} cannot be reached: {error.strerror or error}"
    return _not_http(error) or str(error) or type(error).__name__


def _not_http(error: BaseException | None) -> str:
    """Return the reason why an answer is not HTTP within our limits; empty for another error."""
    reason = ""
    while error is not None:
        if isinstance(error, LineTooLong):
            return _TOO_LONG_HEADERS
        if isinstance(error, HttpProcessingError):
            reason = f"the answer is not HTTP: {error.message}"
        error = error.__cause__
    return reason
