"""A name server on loopback, by UDP and TCP, with the records and faults that a test chooses."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

# The longest answer by UDP without an extension (RFC 1035, 4.2.1).
_LONGEST = 512


@dataclass
class Zone:
    """The records of all domains.

    Attributes:
        records: by name and type; texts as they are, other records in the form of a zone file.
        broken: names for which it answers SERVFAIL.
        silent: whether it does not answer at all.
        asked: the names and types that were asked for.
    """

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: bool = False
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The value of `--dns`."""
        return f"127.0.0.1:{self.port}"

    def answer(self, octets: bytes, longest: int = 65_535) -> bytes:
        """Return the answer to a question, cut if it is too long."""
        question = dns.message.from_wire(octets)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower() or "."
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(question)
        response.flags |= dns.flags.RA
        texts = self.records.get((name, kind), [])
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif texts:
            written = [_quoted(text) if kind == "TXT" else text for text in texts]
            response.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *written))
        elif name != "." and not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        wire = response.to_wire()
        if len(wire) > longest:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire


def _quoted(text: str) -> str:
    """Return a text as strings of at most 200 characters, in quotation marks."""
    pieces = [text[start : start + 200] for start in range(0, len(text), 200)] or [""]
    return " ".join(f'"{piece}"' for piece in pieces)


def _serve_udp(zone: Zone, sock: socket.socket) -> None:
    with suppress(OSError):
        while True:
            octets, peer = sock.recvfrom(4096)
            if not octets:  # the socket is shut down
                return
            if not zone.silent:
                sock.sendto(zone.answer(octets, _LONGEST), peer)


def _serve_tcp(zone: Zone, listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            sock, _ = listener.accept()
            with sock, sock.makefile("rb") as stream:
                (length,) = struct.unpack("!H", stream.read(2))
                wire = zone.answer(stream.read(length))
                sock.sendall(struct.pack("!H", len(wire)) + wire)


@contextmanager
def running() -> Iterator[Zone]:
    """Start a name server without records on a free port, and stop it at the end."""
    zone = Zone()
    listener = socket.create_server(("127.0.0.1", 0))
    zone.port = listener.getsockname()[1]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", zone.port))
    threads = [
        threading.Thread(target=_serve_udp, args=(zone, datagrams), daemon=True),
        threading.Thread(target=_serve_tcp, args=(zone, listener), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield zone
    finally:
        with suppress(OSError):
            datagrams.shutdown(socket.SHUT_RDWR)
        datagrams.close()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(5)
