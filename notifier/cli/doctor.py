"""`notifier doctor`."""

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.admin.doctor.examination import Examination
    from notifier.admin.doctor.findings import Finding
    from notifier.admin.doctor.last_examination import Comparison

# Columns of a terminal that every terminal has.
_WIDTH = 80
_INDENT, _LABELS = " " * 15, ("expected", "found", "fix")
_TITLES = {
    "installation": "Installation",
    "content": "Content",
    "mail_server": "Mail server",
    "dns": "DNS of the sender",
    "web": "Web pages",
    "returns": "Mails that come back",
    "flow": "Flow of mails",
    "round_trip": "Test mail",
}

ShowChanges = Annotated[
    bool,
    typer.Option("--show-changes", help="Show only what changed since the doctor last ran."),
]
SendTo = Annotated[
    str, typer.Option("--send-to", metavar="EMAIL", help="Send one test mail to this address.")
]
Imap = Annotated[
    str,
    typer.Option(
        "--imap",
        metavar="URL",
        help="Read that mail back; the password is in $NOTIFIER_IMAP_PASSWORD.",
    ),
]
Dns = Annotated[
    str,
    typer.Option(
        "--dns",
        metavar="ADDRESS",
        help="Ask this name server, such as 9.9.9.9 or 127.0.0.1:5353. Default: this machine's.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    show_changes: ShowChanges = False,
    send_to: SendTo = "",
    imap: Imap = "",
    dns: Dns = "",
    json: shared.Json = False,
    now: shared.Now = "",
) -> None:
    """Check everything that mails need, and say what to do.

    Nothing is changed, and nothing is sent except with --send-to. The exit code is 1 if a mail
    could not be delivered today, and 2 if the settings cannot be used or there is no database. Each
    check is explained in docs/doctor.md.
    """
    from notifier.admin.doctor.examination import examine
    from notifier.admin.doctor.examined import Options
    from notifier.settings import secret_files

    options = Options(
        config=shared.config_path(),
        now=shared.moment(now),
        name_server=dns,
        send_to=_checked(send_to, imap, dns),
        imap=imap,
        imap_password=secret_files.value("IMAP_PASSWORD"),
    )
    printer = _Printer()
    shows_all = not (json or show_changes)
    examination = examine(options, on_finding=printer.print if shows_all else None)
    if json:
        shared.print_json(_to_json(examination, show_changes=show_changes))
    elif show_changes:
        _print_changes(examination)
    # Without news nothing is printed where nobody looks: cron mails whatever is.
    if not json and (not show_changes or examination.has_news or shared.is_terminal()):
        shared.say(f"\n{_summary(examination)}")
    raise typer.Exit(_exit_code(examination))


def _checked(send_to: str, imap: str, dns: str) -> str:
    """Return the address for the test mail, after all options that it goes with were checked.

    Raises:
        InputError: one of them cannot be used; nothing was done.
    """
    from notifier.admin.doctor.name_servers import parse_server
    from notifier.deliver.bounces import mailbox
    from notifier.email_addresses import normalize
    from notifier.errors import InputError

    if imap and not send_to:
        raise InputError(
            "--imap names the mailbox in which the test mail is looked for, and none is sent.",
            "Give --send-to EMAIL, too.",
        )
    if dns:
        parse_server(dns)
    if imap:
        mailbox.parse_address(imap)
    return normalize(send_to) if send_to else ""


def _exit_code(examination: "Examination") -> int:
    if not examination.has_installation:
        return 2
    return 0 if examination.ok else 1


class _Printer:
    """Prints findings as they come, each area under its title."""

    def __init__(self) -> None:
        self._area = ""

    def print(self, finding: "Finding") -> None:
        """Print a finding."""
        if finding.area != self._area:
            shared.say(f"{'' if not self._area else chr(10)}{_TITLES[finding.area]}")
            self._area = finding.area
        _print_finding(finding)


def _print_finding(finding: "Finding") -> None:
    from notifier.admin.doctor.findings import Status
    from notifier.text.cleaning import one_printable_line, shorten

    result = finding.result
    head = f"  {finding.status:<13}{finding.name}"
    if finding.cause or finding.status is Status.OK or not (result.expected and result.fix):
        text = f"needs {finding.cause}" if finding.cause else one_printable_line(result.actual)
        shared.say(shorten(f"{head}: {text}", _WIDTH))
        if result.fix and not finding.cause:
            _print_part("advice", result.fix)
        return
    shared.say(head)
    for label, text in zip(_LABELS, (result.expected, result.actual, result.fix), strict=True):
        if text:
            _print_part(label, text)


def _print_part(label: str, text: str) -> None:
    """Print a text beside its label; lines that begin with four spaces are commands or records.

    These are not folded, so that they can be copied.
    """
    before = f"{_INDENT}{label:<9} "
    for line in text.splitlines():
        if line.startswith("    "):
            shared.say(f"{' ' * len(before)}{line.strip()}")
            continue
        width = _WIDTH - len(before)
        for piece in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False):
            shared.say(f"{before}{piece}")
            before = " " * len(before)


def _print_changes(examination: "Examination") -> None:
    """Print what changed, or all troubles where nothing is known; then the test mail, if any."""
    from notifier.admin.doctor.findings import Status

    comparison = examination.comparison
    if comparison is not None and comparison.problem:
        shared.warn(f"The next run cannot compare with this one. {comparison.problem}")
    if comparison is None or not comparison.since:
        shared.say("The doctor has not run here before. What is not well:\n")
        for finding in examination.findings:
            if finding.status is not Status.OK and not finding.cause:
                _print_finding(finding)
        return
    if comparison.changes:
        _print_each_change(examination, comparison)
    elif shared.is_terminal():
        shared.say(f"Nothing has changed since {comparison.since}.")
    for finding in examination.test_mail:
        _print_finding(finding)


def _print_each_change(examination: "Examination", comparison: "Comparison") -> None:
    shared.say(f"Changed since {comparison.since}:")
    by_name = {finding.name: finding for finding in examination.findings}
    for change in comparison.changes:
        before, after = change.before or "new", change.after or "not run"
        arrow = f"{before} -> {after}" if before != after else f"still {after}, but otherwise"
        shared.say(f"\n{change.name}: {arrow}")
        if change.name in by_name:
            _print_finding(by_name[change.name])


def _summary(examination: "Examination") -> str:
    from notifier.admin.doctor.findings import Status

    words = {
        status: f"{number} {status.replace('_', ' ')}"
        for status in Status
        if (number := examination.count(status))
    }
    if Status.WARNING in words:
        words[Status.WARNING] = shared.count(examination.count(Status.WARNING), "warning")
    verdict = (
        "A mail can be delivered today."
        if examination.ok
        else f"No mail could be delivered today: {', '.join(examination.stopping)}."
    )
    checks = shared.count(len(examination.findings), "check")
    text = f"{checks}: {', '.join(words.values())}. {verdict}"
    return "\n".join(textwrap.wrap(text, _WIDTH, break_on_hyphens=False))


def _to_json(examination: "Examination", *, show_changes: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ok": examination.ok,
        "checks": [
            {
                "name": finding.name,
                "status": finding.status,
                "expected": finding.result.expected,
                "found": finding.result.actual,
                "fix": finding.result.fix,
            }
            for finding in examination.findings
        ],
    }
    if show_changes:
        document["since"], document["changes"] = _changes_to_json(examination.comparison)
    return document


def _changes_to_json(comparison: "Comparison | None") -> tuple[str | None, list[dict[str, str]]]:
    if comparison is None:
        return None, []
    changes = [
        {"name": change.name, "before": change.before, "after": change.after}
        for change in comparison.changes
    ]
    return comparison.since or None, changes
