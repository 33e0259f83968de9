"""Checks of our own mail server, from one connection: TLS, log-in, limits, the name we give it."""

import re

from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, certificate, failed, ok, warning
from notifier.deliver.smtp.connection import Step

# Octets of a digest with many items, and its headers. Chosen by hand: 40 items have 50 KB.
_LARGEST_MAIL = 150_000
_SUBMISSION_PORTS = (465, 587)


def _place(examined: Examined) -> str:
    return f"{examined.settings.smtp.host}:{examined.settings.smtp.port}"


def _connect(examined: Examined) -> Result:
    expected = "a mail server that answers"
    state = examined.mail_server
    if state.failed_at is Step.CONNECT:
        problem, fix = _split(state.problem)
        return failed(expected, problem, fix or "Check smtp.host, smtp.port and smtp.security.")
    return ok(expected, _place(examined))


def _tls(examined: Examined) -> Result:
    expected = "an encrypted connection with a valid certificate"
    smtp, state = examined.settings.smtp, examined.mail_server
    if state.failed_at is Step.ENCRYPT:
        problem, fix = _split(state.problem)
        return failed(
            expected,
            problem,
            fix
            or "Give the name in the server's certificate as smtp.host; for a certificate of "
            "your own set SSL_CERT_FILE.",
        )
    if smtp.security != "none":
        return ok(expected, smtp.security)
    if smtp.is_on_this_machine:
        return ok(expected, "none is needed on this machine")
    return warning(
        expected,
        'smtp.security is "none": everybody on the way can read the mails',
        'Set smtp.security to "starttls" or "tls".',
    )


def _certificate(examined: Examined) -> Result:
    return certificate(
        examined.mail_server.expires,
        examined.now,
        f"Renew the certificate of {examined.settings.smtp.host}, or tell its operator: from "
        "then on no mail is handed over.",
    )


def _auth(examined: Examined) -> Result:
    expected = "a log-in that the server accepts, or none where none is needed"
    smtp, state = examined.settings.smtp, examined.mail_server
    if state.failed_at is Step.LOG_IN:
        return failed(expected, *_split(state.problem))
    if smtp.username:
        return ok(expected, "accepted")
    if smtp.port in _SUBMISSION_PORTS and not smtp.is_on_this_machine:
        return warning(
            expected,
            f"smtp.username is not set, and port {smtp.port} is for users who log in (RFC 6409)",
            "Set smtp.username and smtp.password.",
        )
    return ok(expected, "none is set")


def _size(examined: Examined) -> Result:
    expected = f"mails of {_LARGEST_MAIL:,} bytes are taken"
    limit = examined.mail_server.features.get("size", "").strip()
    if not re.fullmatch(r"[0-9]{1,20}", limit) or int(limit) == 0:
        return ok(expected, "the server names no limit")
    if int(limit) < _LARGEST_MAIL:
        return failed(
            expected,
            f"the server takes at most {int(limit):,} bytes (SIZE)",
            "Raise its limit (message_size_limit in Postfix).",
        )
    return ok(expected, f"up to {int(limit):,} bytes")


def _pipelining(examined: Examined) -> Result:
    expected = "PIPELINING, by which a mail costs one round trip"
    if "pipelining" in examined.mail_server.features:
        return ok(expected, "offered")
    return warning(
        expected,
        "not offered: each command waits for its answer",
        "Mails go out all the same, only slowly. Switch PIPELINING on in the mail server, or raise "
        "smtp.connections.",
    )


def _helo_name(examined: Examined) -> Result:
    expected = "the full name of this machine, as other mail servers look it up"
    smtp, name = examined.settings.smtp, examined.mail_server.own_name
    is_private = name.lower().endswith((".localdomain", ".local", ".internal", ".lan"))
    if smtp.helo_name == name or ("." in name and not name.startswith("[") and not is_private):
        return ok(expected, name)
    if smtp.username:
        return ok(expected, f"{name}; after a log-in it does not matter")
    return warning(
        expected,
        f"{name}, which nobody else can look up",
        "Set smtp.helo_name to the name in the reverse DNS of the sending machine, such as "
        "mail.example.org.",
    )


def _split(problem: str) -> tuple[str, str]:
    """Return a problem of the connection, and the advice that is its last sentence."""
    for opening in (" Check ", " If "):
        text, separator, advice = problem.partition(opening)
        if separator:
            return text, f"{opening.strip()} {advice}"
    return problem, ""


_CONNECTED = ("mail_server.connect",)
_READY = ("mail_server.connect", "mail_server.tls", "mail_server.auth")

CHECKS = (
    Check("mail_server.connect", _connect, ("installation.settings",), stops_mail=True),
    Check("mail_server.tls", _tls, _CONNECTED, stops_mail=True),
    Check("mail_server.certificate", _certificate, ("mail_server.tls",)),
    Check("mail_server.auth", _auth, ("mail_server.tls",), stops_mail=True),
    Check("mail_server.size", _size, _READY, stops_mail=True),
    Check("mail_server.pipelining", _pipelining, _READY),
    Check("mail_server.helo_name", _helo_name, _READY),
)
