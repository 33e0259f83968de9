"""The addresses of the pages about sources and trials."""

from starlette.routing import Route

from notifier.web.operator.access import action, page
from notifier.web.operator.profiles import trials
from notifier.web.operator.sources import source_actions, source_adding, source_list

_SOURCE = "/operator/sources/{source}"


def routes() -> list[Route]:
    """Return the routes under ``/operator/sources`` and ``/operator/trials``."""
    return [
        Route("/operator/sources", page(source_list.show_list), methods=["GET"]),
        Route("/operator/sources/add", page(source_adding.show), methods=["GET"]),
        Route("/operator/sources/find", action(source_adding.find), methods=["POST"]),
        Route("/operator/sources/add", action(source_adding.add), methods=["POST"]),
        Route(_SOURCE, page(source_list.show), methods=["GET"]),
        Route(f"{_SOURCE}/edit", action(source_actions.edit), methods=["POST"]),
        Route(f"{_SOURCE}/pause", action(source_actions.pause), methods=["POST"]),
        Route(f"{_SOURCE}/resume", action(source_actions.go_on), methods=["POST"]),
        Route(f"{_SOURCE}/remove", action(source_actions.remove), methods=["POST"]),
        Route(f"{_SOURCE}/read", action(source_actions.read_now), methods=["POST"]),
        Route("/operator/trials", page(trials.show_list), methods=["GET"]),
        Route("/operator/trials/{trial}", page(trials.show), methods=["GET"]),
    ]
