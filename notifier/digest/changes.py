"""Changes in words: how an article, a page or a trial record reads now, beside how it read before.

Owns how the values of a trial record are called; its fields and their names are in
`trial_fields.py`. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifier import trial_fields
from notifier.enums import Edition, SourceKind
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.text.cleaning import shorten

MOST = 6

_LENGTH, _NAME = 240, 120
_PARTS = {
    "headline": mark("The headline"),
    "text": mark("The text"),
    "heading": mark("The heading"),
    "withdrawn": mark("Withdrawn"),
    "availability": mark("Available again"),
}
_VALUES = {
    "Not yet recruiting": mark("Not yet recruiting"),
    "Recruiting": mark("Recruiting"),
    "Enrolling by invitation": mark("Enrolling by invitation"),
    "Active not recruiting": mark("Active, not recruiting"),
    "Suspended": mark("Suspended"),
    "Terminated": mark("Terminated"),
    "Completed": mark("Completed"),
    "Withdrawn": mark("Withdrawn before it began"),
    "Unknown": mark("Unknown"),
    "yes": mark("yes"),
    "no": mark("no"),
}
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?( \(estimated\))?")


@dataclass(frozen=True)
class ChangeView:
    """One difference: what it concerns, how it read and reads now, and what the eye should catch in it."""

    what: str
    words: str
    note: str


def in_words(
    stored: Sequence[Mapping[str, Any]], kind: SourceKind, edition: Edition, language: Language
) -> tuple[ChangeView, ...]:
    """The weightiest changes of a revision, in words."""
    return tuple(
        ChangeView(
            _named(one["what"], kind, edition, language),
            _words(one, kind, language),
            shorten(language.translate(one.get("note", "")), _LENGTH),
        )
        for one in stored[:MOST]
    )


def trial_in_words(fields: Mapping[str, str], edition: Edition, language: Language) -> str:
    """A trial record as one line: its status, phase, size and the date that is waited for."""
    parts = [
        language.gettext(
            "%(label)s: %(text)s",
            label=_field(field.name, edition, language),
            text=_value(fields[field.name], language),
        )
        for field in trial_fields.summary_fields()
        if fields.get(field.name)
    ]
    return "; ".join(parts) + "." if parts else ""


def _words(change: Mapping[str, Any], kind: SourceKind, language: Language) -> str:
    what = change["what"]
    before, after = (
        shorten(language.translate(change[side]), _LENGTH) for side in ("before", "after")
    )
    if what in ("withdrawn", "availability"):
        return after
    if kind is SourceKind.REGISTRY:
        before, after = _value(before, language), _value(after, language)
    field = trial_fields.field_named(what) if kind is SourceKind.REGISTRY else None
    if field is not None and field.is_list:
        added = language.gettext("added “%(text)s”", text=after) if after else ""
        removed = language.gettext("removed “%(text)s”", text=before) if before else ""
        return "; ".join(part for part in (added, removed) if part)
    if before and after:
        return language.gettext("was “%(before)s”, now “%(after)s”", before=before, after=after)
    if after:
        return language.gettext("new: “%(text)s”", text=after)
    return language.gettext("removed: “%(text)s”", text=before)


def _named(what: str, kind: SourceKind, edition: Edition, language: Language) -> str:
    if what in _PARTS:
        return language.gettext(_PARTS[what])
    if kind is SourceKind.PAGE:
        return language.gettext("Section “%(name)s”", name=shorten(what, _NAME))
    return shorten(_field(what, edition, language), _NAME)


def _field(name: str, edition: Edition, language: Language) -> str:
    field = trial_fields.field_named(name)
    if field is None:
        return name
    plain_label = field.plain_label if edition is Edition.PATIENT else ""
    return language.gettext(plain_label or field.label)


def _value(text: str, language: Language) -> str:
    if text in _VALUES:
        return language.gettext(_VALUES[text])
    found = _DATE.fullmatch(text)
    if not found:
        return text
    year, month, day, estimated = found.groups()
    try:
        moment = date(int(year), int(month), int(day or 1))
    except ValueError:
        return text
    shown = language.day(moment) if day else language.month(moment)
    return language.gettext("%(date)s (estimated)", date=shown) if estimated else shown
