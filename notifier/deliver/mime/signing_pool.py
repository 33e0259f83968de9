"""Signing on all cores: processes that get hashes and return signatures (`signing_child.py`).

Threads do not help: the library holds Python's interpreter lock while it signs, and every thread
that signs makes the sending loop wait. A process that is not ready, or that ended, costs time and
nothing else: what it would have signed is signed here. Which messages are signed is not known here.
"""

import base64
import hashlib
import json
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from notifier.deliver.mime.dkim_keys import Signer
from notifier.deliver.mime.dkim_signature import SigningRequest
from notifier.deliver.mime.signing_child import READY

# At most so many processes. Chosen by hand; not measured.
_MOST_PROCESSES = 4
# Requests that a process may have before the first must be collected: their answers, of 258 bytes
# with RSA-2048, must fit into a pipe (64 KB).
_MOST_OUTSTANDING = 128

_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    " from notifier.deliver.mime.signing_child import main; main()"
)


class Signatures:
    """Signatures that were asked for together.

    Args:
        requests: what is signed.
        process: the process that signs it; None to sign it here.
    """

    def __init__(self, requests: Sequence[SigningRequest], process: "_Process | None") -> None:
        self.requests = requests
        self.signed: list[bytes] | None = None
        self._process = process

    def get(self) -> list[bytes]:
        """Return the signatures in base64, in the order of the requests."""
        if self.signed is None and self._process is not None:
            self._process.collect(self)
        if self.signed is None:
            self.signed = [request.signer.sign(request.octets) for request in self.requests]
        return self.signed


class SigningPool:
    """Processes that sign with these keys.

    Args:
        signers: the keys; those of all requests.
    """

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._signers = signers
        self._numbers = {id(signer): number for number, signer in enumerate(signers)}
        self._processes: list[_Process] = []

    def start(self) -> None:
        """Start the processes; one that cannot be started is done without."""
        if self._processes:
            return
        for _ in range(min(_MOST_PROCESSES, os.cpu_count() or 1)):
            with suppress(OSError):
                self._processes.append(_Process([signer.pem for signer in self._signers]))

    @property
    def is_started(self) -> bool:
        """True after `start`."""
        return bool(self._processes)

    def sign(self, requests: Sequence[SigningRequest]) -> Signatures:
        """Ask for signatures, which are collected later."""
        process = min(
            (process for process in self._processes if process.is_ready()),
            key=lambda process: process.outstanding,
            default=None,
        )
        signatures = Signatures(requests, process)
        if process is not None:
            process.ask(signatures, [self._numbers[id(request.signer)] for request in requests])
        return signatures

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.end()
        self._processes = []


class _Process:
    """One process, which answers in the order in which it is asked.

    Attributes:
        outstanding: how many signatures were asked for and not collected.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-c", _PROGRAM, json.dumps(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
            # Ctrl-C lets the messages that were started be finished.
            start_new_session=True,
        )
        self._asked: deque[Signatures] = deque()
        self.outstanding = 0
        self._is_greeted = self._has_ended = False
        octets = bytes([len(keys)])
        for key in keys:
            octets += len(key).to_bytes(4, "big") + key
        self._write(octets)

    def is_ready(self) -> bool:
        """Return whether the process can sign; one that is being started cannot yet."""
        if self._has_ended or self._is_greeted:
            return not self._has_ended
        readable, _, _ = select.select([self._pipe(self._process.stdout)], [], [], 0)
        if readable:
            self._is_greeted = self._read(len(READY)) == READY
            self._has_ended = not self._is_greeted
        return self._is_greeted

    def ask(self, signatures: Signatures, numbers: Sequence[int]) -> None:
        """Ask for signatures by these keys, one for each request."""
        while self._asked and self.outstanding > _MOST_OUTSTANDING:
            self._collect_next()
        self._asked.append(signatures)
        self.outstanding += len(numbers)
        self._write(
            b"".join(
                [
                    bytes((number,)) + hashlib.sha256(request.octets).digest()
                    for number, request in zip(numbers, signatures.requests, strict=True)
                ]
            )
        )

    def collect(self, signatures: Signatures) -> None:
        """Read answers until these signatures are there, or the process has ended."""
        while signatures.signed is None and self._asked and not self._has_ended:
            self._collect_next()

    def _collect_next(self) -> None:
        signatures = self._asked.popleft()
        self.outstanding -= len(signatures.requests)
        signed = []
        for _ in signatures.requests:
            length = int.from_bytes(self._read(2), "big")
            signed.append(base64.b64encode(self._read(length)))
        if not self._has_ended:
            signatures.signed = signed

    def _read(self, length: int) -> bytes:
        octets = b"" if self._has_ended else self._pipe(self._process.stdout).read(length)
        self._has_ended = self._has_ended or len(octets) < length
        return octets

    def _write(self, octets: bytes) -> None:
        try:
            pipe = self._pipe(self._process.stdin)
            pipe.write(octets)
            pipe.flush()
        except OSError:
            self._has_ended = True

    def end(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe(self._process.stdin).close()
        self._process.kill()
        self._process.wait()
        self._pipe(self._process.stdout).close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> Any:
        assert pipe is not None
        return pipe
