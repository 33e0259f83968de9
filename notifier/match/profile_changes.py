"""Changes of a profile: what differs between two states of its file.

Owns how the parts of two documents are paired: a term by its kind and text, a trial by its number,
a canary by its title. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_PARTS = {"terms": "term", "trials": "trial", "canaries": "canary"}
_ADDRESSES = {"pages": "page", "sources": "source"}
_VALUES = ("name", "summary", "stage", "stage_as_of", "public")
_GROUPS = ("approvals", "facts", "translations")


class Difference(NamedTuple):
    """Something that one state of a profile has and the other has not, or has in another way.

    Attributes:
        part: ``term``, ``trial``, ``canary``, ``page``, ``source``, or the key of the file.
        verb: ``added``, ``removed`` or ``changed``.
        name: of the term, trial or canary, or the address; empty for a key of the file.
        before: the earlier values as a text; empty for what was added.
        after: the later values as a text; empty for what was removed.
    """

    part: str
    verb: str
    name: str
    before: str
    after: str


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return the differences between two documents of a profile."""
    listed: list[Difference] = []
    for key, part in _PARTS.items():
        before, after = (
            {_name_of(each): each for each in document.get(key, ())} for document in (old, new)
        )
        listed += _of_parts(part, before, after)
    for key, part in _ADDRESSES.items():
        before, after = ({url: url for url in document.get(key, ())} for document in (old, new))
        listed += _of_parts(part, before, after)
    for key in (*_VALUES, *_GROUPS):
        if old.get(key) != new.get(key):
            texts = _differing_values(old.get(key), new.get(key))
            listed.append(Difference(key, "changed", "", *texts))
    return listed


def lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences between two documents of a profile, a line each."""
    return [
        f"{each.part} {each.verb}: {each.name}" if each.name else _line_of_key(each.part, new)
        for each in differences(old, new)
    ]


def counts(listed: list[Difference]) -> str:
    """Return differences in a few words: ``2 terms added, stage changed``."""
    numbers: dict[tuple[str, str], int] = {}
    for each in listed:
        key = each.part, each.verb
        numbers[key] = numbers.get(key, 0) + 1
    return ", ".join(_in_words(part, verb, number) for (part, verb), number in numbers.items())


def _in_words(part: str, verb: str, number: int) -> str:
    if part in (*_VALUES, *_GROUPS):
        return f"{_WORDS.get(part, part)} {verb}"
    many = "canaries" if part == "canary" else f"{part}s"
    return f"{number} {part if number == 1 else many} {verb}"


_WORDS = {"stage_as_of": "date of the stage", "public": "who may read it"}


def _line_of_key(key: str, new: Mapping[str, Any]) -> str:
    value = new.get(key)
    return f"{key} changed: {value}" if isinstance(value, str) else f"{key} changed"


def _name_of(part: Mapping[str, Any]) -> str:
    return " ".join(str(part[key]) for key in ("kind", "text", "id", "title") if key in part)


def _of_parts(
    part: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, value in after.items():
        if name not in before:
            yield Difference(part, "added", name, "", _text_of(value))
    for name, value in before.items():
        if name not in after:
            yield Difference(part, "removed", name, _text_of(value), "")
    for name, value in after.items():
        if name in before and value != before[name]:
            yield Difference(part, "changed", name, _text_of(before[name]), _text_of(value))


def _differing_values(old: Any, new: Any) -> tuple[str, str]:
    """Return two values as texts; of two tables only what differs."""
    if not (isinstance(old, Mapping | None) and isinstance(new, Mapping | None)):
        return _text_of(old), _text_of(new)
    old, new = old or {}, new or {}
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    before, after = ({key: each[key] for key in keys if key in each} for each in (old, new))
    return _text_of(before), _text_of(after)


def _text_of(value: Any) -> str:
    """Return a value of a profile file as one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if key != "kind"}
        if value.keys() & {"text", "id", "title", "where"}:
            return ", ".join(filter(None, map(_text_of, kept.values())))
        return "; ".join(f"{key.replace('_', ' ')}: {_text_of(each)}" for key, each in kept.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text_of, value))
    return str(value)
