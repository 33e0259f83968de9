"""Fingerprints: what of a text is compared with others, and the keys by which it is found.

Owns the two forms of a report: the whole one, by which two reports are compared, and the short one,
which is stored so that recent reports can be searched without reading their texts. Pure functions.
"""

from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from sys import byteorder
from typing import Any
from urllib.parse import urlsplit

from notifier.match.stories import headlines, passages
from notifier.match.stories.events import Event
from notifier.match.stories.headlines import Headline
from notifier.match.stories.passages import Report
from notifier.text.cleaning import paper_ids
from notifier.text.urls import canonical_url

# Count it up when other keys are made of the same text: those that are stored are then made anew.
FORM = 2

# In characters, searched for paper ids. Chosen by hand; not measured.
_PAPER_TEXT = 3000
# The URL of a text without one, in canonical form.
NO_URL = "#"

# Stored in a byte order of its own: the same database may serve machines of several kinds.
_ORDER = "little"


@dataclass(frozen=True)
class Fingerprint:
    """The parts of a text that are compared.

    Attributes:
        url: canonical, with the fragment: two places of one page are two pieces of news. A front
            page is no page: it shows all news.
        headline: as it is compared.
        text: the folded beginning of the text, without boilerplate.
        written: the same in its own letters.
        papers: the ids of the paper (DOI or PubMed number) that it is about.
        trial: the number of the trial whose record it is; else empty.
    """

    url: str
    headline: Headline
    text: str
    written: str = ""
    papers: frozenset[str] = field(default_factory=frozenset)
    trial: str = ""

    @property
    def event(self) -> Event:
        """The facts that the headline states."""
        return self.headline.event

    @property
    def report(self) -> Report:
        """The text, as it is compared with others."""
        return Report(self.headline, self.text, self.written)


def fingerprint(url: str, title: str, text: str, trial: str = "") -> Fingerprint:
    """Return the fingerprint of a text.

    Args:
        url: of its page.
        title: its headline.
        text: its body, or its summary if it has no body.
        trial: the number of the trial if the text is the record of one; else empty.
    """
    papers = set(paper_ids(f"{url} {title} {text[:_PAPER_TEXT]}"))
    canonical, parts = canonical_url(url), urlsplit(url)
    headline = headlines.read(title, text, parts.hostname or "")
    written = "" if headline.copied else passages.compared(text, title)
    return Fingerprint(
        f"{canonical}#{parts.fragment}" if "/" in canonical or "?" in canonical else NO_URL,
        headline,
        passages.folded(written),
        written,
        # A roundup names many papers, and is the story of none of them.
        frozenset(papers if len(papers) == 1 else ()),
        trial,
    )


@dataclass(frozen=True)
class Keys:
    """The keys that a report is found by.

    Attributes:
        signs: 16 hexadecimal digits for its page, for each of its papers, and for its trial.
        numbers: the same for the numbers that no headline of the same news leaves out.
        forms: the words of its headline in the order of the alphabet, with the outlet's name and
            without; none if it is too short.
        opening: the first words of the headline.
        short: True if the headline is cut, or a copy without a text.
        runs: the hashes of the runs of words in its text, 8 bytes each (`passages.runs`).
    """

    signs: tuple[str, ...]
    numbers: str
    forms: tuple[str, ...]
    opening: str
    short: bool
    runs: bytes

    @property
    def run_count(self) -> int:
        """The number of its runs."""
        return len(self.runs) // 8

    def run_hashes(self) -> "array[int]":
        """Return the hashes of its runs."""
        hashes = array("Q", self.runs)
        if byteorder != _ORDER:
            hashes.byteswap()
        return hashes

    def to_json(self) -> dict[str, Any]:
        """Return all but the runs as a JSON document."""
        return {
            "signs": list(self.signs),
            "numbers": self.numbers,
            "forms": list(self.forms),
            "opening": self.opening,
            "short": self.short,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any], runs: bytes) -> "Keys":
        """Return the keys that `to_json` made a document of."""
        return cls(
            tuple(document["signs"]),
            document["numbers"],
            tuple(document["forms"]),
            document["opening"],
            document["short"],
            runs,
        )


def keys_of(report: Fingerprint) -> Keys:
    """Return the keys by which a report is found."""
    signs = []
    if report.url != NO_URL:
        signs.append(_digest("page", report.url))
    signs += [_digest("paper", paper) for paper in sorted(report.papers)]
    if report.trial:
        signs.append(_digest("trial", report.trial))
    bare = sorted(
        {
            (number.unit, float(number.value), number.decimals, number.about)
            for number in report.event.numbers
            if number.unit in ("", "calendar")
        }
    )
    headline = report.headline
    return Keys(
        tuple(signs),
        _digest("numbers", repr(bare)) if bare else "",
        tuple(headlines.sorted_words(form) for form in headline.forms),
        headline.opening,
        headline.cut or headline.copied,
        _packed(report.text) if len(report.text) >= passages.SHORTEST_TEXT else b"",
    )


def _digest(kind: str, value: str) -> str:
    return blake2b(f"{kind} {value}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def _packed(text: str) -> bytes:
    hashes = array("Q", sorted(passages.runs(text[: passages.LONGEST_TEXT])))
    if byteorder != _ORDER:
        hashes.byteswap()
    return hashes.tobytes()
