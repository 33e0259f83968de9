"""Checks by a real mail, with `--send-to` alone: sent, read back by IMAP, judged as it arrived."""

from functools import partial

from notifier.admin.doctor import dkim_records
from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, failed, not_checked, ok, warning, without_itself
from notifier.deliver.bounces.advice import advice_for_test
from notifier.deliver.mime.dkim_verification import verify
from notifier.deliver.outbox import SendResult

_MECHANISMS = ("spf", "dkim", "dmarc")


def _is_wanted(examined: Examined) -> bool:
    return bool(examined.options.send_to)


def _sent(examined: Examined) -> Result:
    expected = "the mail server takes the test mail"
    outcome = examined.round_trip.outcome
    if outcome.answer is SendResult.ACCEPTED:
        return ok(expected, "accepted; that is not delivered yet")
    is_put_off = outcome.answer is SendResult.DEFERRED and outcome.waits_because is None
    advice = advice_for_test(outcome.text, is_put_off=is_put_off)
    return failed(expected, outcome.text or str(outcome.answer), without_itself(advice))


def _received(examined: Examined) -> Result:
    expected = "the mail arrives"
    options = examined.options
    if not options.imap:
        return not_checked(
            expected,
            "no mailbox was named",
            "Look for it yourself, in the spam folder, too; or give --imap "
            "imaps://USER@HOST/INBOX.",
        )
    mail = examined.received_mail
    if mail is None:
        return failed(
            expected,
            f"it was not there after {options.patience_seconds:g} seconds",
            "Look into the spam folder, and into the log of the mail server; a server that meets "
            "a sender for the first time may wait for ten minutes.",
        )
    return ok(expected, f"after {mail.seconds:.0f} seconds")


def _authentication(examined: Examined) -> Result:
    expected = "the receiving server says that SPF, DKIM and DMARC pass"
    mail = examined.received_mail
    verdicts = mail.verdicts if mail is not None else {}
    if not verdicts:
        return not_checked(
            expected,
            "it writes no Authentication-Results",
            "Send to a mailbox at a large provider.",
        )
    actual = ", ".join(
        f"{mechanism}={verdicts.get(mechanism, 'none')}" for mechanism in _MECHANISMS
    )
    bad = [name for name in _MECHANISMS if verdicts.get(name, "none") != "pass"]
    if not bad:
        return ok(expected, actual)
    fix = f"Mend dns.{', dns.'.join(bad)}; a mail server that changes mails breaks signatures."
    if verdicts.get("dmarc") == "fail" or len(bad) == len(_MECHANISMS):
        return failed(expected, actual, fix)
    return warning(expected, actual, fix)


def _dkim(examined: Examined) -> Result:
    expected = "our signature is valid when the mail arrives"
    signers, mail = examined.deps.signers, examined.received_mail
    if not signers or mail is None:
        return not_checked(expected, "mails are not signed")
    ours = {(signer.domain.lower(), signer.selector.lower()) for signer in signers}
    verifications = [
        each
        for each in verify(mail.octets, partial(dkim_records.key_record, examined.names))
        if (each.domain.lower(), each.selector.lower()) in ours
    ]
    return dkim_records.judge(verifications, len(signers), expected)


CHECKS = (
    Check(
        "round_trip.sent",
        _sent,
        (
            "installation.sender",
            "installation.postal_address",
            "installation.secret_key",
            "installation.templates",
        ),
        stops_mail=True,
        only_if=_is_wanted,
    ),
    Check("round_trip.received", _received, ("round_trip.sent",), only_if=_is_wanted),
    Check(
        "round_trip.authentication", _authentication, ("round_trip.received",), only_if=_is_wanted
    ),
    Check(
        "round_trip.dkim",
        _dkim,
        ("round_trip.received", "dns.resolver"),
        only_if=_is_wanted,
    ),
)
