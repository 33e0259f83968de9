"""The answer to a monitor: whether mails go out and sources answer."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifier.pipeline import monitoring
from notifier.web import operator_access
from notifier.web.responses import deps_of


def healthz(request: Request) -> Response:
    """Whether mails go out and sources answer, for a monitor: 200, or 503 when something is broken.

    What was looked at, with numbers, is shown to operators alone: it tells how many people read
    here.
    """
    deps = deps_of(request)
    with deps.reading() as session:
        findings = monitoring.checks(session, deps.now())
    ok = all(finding.ok for finding in findings)
    document: dict[str, object] = {"status": "ok" if ok else "failing"}
    if operator_access.asks(request, deps.settings.web.metrics_token):
        document["checks"] = [asdict(finding) for finding in findings]
    return JSONResponse(document, 200 if ok else 503)
