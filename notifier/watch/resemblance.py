"""Resemblance: whether an observation is a known entry though its ids are others.

Pure. Owns how title, text, date and link are weighed against each other. Sites make ids anew when
they move, change their address scheme, or at each request; journals publish several letters under
one title on one day. It knows no keys, no documents and no database.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from urllib.parse import unquote, urlsplit

from notifier.text.cleaning import fold
from notifier.text.urls import canonical_url
from notifier.watch.compare import headline_labels

# All values were chosen by hand; not measured.

# Two dates of one thing differ by this much at the most: zones lie between UTC-12 and UTC+14.
_ZONES = timedelta(hours=26)
# Zones differ by multiples of this.
_ZONE_STEP = timedelta(minutes=15)
# Characters of a text that are compared.
_LONGEST_COMPARED = 4_000
# Words of a beginning that says enough to recognise the text, and the words at its end that may
# be a pointer ("Continue reading on our site").
_FEWEST_OF_A_BEGINNING, _MOST_OF_A_POINTER = 8, 5
# Words that a site puts before a text ("3 min read").
_MOST_BEFORE = 8
# A text of so many words is the same if so much of the longer one is in the other.
_FEWEST_OF_A_LONG_TEXT, _SHARE_OF_A_LONG_TEXT = 60, 0.9
# The part of a text that is left in another edition of it.
_SHARE_OF_AN_EDIT = 0.6
# Words of a text that alone shows that a thing got another title.
_FEWEST_WITHOUT_A_TITLE = 12
# Words of a text that nobody writes twice for two things under one title.
_FEWEST_UNMISTAKABLE = 30
# A link names its title if it has so many of the title's words, and half of them.
_FEWEST_NAMED = 2

_SESSION = re.compile(r"(?i);(?:jsessionid|sid|phpsessid)=[^/?#]*|\(S\([a-z0-9]+\)\)/?")
_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)


class Texts(Enum):
    """The comparison of two texts; unknown if one of them is empty."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Appearance:
    """The parts of an entry or an observation that are weighed.

    Attributes:
        title: its headline; may be empty.
        text: its text as the document gives it; may be empty.
        url: its own link; empty if it has none, or shares it with others.
        moment: its date; None if it gives none.
        has_guid: whether the publisher gave it a key of its own.
    """

    title: str
    text: str
    url: str
    moment: datetime | None
    has_guid: bool

    @cached_property
    def folded_title(self) -> str:
        """The title as it is compared: without the number of its comments."""
        return folded(self.title)

    @cached_property
    def words(self) -> list[str]:
        """The words of the text as they are compared."""
        return fold(self.text[:_LONGEST_COMPARED]).split()

    @cached_property
    def stem(self) -> str:
        """The path of the link without host, query and session; empty for a front page."""
        return link_stem(self.url)


def folded(title: str) -> str:
    """Return a title as it is compared: without the number of its comments."""
    return fold(headline_labels.without_counter(title))


def link_stem(url: str) -> str:
    """Return the part of a link that a site keeps when it counts visits or moves to a new host."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return unquote(_SESSION.sub("", path)).strip("/").lower()


def is_same_thing(known: Appearance, seen: Appearance, *, replaced: bool) -> bool:
    """Return whether two things without a common key are one.

    Args:
        known: of the entry.
        seen: of the observation.
        replaced: whether the known one was listed until now, and is no longer.
    """
    texts = compare_texts(known, seen)
    if known.folded_title != seen.folded_title:
        return texts is Texts.SAME and _is_retitled(known, seen)
    if texts is Texts.SAME:
        return _may_be_dated_so(known, seen, replaced=replaced)
    if not _have_other_ids(known, seen):
        return known.moment == seen.moment
    if not known.folded_title or not _are_close(known, seen):
        return False
    if texts is Texts.OTHER:
        return replaced and known.stem == seen.stem and _is_edit(known, seen)
    return _is_same_minute(known, seen) or (replaced and _keeps_its_slug(known, seen))


def is_same_page(known: Appearance, seen: Appearance) -> bool:
    """Return whether two things with one link and different guids are one.

    A front page, or the page of a section, is the link of many things.
    """
    same_title = known.folded_title == seen.folded_title
    if compare_texts(known, seen) is Texts.SAME and (same_title or _are_long(known, seen)):
        return True
    if not known.folded_title or not seen.folded_title or not seen.stem:
        return False
    if same_title:
        return True
    moment = seen.moment
    return moment is not None and moment == known.moment and (moment.hour, moment.minute) != (0, 0)


def is_kept(known: Appearance, seen: Appearance) -> bool:
    """Return whether a thing was kept by a site that gave all its things other ids at once."""
    if not known.folded_title or known.folded_title != seen.folded_title:
        return False
    return _are_close(known, seen) or compare_texts(known, seen) is Texts.SAME


def compare_texts(known: Appearance, seen: Appearance) -> Texts:
    """Return whether two texts are the same, or one is the beginning of the other.

    A few words may stand before a text that nobody writes twice.
    """
    short, long = sorted((known.words, seen.words), key=len)
    if not short:
        return Texts.UNKNOWN
    if short == long:
        return Texts.SAME
    common = next(
        (n for n, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]),
        len(short),
    )
    is_whole = common == len(short) >= _FEWEST_OF_A_BEGINNING
    has_pointer = common >= max(3 * _MOST_OF_A_POINTER, len(short) - _MOST_OF_A_POINTER)
    if is_whole or (has_pointer and len(long) > len(short)) or _has_words_before(short, long):
        return Texts.SAME
    if len(short) >= _FEWEST_OF_A_LONG_TEXT:
        shared = (Counter(short) & Counter(long)).total()
        if shared >= _SHARE_OF_A_LONG_TEXT * len(long):
            return Texts.SAME
    return Texts.OTHER


def _has_words_before(short: list[str], long: list[str]) -> bool:
    """Return whether one text is the other behind a few words; its end may be cut."""
    if len(short) < _FEWEST_UNMISTAKABLE:
        return False
    return any(
        short[: len(long) - before] == long[before : before + len(short)]
        for before in range(1, _MOST_BEFORE + 1)
    )


def _may_be_dated_so(known: Appearance, seen: Appearance, *, replaced: bool) -> bool:
    """Return whether the dates or links of two equal texts under one title allow that they are one.

    A reminder that is published each week in the same words is news each week.
    """
    if _are_close(known, seen) or (known.stem and known.stem == seen.stem):
        return True
    return replaced and len(seen.words) >= _FEWEST_UNMISTAKABLE


def _is_retitled(known: Appearance, seen: Appearance) -> bool:
    """Return whether a thing with an equal text got another title, and its link another counter."""
    has_titles = bool(known.folded_title and seen.folded_title)
    same_stem = bool(known.stem) and known.stem == seen.stem
    return has_titles and same_stem and _are_long(known, seen)


def _are_long(known: Appearance, seen: Appearance) -> bool:
    return min(len(known.words), len(seen.words)) >= _FEWEST_WITHOUT_A_TITLE


def _have_other_ids(known: Appearance, seen: Appearance) -> bool:
    own_links = bool(known.url and seen.url) and canonical_url(known.url) != canonical_url(seen.url)
    return own_links or (known.has_guid and seen.has_guid)


def _is_edit(known: Appearance, seen: Appearance) -> bool:
    """Return whether a text is another edition of the known one, and its link names its title."""
    shared = (Counter(known.words) & Counter(seen.words)).total()
    longest = max(len(known.words), len(seen.words))
    return shared >= _SHARE_OF_AN_EDIT * longest and _keeps_its_slug(known, seen)


def _are_close(known: Appearance, seen: Appearance) -> bool:
    if known.moment is None or seen.moment is None:
        return True
    return abs(known.moment - seen.moment) <= _ZONES


def _is_same_minute(known: Appearance, seen: Appearance) -> bool:
    """Return whether two dates are one moment in two zones, and no round one.

    Many things are dated at midnight, or at the full hour.
    """
    if known.moment is None or seen.moment is None or not _are_close(known, seen):
        return False
    is_round = seen.moment.minute % 15 == 0 and seen.moment.second == 0
    return not is_round and (known.moment - seen.moment) % _ZONE_STEP == timedelta(0)


def _keeps_its_slug(known: Appearance, seen: Appearance) -> bool:
    """Return whether both links end in the same words, and these name the title."""
    slug = _slug(known.stem)
    if slug != _slug(seen.stem):
        return False
    named = set(fold(slug.replace("-", " ").replace("_", " ")).split())
    words = {word for word in seen.folded_title.split() if len(word) > 2}
    return len(words & named) >= max(_FEWEST_NAMED, len(words) / 2)


def _slug(stem: str) -> str:
    return _ENDING.sub("", stem.rpartition("/")[2])
