"""The form of a profile: its fields from a stored document, and a document from its fields.

Owns how an editor writes a profile without knowing the file: one term a line, its other spellings
behind semicolons; rows for trials and known texts. What the form does not show (facts, approvals,
translations) stays as it is. What is wrong is said beside its field.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from notifier.admin import profile_edit
from notifier.enums import TermKind, Tier
from notifier.match.profile_file import ProfileFile
from notifier.match.profile_refusals import Breadth, breadth_of
from notifier.text.cleaning import clean, fold
from notifier.web import forms

# The kinds of terms in the order of the page, what it calls them, and what they do.
KINDS = {
    TermKind.NAME: (
        "Names",
        "In the headline or the first sentence: the article is about it. Further down: a mention.",
    ),
    TermKind.CODE: ("Code names", "As names, but every digit must agree."),
    TermKind.TRIAL: ("Names of trials", "Besides those of the trials below."),
    TermKind.TARGET: ("Targets", "What the therapy acts on. Without the name: related news."),
    TermKind.CLASS: (
        "Classes",
        "The kind of therapy, and others of the same kind. Without the name: related news.",
    ),
    TermKind.SPONSOR: ("Companies", "Never match alone; they put an item higher."),
    TermKind.INDICATION: ("Illnesses", "Never match alone; they put an item higher."),
    TermKind.COMPARATOR: ("Compared with", "Never match alone; they put an item higher."),
    TermKind.EXCLUDE: (
        "Exclusions",
        "An article with one is left out, unless its headline names the therapy.",
    ),
}
TIERS = {
    Tier.ABOUT: "about the therapy",
    Tier.MENTION: "mentions it",
    Tier.RELATED: "related",
    Tier.NONE: "no match",
}
TRIAL_FIELDS = ("id", "acronym", "phase", "about")
CANARY_FIELDS = ("title", "summary", "body", "tier")
_LINE_FIELDS = ("name", "summary", "stage", "stage_as_of")
_ADDRESS_FIELDS = ("pages", "sources")
# Letters of a new name or code that is pointed out as short. Chosen by hand; not measured.
_SHORT = 5
_DATE = "Give the date as year-month-day, such as 2025-10-02."
_ROWS = {"trials": "trial", "canaries": "canary"}
_WORDS = {
    ("name", "missing"): "Give the therapy's name.",
    ("name", "value_error"): "Give the therapy's name.",
    ("terms_name", "missing"): "Name at least one term by which the therapy is found.",
    ("terms_name", "too_short"): "Name at least one term by which the therapy is found.",
}


@dataclass(frozen=True)
class Filled:
    """The form as a person sees it.

    Attributes:
        values: the texts of the single fields, by name.
        trials: the rows of the trials, each by `TRIAL_FIELDS`.
        canaries: the rows of the known texts, each by `CANARY_FIELDS`.
        is_public: whether anybody may read the digests.
    """

    values: Mapping[str, str]
    trials: Sequence[Mapping[str, str]]
    canaries: Sequence[Mapping[str, str]]
    is_public: bool


@dataclass(frozen=True)
class Checked:
    """The content of a form, checked.

    Attributes:
        file: the profile; None if it cannot be read. It is not to be stored while something is
            wrong.
        wrong: sentences by field, such as ``terms_name``, ``trial_0_id`` or ``canary_2``.
        notes: sentences by field about what is not wrong, but worth a look.
    """

    file: ProfileFile | None
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def filled_with(document: Mapping[str, Any]) -> Filled:
    """Return the form that shows a stored document."""
    values = {name: str(document.get(name) or "") for name in _LINE_FIELDS}
    values |= {name: "\n".join(document.get(name, ())) for name in _ADDRESS_FIELDS}
    for kind in KINDS:
        of_kind = (term for term in document.get("terms", ()) if term["kind"] == kind)
        values[f"terms_{kind}"] = "\n".join(map(_line_of, of_kind))
    trials = [_row(trial, TRIAL_FIELDS) for trial in document.get("trials", ())]
    canaries = [_row(canary, CANARY_FIELDS) for canary in document.get("canaries", ())]
    return Filled(values, trials, canaries, bool(document.get("public")))


def filled_by(form: FormData) -> Filled:
    """Return the form as somebody sent it; rows without any text are left out."""
    names = (*_LINE_FIELDS, *_ADDRESS_FIELDS, *(f"terms_{kind}" for kind in KINDS))
    values = {name: _lines(form, name) for name in names}
    return Filled(
        values,
        _rows(form, "trial", TRIAL_FIELDS),
        _rows(form, "canary", CANARY_FIELDS),
        forms.text(form, "public") == "yes",
    )


def check(filled: Filled, stored: Mapping[str, Any]) -> Checked:
    """Check a form, and return the profile that it describes.

    Args:
        filled: as somebody sent it.
        stored: the document that keeps what the form does not show, and the order of the terms.
    """
    lines = list(_term_lines(filled))
    parts = _in_stored_order([line.part for line in lines], stored)
    document = {**stored, "terms": parts, "public": filled.is_public}
    for name in _LINE_FIELDS:
        before = str(document.get(name) or "")
        after = filled.values[name]
        document[name] = before if clean(before) == clean(after) else clean(after)
    if not document["stage_as_of"]:
        del document["stage_as_of"]
    for name in _ADDRESS_FIELDS:
        document[name] = filled.values[name].split()
    document["trials"] = [_as_stored(row, stored.get("trials", ()), "id") for row in filled.trials]
    document["canaries"] = [
        _as_stored(row, stored.get("canaries", ()), "title") for row in filled.canaries
    ]
    wrong: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    _point_out(lines, stored, wrong, notes)
    _check_addresses(document, wrong)
    file = None
    try:
        file = ProfileFile.model_validate(document)
    except ValidationError as error:
        for each in error.errors():
            name, text = _said(each, document, lines)
            if text not in wrong.setdefault(name, []):
                wrong[name].append(text)
    if file is not None and not wrong:
        _check_canaries(file, wrong)
    if wrong.keys() - {f"canary_{place}" for place in range(len(filled.canaries))}:
        file = None
    return Checked(file, wrong, notes)


@dataclass(frozen=True)
class _TermLine:
    """A line of a field of terms.

    Attributes:
        field: the name of the field.
        number: of the line, from 1.
        part: as it is in the file.
    """

    field: str
    number: int
    part: dict[str, Any]

    @property
    def place(self) -> str:
        """The line as a person finds it."""
        return f"Line {self.number}, “{self.part['text']}”"


def _term_lines(filled: Filled) -> Iterator[_TermLine]:
    for kind in KINDS:
        name = f"terms_{kind}"
        for number, line in enumerate(filled.values[name].splitlines(), 1):
            spellings = _spellings_of(line)
            if spellings:
                also = {"also": spellings[1:]} if spellings[1:] else {}
                yield _TermLine(name, number, {"kind": str(kind), "text": spellings[0], **also})


def _line_of(term: Mapping[str, Any]) -> str:
    """Return a term as a line; a semicolon that belongs to a spelling is written twice."""
    spellings = (clean(each).replace(";", ";;") for each in (term["text"], *term.get("also", ())))
    return "; ".join(spellings)


def _spellings_of(line: str) -> list[str]:
    spellings = line.replace(";;", "\0").split(";")
    return [text for each in spellings if (text := clean(each.replace("\0", ";")))]


def _row(part: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: str(part.get(name, "")) for name in names}


def _rows(form: FormData, prefix: str, names: Sequence[str]) -> list[dict[str, str]]:
    columns = (
        [value if isinstance(value, str) else "" for value in form.getlist(f"{prefix}_{name}")]
        for name in names
    )
    rows = [
        dict(zip(names, (_kept(value) for value in row), strict=True))
        for row in zip_longest(*columns, fillvalue="")
    ]
    return [row for row in rows if any(row[name] for name in names if name != "tier")]


def _lines(form: FormData, name: str) -> str:
    """Return a field as it was typed: a line keeps its number if one before it is empty."""
    return forms.unstripped(form, name).replace("\r\n", "\n").rstrip()


def _kept(text: str) -> str:
    """Return what was typed in a row, with the line ends of the file."""
    return text.replace("\r\n", "\n").strip()


def _as_stored(
    row: Mapping[str, str], stored: Sequence[Mapping[str, Any]], key: str
) -> dict[str, str]:
    """Return a row; what differs from the stored one by space alone stays as it was stored."""
    earlier = next((part for part in stored if clean(part[key]) == clean(row[key])), {})
    before = {name: str(earlier.get(name, "")) for name in row}
    return {
        name: before[name] if clean(before[name]) == clean(text) else text
        for name, text in row.items()
    }


def _in_stored_order(
    parts: Sequence[dict[str, Any]], stored: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return terms in the order of the file, new ones behind it: no order is changed by a form."""
    places = {
        (term["kind"], term["text"]): place for place, term in enumerate(stored.get("terms", ()))
    }
    return sorted(parts, key=lambda part: places.get((part["kind"], part["text"]), len(places)))


def _point_out(
    lines: Sequence[_TermLine],
    stored: Mapping[str, Any],
    wrong: dict[str, list[str]],
    notes: dict[str, list[str]],
) -> None:
    """Say which terms are too common, short, or there twice."""
    known = {(term["kind"], term["text"]) for term in stored.get("terms", ())}
    first: dict[tuple[str, str], int] = {}
    for line in lines:
        kind, text = TermKind(line.part["kind"]), line.part["text"]
        for spelling in (text, *line.part.get("also", ())):
            breadth = breadth_of(kind, spelling)
            if breadth is Breadth.COMMON:
                wrong.setdefault(line.field, []).append(
                    f"Line {line.number}: “{spelling}” would match almost everything. Give a name "
                    "that only the therapy has, or put it under Illnesses, which never match alone."
                )
            elif breadth is Breadth.SHORT:
                wrong.setdefault(line.field, []).append(
                    f"Line {line.number}: “{spelling}” is too short: it would match almost "
                    "everything. Give a longer one, or put it under Illnesses."
                )
        is_new = (kind, text) not in known
        if is_new and kind in (TermKind.NAME, TermKind.CODE) and len(fold(text)) <= _SHORT:
            notes.setdefault(line.field, []).append(
                f"{line.place} is short: see below what it finds."
            )
        earlier = first.setdefault((kind, fold(text)), line.number)
        if earlier != line.number:
            wrong.setdefault(line.field, []).append(
                f"{line.place} is in line {earlier} already. Keep one of them."
            )


def _check_addresses(document: Mapping[str, Any], wrong: dict[str, list[str]]) -> None:
    for name in _ADDRESS_FIELDS:
        for url in profile_edit.unwatchable(document[name]):
            wrong.setdefault(name, []).append(
                f"“{clean(url)[:200]}” is no address: it begins with https:// or http://."
            )


def _check_canaries(file: ProfileFile, wrong: dict[str, list[str]]) -> None:
    for place, (canary, tier) in enumerate(
        zip(file.canaries, profile_edit.canary_tiers(file), strict=True)
    ):
        if tier is not canary.tier:
            sentence = (
                f"“{canary.title}” would be: {TIERS[tier]}. It must be: {TIERS[canary.tier]}."
            )
            wrong[f"canary_{place}"] = [f"{sentence} Correct the terms, or what it must be."]


def _said(
    error: Mapping[str, Any], document: Mapping[str, Any], lines: Sequence[_TermLine]
) -> tuple[str, str]:
    """Return the field that a check refused, and why."""
    name, *rest = map(str, error["loc"])
    if name == "terms" and rest:
        part = document["terms"][int(rest[0])]
        line = next(each for each in lines if each.part is part)
        return line.field, f"{line.place} {_reason(error)}."
    if name in _ROWS and rest:
        return f"{_ROWS[name]}_{rest[0]}", _said_of_row(error, document[name][int(rest[0])])
    name = {"terms": "terms_name"}.get(name, name)
    if (name, error["type"]) in _WORDS:
        return name, _WORDS[name, error["type"]]
    if name == "stage_as_of":
        return name, _DATE
    if name in (*_LINE_FIELDS, *_ADDRESS_FIELDS, "terms_name"):
        return name, f"{_reason(error)[:1].upper()}{_reason(error)[1:]}."
    return "rest", f"{' '.join((name, *rest))} {_reason(error)}."


def _said_of_row(error: Mapping[str, Any], row: Mapping[str, str]) -> str:
    key = str(error["loc"][-1])
    if key == "tier":
        return "Choose what this text must be."
    if key == "title":
        return f"The headline {_reason(error)}."
    return f"“{row.get(key, '')}” {_reason(error)}."


def _reason(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
