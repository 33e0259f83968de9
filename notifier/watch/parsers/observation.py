"""What a reader of bytes hands on: the things a source published, as they stood when it was read.

Owns the one shape that feeds, pages and registries share, and the hash by which two states are told
apart.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from notifier.enums import NewsKind
from notifier.text.cleaning import storable
from notifier.text.urls import web_address

# No document of a news site lists more; a poll reads so many of them, the newest.
MOST_ITEMS = 5_000

# Longer texts are cut: nobody reads more, and each is compared and matched as a whole.
_LONGEST_TITLE, _LONGEST_TEXT, _LONGEST_CATEGORY = 5_000, 500_000, 500
_MOST_CATEGORIES = 200
# What calendars of the news can hold: programs write 0001-01-01 or 9999-12-31 where they know no
# date.
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)


class ParseError(Exception):
    """The bytes are not what the source should give; the text says what they are, for the person who can mend it."""


# What a state says about itself rather than about its subject; it changes without being news.
ASIDE = "aside"

# The readings an observation may be of: what the source publishes, and a WordPress site's list of
# posts.
DOCUMENT, POSTS = "document", "posts"


@dataclass(frozen=True)
class Observation:
    """One thing as it stood at one moment.

    Attributes:
        guid: the publisher's own key, empty where there is none.
        content: structured content: ``{"sections": …}`` of a page, ``{"fields": …, "lists": …}`` of
            a trial record, else empty; under ``"aside"`` stands what is kept but compared with
            nothing (last updated, reviewer).
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

    @cached_property
    def hash(self) -> str:
        """SHA-256 over what a reader would call the content; a moved link or a new date alone is no other state."""
        content = {name: part for name, part in self.content.items() if name != ASIDE}
        marked = [self.withdrawn] if self.withdrawn else []
        document = json.dumps(
            [self.title, self.summary, self.body, content, *marked], sort_keys=True
        )
        return hashlib.sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class ParsedDocument:
    """All that one document published, in its order.

    Attributes:
        name: what the source calls itself.
        ttl_minutes: how long it asks to be left alone.
        next_url: where the list goes on; empty at its end.
        posts_url: where the site lists its posts with their edits (WordPress), empty where it does
            not say.
        left_out: how many items of the document are more than are read.
        until: up to which edit a list of posts was read; None for every other document.
    """

    name: str
    observations: tuple[Observation, ...]
    ttl_minutes: int = 0
    next_url: str = ""
    posts_url: str = ""
    left_out: int = 0
    until: datetime | None = None


def published_moment(moment: datetime | None) -> datetime | None:
    """A date from outside as aware UTC; None where it lies outside the years 1900 to 2100.

    Args:
        moment: what a document gives; one without a zone is taken as UTC.
    """
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def within_limits(reading: ParsedDocument) -> ParsedDocument:
    """The reading as it may be stored: the newest 5,000 items, each text storable and of bounded length."""
    observations = reading.observations
    if len(observations) > MOST_ITEMS:
        newest_first = sorted(range(len(observations)), key=lambda n: _age(observations[n]))
        observations = tuple(observations[n] for n in sorted(newest_first[:MOST_ITEMS]))
    return replace(
        reading,
        name=storable(reading.name)[:_LONGEST_CATEGORY],
        observations=tuple(_within_limits(observation) for observation in observations),
        left_out=reading.left_out + len(reading.observations) - len(observations),
    )


def _age(observation: Observation) -> float:
    """By which items are put in order, the newest first; one without a date comes last, as it stands."""
    return -observation.published_at.timestamp() if observation.published_at else float("inf")


def _within_limits(observation: Observation) -> Observation:
    return replace(
        observation,
        guid=storable(observation.guid),
        url=web_address(observation.url),
        title=storable(observation.title)[:_LONGEST_TITLE],
        summary=storable(observation.summary)[:_LONGEST_TEXT],
        body=storable(observation.body)[:_LONGEST_TEXT],
        author=storable(observation.author)[:_LONGEST_CATEGORY],
        categories=tuple(
            storable(category)[:_LONGEST_CATEGORY]
            for category in observation.categories[:_MOST_CATEGORIES]
        ),
        content=_storable(observation.content),
        published_at=published_moment(observation.published_at),
    )


def _storable(value: Any) -> Any:
    """Structured content in which every text can be stored."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): _storable(part) for name, part in value.items()}
    return [_storable(part) for part in value] if isinstance(value, list | tuple) else value
