"""Stories: decide whether two texts report the same news, as several outlets do. Pure functions.

The signs, from the surest: the same page, the same paper or trial record, the same text (a press
release that others print), the same headline. If two headlines name different numbers, only the
first two count.

`StoryIndex` finds the first report of the same news among many without comparing all with all.
Pages, papers and headlines are found exactly as `is_same_news` finds them. Texts are compared only
if they share a tenth of their runs of four words, and of those only the few that share most: a text
in which nearly every fourth word was changed is not found.

What each threshold was checked on is in docs/matching.md, section 5.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import urlsplit

from rapidfuzz import fuzz, process

from notifier.text.cleaning import fold, paper_ids
from notifier.text.urls import canonical_url

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

# Of 100, by edits of the sorted words. On the labelled set 84 to 100 find the same two pairs, both
# right; 80 adds a wrong pair.
_SAME_HEADLINE = 88
# Same result from 2 to 8 on the labelled set.
_FEWEST_WORDS = 5
# Of 100. Chosen by hand: same result from 50 to 100 on the labelled set.
_SAME_TEXT = 80
# In characters, searched for paper ids. Chosen by hand; not measured.
_PAPER_TEXT = 3000
# In characters. Chosen by hand; not measured.
_SHORTEST_TEXT, _LONGEST_TEXT = 200, 1500
_LONGEST_OTHER_TEXT = 3 * _LONGEST_TEXT
# In characters, read before folding removes some of them. Chosen by hand; not measured.
TEXT_READ, _TITLE_READ = 20_000, 600

# The values below were chosen by hand for speed; not measured. A run is so many words, or so many
# characters in a script without spaces: texts that share runs have a passage in common.
_RUN_OF_WORDS, _RUN_OF_CHARACTERS = 4, 12
# In characters, on average: longer words mean a script without spaces.
_LONGEST_WORD = 20
_SHARED = 0.1
_MOST_TEXTS = 4
# If this many texts share a run, further ones are not indexed under it: the indexed ones report the
# same news, or the run is a common phrase.
_MOST_HOLDERS = 30

# The URL of a text without one, in canonical form.
_NO_URL = "#"


@dataclass(frozen=True)
class Fingerprint:
    """The parts of a text that are compared.

    Attributes:
        url: canonical, with the fragment: two places of one page are two pieces of news.
        title: the folded headline.
        text: the folded beginning of the text.
        papers: the ids of the paper (DOI or PubMed number) and the trial record that it is about.
    """

    url: str
    title: str
    text: str
    papers: frozenset[str] = field(default_factory=frozenset)


def fingerprint(url: str, title: str, text: str, trial: str = "") -> Fingerprint:
    """Return the fingerprint of a text.

    Args:
        url: of its page.
        title: its headline.
        text: its body, or its summary if it has no body.
        trial: the number of the trial if the text is the record of one; else empty.
    """
    papers = set(paper_ids(f"{url} {title} {text[:_PAPER_TEXT]}"))
    # A roundup names many papers, and is the story of none of them.
    single_paper = papers if len(papers) == 1 else set()
    return Fingerprint(
        f"{canonical_url(url)}#{urlsplit(url).fragment}",
        fold(title[:_TITLE_READ]),
        fold(text[:TEXT_READ])[:_LONGEST_OTHER_TEXT],
        frozenset(single_paper | ({trial} if trial else set())),
    )


def is_same_news(first: Fingerprint, second: Fingerprint) -> bool:
    """Return True if two texts report the same news."""
    if (first.url != _NO_URL and first.url == second.url) or first.papers & second.papers:
        return True
    if _numbers(first.title) != _numbers(second.title):
        return False
    return _same_headline(first.title, second.title) or _same_text(first.text, second.text)


def _numbers(title: str) -> set[str]:
    return set(_NUMBER.findall(title))


def _same_headline(first: str, second: str) -> bool:
    return (
        _has_enough_words(first)
        and _has_enough_words(second)
        and fuzz.ratio(_sorted_words(first), _sorted_words(second)) >= _SAME_HEADLINE
    )


def _same_text(first: str, second: str) -> bool:
    shorter, longer = sorted((first[:_LONGEST_TEXT], second), key=len)
    if len(shorter) < _SHORTEST_TEXT:
        return False
    ratio = fuzz.partial_ratio(
        shorter[:_LONGEST_TEXT], longer[:_LONGEST_OTHER_TEXT], score_cutoff=_SAME_TEXT
    )
    return ratio >= _SAME_TEXT


class StoryIndex:
    """Recent reports in their order, searched for the first one of the same news."""

    def __init__(self) -> None:
        self._fingerprints: list[Fingerprint] = []
        self._keys: list[int] = []
        self._entries: list[int] = []
        self._by_url: dict[str, list[int]] = defaultdict(list)
        self._by_paper: dict[str, list[int]] = defaultdict(list)
        self._by_numbers: dict[frozenset[str], _SameNumbers] = defaultdict(_SameNumbers)

    def add(self, key: int, entry_id: int, report: Fingerprint) -> None:
        """Add the newest report, by an entry, under a key that the caller chooses."""
        place = len(self._fingerprints)
        self._fingerprints.append(report)
        self._keys.append(key)
        self._entries.append(entry_id)
        if report.url != _NO_URL:
            self._by_url[report.url].append(place)
        for paper in report.papers:
            self._by_paper[paper].append(place)
        self._by_numbers[frozenset(_numbers(report.title))].add(place, report)

    def find_first(self, entry_id: int, report: Fingerprint) -> int | None:
        """Return the key of the first report of the same news by another entry, or None."""
        places = self._places(entry_id, report)
        return self._keys[min(places)] if places else None

    def _places(self, entry_id: int, report: Fingerprint) -> list[int]:
        same_page = self._by_url.get(report.url, ()) if report.url != _NO_URL else ()
        same_paper = chain.from_iterable(self._by_paper.get(paper, ()) for paper in report.papers)
        places = [
            place for place in chain(same_page, same_paper) if self._entries[place] != entry_id
        ]
        group = self._by_numbers.get(frozenset(_numbers(report.title)))
        if group is None:
            return places
        same_headline = (
            place
            for place in group.same_headlines(report.title)
            if self._entries[place] != entry_id
        )
        same_text = (
            place
            for place in group.similar_texts(report.text)
            if self._entries[place] != entry_id
            and _same_text(self._fingerprints[place].text, report.text)
        )
        # Both come in their order: the first of each is enough.
        first_places = (next(same_headline, None), next(same_text, None))
        return [*places, *(place for place in first_places if place is not None)]


class _SameNumbers:
    """Reports whose headlines name the same numbers."""

    def __init__(self) -> None:
        self._headlines: list[str] = []
        self._places: list[int] = []
        self._holders: dict[int, list[int]] = defaultdict(list)
        self._run_counts: dict[int, int] = {}

    def add(self, place: int, report: Fingerprint) -> None:
        """Add a report at its place in the whole order."""
        if _has_enough_words(report.title):
            self._headlines.append(_sorted_words(report.title))
            self._places.append(place)
        if len(report.text) >= _SHORTEST_TEXT:
            runs = _runs(report.text[:_LONGEST_TEXT])
            self._run_counts[place] = len(runs)
            for run in runs:
                holders = self._holders[run]
                if len(holders) < _MOST_HOLDERS:
                    holders.append(place)

    def same_headlines(self, title: str) -> list[int]:
        """Return the places of the same headlines, in their order."""
        if not _has_enough_words(title) or not self._headlines:
            return []
        similar = process.extract_iter(
            _sorted_words(title),
            self._headlines,
            scorer=fuzz.ratio,
            processor=None,
            score_cutoff=_SAME_HEADLINE,
        )
        return [self._places[index] for _, _, index in similar]

    def similar_texts(self, text: str) -> list[int]:
        """Return the places of the few texts that share most runs with this one, in their order."""
        if len(text) < _SHORTEST_TEXT:
            return []
        runs = _runs(text)
        shared = Counter(chain.from_iterable(self._holders.get(run, ()) for run in runs))
        similar = [
            (place, count)
            for place, count in shared.items()
            if count >= max(1, _SHARED * min(len(runs), self._run_counts[place]))
        ]
        best = sorted(similar, key=lambda item: (-item[1], item[0]))[:_MOST_TEXTS]
        return sorted(place for place, _ in best)


def _has_enough_words(title: str) -> bool:
    return len(title.split()) >= _FEWEST_WORDS


def _sorted_words(title: str) -> str:
    return " ".join(sorted(title.split()))


def _runs(text: str) -> set[int]:
    """Return the CRC-32 of all runs of words in a folded text."""
    units: Sequence[str] = text.split()
    separator, size = " ", _RUN_OF_WORDS
    if len(text) > _LONGEST_WORD * len(units):
        units, separator, size = text, "", _RUN_OF_CHARACTERS
    return {
        zlib.crc32(separator.join(units[start : start + size]).encode())
        for start in range(len(units) - size + 1)
    }
