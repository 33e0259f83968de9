"""The character encoding of documents: bytes in, text out.

Pure. Owns which encoding is believed. The order of RFC 7303 and of the HTML standard (the header,
then the document itself) is right only while servers tell the truth; bytes that are valid UTF-8 are
UTF-8 whatever a header says, because text in another encoding is almost never valid UTF-8 by
chance. It knows no format but the places in which a document names its encoding.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from itertools import islice

import chardet

UTF_8 = "utf-8"
# The header in which the encoding stands, and the value under which `as_utf_8` passes a document
# on.
_CONTENT_TYPE, _UTF_8_TYPE = "content-type", "charset=utf-8"

_IN_HEADER = re.compile(r"(?i)charset\s*=\s*[\"']?\s*([\w.:-]+)")
_XML_DECLARATION = re.compile(rb"^\s*<\?xml\b[^<>]{0,300}?\sencoding\s*=\s*[\"']([\w.:-]+)[\"']")
_META = re.compile(rb"(?i)<meta\b[^<>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]+)")
# Bytes at the beginning in which a page must name its encoding: the HTML standard (13.2.3.2) says
# 1,024; many pages name it later. Chosen by hand; not measured.
_PRESCAN = 4_096

# Byte order marks, the longest first (Unicode 15, 23.8).
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A tag in UTF-32 or UTF-16 without a byte order mark (XML 1.0, appendix F.1).
_BARE = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
# Encodings of which each document is ASCII by its bytes, and so valid UTF-8, too.
_SEVEN_BITS = ("iso2022_jp", "iso2022_kr", "hz")
# Encodings whose names are used for larger ones (Encoding standard, 4.2).
_LARGER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-8-sig": UTF_8,
}
# Labels of the same standard that Python does not know.
_OTHER_LABELS = {
    label: name
    for name, labels in {
        UTF_8: "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
        "iso8859-2": "iso88592", "iso8859-5": "iso88595", "iso8859-7": "sun_eu_greek",
        "iso8859-6": "iso-8859-6-e iso-8859-6-i",
        "iso8859-8": "iso-8859-8-e iso-8859-8-i csiso88598i visual logical",
        "koi8-r": "koi koi8", "koi8-u": "koi8-ru", "mac-roman": "mac x-mac-roman",
        "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian", "cp874": "dos-874 windows-874",
        "cp1250": "x-cp1250", "cp1251": "x-cp1251", "cp1252": "x-cp1252", "cp1253": "x-cp1253",
        "cp1254": "x-cp1254", "cp1255": "x-cp1255", "cp1256": "x-cp1256", "cp1257": "x-cp1257",
        "cp1258": "x-cp1258", "cp932": "x-sjis windows-31j",
        "euc_jp": "x-euc-jp cseucpkdfmtjapanese",
        "gb18030": "x-gbk csgb2312 gb_2312 gb_2312-80", "big5": "x-big5 cn-big5 x-x-big5",
        "cp949": "windows-949 cseuckr csksc56011987 iso-ir-149 ks_c_5601-1989 ksc_5601",
    }.items()
    for label in labels.split()
}  # fmt: skip
# The encoding that many servers name for every document, and that fits any bytes.
_SERVERS_DEFAULT = "cp1252"
# The encodings of the Encoding standard (4.2) by their names in Python; it has further codecs, some
# of which are no character encodings.
_ENCODINGS = re.compile(
    r"utf-8|iso8859-\d\d?|cp(?:125\d|866|874|932|949)|koi8-[ru]|mac-(?:roman|cyrillic)"
    r"|gb18030|big5hkscs|euc_jp|iso2022_(?:jp|kr)|hz"
)

_SEQUENCES = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_BREAKS = re.compile("\ufffd+")
# The bytes 80 to 9F as cp1252 shows them, and back. Five of them are no character there; programs
# keep these as control characters, so that “…” becomes "â€œ…â€\x9d" (Encoding standard, 9).
_SHOWN = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
_TO_LATIN_1 = {ord(char): byte for byte, char in _SHOWN.items() if char}
# The beginning of a letter that was encoded twice, and the markup between the texts of a document.
_ENCODED_TWICE = re.compile(f"[\xc2-\xf4][\x80-\xbf{''.join(_SHOWN.values())}]")
_MARKUP = re.compile("(<[^<>]*>)")
# A document with broken bytes is UTF-8 if it has so many valid sequences for each broken one; if
# it is called UTF-8, or was UTF-8 before, one for each. Chosen by hand; not measured.
_SEQUENCES_PER_BREAK, _SEQUENCES_PER_BREAK_IF_NAMED = 2, 1
# Bytes from which an encoding is guessed, and the confidence of chardet that is believed. Chosen by
# hand; not measured.
_LONGEST_GUESSED_FROM, _SURE = 20_000, 0.6
# So many letters of a document must have been encoded twice. Chosen by hand; not measured.
_FEWEST_ENCODED_TWICE = 2
# So many breaks do not make another encoding of a source's UTF-8. Chosen by hand; not measured.
_FEW_BREAKS = 3


def decoded(body: bytes, headers: Mapping[str, str], known: str = "") -> tuple[str, str]:
    """Return the text of a document, and the name of its encoding.

    A byte that does not belong to the encoding becomes U+FFFD; all others keep their meaning.

    Args:
        body: the document.
        headers: of the response, names in lower case; `content-type` may name the encoding.
        known: the encoding of the source's last document; empty if it is not known.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace").removeprefix("\ufeff"), name
    for start, name in _BARE:
        if body.startswith(start):
            return body.decode(name, "replace"), name
    names = [name for name in _named(body, headers, known) if name]
    if names and names[0] in _SEVEN_BITS:
        return body.decode(names[0], "replace"), names[0]
    if body.isascii():  # valid in most encodings, so it says nothing of the source's
        return body.decode("ascii"), known or UTF_8
    try:
        return _decoded_once_more(body.decode(UTF_8)), UTF_8
    except UnicodeDecodeError:
        return _decoded_other(body, names, was_utf_8=known == UTF_8)


def as_utf_8(
    body: bytes, headers: Mapping[str, str], known: str = ""
) -> tuple[bytes, dict[str, str], str]:
    """Return a document in UTF-8, the headers that say so, and the name of its encoding.

    Args:
        body: the document.
        headers: of the response, names in lower case.
        known: the encoding of the source's last document; empty if it is not known.
    """
    text, name = decoded(body, headers, known)
    kind = headers.get(_CONTENT_TYPE, "").partition(";")[0].strip() or "text/plain"
    return text.encode(), {**headers, _CONTENT_TYPE: f"{kind}; {_UTF_8_TYPE}"}, name


def _decoded_once_more(text: str) -> str:
    """Return a document without what was taken for Latin letters and encoded a second time.

    That may be the whole of it, or some of its texts: programs confuse encodings in what they keep
    in a database, and not in what they put around it. Other text is returned as it is: its Latin
    letters are not valid UTF-8.
    """
    if len([*islice(_ENCODED_TWICE.finditer(text), _FEWEST_ENCODED_TWICE)]) < _FEWEST_ENCODED_TWICE:
        return text
    if whole := _once_decoded(text):
        return whole
    parts = _MARKUP.split(text)
    decoded_parts = {place: _once_decoded(part) for place, part in enumerate(parts)}
    letters = sum(
        len(_ENCODED_TWICE.findall(parts[place])) for place, part in decoded_parts.items() if part
    )
    if letters < _FEWEST_ENCODED_TWICE:
        return text
    return "".join(decoded_parts[place] or part for place, part in enumerate(parts))


def _once_decoded(text: str) -> str:
    """Return the text whose bytes a text shows as Latin letters; empty if it shows none."""
    if not _ENCODED_TWICE.search(text):
        return ""
    try:
        return text.translate(_TO_LATIN_1).encode("latin-1").decode(UTF_8)
    except UnicodeError:
        return ""


def _named(body: bytes, headers: Mapping[str, str], known: str) -> Iterator[str]:
    """Yield the encodings to try, the most credible first; empty for one that is not named."""
    in_header = _IN_HEADER.search(headers.get(_CONTENT_TYPE, ""))
    start = body[:_PRESCAN]
    inside = _XML_DECLARATION.search(start) or _META.search(start)
    header = _python_name(in_header[1]) if in_header else ""
    own = _python_name(inside[1].decode("ascii", "replace")) if inside else ""
    # A server's default says nothing about this document.
    first, last = ("", header) if header == _SERVERS_DEFAULT else (header, "")
    yield from (first, own, _python_name(known), last)


def _python_name(label: str) -> str:
    """Return Python's name of an encoding; empty if it is none that documents are written in."""
    label = _OTHER_LABELS.get(label.lower(), label)
    try:
        name = codecs.lookup(label).name if label else ""
    except (LookupError, ValueError):
        return ""
    name = _LARGER.get(name, name)
    return name if _ENCODINGS.fullmatch(name) else ""


def _decoded_other(body: bytes, names: list[str], *, was_utf_8: bool) -> tuple[str, str]:
    """Return the text of bytes that are not valid UTF-8, and their encoding."""
    text = body.decode(UTF_8, "replace")
    sequences = sum(1 for _ in _SEQUENCES.finditer(body))
    broken = len(_BREAKS.findall(text))
    needed = _SEQUENCES_PER_BREAK_IF_NAMED if UTF_8 in names else _SEQUENCES_PER_BREAK
    if sequences >= needed * broken or (was_utf_8 and broken <= _FEW_BREAKS):
        return text, UTF_8
    others = [name for name in names if name != UTF_8]
    for name in others:
        try:
            return body.decode(name), name
        except UnicodeDecodeError:
            continue
    name = next(iter(others), "") or _guessed(body)
    return body.decode(name, "replace"), name


def _guessed(body: bytes) -> str:
    """Return the encoding that nobody names, as its letters suggest it."""
    guess = chardet.detect(body[:_LONGEST_GUESSED_FROM])
    name = _python_name(guess["encoding"] or "")
    is_sure = guess["confidence"] >= _SURE and name not in ("", UTF_8)
    return name if is_sure else _SERVERS_DEFAULT
