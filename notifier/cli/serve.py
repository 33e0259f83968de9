"""`notifier serve`."""

import logging
from typing import Annotated

import typer

from notifier.cli import logs, shared

log = logging.getLogger("notifier")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="The address to listen on. Default: web.host."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="The port to listen on. Default: web.port."
        ),
    ] = None,
    now: shared.Now = "",
) -> None:
    """Serve the web pages: sign-up, and the links in mails."""
    from notifier.web import app, listening

    with shared.open_deps(now) as deps:
        address = host or deps.settings.web.host
        number = deps.settings.web.port if port is None else port
        listening.require_free(address, number)
        if shared.is_terminal():
            shared.warn(f"Serving on http://{address}:{number}. Ctrl-C stops it.")
        else:
            logs.tell_what_is_done()
            log.info("serving on http://%s:%d", address, number)
        app.serve(deps, address, number)
