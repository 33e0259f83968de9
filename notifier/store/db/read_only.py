"""A database that this user may not write, or not even reach: whose it is, and what to do."""

import os
import shlex
from pathlib import Path

from sqlalchemy import Engine

from notifier.errors import StoreError
from notifier.store.files import user_name


def file_exists(path: Path) -> bool:
    """Return whether a file exists.

    Raises:
        StoreError: a folder on the way to it may not be entered.
    """
    try:
        return path.exists()
    except PermissionError:
        error = protected_file(path)
        if error is None:
            raise
        raise error from None


def read_only(engine: Engine, server: str) -> StoreError:
    """Describe a database that can only be read, with its owner and the user who asks.

    Args:
        engine: of the database.
        server: the address without passwords.
    """
    if engine.dialect.name != "sqlite":
        return StoreError(
            f"The database {server} is read-only for its user {engine.url.username}.",
            "It is a standby server, or default_transaction_read_only is on for this user or "
            "database: name the primary server in database_url, or ask who runs the server.",
        )
    path = Path(engine.url.database or "")
    return protected_file(path) or StoreError(
        f"The database {path} is read-only.",
        "Its file system is mounted read-only, or database_url says so (mode=ro).",
    )


def protected_file(path: Path) -> StoreError | None:
    """Describe the file, or its folder, that this user may not write; None if neither is.

    SQLite writes beside the file, too.
    """
    protected = _protected(path)
    if protected is None:
        return None
    user, owner = _user(), _owner(protected)
    what = "it" if protected == path else f"the folder {protected}"
    files = f"{shlex.quote(str(path.parent))} {shlex.quote(str(path))}*"
    if owner == user:
        return StoreError(
            f"The database {path} is read-only for its owner {user}: nobody may write {what}.",
            f"To allow it: chmod u+rwX {files}",
        )
    return StoreError(
        f"The database {path} is read-only for the user {user}: {what} belongs to {owner}.",
        f"Run this as its owner: sudo -u {shlex.quote(owner)} notifier … Or give it, with its "
        f"folder, to {user}: chown {shlex.quote(user)} {files}",
    )


def _protected(path: Path) -> Path | None:
    folders = [*reversed(path.absolute().parents)]
    for folder in folders:
        if os.path.exists(folder) and not _may(folder, os.X_OK):  # noqa: PTH110 - see below
            return folder
    if not os.path.exists(path):  # noqa: PTH110 - `Path.exists` raises where it may not look
        return None
    return next((each for each in (path, folders[-1]) if not _may(each, os.W_OK)), None)


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _user() -> str:
    """Return the user who asks, also under a changed identity (`sudo`)."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except ImportError:
        return user_name()
    except KeyError:  # a number without a name
        return str(os.geteuid())


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError, OSError):  # a number without a name
        return str(path.stat().st_uid)
