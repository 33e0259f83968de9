"""The changes from one state of an entry to the next, and whether a reader needs to know them.

Pure: two states in, the changes in words out. An edit of an article or of a page is material when
its headline, its numbers, names, dates, negations or stated outcomes change. On a page a section or
sentence that was added or removed is material, too. An edit of a trial record is material when a
followed field changes (`trial_fields.py`). All other edits are cosmetic: stored, but no news.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from notifier.enums import HeldBecause
from notifier.i18n.messages import LazyMessage
from notifier.store.models.sources import Change
from notifier.text.cleaning import fold
from notifier.watch.compare import headlines, surroundings, text_changes, trial_changes
from notifier.watch.compare.changes import changed
from notifier.watch.compare.edit_distance import similarity
from notifier.watch.compare.facts import facts, numbers
from notifier.watch.compare.statements import Statement, Text, sentences
from notifier.watch.compare.text_changes import NOTHING_SHARED, Edit, Shared

# All limits of this file were chosen by hand; not measured, because no set of labelled edits
# exists.

# Changes that are stored of a revision.
_MOST_CHANGES = 40
# Two texts are states of one if half of their sentences are equal, or if so much of their first
# characters is alike.
_ALIKE_TEXTS, _COMPARED_OF_TEXTS = 0.8, 2_000
# Sections of a page that are looked for under another heading.
_MOST_RENAMED = 20
# Characters in which the numbers of a change are searched.
_LONGEST_NOTE = 20_000


class State(TypedDict):
    """A state to be compared.

    Attributes:
        title: its headline.
        text: all its text.
        content: its structured content.
        sites: the names of the site, which may stand in a headline.
    """

    title: str
    text: str
    content: Mapping[str, Any]
    sites: NotRequired[Collection[str]]


@dataclass(frozen=True)
class Difference:
    """The changes from one state to another, and whether they are news.

    Attributes:
        changes: fields of a trial record in the order of `trial_fields.py`; else the headline
            first, the others in the order of the text. If they are material, only those that a
            reader needs to know.
        material: whether a reader needs to know them.
        held_because: the reason why a person has to decide first; empty for none.
        keeps_text: whether the later state shows only a part of the known text, so that the known
            text still is the entry's.
        reread: whether the two were read by different versions of the parsers, so that nobody can
            tell an edit from that.
    """

    changes: tuple[Change, ...]
    material: bool
    held_because: HeldBecause | str = ""
    keeps_text: bool = False
    reread: bool = False


def compare(old: State, new: State, shared: Shared = NOTHING_SHARED) -> Difference:
    """Return the changes from `old` to `new`.

    Args:
        old: the earlier state.
        new: the later state.
        shared: the edit that most entries of the document share; it is left out.
    """
    if "fields" in new["content"]:
        of_fields = trial_changes.changes_of(old["content"], new["content"], shared)
        return Difference(tuple(of_fields), trial_changes.is_news(of_fields))
    before, after = text_of(old), text_of(new)
    headline = _headline(old, new, shared, after.sign)
    if "sections" in new["content"]:
        changes = _page_changes(old, new, text_changes.edits(before, after, shared))
    else:
        changes = _text_changes(text_changes.edits(before, after, shared))
    material = [change for change, is_material in changes if is_material]
    shown = material if headline or material else [change for change, _ in changes]
    return Difference((*headline, *shown[:_MOST_CHANGES]), bool(headline or material))


def text_of(state: State) -> Text:
    """Return the text of a state, of a page with the headings of its sections."""
    if "sections" not in state["content"]:
        return Text.of(state["text"])
    return Text(
        [
            (heading, block)
            for heading, blocks in _blocks_by_heading(state["content"]["sections"]).items()
            for block in blocks
        ]
    )


def comparable(old: str, new: str) -> bool:
    """Return whether two texts can be two states of one: a teaser and the whole article cannot."""
    before = {fold(sentence) for sentence in sentences(old)}
    after = {fold(sentence) for sentence in sentences(new)}
    if not before or not after:
        return before == after
    if len(before & after) * 2 >= max(len(before), len(after)):
        return True
    starts = [fold(text)[:_COMPARED_OF_TEXTS].split() for text in (old, new)]
    return similarity(*starts) > _ALIKE_TEXTS


def contains_changes(difference: Difference, state: State) -> bool:
    """Return whether a known state shows all these changes: the edit was stored before."""
    lines = {statement.key for statement in text_of(state).statements}
    return bool(difference.changes) and all(
        _contains_change(change, state["title"], lines) for change in difference.changes
    )


def _contains_change(change: Change, title: str, lines: Collection[str]) -> bool:
    if change["what"] == "headline":
        return headlines.says_the_same(change["after"], title)
    # A sentence that was cut when the change was stored cannot be found in the text.
    added, removed = (
        [
            Statement(sentence).key
            for sentence in sentences(text)
            if not sentence.endswith("…") and not sentence.startswith("…")
        ]
        for text in (change["after"], change["before"])
    )
    return all(line in lines for line in added) and not any(line in lines for line in removed)


def _headline(old: State, new: State, shared: Shared, sign: str) -> list[Change]:
    sites = (*old.get("sites", ()), *new.get("sites", ()))
    if headlines.says_the_same(old["title"], new["title"], sites, shared, sign):
        return []
    note = _changed_numbers(old["title"], new["title"])
    return [changed("headline", old["title"], new["title"], note)]


def _text_changes(edits: Sequence[Edit]) -> list[tuple[Change, bool]]:
    return [(_change_of("text", edit), edit.has_fact) for edit in edits]


def _change_of(what: str, edit: Edit) -> Change:
    before, after = (
        " ".join(statement.text for statement in side) for side in (edit.before, edit.after)
    )
    return changed(what, before, after, _changed_numbers(before, after) if edit.is_paired else "")


def _changed_numbers(before: str, after: str) -> str:
    """Return ``1200 mg → 1800 mg``: the numbers that were removed and those that were added."""
    old = Counter(numbers(before[:_LONGEST_NOTE]))
    new = Counter(numbers(after[:_LONGEST_NOTE]))
    removed, added = list((old - new).elements()), list((new - old).elements())
    return f"{', '.join(removed)} → {', '.join(added)}" if removed and added else ""


def _page_changes(old: State, new: State, edits: Sequence[Edit]) -> list[tuple[Change, bool]]:
    """Return the changes of a page by section, each with whether it is material.

    On a page that people look things up in, a side effect that is removed is news without any
    number.
    """
    before, after = (
        _blocks_by_heading(state["content"].get("sections", [])) for state in (old, new)
    )
    changes = _heading_changes(before, after)
    for heading, blocks in after.items():
        come = [edit for edit in edits if edit.after and edit.after[0].section == heading]
        if come and not _has_heading(heading, before) and _is_whole(blocks, come):
            note = LazyMessage("new section")
            changes.append((changed(_name_of(heading), "", _joined(blocks), note), True))
        else:
            changes += [
                (_change_of(_name_of(heading), edit), edit.has_fact or not edit.is_paired)
                for edit in come
            ]
    for heading, blocks in before.items():
        gone = [edit for edit in edits if not edit.after and edit.before[0].section == heading]
        if gone and not _has_heading(heading, after) and _is_whole(blocks, gone):
            note = LazyMessage("section removed")
            changes.append((changed(_name_of(heading), _joined(blocks), "", note), True))
        else:
            changes += [(_change_of(_name_of(heading), edit), True) for edit in gone]
    return changes


def _heading_changes(
    before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]
) -> list[tuple[Change, bool]]:
    """Return the sections that have another heading above the same text."""
    removed = [heading for heading in before if not _has_heading(heading, after)]
    added = [heading for heading in after if not _has_heading(heading, before)]
    changes = []
    for heading in added[:_MOST_RENAMED]:
        texts = (_joined(after[heading]), removed[:_MOST_RENAMED])
        earlier = next(
            (other for other in texts[1] if comparable(_joined(before[other]), texts[0])), None
        )
        if earlier is None:
            continue
        removed.remove(earlier)
        names = [title.partition("\0")[0] for title in (earlier, heading)]
        stated = [facts(Statement(name).words) for name in names]
        change = changed("heading", names[0], _name_of(heading))
        changes.append((change, stated[0] != stated[1]))
    return changes


def _has_heading(heading: str, sections: Collection[str]) -> bool:
    key = Statement(heading).key
    return heading in sections or any(Statement(other).key == key for other in sections)


def _is_whole(blocks: Sequence[str], edits: Sequence[Edit]) -> bool:
    """Return whether these edits brought, or took, all that stands below a heading."""
    statements = [
        statement for statement in Text.of("\n".join(blocks)).statements if not statement.is_around
    ]
    moved = sum(len(edit.after or edit.before) for edit in edits if not edit.is_paired)
    return moved >= len(statements)


def _blocks_by_heading(sections: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the blocks of the sections by heading; a repeated one gets a zero byte and a number.

    Sections of other articles are left out.
    """
    blocks: dict[str, list[str]] = {}
    times: Counter[str] = Counter()
    for section in sections:
        heading = section["heading"]
        if surroundings.is_list_heading(heading) or surroundings.is_advertisement(heading):
            continue
        times[heading] += 1
        if times[heading] > 1:
            heading = f"{heading}\0{times[heading]}"
        blocks[heading] = list(section["blocks"])
    return blocks


def _name_of(heading: str) -> str:
    return heading.partition("\0")[0] or "introduction"


def _joined(blocks: Sequence[str]) -> str:
    return " ".join(
        block if block.endswith((".", "!", "?", "…", ":", ";")) else f"{block}."
        for block in blocks
        if not surroundings.is_around(block)
    )
