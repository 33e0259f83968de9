"""The list of the fields of a trial record that are followed, the most important first.

A field is followed, compared, ranked and shown because it is in `TRIAL_FIELDS`; a new one is one
more `TrialField` there. Its labels are translated, so `make words` belongs to the change. The order
was chosen by hand; not measured.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum

from notifier.i18n.messages import mark, mark_number, plural


class FieldGroup(Enum):
    """The groups of fields that `RULE` names, in its order."""

    PROGRESS = "whether the trial goes on"
    RESULTS = "results"
    DATES = "dates"
    DESIGN = "size and design"
    PLACES = "places"
    SPONSOR = "sponsor and conditions"
    CONTACTS = "contacts"


class FieldForm(StrEnum):
    """The form in which a record holds a field; `watch/parsers/clinicaltrials.py` parses each."""

    TEXT = "text or number"
    CODE = "code of capitals and underscores"
    YES_NO = "true or false"
    PHASES = "list of codes of phases"
    DATE = "date, with its type"
    TEXTS = "list of texts"
    # The following are lists: what was added and removed is shown, not the whole.
    ARMS = "list of arms"
    OUTCOMES = "list of outcomes"
    COUNTRIES = "countries of a list of places"
    SITES = "open places of a list of places"
    CONTACTS = "list of contacts"


_LISTS = frozenset(
    (
        FieldForm.ARMS,
        FieldForm.OUTCOMES,
        FieldForm.COUNTRIES,
        FieldForm.SITES,
        FieldForm.CONTACTS,
    )
)


@dataclass(frozen=True)
class TrialField:
    """A field of a trial record that is followed.

    Attributes:
        name: the field's name in stored revisions and changes; it never changes.
        group: the group of `RULE` that it belongs to.
        form: the form in which the record holds it.
        paths: where it is in the record, names joined by dots, as in the API's data dictionary;
            lists of several places are joined.
        label: its name for clinicians, marked for translation.
        plain_label: its name for patients; empty where it is the same.
        summary: its part of an entry's summary, with `{}` for the value; empty where the summary
            leaves it out. The same fields, in the same order, describe a new trial in a digest.
        summary_place: its place in the summary, from 1.
        detail_label: the label under which clinicians see its first items beside a trial; empty
            where they do not.
        is_matched: whether the matcher reads it as a part of the entry's text.
        is_news: whether a change of it alone is news; if not, it is only stored.
        urgent_values: the values, as stored, whose arrival is urgent news.
        opens_and_closes: whether its items open and close instead of being added and removed.
    """

    name: str
    group: FieldGroup
    form: FieldForm
    paths: tuple[str, ...]
    label: str
    plain_label: str = ""
    summary: str = ""
    summary_place: int = 0
    detail_label: str = ""
    is_matched: bool = False
    is_news: bool = True
    urgent_values: frozenset[str] = frozenset()
    opens_and_closes: bool = False

    @property
    def is_list(self) -> bool:
        """Return whether its value is a list of texts instead of one text."""
        return self.form in _LISTS


_PROTOCOL = "protocolSection."
_STATUS = f"{_PROTOCOL}statusModule."
_DESIGN = f"{_PROTOCOL}designModule."
_OUTCOMES = f"{_PROTOCOL}outcomesModule."
_CONTACTS = f"{_PROTOCOL}contactsLocationsModule."

# The most important first: changes are sorted, and shown, in this order.
TRIAL_FIELDS: tuple[TrialField, ...] = (
    TrialField(
        "Status", FieldGroup.PROGRESS, FieldForm.CODE, (f"{_STATUS}overallStatus",),
        label=mark("Status"),
        summary="Status: {}",
        summary_place=1,
        urgent_values=frozenset(("Suspended", "Terminated", "Withdrawn")),
    ),
    TrialField(
        "Why stopped", FieldGroup.PROGRESS, FieldForm.TEXT, (f"{_STATUS}whyStopped",),
        label=mark("Why stopped"),
    ),
    TrialField(
        "Results posted", FieldGroup.RESULTS, FieldForm.YES_NO, ("hasResults",),
        label=mark("Results posted"),
    ),
    TrialField(
        "Primary completion", FieldGroup.DATES, FieldForm.DATE,
        (f"{_STATUS}primaryCompletionDateStruct",),
        label=mark("Primary completion"),
        plain_label=mark("End of the main measurements"),
        summary="primary completion {}",
        summary_place=4,
    ),
    TrialField(
        "Completion", FieldGroup.DATES, FieldForm.DATE, (f"{_STATUS}completionDateStruct",),
        label=mark("Completion"),
        plain_label=mark("End of the trial"),
    ),
    TrialField(
        "Start", FieldGroup.DATES, FieldForm.DATE, (f"{_STATUS}startDateStruct",),
        label=mark("Start"),
    ),
    TrialField(
        "Participants", FieldGroup.DESIGN, FieldForm.TEXT, (f"{_DESIGN}enrollmentInfo.count",),
        label=mark("Participants"),
        summary="{} participants",
        summary_place=3,
    ),
    TrialField(
        "Phase", FieldGroup.DESIGN, FieldForm.PHASES, (f"{_DESIGN}phases",),
        label=mark("Phase"),
        summary="phase {}",
        summary_place=2,
    ),
    TrialField(
        "Arms", FieldGroup.DESIGN, FieldForm.ARMS,
        (f"{_PROTOCOL}armsInterventionsModule.armGroups",),
        label=mark("Arms"),
        plain_label=mark("Groups compared"),
    ),
    TrialField(
        "Primary outcomes", FieldGroup.DESIGN, FieldForm.OUTCOMES, (f"{_OUTCOMES}primaryOutcomes",),
        label=mark("Primary outcomes"),
        plain_label=mark("What is mainly measured"),
        detail_label=mark("Primary endpoints"),
    ),
    TrialField(
        "Secondary outcomes", FieldGroup.DESIGN, FieldForm.OUTCOMES,
        (f"{_OUTCOMES}secondaryOutcomes",),
        label=mark("Secondary outcomes"),
        plain_label=mark("What else is measured"),
    ),
    TrialField(
        "Countries", FieldGroup.PLACES, FieldForm.COUNTRIES, (f"{_CONTACTS}locations",),
        label=mark("Countries"),
    ),
    TrialField(
        "Sites", FieldGroup.PLACES, FieldForm.SITES, (f"{_CONTACTS}locations",),
        label=mark("Sites"),
        plain_label=mark("Places that take part"),
        opens_and_closes=True,
    ),
    TrialField(
        "Sponsor", FieldGroup.SPONSOR, FieldForm.TEXT,
        (f"{_PROTOCOL}sponsorCollaboratorsModule.leadSponsor.name",),
        label=mark("Sponsor"),
        plain_label=mark("Run by"),
    ),
    TrialField(
        "Conditions", FieldGroup.SPONSOR, FieldForm.TEXTS,
        (f"{_PROTOCOL}conditionsModule.conditions",),
        label=mark("Conditions"),
        plain_label=mark("Illnesses"),
        is_matched=True,
    ),
    TrialField(
        "Contacts", FieldGroup.CONTACTS, FieldForm.CONTACTS,
        (f"{_CONTACTS}centralContacts", f"{_CONTACTS}overallOfficials"),
        label=mark("Contacts"),
        is_news=False,
    ),
)  # fmt: skip

# The order of the groups above, in words for readers.
RULE = mark(
    "Most important first: whether the trial goes on, results, dates, size and design, places,"
    " sponsor and conditions, contacts."
)

# Names under which revisions that hold no lists may have stored a list as one text. Such a text
# cannot be compared with the list that is stored today.
LISTS_STORED_AS_TEXT = frozenset(("Countries", "Primary outcome"))


def field_named(name: str) -> TrialField | None:
    """Return the followed field of this name; None for one that is not followed any more."""
    return next((field for field in TRIAL_FIELDS if field.name == name), None)


def summary_fields() -> list[TrialField]:
    """Return the fields that describe a trial in one line, in the order of that line."""
    return sorted(
        (field for field in TRIAL_FIELDS if field.summary), key=lambda field: field.summary_place
    )


def rank(name: str) -> int:
    """Return the place of a field in the order, from 0; names that are not in the list are last."""
    names = [field.name for field in TRIAL_FIELDS]
    return names.index(name) if name in names else len(names)


def is_news(name: str) -> bool:
    """Return whether a change of this field alone is news."""
    field = field_named(name)
    return field is None or field.is_news


# A date moved by a unit (month, week, day) if it moved by nearly one of it. Chosen by hand; not
# measured.
_NEARLY_ONE = 0.95


def moved_date(before: str, after: str) -> str:
    """Return ``7 months later``: how far a date moved; empty for texts that are not dates.

    A month that became a day of it, or the other way round, did not move.
    """
    old, new = day_of(before), day_of(after)
    if old is None or new is None or old == new:
        return ""
    is_month_alone = len(before.partition(" ")[0]) != len(after.partition(" ")[0])
    if is_month_alone and (old.year, old.month) == (new.year, new.month):
        return ""
    days = abs((new - old).days)
    size, later, earlier = next(span for span in _SPANS if days >= span[0] * _NEARLY_ONE)
    return plural(*(later if new > old else earlier), round(days / size))


# The days of a unit, and a date that moved by it.
_SPANS = (
    (
        30.44,
        mark_number("%(n)s month later", "%(n)s months later"),
        mark_number("%(n)s month earlier", "%(n)s months earlier"),
    ),
    (
        7,
        mark_number("%(n)s week later", "%(n)s weeks later"),
        mark_number("%(n)s week earlier", "%(n)s weeks earlier"),
    ),
    (
        1,
        mark_number("%(n)s day later", "%(n)s days later"),
        mark_number("%(n)s day earlier", "%(n)s days earlier"),
    ),
)


def day_of(text: str) -> date | None:
    """Return the day of ``2027-06 (estimated)`` or ``2027-06-15``; a month is its first day."""
    day = text.partition(" ")[0]
    try:
        return date.fromisoformat(day if len(day) > len("2027-06") else f"{day}-01")
    except ValueError:
        return None
