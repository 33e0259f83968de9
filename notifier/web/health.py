"""The health check: an answer for a monitor, which asks every few minutes."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifier.pipeline import monitoring
from notifier.web import operator_access
from notifier.web.responses import deps_of


def healthz(request: Request) -> Response:
    """Report as JSON that mails go out and sources answer (200), or that something is broken (503).

    The single checks, with their numbers, are shown to operators alone: the numbers say how many
    people are subscribed here.
    """
    deps = deps_of(request)
    with deps.reading() as session:
        checks = monitoring.checks(session, deps.now())
    ok = all(check.ok for check in checks)
    document: dict[str, object] = {"status": "ok" if ok else "failing"}
    if operator_access.is_operator(request, deps.settings.web.metrics_token):
        document["checks"] = [asdict(check) for check in checks]
    return JSONResponse(document, 200 if ok else 503)
