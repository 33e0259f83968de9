"""The changes from one state of an entry to the next, and whether a reader needs to know them.

Pure: two states in, the changes in words out. An edit of an article or of a page is material when
its headline, its numbers, names, dates, negations or stated outcomes change. On a page a section or
sentence that was added or removed is material, too. An edit of a trial record is material when a
followed field changes (`trial_fields.py`). All other edits are cosmetic: stored, but no news.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from rapidfuzz.distance import Indel

from notifier import trial_fields
from notifier.i18n.messages import LazyMessage, mark_number, plural
from notifier.store.models.sources import Change
from notifier.text.cleaning import fold, shorten
from notifier.watch.facts import facts, numbers, sentences

# All limits of this file were chosen by hand; not measured, because no set of labelled edits
# exists.

# Characters that are stored of each side of a change, and changes that are stored of a revision.
_LENGTH, _MOST_CHANGES = 400, 40
# Two sentences are one that was edited if they share this part of their words in the same order.
_ALIKE = 0.5
# Two texts are states of one if half of their sentences are equal, or if so much of their first
# characters is alike.
_ALIKE_TEXTS, _COMPARED_OF_TEXTS = 0.8, 2_000
# The work for one comparison is limited: words of a sentence, pairs of sentences, and pairs of
# sections. A text beyond that counts as rewritten.
_MOST_WORDS, _MOST_PAIRS, _MOST_RENAMED = 1_000, 2_500, 400
# Characters in which the numbers of a change are searched.
_LONGEST_NOTE = 20_000
# Items of a list that are named in a change.
_MOST_NAMED = 5
# A date moved by a unit (month, week, day) if it moved by nearly one of it.
_NEARLY_ONE = 0.95


class State(TypedDict):
    """A state to be compared: its title, all its text, and its structured content."""

    title: str
    text: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """The changes from one state to another, and whether they are news.

    Attributes:
        changes: fields of a trial record in the order of `trial_fields.py`; else the headline
            first, the others in the order of the text.
        material: whether a reader needs to know them.
    """

    changes: tuple[Change, ...]
    material: bool


def compare(old: State, new: State) -> Difference:
    """Return the changes from `old` to `new`."""
    if "fields" in new["content"]:
        return _compare_fields(old["content"], new["content"])
    headline = []
    if fold(old["title"]) != fold(new["title"]):
        note = _changed_numbers(old["title"], new["title"])
        headline = [_change("headline", old["title"], new["title"], note)]
    if "sections" in new["content"]:
        changes, material = _compare_sections(
            old["content"].get("sections", []), new["content"]["sections"]
        )
    else:
        changes, _ = _compare_sentences("text", old["text"], new["text"])
        material = facts(old["text"]) != facts(new["text"])
    return Difference((*headline, *changes[:_MOST_CHANGES]), bool(headline) or material)


def comparable(old: str, new: str) -> bool:
    """Return whether two texts can be two states of one: a teaser and the whole article cannot."""
    before = {fold(sentence) for sentence in sentences(old)}
    after = {fold(sentence) for sentence in sentences(new)}
    if not before or not after:
        return before == after
    if len(before & after) * 2 >= max(len(before), len(after)):
        return True
    old_start, new_start = fold(old)[:_COMPARED_OF_TEXTS], fold(new)[:_COMPARED_OF_TEXTS]
    return _similarity(old_start, new_start) > _ALIKE_TEXTS


def contains_changes(difference: Difference, state: State) -> bool:
    """Return whether a known state shows all these changes: the edit was stored before."""
    title = fold(state["title"])
    lines = {fold(sentence) for sentence in sentences(state["text"])}
    return bool(difference.changes) and all(
        _contains_change(change, title, lines) for change in difference.changes
    )


def _contains_change(change: Change, title: str, lines: Collection[str]) -> bool:
    if change["what"] == "headline":
        return fold(change["after"]) == title
    # A sentence that was cut when the change was stored cannot be found in the text.
    added, removed = (
        [fold(sentence) for sentence in sentences(text) if not sentence.endswith("…")]
        for text in (change["after"], change["before"])
    )
    return all(line in lines for line in added) and not any(line in lines for line in removed)


def _change(what: str, before: str, after: str, note: str = "") -> Change:
    return Change(
        what=what, before=shorten(before, _LENGTH), after=shorten(after, _LENGTH), note=note
    )


def _compare_sentences(what: str, old: str, new: str) -> tuple[list[Change], bool]:
    """Return the changed sentences, each with its earlier wording, and one change for all others.

    Returns:
        The changes, and whether a sentence was added or removed.
    """
    before = _missing_in(sentences(new), sentences(old))
    after = _missing_in(sentences(old), sentences(new))
    pairs = _pair_sentences(before, after)
    changes = [
        _change(what, earlier, later, _changed_numbers(earlier, later)) for earlier, later in pairs
    ]
    paired_before = {earlier for earlier, _ in pairs}
    paired_after = {later for _, later in pairs}
    removed = [sentence for sentence in before if sentence not in paired_before]
    added = [sentence for sentence in after if sentence not in paired_after]
    if removed or added:
        changes.append(_change(what, " ".join(removed), " ".join(added)))
    return changes, bool(removed or added)


def _missing_in(others: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the texts that are not among the others; case and punctuation do not count."""
    known = Counter(fold(text) for text in others)
    missing = []
    for text in texts:
        folded = fold(text)
        if known[folded]:
            known[folded] -= 1
        else:
            missing.append(text)
    return missing


def _pair_sentences(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each sentence with its edited version, the most similar first; none is used twice."""
    if len(before) * len(after) > _MOST_PAIRS:
        return []  # rewritten from end to end: no sentence has a counterpart
    candidates = sorted(
        (
            (_similarity(earlier, later), old_index, new_index)
            for old_index, earlier in enumerate(before)
            for new_index, later in enumerate(after)
        ),
        key=lambda candidate: -candidate[0],
    )
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for similarity, old_index, new_index in candidates:
        if similarity >= _ALIKE and old_index not in partners and new_index not in taken:
            partners[old_index] = new_index
            taken.add(new_index)
    return [
        (before[old_index], after[new_index]) for old_index, new_index in sorted(partners.items())
    ]


def _similarity(text: str, other: str) -> float:
    """Return the share of words, from 0 to 1, that two texts have in the same order.

    It is computed from their longest common subsequence. Values below `_ALIKE` count as 0.
    """
    words = text.split(None, _MOST_WORDS)[:_MOST_WORDS]
    other_words = other.split(None, _MOST_WORDS)[:_MOST_WORDS]
    return Indel.normalized_similarity(words, other_words, score_cutoff=_ALIKE)


def _changed_numbers(before: str, after: str) -> str:
    """Return ``1200 mg → 1800 mg``: the numbers that were removed and those that were added."""
    old = Counter(numbers(before[:_LONGEST_NOTE]))
    new = Counter(numbers(after[:_LONGEST_NOTE]))
    removed, added = list((old - new).elements()), list((new - old).elements())
    return f"{', '.join(removed)} → {', '.join(added)}" if removed and added else ""


def _compare_sections(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> tuple[list[Change], bool]:
    """Compare section by section; a section with a new heading is the same one, renamed.

    Returns:
        The changes, and whether they are material.
    """
    before, after = _texts_by_heading(old), _texts_by_heading(new)
    renamed = _renamed_sections(before, after)
    changes: list[Change] = []
    material = False
    for heading, text in after.items():
        earlier = renamed.get(heading, heading)
        if earlier not in before:
            changes.append(_change(_name_of(heading), "", text, LazyMessage("new section")))
            material = True
            continue
        of_section, is_material = _compare_section(earlier, heading, before[earlier], text)
        changes += of_section
        material = material or is_material
    kept = set(renamed.values())
    for heading, text in before.items():
        if heading not in after and heading not in kept:
            removed = LazyMessage("section removed")
            changes.append(_change(_name_of(heading), text, "", removed))
            material = True
    return changes, material


def _compare_section(
    old_heading: str, heading: str, before: str, after: str
) -> tuple[list[Change], bool]:
    changes: list[Change] = []
    material = False
    if old_heading != heading:
        old_title, title = old_heading.partition("\0")[0], heading.partition("\0")[0]
        changes.append(_change("heading", old_title, _name_of(heading)))
        material = facts(old_title) != facts(title)
    if before != after:
        # On a page that people look things up in, a side effect that is removed is news without
        # any number.
        of_text, added_or_removed = _compare_sentences(_name_of(heading), before, after)
        changes += of_text
        material = material or added_or_removed or facts(before) != facts(after)
    return changes, material


def _texts_by_heading(sections: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the texts of the sections by heading; a repeated one gets a zero byte and a number."""
    texts: dict[str, str] = {}
    times: Counter[str] = Counter()
    for section in sections:
        heading = section["heading"]
        times[heading] += 1
        if times[heading] > 1:
            heading = f"{heading}\0{times[heading]}"
        texts[heading] = " ".join(_with_full_stop(block) for block in section["blocks"])
    return texts


def _name_of(heading: str) -> str:
    return heading.partition("\0")[0] or "introduction"


def _with_full_stop(block: str) -> str:
    return block if block.endswith((".", "!", "?", "…", ":", ";")) else f"{block}."


def _renamed_sections(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the earlier headings of renamed sections, by their headings of today."""
    removed = [heading for heading in before if heading not in after]
    added = [heading for heading in after if heading not in before]
    if len(removed) * len(added) > _MOST_RENAMED:
        # With so many at once, only a section whose text is unchanged is found again.
        by_text = {before[heading]: heading for heading in removed}
        return {
            heading: by_text.pop(after[heading]) for heading in added if after[heading] in by_text
        }
    renamed: dict[str, str] = {}
    for heading in added:
        matches = (old for old in removed if comparable(before[old], after[heading]))
        if earlier := next(matches, ""):
            renamed[heading] = earlier
            removed.remove(earlier)
    return renamed


def _compare_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    before, after = dict(old.get("fields", {})), new["fields"]
    if "lists" not in old:
        before = {
            name: text
            for name, text in before.items()
            if name not in trial_fields.LISTS_STORED_AS_TEXT
        }
    changes = [
        _field_change(name, before.get(name, ""), after.get(name, ""))
        for name in {**after, **before}
        if before.get(name, "") != after.get(name, "")
    ]
    if "lists" in old:
        for name in {**new.get("lists", {}), **old["lists"]}:
            changes += _list_changes(
                name, old["lists"].get(name, []), new.get("lists", {}).get(name, [])
            )
    changes.sort(key=lambda change: trial_fields.rank(change["what"]))
    return Difference(
        tuple(changes), any(trial_fields.is_news(change["what"]) for change in changes)
    )


def _field_change(name: str, before: str, after: str) -> Change:
    return _change(name, before, after, _moved_date(before, after))


def _list_changes(name: str, old: Sequence[str], new: Sequence[str]) -> list[Change]:
    known, listed = set(old), set(new)
    removed = [item for item in old if item not in listed]
    added = [item for item in new if item not in known]
    if not removed and not added:
        return []
    note = _counted(len(added), len(removed), name)
    return [_change(name, _first_items(removed), _first_items(added), note)]


def _counted(added: int, removed: int, name: str) -> str:
    field = trial_fields.field_named(name)
    if field is not None and field.opens_and_closes:
        come = plural("%(n)s opened", "%(n)s opened", added)
        gone = plural("%(n)s closed", "%(n)s closed", removed)
    else:
        come = plural("%(n)s added", "%(n)s added", added)
        gone = plural("%(n)s removed", "%(n)s removed", removed)
    if added and removed:
        return LazyMessage("%(come)s, %(gone)s", come=come, gone=gone)
    return come if added else gone


def _first_items(items: Sequence[str]) -> str:
    named = "; ".join(items[:_MOST_NAMED])
    more = len(items) - _MOST_NAMED
    return LazyMessage("%(items)s; and %(n)s more", items=named, n=more) if more > 0 else named


def _moved_date(before: str, after: str) -> str:
    """Return ``7 months later``: how far a date moved; empty for texts that are not dates."""
    old, new = _day(before), _day(after)
    if old is None or new is None or old == new:
        return ""
    days = abs((new - old).days)
    size, later, earlier = next(span for span in _SPANS if days >= span[0] * _NEARLY_ONE)
    return plural(*(later if new > old else earlier), round(days / size))


# The days of a unit, and a date that moved by it.
_SPANS = (
    (
        30.44,
        mark_number("%(n)s month later", "%(n)s months later"),
        mark_number("%(n)s month earlier", "%(n)s months earlier"),
    ),
    (
        7,
        mark_number("%(n)s week later", "%(n)s weeks later"),
        mark_number("%(n)s week earlier", "%(n)s weeks earlier"),
    ),
    (
        1,
        mark_number("%(n)s day later", "%(n)s days later"),
        mark_number("%(n)s day earlier", "%(n)s days earlier"),
    ),
)


def _day(text: str) -> date | None:
    """Return the day of ``2027-06 (estimated)`` or ``2027-06-15``; a month is its first day."""
    day = text.partition(" ")[0]
    try:
        return date.fromisoformat(day if len(day) > len("2027-06") else f"{day}-01")
    except ValueError:
        return None
