"""The addresses of the operator pages."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.web.operator import log_page, login, mail_page, rendering, today
from notifier.web.operator.access import action, page, require_operators
from notifier.web.operator.digests import digest_list
from notifier.web.operator.news import news_list
from notifier.web.operator.people import people_numbers, person_page, team
from notifier.web.operator.profiles import profile_list
from notifier.web.operator.sources import source_routes
from notifier.web.responses import deps_of

# Files that the pages load: the template, and the type.
_FILES = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "profile_edit.js": "text/javascript",
}


def routes() -> list[Route]:
    """Return all routes under ``/operator``; each answers 404 while nobody may log in."""
    return [
        Route("/operator", _to_first_page, methods=["GET"]),
        *today.routes(),
        *mail_page.routes(),
        *people_numbers.routes(),
        *person_page.routes(),
        *team.routes(),
        Route("/operator/login", login.show, methods=["GET"]),
        Route("/operator/login", login.log_in, methods=["POST"]),
        Route("/operator/logout", action(login.log_out), methods=["POST"]),
        Route("/operator/log", page(log_page.show, for_owners=True), methods=["GET"]),
        *profile_list.routes(),
        *source_routes.routes(),
        *news_list.routes(),
        *digest_list.routes(),
        *(
            Route(f"/operator/{name}", partial(_file, name=name), methods=["GET"])
            for name in _FILES
        ),
    ]


async def _to_first_page(request: Request) -> Response:
    await run_in_threadpool(_require_operators, request)
    return Response(status_code=308, headers={**rendering.HEADERS, "Location": "./operator/"})


async def _file(request: Request, name: str) -> Response:
    await run_in_threadpool(_require_operators, request)
    text = deps_of(request).templates.render(f"operator/{name}", {})
    return Response(text, media_type=_FILES[name], headers=rendering.HEADERS)


def _require_operators(request: Request) -> None:
    deps = deps_of(request)
    with deps.reading() as session:
        require_operators(session, deps)
