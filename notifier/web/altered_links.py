"""Altered links: the path that a mail program or gateway made of a link, and the path that it had.

Owns what is taken off: signs that stood behind the link in a text, percent signs and
quoted-printable (RFC 2045, 6.7) that were not decoded or were encoded twice, HTML entities, line
ends, characters that nobody sees, slashes too many, and another case of the words. A signed path is
replaced only by one whose signature is right, so nothing that is not ours gets in by it. Characters
that were lost, and another case of the signed part, cannot be mended.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from notifier.links import SIGNATURE_LENGTH, Purpose

# Whether the signed part of a path was made here, for this purpose.
IsGenuine = Callable[[Purpose, str], bool]

# Characters of a path that are read: the longest of ours have about 120. Chosen by hand.
_LONGEST = 2_000
# So often a path is decoded: some gateways encode what is encoded already.
_MOST_DECODINGS = 3
_SOFT_BREAK = re.compile(r"=[ \t]*\r?\n")
_ENCODED = re.compile(r"=([0-9A-Fa-f]{2})")
_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
_SIGNED_PATH = re.compile(rf"/({'|'.join(Purpose)})/(.*)", _FLAGS)
_NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9._-]+")
_TOKEN = re.compile(rf"([A-Za-z0-9_-]+)\.+([A-Za-z0-9_-]{{{SIGNATURE_LENGTH}}})")
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")
# Pages without a signature, with the signs behind them. A key has 16 to 32 characters; older mails
# name a digest by its number.
_OPEN_PATH = re.compile(
    r"/+(?:(archive)/+([A-Za-z0-9_-]{1,32})|(feeds)/+([a-z0-9-]{1,100}\.atom))(?:/*|[^\w%\0/-].*)"
    r"|/+(archive|link)[^\w/%\0-]*",
    _FLAGS,
)


def path_of(path: str, is_genuine: IsGenuine) -> str:
    """Return the path of one of our links as it was made, for one that may have been altered.

    Args:
        path: the path of a request, decoded once.
        is_genuine: tells whether a token was signed here for a purpose.

    Returns:
        The same path if it is none of ours, or cannot be mended.
    """
    if len(path) > _LONGEST:
        return path
    for reading in _readings(path):
        signed = _SIGNED_PATH.search(reading)
        if signed is None:
            continue
        purpose = Purpose(signed[1].lower())
        token = _TOKEN.match(_NOT_IN_A_TOKEN.sub("", signed[2]).lstrip("."))
        if token is not None and is_genuine(purpose, f"{token[1]}.{token[2]}"):
            return f"/{purpose}/{token[1]}.{token[2]}"
    return _open_path(path)


def _readings(path: str) -> Iterator[str]:
    """Yield the texts that a path may have been, without and with quoted-printable."""
    text = path
    for _ in range(_MOST_DECODINGS):
        text = unquote(text)
    text = unescape(text)
    yield _INVISIBLE.sub("", text)
    if "=" in text:
        text = _ENCODED.sub(lambda code: chr(int(code[1], 16)), _SOFT_BREAK.sub("", text))
        yield _INVISIBLE.sub("", text)


def _open_path(path: str) -> str:
    """Return the path of an archive page, a feed or a form without what follows it."""
    open_path = _OPEN_PATH.fullmatch(_INVISIBLE.sub("", unquote(path)))
    if open_path is None:
        return path
    parts = [part for part in open_path.groups() if part]
    return "/" + "/".join([parts[0].lower(), *parts[1:]])


class AlteredLinks:
    """A middleware that finds the page of an altered link.

    It answers at once instead of redirecting: a redirect would repeat the link in a header.

    Args:
        app: the application behind it.
        is_genuine: as in `path_of`.
    """

    def __init__(self, app: ASGIApp, is_genuine: IsGenuine) -> None:
        self._app = app
        self._is_genuine = is_genuine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, under the path that its link had."""
        if scope["type"] == "http":
            path = path_of(scope["path"], self._is_genuine)
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
        await self._app(scope, receive, send)
