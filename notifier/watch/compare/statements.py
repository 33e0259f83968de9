"""The statements of a text: its sentences, without the lines that a site puts around its texts.

Pure. Owns where a sentence ends, and which lines below a heading belong to a list of other articles
or to a table of contents. It knows nothing of changes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from notifier.watch.compare import surroundings
from notifier.watch.compare.numerals import MONTH, decimal_sign
from notifier.watch.compare.wording import Word, glued, without_marks, words

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”»)\]]*\s+|(?<=[。！？])")
# A full stop behind these ends no sentence. Chosen by hand; not measured.
_NO_END = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Dr|Prof|Mr|Mrs|Ms|St|vs|approx|ca|bzw|resp|No|Nr|Vol|Fig|Inc|Ltd|"
    r"Co|Corp|"
    r"(?i:jan|janv|feb|febr|févr|mar|apr|avr|jun|jul|juil|aug|sept?|oct|okt|nov|dec|déc|dez)|"
    r"\w\.\w)\.$"
)
_ORDINAL, _GOES_ON = re.compile(r"(?:^|\s)\d{1,2}\.$"), re.compile(rf"(?i){MONTH}|(?-i:[a-zà-ÿ])")
# Lines of an advertisement below its label. Chosen by hand; not measured.
_LINES_OF_AD = 4


@dataclass(frozen=True)
class Statement:
    """A sentence of a text.

    Attributes:
        text: the sentence as a reader sees it, without reference marks.
        sign: the sign before decimals in the whole text.
        line: the number of its line in the text.
        section: the heading above it; empty for a text without headings.
        below_ad: how many lines above it the label of an advertisement stands; 0 for none.
        in_list: whether it stands below the heading of other articles or of a table of contents.
    """

    text: str
    sign: str = "."
    line: int = 0
    section: str = ""
    below_ad: int = 0
    in_list: bool = False

    @cached_property
    def words(self) -> list[Word]:
        """Its words as they are compared, without credits, volume and page numbers."""
        return words(surroundings.without_credits(self.text), self.sign)

    @cached_property
    def key(self) -> str:
        """Its words without spaces: equal for all ways of writing the sentence."""
        return glued(self.words)

    @cached_property
    def template(self) -> str:
        """The key without digits, equal for ``4 min read`` and ``7 min read``."""
        return re.sub(r"\d+", "#", self.key)

    @cached_property
    def is_around(self) -> bool:
        """True if it belongs to the site, not to the text, or says nothing at all."""
        return not self.key or surroundings.is_around(self.text)


@dataclass(frozen=True)
class Text:
    """A text to be compared, as lines.

    Attributes:
        lines: its lines, each with the heading above it.
    """

    lines: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, text: str) -> "Text":
        """Return a text without headings."""
        return cls([("", line) for line in text.split("\n")])

    @cached_property
    def sign(self) -> str:
        """The sign before decimals."""
        return decimal_sign("\n".join(line for _, line in self.lines))

    @cached_property
    def statements(self) -> list[Statement]:
        """Its statements in order, without headings of lists and labels of advertisements."""
        statements_found = []
        ad_line = -_LINES_OF_AD - 1
        for number, section, line, in_list in _with_lists(self.lines):
            if surroundings.is_advertisement(line):
                ad_line = number
                continue
            if surroundings.is_citation(line):
                continue
            below = number - ad_line if number - ad_line <= _LINES_OF_AD else 0
            statements_found += [
                Statement(sentence, self.sign, number, section, below, in_list)
                for sentence in sentences(line)
            ]
        return statements_found


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order, without reference marks."""
    statements_found: list[str] = []
    for line in text.split("\n"):
        pending = ""
        for part in _SENTENCE_END.split(without_marks(line)):
            if not part or not part.strip():
                continue
            if pending and not _is_open(pending, part):
                statements_found.append(pending)
                pending = ""
            pending = f"{pending} {part}".strip()
        if pending:
            statements_found.append(pending)
    return statements_found


def _is_open(sentence: str, following: str) -> bool:
    """Return whether a full stop at the end of a part ends no sentence: ``Dr.``, ``3. Oktober``."""
    end = sentence[-10:]
    return bool(_NO_END.search(end) or (_ORDINAL.search(end) and _GOES_ON.match(following.strip())))


def _with_lists(lines: Sequence[tuple[str, str]]) -> Iterator[tuple[int, str, str, bool]]:
    """Yield the lines with their numbers and headings, and whether they stand in such a list."""
    in_list = False
    listed_section = ""
    for number, (section, line) in enumerate(lines):
        if surroundings.is_list_heading(line):
            in_list, listed_section = True, section
            continue
        if in_list and (section != listed_section or surroundings.ends_a_list(line)):
            in_list = False
        if line.strip():
            yield number, section, line, in_list
