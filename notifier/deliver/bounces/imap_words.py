"""Words on an IMAP connection, also beyond ASCII: the name of a folder, and a log-in.

Pure. The library sends commands in ASCII and fails at any other letter.
"""

import base64
import re

_BEYOND_ASCII = re.compile(r"([^\x20-\x7e]+)")


def plain_log_in(user: str, password: str) -> bytes:
    """Return the message of the log-in PLAIN, in UTF-8 (RFC 4616, 2)."""
    return f"\0{user}\0{password}".encode()


def quoted_folder(name: str) -> str:
    """Return the name of a folder as a quoted string, in modified UTF-7 (RFC 3501, 5.1.3).

    A name of ASCII alone stays: its author may have encoded it already.
    """
    if not name.isascii():
        pieces = _BEYOND_ASCII.split(name)
        pieces[0::2] = [piece.replace("&", "&-") for piece in pieces[0::2]]
        pieces[1::2] = [_encoded(piece) for piece in pieces[1::2]]
        name = "".join(pieces)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(letters: str) -> str:
    encoded = base64.b64encode(letters.encode("utf-16-be"), altchars=b"+,")
    return f"&{encoded.decode('ascii').rstrip('=')}-"
