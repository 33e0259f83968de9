"""Diagnostic texts: the codes in the words of a mail system about a failure, and its stage.

Pure. Turns a text into the data that `policy.py` judges; the subject of the words is found in
`subjects.py`. The texts are written by strangers: every expression takes linear time, or reads a
text of limited length.
"""

import re
from functools import cached_property

from notifier.deliver.bounces.incoming_mail import SEARCHED
from notifier.deliver.bounces.policy import Judgement, Refusal, Stage, judge
from notifier.deliver.bounces.subjects import NOBODY, Parties, Subject, Words, subjects_in

# An enhanced status code (RFC 3463).
STATUS_CODE = re.compile(r"(?a)(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?a)(?<![\d.-])([45]\d\d)(?![\d.])")
# The refused command, as Postfix, Exim, DragonFly, sendmail and others name it in their reports.
_COMMAND = r"(HELO|EHLO|MAIL|RCPT|DATA)"
_STAGE = re.compile(
    rf"(?i)in reply to (?:the )?(?:end of )?{_COMMAND}|remote (?:mail )?server after (?:end of"
    rf" )?{_COMMAND}"
    rf"|did not like our (?:final )?{_COMMAND}|error following {_COMMAND}"
    rf"|>>> ?{_COMMAND}\b[^\n]*\s+<<< ?5"
    rf"|response to {_COMMAND}|remote (?:mail )?server after (initial connection)"
    r"|connected to [^\n]{1,100} but (sender|greeting)"
)
_STAGES = {
    "helo": Stage.HELO,
    "ehlo": Stage.HELO,
    "mail": Stage.MAIL,
    "sender": Stage.MAIL,
    "rcpt": Stage.RCPT,
    "data": Stage.DATA,
    "initial connection": Stage.HELO,
    "greeting": Stage.HELO,
}


class Diagnostic:
    """The text about one failure, cut to a limited length, with the names that it may contain.

    Args:
        text: the words of a mail system.
        parties: the names of both sides, as far as they are known.
        stage: the moment of the refusal; `REPORT` for a report, which may say it in its words.
    """

    def __init__(self, text: str, parties: Parties = NOBODY, stage: Stage = Stage.REPORT) -> None:
        self._text, self._parties, self._stage = text[:SEARCHED], parties, stage

    @cached_property
    def words(self) -> Words:
        """The subjects that the text names."""
        reported = self._stage is Stage.REPORT
        return subjects_in(self._text, self._parties, reported=reported)

    @cached_property
    def stage(self) -> Stage:
        """The command that was refused, where a report says it; `REPORT` where it does not."""
        if self._stage is not Stage.REPORT:
            return self._stage
        named = _STAGE.search(self._text)
        return _STAGES[next(filter(None, named.groups())).lower()] if named else Stage.REPORT

    @cached_property
    def status(self) -> str:
        """The enhanced status code in the text, for example ``5.1.1``; empty if there is none."""
        return choose_status("", self._text)

    @property
    def is_conclusive(self) -> bool:
        """True if the words name a subject, if only vaguely."""
        return self.words != Words()

    @property
    def is_clear(self) -> bool:
        """True if the words name a subject without doubt."""
        return self.words.clear is not Subject.UNKNOWN

    def about(self, text: str, recipient: str) -> "Diagnostic":
        """Return another text of the same report, about one recipient."""
        return Diagnostic(text, self._parties._replace(recipient=recipient), self._stage)

    def judge(self, status: str) -> Judgement:
        """Return the verdict on this text with an enhanced status code."""
        return judge(self.refusal(status))

    def refusal(self, status: str, reply_code: str = "") -> Refusal:
        """Return the data of the failure for the bounce policy.

        Args:
            status: the enhanced status code of the failure; empty if there is none.
            reply_code: the reply code of an answer; a report has it in its words.
        """
        code = reply_code or find_reply_code(self._text)
        return Refusal(self.stage, code, status, self.words.clear, self.words.likely)


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
