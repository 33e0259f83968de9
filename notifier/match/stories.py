"""Stories: whether two texts tell the same news, as several outlets do.

Pure. Owns the signs of it, from the surest: the same page, the same paper or trial record, the same
text (a press release that others print), the same headline. Different numbers in two headlines are
two pieces of news.

`Recent` finds the first telling of the same news among many without comparing all with all. Pages,
papers and headlines are found exactly as `same_news` finds them. Texts are compared only where they
share a tenth of their runs of four words, and of those only the few that share most: a text in
which nearly every fourth word was changed is not found.
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

_SAME_HEADLINE = 88
_FEWEST_WORDS = 5
_SAME_TEXT = 80
_LEAD = 3000
_SHORTEST_TEXT, _LONGEST_TEXT = 200, 1500
# How much of a text and of a headline is looked at, before folding leaves out what parts words.
_READ, _LONGEST_HEADLINE = 20_000, 600

# Runs of so many words, or of so many characters where no spaces are set, tell that texts have a
# passage in common.
_RUN_OF_WORDS, _RUN_OF_CHARACTERS = 4, 12
_LONGEST_WORD = 20
_SHARED = 0.1
_MOST_TEXTS = 4
# Of a run that many texts hold, so many are enough: they tell the same news, or the run is no news.
_MOST_HOLDERS = 30


@dataclass(frozen=True)
class Fingerprint:
    """One outlet's telling of a piece of news; `papers` are the ids of papers and trial records it is of."""

    url: str
    title: str
    text: str
    papers: frozenset[str] = field(default_factory=frozenset)


def fingerprint(url: str, title: str, text: str, trial: str = "") -> Fingerprint:
    """A text, ready to be compared.

    Args:
        url: where it stands.
        title: its headline.
        text: its body, or its summary where it has none.
        trial: the number of the trial whose record it is, if it is one.
    """
    papers = set(paper_ids(f"{url} {title} {text[:_LEAD]}"))
    place = urlsplit(url).fragment  # two places of one page are two pieces of news
    # A roundup names many papers, and is the story of none of them.
    one_paper = papers if len(papers) == 1 else set()
    ids = frozenset(one_paper | ({trial} if trial else set()))
    headline = fold(title[:_LONGEST_HEADLINE])
    return Fingerprint(
        f"{canonical_url(url)}#{place}", headline, fold(text[:_READ])[: 3 * _LONGEST_TEXT], ids
    )


def same_news(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two texts tell the same news."""
    if (one.url != "#" and one.url == other.url) or one.papers & other.papers:
        return True
    if _numbers(one.title) != _numbers(other.title):
        return False
    return _same_headline(one.title, other.title) or _same_text(one.text, other.text)


def _numbers(title: str) -> set[str]:
    return set(_NUMBER.findall(title))


def _same_headline(one: str, other: str) -> bool:
    enough = min(len(one.split()), len(other.split())) >= _FEWEST_WORDS
    return enough and fuzz.ratio(_sorted_words(one), _sorted_words(other)) >= _SAME_HEADLINE


def _same_text(one: str, other: str) -> bool:
    shorter, longer = sorted((one[:_LONGEST_TEXT], other), key=len)
    if len(shorter) < _SHORTEST_TEXT:
        return False
    longer = longer[: 3 * _LONGEST_TEXT]
    return (
        fuzz.partial_ratio(shorter[:_LONGEST_TEXT], longer, score_cutoff=_SAME_TEXT) >= _SAME_TEXT
    )


class Recent:
    """Recent tellings in their order, among which the first that tells the same news is found."""

    def __init__(self) -> None:
        self._tellings: list[Fingerprint] = []
        self._keys: list[int] = []
        self._entries: list[int] = []
        self._by_url: dict[str, list[int]] = defaultdict(list)
        self._by_paper: dict[str, list[int]] = defaultdict(list)
        self._by_numbers: dict[frozenset[str], _SameNumbers] = defaultdict(_SameNumbers)

    def add(self, key: int, entry_id: int, told: Fingerprint) -> None:
        """Add the newest telling, of an entry, under a key of the caller's."""
        place = len(self._tellings)
        self._tellings.append(told)
        self._keys.append(key)
        self._entries.append(entry_id)
        if told.url != "#":
            self._by_url[told.url].append(place)
        for paper in told.papers:
            self._by_paper[paper].append(place)
        self._by_numbers[frozenset(_numbers(told.title))].add(place, told)

    def first_like(self, entry_id: int, told: Fingerprint) -> int | None:
        """The key of the first telling of the same news by another entry; None where there is none."""
        places = self._places(entry_id, told)
        return self._keys[min(places)] if places else None

    def _places(self, entry_id: int, told: Fingerprint) -> list[int]:
        same_page = self._by_url.get(told.url, ()) if told.url != "#" else ()
        same_paper = chain.from_iterable(self._by_paper.get(paper, ()) for paper in told.papers)
        places = [
            place for place in chain(same_page, same_paper) if self._entries[place] != entry_id
        ]
        group = self._by_numbers.get(frozenset(_numbers(told.title)))
        if group is None:
            return places
        places += [
            place for place in group.same_headlines(told.title) if self._entries[place] != entry_id
        ][:1]
        alike = (place for place in group.like_texts(told.text) if self._entries[place] != entry_id)
        return (
            places
            + [place for place in alike if _same_text(self._tellings[place].text, told.text)][:1]
        )


class _SameNumbers:
    """Tellings whose headlines name the same numbers."""

    def __init__(self) -> None:
        self._headlines: list[str] = []
        self._places: list[int] = []
        self._holders: dict[int, list[int]] = defaultdict(list)
        self._runs: dict[int, int] = {}

    def add(self, place: int, told: Fingerprint) -> None:
        """Add a telling at its place in the whole order."""
        if _has_words(told.title):
            self._headlines.append(_sorted_words(told.title))
            self._places.append(place)
        if len(told.text) >= _SHORTEST_TEXT:
            runs = _runs(told.text[:_LONGEST_TEXT])
            self._runs[place] = len(runs)
            for run in runs:
                holders = self._holders[run]
                if len(holders) < _MOST_HOLDERS:
                    holders.append(place)

    def same_headlines(self, title: str) -> list[int]:
        """The places of the same headlines, in their order."""
        if not _has_words(title) or not self._headlines:
            return []
        found = process.extract_iter(
            _sorted_words(title),
            self._headlines,
            scorer=fuzz.ratio,
            processor=None,
            score_cutoff=_SAME_HEADLINE,
        )
        return [self._places[index] for _, _, index in found]

    def like_texts(self, text: str) -> list[int]:
        """The places of the few texts that have most in common with this one, in their order."""
        if len(text) < _SHORTEST_TEXT:
            return []
        runs = _runs(text)
        shared = Counter(chain.from_iterable(self._holders.get(run, ()) for run in runs))
        enough = [
            (place, count)
            for place, count in shared.items()
            if count >= max(1, _SHARED * min(len(runs), self._runs[place]))
        ]
        best = sorted(enough, key=lambda item: (-item[1], item[0]))[:_MOST_TEXTS]
        return sorted(place for place, _ in best)


def _has_words(title: str) -> bool:
    return len(title.split()) >= _FEWEST_WORDS


def _sorted_words(title: str) -> str:
    return " ".join(sorted(title.split()))


def _runs(text: str) -> set[int]:
    """Check sums of all runs of words that stand in a folded text."""
    units: Sequence[str] = text.split()
    joint, size = " ", _RUN_OF_WORDS
    if len(text) > _LONGEST_WORD * len(units):
        units, joint, size = text, "", _RUN_OF_CHARACTERS
    return {
        zlib.crc32(joint.join(units[at : at + size]).encode())
        for at in range(len(units) - size + 1)
    }
