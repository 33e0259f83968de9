"""Recognition of pages that stand in place of a document, although the status is 200.

Pure. Owns how much each sign weighs. One sign is never enough: an article may be called "Access
denied", a therapy page may have a log-in form, a cookie notice, or a script of a protection
service. What is known of the source decides the doubtful cases (`watch/plausibility.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from notifier.text.cleaning import clean, fold, shorten
from notifier.watch.parsers.not_the_page.faults import FAILURE, FAULTS, MISSING
from notifier.watch.parsers.not_the_page.gates import CONSENT, GATES, LOG_IN, PAYWALL, REFUSAL
from notifier.watch.parsers.not_the_page.page import Page, read
from notifier.watch.parsers.not_the_page.words import Words

# All weights and limits were chosen by hand on the pages and articles of
# tests/watch/test_not_the_page.py; not measured otherwise.

# Points of a title: the whole of it, one of its parts ("Log in | Example Society"), its beginning;
# and of a second title of the same kind.
_WHOLE_TITLE, _PART_OF_TITLE, _BEGINNING_OF_TITLE, _SECOND_TITLE = 3, 2, 1, 1
# Points of a phrase, of a hint, and the most of them all.
_PHRASE, _HINT, _MOST_OF_PHRASES = 2, 1, 5
# Points of a trace in the markup, of a field for a password, of a part of the address.
_SURE_TRACE, _TRACE, _PASSWORD, _PATH = 12, 4, 2, 1
# So many points make a page probably, and surely, another one than the document.
_DOUBTFUL, _CERTAIN = 3, 4
# So many hints say as much as a title; so many phrases are enough where there is no title.
_MANY_HINTS, _MANY_PHRASES = 4, 2
# Words of an article that is hardly any, of a short one (a point each), of the longest one whose
# title alone is enough, and of the longest one that
# a trace or a field for a password says something of.
_HARDLY_ANY, _SHORT, _TITLE_IS_ENOUGH, _LONGEST_WITH_TRACE = 15, 60, 30, 120
# Words of long articles, and what they lose; a request for consent may be long.
_LONG, _VERY_LONG, _LONG_CONSENT, _LESS, _MUCH_LESS = 250, 500, 800, 2, 4
# Characters of a title in a message.
_LONGEST_SHOWN = 80

# Headers by which protection services say that their own page is sent.
_HEADERS = {
    "cf-mitigated": ("challenge",),
    "x-amzn-waf-action": ("challenge", "captcha"),
    "x-vercel-mitigated": ("challenge", "deny"),
}
# Traces that no other page has, so that its length does not matter.
_SURE_TRACES = ("_cf_chl_opt", "challenge-error-text", "anubis_challenge")

_PARTS = re.compile(r"\s+[|·•–—›»-]+\s+|\s*[|»›]\s*")
# A status code, as titles name it: "404", "Error 503", "HTTP 403".
_CODE = (
    r"(?:(?:http|error|status|code|fehler|erreur|errore|fout|erro|błąd|fel|fejl|ошибка|hata) ){0,2}"
    r"(?P<code>40\d|41\d|42\d|451|50\d|52\d)"
    r"(?: (?:error|fehler|erreur|errore))?"
)
_CODE_FIRST, _CODE_LAST = re.compile(rf"{_CODE}(?: |$)"), re.compile(rf"(?:^| ){_CODE}$")
_KINDS_OF_CODES = {"401": LOG_IN, "403": REFUSAL, "404": MISSING, "410": MISSING, "451": REFUSAL}
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Finding:
    """A page that is, or may be, not the document.

    Attributes:
        reason: a clause: ``a log-in page ("Log in")``.
        certain: whether the page alone shows it; if not, it counts only with other evidence.
    """

    reason: str
    certain: bool


@dataclass(frozen=True)
class _Evidence:
    """The signs of one kind of page.

    Attributes:
        titles: points of its titles.
        phrases: the number of phrases.
        hints: the number of hints.
        trace: whether its markup has a trace of the kind.
        sure_trace: whether it has one that no other page has.
        password: whether it asks for a password, as this kind of page does.
        path: whether its address names the kind.
    """

    titles: int = 0
    phrases: int = 0
    hints: int = 0
    trace: bool = False
    sure_trace: bool = False
    password: bool = False
    path: bool = False

    @property
    def is_one(self) -> bool:
        """Return whether anything but the form of the page speaks for the kind."""
        return bool(
            self.titles >= _PART_OF_TITLE
            or self.phrases
            or self.trace
            or self.sure_trace
            or self.hints >= _MANY_HINTS
            or (self.titles and self.hints)
        )

    def is_enough(self, page: Page) -> bool:
        """Return whether the signs support each other."""
        if self.sure_trace or (self.trace and page.words < _LONGEST_WITH_TRACE):
            return True
        if self.titles < _PART_OF_TITLE:
            many = self.phrases >= _MANY_PHRASES and page.words < _SHORT
            return many or bool(self.phrases and page.words < _HARDLY_ANY)
        if page.words >= _LONG:
            return self.phrases >= _MANY_PHRASES or self.hints >= _MANY_HINTS
        return bool(self.phrases or self.hints or self.password or page.words < _TITLE_IS_ENOUGH)

    def points(self, page: Page, kind: Words) -> int:
        """Return the weight of all signs together."""
        of_phrases = min(self.phrases * _PHRASE + self.hints * _HINT, _MOST_OF_PHRASES)
        return (
            self.titles
            + of_phrases
            + (_TRACE if self.trace else 0)
            + (_SURE_TRACE if self.sure_trace else 0)
            + (_PASSWORD if self.password else 0)
            + (_PATH if self.path else 0)
            + _points_of_form(page, kind)
        )


def by_headers(headers: Mapping[str, str]) -> str:
    """Return the reason, a clause, if the headers say that this is not the document; else empty.

    Args:
        headers: of the response, names in lower case.
    """
    for name, values in _HEADERS.items():
        if headers.get(name, "").strip().lower() in values:
            return f"a check of the browser (header {name})"
    return ""


def recognised(document: str, article: str, url: str = "") -> Finding | None:
    """Return what a page is instead of the document; None if nothing speaks for that.

    Args:
        document: the page in HTML.
        article: the text of its article, without markup; empty if none was found.
        url: the address that answered.
    """
    page = read(document, article)
    folders = frozenset(urlsplit(url).path.lower().split("/"))
    of_kinds = [(_evidence(page, kind, folders), kind) for kind in (*GATES, *FAULTS)]
    evidence, kind = max(of_kinds, key=lambda of_kind: of_kind[0].points(page, of_kind[1]))
    points = evidence.points(page, kind)
    if points < _DOUBTFUL or not evidence.is_one:
        return None
    shown = f' ("{shorten(clean(page.titles[0]), _LONGEST_SHOWN)}")' if page.titles else ""
    return Finding(kind.name + shown, points >= _CERTAIN and evidence.is_enough(page))


def instead_of_feed(document: str) -> str:
    """Return what a web page that answered in place of a feed is, a clause; empty if unknown."""
    finding = recognised(document, "")
    return finding.reason if finding is not None else ""


@cache
def _folded(listed: str) -> tuple[str, ...]:
    phrases = (fold(phrase) for line in listed.splitlines() for phrase in line.split(";"))
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


@cache
def _as_in_text(listed: str) -> tuple[str, ...]:
    """Return phrases as they are searched for: at the beginning of a word, where there are spaces.

    Chinese, Japanese and Korean (from U+2E80 on) set none, or not everywhere.
    """
    return tuple(phrase if phrase[0] >= "\u2e80" else f" {phrase}" for phrase in _folded(listed))


@cache
def _titles_of(kind: Words) -> frozenset[str]:
    return frozenset(_folded(kind.titles))


@cache
def _traces_of(kind: Words) -> tuple[str, ...]:
    parts = (part.strip() for line in kind.traces.splitlines() for part in line.split(";"))
    return tuple(part for part in parts if part)


def _evidence(page: Page, kind: Words, folders: frozenset[str]) -> _Evidence:
    traces = [trace for trace in _traces_of(kind) if trace in page.markup]
    asks = kind in (LOG_IN, PAYWALL) and page.asks_for_password
    return _Evidence(
        titles=_points_of_titles(page.titles, kind),
        phrases=sum(phrase in page.text for phrase in _as_in_text(kind.phrases)),
        hints=sum(hint in page.text for hint in _as_in_text(kind.hints)),
        trace=bool(traces) and page.words < _LONGEST_WITH_TRACE,
        sure_trace=any(trace in _SURE_TRACES for trace in traces),
        password=asks and page.words < _LONGEST_WITH_TRACE,
        path=bool(folders & frozenset(kind.paths.split("; "))),
    )


def _points_of_titles(titles: tuple[str, ...], kind: Words) -> int:
    points = sorted((_points_of_title(title, kind) for title in titles), reverse=True)
    if not points:
        return 0
    return points[0] + (_SECOND_TITLE if points[1:] and points[1] >= _PART_OF_TITLE else 0)


def _points_of_title(title: str, kind: Words) -> int:
    known = _titles_of(kind)
    whole = fold(title[:_LONGEST_TITLE])
    if _is_title(whole, kind, known):
        return _WHOLE_TITLE
    parts = [fold(part) for part in _PARTS.split(title[:_LONGEST_TITLE])]
    if any(_is_title(part, kind, known) for part in parts):
        return _PART_OF_TITLE
    words = whole.split()
    beginnings = (" ".join(words[:count]) for count in range(2, len(words)))
    return _BEGINNING_OF_TITLE if any(text in known for text in beginnings) else 0


def _is_title(text: str, kind: Words, known: frozenset[str]) -> bool:
    """Return whether a folded title, with or without a status code, is one of a kind."""
    if text in known:
        return True
    code = _CODE_FIRST.match(text) or _CODE_LAST.search(text)
    if code is None:
        return False
    rest = f"{text[: code.start()]}{text[code.end() :]}".strip()
    if not rest:
        return kind is _KINDS_OF_CODES.get(code["code"], FAILURE)
    return rest in known


def _points_of_form(page: Page, kind: Words) -> int:
    """Return the points for a form that pages of this sort have: short, with no way on."""
    points = int(page.words < _SHORT) + int(page.words < _HARDLY_ANY)
    points += int(page.is_bare or page.is_passing)
    if kind is CONSENT and page.words < _LONG_CONSENT:
        return points
    if page.words >= _VERY_LONG:
        return points - _MUCH_LESS
    return points - _LESS if page.words >= _LONG else points
