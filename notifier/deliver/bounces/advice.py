"""Advice: the setting to check when mail servers refuse us, for operator mails.

Pure. Owns these sentences, one for each subject of a refusal that is about us or about load.
"""

from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.subjects import Subject

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
    Subject.LOAD: (
        "Send less at a time: lower smtp.connections, set smtp.rate_per_second or "
        "smtp.domain_rates, or ask your mail provider for a higher limit."
    ),
}


def advice_for(error: str) -> str:
    """Return what to check.

    Args:
        error: the stored words about a refusal, as `deliver/smtp/refusals.py` writes them.
    """
    if "to MAIL FROM" in error:
        return _ADVICE[Subject.SENDER]
    words = error.partition(": ")[2] or error
    subject = Diagnostic(words).refusal(choose_status("", words)).subject
    return _ADVICE.get(subject, _ADVICE[Subject.POLICY])
