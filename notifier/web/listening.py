"""The address to listen on: tried before anything is started, and refused with the fix.

Owns the words about a port that is taken, too low, or not of this machine. What listens is not
known here.
"""

import errno
import socket

from notifier.errors import InputError

_REASONS = {
    errno.EADDRINUSE: (
        "is in use by another program",
        "Give another port with --port (web.port), or end that program; to find it: ss -ltnp",
    ),
    errno.EACCES: (
        "may not be used by you: ports below 1024 belong to the system",
        "Give a port such as 8000 with --port (web.port), and put a web server in front of it.",
    ),
    errno.EADDRNOTAVAIL: (
        "is no address of this machine",
        "Give 127.0.0.1 for this machine alone, 0.0.0.0 for all its addresses, or one of them.",
    ),
}


def require_free(host: str, port: int) -> None:
    """Refuse an address on which no server can listen now.

    Args:
        host: a name or an IP address.
        port: 0 for any free one.

    Raises:
        InputError: why not, and what to do.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"{host!r} is no name or address of a machine.",
            "Give an address of this machine, such as 127.0.0.1, with --host (web.host).",
        ) from error
    family, kind, protocol, _, address = addresses[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            reason, fix = _REASONS.get(
                error.errno or 0, (f"cannot be listened on: {error.strerror}", "Give another one.")
            )
            raise InputError(f"{host}:{port} {reason}.", fix) from error
