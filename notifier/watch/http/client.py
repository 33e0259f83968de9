"""HTTP: many addresses at once, each within limits of size and time, each outcome a value.

Owns the HTTP client and all the asyncio there is. It knows no source and no database: it is given
requests and hands back what came, as it comes, so that no more than the requests in flight lie in
memory.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp

from notifier.settings import Settings, Watch
from notifier.text.cleaning import clean, shorten, storable
from notifier.watch.http.ssrf import AddressRefusedError, connector, refuse_private_name
from notifier.watch.http.types import Purpose, Request, Response

PAUSE_SECONDS = 0.25

_AT_ONCE = 50
_HOPS = 5
# Longer ones are no validator and no address that anybody meant (RFC 9110, 4.1 asks for 8,000
# octets of an address).
_LONGEST_VALIDATOR, _LONGEST_LOCATION, _LONGEST_ERROR = 1_000, 8_000, 400
# What aiohttp makes of bytes that are not UTF-8 (PEP 383), and the characters that no address
# holds.
_NO_ADDRESS = re.compile("[\udc80-\udcff\x00-\x20\x7f]")
_ACCEPT = "application/rss+xml, application/atom+xml, application/json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"


# Takes a response, and may ask for more.
OnResponse = Callable[[Response], Iterable[Request] | None]


def fetch_all(requests: Sequence[Request], settings: Settings, arrived: OnResponse) -> None:
    """Fetch all requests; `arrived` is called once for each, in the order in which they end.

    One request at a time goes to one host, with a pause before the next. What `arrived` returns is
    fetched too. A request that fails is a `Response` with its `error`. `arrived` is called in a
    thread of its own, for one response at a time, so that however long it takes no other request
    times out. An exception of it is raised when all others have been served.
    """
    if not requests:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="arrived") as thread:
        failures = asyncio.run(_fetch_all(requests, settings, arrived, thread))
    if failures:
        raise failures[0]


class _Host:
    """One host's turn: one request at a time, and a pause before the next."""

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
        """The seconds that are left of the pause."""
        return max(0.0, self._left_at + PAUSE_SECONDS - asyncio.get_running_loop().time())


async def _fetch_all(
    requests: Sequence[Request], settings: Settings, arrived: OnResponse, thread: ThreadPoolExecutor
) -> list[Exception]:
    failures: list[Exception] = []
    loop = asyncio.get_running_loop()
    hosts: dict[str, _Host] = defaultdict(_Host)
    slots = asyncio.Semaphore(_AT_ONCE)
    watch = settings.watch
    # What goes to a proxy is dialled by the proxy: the address that is dialled here is one the
    # operator named.
    allow_private = watch.allow_private_addresses or bool(watch.proxy)
    async with (
        aiohttp.ClientSession(
            connector=connector(allow_private=allow_private, limit=_AT_ONCE),
            timeout=aiohttp.ClientTimeout(total=watch.timeout_seconds),
            headers={"User-Agent": settings.user_agent, "Accept": _ACCEPT},
            proxy=watch.proxy,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as client,
        asyncio.TaskGroup() as group,
    ):

        async def one(request: Request) -> None:
            async with hosts[urlsplit(request.url).netloc] as last:
                await asyncio.sleep(last.seconds_until_free())
                # The slot is kept until the response is taken, so that no more of them lie in
                # memory.
                async with slots:
                    response = await _fetch(client, request, settings)
                    try:
                        further = await loop.run_in_executor(thread, arrived, response)
                    except Exception as error:  # noqa: BLE001 - raised when the others have been served
                        failures.append(error)
                        return
                for following in further or ():
                    group.create_task(one(following))

        for request in requests:
            group.create_task(one(request))
    return failures


async def _fetch(client: aiohttp.ClientSession, request: Request, settings: Settings) -> Response:
    try:
        return await _follow(client, request, settings.watch)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        words = _without_log_in(_words(error, request.url, settings), settings.watch.proxy)
        words = shorten(clean(words), _LONGEST_ERROR)
        return Response(request, request.url, error=words, refused=_refusal(error) is not None)


def _without_log_in(words: str, proxy: str | None) -> str:
    """The words of an error without the proxy's user name and password: they are stored, shown and mailed."""
    log_in = urlsplit(proxy or "").netloc.rpartition("@")[0]
    password = log_in.partition(":")[2]
    for secret in (f"{log_in}@", password, unquote(password)):
        words = words.replace(secret, "***") if secret.strip("@") else words
    return words


async def _follow(client: aiohttp.ClientSession, request: Request, watch: Watch) -> Response:
    url, moved_to, permanent = request.url, "", True
    for _ in range(_HOPS + 1):
        _refuse_odd(url)
        if watch.proxy and not watch.allow_private_addresses:
            refuse_private_name(url)
        async with client.get(url, headers=_validators(request), allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                url = urljoin(url, _location(answer.headers["Location"]))
                permanent = permanent and answer.status in (301, 308)
                moved_to = url if permanent else moved_to
                continue
            body = bytearray()
            if answer.status == 200 and request.purpose is not Purpose.CHECK:
                async for chunk in answer.content.iter_chunked(65536):
                    body += chunk
                    if len(body) > watch.max_bytes:
                        raise ValueError(
                            f"the answer is larger than {watch.max_bytes:,} bytes (watch.max_bytes)"
                        )
            headers = _clean_headers(answer.headers)
            moved_to = moved_to if answer.status in (200, 304) else ""
            return Response(request, url, answer.status, headers, bytes(body), moved_to=moved_to)
    raise ValueError(f"the address redirects more than {_HOPS} times")


def _location(text: str) -> str:
    """The target of a redirect; bytes that are not UTF-8 stand in it percent-encoded, as browsers send them."""
    if len(text) > _LONGEST_LOCATION:
        raise ValueError(
            f"the address redirects to an address of more than {_LONGEST_LOCATION:,} characters"
        )
    return _NO_ADDRESS.sub(lambda char: f"%{ord(char[0]) & 0xFF:02X}", text.strip())


def _clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their names in lower case, as texts that can be stored.

    A validator that could not be sent back byte by byte is left out: it would match nothing.
    """
    cleaned = {}
    for name, text in headers.items():
        lower = name.lower()
        if lower in ("etag", "last-modified") and not (
            text.isprintable() and len(text) <= _LONGEST_VALIDATOR
        ):
            continue
        cleaned[storable(lower)] = storable(text)
    return cleaned


def _refuse_odd(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address with a user name in it is refused")


def _validators(request: Request) -> dict[str, str]:
    given = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: text for name, text in given.items() if text}


def _refusal(error: Exception) -> AddressRefusedError | None:
    """The guard's refusal, which the client wraps in an error of its own."""
    wrapped = (error, error.__cause__, getattr(error, "os_error", None))
    return next((one for one in wrapped if isinstance(one, AddressRefusedError)), None)


def _words(error: Exception, url: str, settings: Settings) -> str:
    host = urlsplit(url).hostname or url
    if refusal := _refusal(error):
        return f"{refusal}; set watch.allow_private_addresses for an intranet"
    if isinstance(error, TimeoutError):
        return f"{host} gave no whole answer within {settings.watch.timeout_seconds:g} s (watch.timeout_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {host} cannot be resolved: no network, or no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"{host} shows no valid certificate: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{host} cannot be reached: {error.strerror or error}"
    return str(error) or type(error).__name__
