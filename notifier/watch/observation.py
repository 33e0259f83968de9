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


# What a state says about itself rather than about its subject; it changes without being news.
ASIDE = "aside"

# The readings an observation may be of: what the source publishes, and a WordPress site's list of posts.
DOCUMENT, POSTS = "document", "posts"


@dataclass(frozen=True)
class Observation:
    """One thing as it stood at one moment.

    Attributes:
        guid: the publisher's own key, empty where there is none.
        content: structured content: ``{"sections": …}`` of a page, ``{"fields": …, "lists": …}`` of a trial record,
            else empty; under ``"aside"`` stands what is kept but compared with nothing (last updated, reviewer).
        change: the kind of news that a later material revision of it is.
        withdrawn: why, in words, where the publisher marks it as retracted or of concern.
        origin: which reading it is of; only readings of one origin are compared.
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
    withdrawn: str = ""
    origin: str = DOCUMENT

    @property
    def hash(self) -> str:
        """SHA-256 over what a reader would call the content; a moved link or a new date alone is no other state."""
        content = {name: part for name, part in self.content.items() if name != ASIDE}
        marked = [self.withdrawn] if self.withdrawn else []
        document = json.dumps([self.title, self.summary, self.body, content, *marked], sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class Reading:
    """All that one document published, in its order.

    Attributes:
        name: what the source calls itself.
        ttl_minutes: how long it asks to be left alone.
        next_url: where the list goes on; empty at its end.
        posts_url: where the site lists its posts with their edits (WordPress), empty where it does not say.
    """

    name: str
    observations: tuple[Observation, ...]
    ttl_minutes: int = 0
    next_url: str = ""
    posts_url: str = ""
