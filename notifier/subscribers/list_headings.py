"""Headings of lists: which column of another system is which of ours.

Owns which cell of a line decides about consent: of all that say something the plainest no counts.
`consent_columns` knows what each of them says.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from notifier.enums import SuppressionCause
from notifier.errors import InputError
from notifier.subscribers import consent_columns
from notifier.subscribers.list_words import Standing, forms_of, word, words

COLUMNS = (
    "email",
    "profile",
    "every",
    "at",
    "on",
    "time_zone",
    "edition",
    "language",
    "status",
    "paused_until",
    "cause",
)
# Further columns of an export, so that everybody has the same standing where it is imported:
# `subscription` is the status that a suppressed person's subscription has besides, `address_hash`
# and `key` name an address by its hash and that hash's key, the two last are a reader's choice.
EXPORT_COLUMNS = (
    *COLUMNS,
    "subscription",
    "confirmed_at",
    "ended_at",
    "reason",
    "suppressed_at",
    "address_hash",
    "key",
    "hidden_sections",
    "urgent",
)
# Further keys of a line: the standing that its cells give together, and the word for it.
STANDING, SAID, SAID_CAUSE = "standing", "said", "said cause"

_LONGEST_WORD = 80  # characters
_FILE_NAME = re.compile(r"(unsubscribed|nonsubscribed|cleaned)(?=[_ .-])", re.IGNORECASE)

# Headings of other systems for our columns, with small letters and spaces (`list_words.word`).
_ALIASES = {
    "email": (
        "e mail;mail;email address;emailaddress;e mail address;subscriber;subscriber email;"
        "contact email;user email;member email;e mail adresse;email adresse;emailadresse;"
        "mailadresse;mail adresse;e mailadresse;adresse e mail;adresse email;adresse mail;"
        "adresse électronique;courriel;correo;correo electrónico;correo electronico;"
        "dirección de correo electrónico"
    ),
    "profile": "profil;perfil;therapy;therapie;thérapie;terapia",
    "every": (
        "frequency;cadence;häufigkeit;haeufigkeit;rhythmus;turnus;intervall;interval;"
        "fréquence;frecuencia"
    ),
    "at": "time of day;hour;uhrzeit;heure;hora",
    "on": "weekday;day of week;wochentag;jour;jour de la semaine;día;día de la semana",
    "time_zone": "timezone;tz;zeitzone;fuseau horaire;zona horaria",
    "edition": "ausgabe;fassung;édition;edición",
    "language": "lang;preferred language;sprache;langue;idioma",
    "paused_until": "pause until;pausiert bis;pause bis;en pause jusqu au;pausado hasta",
    "cause": "suppression cause;sperrgrund",
}
# Our columns that also say something about consent, where no status is written beside them.
_OUR_DATES = ("confirmed_at", "ended_at", "suppressed_at")
# Our columns that lists of other systems have, too, and in which a plain no is heard as in others.
_ALSO_OF_OTHERS = ("subscription", "reason", "cause")
_OURS = {
    **{word(name): name for name in EXPORT_COLUMNS},
    **{alias: name for name, aliases in _ALIASES.items() for alias in words(aliases)},
}


@dataclass(frozen=True)
class Headings:
    """The meaning of the columns of a file.

    Attributes:
        names: for each heading of the file our column, if it is one of ours.
        about_consent: the headings that say something about consent, with their word.
        elsewhere: the headings under which only a plain no is heard, with its words.
        ignored: the headings that are none of ours and say nothing, as the file has them.
        file_says: what the name of the file says about everybody in it; empty for nothing.
    """

    names: Mapping[str, str]
    about_consent: Mapping[str, str]
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    file_says: str = ""

    def line(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Return the cells of a line by our columns, with the standing that they give together.

        Args:
            cells: by the headings of the file.
        """
        ours = {name: cells[theirs] for theirs, name in self.names.items() if theirs in cells}
        return ours | self._standing(cells)

    def _standing(self, cells: Mapping[str, str]) -> dict[str, str]:
        texts = self._about_consent(cells)
        says_status = any(text and kind in consent_columns.STATUS for kind, text in texts)
        meanings = []
        for kind, text in [*texts, ("status", self.file_says)]:
            meaning = consent_columns.meaning(kind, text[:_LONGEST_WORD]) if text else None
            if meaning is not None:
                meanings.append((*meaning, text))
            elif text and kind in consent_columns.STATUS:
                return {STANDING: "", SAID: text}
        meanings += self._said_elsewhere(cells, says_status=says_status)
        if meanings:
            standing, cause, text = max(meanings, key=lambda each: each[0])
            return {STANDING: str(int(standing)), SAID: text, SAID_CAUSE: str(cause or "")}
        if any(consent_columns.is_needed(kind) for kind, _ in texts):
            return {STANDING: str(int(Standing.PENDING)), SAID: "", SAID_CAUSE: ""}
        return {}

    def _about_consent(self, cells: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return kind and text of the cells about consent; of our own the status alone counts."""
        kinds = self.about_consent
        has_status = not consent_columns.STATUS.isdisjoint(kinds.values())
        return [
            (kind, cells.get(name, "").strip())
            for name, kind in kinds.items()
            if not (has_status and self.names.get(name) in _OUR_DATES)
        ]

    def _said_elsewhere(
        self, cells: Mapping[str, str], *, says_status: bool
    ) -> list[tuple[Standing, SuppressionCause | None, str]]:
        """Return the noes in the other columns; a status is a better word than "unconfirmed"."""
        noes = []
        for name, words_heard in self.elsewhere.items():
            text = cells.get(name, "").strip()
            no = consent_columns.plain_no(text, words_heard)
            if no is not None and not (says_status and no[0] is Standing.PENDING):
                noes.append((*no, text))
        return noes


def headings_of(
    names: Sequence[str],
    renamed: Mapping[str, str],
    file_says: str = "",
    *,
    needs_address: bool = True,
) -> Headings:
    """Return the meaning of the columns of a file.

    Args:
        names: its headings.
        renamed: for some of our columns the heading that the caller names; upper and lower case
            are the same.
        file_says: see `Headings`.
        needs_address: refuse headings of which none is that of the addresses.

    Raises:
        InputError: there are no addresses, or a heading that the caller names is not there.
    """
    ours: dict[str, str] = {}
    missing = without(renamed, names)
    for name, theirs in renamed.items():
        if name not in COLUMNS or name in missing:
            raise _unknown(names, name, theirs)
        ours[name] = next(each for each in names if word(each) == word(theirs))
    for by_name in (True, False):
        for heading in names:
            name = next((_OURS[form] for form in forms_of(heading) if form in _OURS), "")
            if name and (word(heading) == word(name)) is by_name and heading not in ours.values():
                ours.setdefault(name, heading)
    if needs_address and "email" not in ours and "address_hash" not in ours:
        raise _no_address(names)
    mapped = {theirs: name for name, theirs in ours.items()}
    about = _about_consent(names, mapped)
    if "status" in renamed:
        about = {ours["status"]: consent_columns.kind_of_status(ours["status"])}
    ignored = tuple(
        name for name in names if name.strip() and name not in mapped and name not in about
    )
    # Who names the column with the status has looked at the others.
    also = [name for name in names if mapped.get(name) in _ALSO_OF_OTHERS]
    others = () if "status" in renamed else (*ignored, *also)
    elsewhere = {name: consent_columns.noes_heard(name) for name in others}
    return Headings(mapped, about, elsewhere, ignored, file_says)


def without(renamed: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return those of `renamed` whose heading is not among the names."""
    there = {word(name) for name in names}
    return {ours: theirs for ours, theirs in renamed.items() if word(theirs) not in there}


def _about_consent(names: Sequence[str], mapped: Mapping[str, str]) -> dict[str, str]:
    may_be = [name for name in names if mapped.get(name, "status") in ("status", *_OUR_DATES)]
    return consent_columns.kinds_of(may_be)


def said_by_name(file_name: str) -> str:
    """Return what the name of a file says about everybody in it; empty for nothing.

    Mailchimp puts ``unsubscribed_``, ``cleaned_`` and ``nonsubscribed_`` before the name of its
    exports, which have no column for it.
    """
    prefix = _FILE_NAME.match(file_name)
    return prefix[1].lower() if prefix else ""


def _unknown(names: Sequence[str], name: str, theirs: str) -> InputError:
    if name not in COLUMNS:
        return InputError(
            f"--column {name[:40]}={theirs[:40]}: {name[:40]!r} is none of our columns.",
            f"Write OURS=THEIRS; ours are {', '.join(COLUMNS)}.",
        )
    return InputError(
        f"--column {name}={theirs[:40]}: the file has no column {theirs[:40]!r}.",
        f"Its columns are {_listed(names)}.",
    )


def _no_address(names: Sequence[str]) -> InputError:
    if not any(name.strip() for name in names):
        return InputError(
            "The file is empty: there is no line with headings.",
            "Name the file with the list; its first line names the columns.",
        )
    if any("@" in name for name in names):
        return InputError(
            "The first line holds an address, and no headings.",
            "Add a first line that names the columns: email, or email and others.",
        )
    return InputError(
        "There is no column email.",
        f"The file has {_listed(names)}. Name the one with the addresses, for example: --column "
        f"email={shlex.quote(next(iter(names), 'THEIRS')[:40])}",
    )


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name[:40]) for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
