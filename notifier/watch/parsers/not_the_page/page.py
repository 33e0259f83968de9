"""The parts of a page by which one that stands in place of a document is recognised.

Pure. Reads the tags with regular expressions, once and within limits, because what stands in place
of a document may be any bytes.
"""

import re
from dataclasses import dataclass

from notifier.text.cleaning import fold, plain

# Limits chosen by hand; not measured.

# Characters that are searched for traces, and of a text for phrases.
_SEARCHED_MARKUP, _SEARCHED_TEXT = 400_000, 8_000
# Characters of a document whose whole text is read if it has hardly any article, and the words of
# such an article.
_LONGEST_READ_WHOLE, _HARDLY_ANY = 60_000, 15
# First headings that are read; links of a page without a way on, at most.
_MOST_HEADINGS, _FEWEST_LINKS = 3, 4
# Characters that count as a word where words have no spaces between them (from U+2E80 on).
_CHARACTERS_OF_WORD = 2.5

_HIDDEN = re.compile(r"(?i)<!--|<(script|style|template)\b[^<>]*>")
_ENDS = {"": re.compile("-->")} | {
    name: re.compile(rf"(?i)</{name}\b[^<>]*>?") for name in ("script", "style", "template")
}
_TITLE = re.compile(r"(?i)<title\b[^<>]*>([^<]{0,1000})")
_HEADING = re.compile(r"(?i)<h[12]\b[^<>]*>((?:[^<]|<(?!/?h[12]\b)){0,1000})")
_PASSWORD = re.compile(r"(?i)<input\b[^<>]*\stype\s{0,9}=\s{0,9}[\"']?password")
_PASSING = re.compile(r"(?i)<meta\b[^<>]*(?:[\"'=\s]refresh|noindex)")
_LANDMARK = re.compile(r"(?i)<(?:nav|header|footer|aside)\b|\srole\s{0,9}=\s{0,9}[\"']?navigation")
_LINK = re.compile(r"(?i)<a\b[^<>]*\shref")
_WITHOUT_SPACES = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True)
class Page:
    """The parts of a page that are weighed.

    Attributes:
        titles: the title and the first headings, as far as there are any.
        text: the folded text, with a space before it.
        markup: the document in lower case.
        words: the number of words of its article.
        asks_for_password: whether it has a field for a password.
        is_bare: whether it has neither menus nor more than a few links.
        is_passing: whether it leads elsewhere by itself, or is not meant for search engines.
    """

    titles: tuple[str, ...]
    text: str
    markup: str
    words: int
    asks_for_password: bool
    is_bare: bool
    is_passing: bool


def read(document: str, article: str) -> Page:
    """Return the parts of a page.

    Args:
        document: the page in HTML.
        article: the text of its article, without markup; empty if none was found.
    """
    start = document[:_SEARCHED_MARKUP]
    shown = _without_hidden(start)
    titles_in_markup = [*_TITLE.findall(shown)[:1], *_HEADING.findall(shown)[:_MOST_HEADINGS]]
    titles = tuple(title for markup in titles_in_markup if (title := plain(markup)))
    words = count_words(article)
    text = article[:_SEARCHED_TEXT]
    if words < _HARDLY_ANY:
        text += " " + plain(shown[:_LONGEST_READ_WHOLE])[:_SEARCHED_TEXT]
    return Page(
        titles=titles,
        text=f" {fold(text)}",
        markup=start.lower(),
        words=words,
        asks_for_password=bool(_PASSWORD.search(shown)),
        is_bare=not _LANDMARK.search(shown) and len(_LINK.findall(shown)) < _FEWEST_LINKS,
        is_passing=bool(_PASSING.search(shown)),
    )


def count_words(text: str) -> int:
    """Return the number of words; in scripts without spaces an estimate from the characters."""
    without_spaces = len(_WITHOUT_SPACES.findall(text))
    spaced = _WITHOUT_SPACES.sub(" ", text) if without_spaces else text
    return len(spaced.split()) + round(without_spaces / _CHARACTERS_OF_WORD)


def _without_hidden(document: str) -> str:
    """Return the document without comments, scripts, styles and templates."""
    parts: list[str] = []
    end = 0
    hidden = _HIDDEN.search(document)
    while hidden:
        parts.append(document[end : hidden.start()])
        closing = _ENDS[(hidden[1] or "").lower()].search(document, hidden.end())
        end = closing.end() if closing else len(document)
        hidden = _HIDDEN.search(document, end)
    return "".join([*parts, document[end:]])
