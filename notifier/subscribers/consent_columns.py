"""Columns about consent in lists of other systems: which there are, and what a cell says.

Owns what the columns of Mailchimp, listmonk, Ghost, Substack, Buttondown, Brevo, MailerLite,
Klaviyo, phpList and of spreadsheets say about consent, and which words are a no wherever they
stand. Nothing of our own columns is known here.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from notifier.enums import SuppressionCause
from notifier.subscribers.list_words import (
    Answer,
    Standing,
    answer_of,
    forms_of,
    seen,
    standing_of,
    standing_of_letter,
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
# The one column in which the letters of a WordPress plugin are heard, and what any other is called
# that a caller names as that of the status.
_LETTERED, ANY_STATUS = "status", "subscriber status"
# Columns that hold a status or another thing; a word that is not known there says nothing.
_STATE = "state"
_KIND = words(
    "type;subscriber type;typ;state;zustand;état;estado;contact status;marketing status;"
    "consent status;newsletter status;opt in status;optin status"
)
# Columns of kinds, also of kinds of people, and the words that are said of people there.
_TYPES = words("type;typ")
_OF_PEOPLE = words("disabled;invalid;invalide;inválido;left;former;never")
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
        "email disabled;emails disabled;mail disabled;unsubscribed from all email;"
        "unsubscribe reason;abgemeldet;abgemeldet am;abmeldedatum;abmeldung;ausgetragen am;"
        "désabonné;désabonné le;désinscrit le;date de désinscription;baja;fecha de baja"
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
# Columns that may be about somebody's health: a disability, and what one tells a doctor.
_DISABLED, _COMPLAINTS = "disabled", words("complained;complaint")
# Headings about mails, and about accounts.
_OF_MAILS = re.compile(
    r"mail|news|alert|digest|bulletin|update|communicat|message|subscri|marketing|rundbrief|abonn"
    r"|infolettre|courriel|correo|bolet|suscri"
)
_OF_ACCOUNTS = re.compile(r"account|user|login|konto|compte|cuenta|\bdisabled at\b")
# Of columns of both names, the second one is about letters on paper (CiviCRM).
_NOT_EMAIL, _NOT_MAIL = words("do not email;donotemail"), "do not mail"
# Columns that phpList exports beside its column "disabled".
_OF_PHPLIST = words("htmlemail;bouncecount;blacklisted")
# Headings about other matters that people agree to, leave or confirm.
_OTHER_MATTERS = re.compile(
    r"\b(?:stud(?:y|ies|ie|ien)|trials?\b|research|biobank|surveys?\b|courses?\b|events\b"
    r"|event [a-z]|webinar|workshop|seminar|forschung|umfrage|kurs|veranstaltung|essais?\b|étude"
    r"|recherche|estudio|ensayo|investigaci|curso|data sharing|donation|regist(?:ry|er|re)\b"
    r"|diagnos)"
)
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
    "unsubscribed;not subscribed;abbestellt;désabonné;désabonnée;blocklisted;blacklisted;"
    "do not mail;do not email;do not contact;hard bounce;hard bounced;spam complaint;"
    "marked as spam;reported as spam;never subscribed;nonsubscribed;non subscribed"
)
# Words that are also said of a study or a course: they are heard under headings that name none.
_NOES_OF_STUDIES = words("opted out;abgemeldet;désinscrit;désinscrite;dado de baja;dada de baja")
# Words that are also said of a diagnosis: they are heard under headings about mails or a sign-up.
_NOES_OF_DIAGNOSES = words(
    "complained;unconfirmed;not confirmed;no consent;unbestätigt;nicht bestätigt"
)
_OF_SIGN_UPS = re.compile(
    r"\b(?:opt ?in|doi|sign ?up|confirmation|anmeld|bestätigung|inscri|consent|permission|gdpr"
    r"|dsgvo|rgpd|privacy|datenschutz|einwillig|zustimm|einverst|verif|event$|notes?$"
    r"|tags?$|labels?$)"
)
_ALL_NOES = _PLAIN_NOES | _NOES_OF_STUDIES | _NOES_OF_DIAGNOSES
# Cells of other lengths, which most are, need no closer look; signs around a word are allowed.
_SHORTEST_NO, _LONGEST_NO = min(map(len, _ALL_NOES)), 2 * max(map(len, _ALL_NOES))


def kinds_of(headings: Sequence[str]) -> dict[str, str]:
    """Return those of the headings that are about consent, each with a word for `meaning`."""
    is_phplist = any(word(heading) in _OF_PHPLIST for heading in headings)
    kinds = {heading: _kind_of(heading, is_phplist=is_phplist) for heading in headings}
    is_of_paper = not _NOT_EMAIL.isdisjoint(kinds.values())
    return {
        heading: kind
        for heading, kind in kinds.items()
        if kind and not (is_of_paper and kind == _NOT_MAIL)
    }


def _kind_of(heading: str, *, is_phplist: bool) -> str:
    forms = forms_of(heading)
    if not _parts_of(forms).isdisjoint(_OTHER_WAYS) or _is_about_other_matter(forms):
        return ""
    for form in forms:
        kind = form if form in _KNOWN else _kind_of_parts(form.split())
        if kind == _LETTERED and form != forms[0]:  # "Status (of the customer)"
            return ANY_STATUS
        if kind:
            return _unless_of_health(kind, forms, is_phplist=is_phplist)
    return ""


def _parts_of(forms: Iterable[str]) -> set[str]:
    return {part for form in forms for part in form.split()}


def _names(pattern: re.Pattern[str], forms: Iterable[str]) -> bool:
    return any(pattern.search(form) for form in forms)


def _is_about_other_matter(forms: Collection[str]) -> bool:
    return _names(_OTHER_MATTERS, forms) and not _names(_OF_MAILS, forms)


def _unless_of_health(kind: str, forms: Collection[str], *, is_phplist: bool) -> str:
    """Return the kind of a column; empty or a vaguer one if it may be about somebody's health."""
    if kind == _DISABLED and not is_phplist:
        return kind if _names(_OF_MAILS, forms) or _names(_OF_ACCOUNTS, forms) else ""
    return "spam complaint" if kind in _COMPLAINTS and _names(_OF_MAILS, forms) else kind


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


def kind_of_status(heading: str) -> str:
    """Return the word by which `meaning` knows a column that a caller names as the status."""
    return _LETTERED if word(heading) == _LETTERED else ANY_STATUS


def meaning(kind: str, text: str) -> tuple[Standing, SuppressionCause | None] | None:
    """Return what a cell that is not empty says about consent; None if nothing.

    Args:
        kind: of its column, as `kinds_of` and `kind_of_status` return it.
        text: the cell.
    """
    text = seen(text)
    answer = answer_of(text)
    if kind in _WHEN_YES:
        return _denied(kind, text, answer)
    if kind in _WHEN_NO and (standing := _asserted(kind, text, answer)):
        return standing
    if kind == _LETTERED and (standing := standing_of_letter(text)):
        return standing
    if kind in _TYPES and word(text) in _OF_PEOPLE:
        return None
    return standing_of(text)


def _denied(
    kind: str, text: str, answer: Answer
) -> tuple[Standing, SuppressionCause | None] | None:
    """Return what a cell says in a column in which a yes, a date or a reason is a no to mails."""
    if answer in (Answer.NO, Answer.NOTHING):
        return None
    if answer in (
        Answer.UNCLEAR,
        Answer.CROSS,
    ):  # nobody is mailed, and nobody is said to have left
        return Standing.PENDING, None
    means, plainer = _WHEN_YES[kind], standing_of(text)
    is_plain = answer is Answer.YES or plainer or text.isdigit() or _DATE.match(text)
    if kind in _COMPLAINTS and not is_plain:  # "pain in the back"
        return None
    if isinstance(means, Standing):
        return means, None
    return Standing.SUPPRESSED, (plainer and plainer[1]) or means


def _asserted(
    kind: str, text: str, answer: Answer
) -> tuple[Standing, SuppressionCause | None] | None:
    """Return what a cell says in a column in which a yes or a date is a yes to mails."""
    if answer in (Answer.NO, Answer.CROSS):
        return _WHEN_NO[kind], None
    if answer is Answer.YES or _DATE.match(text):
        return Standing.CONFIRMED, None
    # No answer is none that somebody gave: it neither confirms nor ends.
    return (Standing.PENDING, None) if answer is not Answer.OTHER else None


def is_needed(kind: str) -> bool:
    """Return whether a column says who agreed: where it and all others are empty, nobody did."""
    return kind in STATUS or kind in _WHEN_NO


def noes_heard(heading: str) -> frozenset[str]:
    """Return the words that are a no in a column that is not about consent by its heading."""
    forms = forms_of(heading)
    if not _parts_of(forms).isdisjoint(_OTHER_WAYS | _OTHER_TIMES):
        return frozenset()
    if _is_about_other_matter(forms):
        return _PLAIN_NOES
    of_mails = _names(_OF_MAILS, forms) or _names(_OF_SIGN_UPS, forms)
    return _ALL_NOES if of_mails else _PLAIN_NOES | _NOES_OF_STUDIES


def plain_no(text: str, noes: Collection[str]) -> tuple[Standing, SuppressionCause | None] | None:
    """Return the standing of a cell that is a no in a column that is not about consent.

    Args:
        text: the cell.
        noes: the words that are heard there, as `noes_heard` returns them.
    """
    if not _SHORTEST_NO <= len(text) <= _LONGEST_NO:
        return None
    text = seen(text)
    return standing_of(text) if word(text) in noes else None
