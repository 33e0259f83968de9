"""Today: what an operator has to decide, on one screen."""

from starlette.responses import Response

from notifier.web.operator import rendering
from notifier.web.operator.visit import Visit


def show(visit: Visit) -> Response:
    """Show what waits."""
    return rendering.show(visit, "today", {}, section="")
