"""The examination: all checks in their order, each by itself.

Owns what depends on what: a check whose cause failed is not run and names the cause, and one that
ends in an error stops no other.
"""

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from notifier.admin.doctor.check import Check
from notifier.admin.doctor.checks import CHECKS
from notifier.admin.doctor.examined import Examined, Options
from notifier.admin.doctor.findings import Finding, Result, Status, failed, not_checked
from notifier.admin.doctor.last_examination import TEST_MAIL, Comparison, compare_and_store
from notifier.errors import NotifierError
from notifier.text.cleaning import shorten

log = logging.getLogger("notifier")

# Characters and lines of what is shown of a thing. Chosen by hand.
_LONGEST_LINE, _MOST_LINES = 400, 12

# Called with each finding as soon as it is known.
OnFinding = Callable[[Finding], None]


@dataclass(frozen=True)
class Examination:
    """All findings.

    Attributes:
        findings: in the order of the checks.
        comparison: what changed since the doctor last ran; None if that cannot be told.
        has_installation: False if the settings cannot be used, or there is no database.
    """

    findings: Sequence[Finding]
    comparison: Comparison | None = None
    has_installation: bool = True

    @property
    def stopping(self) -> list[str]:
        """The failed checks because of which no mail could be delivered today."""
        stopping = {check.name for check in CHECKS if check.stops_mail}
        return [
            finding.name
            for finding in self.findings
            if finding.name in stopping and finding.status is Status.FAILED
        ]

    @property
    def ok(self) -> bool:
        """True if a mail could be delivered today."""
        return not self.stopping

    @property
    def test_mail(self) -> list[Finding]:
        """The findings about the test mail, which are compared with nothing."""
        return [finding for finding in self.findings if finding.area == TEST_MAIL]

    @property
    def has_news(self) -> bool:
        """True unless all is as it was when the doctor last ran, and no mail was sent."""
        comparison = self.comparison
        is_new = comparison is None or not comparison.since
        return is_new or bool(self.test_mail or (comparison and comparison.changes))

    def count(self, status: Status) -> int:
        """Return the number of findings with a status."""
        return sum(finding.status is status for finding in self.findings)


def examine(
    options: Options,
    environ: Mapping[str, str] = os.environ,
    on_finding: OnFinding | None = None,
    only: Collection[str] = (),
) -> Examination:
    """Run the checks.

    Args:
        options: what is asked, and where to look.
        environ: environment variables, which may hold settings.
        on_finding: called with each finding as soon as it is known.
        only: the names of the checks that are wanted, with what they need or read; empty for all.
    """
    examined = Examined.open(options, environ)
    wanted = _with_needed(only) if only else {check.name for check in CHECKS}
    try:
        for check in CHECKS:
            if check.name in wanted and (check.only_if is None or check.only_if(examined)):
                finding = _finding(check, examined)
                examined.findings[check.name] = finding
                if on_finding is not None:
                    on_finding(finding)
        findings = [*examined.findings.values()]
        comparison = None if only else compare_and_store(examined, findings)
    finally:
        examined.close()
    has_problem = examined.settings_problem or examined.database_problem
    return Examination(findings, comparison, has_installation=has_problem is None)


def _with_needed(names: Collection[str]) -> set[str]:
    """Return the names of checks with the names of all that they need or read."""
    wanted = set(names)
    for check in reversed(CHECKS):  # what a check needs stands before it
        if check.name in wanted:
            wanted.update(check.needs, check.reads)
    return wanted


def _finding(check: Check, examined: Examined) -> Finding:
    if cause := examined.cause(check.needs):
        why = not_checked("", f"it needs {cause}, which is not ok", f"Mend {cause} first.")
        return Finding(check.name, why, cause)
    result = _result(check, examined)
    return Finding(check.name, replace(result, actual=_bounded(result.actual)))


def _bounded(text: str) -> str:
    """Return a text of bearable length: parts of it may be a stranger's, such as a DNS record."""
    lines = [shorten(line, _LONGEST_LINE) for line in text.splitlines()]
    return "\n".join(lines[:_MOST_LINES])


def _result(check: Check, examined: Examined) -> Result:
    try:
        return check.run(examined)
    except NotifierError as error:
        return failed("an answer", error.problem, error.fix)
    except Exception as error:
        log.exception("the check %s ended in an error", check.name)
        return not_checked(
            "",
            f"the check itself ended in an error: {type(error).__name__}",
            "This is a fault of notifier. Please report it with the trace above.",
        )
