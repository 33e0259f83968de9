"""`notifier serve`."""

from typing import Annotated

import typer

from notifier.cli import shared


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Else web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Else web.port.")] = None,
    now: shared.Now = "",
) -> None:
    """Serve the pages that the links in mails lead to."""
    from notifier.web.app import serve as run

    with shared.open_deps(now) as deps:
        web = deps.settings.web
        shared.warn(
            f"Serving on http://{host or web.host}:{web.port if port is None else port} (Ctrl-C stops)"
        )
        run(deps, host or web.host, web.port if port is None else port)
