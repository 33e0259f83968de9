"""Stories: whether two texts tell the same news, as several outlets do.

Pure. Owns the signs of it, from the surest: the same page, the same paper or trial record, the same text (a press
release that others print), the same headline. Different numbers in two headlines are two pieces of news.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rapidfuzz import fuzz

from notifier.text import canonical_url, fold, paper_ids

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

_SAME_HEADLINE = 88
_FEWEST_WORDS = 5
_SAME_TEXT = 80
_LEAD = 3000
_SHORTEST_TEXT, _LONGEST_TEXT = 200, 1500


@dataclass(frozen=True)
class Telling:
    """One outlet's telling of a piece of news; `papers` are the ids of papers and trial records it is of."""

    url: str
    title: str
    text: str
    papers: frozenset[str] = field(default_factory=frozenset)


def telling(url: str, title: str, text: str, trial: str = "") -> Telling:
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
    return Telling(f"{canonical_url(url)}#{place}", fold(title), fold(text), ids)


def same_news(one: Telling, other: Telling) -> bool:
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
    return enough and fuzz.token_sort_ratio(one, other) >= _SAME_HEADLINE


def _same_text(one: str, other: str) -> bool:
    shorter, longer = sorted((one[:_LONGEST_TEXT], other), key=len)
    if len(shorter) < _SHORTEST_TEXT:
        return False
    return fuzz.partial_ratio(shorter[:_LONGEST_TEXT], longer[: 3 * _LONGEST_TEXT]) >= _SAME_TEXT
