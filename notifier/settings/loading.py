"""Reading of `notifier.toml` and of the environment variables over it; refusal of wrong values.

A refusal names the key and its place and never repeats the value, except for a number that is out
of range: a value may be a password, or have been put into the wrong line.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from notifier.errors import SettingsError
from notifier.settings import secret_files
from notifier.settings.sections import Dkim, Settings, TemplateFiles

CONFIG_NAME = "notifier.toml"

# In bytes; a settings file has a few thousand. Chosen by hand; not measured.
_LARGEST_FILE = 1_000_000
# The errors of pydantic for a number that is out of its range: only these repeat the value.
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")

# The variables of settings whose own value is a file.
_FILE_KEYS = ("DKIM__PRIVATE_KEY_FILE", "BACKUP__JOURNAL_FILE")
# The settings that sign or hash.
_KEYS = ("SECRET_KEY", "SECRET_KEY_PREVIOUS", "SUPPRESSION_KEY")
# Variables with the prefix NOTIFIER_ that are not settings: the path of the file, those of the test
# suite, and a password of the command `notifier bounces`.
_NOT_SETTINGS = re.compile(r"CONFIG$|REQUIRE_|TEST_|CHROMIUM$|IMAP_PASSWORD$")


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file and the environment variables over it.

    Args:
        path: the file named on the command line; else the variable `NOTIFIER_CONFIG` names it; else
            it is ``notifier.toml`` in the working directory, which need not exist.
        environ: environment variables; ``NOTIFIER_<SECTION>__<KEY>`` or ``NOTIFIER_<KEY>`` replaces
            the value of the file; with ``_FILE`` behind it, it names a file that holds the value.

    Raises:
        SettingsError: the file cannot be read, a key is unknown or a value is wrong; the error says
            how to correct it.
    """
    file, values = file_values(path, environ)
    return from_values(values, file, environ)


def file_values(
    path: Path | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[Path, dict[str, Any]]:
    """Return the settings file and its values, unchecked; arguments and errors as for `load`."""
    named = path or (Path(environ["NOTIFIER_CONFIG"]) if environ.get("NOTIFIER_CONFIG") else None)
    file = named or Path(CONFIG_NAME)
    return file, _read(file) if named or file.exists() else {}


def from_values(
    values: dict[str, Any], file: Path, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Check the values of a settings file and the environment variables over them.

    Args:
        values: by section and key, as in the file; changed in place.
        file: the file, which need not exist yet: relative paths count from its folder.
        environ: environment variables, as for `load`.

    Raises:
        SettingsError: a key is unknown or a value is wrong; the error says how to correct it.
    """
    variables = _overlay(values, environ)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # The trace of the error would repeat the value.
        raise _refusal(error, str(file), variables) from None
    return _relative_to(settings, file.parent)


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the values that environment variables set, unchecked, by key (``"smtp.port"``)."""
    values: dict[str, Any] = {}
    by_key = {}
    for key in _overlay(values, environ):
        section, _, name = key.rpartition(".")
        by_key[key] = values[section][name] if section else values[name]
    return by_key


def variables_by_key(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the names of the variables that set something, by key (``"smtp.port"``)."""
    return _overlay({}, environ)


def check_value(key: str, value: object, place: str) -> None:
    """Check one value by itself.

    Args:
        key: its name, such as ``smtp.port``.
        value: the value, or its text.
        place: where it was written, for the error.

    Raises:
        SettingsError: it is wrong; the error says how to correct it.
    """
    section, _, name = key.rpartition(".")
    try:
        Settings.model_validate({section: {name: value}} if section else {name: value})
    except ValidationError as error:
        raise _refusal(error, place, {}) from None


def _relative_to(settings: Settings, folder: Path) -> Settings:
    """Make relative paths start at the folder of the settings file, wherever the command runs."""
    own_templates = settings.templates.directory
    anchored = {
        "database_url": _anchor_sqlite_url(settings.database_url, folder),
        "templates": TemplateFiles(
            directory=(folder / own_templates).resolve() if own_templates else None
        ),
        "dkim": _anchor_key_files(settings.dkim, folder),
        "backup": settings.backup.model_copy(
            update={"journal_file": _journal_file(settings, folder)}
        ),
    }
    return settings.model_copy(update=anchored)


def _journal_file(settings: Settings, folder: Path) -> Path | None:
    """Return the path of the journal of departures; None for a database that is no file."""
    if settings.backup.journal_file is not None:
        return (folder / settings.backup.journal_file).absolute()
    url = _anchor_sqlite_url(settings.database_url, folder)
    path = url.removeprefix("sqlite:///").partition("?")[0]
    if url.startswith("postgresql"):
        return (folder / "notifier.departures").absolute()
    if path == url or not path or path.startswith((":memory:", "file:")):
        return None
    return Path(f"{path}.departures").absolute()


def _anchor_key_files(dkim: Dkim, folder: Path) -> Dkim:
    if dkim.private_key_file is None:
        return dkim
    also = [
        key.model_copy(update={"private_key_file": folder / key.private_key_file})
        for key in dkim.also
    ]
    return dkim.model_copy(
        update={"private_key_file": folder / dkim.private_key_file, "also": tuple(also)}
    )


def _anchor_sqlite_url(url: str, folder: Path) -> str:
    path = url.removeprefix("sqlite:///")
    if (
        path == url
        or not path
        or path.startswith((":memory:", "file:"))
        or Path(path).is_absolute()
    ):
        return url
    return f"sqlite:///{folder / path}"


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {file}.", "Make one with: notifier init"
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"{file} cannot be read: {reason}.", "Give a readable file with --config."
        ) from error
    if len(content) > _LARGEST_FILE:
        raise SettingsError(
            f"{file} is larger than {_LARGEST_FILE:,} bytes.", "Give a settings file with --config."
        )
    try:
        # Windows editors put a mark before the text, which TOML does not know.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is not UTF-8 text, from byte {error.start + 1} on.", "Save it as UTF-8."
        ) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{file} is not valid TOML: {error}", "Correct the line that is named."
        ) from None


def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Put the environment's values over those of the file.

    Args:
        values: the file's values by section and key; changed in place.
        environ: environment variables.

    Returns:
        The variable that set a key, by the key (``"smtp.port"``).
    """
    variables = {}
    named_values = secret_files.variables(environ, _FILE_KEYS, _NOT_SETTINGS, _KEYS)
    for variable, name, text in named_values:
        section, _, key = name.lower().partition("__")
        value = json.loads(text) if text[:1] in "[{" and _is_json(text) else text
        if key:
            inner = values.setdefault(section, {})
            if isinstance(inner, dict):
                inner[key] = value
        else:
            values[section] = value
        variables[f"{section}.{key}" if key else section] = variable
    return variables


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refusal(error: ValidationError, file: str, variables: Mapping[str, str]) -> SettingsError:
    """Describe the first wrong value: its key, the file or variable it is in, and the fix."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "refused_with_fix":
        return SettingsError(first["msg"], first["ctx"]["fix"])
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    place = f"the variable {variables[key]}" if key in variables else file
    if first["type"] == "extra_forbidden":
        known = _keys(path[:-1])
        close = get_close_matches(path[-1], known, n=1)
        fix = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        return SettingsError(f"Unknown setting {key} in {place}.", fix)
    problem = first["msg"].removeprefix("Value error, ")
    shown = f" = {first['input']!r}" if first["type"] in _OUT_OF_RANGE else ""
    return SettingsError(
        f"Wrong setting {key}{shown} in {place}: {problem}.", f"Correct {key} and try again."
    )


def _keys(section: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in section:
        model = type(model.model_fields[name].default)
    return list(model.model_fields)
