"""Folding: the changes of several states of an entry as one difference.

A reader who was told of none of the states between two digests is told what differs from the one
that they know: of each part the first text and the last, and nothing of what is as it was. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from notifier import trial_fields
from notifier.i18n.messages import LazyMessage

# As `revision.changes` stores it.
Change = Mapping[str, Any]

WITHDRAWN, SHOWN_AGAIN = "withdrawn", "availability"
_HEADLINE = "headline"
# As `watch/compare/trial_changes.py` joins the items of a list.
_BETWEEN_ITEMS = "; "


def fold(states: Sequence[Sequence[Change]], *, of_record: bool) -> tuple[Change, ...]:
    """Return the changes from before the first of some states to the last of them.

    Args:
        states: the changes of each, the oldest first.
        of_record: whether they are states of a trial record, whose parts are fields.

    Returns:
        A withdrawal or its end first, then the changes of the publisher's words; empty where all of
        them cancel out, or where nothing is left that a reader needs to know.
    """
    if len(states) == 1:
        return tuple(states[0])
    changes = [change for state in states for change in state]
    kept: list[Change] = []
    for change in changes:
        if change["what"] not in (WITHDRAWN, SHOWN_AGAIN):
            _add(kept, change, of_record=of_record)
    kept = [change for change in kept if change["before"] != change["after"]]
    if of_record:
        kept.sort(key=lambda change: trial_fields.rank(change["what"]))
        if not any(trial_fields.is_news(change["what"]) for change in kept):
            kept = []
    else:
        kept.sort(key=lambda change: change["what"] != _HEADLINE)
    return (*_presence(changes), *kept)


def _presence(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return whether an entry came or went; nothing where it is as before the first state."""
    steps = [change for change in changes if change["what"] in (WITHDRAWN, SHOWN_AGAIN)]
    return (steps[-1],) if steps and steps[0]["what"] == steps[-1]["what"] else ()


def _add(kept: list[Change], change: Change, *, of_record: bool) -> None:
    """Add a later change to the difference, in the place of those that it goes on."""
    field = trial_fields.field_named(change["what"]) if of_record else None
    joined_by: Callable[[Change, Change], Change | None]
    if field is not None and field.is_list:
        joined_by = _joined_list
    elif of_record or change["what"] == _HEADLINE:
        joined_by = _joined_value
    else:
        joined_by = _joined_passage
    for place, earlier in enumerate(kept):
        joined = joined_by(earlier, change) if earlier["what"] == change["what"] else None
        if joined is not None:
            kept[place] = joined
            return
    kept.append(change)


def _joined_value(earlier: Change, later: Change) -> Change:
    """Join two changes of a part that is one text."""
    before, after = earlier["before"], later["after"]
    note = trial_fields.moved_date(before, after)
    return {"what": later["what"], "before": before, "after": after, "note": note}


def _joined_list(earlier: Change, later: Change) -> Change | None:
    """Join what left and joined a list; None where not all of its items are known."""
    if _is_taken_back(earlier, later):
        return _change(earlier, later, "", "")
    sides = (earlier["before"], earlier["after"], later["before"], later["after"])
    if any(_is_cut(side) for side in sides):
        return None
    gone, come, gone_later, come_later = (
        [item for item in side.split(_BETWEEN_ITEMS) if item] for side in sides
    )
    before = [item for item in gone if item not in come_later]
    before += [item for item in gone_later if item not in come]
    after = [item for item in come if item not in gone_later]
    after += [item for item in come_later if item not in gone]
    return _change(earlier, later, _BETWEEN_ITEMS.join(before), _BETWEEN_ITEMS.join(after))


def _joined_passage(earlier: Change, later: Change) -> Change | None:
    """Join two changes of one passage; None where they are of different ones.

    The later change may be of a part of the earlier passage, or of more than it.
    """
    was, between = earlier["before"], earlier["after"]
    then, now = later["before"], later["after"]
    if _is_taken_back(earlier, later):
        return _change(earlier, later, "", "")
    if between and between == then:
        return _change(earlier, later, was, now)
    if not between or not then or any(map(_is_cut, (was, between, then, now))):
        return None
    if _is_part(then, between):
        return _change(earlier, later, was, _replaced(between, then, now))
    if _is_part(between, then):
        return _change(earlier, later, _replaced(then, between, was), now)
    return None


def _is_taken_back(earlier: Change, later: Change) -> bool:
    return bool(earlier["before"] == later["after"] and earlier["after"] == later["before"])


def _is_cut(text: str) -> bool:
    """Return whether a stored text is not the whole of what changed."""
    return isinstance(text, LazyMessage) or text.startswith("…") or text.endswith("…")


def _is_part(part: str, whole: str) -> bool:
    """Return whether whole words of a text are another one."""
    return f" {part} " in f" {whole} "


def _replaced(text: str, part: str, other: str) -> str:
    return " ".join(f" {text} ".replace(f" {part} ", f" {other} ", 1).split())


def _change(earlier: Change, later: Change, before: str, after: str) -> Change:
    """Return the change of two; the note of one says nothing about both, unless one is the whole.

    Of a section that came, or that went, the note is true still.
    """
    note = "" if before and after else later["note"] if before else earlier["note"]
    return {"what": later["what"], "before": before, "after": after, "note": note}
