"""The messages between the parser process and its parent: frames of bytes, and documents as JSON.

Pure. A frame is its length (8 bytes, big-endian) and so many bytes. A request is three frames:
JSON, the document, and the dates of its known items (nothing if it has none to look for); an answer
is one frame of JSON. In it, a known item is its digest.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import IO, Any

from notifier.enums import NewsKind
from notifier.i18n.messages import from_json, to_json
from notifier.watch.parsers.observation import Observation, Origin, ParsedDocument, StandIn

# Bytes of an answer without a document.
LONGEST_ERROR = 1_000_000

_LENGTH = struct.Struct(">Q")
_TEXTS = ("guid", "url", "title", "summary", "body", "author", "digest")


def longest_answer(size: int) -> int:
    """Return the most bytes that an honest answer about a document of `size` bytes has.

    An answer holds the document's texts; JSON writes a character in up to 6 bytes. The factor and
    the allowance for short documents were chosen by hand; not measured.
    """
    return 8 * size + 4_000_000


def write(pipe: IO[bytes], *frames: bytes) -> None:
    """Write frames.

    Raises:
        OSError: the other side has closed the pipe.
    """
    for frame in frames:
        pipe.write(_LENGTH.pack(len(frame)))
        pipe.write(frame)
    pipe.flush()


def read(pipe: IO[bytes], longest: int) -> bytes | None:
    """Return the next frame; None if the input ends before its end, or if it is too long.

    Args:
        pipe: the input.
        longest: the most bytes of a frame.
    """
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > longest:
        return None
    frame = pipe.read(length)
    return frame if len(frame) == length else None


def encode_document(document: ParsedDocument) -> dict[str, Any]:
    """Return a parsed document as JSON."""
    return {
        "name": document.name,
        "ttl_minutes": document.ttl_minutes,
        "next_url": document.next_url,
        "posts_url": document.posts_url,
        "left_out": document.left_out,
        "until": document.until.isoformat() if document.until else None,
        "encoding": document.encoding,
        "whole": document.whole,
        "doubt": document.doubt,
        "observations": [
            item.digest if isinstance(item, StandIn) else _encode_observation(item)
            for item in document.observations
        ],
    }


def _encode_observation(observation: Observation) -> dict[str, Any]:
    return {name: getattr(observation, name) for name in _TEXTS} | {
        "published_at": observation.published_at.isoformat() if observation.published_at else None,
        "categories": observation.categories,
        "content": observation.content,
        "change": str(observation.change),
        "origin": str(observation.origin),
        "withdrawn": to_json(observation.withdrawn),
    }


def encode_dates(items: Mapping[str, Observation]) -> bytes:
    """Return the dates of known items by their digests."""
    return json.dumps(
        {
            digest: item.published_at.isoformat() if item.published_at else None
            for digest, item in items.items()
        }
    ).encode()


def decode_dates(encoded: bytes) -> dict[str, datetime | None]:
    """Return the dates that `encode_dates` encoded."""
    return {digest: _moment(text) for digest, text in json.loads(encoded).items()}


def pack_items(items: Iterable[Observation]) -> bytes:
    """Return the items of a feed that have a digest, packed to be stored."""
    encoded = [_encode_observation(item) for item in items if item.digest]
    return zlib.compress(json.dumps(encoded).encode(), 1)


def unpack_items(packed: bytes) -> dict[str, Observation]:
    """Return the items that `pack_items` packed, by their digests; none if they cannot be read."""
    try:
        encoded = json.loads(zlib.decompress(packed)) if packed else []
        return {item["digest"]: _decode_observation(item) for item in encoded}
    except (zlib.error, KeyError, TypeError, ValueError, RecursionError):
        return {}


def decode_document(encoded: Any) -> ParsedDocument:
    """Return the parsed document of its JSON.

    Raises:
        KeyError, TypeError, ValueError: not the JSON of a document.
    """
    return ParsedDocument(
        name=_text(encoded["name"]),
        observations=tuple(
            StandIn(digest=item) if isinstance(item, str) else _decode_observation(item)
            for item in encoded["observations"]
        ),
        ttl_minutes=int(encoded["ttl_minutes"]),
        next_url=_text(encoded["next_url"]),
        posts_url=_text(encoded["posts_url"]),
        left_out=int(encoded["left_out"]),
        until=_moment(encoded["until"]),
        encoding=_text(encoded["encoding"]),
        whole=bool(encoded["whole"]),
        doubt=_text(encoded["doubt"]),
    )


def _decode_observation(encoded: Any) -> Observation:
    if not isinstance(encoded["content"], dict):
        raise TypeError("content must be an object")
    return Observation(
        **{name: _text(encoded[name]) for name in _TEXTS},
        published_at=_moment(encoded["published_at"]),
        categories=tuple(_text(category) for category in encoded["categories"]),
        content=encoded["content"],
        change=NewsKind(encoded["change"]),
        origin=Origin(encoded["origin"]),
        withdrawn=_text(from_json(encoded["withdrawn"])),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(_text(text)) if text is not None else None
