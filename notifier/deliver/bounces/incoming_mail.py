"""Incoming: a mail from outside as a tree of parts that is built within limits (RFC 5322, 2045, 2047).

Owns the parsing and the decoding of mails that strangers wrote. Whatever such a mail holds, its
tree has few levels, few parts, few and short header fields and little text, so that everything that
reads it afterwards ends soon.
"""

import re
from collections.abc import Iterator
from email.errors import MessageError
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Policy, compat32
from itertools import islice
from typing import Any

# No report says anything behind so many bytes: our own mails are shorter, and reports return no
# more than those.
LARGEST = 300_000
# How many characters of a text a regular expression may see.
SEARCHED = 20_000

_DEEPEST, _MOST_PARTS = 20, 200
_MOST_FIELDS, _LONGEST_NAME, _LONGEST_VALUE = 200, 100, 2_000
_LONGEST_TEXT, _MOST_LINES, _LONGEST_LINE = 100_000, 5_000, 2_000
_CHUNK = 8_192
# The charsets that mails are written in. Others that Python knows (punycode, idna) take quadratic
# time or fail.
_CHARSET = re.compile(
    r"(?i)(?:us-)?ascii|utf-?(?:8|16(?:le|be)?)|iso-?8859-\d{1,2}|latin-?1|iso-2022-(?:jp|kr)|windows-\d{3,4}|cp\d{3,4}"
    r"|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis"
)


class UnreadableMailError(Exception):
    """A mail that is built to break who reads it; the text says which limit it exceeds, and nothing that it holds."""


class Part(Message):
    """A part of a mail. Fields beyond the limits are dropped where they come in."""

    _payload: Any

    def __init__(self, policy: Policy = compat32) -> None:
        super().__init__(policy)
        self.level = 0

    def attach(self, payload: Any) -> None:
        """Take a part that lies in this one.

        Raises:
            UnreadableMailError: it lies too deep.
        """
        payload.level = self.level + 1
        if payload.level > _DEEPEST:
            raise UnreadableMailError(f"its parts lie more than {_DEEPEST} levels deep")
        super().attach(payload)

    def set_raw(self, name: str, value: Any) -> None:
        """Take a header field from the parser, cut to its limits."""
        if len(self) < _MOST_FIELDS:
            super().set_raw(name[:_LONGEST_NAME], value[:_LONGEST_VALUE])

    def shorten(self) -> None:
        """Cut the text of this part and its lines: others read it by expressions of their own."""
        if isinstance(self._payload, str):
            lines = self._payload[:_LONGEST_TEXT].splitlines(keepends=True)
            self._payload = "".join(_short(line) for line in lines[:_MOST_LINES])

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """A parameter of a header field; of charsets only those that mails are written in."""
        try:
            value = super().get_param(param, failobj, header, unquote)
        except (TypeError, ValueError):  # parts of a parameter that fit no order (RFC 2231, 3)
            value = failobj
        if param != "charset":
            return value
        return value if isinstance(value, str) and _CHARSET.fullmatch(value) else "ascii"


def parsed(octets: bytes) -> Part:
    """The tree of a mail.

    Raises:
        UnreadableMailError: its parts lie too deep.
    """
    made = 0

    def part(policy: Policy = compat32) -> Part:
        nonlocal made
        made += 1
        return Part(policy)

    parser = BytesFeedParser(part, policy=compat32)
    for start in range(0, min(len(octets), LARGEST), _CHUNK):
        parser.feed(octets[start : min(start + _CHUNK, LARGEST)])
        if made > _MOST_PARTS:
            break
    message = parser.close()
    assert isinstance(message, Part)
    for inner in parts(message):
        inner.shorten()
    return message


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "\n"


def parts(message: Message, kind: str = "") -> Iterator[Part]:
    """The parts of a mail, itself the first; with a kind (``text/plain``) only those.

    A multipart mail comes before what it holds (RFC 2046, 5.1); no more than the limit are looked
    at.
    """
    for part in islice(message.walk(), _MOST_PARTS):
        if isinstance(part, Part) and kind in ("", part.get_content_type()):
            yield part


def text_of(part: Part) -> str:
    """The text of a part, decoded; of one that holds others (a status, a returned mail) their fields and texts."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = (
            _source(child) for child in islice(payload, _MOST_PARTS) if isinstance(child, Part)
        )
        return "\n\n".join(inner)[:_LONGEST_TEXT]
    octets = part.get_payload(decode=True)
    return octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""


def _source(part: Part) -> str:
    fields = "".join(f"{name}: {readable(value)}\n" for name, value in part.raw_items())
    return f"{fields}\n{text_of(part)}"


def readable(value: object) -> str:
    """A header field's value as it stands in the mail; octets outside ASCII are taken for UTF-8 (RFC 6532)."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decoded(value: object) -> str:
    """A header field's value with its encoded words decoded (RFC 2047); as it stands where that cannot be done."""
    text = str(value)[:_LONGEST_VALUE]
    try:
        words = [(word, _known(charset)) for word, charset in decode_header(text)]
        return str(make_header(words))
    except (LookupError, ValueError, MessageError):
        return readable(text)


def _known(charset: str | None) -> str | None:
    return charset if charset is None or _CHARSET.fullmatch(charset) else "us-ascii"
