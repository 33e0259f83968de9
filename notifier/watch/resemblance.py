"""Resemblance: whether an observation is a known entry though its ids are others.

Pure. Owns how title, text, date and link are weighed against each other. Sites make ids anew when
they move, change their address scheme, or at each request; journals publish several letters under
one title on one day. It knows no keys, no documents and no database.
"""

import re
from collections import Counter
from collections.abc import Sequence
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
# Words of a text that nobody writes twice for two things.
_FEWEST_UNMISTAKABLE = 30
# A link names its title if it has so many of the title's words, and half of them.
_FEWEST_NAMED = 2
# Things share less than this part of the longer words of the shorter one, in title and text, if a
# site gave a guid to another thing; and the letters of such words.
_SHARED_OF_OTHERS, _LETTERS = 0.5, 5

_SESSION = re.compile(r"(?i);(?:jsessionid|sid|phpsessid)=[^/?#]*|\(S\([a-z0-9]+\)\)/?")
_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
# The number of an article at the beginning or the end of its link's name: digits, hexadecimal
# digits, or a UUID (RFC 9562). One that begins as a year and a month may be a date.
_NUMBER = (
    r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2]))\d{6,15}|(?=[a-f]*\d)[0-9a-f]{10,40}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_NUMBER_OF_FOLDER = re.compile(f"({_NUMBER})")
_NUMBER_OF_LINK = re.compile(rf"(?:^|.*[^0-9a-z])({_NUMBER})$|^({_NUMBER})(?![0-9a-z])")
# Scripts that set no spaces between words: Thai, Lao, Chinese and Japanese.
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u2e80-\u9fff]")


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

    @cached_property
    def number(self) -> str:
        """The number that the site gave the article, as its link shows it; empty if it does not."""
        return link_number(self.url)


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


def link_number(url: str) -> str:
    """Return the number of an article in its link: ``7654321`` of ``/a-headline-7654321.html``.

    It stands at the beginning or the end of the name, or is the folder before it.
    """
    folders, _, name = link_stem(url).rpartition("/")
    number = _NUMBER_OF_LINK.match(_ENDING.sub("", name))
    if number is None:
        number = _NUMBER_OF_FOLDER.fullmatch(folders.rpartition("/")[2])
    return next(filter(None, number.groups()), "") if number else ""


def is_same_thing(known: Appearance, seen: Appearance, *, replaced: bool) -> bool:
    """Return whether two things without a common key are one.

    Args:
        known: of the entry.
        seen: of the observation.
        replaced: whether the known one was listed until now, and is no longer.
    """
    if replaced and known.number and known.number == seen.number and _resemble(known, seen):
        return True
    if known.folded_title != seen.folded_title:
        return _is_retitled(known, seen, replaced=replaced)
    return _is_same_of_one_title(known, seen, replaced=replaced)


def _is_same_of_one_title(known: Appearance, seen: Appearance, *, replaced: bool) -> bool:
    texts = compare_texts(known, seen)
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
    return same_title or _have_one_moment(known, seen)


def is_version(known: Appearance, seen: Appearance, *, have_guid: bool) -> bool:
    """Return whether two items of one document with the same ids are versions of one thing.

    A feed may list the earlier version of an item beside the edited one (RFC 4287, 4.1.1). Things
    that have the ids of their site in common differ in title and text, or in text and date.

    Args:
        known: one of them.
        seen: the other one.
        have_guid: whether they have a guid that is not their link.
    """
    texts = compare_texts(known, seen)
    if known.folded_title != seen.folded_title:
        is_renamed = _is_edit(known, seen) and _keeps_its_slug(seen, known)
        return is_renamed or (texts is Texts.SAME and _are_long(known, seen))
    if texts is Texts.SAME:
        return True
    keeps_its_slug = _keeps_its_slug(known, seen)
    if texts is Texts.UNKNOWN:
        return keeps_its_slug
    # The notices of one page may share their title and most words, and have its link as their guid.
    is_own = have_guid or keeps_its_slug or bool(known.number and known.number == seen.number)
    is_one = is_own or known.moment == seen.moment
    return is_one and bool(known.folded_title) and _shares_most(known, seen)


def is_other_thing(known: Appearance, seen: Appearance) -> bool:
    """Return whether an observation with the guid of a known thing is certainly another thing.

    Some programs number the items of a list anew each time, or give an item the guid of its author
    or section. Another thing differs in all that can be compared: link, date, title and text.
    """
    has_other_link = known.url and seen.url and canonical_url(known.url) != canonical_url(seen.url)
    titles = known.folded_title.split(), seen.folded_title.split()
    if not has_other_link or not _have_other_dates(known, seen) or not all(titles):
        return False
    if not _share_little(*titles):
        return False
    texts = compare_texts(known, seen)
    if texts is Texts.UNKNOWN:
        return known.stem != seen.stem
    return texts is Texts.OTHER and _share_little(known.words, seen.words)


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


def _resemble(known: Appearance, seen: Appearance) -> bool:
    """Return whether two things have most of their text in common, or of their titles alone."""
    texts = compare_texts(known, seen)
    if texts is Texts.UNKNOWN:
        titles = known.folded_title.split(), seen.folded_title.split()
        shared = (Counter(titles[0]) & Counter(titles[1])).total()
        return shared >= max(1, _SHARE_OF_AN_EDIT * max(map(len, titles)))
    return texts is Texts.SAME or _shares_most(known, seen)


def _is_retitled(known: Appearance, seen: Appearance, *, replaced: bool) -> bool:
    """Return whether a thing with an equal text got another title.

    Its link has another counter at most; or it took the place of one with exactly its text and its
    moment: many sites make the link of the title.
    """
    if not (known.folded_title and seen.folded_title and _are_long(known, seen)):
        return False
    if compare_texts(known, seen) is not Texts.SAME:
        return False
    if known.stem and known.stem == seen.stem:
        return True
    is_unmistakable = known.words == seen.words and len(seen.words) >= _FEWEST_UNMISTAKABLE
    return replaced and is_unmistakable and _have_one_moment(known, seen)


def _have_one_moment(known: Appearance, seen: Appearance) -> bool:
    """Return whether two things have the same date, and it is no day alone."""
    moment = seen.moment
    return moment is not None and moment == known.moment and (moment.hour, moment.minute) != (0, 0)


def _are_long(known: Appearance, seen: Appearance) -> bool:
    return min(len(known.words), len(seen.words)) >= _FEWEST_WITHOUT_A_TITLE


def _have_other_ids(known: Appearance, seen: Appearance) -> bool:
    own_links = bool(known.url and seen.url) and canonical_url(known.url) != canonical_url(seen.url)
    return own_links or (known.has_guid and seen.has_guid)


def _is_edit(known: Appearance, seen: Appearance) -> bool:
    """Return whether a text is another edition of the known one, and its link names its title."""
    return _shares_most(known, seen) and _keeps_its_slug(known, seen)


def _shares_most(known: Appearance, seen: Appearance) -> bool:
    """Return whether a text has most words of the known one, and few others."""
    shared = (Counter(known.words) & Counter(seen.words)).total()
    return shared >= _SHARE_OF_AN_EDIT * max(len(known.words), len(seen.words))


def _share_little(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether two titles or texts have hardly a word in common that says something."""
    units, other_units = Counter(_units(words)), Counter(_units(others))
    shorter = min(units.total(), other_units.total())
    return (units & other_units).total() < _SHARED_OF_OTHERS * shorter


def _units(words: Sequence[str]) -> list[str]:
    """Return the longer words, all if none is long; of a text without spaces pairs of letters."""
    pairs = [
        word[at : at + 2]
        for word in words
        if _WITHOUT_SPACES.search(word)
        for at in range(max(len(word) - 1, 1))
    ]
    long = [word for word in words if len(word) >= _LETTERS and not _WITHOUT_SPACES.search(word)]
    return [*pairs, *long] or list(words)


def _are_close(known: Appearance, seen: Appearance) -> bool:
    if known.moment is None or seen.moment is None:
        return True
    return abs(known.moment - seen.moment) <= _ZONES


def _have_other_dates(known: Appearance, seen: Appearance) -> bool:
    """Return whether the dates of two things may be of two: a day alone may have several things."""
    if known.moment is None or seen.moment is None:
        return known.moment == seen.moment
    return not _have_one_moment(known, seen)


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
