"""Rendering: values in, HTML and text out.

Owns the template engine, its filters and the inlining of style, and whose file a template is: the
operator's, where they have one of that name, else ours. Whatever reaches a template is text and is
escaped there. It knows no table and no recipient.
"""

import re
import shlex
import textwrap
import traceback
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.utils import missing
from markupsafe import Markup

from notifier.errors import SettingsError
from notifier.i18n.catalog import SOURCE, language_of
from notifier.text.cleaning import clean, right_to_left

_MARKER = Path("email") / "digest_body.html.j2"
_WIDTH = 72

# Names of template files before version 0.1.0 and the names now, in an order in which the files can
# be renamed: "email/digest" was the body of a digest and is now the mail, so the body has to move
# before the mail does.
_RENAMED = {
    "email/digest.html.j2": "email/digest_body.html.j2",
    "email/digest.txt.j2": "email/digest_body.txt.j2",
    "email/mail.html.j2": "email/digest.html.j2",
    "email/mail.txt.j2": "email/digest.txt.j2",
    "email/frame.html.j2": "email/base.html.j2",
    "email/note.html.j2": "email/account.html.j2",
    "email/note.txt.j2": "email/account.txt.j2",
    "email/notice.html.j2": "email/operator_alert.html.j2",
    "email/notice.txt.j2": "email/operator_alert.txt.j2",
    "email/quiet.html.j2": "email/no_news.html.j2",
    "email/quiet.txt.j2": "email/no_news.txt.j2",
    "web/fields.html.j2": "web/form_fields.html.j2",
    "web/left.html.j2": "web/unsubscribed.html.j2",
    "web/link.html.j2": "web/link_request.html.j2",
    "web/never.html.j2": "web/suppressed.html.j2",
    "web/notice.html.j2": "web/message.html.j2",
    "web/page.html.j2": "web/base.html.j2",
    "web/page.js": "web/base.js",
    "web/showroom.css": "web/preview.css",
    "web/showroom.html.j2": "web/preview.html.j2",
    "web/showroom.js": "web/preview.js",
}
_OLD_AND_NEW = frozenset(_RENAMED) & frozenset(_RENAMED.values())
# What email/evidence is given was named "of" before version 0.1.0. An own template may give or read
# either name.
_RENAMED_VARIABLES = {"of": "view", "view": "of"}


def template_folder() -> Path:
    """Where our templates lie: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("notifier")))
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / _MARKER).is_file():
            return folder
    raise FileNotFoundError(f"no templates beside or inside {package}")


class Templates:
    """The templates of one installation, compiled once for each language.

    Args:
        own: the operator's folder, whose files stand in for ours of the same name.

    Raises:
        SettingsError: it is no folder, it holds a file that stands in for none, one with a name
            from before version 0.1.0 (with the commands that rename it), or one that is no template
            (with the file and the line).
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._folders = tuple(folder for folder in (own, template_folder()) if folder is not None)
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=False, minify_css=True
        )
        if own is not None:
            self._check(own)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where templates come from, the operator's first."""
        return self._folders

    def render(self, name: str, values: Mapping[str, Any], code: str = SOURCE) -> str:
        """The template with these values, in a language; a value that is missing is an error, not a gap.

        Raises:
            SettingsError: the template is broken; with its file and line.
        """
        try:
            return self._environment(code).get_template(name).render(values)
        except Exception as error:
            refusal = self._refusal(error)
            if refusal is None:
                raise
            raise refusal from error

    def mail_page(self, name: str, values: Mapping[str, Any], code: str = SOURCE) -> str:
        """A whole HTML mail, its style written into the elements, because many mail programs drop a style sheet."""
        page = self._inliner.inline(self.render(name, values, code))
        # What only a style sheet can say goes in afterwards, for the inliner would take it apart.
        media = _tight(self.render("email/media.css", {}))
        return page.replace("<!--media.css-->", f"<style>{media}</style>", 1)

    def _environment(self, code: str) -> Environment:
        return _environment(self._folders, language_of(code).code)

    def _check(self, own: Path) -> None:
        if not own.is_dir():
            raise SettingsError(
                f"templates.directory: there is no folder {own}.",
                "Make it, or leave the setting out.",
            )
        names = [
            path.relative_to(own).as_posix() for path in sorted(own.rglob("*")) if path.is_file()
        ]
        try:
            self._check_names(own, names)
            for name in names:
                self._environment(SOURCE).get_template(name)
        except (TemplateError, UnicodeDecodeError) as error:
            raise self._refusal(error) or error from error

    def _check_names(self, own: Path, names: Collection[str]) -> None:
        """Refuse an own file that replaces none of ours, and name the commands for those that were renamed."""
        old = [
            name
            for name in _RENAMED
            if name in names and (name not in _OLD_AND_NEW or self._is_body(own, name))
        ]
        if old:
            moves = [
                f"mv -i {shlex.quote(str(own / name))} {shlex.quote(str(own / _RENAMED[name]))}"
                for name in old
            ]
            # Joined by "&&": after a move that failed, the next one could replace a file that is
            # still needed.
            raise SettingsError(
                f"templates.directory: these templates in {own} have new names now: {', '.join(old)}.",
                "Rename them with these commands; mv asks before it replaces a file:\n"
                + " &&\n".join(moves),
            )
        ours = template_folder()
        for name in names:
            if not (ours / name).is_file():
                raise SettingsError(
                    f"{own / name} stands in for no template.", f"The names are those under {ours}."
                )

    def _is_body(self, own: Path, name: str) -> bool:
        """Tell an own ``digest`` template that is a body, as before version 0.1.0, from one that is a mail, as now.

        The content decides: a body reads the variable ``digest``, which no mail is given. The other
        files do not tell, because an operator may have replaced only one of the two, or have copied
        the mail to its new name. Nor does ``extends``, because a mail in plain text extends
        nothing.
        """
        path = own / name
        tree = self._environment(SOURCE).parse(path.read_text(encoding="utf-8"), name, str(path))
        return "digest" in find_undeclared_variables(tree)

    def _refusal(self, error: Exception) -> SettingsError | None:
        """What a failure means to whoever edits the templates; None where it did not happen in one."""
        if isinstance(error, TemplateSyntaxError):
            return _broken(error.filename or error.name or "", error.lineno, error.message or "")
        if isinstance(error, UnicodeDecodeError):
            return SettingsError("A template is no UTF-8 text.", "Save it as UTF-8.")
        frames = traceback.extract_tb(error.__traceback__)
        inside = [
            frame
            for frame in frames
            if any(Path(frame.filename).is_relative_to(one) for one in self._folders)
        ]
        return _broken(inside[-1].filename, inside[-1].lineno, str(error)) if inside else None


def _broken(file: str, line: int | None, problem: str) -> SettingsError:
    return SettingsError(
        f"{file}, line {line}: {problem}", "Mend the template; an own one can also be removed."
    )


class _Context(Context):
    """The variables of a template; one that was renamed is found by both of its names."""

    def resolve_or_missing(self, key: str) -> Any:
        """Look a variable up, as Jinja asks for each one that a template reads."""
        value = super().resolve_or_missing(key)
        if value is missing and key in _RENAMED_VARIABLES:
            return super().resolve_or_missing(_RENAMED_VARIABLES[key])
        return value


class _Environment(Environment):
    """Jinja for templates of ours and of an operator, whose own ones may still use names from before version 0.1.0."""

    context_class = _Context

    def join_path(self, template: str, parent: str) -> str:  # noqa: ARG002 - Jinja's own parameter
        """Find the name now of a template that another one extends, includes or imports by its old name."""
        return template if template in _OLD_AND_NEW else _RENAMED.get(template, template)


@lru_cache(maxsize=32)
def _environment(folders: tuple[Path, ...], code: str) -> Environment:
    """The templates of these folders in a language; one that changes on the disk is compiled anew."""
    spoken = language_of(code)
    environment = _Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=_is_html,  # every HTML template is escaped; text templates must not be
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(spoken.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "day": spoken.day,
        "joined": spoken.join,
        "wrap": wrap,
        "sentence": sentence,
        "dir": _dir,
        "strong": _strong,
    }
    return environment


def _tight(css: str) -> str:
    """A style sheet without its comments and its spaces: every mail carries it."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r";}", "}", re.sub(r"\s*([{}:;,])\s*|\s*(?=!)", r"\1", " ".join(css.split())))


def _is_html(name: str | None) -> bool:
    return bool(name and name.endswith(".html.j2"))


def _dir(text: str) -> Markup:
    """The attribute by which a text that runs from right to left is shown so; nothing for the others."""
    return Markup(' dir="rtl"') if right_to_left(text) else Markup("")


def _strong(text: str) -> Markup:
    """The text, escaped, as one that stands out."""
    return Markup("<strong>{}</strong>").format(text)


def sentence(words: str) -> str:
    """The words as a sentence: a capital first, a full stop last."""
    words = clean(words)
    return (
        f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?', '…')) else '.'}"
        if words
        else ""
    )


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
