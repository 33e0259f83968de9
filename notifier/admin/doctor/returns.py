"""Checks of the way back: mails that come back reach a mailbox, and somebody reads them."""

from datetime import timedelta

from sqlalchemy import func, select

from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, not_checked, ok, warning
from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.policy import Stage
from notifier.deliver.bounces.subjects import NOBODY, Subject
from notifier.deliver.smtp.examination import Acceptance
from notifier.store.models import BounceReport, Delivery

# Mails within this time of which some must have come back: even good lists have two in a hundred.
# Chosen by hand; not measured.
_DAYS, _MANY = 30, 500
# The subjects of a refusal that say something about the address.
_ABOUT_ADDRESS = (Subject.RECIPIENT, Subject.MAILBOX, Subject.UNKNOWN)


def _mailbox(examined: Examined) -> Result:
    address = examined.deps.bounce_address
    expected = f"mail to {address} is taken"
    plain, _ = examined.acceptances
    if plain.is_taken:
        return ok(expected, "it is")
    if _says_that_it_is_unknown(plain):
        return warning(
            expected,
            f"refused: {plain.code} {plain.answer}",
            f"Make the mailbox or an alias for {address}, or set sender.bounce_address: without it "
            "nobody learns which addresses are gone, and receivers refuse such a sender.",
        )
    return _cannot_tell(expected, plain)


def _tags(examined: Examined) -> Result:
    expected = "mail to the bounce address with a plus sign and a token is taken"
    if not examined.settings.sender.bounce_tags:
        return ok(expected, "sender.bounce_tags is off")
    _, tagged = examined.acceptances
    if tagged.is_taken:
        return ok(expected, "it is")
    if _says_that_it_is_unknown(tagged):
        return warning(
            expected,
            f"refused: {tagged.code} {tagged.answer}",
            "Let the mail server take tags (recipient_delimiter = + in Postfix), or set "
            "sender.bounce_tags to false.",
        )
    return _cannot_tell(expected, tagged)


def _says_that_it_is_unknown(acceptance: Acceptance) -> bool:
    """Return whether a refusal is about the address, and not about the machine that asked."""
    words = acceptance.answer
    subject = Diagnostic(words, NOBODY, Stage.RCPT).refusal(choose_status("", words)).subject
    return acceptance.is_refused and not acceptance.is_about_us and subject in _ABOUT_ADDRESS


def _cannot_tell(expected: str, acceptance: Acceptance) -> Result:
    if acceptance.is_refused:
        why = f"the server refuses this machine: {acceptance.code} {acceptance.answer}"
        return not_checked(expected, why, "Write a mail to the address from elsewhere.")
    if acceptance.code:
        why = f"the server puts us off: {acceptance.code} {acceptance.answer}"
        return not_checked(expected, why, "Try again in some minutes.")
    return not_checked(
        expected,
        acceptance.answer.partition(" Check ")[0],
        "Many networks close port 25. Write a mail to the address from elsewhere.",
    )


def _read(examined: Examined) -> Result:
    expected = "mails that come back are read"
    since = examined.now - timedelta(days=_DAYS)
    with examined.deps.reading() as session:
        last = session.scalar(select(func.max(BounceReport.read_at)))
        sent = session.scalar(select(func.count(Delivery.id)).where(Delivery.sent_at > since)) or 0
    if last is not None and last > since:
        return ok(expected, f"the last one on {last:%Y-%m-%d}")
    if sent < _MANY:
        return ok(expected, "none was yet" if last is None else f"the last one on {last:%Y-%m-%d}")
    return warning(
        expected,
        f"none in {_DAYS} days, and more than {_MANY} mails were sent",
        "Let the mail server deliver them to a mailbox, and read it every hour:\n"
        "    notifier bounces read --maildir DIR",
    )


CHECKS = (
    Check("returns.mailbox", _mailbox, ("dns.mx", "installation.secret_key")),
    Check("returns.tags", _tags, ("returns.mailbox",)),
    Check("returns.read", _read, ("installation.schema",)),
)
