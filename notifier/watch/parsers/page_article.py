"""The article of a page without its frame: where it is, and its sections.

Pure. Owns the choice among the elements that may hold the article, and which of its sections and
lines are announcements of others.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from notifier.text.cleaning import fold
from notifier.text.pointers import ABOUT_THE_SITE, POINTERS
from notifier.text.tags import words
from notifier.text.visible import BLOCKS
from notifier.watch.parsers.page_frame import HEADINGS, prose_of
from notifier.watch.parsers.page_text import as_text

# The class of the article on the site that the bundled profile watches.
_KNOWN_ARTICLE = "//div[contains(concat(' ', normalize-space(@class), ' '), ' bio-article-body ')]"
# Shares of the page's text that an element holds which is the article: one with the headline, one
# of its kind, and the innermost box of any kind. Chosen by hand; not measured.
_WITH_HEADLINE, _OF_ITS_KIND, _ANY_BOX = 0.2, 0.5, 0.9

_AROUND_HEADING = re.compile(
    rf"(?i)(?:{POINTERS}|{ABOUT_THE_SITE}|advertisements?|comments|leave a (?:comment|reply)"
    r"|popular|recommended|share this article|table of contents|inhalt(?:sverzeichnis)?|sommaire"
    r"|neueste (?:beiträge|artikel)|kommentare|commentaires|comentarios|articles récents"
    r"|entradas recientes|newsletter|subscribe)\s?[:：]?"
)
# Elements whose text is a line of its own, however short.
_LINES = words("p li td th dd dt blockquote figcaption pre")
# Fewer words beside the paragraphs of a box are a label, unless they are a measure.
_FEWEST_LOOSE_WORDS = 3
_MEASURE = re.compile(
    r"(?i)\d\s?(?:mg|µg|μg|mcg|g|kg|ml|l|%|‰|mm|iu|ie|weeks?|wochen?)\b|\d\s?[%‰]"
)
_MONTH = r"[^\W\d_]{3,9}\.?"
# A day as it is written on pages: March 2, 2026; 2. März 2026; 2 de marzo de 2026; 2026-03-02.
DATE = (
    rf"(?:{_MONTH}\s+\d{{1,2}},?\s+\d{{4}}|\d{{1,2}}\.?\s+(?:de\s+)?{_MONTH}\s+(?:de\s+)?\d{{4}}"
    r"|\d{4}-\d{2}-\d{2})"
)
_DAY = re.compile(DATE)
# The end of a sentence; a paragraph that is one link and ends otherwise announces what it leads to.
_SENTENCE_END = (".", "!", "?", "…", ":", "。", ".”", ".)")
# Characters of a section that may announce another article, and sections in a row that do.
_LONGEST_CARD, _FEWEST_CARDS = 600, 2


@dataclass
class _Section:
    """A heading with the lines below it.

    Attributes:
        level: of the heading, 1 to 6; 0 without one.
        leads_away: whether the heading is a link to another page.
    """

    heading: str = ""
    level: int = 0
    leads_away: bool = False
    blocks: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The characters of its lines."""
        return sum(map(len, self.blocks))


def article_of(root: Any) -> Any:
    """Return the element that holds the article of a page without its frame."""
    known = root.xpath(_KNOWN_ARTICLE)
    if known and any(known[0].itertext()):
        return known[0]
    lengths = prose_of(root)
    whole = max(lengths[root], 1)
    headline = set(root.xpath("(//h1)[1]/ancestor::*"))
    for path in ("//article[not(ancestor::article)]", "//main|//*[@role='main']"):
        candidates = root.xpath(path)
        longest = max(candidates, key=lambda element: lengths[element], default=None)
        if longest is not None:
            least = _WITH_HEADLINE if longest in headline else _OF_ITS_KIND
            if lengths[longest] >= least * whole and lengths[longest]:
                return longest
    return _innermost(root, lengths, whole)


def _innermost(root: Any, lengths: dict[Any, int], whole: int) -> Any:
    """Return the innermost element that holds nearly all text."""
    element = root
    while True:
        inner = [child for child in element if lengths.get(child, 0) >= _ANY_BOX * whole]
        if not inner or inner[0].tag in _LINES:
            return element
        element = inner[0]


def sections(article: Any, title: str) -> list[tuple[str, list[str]]]:
    """Return the headings of an article with the lines below each.

    Args:
        article: an element of a tree that `page_text.prepare` and `page_frame.strip` changed.
        title: of the page; where it stands in the article, it is no section.
    """
    reader = _Reader(title)
    for event, element in etree.iterwalk(article, events=("start", "end")):
        if event == "start":
            reader.start(element)
        else:
            reader.end(element, is_last=element is article)
    kept = _without_cards(_without_announcements(reader.sections))
    return [(section.heading, section.blocks) for section in kept]


class _Reader:
    """The sections of an article, read element by element.

    Attributes:
        sections: what was read.
    """

    def __init__(self, title: str) -> None:
        self.sections = [_Section()]
        self._title = fold(title)
        self._parts: list[str] = []
        self._unlinked = False
        self._lines = self._cells = self._links = 0
        self._address = ""

    def start(self, element: Any) -> None:
        """Read the beginning of an element."""
        if element.tag in BLOCKS and element.tag != "br":
            self._end_line()
        self._cells += element.tag in _LINES and element.tag != "p"
        self._lines += element.tag in _LINES
        if element.tag == "a":
            self._links += 1
            self._address = element.get("href", "")
        self._add(element.text)

    def end(self, element: Any, *, is_last: bool) -> None:
        """Read the end of an element, and the text behind it."""
        if element.tag in HEADINGS:
            self._end_heading(int(element.tag[1]))
        elif is_last or (element.tag in BLOCKS and element.tag != "br"):
            self._end_line()
        self._cells -= element.tag in _LINES and element.tag != "p"
        self._lines -= element.tag in _LINES
        self._links -= element.tag == "a"
        if not is_last:
            self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._parts.append(text)
            self._unlinked = self._unlinked or (not self._links and any(map(str.isalnum, text)))

    def _take(self) -> tuple[str, bool]:
        """Return the text since the last line, and whether all of it is a link."""
        text, is_link = as_text("".join(self._parts)), not self._unlinked and bool(self._address)
        self._parts, self._unlinked = [], False
        return text, is_link

    def _end_line(self) -> None:
        if not self._parts:
            return
        text, is_link = self._take()
        is_short = len(text.split()) < _FEWEST_LOOSE_WORDS and not _MEASURE.search(text)
        is_label = not self._lines and (is_short or _DAY.fullmatch(text))
        announces = is_link and not self._cells and not text.endswith(_SENTENCE_END)
        if text and not is_label and not announces:
            self.sections[-1].blocks.append(text)

    def _end_heading(self, level: int) -> None:
        text, is_link = self._take()
        if not text or (level == 1 and fold(text) == self._title):
            return
        leads_away = is_link and not self._address.startswith("#")
        self.sections.append(_Section(text, level, leads_away))


def _without_announcements(read: list[_Section]) -> list[_Section]:
    """Return the sections without those below a heading that announces other articles."""
    kept = []
    level = 0
    for section in read:
        if level and 0 < section.level <= level:
            level = 0
        if not level and section.level and _AROUND_HEADING.fullmatch(section.heading):
            level = section.level
        if not level:
            kept.append(section)
    return kept


def _without_cards(read: list[_Section]) -> list[_Section]:
    """Return the sections without runs of short ones whose headings lead to other pages.

    A page that consists of such sections for the most part is kept whole.
    """
    own = sum(section.size for section in read if not section.leads_away)
    cards = [section.leads_away and section.size <= _LONGEST_CARD for section in read]
    if own <= sum(section.size for section in read if section.leads_away):
        return read
    beside = [False, *cards, False]
    return [
        section
        for number, section in enumerate(read, start=1)
        if not (beside[number] and (beside[number - 1] or beside[number + 1]))
    ]
