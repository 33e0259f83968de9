"""The wording of changes in an article, a page or a trial record: before and after.

Owns the labels of a trial record's values: plain words for patients, the registry's own for
clinicians. The fields and their names are in `trial_fields.py`. Pure.
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

# How many changes of an item are worded, and how many characters a text and a name may have, so
# that one item never makes a mail too large. Chosen by hand; not measured.
MOST = 6
_LONGEST_TEXT, _LONGEST_NAME = 240, 120
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
# ISO 8601 as ClinicalTrials.gov writes it, the day being optional, and the parser's remark.
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?( \(estimated\))?")


@dataclass(frozen=True)
class ChangeView:
    """A change of one part of an entry, in the reader's language.

    Attributes:
        what: the label of the part: "Status".
        words: the text before and after.
        note: the difference that is easily overlooked: "6 months later"; empty for none.
    """

    what: str
    words: str
    note: str


def describe_changes(
    changes: Sequence[Mapping[str, Any]], kind: SourceKind, edition: Edition, language: Language
) -> tuple[ChangeView, ...]:
    """Word the first changes of a revision, at most `MOST`.

    Args:
        changes: as `Revision.changes` stores them, the most important first: `what`, `before`,
            `after` and, for some, `note`.
        kind: the kind of the source.
        edition: patients read plain labels, clinicians the registry's.
        language: the reader's language.
    """
    return tuple(
        ChangeView(
            _label(change["what"], kind, edition, language),
            _before_and_after(change, kind, language),
            shorten(language.translate(change.get("note", "")), _LONGEST_TEXT),
        )
        for change in changes[:MOST]
    )


def describe_trial(fields: Mapping[str, str], edition: Edition, language: Language) -> str:
    """Word a trial record in one line: status, phase, size and end of the main measurements.

    Returns:
        `"Status: Recruiting; Phase: 3."`, or the empty text where none of these fields is filled.
    """
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


def _before_and_after(change: Mapping[str, Any], kind: SourceKind, language: Language) -> str:
    what = change["what"]
    before, after = (
        shorten(language.translate(change[side]), _LONGEST_TEXT) for side in ("before", "after")
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


def _label(what: str, kind: SourceKind, edition: Edition, language: Language) -> str:
    if what in _PARTS:
        return language.gettext(_PARTS[what])
    if kind is SourceKind.PAGE:
        return language.gettext("Section “%(name)s”", name=shorten(what, _LONGEST_NAME))
    return shorten(_field(what, edition, language), _LONGEST_NAME)


def _field(name: str, edition: Edition, language: Language) -> str:
    field = trial_fields.field_named(name)
    if field is None:
        return name
    plain_label = field.plain_label if edition is Edition.PATIENT else ""
    return language.gettext(plain_label or field.label)


def _value(text: str, language: Language) -> str:
    if text in _VALUES:
        return language.gettext(_VALUES[text])
    written_date = _DATE.fullmatch(text)
    if not written_date:
        return text
    year, month, day, estimated = written_date.groups()
    try:
        moment = date(int(year), int(month), int(day or 1))
    except ValueError:
        return text
    shown = language.day(moment) if day else language.month(moment)
    return language.gettext("%(date)s (estimated)", date=shown) if estimated else shown
