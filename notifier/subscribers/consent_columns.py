"""Columns about consent in lists of other systems: which there are, and what a cell says.

Owns what the columns of Mailchimp, listmonk, Ghost, Substack, Buttondown, Brevo, MailerLite,
Klaviyo, phpList and of spreadsheets say about consent, and which words are a no wherever they
stand. Nothing of our own columns is known here.
"""

import re
from collections.abc import Sequence

from notifier.enums import SuppressionCause
from notifier.subscribers.list_words import (
    NO,
    YES,
    Standing,
    forms_of,
    standing_of,
    word,
    words,
)

_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{10}")

# Columns that hold a status in words; a word that is not known is refused.
STATUS = words(
    "status;subscriber status;subscription status;subscription state;member status;"
    "email status;list status;global status;delivery status;email marketing status;"
    "email permission status;email subscription status;subscribe status;anmeldestatus;abostatus;"
    "statut;statut d abonnement;estado de la suscripción"
)
# Columns that hold a status or another thing; a word that is not known there says nothing.
_STATE = "state"
_KIND = words(
    "type;subscriber type;typ;state;zustand;état;estado;contact status;marketing status;"
    "consent status;newsletter status;opt in status;optin status"
)
# Columns in which a no says what somebody is; a date is a yes.
_ASSERTING = {
    Standing.ENDED: (
        "subscribed;subscribed to emails;email subscribed;is subscribed;email marketing;"
        "accepts marketing;accepts email marketing;accepts email;accepts emails;receives emails;"
        "receive emails;newsletter;opt in;opted in;optin;email opt in;abonniert;angemeldet;"
        "abonné;suscrito"
    ),
    Standing.PENDING: (
        "confirmed;is confirmed;confirmed at;confirmed on;confirmation date;date confirmed;"
        "double opt in;double optin;doi;verified;verified at;verified on;email verified;"
        "email confirmed;consent;marketing consent;bestätigt;bestätigt am;einwilligung;confirmé;"
        "confirmé le;consentement;confirmado;consentimiento"
    ),
    Standing.PAUSED: "active;is active;enabled;is enabled;aktiv;actif;activo",
}
_WHEN_NO = {
    heading: standing for standing, headings in _ASSERTING.items() for heading in words(headings)
}
# Columns in which a yes, a date or a reason says what somebody is; a no or nothing says nothing.
_DENYING: dict[Standing | SuppressionCause, str] = {
    Standing.PAUSED: (
        "disabled;deactivated;suspended;paused;on hold;deaktiviert;pausiert;désactivé;"
        "désactivé le;desactivado"
    ),
    Standing.ENDED: (
        "unsub time;unsub reason;unsubscribed;unsubscribe date;unsubscribe time;"
        "unsubscription date;unsubscription reason;date unsubscribed;opt out;"
        "opted out;optout;ended;deleted;no bulk email;no bulk emails;do not bulk email;"
        "email disabled;unsubscribed from all email;unsubscribe reason;abgemeldet;"
        "abgemeldet am;abmeldedatum;abmeldung;ausgetragen am;désabonné;désabonné le;"
        "désinscrit le;date de désinscription;baja;fecha de baja"
    ),
    SuppressionCause.BOUNCED: (
        "clean time;cleaned;bounced;bounce date;hard bounce;hard bounced;"
        "hard bounce reason;email hard bounce reason;undeliverable;undeliverability date;"
        "undeliverability reason;unzustellbar"
    ),
    SuppressionCause.COMPLAINED: (
        "complained;complaint;complaint date;spam complaint;marked as spam"
    ),
    SuppressionCause.ASKED: (
        "blocklisted;blacklisted;blocked;email blacklisted;email blocklisted;blacklist;"
        "blocklist;suppressed;suppressions;do not email;do not mail;donotemail;do not contact;"
        "gesperrt"
    ),
}
_WHEN_YES = {heading: means for means, headings in _DENYING.items() for heading in words(headings)}
_KNOWN = STATUS | _KIND | _WHEN_NO.keys() | _WHEN_YES.keys()

# Words before the one that counts: `is_active`, `email_verified_at`, `user.unsubscribed`.
_BEFORE = words(
    "is;has;was;been;currently;e;mail;email;user;member;contact;subscriber;customer;account;"
    "person;recipient;newsletter;global"
)
# Words behind one of `_DENYING`: `unsubscribed_at`, `Opted Out Timestamp`, `EmailBouncedReason`.
_BEHIND = words("at;on;date;time;timestamp;datetime;reason")
# Beginnings that name what somebody left: "Opted out of email: Marketing Information".
_LEFT_WHAT = ("opted out of ", "opt out of ", "unsubscribed from ", "unsubscribe from ")
# Other ways than mail, which have columns of the same words.
_OTHER_WAYS = words(
    "sms;mms;text;phone;call;telephone;telefon;mobile;whatsapp;push;viber;postal;print;fax"
)
# Columns about another time.
_OTHER_TIMES = words("last;latest;previous;prior;former;old;before;initial;first")

# Words that are a no in whatever column they stand: nobody says them of anything but mails.
_PLAIN_NOES = words(
    "unsubscribed;opted out;not subscribed;abgemeldet;abbestellt;désabonné;désabonnée;désinscrit;"
    "désinscrite;dado de baja;dada de baja;blocklisted;blacklisted;do not mail;do not email;"
    "do not contact;hard bounce;hard bounced;complained;spam complaint;marked as spam;"
    "reported as spam;unconfirmed;not confirmed;never subscribed;nonsubscribed;non subscribed;"
    "no consent;unbestätigt;nicht bestätigt"
)
# Cells of other lengths, which most are, need no closer look; signs around a word are allowed.
_SHORTEST_NO, _LONGEST_NO = min(map(len, _PLAIN_NOES)), 2 * max(map(len, _PLAIN_NOES))


def kind_of(heading: str) -> str:
    """Return the word by which `meaning` knows a column about consent; empty for other columns."""
    forms = forms_of(heading)
    if any(not _OTHER_WAYS.isdisjoint(form.split()) for form in forms):
        return ""
    for form in forms:
        if form in _KNOWN:
            return form
        if kind := _kind_of_parts(form.split()):
            return kind
    return ""


def _kind_of_parts(parts: Sequence[str]) -> str:
    """Return the known word within a heading that has common words before or behind it."""
    for begin in range(len(parts)):
        known, without_last = " ".join(parts[begin:]), " ".join(parts[begin:-1])
        if known in _WHEN_NO or known in _WHEN_YES:
            return known
        if parts[-1] in _BEHIND and without_last in _WHEN_YES:
            return without_last
        if known in STATUS:
            return _STATE  # of an account, perhaps
        if known.startswith(_LEFT_WHAT):
            return "unsubscribed"
        if parts[begin] not in _BEFORE:
            break
    return ""


def meaning(kind: str, text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return what a cell that is not empty says about consent; None if nothing.

    Args:
        kind: of its column, as `kind_of` returns it.
        text: the cell.
    """
    spoken = word(text)
    # Some databases write a missing date as 0000-00-00.
    is_no = spoken in NO or not spoken.strip("0 ")
    if kind in _WHEN_YES:
        means = _WHEN_YES[kind]
        if is_no:
            return None
        if isinstance(means, Standing):
            return means, None
        plainer = standing_of(text)
        return Standing.SUPPRESSED, (plainer and plainer[1]) or means
    if kind in _WHEN_NO:
        if is_no:
            return _WHEN_NO[kind], None
        if spoken in YES or _DATE.match(text):
            return Standing.CONFIRMED, None
    return standing_of(text)


def is_needed(kind: str) -> bool:
    """Return whether a column says who agreed: where it and all others are empty, nobody did."""
    return kind in STATUS or kind in _WHEN_NO


def is_heard(heading: str) -> bool:
    """Return whether a no counts in a column that is not about consent by its heading."""
    parts = {part for form in forms_of(heading) for part in form.split()}
    return parts.isdisjoint(_OTHER_WAYS | _OTHER_TIMES)


def plain_no(text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return the standing of a cell that is a no in any column; None if it is none."""
    fits = _SHORTEST_NO <= len(text) <= _LONGEST_NO
    return standing_of(text) if fits and word(text) in _PLAIN_NOES else None
