"""HTTP: many addresses at once, each within limits of size and time, each outcome a value.

Owns the HTTP client and all the asyncio there is. It knows no source and no database: it is given requests and hands
back what came, as it comes, so that no more than the requests in flight lie in memory.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import aiohttp

from notifier.settings import Settings
from notifier.watch.guard import AddressRefusedError, connector

_AT_ONCE = 50
_HOPS = 5
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"
)


@dataclass(frozen=True)
class Request:
    """One conditional GET (RFC 9110, 13): the validators are those the server gave with the bytes we know."""

    source_id: int
    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Response:
    """What came of it: a status with its body, or the error in words for the person who watches the source."""

    source_id: int
    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""


def fetch_all(requests: Sequence[Request], settings: Settings, arrived: Callable[[Response], None]) -> None:
    """Fetch all requests; `arrived` is called once for each, in the order in which they end.

    One request at a time goes to one host. A request that fails is a `Response` with its `error`; only a failure of
    `arrived` itself is raised.
    """
    if not requests:
        return
    try:
        asyncio.run(_fetch_all(requests, settings, arrived))
    except ExceptionGroup as group:
        raise group.exceptions[0] from group


async def _fetch_all(requests: Sequence[Request], settings: Settings, arrived: Callable[[Response], None]) -> None:
    hosts: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    slots = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(
        connector=connector(allow_private=settings.watch.allow_private_addresses, limit=_AT_ONCE),
        timeout=aiohttp.ClientTimeout(total=settings.watch.timeout_seconds),
        headers={"User-Agent": settings.user_agent, "Accept": _ACCEPT},
        trust_env=False,
    ) as client:

        async def one(request: Request) -> None:
            async with hosts[urlsplit(request.url).netloc], slots:
                response = await _fetch(client, request, settings)
                arrived(response)

        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(one(request))


async def _fetch(client: aiohttp.ClientSession, request: Request, settings: Settings) -> Response:
    try:
        return await _follow(client, request, settings.watch.max_bytes)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Response(request.source_id, request.url, error=_words(error, request.url, settings))


async def _follow(client: aiohttp.ClientSession, request: Request, limit: int) -> Response:
    url = request.url
    for _ in range(_HOPS + 1):
        _refuse_odd(url)
        async with client.get(url, headers=_validators(request), allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                url = urljoin(url, answer.headers["Location"])
                continue
            body = bytearray()
            if answer.status == 200:
                async for chunk in answer.content.iter_chunked(65536):
                    body += chunk
                    if len(body) > limit:
                        raise ValueError(f"the answer is larger than {limit:,} bytes (watch.max_bytes)")
            headers = {name.lower(): text for name, text in answer.headers.items()}
            return Response(request.source_id, url, answer.status, headers, bytes(body))
    raise ValueError(f"the address redirects more than {_HOPS} times")


def _refuse_odd(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address with a user name in it is refused")


def _validators(request: Request) -> dict[str, str]:
    given = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: text for name, text in given.items() if text}


def _words(error: Exception, url: str, settings: Settings) -> str:
    host = urlsplit(url).hostname or url
    cause = error.__cause__ if isinstance(error.__cause__, AddressRefusedError) else error
    if isinstance(cause, AddressRefusedError) or isinstance(getattr(error, "os_error", None), AddressRefusedError):
        refused = cause if isinstance(cause, AddressRefusedError) else getattr(error, "os_error", error)
        return f"{refused}; set watch.allow_private_addresses for an intranet"
    if isinstance(error, TimeoutError):
        return f"{host} gave no whole answer within {settings.watch.timeout_seconds:g} s (watch.timeout_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {host} cannot be resolved: no network, or no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"{host} shows no valid certificate: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{host} cannot be reached: {error.strerror or error}"
    return str(error) or type(error).__name__
