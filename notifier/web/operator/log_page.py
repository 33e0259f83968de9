"""The operators' log as a page, for owners."""

from starlette.responses import Response

from notifier.operators import actions
from notifier.web.operator import rendering
from notifier.web.operator.visit import Visit, number_of

_ROWS = 100


def show(visit: Visit) -> Response:
    """Show who did what, the newest first, a hundred at a time."""
    before = number_of(visit.request.query_params.get("before", ""))
    with visit.deps.reading() as session:
        rows = actions.newest(session, before_id=before, limit=_ROWS + 1)
        values = {
            "rows": rows[:_ROWS],
            "older": rows[_ROWS - 1].id if len(rows) > _ROWS else 0,
            "total": actions.number_stored(session),
        }
        return rendering.show(visit, "log", values, section="log")
