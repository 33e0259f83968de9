"""Refusals: a mail server's answer that accepts nothing, as the outcome of one delivery.

Owns what an answer means for its delivery: refused for good, put off, or waiting because it is
about us or about load. Whose fault it is decides `deliver/bounces/policy.py`. Nothing of the
protocol is known here.
"""

import re

from notifier.deliver.bounces.diagnostics import Diagnostic, choose_status
from notifier.deliver.bounces.policy import Evidence, Judgement, Stage, judge
from notifier.deliver.bounces.subjects import NOBODY, Parties, Subject
from notifier.deliver.outbox import Attempt, Outcome, SendResult
from notifier.deliver.redaction import safe
from notifier.deliver.smtp.session_limits import is_about_session
from notifier.enums import WaitReason

# Words by which a server says itself that its answer to our sender soon passes.
_PASSES = re.compile(r"(?i)in progress|gr[ae]y-?list|again|later|temporar|unavailable")
_STAGES = {"MAIL FROM": Stage.MAIL, "RCPT TO": Stage.RCPT, "DATA": Stage.DATA}


def judge_answer(
    step: str, code: int, text: str, envelope_from: str, envelope_to: str = ""
) -> Judgement:
    """Return the verdict on an answer.

    Args:
        step: the command that was answered; any other word means the message itself.
        code: the reply code, 400 to 599.
        text: the words of the answer, without the code of its first line.
        envelope_from: our address for reports.
        envelope_to: the recipient; empty where none was named yet.
    """
    stage = _STAGES.get(step, Stage.END)
    diagnostic = Diagnostic(text, Parties((envelope_from,), envelope_to), stage)
    return judge(diagnostic.refusal(choose_status("", text), str(code)))


def outcome_of(
    attempt: Attempt, envelope_from: str, envelope_to: str, step: str, code: int, text: str
) -> Outcome:
    """Return the outcome of an answer that accepts nothing.

    Args:
        attempt: the attempt that was answered.
        envelope_from: our address for reports.
        envelope_to: the recipient.
        step: the command that was answered, or ``the message``.
        code: the reply code.
        text: the words of the answer.
    """
    shown = f"the server answered {code} to {step}: {safe(text, envelope_to)}"
    if not 400 <= code < 600:
        return Outcome(attempt, SendResult.DEFERRED, shown)
    judgement = judge_answer(step, code, text, envelope_from, envelope_to)
    if judgement.waits_because is not None:
        waits = judgement.waits_because
        return Outcome(attempt, SendResult.DEFERRED, shown, waits_because=waits)
    if code < 500:
        return Outcome(attempt, SendResult.DEFERRED, shown)
    evidence = Evidence(
        judgement.kind, choose_status("", text), str(code), subject=judgement.subject
    )
    return Outcome(attempt, SendResult.REFUSED, shown, envelope_to, evidence)


def told_of_session(answer: str) -> tuple[str, WaitReason | None]:
    """Return what to tell of a server that refuses sessions, and why the mails wait.

    A temporary answer to MAIL FROM may still be about our sender: where its domain has no record,
    many servers say so for ever.

    Args:
        answer: the server's answer, as `protocol.py` shows it.
    """
    words = answer.partition(" to MAIL FROM: ")[2]
    about_sender = Diagnostic(words, NOBODY, Stage.MAIL).words.clear is Subject.SENDER
    passes = _PASSES.search(words) or is_about_session("RCPT TO", 450, words)
    if about_sender and not passes:
        text = f"The mail server refuses our sender for now: {answer}. "
        return f"{text}Check sender.address and sender.bounce_address.", WaitReason.OURS
    text = (
        f"The mail server takes no more mails at the moment: {answer}. "
        "If it happens often, lower smtp.connections, or set smtp.rate_per_second."
    )
    return text, WaitReason.LOAD if answer.startswith("5") else None
