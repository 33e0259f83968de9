"""Headings of lists: which column of another system is which of ours.

Owns what the columns of Mailchimp, listmonk, Ghost, Substack, Buttondown, Brevo, MailerLite and of
spreadsheets say about consent: of all such cells in a line the plainest no counts.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from notifier.enums import SuppressionCause
from notifier.errors import InputError
from notifier.subscribers.list_words import NO, YES, Standing, standing_of, word, words

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
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{10}")
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
_OURS = {
    **{word(name): name for name in EXPORT_COLUMNS},
    **{alias: name for name, aliases in _ALIASES.items() for alias in words(aliases)},
}

# Columns that hold a status in words; a word that is not known is refused.
_STATUS = words(
    "status;subscriber status;subscription status;subscription state;member status;"
    "email status;list status;global status;delivery status;email marketing status;"
    "email permission status;email subscription status;anmeldestatus;abostatus;statut;"
    "statut d abonnement;estado de la suscripción"
)
# Columns that hold a status or another thing; a word that is not known there says nothing.
_KIND = words("type;subscriber type;typ;state;zustand;état;estado;contact status")
# Columns in which a no says what somebody is; a date is a yes.
_ASSERTING = {
    Standing.ENDED: (
        "subscribed;subscribed to emails;email subscribed;is subscribed;email marketing;"
        "accepts marketing;accepts email marketing;newsletter;opt in;opted in;optin;"
        "email opt in;abonniert;angemeldet;abonné;suscrito"
    ),
    Standing.PENDING: (
        "confirmed;is confirmed;double opt in;double optin;doi;verified;email verified;"
        "email confirmed;consent;bestätigt;einwilligung;confirmé;consentement;confirmado;"
        "consentimiento"
    ),
    Standing.PAUSED: "active;is active;enabled;is enabled;aktiv;actif;activo",
}
_WHEN_NO = {
    heading: standing for standing, headings in _ASSERTING.items() for heading in words(headings)
}
# Columns in which a yes, a date or a reason says what somebody is; a no or nothing says nothing.
_DENYING = {
    None: (
        "unsub time;unsub reason;unsubscribed;unsubscribed at;unsubscribed on;"
        "unsubscribe date;unsubscribe time;unsubscription date;date unsubscribed;opt out;"
        "opted out;opt out date;optout;optout date;optout time;opt out time;deleted at;"
        "email disabled;unsubscribed from all email;unsubscribe reason;abgemeldet;"
        "abgemeldet am;abmeldedatum;abmeldung;ausgetragen am;désabonné;désabonné le;"
        "désinscrit le;date de désinscription;baja;fecha de baja"
    ),
    SuppressionCause.BOUNCED: (
        "clean time;cleaned;bounced;bounced at;bounce date;hard bounce;hard bounced;"
        "hard bounce reason;email hard bounce reason;undeliverable;undeliverability date;"
        "undeliverability reason;unzustellbar"
    ),
    SuppressionCause.COMPLAINED: (
        "complained;complained at;complaint;complaint date;spam complaint;marked as spam"
    ),
    SuppressionCause.ASKED: (
        "blocklisted;blacklisted;blocked;email blacklisted;email blocklisted;blacklist;"
        "blocklist;suppressed;do not email;do not mail;donotemail;do not contact;gesperrt"
    ),
}
_WHEN_YES = {heading: cause for cause, headings in _DENYING.items() for heading in words(headings)}


@dataclass(frozen=True)
class Headings:
    """The meaning of the columns of a file.

    Attributes:
        names: for each heading of the file our column, if it is one of ours.
        about_consent: the headings that say something about consent, with their word.
        ignored: the other headings, as the file has them.
        file_says: what the name of the file says about everybody in it; empty for nothing.
    """

    names: Mapping[str, str]
    about_consent: Mapping[str, str]
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
        texts = [(kind, cells.get(name, "").strip()) for name, kind in self.about_consent.items()]
        meanings = []
        for kind, text in [*texts, ("status", self.file_says)]:
            meaning = _meaning(kind, text[:_LONGEST_WORD]) if text else None
            if meaning is not None:
                meanings.append((*meaning, text))
            elif text and kind in _STATUS:
                return {STANDING: "", SAID: text}
        if meanings:
            standing, cause, text = max(meanings, key=lambda each: each[0])
            return {STANDING: str(int(standing)), SAID: text, SAID_CAUSE: str(cause or "")}
        if any(kind in _STATUS or kind in _WHEN_NO for kind, _ in texts):
            return {STANDING: str(int(Standing.PENDING)), SAID: "", SAID_CAUSE: ""}
        return {}


def headings_of(names: Sequence[str], renamed: Mapping[str, str], file_says: str = "") -> Headings:
    """Return the meaning of the columns of a file.

    Args:
        names: its headings.
        renamed: for some of our columns the heading that the caller names; upper and lower case
            are the same.
        file_says: see `Headings`.

    Raises:
        InputError: there are no addresses, or a heading that the caller names is not there.
    """
    ours: dict[str, str] = {}
    for name, theirs in renamed.items():
        heading = next((each for each in names if word(each) == word(theirs)), None)
        if name not in COLUMNS or heading is None:
            raise _unknown(names, name, theirs)
        ours[name] = heading
    for by_name in (True, False):
        for heading in names:
            name = _OURS.get(word(heading), "")
            if name and (word(heading) == word(name)) is by_name and heading not in ours.values():
                ours.setdefault(name, heading)
    if "email" not in ours and "address_hash" not in ours:
        raise _no_address(names)
    mapped = {theirs: name for name, theirs in ours.items()}
    about = {ours["status"]: "status"} if "status" in renamed else _about_consent(names, mapped)
    ignored = (name for name in names if name.strip() and name not in mapped and name not in about)
    return Headings(mapped, about, tuple(ignored), file_says)


def _about_consent(names: Sequence[str], mapped: Mapping[str, str]) -> dict[str, str]:
    return {
        name: kind
        for name in names
        if mapped.get(name, "status") == "status"
        and ((kind := word(name)) in _STATUS | _KIND or kind in _WHEN_NO or kind in _WHEN_YES)
    }


def _meaning(kind: str, text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return what a cell that is not empty says about consent; None if nothing."""
    spoken = word(text)
    if kind in _WHEN_YES:
        if not spoken.strip("0 ") or spoken in NO:
            return None
        cause = _WHEN_YES[kind]
        return (Standing.ENDED if cause is None else Standing.SUPPRESSED), cause
    if kind in _WHEN_NO:
        if spoken in NO:
            return _WHEN_NO[kind], None
        if spoken in YES or _DATE.match(text):
            return Standing.CONFIRMED, None
    return standing_of(text)


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
