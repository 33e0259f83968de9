"""The program of the parser process: requests on its standard input, answers on its output.

Owns what the process may do. Only `Parser` starts it. Before the first document it gives up what
parsing does not need: it opens no file but Python's own modules, starts no program, and makes no
connection. Each document may use 256 MB beyond the memory of the libraries.
"""

import importlib.machinery
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from notifier.text.cleaning import shorten, storable
from notifier.watch import discovery
from notifier.watch.parser_process import wire
from notifier.watch.parsers import clinicaltrials, document
from notifier.watch.parsers.known_items import KnownItems
from notifier.watch.parsers.observation import ParseError

# Processor time, in seconds, after which the system ends the process if its parent cannot: twice
# the most that the parent allows for a document.
_SECONDS_ALONE = 60
_MEGABYTE = 1_000_000

# Characters of a stored error, and of a logged trace. Chosen by hand; not measured.
_LONGEST_ERROR, _LONGEST_TRACE = 500, 20_000

# Audit events (PEP 578, "Audit events table") that parsing never causes.
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
    "os.startfile", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "os.kill", "urllib.", "http.client.", "ftplib.",
    "smtplib.", "sqlite3.", "shutil.",
)  # fmt: skip
_MODULES = tuple(importlib.machinery.all_suffixes())


def main() -> None:
    """Answer requests until the input ends, or until the process has grown too large."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is not an answer
    sys.dont_write_bytecode = True
    memory = _Memory()
    own_size = memory.size()
    sys.addaudithook(_refuse)
    wire.write(answers, b"{}")
    while (head := wire.read(requests, _MEGABYTE)) is not None:
        request = json.loads(head)
        body = wire.read(requests, sys.maxsize)
        known = wire.read(requests, sys.maxsize)
        if body is None or known is None:
            return
        _limit(memory.size(), request["megabytes"] * _MEGABYTE)
        answer = _answer(request | {"known": known}, body)
        # Memory that a document leaves behind counts for the next one: the process ends before it
        # adds up.
        answer["last"] = (
            memory.size() - own_size > request["megabytes"] * _MEGABYTE // 2 or "memory" in answer
        )
        try:
            frame = json.dumps(answer).encode()
        except MemoryError:
            frame = json.dumps({**_out_of_memory(request), "last": True}).encode()
        wire.write(answers, frame)
        if answer["last"]:
            return


def _answer(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return {"answer": _TASKS[request["task"]](request, body)}
    except ParseError as error:
        return {"error": shorten(storable(str(error)), _LONGEST_ERROR)}
    except MemoryError:
        return _out_of_memory(request)
    except Exception as error:  # noqa: BLE001 - every error is reported to the parent
        # A document that a parser fails on is one source's failure and must not become another's.
        trace = shorten(storable("".join(traceback.format_exception(error))), _LONGEST_TRACE)
        return {"error": f"the document could not be read ({type(error).__name__})", "trace": trace}


def _out_of_memory(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "error": f"the document needed more than {request['megabytes']} MB to be read",
        "memory": True,
    }


def _parse_document(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    kind, headers, url = request["kind"], request["headers"], request["url"]
    dates = request.get("known")
    known = KnownItems(wire.decode_dates(dates)) if dates else None
    parsed = document.parse(kind, body, headers, url, request["encoding"], known)
    return wire.encode_document(parsed)


def _parse_posts(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    now = datetime.fromisoformat(request["now"])
    return wire.encode_document(document.parse_posts(body, request["headers"], request["url"], now))


def _parse_as_of(_: Mapping[str, Any], body: bytes) -> str | None:
    moment = clinicaltrials.parse_as_of(body)
    return moment.isoformat() if moment else None


def _find_feeds(request: Mapping[str, Any], body: bytes) -> list[tuple[str, str]]:
    return discovery.feeds(body, request["url"])


_TASKS: Mapping[str, Callable[[Mapping[str, Any], bytes], Any]] = {
    "document": _parse_document,
    "posts": _parse_posts,
    "as_of": _parse_as_of,
    "feeds": _find_feeds,
}


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what parsing does not need; an audit hook cannot be removed again (PEP 578)."""
    if event == "open":
        path, mode = arguments[0], arguments[1]
        name = path.decode("utf-8", "replace") if isinstance(path, bytes) else str(path)
        if isinstance(path, int) or mode not in ("r", "rb", None) or not name.endswith(_MODULES):
            raise PermissionError("a document may not open a file")
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(f"a document may not cause {event}")


def _limit(size: int, more: int) -> None:
    """Limit the memory and the processor time for the next document.

    Without the `resource` module (Windows) only the parent's limit of time applies.

    Args:
        size: the bytes that the process uses; 0 if unknown, and then memory is not limited.
        more: the bytes that the document may use beyond them.
    """
    try:
        import resource
    except ImportError:
        return
    if size:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = size + more
        resource.setrlimit(
            resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
        )
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + _SECONDS_ALONE
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


class _Memory:
    """The memory of this process, as Linux reports it (proc(5), `/proc/self/statm`)."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        # Opened before files are refused, and kept open.
        with suppress(OSError, ImportError):
            import resource

            self._page = resource.getpagesize()
            statm = Path("/proc/self/statm")
            self._file = statm.open("rb", buffering=0)

    def size(self) -> int:
        """Return the bytes of addresses in use; 0 if the system does not say."""
        if self._file is None:
            return 0
        self._file.seek(0)
        return int(self._file.read().split()[0]) * self._page
