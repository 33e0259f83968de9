"""Files, addresses and programs that code opens, from the interpreter's audit events (PEP 578).

Files that C libraries open by themselves (libxml2, SQLite) are not seen.
"""

import sys
import sysconfig
import tempfile
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notifier.render import template_folder
from tests.support.paths import PACKAGE, ROOT

# Files of every Python program: its modules, time zones, names of hosts, random numbers.
_OF_PYTHON = (
    *dict.fromkeys(sysconfig.get_paths().values()),
    sys.prefix,
    sys.base_prefix,
    *zoneinfo.TZPATH,
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/dev/null",
    "/dev/urandom",
    "/proc/",
    "/sys/fs/cgroup",
)
_OWN = (str(PACKAGE), str(template_folder()), str(ROOT / "tests"))
# Files of the tools of the tests: sources that a trace names, and the examples of hypothesis with
# their temporary files.
_OF_THE_TESTS = ("<", str(ROOT / ".hypothesis"), str(Path(tempfile.gettempdir()) / "tmp"))


@dataclass
class Seen:
    """Opened paths and contacted hosts, in their order."""

    opened: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def strangers(self, *allowed: Path) -> list[str]:
        """Return the opened paths that belong to neither Python, the project nor `allowed`."""
        fine = (*_OF_PYTHON, *_OWN, *_OF_THE_TESTS, *map(str, allowed))
        return [path for path in self.opened if not path.startswith(fine)]

    def far_away(self) -> list[str]:
        """Return the contacted hosts that are not this machine."""
        return [host for host in self.dialled if host not in ("127.0.0.1", "::1", "localhost", "")]


_watchers: list[Seen] = []
_installed = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _watchers or event not in ("open", "socket.connect", "socket.getaddrinfo"):
        return
    for seen in _watchers:
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = arguments[0]
            seen.opened.append(path.decode("utf-8", "replace") if isinstance(path, bytes) else path)
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            seen.dialled.append(str(arguments[1][0]))
        elif event == "socket.getaddrinfo":
            seen.dialled.append(str(arguments[0]))


@contextmanager
def watching() -> Iterator[Seen]:
    """Record what any thread of this process opens and contacts meanwhile."""
    global _installed  # noqa: PLW0603 - a hook cannot be removed
    if not _installed:
        sys.addaudithook(_note)
        _installed = True
    seen = Seen()
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)
