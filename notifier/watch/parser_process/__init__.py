"""The process that parses documents from outside, within limits of time and memory.

Owns that process: it is started when the first document must be parsed, parses all documents of a
poll, and is replaced when a document ends it. Whatever a document does to the libraries that parse
it is one source's failure: the process has no database, no settings and no secret, and opens no
file and no connection (`child.py`).

Its answers are JSON, never a pickle: somebody who takes over the child through a flaw of a parser
must not get any further.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import IO, Any, Self

from notifier.enums import SourceKind
from notifier.watch.http.types import Response, leads_to_front_page
from notifier.watch.parser_process import wire
from notifier.watch.parsers.known_items import filled
from notifier.watch.parsers.observation import (
    Observation,
    ParsedDocument,
    ParseError,
    within_limits,
)

log = logging.getLogger("notifier")

# The limits of a document: seconds for each megabyte of it, from the least to the most, and
# megabytes of memory. Chosen by hand; not measured.
SECONDS_PER_MEGABYTE = 5.0
LEAST_SECONDS, MOST_SECONDS = 5.0, 30.0
MEGABYTES = 256
# Seconds until the process must be ready, on a busy machine too. Chosen by hand; not measured.
_SECONDS_TO_START = 60.0

# The environment variables that the process gets: none of the settings, which may be there.
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
    """The process ended instead of answering.

    Args:
        timed_out: we ended it, because it took too long.
    """

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "ended")
        self.timed_out = timed_out


class Child:
    """The process that parses documents, one at a time.

    Attributes:
        reusable: whether it can take another document.

    Raises:
        ChildEndedError: it did not get ready.
        OSError: it could not be started.
    """

    def __init__(self) -> None:
        # An empty folder name is the current folder, which the process will not be in.
        path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            # Isolated (-I): modules are not searched in the current folder and not in a person's
            # own packages.
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
            # In the root folder a relative name in a document is not a file of ours.
            cwd=os.path.abspath(os.sep),  # noqa: PTH100
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            # Ctrl-C ends the poll at its next step; this process is then ended by the poll.
            start_new_session=True,
        )
        self.reusable = True
        try:
            self._answer(_SECONDS_TO_START, wire.LONGEST_ERROR)
        except ChildEndedError:
            self.end()
            raise

    def ask(
        self, request: Mapping[str, Any], body: bytes, seconds: float, known: bytes = b""
    ) -> dict[str, Any]:
        """Let the process parse a document and return its answer.

        Args:
            request: the task and its arguments.
            body: the document.
            seconds: the time after which the process is ended.
            known: the dates of the known items (`wire.encode_dates`); empty to parse all of them.

        Raises:
            ChildEndedError: there is no answer, and the process has ended.
        """
        try:
            head = json.dumps(request).encode()
            wire.write(self._pipe(self._process.stdin), head, body, known)
        except OSError as error:
            raise ChildEndedError(timed_out=False) from error
        answer = self._answer(seconds, wire.longest_answer(len(body) + len(known)))
        self.reusable = not answer.get("last")
        return answer

    def _answer(self, seconds: float, longest: int) -> dict[str, Any]:
        timed_out = threading.Event()

        def end() -> None:
            timed_out.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            frame = wire.read(self._pipe(self._process.stdout), longest)
            answer = json.loads(frame) if frame is not None else None
        except (ValueError, RecursionError):  # not JSON
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
        """End the process and wait until it has ended."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # the rest of a document is not needed any more
                    continue
        self._process.wait()


def start() -> Child:
    """Return a process that is ready to parse."""
    return Child()


def release(child: Child) -> None:
    """End a process that is not needed any more."""
    child.end()


class Parser:
    """A parser of documents within limits; its process is started when it is first needed.

    A context manager, which ends the process. Several threads may use it: one document is parsed
    after the other.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._turn = threading.Lock()

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
        """End the process, if there is one; for the next document another is started."""
        child, self._child = self._child, None
        if child is not None:
            release(child)

    def parse(
        self,
        kind: SourceKind,
        body: bytes,
        headers: Mapping[str, str],
        url: str,
        encoding: str = "",
        known: bytes | None = None,
    ) -> ParsedDocument:
        """Parse a document of this kind.

        Args:
            kind: the kind of source that it must be.
            body: the document.
            headers: of the response, names in lower case.
            url: the address it came from.
            encoding: the character encoding of the source's last document; empty if it is not
                known.
            known: the `known_items` of a feed's last document, empty if it had none; None if there
                is no need of them.

        Raises:
            ParseError: not a document of this kind, or one that needs too much time or memory.
        """
        arguments = {"kind": str(kind), "headers": dict(headers), "url": url, "encoding": encoding}
        if known is None or kind is not SourceKind.FEED:
            return self._parse("document", body, None, **arguments)
        items = wire.unpack_items(known)
        document = self._parse("document", body, items, **arguments)
        if all(item.digest in items or not item.digest for item in document.observations):
            return document
        return replace(document, known_items=wire.pack_items(document.observations))

    def parse_posts(
        self, body: bytes, headers: Mapping[str, str], url: str, now: datetime
    ) -> ParsedDocument:
        """Parse a page of a WordPress site's list of posts; its `until` is set.

        Raises:
            ParseError: as for `parse`.
        """
        return self._parse("posts", body, headers=dict(headers), url=url, now=now.isoformat())

    def parse_as_of(self, body: bytes) -> datetime | None:
        """Return the date of a registry's data; None if the answer does not give it.

        Raises:
            ParseError: as for `parse`.
        """
        moment = self._ask("as_of", body)
        return datetime.fromisoformat(moment) if isinstance(moment, str) else None

    def find_feeds(self, body: bytes, url: str) -> list[tuple[str, str]]:
        """Return the address and the title of each feed that a page names.

        Raises:
            ParseError: as for `parse`.
        """
        return [(str(address), str(title)) for address, title in self._ask("feeds", body, url=url)]

    def _parse(
        self,
        task: str,
        body: bytes,
        known: Mapping[str, Observation] | None = None,
        **arguments: Any,
    ) -> ParsedDocument:
        dates = b"" if known is None else wire.encode_dates(known)
        answer = self._ask(task, body, dates, **arguments)
        try:
            # The limits are applied once more here: a child that was taken over may answer
            # anything. Known items were limited when they were new.
            return filled(within_limits(wire.decode_document(answer)), known or {})
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ParseError(
                "the document could not be read (the parser's answer makes no sense)"
            ) from error

    def _ask(self, task: str, body: bytes, known: bytes = b"", **arguments: Any) -> Any:
        with self._turn:
            answer = self._answer(task, body, known, arguments)
        if "answer" in answer:
            return answer["answer"]
        if trace := answer.get("trace"):
            log.error("a document could not be read\n%s", trace)
        raise ParseError(str(answer.get("error", "the document could not be read")))

    def _answer(
        self, task: str, body: bytes, known: bytes, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the answer of the process, which is started if there is none."""
        seconds = seconds_for(len(body))
        try:
            if self._child is None:
                self._child = start()
            answer = self._child.ask(
                {"task": task, "megabytes": MEGABYTES, **arguments}, body, seconds, known
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
                "the document could not be read: the program that reads it could not be started"
                f" ({type(error).__name__})"
            ) from error
        if not self._child.reusable:
            self.close()
        return answer


def seconds_for(size: int) -> float:
    """Return the seconds for a document of `size` bytes: 5 per megabyte, at least 5, at most 30."""
    return min(max(size / 1_000_000 * SECONDS_PER_MEGABYTE, LEAST_SECONDS), MOST_SECONDS)


def parse_document(
    kind: SourceKind, response: Response, parser: Parser, known: bytes | None = None
) -> ParsedDocument:
    """Parse the document in a response.

    Args:
        kind: the kind of source that it must be.
        response: the response.
        parser: the process.
        known: as for `Parser.parse`.

    Raises:
        ParseError: there is none, or it is not of this kind.
    """
    require_document(response)
    if kind is SourceKind.PAGE and leads_to_front_page(response):
        raise ParseError("the address leads to the site's front page")
    encoding = response.request.encoding or ""
    return parser.parse(kind, response.body, response.headers, response.url, encoding, known)


def require_document(response: Response) -> None:
    """Refuse a response that holds no document.

    Raises:
        ParseError: the error, or the status instead of 200 (RFC 9110, 15).
    """
    if response.error:
        raise ParseError(response.error)
    if response.status == 410:
        raise ParseError("the address answered 410: it is gone for good, and is not polled again")
    if response.status != 200:
        raise ParseError(f"the address answered {response.status} instead of a document")
