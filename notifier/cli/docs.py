"""`notifier docs`: the documents that belong to this version, from the installation itself."""

import pydoc
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from notifier.cli import shared
from notifier.text.cleaning import printable

_README = "readme"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("docs")(docs)


def docs(
    page: Annotated[
        str, typer.Argument(metavar="PAGE", help="A page, such as running. Default: list all.")
    ] = "",
) -> None:
    """Show the documents of this version.

    Without PAGE, it lists the pages. In a terminal a page is shown by the program in $PAGER.
    """
    from notifier.errors import InputError

    pages = _pages()
    if not page:
        shared.say("The pages; to read one: notifier docs PAGE\n")
        for name, path in pages.items():
            shared.say(f"  {name:<14} {_title(path)}")
        return
    name = page.lower().removeprefix("docs/").removesuffix(".md")
    if name not in pages:
        close = get_close_matches(name, pages, n=1, cutoff=0.75)
        fix = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(pages)}."
        raise InputError(f"There is no page {page!r}.", fix)
    text = pages[name].read_text(encoding="utf-8")
    if shared.is_terminal():
        pydoc.pager(printable(text))
    else:
        shared.print_data(text)


def _pages() -> dict[str, Path]:
    """Return the documents by name: those of the installed package, or of the checkout."""
    package = Path(str(files("notifier")))
    folder = package / "docs"
    readme = folder / "README.md"
    if not folder.is_dir():
        folder, readme = package.parent / "docs", package.parent / "README.md"
    pages = {_README: readme, **{path.stem: path for path in sorted(folder.glob("*.md"))}}
    pages.pop("README", None)
    return pages


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
