"""Parsing: documents from outside are read in a process of their own, within limits of time and memory.

Owns that process: it is started when the first document must be read, reads all documents of a
poll, and is replaced when a document brings it down. Whatever a document does to the libraries that
read it, it is one source's failure: the process knows no database, no settings and no secret, opens
no file and no connection (`child.py`).

What it answers is JSON, never a pickle: who takes over the child by a flaw of a parser must not get
further by it.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import IO, Any, Self

from notifier.enums import SourceKind
from notifier.watch.http.types import Response
from notifier.watch.parser_process import wire
from notifier.watch.parsers.observation import ParsedDocument, ParseError, within_limits

log = logging.getLogger("notifier")

# What a document may cost: seconds for each megabyte of it, from the least to the most, and memory.
SECONDS_PER_MEGABYTE = 5.0
LEAST_SECONDS, MOST_SECONDS = 5.0, 30.0
MEGABYTES = 256
_SECONDS_TO_START = 60.0

# What of our environment the process gets: nothing of the settings, which may stand there.
_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)
_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    " from notifier.watch.parser_process.child import main; main()"
)


class ChildEndedError(Exception):
    """The process ended instead of answering; `timed_out` when we ended it, because it took too long."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "ended")
        self.timed_out = timed_out


class Child:
    """The process that reads documents, one at a time.

    Raises:
        ChildEndedError: it did not get ready.
        OSError: it could not be started.
    """

    def __init__(self) -> None:
        path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100 - an empty one is this folder
        self._process = subprocess.Popen(  # noqa: S603 - our own program, with nothing of a document in it
            # Isolated: neither the folder we were started in nor a person's own packages are
            # searched for modules.
            [
                sys.executable,
                "-I",
                *(f"-W{option}" for option in sys.warnoptions),
                "-c",
                _PROGRAM,
                json.dumps(path),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),  # noqa: PTH100 - a name in a document is then no file of ours
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            # Who presses Ctrl-C ends the poll at its next step; this process is ended by us.
            start_new_session=True,
        )
        self.reusable = True
        try:
            self._answer(_SECONDS_TO_START, wire.MOST_OF_AN_ERROR)
        except ChildEndedError:
            self.end()
            raise

    def ask(self, request: Mapping[str, Any], body: bytes, seconds: float) -> dict[str, Any]:
        """What the process answers about a document.

        Args:
            request: which reader is wanted, and its arguments.
            body: the document.
            seconds: how long it may take; then the process is ended.

        Raises:
            ChildEndedError: there is no answer, and the process is gone.
        """
        try:
            wire.write(self._pipe(self._process.stdin), json.dumps(request).encode(), body)
        except OSError as error:
            raise ChildEndedError(timed_out=False) from error
        answer = self._answer(seconds, wire.most_of_an_answer(len(body)))
        self.reusable = not answer.get("last")
        return answer

    def _answer(self, seconds: float, most: int) -> dict[str, Any]:
        timed_out = threading.Event()

        def end() -> None:
            timed_out.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            frame = wire.read(self._pipe(self._process.stdout), most)
            answer = json.loads(frame) if frame is not None else None
        except (ValueError, RecursionError):  # no answer of ours
            answer = None
        finally:
            timer.cancel()
        if isinstance(answer, dict) and not timed_out.is_set():
            return answer
        self.reusable = False
        self.end()
        raise ChildEndedError(timed_out=timed_out.is_set())

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def end(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written yet is not wanted any more
                    continue
        self._process.wait()


def start() -> Child:
    """A process that is ready to read."""
    return Child()


def release(child: Child) -> None:
    """Let a process go that is not needed any more."""
    child.end()


class Parser:
    """Reads documents within limits; the process behind it is started when it is first needed.

    A context manager: at its end the process is ended. Not for several threads at once.
    """

    def __init__(self) -> None:
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one; the next document starts another."""
        child, self._child = self._child, None
        if child is not None:
            release(child)

    def read(
        self, kind: SourceKind, body: bytes, headers: Mapping[str, str], url: str
    ) -> ParsedDocument:
        """The document, read as one of this kind.

        Raises:
            ReadError: it is none, or reading it took too much time or memory, in words.
        """
        return self._reading(str(kind), body, headers=dict(headers), url=url)

    def posts(
        self, body: bytes, headers: Mapping[str, str], url: str, now: datetime
    ) -> ParsedDocument:
        """A page of a WordPress site's list of posts; `until` says up to which edit it was read.

        Raises:
            ReadError: as for `read`.
        """
        return self._reading("posts", body, headers=dict(headers), url=url, now=now.isoformat())

    def as_of(self, body: bytes) -> datetime | None:
        """The moment that a registry's data are of; None where it tells none.

        Raises:
            ReadError: as for `read`.
        """
        moment = self._ask("as_of", body)
        return datetime.fromisoformat(moment) if isinstance(moment, str) else None

    def feeds(self, body: bytes, url: str) -> list[tuple[str, str]]:
        """The feeds that a page names, each as its address and its title.

        Raises:
            ReadError: as for `read`.
        """
        return [(str(address), str(title)) for address, title in self._ask("feeds", body, url=url)]

    def _reading(self, reader: str, body: bytes, **arguments: Any) -> ParsedDocument:
        answer = self._ask(reader, body, **arguments)
        try:
            # Checked once more here: a child that was taken over may answer anything.
            return within_limits(wire.as_reading(answer))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ParseError(
                "the document could not be read (it made the reader answer nonsense)"
            ) from error

    def _ask(self, reader: str, body: bytes, **arguments: Any) -> Any:
        seconds = seconds_for(len(body))
        try:
            if self._child is None:
                self._child = start()
            answer = self._child.ask(
                {"reader": reader, "megabytes": MEGABYTES, **arguments}, body, seconds
            )
        except ChildEndedError as error:
            self.close()
            reason = (
                f"could not be read within {seconds:g} s"
                if error.timed_out
                else "ended the program that reads it"
            )
            raise ParseError(f"the document {reason}") from error
        except OSError as error:
            self.close()
            log.exception("the program that reads documents could not be started")
            raise ParseError(
                f"the document could not be read: no program could be started for it ({type(error).__name__})"
            ) from error
        if not self._child.reusable:
            self.close()
        if "answer" in answer:
            return answer["answer"]
        if trace := answer.get("trace"):
            log.error("a document could not be read\n%s", trace)
        raise ParseError(str(answer.get("error", "the document could not be read")))


def seconds_for(size: int) -> float:
    """How long a document of so many bytes may take: 5 s for each megabyte, at least 5 s and 30 s at most."""
    return min(max(size / 1_000_000 * SECONDS_PER_MEGABYTE, LEAST_SECONDS), MOST_SECONDS)


def read_document(kind: SourceKind, response: Response, parser: Parser) -> ParsedDocument:
    """The document that was answered, read as one of this kind.

    Raises:
        ReadError: everything else that came, in words for the person who watches the source.
    """
    require_document(response)
    return parser.read(kind, response.body, response.headers, response.url)


def require_document(response: Response) -> None:
    """Refuse an answer that holds no document.

    Raises:
        ReadError: what it is instead, in words for the person who watches the source.
    """
    if response.error:
        raise ParseError(response.error)
    if response.status == 410:
        raise ParseError("the address answered 410: it is gone for good, and is not asked again")
    if response.status != 200:
        raise ParseError(f"the address answered {response.status} instead of a document")
