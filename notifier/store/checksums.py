"""Checksum files: `FILE.sha256` beside a file, as `sha256sum` writes and checks it.

Owns their form: a line ``HASH  NAME`` with the SHA-256 in 64 hexadecimal digits. While a file is
replaced, the line of the old one stays beside that of the new one, so that at each moment one of
them is right.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from notifier.errors import InputError
from notifier.store.files import read_input, write_private

_LINE = re.compile(r"([0-9a-f]{64}) [ *].*")
# Bytes that a checksum file may have.
_LARGEST = 10_000


def path_of(file: Path) -> Path:
    """Return the path of a file's checksum file."""
    return file.with_name(f"{file.name}.sha256")


def of(file: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def stored(file: Path) -> list[str]:
    """Return the checksums that are stored beside a file; none if there is no checksum file.

    Raises:
        InputError: it cannot be read.
    """
    path = path_of(file)
    if not path.exists():
        return []
    lines = read_input(path, _LARGEST).decode("utf-8", "replace").splitlines()
    return [match[1] for line in lines if (match := _LINE.fullmatch(line))]


def store(file: Path, checksums: Sequence[str]) -> None:
    """Write the checksum file of a file, for its owner alone.

    Raises:
        InputError: it cannot be written.
    """
    lines = "".join(f"{checksum}  {file.name}\n" for checksum in checksums)
    write_private(path_of(file), lines.encode("utf-8"))


def replace(complete: Path, file: Path) -> None:
    """Put a complete file in the place of another one, with its checksum beside it.

    Raises:
        InputError: the checksum cannot be written.
        OSError: the file cannot be replaced.
    """
    with complete.open("rb") as opened:
        os.fsync(opened.fileno())
    checksum = of(complete)
    store(file, [*stored(file), checksum] if file.exists() else [checksum])
    complete.replace(file)
    store(file, [checksum])


def require(file: Path) -> bool:
    """Compare a file with its checksum; return False if none is stored.

    Raises:
        InputError: they differ.
    """
    known = stored(file)
    if not known:
        return False
    if of(file) not in known:
        raise InputError(
            f"{file} is not what was written: its checksum differs from {path_of(file).name}.",
            "Take another copy of this backup, or an older backup. Nothing was changed.",
        )
    return True
