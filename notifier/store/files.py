"""Files that the user names: read up to a limit, written so that only their owner can read them.

Owns the permissions of files with links, keys or personal data, and the refusal of everything that
is not a regular file: reading a pipe could wait for ever, a device has no end, and a link could
lead into another user's file.
"""

import getpass
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from notifier.errors import InputError

_PRIVATE = 0o600
_OTHERS = stat.S_IRWXO
# Folders whose files are devices or open files of processes: none may be replaced.
_SYSTEM_FOLDERS = ("/dev", "/proc", "/sys")
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - its files are regular ones
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def user_name() -> str:
    """Return the name of the user who runs this, or the number: a container's user has no name."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def open_input(path: Path, largest: int) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: its path; a link to a regular file is followed.
        largest: how many bytes it may have.

    Raises:
        InputError: it cannot be read, is not a regular file, or is too large.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait until another program writes to it.
        opened = os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK), "rb")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {_reason(error)}.",
            "Name a file that exists and that you may read.",
        ) from error
    state = os.fstat(opened.fileno())
    if not stat.S_ISREG(state.st_mode):
        opened.close()
        raise InputError(
            f"{path} cannot be read: it is {_kind(state.st_mode)}.", "Name a regular file."
        )
    if state.st_size > largest:
        opened.close()
        raise InputError(
            f"{path} is larger than {largest:,} bytes.",
            "Name a smaller one, or split it.",
        )
    return opened


def read_input(path: Path, largest: int) -> bytes:
    """Return the bytes of a regular file.

    Arguments and errors are those of `open_input`.
    """
    with open_input(path, largest) as opened:
        try:
            content = opened.read(largest + 1)
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {_reason(error)}.",
                "Name a file that exists and that you may read.",
            ) from error
    if len(content) > largest:  # some file systems do not report the size beforehand
        raise InputError(
            f"{path} is larger than {largest:,} bytes.",
            "Name a smaller one, or split it.",
        )
    return content


def write_private(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file that only its owner can read, whatever was there before, whatever the umask.

    The new file replaces the old one when it is complete: an old file that others can read, or a
    link to another file, is never written to, and other programs see the old or the new content,
    never a part of it.

    Raises:
        InputError: it cannot be written, or the path is not that of a regular file.
    """
    beside = path.parent / f".{secrets.token_hex(8)}.new"
    try:
        _require_regular_file(path)
        _write_new(beside, content)
        try:
            beside.replace(path)
        except OSError:
            beside.unlink()
            raise
        sync_folder(path.parent)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be written: {_reason(error)}.", "Name a file in a folder of yours."
        ) from error


def create_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        FileExistsError: the name is taken, even if by a broken link.
        OSError: it cannot be written.
    """
    _write_new(path, content)
    sync_folder(path.parent)


def rewrite_settings(path: Path, content: bytes) -> None:
    """Replace the content of a settings file; owner and group stay, all other users lose access.

    A link is followed: the file that it leads to is replaced, and the link stays.

    Raises:
        OSError: it cannot be written, or its owner cannot be kept.
    """
    path = path.resolve(strict=True)
    beside = path.parent / f".{secrets.token_hex(8)}.new"
    _write_new(beside, content, like=path.stat())
    try:
        beside.replace(path)
    except OSError:
        beside.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut, if the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def readable_by_others(paths: Iterable[Path]) -> list[Path]:
    """Return the files that any user of this machine may read, change or run (mode & 0o007)."""
    if os.name == "nt":  # there are no such permissions
        return []
    exposed = []
    for path in paths:
        with suppress(OSError, ValueError):
            if path.stat().st_mode & _OTHERS:
                exposed.append(path)
    return exposed


def _write_new(
    path: Path, content: bytes | Iterable[bytes], like: os.stat_result | None = None
) -> None:
    """Write a file that does not exist yet.

    It is for its owner alone, or with `like` for the owner and the group of another file.
    """
    # The mode is set from the first moment, and a link of that name is not followed.
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            _set_owner_and_mode(file.fileno(), like)
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


def _set_owner_and_mode(descriptor: int, like: os.stat_result | None) -> None:
    """Set owner and permissions of the open file; its name could lead to another file by now."""
    if os.name == "nt":  # there are no such permissions
        return
    if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    # The umask may have removed rights of the owner.
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & ~_OTHERS if like else _PRIVATE)


def give_away(descriptor: int, like: Path) -> None:
    """Let an open file belong to the owner of another file or folder, if root has opened it.

    Otherwise a command that an administrator runs would leave a file that the service cannot use.
    """
    if os.name != "nt" and os.geteuid() == 0:
        state = like.stat()
        os.fchown(descriptor, state.st_uid, state.st_gid)


def _require_regular_file(path: Path) -> None:
    folder = path.parent.resolve()
    if any(folder.is_relative_to(place) for place in _SYSTEM_FOLDERS) and not folder.is_relative_to(
        _SHARED_MEMORY
    ):
        raise ValueError("files there belong to the system")
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise ValueError(f"it is {_kind(mode)}")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for matches, name in kinds if matches(mode)), "not a regular file")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
