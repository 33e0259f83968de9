"""Words in the cells of other systems' lists, in English, German, French and Spanish.

Owns which word means which answer, standing, cadence, weekday, time zone, language and edition, and
which sign means which answer. A word that is not known here stays as it is, so that the line is
refused. Nothing of files or the database is known here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import Enum, IntEnum, auto
from functools import cache
from typing import TypeVar

from notifier.enums import SuppressionCause
from notifier.i18n.catalog import LANGUAGES
from notifier.text import times

_Value = TypeVar("_Value")
# The place before a capital letter within a word, in the names that programs give: `optOut`.
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What is in brackets behind a heading: "Unsubscribed (Y/N)"; not a period, as in "Active (30d)".
_HINT = re.compile(r"\((?:[^()\d]{0,80}|[01]/[01])\)|\[[^\[\]\d]{0,80}\]")


class Standing(IntEnum):
    """The standing of a person in a list, from the plainest yes to the plainest no."""

    CONFIRMED = 0
    PAUSED = 1
    PENDING = 2
    ENDED = 3
    SUPPRESSED = 4


class Answer(Enum):
    """The answer in a cell of a column that asks a question of yes or no.

    Attributes:
        YES: also a check mark.
        NO: also an empty box, or a date of zeros.
        CROSS: a sign that says no to most people, and marks what is so in some lists.
        NOTHING: what stands for an empty cell.
        UNCLEAR: a sign or a number that is a yes in some lists and a no in others.
        OTHER: any other text.
    """

    YES = auto()
    NO = auto()
    CROSS = auto()
    NOTHING = auto()
    UNCLEAR = auto()
    OTHER = auto()


def word(text: str) -> str:
    """Return a text by which words are compared: small letters, one space for other signs."""
    # Some systems write "ä" as a letter and a sign.
    text = unicodedata.normalize("NFC", " ".join(text.split())).casefold()
    # Characters that cannot be printed are in no word that is meant.
    return re.sub(r"[\W_]+", " ", text).strip() if text.isprintable() else text


def forms_of(heading: str) -> tuple[str, ...]:
    """Return the words of a heading: as they are, with `oneWord` as two, and without a hint."""
    heading = seen(heading)
    without_hint = _HINT.sub(" ", heading)
    texts = (heading, *(_CAPITAL.sub(" ", text) for text in (heading, without_hint)))
    return tuple(dict.fromkeys(word(text) for text in texts))


def words(text: str) -> frozenset[str]:
    """Return the words of a text in which a semicolon is between them."""
    return frozenset(word(each) for each in text.split(";"))


def _table(meanings: Mapping[_Value, str]) -> dict[str, _Value]:
    """Return the meaning of each word; the words of one meaning are in one text."""
    return {each: value for value, text in meanings.items() for each in words(text)}


# What a column with the status says.
_STANDINGS = _table(
    {
        Standing.CONFIRMED: (
            "confirmed;subscribed;subscriber;active;enabled;regular;free;paid;premium;gifted;"
            "gift;comp;comped;complimentary;trialed;churning;past due;member;verified;"
            "opted in;opt in;optin;confirmed opt in;double opt in;express;marketing;aktiv;"
            "angemeldet;bestätigt;abonniert;abonnent;eingetragen;actif;abonné;abonnée;"
            "inscrit;inscrite;confirmé;confirmée;activo;activa;suscrito;suscrita;confirmado;"
            "confirmada"
        ),
        Standing.PAUSED: (
            "paused;pause;snoozed;on hold;hold;disabled;inactive;suspended;vacation;nomail;"
            "no mail;by user;by moderator;by bounces;soft bounce;soft bounced;deactivated;"
            "temp hold;temporary hold;on vacation;pausiert;"
            "ruhend;inaktiv;deaktiviert;en pause;suspendu;suspendue;inactif;pausado;pausada;"
            "inactivo;inactiva"
        ),
        Standing.PENDING: (
            "pending;unconfirmed;not confirmed;unactivated;unverified;not verified;waiting;"
            "awaiting confirmation;opt in pending;optin pending;invited;imported;"
            "nonsubscribed;non subscribed;never subscribed;transactional;implied;no permission;"
            "no permissions set;no consent;unpaid;ausstehend;unbestätigt;nicht bestätigt;offen;"
            "eingeladen;en attente;non confirmé;non confirmée;non vérifié;pendiente;"
            "sin confirmar;no confirmado"
        ),
        Standing.ENDED: (
            "ended;unsubscribed;unsubscribe;unsub;left;opted out;opt out;optout;cancelled;"
            "canceled;removed;deleted;archived;expired;former;churned;signed off;"
            "not subscribed;stopped;withdrawn;revoked;abgemeldet;abbestellt;widerrufen;"
            "ausgetragen;gekündigt;gelöscht;beendet;désabonné;"
            "désabonnée;désinscrit;désinscrite;résilié;supprimé;dado de baja;dada de baja;"
            "baja;cancelado;cancelada;desuscrito"
        ),
    }
)
# The beginnings of longer words that say how somebody left.
_LEFT = ("unsubscribed ", "opted out ")
# What suppresses an address, and why.
_CAUSES = _table(
    {
        SuppressionCause.ASKED: (
            "asked;suppressed;blocked;blocklisted;blacklisted;blocklist;blacklist;banned;"
            "spammy;do not mail;do not email;do not contact;gesperrt;blockiert;sperrliste;"
            "bloqué;bloquée;bloqueado;bloqueada"
        ),
        SuppressionCause.BOUNCED: (
            "bounced;bounce;hard bounce;hard bounced;hardbounce;cleaned;undeliverable;"
            "unreachable;invalid;non existent;unzustellbar;zurückgekommen;ungültig;rejeté;"
            "invalide;rebotado;rebotada;inválido"
        ),
        SuppressionCause.COMPLAINED: (
            "complained;complaint;complaints;spam;spam complaint;junk;abuse;abuse complaint;"
            "marked as spam;reported as spam;reported spam;beschwerde;plainte;queja"
        ),
        SuppressionCause.NEVER: "never",
        SuppressionCause.ERASED: "erased",
    }
)
# The letters of a WordPress newsletter plugin, which mean this in its own column alone: elsewhere
# they are kinds of customers, states of a country or types of a disease.
_LETTERS: dict[str, tuple[Standing, SuppressionCause | None]] = {
    "c": (Standing.CONFIRMED, None),
    "s": (Standing.PENDING, None),
    "u": (Standing.ENDED, None),
    "b": (Standing.SUPPRESSED, SuppressionCause.BOUNCED),
    "p": (Standing.SUPPRESSED, SuppressionCause.COMPLAINED),
}
# The causes as an export writes them: `left` as a status means something else.
_OWN_CAUSES = {str(cause): cause for cause in SuppressionCause}

_YES = words("true;yes;y;1;ja;j;oui;si;sí;x;on;wahr;vrai;verdadero")
_NO = words("false;no;n;0;nein;non;off;falsch;faux;falso;none;never;nie")
# What programs write where a value is missing.
_NOTHING = words("null;nan;nat;nil;undefined;na;n a")
# The second of two options, which is a no, a yes or a number.
_UNCLEAR = words("2")
# Signs that stand alone in a cell. A box with a cross in it is checked in some programs; that one
# and others that are not here are unclear.
_CHECKS = frozenset("✓✔☑✅🗸🗹√👍+")
_CROSSES, _BOXES = frozenset("✗✘✕✖❌🗙👎🚫"), frozenset("☐□▢◻⬜🔲")
_DASHES = frozenset("-‐‑‒–—―−－_.…,;:/\\\"'’´`()[]{}<>|")
# The kinds of characters that change how another one looks, or cannot be seen.
_UNSEEN = ("Cf", "Mn", "Me", "Sk")

_CADENCES = _table(
    {
        "immediate": (
            "immediate;immediately;instant;instantly;at once;sofort;immédiat;immédiatement;"
            "inmediato;inmediatamente"
        ),
        "daily": (
            "daily;day;every day;each day;täglich;taeglich;jeden tag;quotidien;quotidienne;"
            "tous les jours;diario;diaria;diariamente"
        ),
        "weekly": (
            "weekly;week;every week;each week;wöchentlich;woechentlich;jede woche;"
            "hebdomadaire;toutes les semaines;semanal;semanalmente"
        ),
        "monthly": (
            "monthly;month;every month;each month;monatlich;jeden monat;mensuel;mensuelle;"
            "tous les mois;mensual;mensualmente"
        ),
    }
)
_WEEKDAYS = _table(
    {
        "monday": "montag;mo;lundi;lunes",
        "tuesday": "dienstag;di;mardi;martes",
        "wednesday": "mittwoch;mi;mercredi;miércoles;miercoles",
        "thursday": "donnerstag;do;jeudi;jueves",
        "friday": "freitag;fr;vendredi;viernes",
        "saturday": "samstag;sonnabend;sa;samedi;sábado;sabado",
        "sunday": "sonntag;so;dimanche;domingo",
    }
)
_LANGUAGES = _table(
    {
        "en": "english;englisch;anglais;inglés;ingles;eng",
        "de": "german;deutsch;allemand;alemán;aleman;deu;ger",
        "fr": "french;französisch;français;francais;francés;frances;fra;fre",
        "es": "spanish;spanisch;espagnol;español;espanol;spa",
    }
)
_EDITIONS = _table(
    {
        "patient": "patients;patientin;patienten;betroffene;paciente;pacientes",
        "clinician": (
            "clinicians;physician;doctor;professional;hcp;arzt;ärztin;ärzte;fachkreise;"
            "fachpersonal;médecin;professionnel;médico;profesional"
        ),
    }
)
# "8.30 Uhr", "8 Uhr", "8h", "8h30", "8:30 pm", and with seconds as spreadsheets have them.
_TIME = re.compile(
    r"([0-9]{1,2})(?:[:.h]([0-9]{2})(?::[0-9]{2})?)?\s*(uhr|h|am|pm|a\.m\.|p\.m\.)?", re.ASCII
)
_DAY_OF_MONTH = re.compile(r"([0-9]{1,2})\.", re.ASCII)


def standing_of(text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return the standing that a word means, with the cause of a suppression; None if unknown."""
    key = word(text)
    if key in _STANDINGS:
        return _STANDINGS[key], None
    if key.startswith(_LEFT):  # "unsubscribed by user", "Unsubscribed (manual)"
        return Standing.ENDED, None
    cause = _CAUSES.get(key) if key else None
    return (Standing.SUPPRESSED, cause) if cause else None


def standing_of_letter(text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return the standing that a letter of a WordPress plugin means; None if it has none."""
    return _LETTERS.get(word(text))


def answer_of(text: str) -> Answer:
    """Return the answer that a cell gives to a question of yes or no."""
    spoken = word(text)
    if not spoken:
        return _answer_of_signs(text)
    if spoken in _YES:
        return Answer.YES
    # Some databases write a missing date as 0000-00-00.
    if spoken in _NO or not spoken.strip("0 "):
        return Answer.NO
    if spoken in _NOTHING:
        return Answer.NOTHING
    return Answer.UNCLEAR if spoken in _UNCLEAR else Answer.OTHER


def _answer_of_signs(text: str) -> Answer:
    """Return the answer that signs without a letter or a digit give."""
    signs = {sign for sign in text if unicodedata.category(sign) not in _UNSEEN} - {" "}
    if signs <= _DASHES:
        return Answer.NOTHING
    if signs <= _CHECKS:
        return Answer.YES
    if signs <= _CROSSES:
        return Answer.CROSS
    return Answer.NO if signs <= _BOXES else Answer.UNCLEAR


def seen(text: str) -> str:
    """Return a text without the characters that cannot be seen, such as a space of no width."""
    if text.isprintable():
        return text
    return "".join(each for each in text if unicodedata.category(each) != "Cf").strip()


def cause_of(text: str) -> SuppressionCause | None:
    """Return the cause of a suppression that a word means; None if it is not known."""
    key = word(text)
    return _OWN_CAUSES.get(key) or (_CAUSES.get(key) if key else None)


def known_standings() -> Iterable[str]:
    """Return the words of our own exports."""
    return (standing.name.lower() for standing in Standing)


def cadence(text: str) -> str:
    """Return a cadence in our words, if this is one."""
    return _CADENCES.get(word(text), text)


def weekday(text: str) -> str:
    """Return a day in our words: an English weekday, or a day of the month without its dot."""
    if day := _DAY_OF_MONTH.fullmatch(text):
        return day[1]
    key = word(text)
    # "Mon." and "Mondays".
    singular = key if key in _WEEKDAYS else key.removesuffix("s")
    return _WEEKDAYS.get(singular, singular if singular.isalpha() else text)


def time_zone(text: str) -> str:
    """Return the name of a time zone that is written with other capitals, or with spaces."""
    return _zones().get(text.replace(" ", "_").casefold(), text)


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in times.zone_names()}


def language(text: str) -> str:
    """Return a code of `LANGUAGES` for a name or a locale of that language (``de-AT``)."""
    key = word(text)
    code = key.partition(" ")[0]
    return _LANGUAGES.get(key) or (code if code in LANGUAGES else text)


def edition(text: str) -> str:
    """Return an edition in our words, if this is one."""
    return _EDITIONS.get(word(text), text)


def time_of_day(text: str) -> str:
    """Return a time of day as ``HH:MM``, if this is one; a number alone is none."""
    parts = _TIME.fullmatch(text.strip().casefold())
    if parts is None or not (parts[2] or parts[3]):
        return text
    hour, minute, half = int(parts[1]), int(parts[2] or 0), (parts[3] or "").replace(".", "")
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + (12 if half == "pm" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else text
