"""Raised text: what a superscript means, as plain text.

Pure. ``10<sup>6</sup>`` is 10⁶; a reference mark (``71.4%<sup>9</sup>``) is no digit of the number
before it and is left out; ``1<sup>st</sup>`` is 1st. What is not raised by its look alone, such as
a chemical index (``CO<sub>2</sub>``), is joined to its word.
"""

import re

_SUPERSCRIPTS = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_TRADE_MARKS = {"tm": "™", "(tm)": "™", "sm": "℠", "(sm)": "℠", "r": "®", "(r)": "®", "(c)": "©"}

# In characters; longer raised text is text. Chosen by hand; not measured.
_LONGEST_MARK = 24
# Characters before a mark that are looked at.
LONGEST_BASE = 40

_SPACE = r"[\s\u00a0]"
# Numbers, lists and ranges of them: 1,2 or 3-5.
_NUMBERS = re.compile(rf"\d{{1,3}}(?:{_SPACE}?[,;.–−-]{_SPACE}?\d{{1,3}})*[,;]?")
_LIST = re.compile(r"[,;]")
_BRACKETED = re.compile(r"[\[(][\d\s,;.–−-]{1,20}[\])]|\[[a-z]{1,2}\]")
_SIGNED = re.compile(r"[+−–-]\d{1,3}|\d{1,2}[+−–-]")
# a; b,c. Not the letters by which French and Spanish shorten words: Mme, Dr, no, 1er.
_LETTERS = re.compile(r"[abcdfghijk](?:[,;]\s?[abcdfghijk])*")
_SIGNS = re.compile(r"[*†‡§¶#‖,;\s]+")

_LAST_WORD = re.compile(r"\S+$")
# Ten, the only number of which texts on medicine write powers: 2.5x10 or (10; not SAR10 or 110.
_TEN = re.compile(r"(?:.*[^\w.,–-]|.*[\d\W][xX]|[xX]|(?:.*[^A-Za-z\d])?[–-]|.*[⁰¹²³⁴⁵⁶⁷⁸⁹][–-])?10")
# The end of a unit of length or time, behind a number, a sign, or nothing: mg/m, 12 mm, m
_UNIT = re.compile(r"(?:.*[^A-Za-zµμ'’])?(?:[kcmndµμu]?m|s|ft)")
_ONE_LETTER = re.compile(r"(?:.*[^\w'’])?[^\W\d_]")
_WORD_END = re.compile(r".*(?:[^\W\d_]{2}|[%)\]”\"'’.,;:!?…])$", re.DOTALL)


def raised(base: str, content: str, following: str = "") -> str:
    """Return raised text as it is written in plain text; empty for a reference mark.

    Args:
        base: the text before it, at least its last forty characters.
        content: the raised text, without markup.
        following: the text behind it, at least its first character.
    """
    mark = content.strip()
    word = _LAST_WORD.search(base[-LONGEST_BASE:])
    before = word[0] if word else ""
    if not mark or len(mark) > _LONGEST_MARK:
        return content
    if before and mark.lower() in _TRADE_MARKS:
        return _TRADE_MARKS[mark.lower()]
    if _SIGNED.fullmatch(mark):
        return mark.translate(_SUPERSCRIPTS)
    if is_reference_mark(mark):
        begins_word = not before and (not base.strip() or following[:1].isalpha())
        is_number = _NUMBERS.fullmatch(mark) and (begins_word or _takes_powers(before, mark))
        return mark.translate(_SUPERSCRIPTS) if is_number else ""
    is_footnote = _LETTERS.fullmatch(mark) and _WORD_END.match(before)
    return "" if is_footnote else content


def is_reference_mark(mark: str) -> bool:
    """Return whether raised text could be a reference: numbers, numbers in brackets, or signs."""
    return bool(_NUMBERS.fullmatch(mark) or _BRACKETED.fullmatch(mark) or _SIGNS.fullmatch(mark))


def lowered(base: str, content: str, following: str) -> str:
    """Return lowered text as it is written in plain text.

    Between digits it gets the forms of its own: ``log<sub>2</sub>3`` is not log23.

    Args:
        base: the text before it.
        content: the lowered text, without markup.
        following: the text behind it.
    """
    beside_digits = base[-1:].isdigit() or following[:1].isdigit()
    mark = content.strip()
    return mark.translate(_SUBSCRIPTS) if beside_digits and mark.isdigit() else content


def _takes_powers(before: str, mark: str) -> bool:
    """Return whether a number raised behind this word is a power of it."""
    if _TEN.fullmatch(before):
        return not _LIST.search(mark)
    return mark in ("2", "3", "4") and bool(
        _UNIT.fullmatch(before) or _ONE_LETTER.fullmatch(before)
    )
