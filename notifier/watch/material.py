"""What changed between two states of an entry, and whether a reader needs to know.

Pure: two observations' worth of text in, the changes in words out. An edit is material when its headline, its numbers
or its negations change, when a page's sections change, or when a followed field of a trial record does.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypedDict

from notifier.text import fold, shorten

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*%?")
_NEGATIONS = {"no", "not", "never", "without", "neither", "nor", "none", "cannot", "failed", "fails", "fail"}
_NEGATIONS |= {"halted", "stopped", "withdrawn", "retracted"}


class Change(TypedDict):
    """One difference: what it concerns, and how it read before and after; an empty text means it was not there."""

    what: str
    before: str
    after: str


class State(TypedDict):
    """What is compared: the title, all text, and the structured content of an observation or a revision."""

    title: str
    text: str
    content: Mapping[str, Any]


def changes(old: State, new: State) -> list[Change]:
    """The material changes from `old` to `new`, the weightiest first; an empty list means a cosmetic edit."""
    if "fields" in new["content"]:
        return _field_changes(old["content"].get("fields", {}), new["content"]["fields"])
    if "sections" in new["content"]:
        return _section_changes(old["content"].get("sections", []), new["content"]["sections"])
    found = []
    if fold(old["title"]) != fold(new["title"]):
        found.append(Change(what="headline", before=old["title"], after=new["title"]))
    return found + _sentence_changes(old["text"], new["text"])


def _field_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    names = [*new, *(name for name in old if name not in new)]
    return [
        Change(what=name, before=old.get(name, ""), after=new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def _section_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Change]:
    before = {section["heading"]: section["blocks"] for section in old}
    after = {section["heading"]: section["blocks"] for section in new}
    found = []
    for heading in [*after, *(name for name in before if name not in after)]:
        was, now = before.get(heading, []), after.get(heading, [])
        gone = [block for block in was if block not in now]
        come = [block for block in now if block not in was]
        if gone or come:
            found.append(
                Change(what=heading or "introduction", before=_passage(gone, come), after=_passage(come, gone))
            )
    return found


def _passage(blocks: list[str], others: list[str]) -> str:
    """The sentences of `blocks` that do not stand in `others`."""
    known = {sentence for block in others for sentence in _sentences(block)}
    return shorten(" ".join(one for block in blocks for one in _sentences(block) if one not in known), 400)


def _sentence_changes(old: str, new: str) -> list[Change]:
    """The sentences whose numbers or negations changed."""
    if _facts(old) == _facts(new):
        return []
    before = [one for one in _sentences(old) if one not in set(_sentences(new))]
    after = [one for one in _sentences(new) if one not in set(_sentences(old))]
    return [Change(what="text", before=shorten(" ".join(before), 300), after=shorten(" ".join(after), 300))]


def _facts(text: str) -> Counter[str]:
    words = [word for word in fold(text).split() if word in _NEGATIONS]
    return Counter(_NUMBER.findall(text)) + Counter(words)


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text) if part]
