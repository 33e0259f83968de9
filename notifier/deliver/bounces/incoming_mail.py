"""Incoming mails: a mail from a stranger as a tree of parts within limits (RFC 5322, 2045, 2047).

Whatever such a mail holds, its tree has few levels, few parts, few and short header fields and
little text, so that everything that reads it afterwards ends soon.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Policy, compat32
from itertools import islice
from typing import Any

from notifier.text.visible import visible

# The bytes of a mail that are parsed: our own mails are shorter, and reports return no more than
# those. Chosen by hand; not measured.
LARGEST = 300_000
# The characters of a text that a regular expression may read. Chosen by hand; not measured.
SEARCHED = 20_000

# The limits of the tree of parts, of header fields, and of the text of a part, in levels, parts,
# fields, lines and characters: far above those of real reports. Chosen by hand; not measured.
_DEEPEST, _MOST_PARTS = 20, 200
_MOST_FIELDS, _LONGEST_NAME, _LONGEST_VALUE = 200, 100, 2_000
_LONGEST_TEXT, _MOST_LINES, _LONGEST_LINE = 100_000, 5_000, 2_000
_CHUNK = 8_192
# The elements of a page that show no text, as they begin and end.
_UNSEEN = (("<!--", "-->"), ("<style", "</style>"), ("<script", "</script>"), ("<head", "</head>"))
# Charsets of seven bits, whose texts could be taken for UTF-8, and of two bytes.
_NOT_LIKE_ASCII = re.compile(r"(?i)iso-2022|utf-?16")
# The charsets that mails are written in. Others that Python knows (punycode, idna) take quadratic
# time or fail.
_CHARSET = re.compile(
    r"(?i)(?:us-)?ascii|utf-?(?:8|16(?:le|be)?)|iso-?8859-\d{1,2}|latin-?1|iso-2022-(?:jp|kr)"
    r"|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis"
)


class UnreadableMailError(Exception):
    """A mail that exceeds a limit. The message names the limit, and nothing that the mail holds."""


class Part(Message):
    """A part of a mail. Header fields beyond the limits are dropped while it is parsed."""

    _payload: Any

    def __init__(self, policy: Policy = compat32) -> None:
        super().__init__(policy)
        self.level = 0

    def attach(self, payload: Any) -> None:
        """Add a part inside this one.

        Raises:
            UnreadableMailError: the part is on too deep a level.
        """
        payload.level = self.level + 1
        if payload.level > _DEEPEST:
            raise UnreadableMailError(f"its parts are nested more than {_DEEPEST} levels deep")
        super().attach(payload)

    def set_raw(self, name: str, value: Any) -> None:
        """Add a header field from the parser, cut to its limits."""
        if len(self) < _MOST_FIELDS:
            super().set_raw(name[:_LONGEST_NAME], value[:_LONGEST_VALUE])

    def shorten(self) -> None:
        """Cut the text of this part and its lines: libraries read it with their own expressions."""
        if isinstance(self._payload, str):
            lines = self._payload[:_LONGEST_TEXT].splitlines(keepends=True)
            self._payload = "".join(_short(line) for line in lines[:_MOST_LINES])

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """Return a parameter of a header field; an unusual charset is returned as ``ascii``."""
        try:
            value = super().get_param(param, failobj, header, unquote)
        except (TypeError, ValueError):  # the pieces of a parameter have no order (RFC 2231, 3)
            value = failobj
        if param != "charset":
            return value
        return value if isinstance(value, str) and _CHARSET.fullmatch(value) else "ascii"


def parse_mail(octets: bytes) -> Part:
    """Return the tree of parts of a mail.

    Raises:
        UnreadableMailError: the parts are nested too deep.
    """
    part_count = 0

    def new_part(policy: Policy = compat32) -> Part:
        nonlocal part_count
        part_count += 1
        return Part(policy)

    parser = BytesFeedParser(new_part, policy=compat32)
    for start in range(0, min(len(octets), LARGEST), _CHUNK):
        parser.feed(octets[start : min(start + _CHUNK, LARGEST)])
        if part_count > _MOST_PARTS:
            break
    message = parser.close()
    assert isinstance(message, Part)
    for part in parts_of(message):
        part.shorten()
    return message


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "\n"


def parts_of(message: Message, content_type: str = "") -> Iterator[Part]:
    """Yield the parts of a mail, itself first, up to the limit.

    A multipart part comes before the parts that it holds (RFC 2046, 5.1).

    Args:
        message: the mail.
        content_type: yield only parts of this type, for example ``text/plain``.
    """
    for part in islice(message.walk(), _MOST_PARTS):
        if isinstance(part, Part) and content_type in ("", part.get_content_type()):
            yield part


def outer_parts_of(message: Message) -> Iterator[Part]:
    """Yield the parts of a mail, itself first, without those inside a mail that it holds."""
    waiting: list[object] = [message]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        if not isinstance(part, Part):
            continue
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting.extend(inner[_MOST_PARTS::-1])


def text_of(part: Part) -> str:
    """Return the decoded text of a part.

    The text of a part that holds others (a status, a returned mail) is their fields and texts.
    """
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = (
            _source(child) for child in islice(payload, _MOST_PARTS) if isinstance(child, Part)
        )
        text = "\n\n".join(inner)[:_LONGEST_TEXT]
        return _transferred(part, text) if part.get_content_maintype() == "message" else text
    octets = part.get_payload(decode=True)
    return _decoded(part, octets) if isinstance(octets, bytes) else ""


def is_encoded(part: Part) -> bool:
    """Return whether the text of a part stands in base64 or quoted-printable in the mail."""
    return _encoding(part) in ("base64", "quoted-printable")


def _encoding(part: Part) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()


def _transferred(part: Part, text: str) -> str:
    """Return the text of a part that is a mail or a status, but was encoded as a whole.

    RFC 2046 forbids this, and gateways do it; RFC 6532 allows it for `message/global`.
    """
    if not is_encoded(part):
        return text
    octets = text.encode("utf-8", "replace")
    if _encoding(part) == "quoted-printable":
        return quopri.decodestring(octets).decode("utf-8", "replace")
    try:
        return binascii.a2b_base64(octets).decode("utf-8", "replace")
    except ValueError:
        return text


def _decoded(part: Part, octets: bytes) -> str:
    """Decode a text: as UTF-8 if it is, otherwise by its charset."""
    charset = str(part.get_param("charset"))
    try:
        if _NOT_LIKE_ASCII.match(charset):
            return octets.decode(charset, "replace")
        return octets.decode("utf-8")
    except (LookupError, ValueError):
        pass
    try:
        return octets.decode("utf-8" if charset == "ascii" else charset, "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def seen_text(page: str) -> str:
    """Return the text that a reader sees of an HTML page, cut to a limited length."""
    for opening, closing in _UNSEEN:
        page = _without(page, opening, closing)
    return visible(page[:_LONGEST_TEXT])


def _without(page: str, opening: str, closing: str) -> str:
    lower, kept, end = page.lower(), [], 0
    if len(lower) != len(page):  # a few letters are longer in lower case
        return page
    while (start := lower.find(opening, end)) >= 0:
        if (closed := lower.find(closing, start)) < 0:
            break
        kept.append(page[end:start])
        end = closed + len(closing)
    return "".join(kept) + page[end:]


def _source(part: Part) -> str:
    fields = "".join(f"{name}: {header_text(value)}\n" for name, value in part.raw_items())
    return f"{fields}\n{text_of(part)}"


def header_text(value: object) -> str:
    """Return the value of a header field, not decoded; bytes outside ASCII are UTF-8 (RFC 6532)."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decoded_field(message: Part, name: str) -> str:
    """Return the first header field of a name; empty if there is none.

    Encoded words are decoded (RFC 2047), if possible; bytes outside ASCII are UTF-8 (RFC 6532).
    """
    values = (value for given, value in message.raw_items() if given.lower() == name.lower())
    text = header_text(next(values, ""))[:_LONGEST_VALUE]
    if "=?" not in text:
        return text
    try:
        words = [(_plain(word, charset), _usual(charset)) for word, charset in decode_header(text)]
        return str(make_header(words))
    except (LookupError, ValueError, MessageError):
        return text


def _plain(word: bytes | str, charset: str | None) -> bytes | str:
    """Return what stands between encoded words as text: the library returns it escaped."""
    if charset is None and isinstance(word, bytes):
        return word.decode("raw-unicode-escape", "replace")
    return word


def _usual(charset: str | None) -> str | None:
    return charset if charset is None or _CHARSET.fullmatch(charset) else "us-ascii"
