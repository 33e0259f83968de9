"""Marked edits: the words of a text that were replaced, added or removed, each shown once.

Owns the comparison of two states of a sentence by words, and how much of the unchanged words around
an edit is shown. It knows nothing of what is stored. Pure.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from notifier.text.cleaning import shorten

# Two texts are shown as one with marks if they share this part of the words of the longer one, and
# so many words; otherwise the marks would stand everywhere. Chosen by hand; not measured.
_LEAST_SHARED, _FEWEST_SHARED = 0.5, 3
# The most unchanged words that are shown on each side of an edit, the most edits of a text, and the
# most characters of one edit. Chosen by hand; not measured.
_AROUND, _MOST_EDITS, _LONGEST_EDIT = 8, 6, 160
# Signs that stand beside a word and do not belong to what was changed.
_SIGNS = ".,;:!?…()[]\"'“”„«»‘’"

# A number of which the next word says what it counts: ``1,820`` in "1,820 mg".
_NUMBER = re.compile(r".*\d")
_UNIT = re.compile(r"(?!(?:and|or|of|to|in|und|oder|von|bis|et|ou|de|y|o)\b)[^\W\d].*")

# What was removed and what was added, without case and signs: equal for the same edit elsewhere.
EditKey = tuple[str, str]


@dataclass(frozen=True)
class Part:
    """A part of an edited text.

    Attributes:
        text: its words, if they did not change.
        removed: the words that stood here before; empty for none.
        added: the words that stand here now; empty for none.
        unit: the last word of both, if it only says what a changed number counts; else empty.
    """

    text: str = ""
    removed: str = ""
    added: str = ""
    unit: str = ""

    @property
    def is_edit(self) -> bool:
        """True for a part that was replaced, added or removed."""
        return bool(self.removed or self.added)

    @property
    def key(self) -> EditKey:
        """The key of an edit."""
        return _key(self.removed.removesuffix(self.unit)), _key(self.added.removesuffix(self.unit))


def _key(text: str) -> str:
    return text.casefold().strip(_SIGNS + " ")


def marked(before: str, after: str) -> tuple[Part, ...]:
    """Return the text of today with its edits; empty if the two have too little in common."""
    old, new = before.split(), after.split()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    shared = sum(block.size for block in matcher.get_matching_blocks())
    if shared < max(_FEWEST_SHARED, _LEAST_SHARED * max(len(old), len(new))):
        return ()
    parts: list[Part] = []
    unit = ""
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            parts.append(Part(text=" ".join(old[i + bool(unit) : j])))
            unit = ""
        else:
            unit = _unit(old[i:j], new[k:m], new[m : m + 1])
            parts.append(_edit(old[i:j], new[k:m], unit))
    return tuple(_without_cut_end(parts, before, after))


def _unit(removed: Sequence[str], added: Sequence[str], following: Sequence[str]) -> str:
    """Return the word that follows a number which became another one, and says what it counts."""
    became = removed and added and _NUMBER.fullmatch(removed[-1]) and _NUMBER.fullmatch(added[-1])
    return following[0] if became and following and _UNIT.fullmatch(following[0]) else ""


def _edit(removed: Sequence[str], added: Sequence[str], unit: str) -> Part:
    """Return an edit: a number with its unit, so that it can be read without the words around."""
    behind = [unit] if unit else []
    return Part(
        removed=shorten(" ".join([*removed, *behind]), _LONGEST_EDIT),
        added=shorten(" ".join([*added, *behind]), _LONGEST_EDIT),
        unit=unit,
    )


def _without_cut_end(parts: list[Part], before: str, after: str) -> list[Part]:
    """Drop a difference at the end that comes from where the two texts were cut."""
    is_cut = before.endswith("…") or after.endswith("…")
    if is_cut and parts[-1].is_edit and sum(part.is_edit for part in parts) > 1:
        return [*parts[:-1], Part(text="…")]
    return parts


def without_known(parts: Sequence[Part], known: Collection[EditKey]) -> tuple[Part, ...]:
    """Return the parts with only those edits that were not shown before; empty for none."""
    rest = [Part(text=part.added) if part.is_edit and part.key in known else part for part in parts]
    return tuple(rest) if any(part.is_edit for part in rest) else ()


def excerpt(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the first edits with a few words around each."""
    return tuple(_joined(_shown(list(_joined(parts)))))


def _shown(parts: Sequence[Part]) -> Iterator[Part]:
    edits = [place for place, part in enumerate(parts) if part.is_edit]
    first, last = edits[0], edits[:_MOST_EDITS][-1]
    for place, part in enumerate(parts[: last + 1]):
        if part.is_edit:
            yield part
        else:
            yield Part(text=_around(part.text, after=place > first, before=True))
    if rest := _plain(parts[last + 1 :]):
        yield Part(text=_around(rest, after=True, before=False))


def _plain(parts: Sequence[Part]) -> str:
    """Return a text without its marks."""
    return " ".join(filter(None, (part.added if part.is_edit else part.text for part in parts)))


def _around(text: str, *, after: bool, before: bool) -> str:
    """Return the words of a text that stand next to an edit: after one, before one, or both."""
    words = text.split()
    if len(words) <= _AROUND * (after + before):
        return text
    head = words[:_AROUND] if after else []
    tail = words[-_AROUND:] if before else []
    return " ".join([*head, "…", *tail])


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Join unchanged parts that follow each other, and drop empty ones."""
    plain: list[str] = []
    for part in parts:
        if not part.is_edit:
            plain.append(part.text)
            continue
        if text := " ".join(filter(None, plain)):
            yield Part(text=text)
        plain.clear()
        yield part
    if text := " ".join(filter(None, plain)):
        yield Part(text=text)
