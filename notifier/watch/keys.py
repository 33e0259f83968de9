"""The keys of observations: the publisher's guid, the link, the content.

Pure. Owns how a key is written, and which keys identify an item of a document: one that several
items share identifies none of them, and of several versions of one thing only the newest counts.
Which entry a key names is decided by `identity.py`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import StrEnum
from itertools import chain

from notifier.text.cleaning import fold
from notifier.text.urls import canonical_url, web_address
from notifier.watch.parsers.observation import Observation
from notifier.watch.resemblance import Appearance, is_version

# An observation with its keys, the strongest first.
Identified = tuple[Observation, list[str]]

# Bytes of a key: a page of PostgreSQL's index holds about 2,700 bytes of one.
_LONGEST_KEY = 2_000
# Characters of the text by which an observation without a date is known. Chosen by hand; not
# measured.
_LONGEST_START = 300
# Items of a document with the same ids of which some may be versions of others; where there are
# more, the ids are those of their site. Chosen by hand; not measured.
_MOST_VERSIONS = 10


class KeyKind(StrEnum):
    """The kinds of keys, the strongest first. A key is ``KIND:NAME``, and is stored so."""

    GUID = "guid"
    LINK = "link"
    CONTENT = "content"

    def key(self, name: str) -> str:
        """Return the key of a name; a name too long for an index is replaced by its hash."""
        if len(name.encode()) > _LONGEST_KEY:
            name = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        return f"{self}:{name}"

    def is_of(self, key: str) -> bool:
        """Return whether a key is of this kind."""
        return key.startswith(f"{self}:")

    def name_in(self, key: str) -> str:
        """Return the name in a key of this kind; a key of another kind is returned whole."""
        return key.removeprefix(f"{self}:")


def keys(observation: Observation) -> list[str]:
    """Return the keys of an observation, the strongest first.

    ``guid:`` has the publisher's own key, ``link:`` the canonical address, ``content:`` the SHA-256
    of the title with the date, or with the start of the text. An empty observation has none.
    """
    its_keys = []
    if observation.guid:
        its_keys.append(KeyKind.GUID.key(observation.guid))
    if observation.url:
        its_keys.append(KeyKind.LINK.key(canonical_url(observation.url)))
    moment = observation.published_at.isoformat() if observation.published_at else ""
    content = fold(observation.title), moment or _start_of_text(observation)
    if any(content):
        its_keys.append(_key_of_content(*content))
    return its_keys


def _start_of_text(observation: Observation) -> str:
    return fold(f"{observation.summary} {observation.body}")[:_LONGEST_START]


def _key_of_content(*parts: str) -> str:
    return KeyKind.CONTENT.key(hashlib.sha256(" | ".join(parts).encode()).hexdigest())


def identified(observations: Sequence[Observation]) -> list[Identified]:
    """Return the observations of one document with their keys; those without any are left out.

    Earlier versions of an item are left out, too. A key that two items share identifies neither;
    those that share all their keys are told apart by their texts.
    """
    with_keys = [(observation, keys(observation)) for observation in observations]
    items = _newest_versions([item for item in with_keys if item[1]])
    uses = Counter(key for _, its_keys in items for key in its_keys)
    own_keys = {
        place: [key for key in its_keys if uses[key] == 1]
        for place, (_, its_keys) in enumerate(items)
    }
    alike: dict[str, list[int]] = defaultdict(list)
    for place, (_, its_keys) in enumerate(items):
        if not own_keys[place]:
            alike[its_keys[-1]].append(place)
    for key, places in alike.items():
        newest = _without_earlier(items, places)
        by_key = {key: newest[0]}
        if len(newest) > 1:
            by_key = {_key_with_text(items[place]): place for place in reversed(newest)}
        own_keys |= {place: [key] for key, place in by_key.items()}
    return [(items[place][0], its_keys) for place, its_keys in own_keys.items() if its_keys]


def _key_with_text(item: Identified) -> str:
    """Return the key of an item by title, date and text; the last of its keys if it has none."""
    observation, its_keys = item
    if not KeyKind.CONTENT.is_of(its_keys[-1]) or observation.published_at is None:
        return its_keys[-1]
    parts = fold(observation.title), observation.published_at.isoformat()
    return _key_of_content(*parts, _start_of_text(observation))


def _newest_versions(items: Sequence[Identified]) -> list[Identified]:
    """Return the items without earlier versions of others, which have their guid and their link."""
    of_ids: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, (_, its_keys) in enumerate(items):
        has_all = len(its_keys) == len(KeyKind)
        of_ids[tuple(its_keys[:-1]) if has_all else (str(place),)].append(place)
    return [
        items[place]
        for place in sorted(chain(*(_without_earlier(items, places) for places in of_ids.values())))
    ]


def _without_earlier(items: Sequence[Identified], places: Sequence[int]) -> Sequence[int]:
    """Return the places of items with the same ids, without those of earlier versions of others.

    The newest version is the one with the latest date; of one date, the first in the document.
    """
    if not 1 < len(places) <= _MOST_VERSIONS:
        return places
    newest: list[int] = []
    for place in sorted(places, key=lambda place: _age(items[place][0])):
        seen, have_guid = appearance_of_observation(*items[place]), _has_guid(items[place])
        if not any(
            is_version(seen, appearance_of_observation(*items[kept]), have_guid=have_guid)
            for kept in newest
        ):
            newest.append(place)
    return newest


def _has_guid(item: Identified) -> bool:
    """Return whether an item has a guid that is not its link."""
    observation, its_keys = item
    if not KeyKind.GUID.is_of(its_keys[0]):
        return False
    guid = web_address(KeyKind.GUID.name_in(its_keys[0]))
    return not guid or canonical_url(guid) != canonical_url(observation.url)


def _age(observation: Observation) -> float:
    """Return a key that sorts the newest first, and items without a date last."""
    return -observation.published_at.timestamp() if observation.published_at else float("inf")


def appearance_of_observation(observation: Observation, its_keys: Sequence[str]) -> Appearance:
    """Return the parts to weigh of an observation; a guid or link that others share is left out."""
    has_link = any(KeyKind.LINK.is_of(key) for key in its_keys)
    return Appearance(
        title=observation.title,
        text=observation.body or observation.summary,
        url=observation.url if has_link else "",
        moment=observation.published_at,
        has_guid=any(KeyKind.GUID.is_of(key) for key in its_keys),
    )
