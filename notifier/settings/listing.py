"""The list of all settings: what counts now, where it comes from, and what the default is.

Owns which values are secrets, and are never shown.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from notifier.settings.loading import file_values, load, variables_by_key
from notifier.settings.sections import Settings

HIDDEN = "(hidden)"
# The password before the host of an address: postgresql://notifier:…@db.example.org/notifier.
_PASSWORD_IN_URL = re.compile(r"^([a-z][a-z0-9+.-]*://[^/@:]*:)[^/]*@", re.IGNORECASE)
_SECRET = re.compile(r"password|secret|token|suppression_key")


@dataclass(frozen=True)
class Listed:
    """One setting.

    Attributes:
        key: its name, such as ``smtp.port``.
        value: what counts now, as JSON has it; `HIDDEN` for a secret that is set.
        default: what counts if nobody sets it; None if there is none.
        origin: ``file``, ``environment`` or ``default``.
        variable: the environment variable that sets it, or names the file with its value; where
            there is none, the one that would set it.
    """

    key: str
    value: Any
    default: Any
    origin: str
    variable: str


def listed(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> list[Listed]:
    """Return every setting, section by section.

    Arguments and errors are those of `load`.
    """
    settings = load(path, environ)
    _, in_file = file_values(path, environ)
    variables = variables_by_key(environ)
    rows = []
    for key, value, default in _settings(settings):
        section, _, name = key.rpartition(".")
        if key in variables:
            origin = "environment"
        else:
            table = in_file.get(section, {}) if section else in_file
            origin = "file" if name in table else "default"
        variable = variables.get(key, f"NOTIFIER_{key.upper().replace('.', '__')}")
        rows.append(Listed(key, _shown(key, value), default, origin, variable))
    return rows


def _settings(settings: Settings) -> Iterator[tuple[str, Any, Any]]:
    """Yield key, value and default of each setting: those without a section first."""
    values, defaults = settings.model_dump(mode="json"), Settings().model_dump(mode="json")
    for name, field in Settings.model_fields.items():
        if not isinstance(field.default, BaseModel):
            yield name, values[name], defaults[name] or None
    for section, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for name, default in defaults[section].items():
                yield f"{section}.{name}", values[section][name], default


def _shown(key: str, value: Any) -> Any:
    """Return a value without what is secret in it."""
    if not isinstance(value, str) or not value:
        return value
    if _SECRET.search(key):
        return HIDDEN
    return _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", value)
