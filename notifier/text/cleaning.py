"""Text from outside, made safe to store, to compare and to print.

Owns the few forms a text takes on its way: `plain` (markup gone), `clean` (one printable line),
`fold` (what the matcher and the identity of entries compare). It knows nothing of feeds, profiles
or mails.
"""

import html
import re
import unicodedata

import nh3

from notifier.text import markup

_BLOCK = re.compile(
    r"(?i)<(?=/?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|th|table|blockquote|section|article|figure|hr)\b)"
)
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\S+")
# How an @ is written where it is not written plainly: full width, small, and in an address of the
# web.
_AT = re.compile("[@\uff20\ufe6b]|%40")
_PAPER = re.compile(
    r"(?i)\b10\.\d{4,9}/[^\s\"<>]*[^\s\"<>.,;)\]]|(?<=pubmed\.ncbi\.nlm\.nih\.gov/)\d+|\bPMID:?\s*\d{6,9}"
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# Overrides and isolates can make a line read otherwise than it is stored (Unicode UAX #9, "Trojan
# Source").
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# The control characters, and the two that part lines and paragraphs (Unicode categories Cc, Zl,
# Zp).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# A longer run of marks on one letter is no word of any language, and sorting it takes the square of
# its length (Unicode UAX #15, 13: the Stream-Safe Text Format).
_MOST_MARKS = 30
_MARKS = re.compile(r"[^\x00-\u02ff\w\s]{31,}")
# The numbers of characters end at seven digits; Python refuses to read a number of more than 4,300.
_LONG_CHARACTER_NUMBER = re.compile(r"&#(?:\d{8,}|[xX][0-9A-Fa-f]{8,});?")

# What acts on a terminal instead of standing there, or makes a line read otherwise than it is
# stored: the controls of C0 and C1 (ECMA-48) but tab and the end of a line, direction controls (UAX
# #9), separators, notes between lines, and halves of surrogate pairs.
_ACTS_ON_TERMINALS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
    "|\r(?!\n)"
)


def clean(text: str) -> str:
    """One printable line: no control characters, no text-direction overrides, no lone surrogates, single spaces."""
    if not text.isprintable():  # most texts are, and need no closer look
        text = _CONTROL.sub(
            " ", _DIRECTION.sub("", text.encode("utf-8", "replace").decode("utf-8"))
        )
    return " ".join(_with_few_marks(text).split())


def _with_few_marks(text: str) -> str:
    """The text in which no letter carries more than thirty combining marks."""
    if text.isascii():
        return text
    return _MARKS.sub(_first_marks, text)


def _first_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in run[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def storable(text: str) -> str:
    """The text without control characters (but line ends) and lone surrogates, which PostgreSQL refuses."""
    if text.isprintable():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _UNSTORABLE.sub(" ", text)


def printable(text: str, notation: str = "") -> str:
    r"""The text with a visible mark for each character that would act on a terminal; lines and tabs stay as they are.

    Args:
        text: anything, also what strangers wrote.
        notation: how a mark is written, as `str.format` fills it with the character's number:
            ``\u{:04x}`` for JSON and TOML, ``&#x{:x};`` for XML; else ``\x1b`` or ``\u202e``, for
            people.
    """
    if text.isprintable():  # most texts are
        return text

    def mark(character: re.Match[str]) -> str:
        code = ord(character[0])
        return (notation or ("\\x{:02x}" if code < 0x100 else "\\u{:04x}")).format(code)

    return _ACTS_ON_TERMINALS.sub(mark, text)


def one_printable_line(text: str) -> str:
    """The same with marks for the ends of lines and tabs as well: a cell of a table, or a line of a log."""
    return printable(text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r"))


def redacted(text: str) -> str:
    """The text without e-mail addresses: what others write into answers, reports and errors may name people.

    Every word that holds an ``@`` goes, whatever it is, because servers write addresses in many
    forms.
    """
    return _WORD.sub(lambda found: "(an address)" if _AT.search(found[0]) else found[0], text)


def plain(text: str) -> str:
    """The words of an HTML snippet on one line; scripts and styles vanish with what they hold."""
    return clean(_unescaped(_without_tags(_BLOCK.sub(" <", text)) if "<" in text else text))


def paragraphs(text: str) -> str:
    """The words of an HTML text, a line for each block of it; a text without markup keeps its own lines."""
    words = _without_tags(_BLOCK.sub("\n<", _SPACE.sub(" ", text))) if "<" in text else text
    lines = (clean(line) for line in _unescaped(words).splitlines())
    return "\n".join(line for line in lines if line)


def _without_tags(text: str) -> str:
    """The text of a markup snippet, its characters still escaped; scripts and styles vanish with what they hold."""
    text = text.replace("\x00", " ")
    # The parser keeps every element that is open: nested deep enough, a megabyte takes gigabytes of
    # memory.
    return markup.bare_text(text) if markup.is_excessive(text) else nh3.clean(text, tags=set())


def _unescaped(text: str) -> str:
    return html.unescape(_LONG_CHARACTER_NUMBER.sub("\ufffd", text))


class _Kept(dict[int, str | None]):
    """What becomes of each character in a folded text, worked out once: letters, digits and marks stay."""

    def __missing__(self, code: int) -> str | None:
        category = unicodedata.category(chr(code))
        self[code] = chr(code) if category[0] in "LNM" else None if category == "Cf" else " "
        return self[code]


_KEPT = _Kept()


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, case folded, invisible characters gone, words apart by one space.

    Returns:
        ``"the words of the text"``; letters, digits and combining marks of every script survive,
        all else parts words.
    """
    return " ".join(
        unicodedata.normalize("NFKC", _with_few_marks(text)).casefold().translate(_KEPT).split()
    )


def paper_ids(text: str) -> list[str]:
    """The papers that a text names, each once: DOIs (``10.…``) and PubMed numbers, in lower case."""
    found = (paper.lower().removeprefix("pmid").lstrip(": ") for paper in _PAPER.findall(text))
    return list(dict.fromkeys(found))


def xml_text(text: str) -> str:
    """The text without the characters that no XML document may hold (XML 1.0, 2.2)."""
    return _NOT_XML.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def right_to_left(text: str) -> bool:
    """Whether a text begins in a script that runs from right to left: its first strong letter says so (UAX #9, P2)."""
    strong = (
        kind for char in text if (kind := unicodedata.bidirectional(char)) in ("L", "R", "AL")
    )
    return next(strong, "L") != "L"


def shorten(text: str, limit: int) -> str:
    """The text, cut at a word and ended by an ellipsis where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,;:–-") + "…"
