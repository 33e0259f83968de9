"""The process that reads documents: it takes one after the other from its standard input and answers on its output.

Owns what that process may do. It is started by `Parser` and by nobody else. Before the first
document it gives up what reading needs not: it opens no file but Python's own modules, starts no
program, and makes no connection. Each document has 256 MB beyond what the libraries take.
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
from notifier.watch.parsers import clinicaltrials, html_page, rss, wordpress
from notifier.watch.parsers.observation import ParseError, within_limits

# Processor time, in seconds, after which the process ends by itself if nobody is there to end it.
_SECONDS_ALONE = 60
_MEGABYTE = 1_000_000

# Audit events (PEP 578, "Audit events table") of what no reader of documents has to do.
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.kill", "urllib.", "http.client.", "ftplib.", "smtplib.", "sqlite3.", "shutil.",
)  # fmt: skip
_MODULES = tuple(importlib.machinery.all_suffixes())


def main() -> None:
    """Answer until the input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    sys.dont_write_bytecode = True
    memory = _Memory()
    own_size = memory.size()
    sys.addaudithook(_refuse)
    wire.write(answers, b"{}")
    while (head := wire.read(requests, _MEGABYTE)) is not None:
        request = json.loads(head)
        body = wire.read(requests, sys.maxsize)
        if body is None:
            return
        _limit(memory.size(), request["megabytes"] * _MEGABYTE)
        answer = _answer(request, body)
        # What a document leaves behind counts against the next one, so that nothing adds up.
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
        return {"answer": _READERS[request["reader"]](request, body)}
    except ParseError as error:
        return {"error": shorten(storable(str(error)), 500)}
    except MemoryError:
        return _out_of_memory(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to who asked
        # A document that a reader stumbles over is one source's failure and must not become
        # another's.
        trace = shorten(storable("".join(traceback.format_exception(error))), 20_000)
        return {"error": f"the document could not be read ({type(error).__name__})", "trace": trace}


def _out_of_memory(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "error": f"the document needed more than {request['megabytes']} MB to be read",
        "memory": True,
    }


def _document(read: Callable[..., Any]) -> Callable[[Mapping[str, Any], bytes], dict[str, Any]]:
    def reader(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        return wire.as_document(within_limits(read(body, request["headers"], request["url"])))

    return reader


def _posts(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    reading = wordpress.read(body, request["headers"], request["url"])
    now = datetime.fromisoformat(request["now"])
    until = wordpress.read_until(body, request["headers"], request["url"], now)
    return {**wire.as_document(within_limits(reading)), "until": until.isoformat()}


def _as_of(_: Mapping[str, Any], body: bytes) -> str | None:
    moment = clinicaltrials.read_as_of(body)
    return moment.isoformat() if moment else None


def _feeds(request: Mapping[str, Any], body: bytes) -> list[tuple[str, str]]:
    return discovery.feeds(body, request["url"])


_READERS: Mapping[str, Callable[[Mapping[str, Any], bytes], Any]] = {
    "feed": _document(rss.read),
    "page": _document(html_page.read),
    "registry": _document(clinicaltrials.read),
    "posts": _posts,
    "as_of": _as_of,
    "feeds": _feeds,
}


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what a document has no business to cause; an audit hook cannot be taken away again (PEP 578)."""
    if event == "open":
        path, mode = arguments[0], arguments[1]
        name = path.decode("utf-8", "replace") if isinstance(path, bytes) else str(path)
        if isinstance(path, int) or mode not in ("r", "rb", None) or not name.endswith(_MODULES):
            raise PermissionError("a document may open nothing")
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(f"a document may cause no {event}")


def _limit(size: int, more: int) -> None:
    """Limit what the next document may take; without the `resource` module (Windows) the time limit stands alone."""
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
    """How much memory this process takes, as Linux tells it (proc(5), `/proc/self/statm`)."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        # Opened before files are refused; read anew at each look.
        with suppress(OSError, ImportError):
            import resource

            self._page = resource.getpagesize()
            self._file = Path("/proc/self/statm").open("rb", buffering=0)  # noqa: SIM115 - open as long as we are

    def size(self) -> int:
        """The bytes of addresses that are in use; zero where the system does not say."""
        if self._file is None:
            return 0
        self._file.seek(0)
        return int(self._file.read().split()[0]) * self._page
