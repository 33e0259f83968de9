"""The questions of `notifier init` on a terminal: each with a default and a check.

Owns their order and words. Nothing is written here: an interrupted conversation leaves nothing.
"""

import platform
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from notifier.cli import machine_zone, shared

if TYPE_CHECKING:
    from notifier.settings import Smtp

_ASKED = {
    "sender.address": "Address of the sender (From)",
    "sender.name": "Name of the sender",
    "sender.postal_address": "Postal address, for the footer of every mail",
    "smtp.host": "Mail server",
    "smtp.port": "Its port",
    "smtp.username": "User name, if it asks for one",
    "smtp.password": "Password (not shown)",
    "public_url": "Public address of the web pages",
    "operator.address": "Your own address, for reports",
    "schedule.time_zone": "Time zone of most readers",
}
# Asked again on a later call if they are still missing: without them no mail can be sent.
NEEDED = ("sender.address", "sender.postal_address")
_MAIL_SERVER = ("smtp.host", "smtp.port", "smtp.username", "smtp.password")
_ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_SECURED = {
    "none": ", without encryption, on this machine",
    "starttls": ", encrypted (STARTTLS)",
    "tls": ", encrypted (TLS)",
}


def can_ask() -> bool:
    """Return whether a person sits at a terminal."""
    return sys.stdin.isatty() and shared.is_terminal()


def ask(known: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the settings of a new installation.

    Args:
        known: what options gave, by key; it is not asked for.
        environment: what environment variables set, by key: neither asked for nor returned.

    Returns:
        The answers by key; a question that was skipped is missing.
    """
    answers = dict(known)
    shared.say("Enter takes what stands in brackets. Ctrl-C stops, and nothing is written.\n")
    for key in _ASKED:
        if key in answers or key in environment or key in _MAIL_SERVER[1:]:
            continue
        if key == "smtp.host":
            _ask_for_mail_server(answers, environment)
        else:
            _put(answers, key, _ask(key, _default(key, answers)))
    return answers


def ask_for(keys: list[str]) -> dict[str, Any]:
    """Ask for single settings that are missing in an installation; empty answers are left out."""
    answers: dict[str, Any] = {}
    for key in keys:
        _put(answers, key, _ask(key, _default(key, answers)))
    return answers


def _put(answers: dict[str, Any], key: str, answer: object) -> None:
    if answer not in (None, ""):
        answers[key] = answer


def _default(key: str, answers: Mapping[str, Any]) -> Any:
    host = platform.node()
    if key == "sender.address":
        return f"digest@{host}" if "." in host and not host.endswith(".local") else ""
    if key == "smtp.port":
        return 25 if answers.get("smtp.host", "") in _ON_THIS_MACHINE else 587
    if key == "schedule.time_zone":
        return machine_zone.name()
    return {
        "sender.name": "News digest",
        "smtp.host": "127.0.0.1",
        "public_url": "http://127.0.0.1:8000",
        "operator.address": answers.get("sender.address", ""),
    }.get(key, "")


def _ask(key: str, default: Any, *, hidden: bool = False) -> Any:
    """Ask until the answer is a value that the setting may have; an empty one is none."""
    from notifier.errors import SettingsError
    from notifier.settings import check_value

    while True:
        answer = typer.prompt(
            _ASKED[key],
            default=default,
            hide_input=hidden,
            show_default=default != "",
            type=str,
        )
        answer = answer.strip()
        if not answer:
            return None
        try:
            check_value(key, answer, "your answer")
        except SettingsError as error:
            words = error.problem.partition("your answer: ")[2]
            shared.warn(f"  {words if words[:1].isupper() else f'Your answer {words}'}")
            continue
        return int(answer) if key == "smtp.port" else answer


def _ask_for_mail_server(answers: dict[str, Any], environment: Mapping[str, Any]) -> None:
    """Ask for the mail server and connect to it, until it answers or the person goes on."""
    given = {key: answers[key] for key in _MAIL_SERVER if key in answers}
    tried: dict[str, Any] = {}
    while True:
        tried = _server_answers({**environment, **given}, tried)
        smtp = _smtp_of({**environment, **given, **tried})
        shared.say(f"  Connecting to {smtp.host}:{smtp.port} ...")
        usable, problem = _connect(smtp, {**environment, **answers}.get("smtp.security"))
        if not problem:
            shared.say(f"  It answers{_SECURED[usable.security]}.")
        else:
            shared.warn(f"  {problem}")
        if not problem or not typer.confirm("Try other values?", default=True):
            answers.update(tried)
            if "smtp.security" not in {**environment, **answers}:
                answers["smtp.security"] = usable.security
            return


def _server_answers(given: Mapping[str, Any], tried: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for what is not given; what was tried before is the default."""
    answers: dict[str, Any] = {}
    for key in _MAIL_SERVER:
        if key in given or (
            key == "smtp.password" and not {**given, **answers}.get("smtp.username")
        ):
            continue
        hidden = key == "smtp.password"
        default = tried.get(key) if not hidden else None
        if default is None:
            default = _default(key, {**given, **answers})
        _put(answers, key, _ask(key, default, hidden=hidden))
    return answers


def _smtp_of(values: Mapping[str, Any]) -> "Smtp":
    from notifier.settings import Smtp

    names = {key: value for key, value in values.items() if key in _MAIL_SERVER}
    return Smtp(**{key.partition(".")[2]: value for key, value in names.items()})


def _connect(smtp: "Smtp", security: str | None) -> "tuple[Smtp, str]":
    from notifier.admin import mail_server

    if security is None:
        return mail_server.with_usable_security(smtp)
    with_security = smtp.model_copy(update={"security": security})
    return with_security, mail_server.problem_of(with_security)


def with_tested_server(given: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """Connect to the mail server of options and defaults; a problem is only told.

    Returns:
        What was given, and the security that the server offers if nobody chose one.
    """
    effective = {**given, **environment}
    usable, problem = _connect(_smtp_of(effective), effective.get("smtp.security"))
    if problem:
        shared.warn(f"Note: {problem}")
    values = dict(given)
    if "smtp.security" not in effective:
        values["smtp.security"] = usable.security
    return values
