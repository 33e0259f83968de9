"""Character references, and bytes, that name no character: repaired, so that the rest is read.

Pure. XML ends at a reference such as ``&#55357;`` or ``&#0;`` (XML 1.0, 4.1, "Legal Character"),
and with it the whole document. Programs that count in UTF-16 write an emoji as two of them, the
halves of a surrogate pair: together they are that character.
"""

import re

# References that may name no character: controls, surrogates, non-characters, too large numbers.
# Zeros before a number are bounded, so that the search takes linear time.
_DOUBTFUL = (
    r"&#(?:0{0,8}(?:[0-9]|[12][0-9]|3[01]|5[5-7][0-9]{3}|6553[45]|[0-9]{7,20})"
    r"|[xX]0{0,8}(?:1?[0-9A-Fa-f]|[dD][89A-Fa-f][0-9A-Fa-f]{2}|[fF]{3}[eEfF]|[0-9A-Fa-f]{6,20}));"
)
_RUN = re.compile(f"(?:{_DOUBTFUL})+")
_NUMBER = re.compile(r"&#(?:([0-9]+)|[xX]([0-9A-Fa-f]+));")

# Control characters that XML does not allow, as bytes of UTF-8.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_NO_CONTROLS = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
# A character of UTF-16 whose two halves were each written in UTF-8 (CESU-8, Unicode report 26).
_HALVES = re.compile(rb"\xed([\xa0-\xaf][\x80-\xbf])\xed([\xb0-\xbf][\x80-\xbf])")


def repaired(text: str) -> str:
    """Return a text of XML or HTML whose numeric references all name a character.

    The two halves of a character become one reference, a half alone becomes U+FFFD (the
    replacement character), a control character becomes a space.
    """
    return _RUN.sub(_repaired_run, text) if "&#" in text else text


def repaired_bytes(body: bytes) -> bytes:
    """Return a document in UTF-8 in which every reference and every control names a character."""
    if b"&#" in body:
        body = repaired(body.decode("latin-1")).encode("latin-1")
    return body.translate(_NO_CONTROLS)


def joined_halves(body: bytes) -> bytes:
    """Return a document without characters that are written as two halves in UTF-8 (CESU-8)."""
    return _HALVES.sub(_joined, body) if b"\xed" in body else body


def _repaired_run(run: re.Match[str]) -> str:
    """Return a run of doubtful references, in which halves may stand side by side."""
    written: list[int] = []
    for digits, hexadecimal in _NUMBER.findall(run[0]):
        number = int(digits) if digits else int(hexadecimal, 16)
        if written and 0xD800 <= written[-1] <= 0xDBFF and 0xDC00 <= number <= 0xDFFF:
            written[-1] = _character(written[-1], number)
        else:
            written.append(number)
    return "".join(map(_reference, written))


def _character(high: int, low: int) -> int:
    """Return the character of a surrogate pair (Unicode 3.9, D91)."""
    return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00


def _reference(number: int) -> str:
    if number < 32 and number not in (9, 10, 13):
        return " "
    is_none = number > 0x10FFFF or 0xD800 <= number <= 0xDFFF or number in (0xFFFE, 0xFFFF)
    return f"&#{0xFFFD if is_none else number};"


def _joined(pair: re.Match[bytes]) -> bytes:
    halves = [0xD000 | (half[0] & 0x3F) << 6 | half[1] & 0x3F for half in (pair[1], pair[2])]
    return chr(_character(*halves)).encode()
