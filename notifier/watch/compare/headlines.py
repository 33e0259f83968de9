"""Two headlines of one article: whether they say the same.

Pure. Every other word of a headline matters, because many readers read nothing else. Not so its
spelling, a counter at its end, a label before it, and the name of the site.
"""

import re
from collections.abc import Collection, Sequence
from itertools import islice

from notifier.text.cleaning import fold
from notifier.watch.compare.edit_distance import is_one_slip
from notifier.watch.compare.facts import fact_of
from notifier.watch.compare.headline_labels import bare_headline
from notifier.watch.compare.statements import Statement
from notifier.watch.compare.style import Span
from notifier.watch.compare.text_changes import NOTHING_SHARED, Shared, spans_of, swap_of
from notifier.watch.compare.wording import Word, glued, words

# Chosen by hand; not measured: words of a site's or section's name, letters of a name that is part
# of another one, and letters of a word in which one is taken for a slip.
_LONGEST_NAME, _SHORTEST_NAME, _SHORTEST_SLIP = 6, 4, 6
_SEPARATOR = re.compile(r" [|–—·»:•-] | ?[|»•] ?|: ")
_BAR = re.compile(r" ?[|»•] ?")
# Between a statement and who makes it: "…, study finds", "Study: …".
_JOINT = re.compile(r"[,:;|] | [–—-] ")
_CUT = re.compile(r" ?(?:…|\.\.\.)$")
# Articles, which headlines set or leave out. "Die" is an English verb.
_ARTICLES = frozenset(
    ("the", "a", "an", "der", "das", "den", "dem", "ein", "eine", "einen", "le", "la", "les", "un",
     "une", "el", "los", "las", "una", "il", "lo", "gli")
)  # fmt: skip
_PARTS_OF_ALL = frozenset(("half", "third", "quarter", "double", "triple", "twice", "once"))
# In characters, of a headline that was cut, and of one whose parts are looked at; and how many
# joints of it are. Chosen by hand; not measured.
_SHORTEST_CUT, _LONGEST_OF_PARTS, _MOST_JOINTS = 20, 400, 4


def says_the_same(
    old: str,
    new: str,
    sites: Collection[str] = (),
    shared: Shared = NOTHING_SHARED,
    sign: str = ".",
) -> bool:
    """Return whether two headlines of one article say the same.

    Args:
        old: the earlier headline.
        new: the headline of today.
        sites: the site's names.
        shared: the edit that most entries of the document share.
        sign: the sign before decimals in the article.
    """
    if old == new:
        return True
    sides = [bare_headline(title) for title in (old, new)]
    before, after = (words(_without_site(title, sites), sign) for title in sides)
    if glued(before) == glued(after) or _only_a_section_differs(*sides):
        return True
    if _is_turned_round(sides[0], after, sign) or _is_turned_round(sides[1], before, sign):
        return True
    if _is_cut(sides[0], after, sign) or _is_cut(sides[1], before, sign):
        return True
    spans = [span for span in spans_of(before, after) if swap_of(span) not in shared.swaps]
    return all(_is_slip(span) or _is_article(span) for span in spans)


def spans(old: str, new: str) -> tuple[Span, ...]:
    """Return the words in which two headlines differ."""
    return spans_of(words(old), words(new))


def _without_site(title: str, sites: Collection[str]) -> str:
    """Return a headline without the site's name before or after it."""
    separators = [*_SEPARATOR.finditer(title)]
    if separators and _names_site(title[separators[-1].end() :], sites):
        title = title[: separators[-1].start()]
        separators.pop()
    if separators and _names_site(title[: separators[0].start()], sites):
        title = title[separators[0].end() :]
    return title


def _names_site(name: str, sites: Collection[str]) -> bool:
    bare = fold(name).replace(" ", "")
    known = [fold(site).replace(" ", "") for site in sites]
    return len(bare) >= _SHORTEST_NAME and any(
        bare in site or (len(site) >= _SHORTEST_NAME and site in bare) for site in known
    )


def _only_a_section_differs(old: str, new: str) -> bool:
    """Return whether one headline is the other with a name behind a bar (``… | MS news``)."""
    shorter, longer = sorted((old, new), key=len)
    bars = [*_BAR.finditer(longer)]
    if not bars or glued(words(longer[: bars[-1].start()])) != glued(words(shorter)):
        return False
    name = Statement(longer[bars[-1].end() :]).words
    return len(name) <= _LONGEST_NAME and not any(map(_is_more_than_a_name, name))


def _is_more_than_a_name(word: Word) -> bool:
    return bool(fact_of(Word(word.key, word.key, first=True)))


def _is_turned_round(title: str, other: Sequence[Word], sign: str) -> bool:
    """Return whether a headline has another one's two parts in turn: ``Study: …``, ``…: study``.

    Where it has more parts, a number could then belong to another of them.
    """
    joints = [*islice(_JOINT.finditer(title), _MOST_JOINTS)]
    if len(title) > _LONGEST_OF_PARTS or (len(joints) > 1 and any(map(_counts, other))):
        return False
    return any(
        glued([*words(title[joint.end() :], sign), *words(title[: joint.start()], sign)])
        == glued(other)
        for joint in joints
    )


def _is_cut(title: str, other: Sequence[Word], sign: str) -> bool:
    """Return whether a headline is the beginning of another one, cut at an ellipsis."""
    end = _CUT.search(title)
    beginning = glued(words(title[: end.start()], sign)) if end else ""
    return len(beginning) >= _SHORTEST_CUT and glued(other).startswith(beginning)


def _counts(word: Word) -> bool:
    return word.key in _PARTS_OF_ALL or any(char.isdigit() for char in word.key)


def _is_article(span: Span) -> bool:
    gone, came = span
    return all(word.key in _ARTICLES for word in (*gone, *came))


def _is_slip(span: Span) -> bool:
    """Return whether a longer word in small letters was spelt with one letter wrong."""
    gone, came = span
    if len(gone) != 1 or len(came) != 1:
        return False
    before, after = gone[0], came[0]
    return (
        min(len(before.shown), len(after.shown)) >= _SHORTEST_SLIP
        and before.shown.islower()
        and after.shown.islower()
        and before.key[0] == after.key[0]
        and not fact_of(before)
        and not fact_of(after)
        and is_one_slip(before.key, after.key)
    )
