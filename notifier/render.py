"""Rendering: values in, HTML and text out.

Owns Jinja, its filters, the inlining of style sheets, and the choice of a template file: the
operator's own one, else the built-in one of the same name. Values are texts and are escaped in HTML
templates. It knows no table and no recipient.
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

# A file by which the folder of the templates is recognised.
_MARKER = Path("email") / "digest_body.html.j2"
# Of a line in a plain-text mail, in characters (RFC 5322, 2.1.1 recommends at most 78).
_TEXT_WIDTH = 72

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
# The variable of email/evidence was named "of" before version 0.1.0. An own template may give or
# read either name.
_RENAMED_VARIABLES = {"of": "view", "view": "of"}


def template_folder() -> Path:
    """Return the folder of the built-in templates: in the package, or beside it in a checkout."""
    package = Path(str(files("notifier")))
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / _MARKER).is_file():
            return folder
    raise FileNotFoundError(f"no templates beside or inside {package}")


class Templates:
    """The templates of one installation, compiled once for each language.

    Args:
        own: the operator's folder, whose files replace the built-in ones of the same name.

    Raises:
        SettingsError: the folder does not exist, or a file in it replaces no template, has a name
            from before version 0.1.0 (the fix lists the commands that rename it), or cannot be
            compiled (the problem names the file and the line).
    """

    def __init__(self, own: Path | None = None) -> None:
        self._folders = tuple(folder for folder in (own, template_folder()) if folder is not None)
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, keep_style_tags=False, minify_css=True
        )
        if own is not None:
            self._check(own)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of templates, the operator's first."""
        return self._folders

    def render(self, name: str, values: Mapping[str, Any], code: str = SOURCE) -> str:
        """Return a template with these values, in a language.

        Args:
            name: the path of the template, ``email/digest.html.j2``.
            values: its variables; a missing one is an error and is never left empty.
            code: the code of the language.

        Raises:
            SettingsError: the template is broken; the problem names its file and line.
        """
        try:
            return self._environment(code).get_template(name).render(values)
        except Exception as error:
            refusal = self._refusal(error)
            if refusal is None:
                raise
            raise refusal from error

    def mail_page(self, name: str, values: Mapping[str, Any], code: str = SOURCE) -> str:
        """Return a whole HTML mail with its style in the elements.

        Many mail programs ignore style sheets. Arguments and errors are those of `render`.
        """
        page = self._inliner.inline(self.render(name, values, code))
        # Media queries work only in a style sheet. They are added afterwards, because the inliner
        # would take them apart.
        media = _minify(self.render("email/media.css", {}))
        return page.replace("<!--media.css-->", f"<style>{media}</style>", 1)

    def _environment(self, code: str) -> Environment:
        return _environment(self._folders, language_of(code).code)

    def _check(self, own: Path) -> None:
        if not own.is_dir():
            raise SettingsError(
                f"templates.directory: there is no folder {own}.",
                "Create it, or remove the setting.",
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
        """Refuse own files that replace no template; old names are refused with `mv` commands."""
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
                f"templates.directory: these templates in {own} have new names now:"
                f" {', '.join(old)}.",
                "Rename them with these commands; mv asks before it replaces a file:\n"
                + " &&\n".join(moves),
            )
        built_in = template_folder()
        for name in names:
            if not (built_in / name).is_file():
                raise SettingsError(
                    f"{own / name} replaces no template: there is none of this name.",
                    f"Rename or remove it. The names of the templates are those in {built_in}.",
                )

    def _is_body(self, own: Path, name: str) -> bool:
        """Tell whether an own ``digest`` template is a body, as before version 0.1.0, or a mail.

        The content decides: a body reads the variable ``digest``, which no mail is given. The other
        files do not decide, because an operator may have replaced only one of the two, or have
        copied the mail to its new name. Neither does ``extends``, because a mail in plain text
        extends nothing.
        """
        path = own / name
        tree = self._environment(SOURCE).parse(path.read_text(encoding="utf-8"), name, str(path))
        return "digest" in find_undeclared_variables(tree)

    def _refusal(self, error: Exception) -> SettingsError | None:
        """Describe an error to the author of a template; None if it was not in a template."""
        if isinstance(error, TemplateSyntaxError):
            return _broken(error.filename or error.name or "", error.lineno, error.message or "")
        if isinstance(error, UnicodeDecodeError):
            return SettingsError("A template is not UTF-8 text.", "Save it as UTF-8.")
        frames = traceback.extract_tb(error.__traceback__)
        in_templates = [
            frame
            for frame in frames
            if any(Path(frame.filename).is_relative_to(folder) for folder in self._folders)
        ]
        if not in_templates:
            return None
        return _broken(in_templates[-1].filename, in_templates[-1].lineno, str(error))


def _broken(file: str, line: int | None, problem: str) -> SettingsError:
    return SettingsError(
        f"{file}, line {line}: {problem}",
        "Correct the template; if it is your own one, you can also remove it.",
    )


class _Context(Context):
    """The variables of a template; a renamed one is found under both of its names."""

    def resolve_or_missing(self, key: str) -> Any:
        """Return a variable that a template reads."""
        value = super().resolve_or_missing(key)
        if value is missing and key in _RENAMED_VARIABLES:
            return super().resolve_or_missing(_RENAMED_VARIABLES[key])
        return value


class _Environment(Environment):
    """Jinja for the built-in templates and the operator's own ones.

    Own ones may still use names of templates and variables from before version 0.1.0.
    """

    context_class = _Context

    def join_path(self, template: str, parent: str) -> str:  # noqa: ARG002 - Jinja's own parameter
        """Return the current name of a template that another one extends, includes or imports."""
        return template if template in _OLD_AND_NEW else _RENAMED.get(template, template)


@lru_cache(maxsize=32)
def _environment(folders: tuple[Path, ...], code: str) -> Environment:
    """Return Jinja for these folders in a language; a template that changes is compiled again."""
    language = language_of(code)
    environment = _Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=_is_html,  # every HTML template is escaped; text templates must not be
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        language.translations, newstyle=True
    )
    environment.filters |= {
        "day": language.day,
        "joined": language.join,
        "wrap": wrap,
        "sentence": sentence,
        "dir": _dir,
        "foreign": _foreign,
        "foreign_in": _foreign_in,
        "lang": _lang,
        "strong": _strong,
    }
    return environment


def _minify(css: str) -> str:
    """Return a style sheet without comments and needless spaces, because every mail contains it."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r";}", "}", re.sub(r"\s*([{}:;,])\s*|\s*(?=!)", r"\1", " ".join(css.split())))


def _is_html(name: str | None) -> bool:
    return bool(name and name.endswith(".html.j2"))


def _dir(text: str) -> Markup:
    """Return the attribute that shows a text from right to left; empty for other texts."""
    return Markup(' dir="rtl"') if right_to_left(text) else Markup("")


def _lang(text: str) -> Markup:
    """Return the attribute with the language of a text; empty for that of its surroundings."""
    lang = getattr(text, "lang", "")
    return Markup(' lang="{}"').format(lang) if lang else Markup("")


def _foreign(text: str) -> str:
    """Return a text in another language, escaped, in an element that names it; others as is."""
    return _foreign_in(text, getattr(text, "lang", ""))


def _foreign_in(text: str, code: str) -> str:
    """Return a text in an element that names its language; as it is for an empty code."""
    return Markup('<span lang="{}">{}</span>').format(code, text) if code else text


def _strong(text: str) -> Markup:
    """Return the text, escaped, in a `strong` element."""
    return Markup("<strong{}>{}</strong>").format(_lang(text), text)


def sentence(text: str) -> str:
    """Return the text with a capital letter at its start and a full stop at its end."""
    text = clean(text)
    if not text:
        return ""
    full_stop = "" if text.endswith((".", "!", "?", "…")) else "."
    return f"{text[:1].upper()}{text[1:]}{full_stop}"


def wrap(text: str, indent: str = "") -> str:
    """Return the text in lines that every mail program shows whole; a URL is never broken."""
    return textwrap.fill(
        clean(text),
        _TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
