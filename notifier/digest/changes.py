"""The wording of changes in an article, a page or a trial record: before and after.

Owns the labels of a trial record's values: plain words for patients, the registry's own for
clinicians. The fields and their names are in `trial_fields.py`. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from notifier import trial_fields
from notifier.digest.marked_edits import EditKey, Part, excerpt, marked, without_known
from notifier.enums import Edition, SourceKind
from notifier.i18n.catalog import Language
from notifier.i18n.messages import LazyMessage, mark
from notifier.text.cleaning import shorten
from notifier.text.languages import foreign

# How many changes of an item are shown, and how many characters a text and a name may have, so
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
# The sentences of these are ours, and whole.
_WITHOUT_MARKS = ("withdrawn", "availability")
_LETTERS = re.compile(r"[^\W\d_]")
# As `watch/compare/diff.py` stores it.
_INTRODUCTION = mark("introduction")
_HEADLINE_AND_TEXT = mark("The headline and the text")
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


# The forms of a change that is not shown as one text with marks.
_WAS_NOW = mark("was “%(before)s”, now “%(after)s”")
_NEW, _REMOVED = mark("new: “%(text)s”"), mark("removed: “%(text)s”")
_ADDED_TO_LIST, _REMOVED_FROM_LIST = mark("added “%(text)s”"), mark("removed “%(text)s”")


@dataclass(frozen=True)
class Phrase:
    """A clause about a change; the publisher's words in it know their language.

    Attributes:
        form: the message, to be translated; empty where the text is the whole clause.
        text: its value where it has one.
        before: the earlier of its two values.
        after: the later of them.
    """

    form: str
    text: str = ""
    before: str = ""
    after: str = ""

    def words(self, language: Language) -> str:
        """Return the clause in a language."""
        values = {"text": self.text, "before": self.before, "after": self.after}
        return language.gettext(self.form, **values) if self.form else self.text


@dataclass(frozen=True)
class ChangeView:
    """A change of one part of an entry, in the reader's language.

    Attributes:
        what: the label of the part: "Status".
        words: the text before and after, each whole.
        note: the difference that is easily overlooked: "6 months later"; empty for none.
        parts: the text with its edits marked, each once; empty where the two have little in common.
        marked: the same as plain text; equal to `words` where there are no parts.
        phrases: the clauses of `words`.
        section: the heading of a page's section, if the label names one.
        lang: the code of the language of `parts`; empty where it is the reader's.
    """

    what: str
    words: str
    note: str
    parts: tuple[Part, ...] = ()
    marked: str = ""
    phrases: tuple[Phrase, ...] = ()
    section: str = ""
    lang: str = ""


def describe_changes(
    changes: Sequence[Mapping[str, Any]],
    kind: SourceKind,
    edition: Edition,
    language: Language,
    lang: str = "",
) -> tuple[ChangeView, ...]:
    """Word the changes of a revision; an edit of the headline is not repeated for the text.

    Args:
        changes: as `Revision.changes` stores them, the most important first: `what`, `before`,
            `after` and, for some, `note`.
        kind: the kind of the source.
        edition: patients read plain labels, clinicians the registry's.
        language: the reader's language.
        lang: the code of the language of the publisher's texts; empty where it is not marked.

    Returns:
        All of them; a mail shows at most `MOST`.
    """
    views: list[ChangeView] = []
    of_headline: set[EditKey] = set()
    for change in changes:
        what, edits = change["what"], _marked(change, kind)
        keys = [part.key for part in edits if part.is_edit] or [_whole(change)]
        if what == "text" and of_headline.issuperset(keys):
            views = [_with_text(view, language) for view in views]
            continue
        rest = without_known(edits, of_headline) if what == "text" else edits
        views.append(_change_view(change, rest, kind, edition, language, lang))
        if what == "headline":
            # An added or removed "not" may be another one in the text; a replaced word is the same.
            of_headline |= {key for key in keys if all(key)}
    return tuple(views)


def _marked(change: Mapping[str, Any], kind: SourceKind) -> tuple[Part, ...]:
    """Return a change of a publisher's sentence as a text with marks; empty for other changes."""
    if kind is SourceKind.REGISTRY or change["what"] in _WITHOUT_MARKS:
        return ()
    before, after = change["before"], change["after"]
    return marked(before, after) if before and after else ()


def _whole(change: Mapping[str, Any]) -> EditKey:
    """Return the key of a change that is shown whole."""
    return str(change["before"]), str(change["after"])


def _with_text(view: ChangeView, language: Language) -> ChangeView:
    """Return the view of a headline's change that the text has, too; other views as they are."""
    label = _PARTS["headline"]
    if view.what != language.gettext(label):
        return view
    return replace(view, what=language.gettext(_HEADLINE_AND_TEXT))


def _change_view(
    change: Mapping[str, Any],
    edits: tuple[Part, ...],
    kind: SourceKind,
    edition: Edition,
    language: Language,
    lang: str,
) -> ChangeView:
    what, note = change["what"], language.translate(change.get("note", ""))
    phrases = _phrases(change, kind, language, lang)
    words = "; ".join(phrase.words(language) for phrase in phrases)
    parts = excerpt(edits) if edits else ()
    # Numbers of a sentence, which its marks show already.
    note = "" if parts and not isinstance(change.get("note", ""), LazyMessage) else note
    return ChangeView(
        _label(what, kind, edition, language),
        words,
        shorten(note, _LONGEST_TEXT),
        parts,
        _as_text(parts, language) if parts else words,
        phrases,
        _section(what, kind, language, lang),
        lang if lang != language.code else "",
    )


def _as_text(parts: Sequence[Part], language: Language) -> str:
    """Return a text with its edits in square brackets."""
    return " ".join(_in_brackets(part, language) if part.is_edit else part.text for part in parts)


def _in_brackets(part: Part, language: Language) -> str:
    if part.removed and part.added:
        return f"[{part.removed} → {part.added}]"
    form = _NEW if part.added else _REMOVED
    return f"[{language.gettext(form, text=part.added or part.removed)}]"


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


def _phrases(
    change: Mapping[str, Any], kind: SourceKind, language: Language, lang: str
) -> tuple[Phrase, ...]:
    """Return the clauses about a change: what was there, and what is there now."""
    what = change["what"]
    before, after = (
        _shown(change[side], kind, language, lang or language.code) for side in ("before", "after")
    )
    if what in _WITHOUT_MARKS:
        return (Phrase("", shorten(language.translate(change["after"]), _LONGEST_TEXT)),)
    field = trial_fields.field_named(what) if kind is SourceKind.REGISTRY else None
    if field is not None and field.is_list:
        added = (Phrase(_ADDED_TO_LIST, after),) if after else ()
        return (*added, Phrase(_REMOVED_FROM_LIST, before)) if before else added
    if before and after:
        return (Phrase(_WAS_NOW, before=before, after=after),)
    return (Phrase(_NEW, after) if after else Phrase(_REMOVED, before),)


def _shown(text: str, kind: SourceKind, language: Language, lang: str) -> str:
    """Return a value in the reader's language, or the publisher's words in theirs."""
    shown = shorten(language.translate(text), _LONGEST_TEXT)
    worded = _value(shown, language) if kind is SourceKind.REGISTRY else shown
    is_ours = worded != shown or isinstance(text, LazyMessage)
    return (
        worded if is_ours or not _LETTERS.search(worded) else foreign(worded, lang, language.code)
    )


def _label(what: str, kind: SourceKind, edition: Edition, language: Language) -> str:
    if what in _PARTS:
        return language.gettext(_PARTS[what])
    if section := _section(what, kind, language):
        return language.gettext("Section “%(name)s”", name=section)
    return shorten(_field(what, edition, language), _LONGEST_NAME)


def _section(what: str, kind: SourceKind, language: Language, lang: str = "") -> str:
    """Return the heading of the section of a page that changed; empty for another part.

    What stands before the first heading has a name of ours.
    """
    if kind is not SourceKind.PAGE or what in _PARTS:
        return ""
    if what == _INTRODUCTION:
        return language.gettext(_INTRODUCTION)
    return foreign(shorten(what, _LONGEST_NAME), lang or language.code, language.code)


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
