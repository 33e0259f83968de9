"""What a reader of bytes hands on: the things a source published, as they stood when it was read.

Owns the one shape that feeds, pages and registries share, and the hash by which two states are told apart.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifier.store.statuses import NewsKind


class ReadError(Exception):
    """The bytes are not what the source should give; the text says what they are, for the person who can mend it."""


@dataclass(frozen=True)
class Observation:
    """One thing as it stood at one moment.

    Attributes:
        guid: the publisher's own key, empty where there is none.
        content: structured content: ``{"sections": …}`` of a page, ``{"fields": …}`` of a trial record, else empty.
        change: the kind of news that a later material revision of it is.
    """

    guid: str
    url: str
    title: str
    summary: str = ""
    body: str = ""
    author: str = ""
    published_at: datetime | None = None
    categories: tuple[str, ...] = ()
    content: dict[str, Any] = field(default_factory=dict)
    change: NewsKind = NewsKind.CORRECTED

    @property
    def hash(self) -> str:
        """SHA-256 over what a reader would call the content; a moved link or a new date alone is no other state."""
        document = json.dumps([self.title, self.summary, self.body, self.content], sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class Reading:
    """All that one source published, in its order, and the name it gives itself."""

    name: str
    observations: tuple[Observation, ...]
