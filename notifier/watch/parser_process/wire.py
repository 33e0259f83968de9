"""What the reading process and we say to each other: frames of bytes, and a reading as JSON.

Pure. Owns the form in which a reading crosses from one process to the other.
"""

import struct
from datetime import datetime
from typing import IO, Any

from notifier.enums import NewsKind
from notifier.i18n.messages import from_json, to_json
from notifier.watch.parsers.observation import Observation, ParsedDocument

MOST_OF_AN_ERROR = 1_000_000

_LENGTH = struct.Struct(">Q")
_TEXTS = ("guid", "url", "title", "summary", "body", "author", "origin")


def most_of_an_answer(size: int) -> int:
    """How many bytes an honest answer about a document of so many bytes has at most: its texts, escaped."""
    return 8 * size + 4_000_000


def write(pipe: IO[bytes], *frames: bytes) -> None:
    """Write frames, each after its length (8 bytes, the highest first).

    Raises:
        OSError: nobody reads them.
    """
    for frame in frames:
        pipe.write(_LENGTH.pack(len(frame)))
        pipe.write(frame)
    pipe.flush()


def read(pipe: IO[bytes], most: int) -> bytes | None:
    """The next frame; None where there is no whole one of at most so many bytes."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > most:
        return None
    frame = pipe.read(length)
    return frame if len(frame) == length else None


def as_document(reading: ParsedDocument) -> dict[str, Any]:
    """A reading as JSON."""
    return {
        "name": reading.name,
        "ttl_minutes": reading.ttl_minutes,
        "next_url": reading.next_url,
        "posts_url": reading.posts_url,
        "left_out": reading.left_out,
        "until": reading.until.isoformat() if reading.until else None,
        "observations": [
            _observation_document(observation) for observation in reading.observations
        ],
    }


def _observation_document(observation: Observation) -> dict[str, Any]:
    return {name: getattr(observation, name) for name in _TEXTS} | {
        "published_at": observation.published_at.isoformat() if observation.published_at else None,
        "categories": observation.categories,
        "content": observation.content,
        "change": str(observation.change),
        "withdrawn": to_json(observation.withdrawn),
    }


def as_reading(document: Any) -> ParsedDocument:
    """The reading of a JSON document.

    Raises:
        KeyError, TypeError, ValueError: no reading's document.
    """
    return ParsedDocument(
        name=_text(document["name"]),
        observations=tuple(_observation(part) for part in document["observations"]),
        ttl_minutes=int(document["ttl_minutes"]),
        next_url=_text(document["next_url"]),
        posts_url=_text(document["posts_url"]),
        left_out=int(document["left_out"]),
        until=_moment(document["until"]),
    )


def _observation(document: Any) -> Observation:
    if not isinstance(document["content"], dict):
        raise TypeError("content is an object")
    return Observation(
        **{name: _text(document[name]) for name in _TEXTS},
        published_at=_moment(document["published_at"]),
        categories=tuple(_text(category) for category in document["categories"]),
        content=document["content"],
        change=NewsKind(document["change"]),
        withdrawn=_text(from_json(document["withdrawn"])),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(_text(text)) if text is not None else None
