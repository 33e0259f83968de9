"""Secrets in files of their own: a variable that ends with `_FILE` names the file with its value.

So systemd (`LoadCredential=`) and containers give them. Owns the reading of such a file. It must
not know which settings there are.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from notifier.errors import SettingsError

PREFIX, _SUFFIX = "NOTIFIER_", "_FILE"
# In bytes; a key or a password has a hundred. Chosen by hand; not measured.
_LARGEST_FILE = 10_000


def variables(
    environ: Mapping[str, str],
    files: Collection[str],
    no_settings: re.Pattern[str],
    keys: Collection[str],
) -> Iterator[tuple[str, str, str]]:
    """Yield the variables of notifier: each with its name without prefix and suffix, and its value.

    Args:
        environ: environment variables.
        files: names without prefix whose own value is a file (``DKIM__PRIVATE_KEY_FILE``).
        no_settings: matches the names of variables that are left out.
        keys: names without prefix of the keys that sign or hash, whose files count as they are.

    Raises:
        SettingsError: a file cannot be read, or the value is given twice.
    """
    for variable, text in environ.items():
        name = variable.removeprefix(PREFIX)
        if name == variable or no_settings.match(name.removesuffix(_SUFFIX)):
            continue
        if name in files or not name.endswith(_SUFFIX):
            yield variable, name, text
        else:
            plain = name.removesuffix(_SUFFIX)
            content = _content(variable, text, environ)
            yield variable, plain, content if plain.upper() in keys else _without_mark(content)


def value(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the value of one variable, such as ``IMAP_PASSWORD``; empty if it is not set.

    Raises:
        SettingsError: see `variables`.
    """
    variable = f"{PREFIX}{name}{_SUFFIX}"
    if variable in environ:
        return _without_mark(_content(variable, environ[variable], environ))
    return environ.get(f"{PREFIX}{name}", "")


def _without_mark(text: str) -> str:
    """Return a text without the mark that editors put before it.

    A key keeps the mark that it always had: without it, it would be another key, which knows
    nobody who left, and none of the links in mails that were sent.
    """
    return text.removeprefix("\ufeff")


def _content(variable: str, path: str, environ: Mapping[str, str]) -> str:
    """Return the text of a file without the line end that editors add."""
    if environ.get(plain := variable.removesuffix(_SUFFIX)):
        raise SettingsError(f"{plain} and {variable} are both set.", "Remove one of them.")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"The file that {variable} names cannot be read: {reason}.",
            "Name a file that this user may read and that holds the value alone.",
        ) from None
    try:
        text = content.decode("utf-8") if len(content) <= _LARGEST_FILE else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise SettingsError(
            f"The file that {variable} names is no text of at most {_LARGEST_FILE:,} bytes.",
            "Name a file that holds the value alone.",
        )
    return text.rstrip("\r\n")
