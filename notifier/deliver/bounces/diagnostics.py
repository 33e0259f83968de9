"""Diagnostic texts: the words and codes of a mail system about a failure, judged hard or soft.

Pure. Only a text that says that the address or its domain is gone is hard. A full mailbox, a policy
and suspected spam are soft: they are temporary, or the cause is on our side. The texts are written
by strangers: every expression takes linear time, or reads a text of limited length.
"""

import re
from functools import cached_property

from notifier.deliver.bounces.incoming_mail import SEARCHED
from notifier.enums import BounceKind

# An enhanced status code (RFC 3463).
STATUS_CODE = re.compile(r"(?a)(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?a)(?<![\d.-])([45]\d\d)(?![\d.])")
# The three expressions below were set on 292 real bounces of Sisimai's public collection
# (sisimai/set-of-emails), and on its verdicts about them.
#
# The address or its domain is gone.
_GONE = re.compile(
    r"(?i)user (?:is )?unknown|unknown (?:e-?mail )?(?:user|recipient|address|account|mailbox"
    r"|local)|no such (?:user|recipient|mailbox|address|person|domain|account|name|local"
    r"|e-?mail)|(?:user|recipient|address|account|mailbox|e-?mail account"
    r"|domain)[^\n]{0,80}? (?:does|did|do) ?(?:not|n't) exist|(?:user|recipient|address|account"
    r"|mailbox|alias)[^\n]{0,60}? (?:was |is |could )?(?:not|n't) (?:be )?(?:found|known"
    r"|listed)|(?:not|n't) a (?:valid|known|local) (?:mailbox|user|recipient|address|account)"
    r"|not our customer|invalid (?:mailbox|recipient|user|address|local)|mailbox not found"
    r"|mailbox unavailable or access denied|(?:is|was) not (?:a )?(?:known|recogni[sz]ed"
    r"|valid) |(?:isn't|is not) (?:listed|in)[^\n]{0,40}(?:directory|name)"
    r"|recipient (?:address )?(?:unknown|rejected: (?:user|undeliverable|address|invalid"
    r"|no such|access denied))|no (?:mailbox|account|user) (?:here|by that|with that|found)"
    r"|this user doesn't have|bad destination mailbox|host (?:is )?unknown|unknown host|(?:host"
    r"|domain)[^\n]{0,60}not found|name or service not known|NXDOMAIN"
    r"|domain (?:name )?(?:is )?(?:unknown|invalid|not exist)|unrouteable (?:mail )?(?:address"
    r"|domain)|unresolvable|has moved|no longer (?:exists|valid|in use|available|works|here"
    r"|on server|with)|undeliverable address|requested action not taken: mailbox unavailable"
    r"|recipient address rejected\.?\s*$|non-accepted domain|domain (?:is )?not reachable"
    r"|find a mail exchanger|name service error|address (?:unknown|error)"
    r"|all relevant MX records point to non-existent|can't resolve|cannot resolve"
    r"|couldn't find any host named|recipnotfound|not listed in|deactivated"
    r"|account (?:is )?(?:closed|deleted)|inactive user|addressee unknown"
    r"|invalid final delivery userid|\b(?:adresse|compte|bo[iî]te|utilisateur|destinataire"
    r"|postfach|konto|empf[äa]nger|benutzer|cuenta|buz[oó]n|usuario|direcci[oó]n|conta"
    r"|endere[cç]o|usu[aá]rio|indirizzo|casella|utente)\b[^\n]{0,80} (?:n['’]existe pas"
    r"|existiert nicht|no existe|n[aã]o existe|non esiste)|unbekannter (?:benutzer"
    r"|empf[äa]nger)"
)
# The failure passes, whatever class its code has.
_PASSES = re.compile(
    r"(?i)quota|mailbox (?:is )?(?:too )?full|mailbox size|over ?(?:the )?(?:storage|limit)"
    r"|exceed|too (?:large|big|many|long)|spam|blacklist|blocklist|black list|blocked|\bRBL\b"
    r"|reputation|policy|not (?:allowed|permitted|authorized)|prohibit|content|virus|greylist"
    r"|try again|temporar|later|timed? ?out|time-?out|expired|connection refused|unreachable"
    r"|loop|at a rate|too many hops|insufficient|disk|system (?:error|full)|DMARC|SPF|DKIM"
    r"|reverse|PTR|authenticat|relaying|relay (?:not|denied|access)|rejected due|refused|denied"
    r"|restricted|suspended|disabled|maintenance|out of memory|unable to connect|suspend"
)
# The mailbox exists, and is full: this counts more than everything else in the text.
_FULL = re.compile(
    r"(?i)mailbox (?:is )?(?:too )?full|over ?quota|quota exceeded|exceeded[^\n]{0,30}quota"
    r"|mailbox size limit"
)
# The subject and detail (RFC 3463, 3.2, 3.3 and 3.5) of codes that say that address or domain are
# gone.
_GONE_CODES = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1), (4, 4)}
# The sender's address is wrong, not the recipient's (RFC 3463, 3.2).
_SENDER_CODES = (".1.7", ".1.8")


class Diagnostic:
    """The text about one failure, cut to a limited length; each expression is searched once."""

    def __init__(self, text: str) -> None:
        self._text = text[:SEARCHED]

    @cached_property
    def gone(self) -> re.Match[str] | None:
        """The words that say that the address or its domain is gone."""
        return _GONE.search(self._text)

    @cached_property
    def passes(self) -> re.Match[str] | None:
        """The words that say that the failure passes."""
        return _PASSES.search(self._text)

    @cached_property
    def full(self) -> bool:
        """True if the text says that the mailbox is full."""
        return bool(_FULL.search(self._text))

    @cached_property
    def status(self) -> str:
        """The enhanced status code in the text, for example ``5.1.1``; empty if there is none."""
        return choose_status("", self._text)

    @property
    def is_conclusive(self) -> bool:
        """True if the words alone decide between hard and soft."""
        return bool(self.gone or self.passes)

    def verdict(self, status: str) -> BounceKind:
        """Return `HARD` or `SOFT` for this text with an enhanced status code.

        The words count more than the code. A temporary code, a code about the sender and a full
        mailbox are always soft.
        """
        if status.startswith("4") or status.endswith(_SENDER_CODES) or self.full:
            return BounceKind.SOFT
        gone, passes = self.gone, self.passes
        if gone and not (passes and passes.start() < gone.start()):
            return BounceKind.HARD
        if passes:
            return BounceKind.SOFT
        code = STATUS_CODE.search(status)
        if code and code[1] == "5" and (int(code[2]), int(code[3])) in _GONE_CODES:
            return BounceKind.HARD
        return BounceKind.HARD if gone else BounceKind.SOFT


def choose_status(reported: str, diagnostic: str) -> str:
    """Return the more precise of two enhanced status codes; empty if there is none.

    The code in the server's own words counts more than the one in the Status field, and every
    other code more than ``x.0.0``.

    Args:
        reported: the Status field.
        diagnostic: the server's words.
    """
    for text in (diagnostic, reported):
        precise = [
            code for code in STATUS_CODE.finditer(text) if not (code[2] == "0" and code[3] == "0")
        ]
        if precise:
            return precise[-1].group()
    unprecise = STATUS_CODE.search(f"{reported} {diagnostic}")
    return unprecise.group() if unprecise else ""


def find_reply_code(text: str) -> str:
    """Return the SMTP reply code in a text (RFC 5321, 4.2), ``550``; empty if there is none."""
    code = _REPLY_CODE.search(text[:SEARCHED])
    return code[1] if code else ""
