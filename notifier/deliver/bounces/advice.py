"""Advice: what to check when mail servers refuse us, for operator mails and for tests.

Pure. Owns these sentences, one for each subject of a refusal.
"""

import re

from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.subjects import Subject

_SEND_LESS = (
    "Send less at a time: lower smtp.connections, set smtp.rate_per_second or "
    "smtp.domain_rates, or ask your mail provider for a higher limit."
)
_ADVICE = {
    Subject.SENDER: (
        "Check sender.address and sender.bounce_address: their domain must exist, mail to them "
        "must arrive, and smtp.username must be allowed to send from them. If the server knows no "
        "addresses with a plus sign, set sender.bounce_tags to false."
    ),
    Subject.HOST: (
        "Check smtp.helo_name, the reverse DNS of the sending machine, and whether its IP address "
        "is on a blocklist; the answer often names the list."
    ),
    Subject.POLICY: (
        "Check smtp.username, smtp.password and smtp.security, and that mails are signed and "
        "allowed for your domain by its records in DNS (SPF, DKIM, DMARC):\n    notifier doctor"
    ),
    Subject.CONTENT: (
        "The servers dislike the text, its links or its size. Look at what is sent:\n"
        "    notifier digests list"
    ),
    Subject.LOAD: _SEND_LESS,
    Subject.NETWORK: _SEND_LESS,
}

_ADVICE_ABOUT_RECIPIENTS = {
    Subject.RECIPIENT: "Check the spelling of the address.",
    Subject.MAILBOX: (
        "The mailbox takes no mail at present: it may be full. Try another address of yours."
    ),
}
# Words of a server that wants a log-in or encryption first, which most say at MAIL FROM.
_WANTS_LOG_IN = re.compile(r"(?i)starttls|\btls\b|encrypt|authentica|\blog ?in\b|\b53[0458] ")
_ADVICE_FOR_LATER = (
    "The server puts the mail off, as many do with a sender whom they do not know yet: try again "
    "in ten minutes."
)


def advice_for(error: str) -> str:
    """Return what to check.

    Args:
        error: the stored words about a refusal, as `deliver/smtp/refusals.py` writes them.
    """
    return _ADVICE.get(_subject_of(error), _ADVICE[Subject.POLICY])


def advice_for_sender(answer: str) -> str:
    """Return what to check where a server refuses our sender, in one line.

    Args:
        answer: its answer to MAIL FROM.
    """
    if _WANTS_LOG_IN.search(answer):
        return "Check smtp.username, smtp.password and smtp.security."
    return "Check sender.address and sender.bounce_address."


def advice_for_test(error: str, *, is_put_off: bool) -> str:
    """Return what to check when a mail that an operator sends to an own address is refused.

    Args:
        error: the words about the refusal, as `advice_for` takes them.
        is_put_off: whether the server may take it later, and it is not about us.
    """
    subject = _subject_of(error)
    if subject in _ADVICE_ABOUT_RECIPIENTS:
        return _ADVICE_ABOUT_RECIPIENTS[subject]
    return _ADVICE_FOR_LATER if is_put_off else advice_for(error)


def _subject_of(error: str) -> Subject:
    if "to MAIL FROM" in error:
        return Subject.POLICY if _WANTS_LOG_IN.search(error) else Subject.SENDER
    words = error.partition(": ")[2] or error
    return Diagnostic(words).refusal(choose_status("", words)).subject
