"""Packed answers: gzip, deflate, Brotli and Zstandard, as servers really send them.

Pure. Owns the names of content codings (RFC 9110, 8.4.1) and the limit of size, which applies to
what comes out: a few kilobytes may hold gigabytes. It knows no HTTP library.

Servers name a packing that they did not use, or use one that they do not name (``feed.xml.gz``
served as it lies on the disk): the bytes themselves decide where they show it.
"""

import sys
import zlib
from collections.abc import Callable

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The value of `Accept-Encoding` (RFC 9110, 12.5.3).
ACCEPTED = "gzip, deflate, br, zstd"

# Packings inside each other that are undone, and parts of a packed file: the time for them grows
# with the square of their number. Chosen by hand; not measured.
_MOST_LAYERS, _MOST_MEMBERS = 4, 100
_TOO_MANY_MEMBERS = f"the packed answer has more than {_MOST_MEMBERS} parts"
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
# First characters of documents, markup and JSON, and of packed files; before them may be a byte
# order mark and so many spaces. Chosen by hand; not measured.
_BEGINNINGS = (b"<", b"{", b"[", _GZIP_MAGIC, _ZSTD_MAGIC)
_MARK, _LONGEST_MARGIN = b"\xef\xbb\xbf", 1_000
# Forms of `zlib`'s parameter `wbits`: with gzip's header, with zlib's header, without any.
_GZIP, _ZLIB, _RAW = 31, 15, -15
# Logarithm of the bytes of history that a packed answer may refer to: 8 MB (RFC 9659, 3).
_ZSTD_WINDOW = 23


def unpacked(body: bytes, codings: str, max_bytes: int) -> bytes:
    """Return the document in a body, without its packings.

    Args:
        body: the bytes of the answer.
        codings: the value of its ``Content-Encoding``, several separated by commas, in the order
            in which they were applied; empty if there is none.
        max_bytes: the most bytes that any packing may hold.

    Raises:
        ValueError: it holds more than that, is damaged, or ends before its end.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    layers = [_UNPACK[name] for name in reversed(names) if name in _UNPACK]
    if len(layers) > _MOST_LAYERS:
        raise ValueError(f"the answer is packed more than {_MOST_LAYERS} times")
    for unpack in layers:
        body = unpack(body, max_bytes)
    for _ in range(_MOST_LAYERS - len(layers)):
        if body.startswith(_GZIP_MAGIC):
            body = _unzip(body, max_bytes)
        elif body.startswith(_ZSTD_MAGIC):
            body = _unzstd(body, max_bytes)
    return body


def _unzip(body: bytes, max_bytes: int) -> bytes:
    """Undo gzip (RFC 1952)."""
    if not body.startswith(_GZIP_MAGIC):
        return _as_it_is(body, "gzip")
    out = bytearray()
    for _ in range(_MOST_MEMBERS):
        part, body = _inflated(body, _GZIP, max_bytes)
        out += part
        _check_size(out, max_bytes)
        if not body.startswith(_GZIP_MAGIC):  # what else follows is ignored, as gzip does
            return bytes(out)
    raise _DamagedError(_TOO_MANY_MEMBERS)


def _undeflate(body: bytes, max_bytes: int) -> bytes:
    """Undo deflate, with zlib's header (RFC 9110, 8.4.1.2) or, as some servers send it, without."""
    has_header = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    for form in (_ZLIB, _RAW) if has_header else (_RAW,):
        try:
            return _inflated(body, form, max_bytes)[0]
        except _DamagedError:
            continue
    return _as_it_is(body, "deflate")


def _inflated(body: bytes, form: int, max_bytes: int) -> tuple[bytes, bytes]:
    """Return what deflate packed (RFC 1951), and the bytes that follow."""
    stream = zlib.decompressobj(form)
    try:
        out = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise _DamagedError("the packed answer is damaged") from error
    _check_size(out, max_bytes)
    if not stream.eof:
        raise _DamagedError("the packed answer ends too early")
    return out, stream.unused_data


def _unbrotli(body: bytes, max_bytes: int) -> bytes:
    """Undo Brotli (RFC 7932)."""
    stream = brotli.Decompressor()
    out = bytearray()
    try:
        rest = body
        while not stream.is_finished():
            out += stream.process(rest, output_buffer_limit=max_bytes + 1)
            _check_size(out, max_bytes)
            if not rest and stream.can_accept_more_data():
                break
            rest = b""
    except brotli.error:
        return _as_it_is(body, "Brotli")
    if not stream.is_finished():
        return _as_it_is(body, "Brotli")
    return bytes(out)


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    """Undo Zstandard (RFC 8878)."""
    if not body.startswith(_ZSTD_MAGIC):
        return _as_it_is(body, "Zstandard")
    out = bytearray()
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    try:
        for _ in range(_MOST_MEMBERS):
            stream = zstd.ZstdDecompressor(options=options)
            out += stream.decompress(body, max_bytes + 1 - len(out))
            _check_size(out, max_bytes)
            if not stream.eof:
                raise _DamagedError("the packed answer ends too early")
            body = stream.unused_data
            if not body.startswith(_ZSTD_MAGIC):
                return bytes(out)
    except zstd.ZstdError as error:
        raise _DamagedError("the packed answer is damaged") from error
    raise _DamagedError(_TOO_MANY_MEMBERS)


def _as_it_is(body: bytes, name: str) -> bytes:
    """Return a body that is called packed and is a document, or packed another way."""
    start = body[:_LONGEST_MARGIN].removeprefix(_MARK).lstrip()
    if not start or start.startswith(_BEGINNINGS):
        return body
    raise _DamagedError(f"the answer is said to be packed ({name}) and cannot be unpacked")


def _check_size(out: bytes | bytearray, max_bytes: int) -> None:
    if len(out) > max_bytes:
        raise ValueError(too_large(max_bytes))


def too_large(max_bytes: int) -> str:
    """Return the reason why an answer of more bytes is refused."""
    return f"the answer is larger than {max_bytes:,} bytes (watch.max_bytes)"


class _DamagedError(ValueError):
    """A body that is not, or not wholly, in the form in which it was packed."""


_UNPACK: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _unzip,
    "x-gzip": _unzip,
    "deflate": _undeflate,
    "x-deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
