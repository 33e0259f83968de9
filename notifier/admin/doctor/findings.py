"""Findings: the result of a check, with what was expected, what is there, and what to do.

Pure. Owns the statuses. Names of checks are public and stay as they are: scripts look for them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A certificate is renewed when less is left; most are renewed a month before. Chosen by hand.
CERTIFICATE_DAYS = 14


class Status(StrEnum):
    """The result of a check in one word.

    `warning`: mails go out, and something should be mended. `not_checked`: nothing is known, and
    the finding says why; it is never a pass.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Result:
    """The result of a check.

    Attributes:
        status: in one word.
        expected: what a healthy installation has.
        actual: what is there; a line for each thing.
        fix: what to do; for a status of `ok` an advice that may be ignored; may be empty.
    """

    status: Status
    expected: str
    actual: str
    fix: str = ""


@dataclass(frozen=True)
class Finding:
    """The result of a check under its name: ``dns.spf``.

    Attributes:
        name: of the check.
        result: of the check.
        cause: the check because of which this one was not run; empty if it was.
    """

    name: str
    result: Result
    cause: str = ""

    @property
    def area(self) -> str:
        """The area of the check: ``dns``."""
        return self.name.partition(".")[0]

    @property
    def status(self) -> Status:
        """The status of the result."""
        return self.result.status


def without_itself(advice: str) -> str:
    """Return an advice without the advice to run the doctor: it runs."""
    return advice.replace(":\n    notifier doctor", ": see the checks of dns")


def ok(expected: str, actual: str, advice: str = "") -> Result:
    """Return the result that all is well."""
    return Result(Status.OK, expected, actual, advice)


def warning(expected: str, actual: str, fix: str) -> Result:
    """Return the result that something should be mended."""
    return Result(Status.WARNING, expected, actual, fix)


def failed(expected: str, actual: str, fix: str) -> Result:
    """Return the result that something is broken."""
    return Result(Status.FAILED, expected, actual, fix)


def not_checked(expected: str, why: str, fix: str = "") -> Result:
    """Return the result that nothing can be told, and why."""
    return Result(Status.NOT_CHECKED, expected, why, fix)


def certificate(expires: datetime | None, now: datetime, fix: str) -> Result:
    """Return the result about a server's certificate: a warning where it ends soon.

    Args:
        expires: the end of its validity; None where nothing is encrypted.
        now: the time of the examination.
        fix: what to do, and what stops at its end.
    """
    expected = f"valid for {CERTIFICATE_DAYS} more days"
    if expires is None:
        return ok(expected, "no encryption, no certificate")
    actual = f"until {expires:%Y-%m-%d}"
    if expires - now < timedelta(days=CERTIFICATE_DAYS):
        return warning(expected, actual, fix)
    return ok(expected, actual)
