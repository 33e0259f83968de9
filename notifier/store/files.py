"""Files that people name: read with a bound, and written so that nobody but their owner can read them.

Owns the permissions of what holds live links, keys or people, and the refusal of what is no plain
file: a pipe that nobody writes to would wait for ever, a device has no end, and a link could lead
into somebody else's file.
"""

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
# Where files stand for what a process has open, or for hardware: nothing there may be replaced.
_NOT_OURS = ("/dev", "/proc", "/sys")
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a place for files like any other
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def open_input(path: Path, largest: int) -> BinaryIO:
    """A plain file that the caller named, opened for reading.

    Args:
        path: where it is; a link to a plain file will do.
        largest: how many bytes it may hold.

    Raises:
        InputError: it cannot be read, is no plain file, or is too large.
    """
    try:
        # Without it, to open a pipe would wait for somebody who writes to it.
        opened = os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK), "rb")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {_reason(error)}.", "Name a file that is there."
        ) from error
    state = os.fstat(opened.fileno())
    if not stat.S_ISREG(state.st_mode):
        opened.close()
        raise InputError(
            f"{path} cannot be read: it is {_kind(state.st_mode)}.", "Name a plain file."
        )
    if state.st_size > largest:
        opened.close()
        raise InputError(
            f"{path} is larger than {largest:,} bytes.",
            "Name a smaller one, or cut it into several.",
        )
    return opened


def read_input(path: Path, largest: int) -> bytes:
    """The bytes of a plain file that the caller named.

    Raises:
        InputError: as for `open_input`.
    """
    with open_input(path, largest) as opened:
        try:
            content = opened.read(largest + 1)
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {_reason(error)}.", "Name a file that is there."
            ) from error
    if len(content) > largest:  # some systems' files do not say their size beforehand
        raise InputError(
            f"{path} is larger than {largest:,} bytes.",
            "Name a smaller one, or cut it into several.",
        )
    return content


def write_private(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file that only its owner can read, whatever was there before and whatever the umask.

    The new file takes the place of the old one when it is complete: an old one that others may
    read, or a link to another file, is never written through, and whoever reads meanwhile sees the
    old or the new, never a part.

    Raises:
        InputError: it cannot be written, or something that is no file stands there.
    """
    beside = path.parent / f".{secrets.token_hex(8)}.new"
    try:
        _refuse_what_is_no_file(path)
        _write_new(beside, content)
        try:
            beside.replace(path)
        except OSError:
            beside.unlink()
            raise
        _keep_name(path.parent)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be written: {_reason(error)}.", "Name a file in a folder of yours."
        ) from error


def create_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        FileExistsError: there is something of that name, be it a link that leads nowhere.
        OSError: it cannot be written.
    """
    _write_new(path, content)
    _keep_name(path.parent)


def rewrite_settings(path: Path, content: bytes) -> None:
    """Put a new text in place of a settings file, for the same owner and group, and for nobody else.

    A link is followed: the file that it leads to is replaced, and the link stays.

    Raises:
        OSError: it cannot be written, or not be given to its owner.
    """
    path = path.resolve(strict=True)
    beside = path.parent / f".{secrets.token_hex(8)}.new"
    _write_new(beside, content, like=path.stat())
    try:
        beside.replace(path)
    except OSError:
        beside.unlink()
        raise
    _keep_name(path.parent)


def readable_by_others(paths: Iterable[Path]) -> list[Path]:
    """Those of the files that any user of this machine may read, change or run (mode & 0o007)."""
    if os.name == "nt":  # permissions mean something else there
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
    """Write a file that is not there yet, for its owner alone or for owner and group of another one."""
    # The mode counts from the first moment, and a link of that name is not followed.
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            _give(file.fileno(), like)
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


def _give(descriptor: int, like: os.stat_result | None) -> None:
    """Set owner and permissions by the open file: behind its name somebody could put another one meanwhile."""
    if os.name == "nt":  # permissions mean something else there
        return
    if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    # A umask may have taken the owner's own rights.
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & ~_OTHERS if like else _PRIVATE)


def _refuse_what_is_no_file(path: Path) -> None:
    folder = path.parent.resolve()
    if any(folder.is_relative_to(place) for place in _NOT_OURS) and not folder.is_relative_to(
        _SHARED_MEMORY
    ):
        raise ValueError("files there belong to the system")
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise ValueError(f"it is {_kind(mode)}")


def _keep_name(folder: Path) -> None:
    """Let the new name outlive a power cut, where the system can promise that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((words for matches, words in kinds if matches(mode)), "no plain file")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
