"""Answers of a news site without HTTP, for simulations of thousands of requests.

Owns what a server would have answered to each request, redirects apart. HTTP itself has tests of
its own.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from notifier.settings import Settings
from notifier.watch.http.handling import OnResponse, Prepare
from notifier.watch.http.types import Request, Response
from tests.support.news_site import Site


class Fetch(Protocol):
    """The shape of `fetch_all`."""

    def __call__(
        self,
        requests: Sequence[Request],
        settings: Settings,
        on_response: OnResponse,
        prepare: Prepare | None = None,
    ) -> None: ...


def fetch_from(site: Site) -> Fetch:
    """Return what stands in for `fetch_all`, and asks this site alone."""

    def fetch_all(
        requests: Sequence[Request],
        settings: Settings,
        on_response: OnResponse,
        prepare: Prepare | None = None,
    ) -> None:
        waiting = deque(requests)
        while waiting:
            response = _response(site, waiting.popleft())
            if prepare is not None and response.body:
                prepare(response)
            waiting += on_response(response) or ()

    return fetch_all


def _response(site: Site, request: Request) -> Response:
    path = request.url.removeprefix(site.address)
    if path == request.url:
        return Response(request, request.url, error="there is no such host")
    answer = site.answer(path, request.etag)
    is_read = answer.status == 200 and request.purpose.wants_body
    headers = {name.lower(): text for name, text in answer.headers.items()}
    body = answer.body if is_read else b""
    return Response(request, request.url, answer.status, headers, body)
