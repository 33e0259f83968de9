"""Observations: the things a source published, as they were when its document was parsed.

Pure. Owns the one shape that feeds, pages, lists and records share, its limits, and the hash by
which two states are compared.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from notifier.enums import NewsKind
from notifier.text.cleaning import storable
from notifier.text.urls import web_address

# Limits chosen by hand; not measured. They bound the work for one document.

# Items of a document that are read, the newest.
MOST_ITEMS = 5_000
# Characters, and categories, of an item.
_LONGEST_TITLE, _LONGEST_TEXT, _LONGEST_CATEGORY = 5_000, 500_000, 500
_MOST_CATEGORIES = 200
# Characters of the name of an encoding; the column has as many.
_LONGEST_ENCODING = 40
# Dates outside count as unknown: programs write 0001-01-01 or 9999-12-31 if they know no date.
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)

# The version of the way in which documents become text. It counts up when the parsers read the same
# document as another text; the first look after that is no news (`watch/compare/edits.py`), and
# comes with the next poll, even if the document has not changed (`watch/due_requests.py`).
READING = 3

# The key of `Observation.content` for what a state says about itself; it changes without being
# news.
ASIDE = "aside"


class ParseError(Exception):
    """A document that cannot be parsed.

    Its text says what the bytes are instead, for the person who looks after the source: a clause
    without a full stop, in lower case.
    """


class Origin(StrEnum):
    """The document an observation comes from; its values are stored."""

    DOCUMENT = "document"
    POSTS = "posts"


@dataclass(frozen=True)
class Observation:
    """One thing as it was at one moment.

    Attributes:
        guid: the publisher's own key; empty if there is none.
        content: structured content: ``{"sections": [{"heading": …, "blocks": […]}]}`` of a page,
            ``{"trial": …, "fields": {…}, "lists": {…}}`` of a trial record, else empty. Under
            ``"aside"`` is what is stored and not compared (last updated, reviewer).
        published_at: the publisher's date, aware UTC; None if it gives none that is credible.
        change: the kind of news that a later material revision of it is.
        withdrawn: the reason, a sentence, if the publisher marks it as retracted or of concern.
        origin: the document it comes from; only states of one origin are compared.
        digest: of an item of a large feed, by which it is known again (`known_items.py`); empty
            elsewhere.
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
    origin: Origin = Origin.DOCUMENT
    digest: str = field(default="", compare=False, repr=False)

    @cached_property
    def hash(self) -> str:
        """The SHA-256, in hexadecimal, of the content as a reader sees it.

        Two states with different addresses or dates alone have the same hash.
        """
        content = {name: part for name, part in self.content.items() if name != ASIDE}
        marks = [self.withdrawn] if self.withdrawn else []
        document = json.dumps(
            [self.title, self.summary, self.body, content, *marks], sort_keys=True
        )
        return hashlib.sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class StandIn(Observation):
    """An item of a feed of which only the digest and the date are given: it was not parsed again.

    It never leaves the parser process and its parent.
    """

    guid: str = ""
    url: str = ""
    title: str = ""


@dataclass(frozen=True)
class ParsedDocument:
    """The observations of one document, in its order.

    Attributes:
        name: the source's name for itself.
        ttl_minutes: the minutes during which it asks not to be polled again.
        next_url: the address of the next page; empty after the last one.
        posts_url: the address of the site's list of posts with their edits (WordPress); empty if
            it has none.
        left_out: the number of items beyond `MOST_ITEMS`, which are not read.
        until: the time from which the next request for a list of posts should ask for edits; None
            for every other document.
        encoding: the character encoding it was written in; empty if it was not looked at.
        whole: whether its end is there; a list without its end does not show what left it.
        doubt: a sign that it is not, or not all of, what the address usually shows: a clause;
            empty if there is none.
        known_items: what `Parser.parse` needs to have only new items parsed the next time; empty if
            it needs nothing, or has it already.
    """

    name: str
    observations: tuple[Observation, ...]
    ttl_minutes: int = 0
    next_url: str = ""
    posts_url: str = ""
    left_out: int = 0
    until: datetime | None = None
    encoding: str = ""
    whole: bool = True
    doubt: str = ""
    known_items: bytes = field(default=b"", compare=False, repr=False)

    @property
    def dates(self) -> list[datetime]:
        """The dates of its observations, as far as they have any."""
        return [item.published_at for item in self.observations if item.published_at]

    def newest_date(self, now: datetime) -> datetime | None:
        """Return the date of its newest observation that is not in the future."""
        return max((moment for moment in self.dates if moment <= now), default=None)


def published_moment(moment: datetime | None) -> datetime | None:
    """Return a date from outside as aware UTC; None if it is not in the years 1900 to 2100.

    Args:
        moment: the date in a document; one without a zone is UTC.
    """
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def within_limits(document: ParsedDocument) -> ParsedDocument:
    """Return the document as it may be stored: its newest 5,000 items, each text cut to a limit."""
    observations = document.observations
    if len(observations) > MOST_ITEMS:
        newest_first = sorted(range(len(observations)), key=lambda n: _age(observations[n]))
        observations = tuple(observations[n] for n in sorted(newest_first[:MOST_ITEMS]))
    return replace(
        document,
        name=storable(document.name)[:_LONGEST_CATEGORY],
        observations=tuple(_within_limits(observation) for observation in observations),
        left_out=document.left_out + len(document.observations) - len(observations),
        encoding=storable(document.encoding)[:_LONGEST_ENCODING],
        doubt=storable(document.doubt)[:_LONGEST_CATEGORY],
    )


def _age(observation: Observation) -> float:
    """Return a key that sorts the newest first, and items without a date last."""
    return -observation.published_at.timestamp() if observation.published_at else float("inf")


def _within_limits(observation: Observation) -> Observation:
    if isinstance(observation, StandIn):
        return observation
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
        digest=storable(observation.digest)[:_LONGEST_CATEGORY],
    )


def _storable(value: Any) -> Any:
    """Return structured content in which every text can be stored."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): _storable(part) for name, part in value.items()}
    return [_storable(part) for part in value] if isinstance(value, list | tuple) else value
