"""Passages: decide whether two texts print the same report.

Owns what of a text is compared (not what a site or a company puts below every text), the words that
two texts share, and which differing words make another report of an otherwise equal one. Pure
functions; a text is read as far as `TEXT_READ` characters.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from notifier.match.stories import event_words, events
from notifier.match.stories.events import Token
from notifier.match.stories.headlines import Headline, is_same_word
from notifier.match.stories.site_words import sentences, without_site_words
from notifier.match.stories.word_lists import plain

# Of 100. Chosen by hand: same result from 50 to 100 on the labelled set.
_SAME_TEXT = 80
# In characters. Chosen by hand; not measured.
SHORTEST_TEXT, LONGEST_TEXT = 200, 1500
LONGEST_OTHER_TEXT = 3 * LONGEST_TEXT
# In characters, read before folding and the removal of boilerplate take some of them.
TEXT_READ = 20_000
# In characters: most texts are compared by their first ones, and the rest need not be folded.
_MOSTLY_ENOUGH = 5_500
# In words; chosen by hand, not measured: equal words in a row that are a passage; the longest
# difference that is an edit, not another passage; the longest addition that is one; the beginning
# of a text in which dates are those of its print; a text's own part that may be its news.
_PASSAGE, _LONGEST_EDIT, _LONGEST_ADDITION, _DATELINE, _OWN_PART = 3, 8, 4, 14, 5
# In letters: words that begin so alike are forms of one.
_STEM = 6
# In characters, of the first sentence and of the place and day before it.
_LEAD, _LONGEST_DATELINE = 400, 60

# The values below were chosen by hand for speed; not measured. A run is so many words, or so many
# characters in a script without spaces: texts that share runs have a passage in common.
_RUN_OF_WORDS, _RUN_OF_CHARACTERS = 4, 12
# The hash of a run is a polynomial of its words' hashes; any large odd factor is good.
_FACTOR, _64_BITS = 0x9E3779B97F4A7C15, (1 << 64) - 1
_SQUARE, _CUBE = _FACTOR**2 & _64_BITS, _FACTOR**3 & _64_BITS
# In characters, on average: longer words mean a script without spaces.
_LONGEST_WORD = 20
_SHARED = 0.1

# Before a date: it is the one of the print.
_PRINTED = re.compile(r"^(?:updat|publi|post|aktualis|veroffent|stand|actuali|mis|last|print)")


def compared(text: str, title: str) -> str:
    """Return the part of a text that is compared, in its own letters, without its headline."""
    text = text.removeprefix(title)
    kept = without_site_words(text[:_MOSTLY_ENOUGH])
    if len(kept) < LONGEST_OTHER_TEXT and len(text) > _MOSTLY_ENOUGH:
        kept = without_site_words(text[:TEXT_READ])
    return kept[:LONGEST_OTHER_TEXT]


def lead(text: str) -> str:
    """Return the first sentence of a text, without a dateline."""
    begin, end = next(sentences(text[:_LEAD]), (0, 0))
    head, dash, rest = text[begin:end].partition(" – ")
    return rest if dash and len(head) < _LONGEST_DATELINE else text[begin:end]


class Report(NamedTuple):
    """A text as it is compared.

    Attributes:
        headline: of the text.
        folded: the text without accents; what is looked up.
        written: the same in its own letters.
    """

    headline: Headline
    folded: str
    written: str


def is_same_text(first: Report, second: Report) -> bool:
    """Return True if two texts print the same report.

    They do if most of the shorter one stands in the longer one, if what their headlines speak of
    stands in the part that they share, and if no edit within this part makes another event.
    """
    shorter, longer = sorted((first, second), key=lambda report: len(report.folded))
    if len(shorter.folded) < SHORTEST_TEXT or not _alike(shorter.folded, longer.folded):
        return False
    ours = events.tokens_of(shorter.written[:LONGEST_TEXT])
    theirs = events.tokens_of(longer.written)
    edits = _edits(ours, theirs)
    shared = [edit for edit in edits if edit.equal and len(edit.ours) >= _PASSAGE]
    if not shared:
        return True
    return (
        _holds_news(first.headline, edits, shorter is not first)
        and _holds_news(second.headline, edits, shorter is first)
        and not any(_contradicts(edits, place) for place in range(len(edits)))
    )


def _alike(shorter: str, longer: str) -> bool:
    shorter = shorter[:LONGEST_TEXT]
    ours, theirs = runs(shorter), runs(longer)
    if not share_enough(len(ours & theirs), len(ours), len(theirs)):
        return False
    return fuzz.partial_ratio(shorter, longer, score_cutoff=_SAME_TEXT) >= _SAME_TEXT


def share_enough(shared: int, ours: int, theirs: int) -> bool:
    """Return True if two texts may be the same, by the numbers of their runs and of shared ones."""
    return shared >= max(1, _SHARED * min(ours, theirs))


def runs(text: str) -> set[int]:
    """Return the hashes of all runs of words in a folded text.

    They have 64 bits and are the same in every process: they are stored.
    """
    units = text.split()
    if len(text) > _LONGEST_WORD * len(units):
        starts = range(len(text) - _RUN_OF_CHARACTERS + 1)
        return {_hash(text[start : start + _RUN_OF_CHARACTERS]) for start in starts}
    hashes = list(map(_hash_of_word, units))
    following = (hashes[start:] for start in range(_RUN_OF_WORDS))
    return {
        (first * _CUBE + second * _SQUARE + third * _FACTOR + fourth) & _64_BITS
        for first, second, third, fourth in zip(*following, strict=False)
    }


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


# Words that are remembered: the vocabulary of a language's news. Chosen by hand; not measured.
_hash_of_word = lru_cache(maxsize=1 << 14)(_hash)


class _Edit(NamedTuple):
    """A part of two texts: equal in both, or what stands there in each."""

    equal: bool
    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]
    begin: int


def _edits(ours: Sequence[Token], theirs: Sequence[Token]) -> list[_Edit]:
    steps = Levenshtein.opcodes([token.word for token in ours], [token.word for token in theirs])
    return [
        _Edit(
            step.tag == "equal",
            tuple(ours[step.src_start : step.src_end]),
            tuple(theirs[step.dest_start : step.dest_end]),
            min(step.src_start, step.dest_start),
        )
        for step in _joined([_Step(*step) for step in steps])
    ]


class _Step(NamedTuple):
    tag: str
    src_start: int
    src_end: int
    dest_start: int
    dest_end: int


def _joined(steps: Sequence[_Step]) -> Iterator[_Step]:
    """Yield the steps, with those that follow one another without an equal part as one."""
    open_step: _Step | None = None
    for tag, src_start, src_end, dest_start, dest_end in steps:
        if tag == "equal":
            if open_step:
                yield open_step
            open_step = None
            yield _Step(tag, src_start, src_end, dest_start, dest_end)
        elif open_step:
            open_step = open_step._replace(tag="replace", src_end=src_end, dest_end=dest_end)
        else:
            open_step = _Step(tag, src_start, src_end, dest_start, dest_end)
    if open_step:
        yield open_step


def _holds_news(headline: Headline, edits: Sequence[_Edit], longer: bool) -> bool:
    """Return True unless what a headline speaks of stands only outside the shared part."""
    shared: set[str] = set()
    own: set[str] = set()
    for edit in edits:
        side = edit.theirs if longer else edit.ours
        passage = edit.equal and len(side) >= _PASSAGE
        (shared if passage else own).update(token.word[:_STEM] for token in side)
    if len(own) < _OWN_PART:
        return True
    named = {word[:_STEM] for word in headline.event.words if len(word) > 3}
    return len(named & own - shared) <= len(named & shared)


def _contradicts(edits: Sequence[_Edit], place: int) -> bool:
    """Return True if an edit within the shared part makes another event."""
    edit = edits[place]
    if edit.equal or not _within_passages(edits, place):
        return False
    before = edits[place - 1].ours[-_PASSAGE:] if place else ()
    behind = edits[place + 1].ours[:_PASSAGE] if place + 1 < len(edits) else ()
    ours, theirs = events.read_tokens(edit.ours), events.read_tokens(edit.theirs)
    if _other_sides(ours, theirs, behind) or _turned_by(edit, before, behind):
        return True
    if not edit.ours or not edit.theirs:
        return False
    printed = _is_printed(edit, before)
    return (
        _other_names(edit, before, printed=printed)
        or _other_numbers(edit, before, behind, printed=printed)
        or _other_trial(edit, (*before[-1:], *behind[:1]))
    )


def _within_passages(edits: Sequence[_Edit], place: int) -> bool:
    """Return True for a short edit with a shared passage on each side of it that has text."""
    edit = edits[place]
    longest = max(len(edit.ours), len(edit.theirs))
    limit = _LONGEST_EDIT if edit.ours and edit.theirs else _LONGEST_ADDITION
    beside = [edits[near] for near in (place - 1, place + 1) if 0 <= near < len(edits)]
    return longest <= limit and bool(beside) and all(near.equal for near in beside)


def _other_sides(ours: events.Event, theirs: events.Event, behind: Sequence[Token]) -> bool:
    """Return True if one says the opposite of the other."""
    common = ours.sides.keys() & theirs.sides.keys()
    if common:
        return any(ours.sides[axis].isdisjoint(theirs.sides[axis]) for axis in common)
    if events.opposed_axes(ours, theirs):
        return True
    unnegated = bool(behind) and behind[0].word in event_words.UNNEGATING
    return not unnegated and ours.negations % 2 != theirs.negations % 2


def _turned_by(edit: _Edit, before: Sequence[Token], behind: Sequence[Token]) -> bool:
    """Return True if an edit turns what the shared words say: to place, or to lift, a hold."""
    ours = events.read_tokens((*before, *edit.ours, *behind)).sides
    theirs = events.read_tokens((*before, *edit.theirs, *behind)).sides
    turning = event_words.STRONGER.keys() & ours.keys() & theirs.keys()
    return any(ours[axis].isdisjoint(theirs[axis]) for axis in turning)


def _is_printed(edit: _Edit, before: Sequence[Token]) -> bool:
    """Return True if a date in an edit may be the one of the print."""
    if any(_PRINTED.match(token.word) for token in before):
        return True
    beside = next((token.word for token in reversed(before) if not token.word.isdigit()), "")
    return edit.begin < _DATELINE and beside not in event_words.BEFORE_DECISION_DATES


def _other_names(edit: _Edit, before: Sequence[Token], *, printed: bool) -> bool:
    """Return True if another agency, country or month stands in the same place."""
    ours = events.read_tokens((*before[-1:], *edit.ours)).names
    theirs = events.read_tokens((*before[-1:], *edit.theirs)).names
    kinds = ours.keys() & theirs.keys() - ({"month"} if printed else set())
    return any(ours[kind] - theirs[kind] and theirs[kind] - ours[kind] for kind in kinds)


def _other_numbers(
    edit: _Edit, before: Sequence[Token], behind: Sequence[Token], *, printed: bool
) -> bool:
    """Return True if another number of the same unit stands in the same place."""
    ours = events.read_tokens((*before, *edit.ours, *behind)).numbers
    theirs = events.read_tokens((*before, *edit.theirs, *behind)).numbers
    left = {number.unit for number in events.unmatched_numbers(ours, theirs)}
    right = {number.unit for number in events.unmatched_numbers(theirs, ours)}
    return bool((left & right) - ({"date", "calendar", ""} if printed else set()))


def _other_trial(edit: _Edit, beside: Sequence[Token]) -> bool:
    """Return True if another name or other capitals stand in the same place.

    Names count beside a word for a trial only: "the Example study".
    """
    ours, theirs = _new_names(edit.ours, edit.theirs), _new_names(edit.theirs, edit.ours)
    if not ours or not theirs:
        return False
    if all(token.written.isupper() and len(token.written) > 2 for token in (*ours, *theirs)):
        return True
    trial = any(event_words.TRIAL_WORDS.of(token.word) for token in beside)
    return trial and len(edit.ours) == len(edit.theirs) == 1


def _new_names(tokens: Sequence[Token], others: Sequence[Token]) -> list[Token]:
    known = [token.word for token in others]
    return [
        token
        for token in tokens
        if token.written[0].isupper() and not any(is_same_word(token.word, word) for word in known)
    ]


def folded(text: str) -> str:
    """Return the form in which compared texts are looked up."""
    return plain(text)[:LONGEST_OTHER_TEXT]
