"""The changes from one state of a trial record to another, field by field.

Pure. The followed fields and their order are in `trial_fields.py`. Capitals, spaces, full stops and
other spellings of a place are no change.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from notifier import trial_fields
from notifier.i18n.messages import LazyMessage, plural
from notifier.store.models.sources import Change
from notifier.trial_fields import FieldForm, FieldGroup
from notifier.watch.compare import places
from notifier.watch.compare.changes import changed
from notifier.watch.compare.statements import sentences
from notifier.watch.compare.text_changes import NOTHING_SHARED, Shared
from notifier.watch.compare.wording import glued, words
from notifier.watch.parsers.clinicaltrials import CLOSED_SITES
from notifier.watch.parsers.observation import ASIDE

# Items of a list that are named in a change. Chosen by hand; not measured.
_MOST_NAMED = 5
# States, in small letters, in which a trial takes no participants. The registry then shows no state
# of its places, so that those that closed earlier stand among the others.
_TAKES_NOBODY = frozenset((
    "active not recruiting", "completed", "terminated", "suspended", "withdrawn", "unknown",
    "no longer available", "approved for marketing",
))  # fmt: skip
# Fields whose change is news even if most trials of a search change in the same way: a company may
# end all its trials on one day.
_ALWAYS_NEWS = (FieldGroup.PROGRESS, FieldGroup.RESULTS)

FieldEdit = tuple[str, str, str]


def changes_of(
    old: Mapping[str, Any], new: Mapping[str, Any], shared: Shared = NOTHING_SHARED
) -> list[Change]:
    """Return the changed fields, the most important first.

    Args:
        old: the content of the earlier state.
        new: the content of the later state.
        shared: the changes that most trials of a search share; they are left out.
    """
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
        if _key(name, before.get(name, "")) != _key(name, after.get(name, ""))
    ]
    if "lists" in old:
        for name in {**new.get("lists", {}), **old["lists"]}:
            known, listed = old["lists"].get(name, []), new.get("lists", {}).get(name, [])
            unclear = _unclear_items(name, old, new)
            changes += _list_changes(name, known, listed, unclear)
    changes = [change for change in changes if edit_of(change) not in shared.fields]
    return sorted(changes, key=lambda change: trial_fields.rank(change["what"]))


def is_news(changes: Sequence[Change]) -> bool:
    """Return whether a reader needs to know one of these changes."""
    return any(trial_fields.is_news(change["what"]) for change in changes)


def edit_of(change: Change) -> FieldEdit | None:
    """Return a change in the form in which it is counted among many trials; None if it is not."""
    field = trial_fields.field_named(change["what"])
    if field is not None and field.group in _ALWAYS_NEWS:
        return None
    return change["what"], change["before"], change["after"]


def _key(name: str, text: str) -> str:
    """Return one form of all ways of writing the value of a field."""
    field = trial_fields.field_named(name)
    form = field.form if field is not None else FieldForm.TEXT
    if form is FieldForm.DATE:
        return text
    if form is FieldForm.TEXTS:
        return " ".join(sorted(word.key for word in words(text)))
    return _SPELLING_OF.get(form, _glued)(text)


def _glued(text: str) -> str:
    return "".join(glued(words(sentence)) for sentence in sentences(text))


_SPELLING_OF: Mapping[FieldForm, Callable[[str], str]] = {
    FieldForm.COUNTRIES: places.country,
    FieldForm.SITES: places.site,
}


def _field_change(name: str, before: str, after: str) -> Change:
    return changed(name, before, after, trial_fields.moved_date(before, after))


def _unclear_items(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the items of a list that did not open or close, though one state alone shows them.

    A site that closed is listed again when the trial takes nobody any more, and goes again when it
    takes people again.
    """
    field = trial_fields.field_named(name)
    if field is None or not field.opens_and_closes:
        return []
    return [
        site
        for state, other in ((old, new), (new, old))
        if other.get("fields", {}).get("Status", "").casefold() in _TAKES_NOBODY
        for site in state.get(ASIDE, {}).get(CLOSED_SITES, [])
    ]


def _list_changes(
    name: str, old: Sequence[str], new: Sequence[str], unclear: Sequence[str]
) -> list[Change]:
    known, listed, left_out = (_by_key(name, items) for items in (old, new, unclear))
    removed = [item for key, item in known.items() if key not in listed and key not in left_out]
    added = [item for key, item in listed.items() if key not in known and key not in left_out]
    if not removed and not added:
        return []
    note = _counted(len(added), len(removed), name)
    return [changed(name, _first_items(removed), _first_items(added), note)]


def _by_key(name: str, items: Sequence[str]) -> dict[str, str]:
    return {_key(name, item): item for item in items}


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
