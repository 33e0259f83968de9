"""Rendering: values in, HTML and text out.

Owns the template engine, its filters and the inlining of style. Whatever reaches a template is text and is escaped
there. It knows no table and no recipient.
"""

import textwrap
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier.text import clean

_MARKER = Path("email") / "digest.html.j2"
_WIDTH = 72


def template_folder() -> Path:
    """Where the templates lie: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("notifier")))
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / _MARKER).is_file():
            return folder
    raise FileNotFoundError(f"no templates beside or inside {package}")


class Templates:
    """The templates of one installation, compiled once."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(template_folder()),
            autoescape=_is_html,  # noqa: S701 - every HTML template is escaped; text templates must not be
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters |= {"day": day, "wrap": wrap, "sentence": sentence}
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The template with these values; a value that is missing is an error, not a gap."""
        return self._environment.get_template(name).render(values)

    def mail_page(self, name: str, values: Mapping[str, Any]) -> str:
        """A whole HTML mail, its style written into the elements, because many mail programs drop a style sheet."""
        return self._inliner.inline(self.render(name, values))


def _is_html(name: str | None) -> bool:
    return bool(name and name.endswith(".html.j2"))


def day(value: date | None) -> str:
    """A date as English prose has it: ``2 October 2025``; empty for none."""
    return f"{value.day} {value:%B %Y}" if value else ""


def sentence(words: str) -> str:
    """The words as a sentence: a capital first, a full stop last."""
    words = clean(words)
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?', '…')) else '.'}" if words else ""


def wrap(words: str, indent: str = "") -> str:
    """Text in lines that every mail program shows whole; an address is never broken."""
    return textwrap.fill(
        clean(words),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
