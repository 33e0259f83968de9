"""Header fields: a text of any script becomes the lines of a header (RFC 5322, 2.2.3; RFC 2047).

Owns the encoding, because the standard library's differs between versions of Python: some glue the
words of a long text together, or lose the spaces at a line end. Words of plain ASCII stay as they
are; neighbours that need encoding are encoded together, with the spaces between them: a space
between two encoded words does not count (RFC 2047, 6.2). It must not know what a header means.
"""

import re
from base64 import b64encode
from itertools import groupby

# Characters of a line with an encoded word, and of an encoded word (RFC 2047, 2). Other lines are
# folded to the same length, below the 78 of RFC 5322, 2.1.1.
_LONGEST_LINE, _LONGEST_WORD = 76, 75
# Characters of a plain word, which may stand beside a header's name, or in quotation marks.
_LONGEST_PLAIN = 60
_FRAME = len("=?utf-8?q??=")
# Printable ASCII, as it stands.
_PLAIN = re.compile(r"[ -~]*")
# Atoms, which need no quotation marks in a phrase (RFC 5322, 3.2.3).
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
# The octets that the encoding Q leaves as they are, also in a phrase (RFC 2047, 5 (3)).
_UNCHANGED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_SPACE = 0x20
# Signs that belong to the character before them: an accent, a variant, a tint, a joint.
_CONTINUES = re.compile(r"[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_JOINT = "\u200d"
# So many signs of one character are kept together: they fit into one encoded word.
_MOST_SIGNS = 5


def text_field(name: str, text: str) -> str:
    """Return a header with an unstructured text: ``Subject``.

    Args:
        name: of the header.
        text: one line without control characters.

    Returns:
        ASCII lines that end with CRLF.
    """
    return _fold(name, _words(text, len(name) + 2, _PLAIN))


def address_field(name: str, phrase: str, address: str) -> str:
    """Return a header with one address: ``From``, ``Reply-To``.

    Args:
        name: of the header.
        phrase: the name of whose address it is; may be empty.
        address: ASCII.
    """
    if not phrase:
        return f"{name}: {address}\r\n"
    if _ATOMS.fullmatch(phrase) or not _is_plain(phrase):
        words = _words(phrase, len(name) + 2, _ATOMS)
    else:
        escaped = re.sub(r'(["\\])', r"\\\1", phrase)
        words = f'"{escaped}"'.split(" ")
    return _fold(name, [*words, f"<{address}>"])


def _is_plain(text: str) -> bool:
    """Return whether a text needs no encoding; a word too long for a line is encoded."""
    return all(_needs_no_code(word, _PLAIN) for word in text.split(" "))


def _needs_no_code(word: str, plain: re.Pattern[str]) -> bool:
    return len(word) <= _LONGEST_PLAIN and "=?" not in word and bool(plain.fullmatch(word))


def _words(text: str, used: int, plain: re.Pattern[str]) -> list[str]:
    """Return the words of a text, those that are not `plain` encoded together with neighbours."""
    words: list[str] = []
    for needs_none, group in groupby(text.split(" "), lambda word: _needs_no_code(word, plain)):
        if needs_none:
            words += group
        else:
            words += _encoded_words(" ".join(group), 0 if words else used)
    return words


def _fold(name: str, words: list[str]) -> str:
    """Return a header whose words are divided by one space, or by a line end and one space.

    No line but the first begins with an empty word: a line of spaces alone may be removed on the
    way.
    """
    lines, line = [], f"{name}:"
    for word in words:
        if word and len(line) + 1 + len(word) > _LONGEST_LINE and line.strip(" ") != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _encoded_words(text: str, used: int) -> list[str]:
    """Return a text as encoded words, the first of which leaves room for the header's name."""
    quoted = sum(1 if octet in _UNCHANGED or octet == _SPACE else 3 for octet in text.encode())
    is_short = quoted <= -(-len(text.encode()) // 3) * 4
    encode = _q if is_short else _b
    words: list[str] = []
    piece = ""
    room = min(_LONGEST_WORD, _LONGEST_LINE - used)
    for character in _characters(text):
        while piece and _FRAME + len(encode(piece + character)) > room:
            # After a space if there is one: some readers show a space between encoded words. What
            # follows it may be too long for a word with the next character, too.
            whole, space, rest = piece.rpartition(" ")
            words.append(f"{whole}{space}" or piece)
            piece, room = rest if space else "", _LONGEST_WORD
        piece += character
    words.append(piece)
    letter = "q" if is_short else "b"
    return [f"=?utf-8?{letter}?{encode(word)}?=" for word in words]


def _characters(text: str) -> list[str]:
    """Return the characters of a text, each with the signs that belong to it."""
    characters: list[str] = []
    for sign in text:
        joins = characters and len(characters[-1]) < _MOST_SIGNS
        if joins and (_CONTINUES.match(sign) or characters[-1].endswith(_JOINT)):
            characters[-1] += sign
        else:
            characters.append(sign)
    return characters


def _q(text: str) -> str:
    return "".join(
        "_" if octet == _SPACE else chr(octet) if octet in _UNCHANGED else f"={octet:02X}"
        for octet in text.encode()
    )


def _b(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
