"""The changes from one text to another, statement by statement, and which of them matter.

Pure. Two statements are compared by their words (`wording.py`); a difference matters to a reader if
it changes a fact (`facts.py`). The caller says what else matters to him.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from notifier.watch.compare import facts, opposites, surroundings
from notifier.watch.compare.edit_distance import ALIKE, changed_blocks, similarity
from notifier.watch.compare.facts import fact_of
from notifier.watch.compare.statements import Statement, Text
from notifier.watch.compare.style import Span, without_style
from notifier.watch.compare.wording import Word

# All limits of this file were chosen by hand; not measured, because no set of labelled edits
# exists.

# Pairs of sentences that are compared. A text beyond that counts as rewritten.
_MOST_PAIRS = 2_500
# Statements that together may be one statement of the other text.
_MOST_MERGED = 6
# Statements before a change among which that is looked for which says its place.
_LOOKED_BACK = 20

_DIGITS = re.compile(r"\d+")

Key = Callable[[Statement], str]


@dataclass(frozen=True)
class Shared:
    """The edit that most entries of a document share; it is left out of each.

    Attributes:
        added: templates of statements that came.
        removed: templates of statements that went.
        swaps: the keys of words that went, and of those that came in their place.
        fields: changes of fields of a trial record: the field, and the keys before and after.
    """

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    swaps: frozenset[tuple[str, str]] = frozenset()
    fields: frozenset[tuple[str, str, str]] = frozenset()


NOTHING_SHARED = Shared()


@dataclass(frozen=True)
class Edit:
    """A statement that was edited, or statements that went, came, or replaced others.

    Attributes:
        before: the statements that went.
        after: the statements that came.
        spans: the words that differ, if both are one edited statement.
        has_fact: whether the edit changes a fact.
    """

    before: tuple[Statement, ...]
    after: tuple[Statement, ...]
    spans: tuple[Span, ...] = ()
    has_fact: bool = False

    @property
    def is_paired(self) -> bool:
        """True if one statement was edited, false if others came in its place."""
        return bool(self.spans)


def edits(old: Text, new: Text, shared: Shared = NOTHING_SHARED) -> list[Edit]:
    """Return the edits from one text to another: the edited statements first, in order."""
    all_before, all_after = _different(old, new)
    before = [statement for statement in all_before if statement.template not in shared.removed]
    after = [statement for statement in all_after if statement.template not in shared.added]
    pairs = [
        (earlier, later)
        for earlier, later in _pairs(before, after)
        if not (earlier.in_list and later.in_list)
    ]
    spans = {(earlier, later): _spans(earlier, later, shared) for earlier, later in pairs}
    partnered = {id(statement) for pair in pairs for statement in pair}
    gone, come = (
        _without_ads([statement for statement in side if id(statement) not in partnered], side)
        for side in (before, after)
    )
    gone = _without_titles(gone, all_before, shared.removed)
    come = _without_titles(come, all_after, shared.added)
    lost, gained = _changed_facts(
        [
            *(words for pair in spans.values() for words in pair),
            *((tuple(statement.words), ()) for statement in gone),
            *(((), tuple(statement.words)) for statement in come),
        ]
    )
    edited = [
        Edit((earlier,), (later,), its_spans, _has_fact(earlier, later, its_spans, lost, gained))
        for (earlier, later), its_spans in spans.items()
        if its_spans
    ]
    return edited + [
        Edit(went, came, has_fact=_holds(went, lost) or _holds(came, gained))
        for went, came in _by_place(old, new, gone, come)
    ]


def unmatched(old: Text, new: Text) -> tuple[list[Statement], list[Statement]]:
    """Return the statements of each text that the other does not have, however it writes them.

    Lists of other articles and tables of contents do not count.
    """
    before, after = _different(old, new)
    return (
        [statement for statement in before if not statement.in_list],
        [statement for statement in after if not statement.in_list],
    )


def _different(old: Text, new: Text) -> tuple[list[Statement], list[Statement]]:
    before, after = _missing(old.statements, new.statements, lambda statement: statement.text)
    before = [statement for statement in before if not statement.is_around]
    after = [statement for statement in after if not statement.is_around]
    before, after = _missing(before, after, lambda statement: statement.key)
    before, after = _unmerged(before, after)
    after, before = _unmerged(after, before)
    return before, after


def spans_of(words: Sequence[Word], others: Sequence[Word]) -> tuple[Span, ...]:
    """Return the words in which two statements differ, apart from how they are written."""
    keys, other_keys = [word.key for word in words], [word.key for word in others]
    spans = (
        without_style((tuple(words[start:end]), tuple(others[other_start:other_end])))
        for start, end, other_start, other_end in changed_blocks(keys, other_keys)
    )
    return tuple(span for span in spans if span[0] or span[1])


def swap_of(span: Span) -> tuple[str, str]:
    """Return the keys of the words that went, and of those that came in their place.

    Numbers that stay are left out: ``3 months`` for ``3 mos.`` is the same swap as with 4.
    """
    gone, came = (" ".join(word.key for word in side) for side in span)
    if gone and came and _DIGITS.findall(gone) == _DIGITS.findall(came):
        return _DIGITS.sub("#", gone), _DIGITS.sub("#", came)
    return gone, came


def _missing(
    old: Sequence[Statement], new: Sequence[Statement], key: Key
) -> tuple[list[Statement], list[Statement]]:
    """Return the statements on each side that have no equal on the other."""
    known, other = Counter(map(key, old)), Counter(map(key, new))
    return _surplus(old, other, key), _surplus(new, known, key)


def _surplus(side: Iterable[Statement], others: Counter[str], key: Key) -> list[Statement]:
    left = Counter(others)
    surplus = []
    for statement in side:
        if left[key(statement)]:
            left[key(statement)] -= 1
        else:
            surplus.append(statement)
    return surplus


def _unmerged(
    whole: Sequence[Statement], parts: Sequence[Statement]
) -> tuple[list[Statement], list[Statement]]:
    """Leave out each statement that is several statements of the other text in one."""
    by_key = {statement.key: statement for statement in whole}
    merged: set[int] = set()
    for start in range(len(parts)):
        text = parts[start].key
        for end in range(start + 1, min(start + _MOST_MERGED, len(parts))):
            text += parts[end].key
            if any(id(statement) in merged for statement in parts[start : end + 1]):
                break
            if merged_statement := by_key.pop(text, None):
                merged |= {id(merged_statement), *map(id, parts[start : end + 1])}
                break
    return (
        [statement for statement in whole if id(statement) not in merged],
        [statement for statement in parts if id(statement) not in merged],
    )


def _pairs(
    before: Sequence[Statement], after: Sequence[Statement]
) -> list[tuple[Statement, Statement]]:
    """Pair each statement with its edited version, the most similar first; none is used twice."""
    if len(before) * len(after) > _MOST_PAIRS:
        return []  # rewritten from end to end: no sentence has a counterpart
    words = {
        id(statement): [word.key for word in statement.words] for statement in (*before, *after)
    }
    candidates = sorted(
        (
            (similarity(words[id(earlier)], words[id(later)]), old_index, new_index)
            for old_index, earlier in enumerate(before)
            for new_index, later in enumerate(after)
        ),
        key=lambda candidate: -candidate[0],
    )
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for alike, old_index, new_index in candidates:
        if alike >= ALIKE and old_index not in partners and new_index not in taken:
            partners[old_index] = new_index
            taken.add(new_index)
    return [
        (before[old_index], after[new_index]) for old_index, new_index in sorted(partners.items())
    ]


def _spans(earlier: Statement, later: Statement, shared: Shared) -> tuple[Span, ...]:
    all_spans = spans_of(earlier.words, later.words)
    return tuple(span for span in all_spans if swap_of(span) not in shared.swaps)


def _changed_facts(
    spans: Iterable[Span],
) -> tuple[Counter[str], Counter[str]]:
    """Return the facts that were removed and those that were added, whatever their place."""
    gone: list[Word] = []
    came: list[Word] = []
    for before, after in spans:
        gone += before
        came += after
    lost = _facts_beside(gone, came)
    gained = _facts_beside(came, gone)
    return facts.changed(lost, gained)


def _facts_beside(words: Sequence[Word], others: Sequence[Word]) -> Counter[str]:
    """Return the facts among the words that the others do not have, in small letters either."""
    left = Counter(word.key for word in others)
    missing_facts: Counter[str] = Counter()
    for word in words:
        if left[word.key]:
            left[word.key] -= 1
        elif fact := fact_of(word):
            missing_facts[fact] += 1
    return missing_facts


def _has_fact(
    earlier: Statement,
    later: Statement,
    spans: Sequence[Span],
    lost: Mapping[str, int],
    gained: Mapping[str, int],
) -> bool:
    """Return whether an edited statement states another fact, or its facts in another order.

    A word that became its opposite states another fact, too.
    """
    if any(opposites.are_turned(*span) for span in spans):
        return True
    its_lost, its_gained = _changed_facts(spans)
    if any(lost.get(fact) for fact in its_lost) or any(gained.get(fact) for fact in its_gained):
        return True
    return _stated(earlier) != _stated(later) and _masked(earlier) == _masked(later)


def _stated(statement: Statement) -> list[str]:
    """Return the facts of a statement in their order; forms of one word are the same fact."""
    return [fact for word in statement.words if (fact := fact_of(word))]


def _masked(statement: Statement) -> list[str]:
    """Return the words of a statement, with a mark in place of each fact."""
    return ["#" if fact_of(word) else word.key for word in statement.words]


def _holds(statements: Iterable[Statement], changed: Mapping[str, int]) -> bool:
    return any(changed.get(fact_of(word)) for statement in statements for word in statement.words)


def _without_ads(free: list[Statement], side: Sequence[Statement]) -> list[Statement]:
    """Leave out what stands in a list of other articles, and new lines below an ad's label."""
    lines = {statement.line for statement in side}
    return [
        statement
        for statement in free
        if surroundings.is_correction(statement.text)
        or not (statement.in_list or _is_ad(statement, lines))
    ]


def _is_ad(statement: Statement, lines: Collection[int]) -> bool:
    """Return whether only changed lines stand between a statement and the label of an ad."""
    first = statement.line - statement.below_ad + 1
    return bool(statement.below_ad) and all(line in lines for line in range(first, statement.line))


def _without_titles(
    free: list[Statement], side: Iterable[Statement], shared: Collection[str]
) -> list[Statement]:
    """Leave out titles next to lines that most entries got or lost: a list with its own items."""
    run = (
        {statement.line for statement in side if statement.template in shared} if shared else set()
    )
    if not run:
        return free
    titles = {
        statement.line
        for statement in free
        if not surroundings.is_correction(statement.text)
        and not surroundings.ends_a_list(statement.text)
    }
    for step, lines in ((1, sorted(titles)), (-1, sorted(titles, reverse=True))):
        run |= _next_to(run, lines, step)
    return [
        statement for statement in free if statement.line not in run or statement.line not in titles
    ]


def _next_to(run: Collection[int], lines: Iterable[int], step: int) -> set[int]:
    """Return the lines that follow on the lines of a run, in the direction of `step`."""
    run_lines = set(run)
    for line in lines:
        if line - step in run_lines:
            run_lines.add(line)
    return run_lines


def _by_place(
    old: Text, new: Text, gone: Sequence[Statement], come: Sequence[Statement]
) -> list[tuple[tuple[Statement, ...], tuple[Statement, ...]]]:
    """Group the statements that went and came by the statement before them, in the order of new."""
    groups: dict[tuple[str, str], tuple[list[Statement], list[Statement]]] = {}
    for text, side, index in ((new, come, 1), (old, gone, 0)):
        free = {id(statement) for statement in side}
        kept: list[Statement] = []
        for statement in text.statements:
            if id(statement) not in free:
                kept.append(statement)
                continue
            before = next(
                (other for other in reversed(kept[-_LOOKED_BACK:]) if not other.is_around), None
            )
            place = (statement.section, before.key if before is not None else "")
            groups.setdefault(place, ([], []))[index].append(statement)
    return [(tuple(went), tuple(came)) for went, came in groups.values()]
