"""Text from outside, made safe to store, to compare and to print.

Owns the forms of a text: `plain` (without markup), `clean` (one printable line), `storable` (for
the database), `printable` (for a terminal), `fold` (for comparisons). It knows nothing of feeds,
profiles or mails.
"""

import re
import unicodedata

from notifier.text.visible import visible

_WORD = re.compile(r"\S+")
# The @ in all its forms: ASCII, full width, small, and percent-encoded in a URL.
_AT = re.compile("[@\uff20\ufe6b]|%40")
_PAPER = re.compile(
    r"(?i)\b10\.\d{4,9}/[^\s\"<>]*[^\s\"<>.,;)\]]"
    r"|(?<=pubmed\.ncbi\.nlm\.nih\.gov/)\d+|\bPMID:?\s*\d{6,9}"
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Overrides and isolates can make a line look different from what it is (Unicode UAX #9; "Trojan
# Source", CVE-2021-42574).
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# The control characters, and the separators of lines and paragraphs (Unicode categories Cc, Zl,
# Zp).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# No language has more combining marks on one letter, and the time for normalizing grows with the
# square of their number (Unicode UAX #15, 13: the Stream-Safe Text Format).
_MOST_MARKS = 30
_MARKS = re.compile(r"[^\x00-\u02ff\w\s]{31,}")

# Characters that act on a terminal instead of being shown, or make a line look different from what
# it is: the controls of C0 and C1 (ECMA-48) except tab and the end of a line, direction controls
# (UAX #9), separators, interlinear annotations, and halves of surrogate pairs.
_ACTS_ON_TERMINALS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]|\r(?!\n)"
)


def clean(text: str) -> str:
    """Return the text as one printable line.

    Control characters, direction overrides and lone surrogates are removed; spaces are single.
    """
    if not text.isprintable():  # most texts are, and need no further check
        text = _CONTROL.sub(
            " ", _DIRECTION.sub("", text.encode("utf-8", "replace").decode("utf-8"))
        )
    return " ".join(_with_few_marks(text).split())


def _with_few_marks(text: str) -> str:
    """Return the text with at most thirty combining marks on a letter."""
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
    """Return the text without what PostgreSQL refuses.

    These are control characters (except line ends) and lone surrogates.
    """
    if text.isprintable():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _UNSTORABLE.sub(" ", text)


def printable(text: str, notation: str = "") -> str:
    r"""Return the text with an escape for each character that would act on a terminal.

    Line ends and tabs stay as they are.

    Args:
        text: any text, also from strangers.
        notation: a format string for the escape, filled with the character's number: ``\u{:04x}``
            for JSON and TOML, ``&#x{:x};`` for XML; if empty, ``\x1b`` or ``\u202e``, for people.
    """
    if text.isprintable():  # most texts are
        return text

    def escape(character: re.Match[str]) -> str:
        code = ord(character[0])
        return (notation or ("\\x{:02x}" if code < 0x100 else "\\u{:04x}")).format(code)

    return _ACTS_ON_TERMINALS.sub(escape, text)


def one_printable_line(text: str) -> str:
    """Return the text like `printable`, with escapes for line ends and tabs as well.

    It is for a cell of a table or a line of a log.
    """
    return printable(text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r"))


def redacted(text: str) -> str:
    """Return the text without e-mail addresses: answers, reports and errors may name people.

    Each word with an ``@`` is replaced by ``(an address)``, whatever it is, because servers write
    addresses in many forms.
    """
    return _WORD.sub(lambda word: "(an address)" if _AT.search(word[0]) else word[0], text)


def plain(text: str) -> str:
    """Return the text of an HTML snippet on one line, without scripts and styles."""
    return clean(visible(text))


def paragraphs(text: str) -> str:
    """Return the text of HTML with a line for each block.

    A text without markup keeps its own lines.
    """
    return lines(visible(text))


def lines(text: str) -> str:
    """Return a plain text with its lines made printable, without empty ones."""
    return "\n".join(line for part in text.splitlines() if (line := clean(part)))


class _FoldedCharacters(dict[int, str | None]):
    """The replacement of each character in a folded text, computed once.

    Letters, digits and marks stay, invisible characters are removed, all others become a space.
    """

    def __missing__(self, code: int) -> str | None:
        category = unicodedata.category(chr(code))
        self[code] = chr(code) if category[0] in "LNM" else None if category == "Cf" else " "
        return self[code]


_FOLDED_CHARACTERS = _FoldedCharacters()


def fold(text: str) -> str:
    """Return the form in which texts are compared.

    It is normalized (NFKC) and case folded; invisible characters are removed; letters, digits and
    combining marks of every script stay, everything else separates words.

    Returns:
        ``"the words of the text"``, separated by single spaces.
    """
    return fold_normal(normal_form(text))


def normal_form(text: str) -> str:
    """Return the text in the normal form NFKC, with at most thirty marks on a letter."""
    return unicodedata.normalize("NFKC", _with_few_marks(text))


def fold_normal(normal: str) -> str:
    """Return the folded form of a text that is in the form of `normal_form` already."""
    return " ".join(normal.casefold().translate(_FOLDED_CHARACTERS).split())


def paper_ids(text: str) -> list[str]:
    """Return the papers that a text names, each once.

    Returns:
        DOIs (``10.…``) and PubMed numbers, in lower case.
    """
    ids = (paper.lower().removeprefix("pmid").lstrip(": ") for paper in _PAPER.findall(text))
    return list(dict.fromkeys(ids))


def xml_text(text: str) -> str:
    """Return the text without the characters that XML does not allow (XML 1.0, 2.2)."""
    return _NOT_XML.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def right_to_left(text: str) -> bool:
    """Tell whether a text runs from right to left; its first strong letter decides (UAX #9, P2)."""
    strong = (
        kind for char in text if (kind := unicodedata.bidirectional(char)) in ("L", "R", "AL")
    )
    return next(strong, "L") != "L"


def shorten(text: str, limit: int) -> str:
    """Return the text with at most `limit` characters, cut at a word and ended by an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,;:–-") + "…"
