"""Bounce policy: whose fault a refusal is, and what follows from it.

Pure. One policy for every way in which a server says no: its answer at any stage of sending, and
the report that comes back later. It reads data (stage, codes, subject of the words), never
sentences; `subjects.py` finds the subject.

Only "this mailbox or domain does not exist" suppresses an address. What is about us (our sender,
our host, our text, what we may do) or about load says nothing about the recipient: it waits, and
the operator is told. `tests/deliver/test_bounce_policy.py` checks this table:

| stage  | answer                                              | subject   | kind | waits |
|--------|-----------------------------------------------------|-----------|------|-------|
| rcpt   | 550 5.1.1 <{to}>: User unknown                      | recipient | hard |       |
| rcpt   | 550 No such user here                               | recipient | hard |       |
| rcpt   | 550 5.1.6 <{to}> has moved                          | recipient | hard |       |
| rcpt   | 556 5.1.10 Domain does not accept mail (nullMX)     | recipient | hard |       |
| rcpt   | 550 5.2.1 The account is disabled                   | recipient | hard |       |
| report | 550 5.4.4 Host not found                            | recipient | hard |       |
| report | 550 5.4.7 Delivery time expired: host not found     | unknown   | soft |       |
| report | 4.4.1 connect to mx.example: Connection timed out   | network   | soft |       |
| rcpt   | 450 4.1.1 <{to}>: User unknown                      | recipient | soft |       |
| rcpt   | 552 5.2.2 Mailbox full                              | mailbox   | soft |       |
| rcpt   | 550 <{from}>: User unknown                          | sender    | soft | ours  |
| rcpt   | 550 5.1.8 Domain of sender does not exist           | sender    | soft | ours  |
| mail   | 550 5.1.1 User unknown                              | recipient | soft | ours  |
| rcpt   | 550 5.7.1 Helo command rejected: Host not found     | host      | soft | ours  |
| rcpt   | 554 5.7.1 Client host blocked using zen.example.net | host      | soft | ours  |
| end    | 550 5.7.26 Mail is not authenticated                | policy    | soft | ours  |
| rcpt   | 554 5.7.1 <{to}>: Access denied                     | policy    | soft | ours  |
| end    | 554 5.7.1 Link to an unknown host, looks like spam  | content   | soft | ours  |
| rcpt   | 550 5.4.5 Daily sending limit exceeded              | load      | soft | load  |
| rcpt   | 451 4.7.1 Greylisted, try again later               | load      | soft |       |
| rcpt   | 450 4.7.1 Client host rejected: no reverse DNS      | host      | soft | ours  |
| rcpt   | 553 5.1.3 The form of the address is wrong          | unknown   | soft |       |
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from notifier.deliver.bounces.subjects import Subject
from notifier.enums import BounceKind, SuppressionCause, WaitReason

# The first soft bounce holds a person's mails back for 2 hours, each further one for twice as long,
# up to 64 hours. Chosen by hand; not measured.
_FIRST_HOLD, _MOST_DOUBLINGS = timedelta(hours=2), 5
# One soft bounce is forgotten after each 7 days without another. They begin at the end of the hold:
# until then nothing is sent that could bounce, and a relay tries for 5 days before it reports.
# Chosen by hand; not measured.
_FORGOTTEN_AFTER = timedelta(days=7)
# Soft bounces within this time count once: what waited in a queue comes back together. Chosen by
# hand; not measured.
_COUNTED_ONCE = timedelta(hours=1)
# The address is suppressed at this number of soft bounces. Chosen by hand; not measured.
_SUPPRESSED_AT = 8

# The subject and detail (RFC 3463; RFC 7505 for 1.10) of codes that say that the address or its
# domain does not exist: these alone suppress.
_GONE = frozenset(((1, 1), (1, 2), (1, 6), (1, 10), (2, 1)))
# The subject of other codes (RFC 3463, 3; RFC 7372 and 7505 for 7.x; Gmail and Exchange for 4.5).
_SUBJECTS = {
    (1, 7): Subject.SENDER,
    (1, 8): Subject.SENDER,
    (2, 2): Subject.MAILBOX,
    (2, 3): Subject.CONTENT,
    (3, 1): Subject.LOAD,
    (3, 2): Subject.LOAD,
    (3, 4): Subject.CONTENT,
    (4, 5): Subject.LOAD,
    (5, 3): Subject.LOAD,
    (6, 7): Subject.UNKNOWN,  # the address needs SMTPUTF8 (RFC 6531), and always will
}
_SUBJECTS_OF_CLASS = {6: Subject.CONTENT, 7: Subject.POLICY}
# The subject of replies without an enhanced code (RFC 5321, 4.2.3; RFC 4954, 6; RFC 7504).
_SUBJECTS_OF_REPLY = {
    "500": Subject.HOST,
    "501": Subject.HOST,
    "502": Subject.HOST,
    "503": Subject.HOST,
    "504": Subject.HOST,
    "521": Subject.POLICY,
    "523": Subject.CONTENT,
    "530": Subject.POLICY,
    "534": Subject.POLICY,
    "535": Subject.POLICY,
    "538": Subject.POLICY,
    "552": Subject.MAILBOX,
    "554": Subject.POLICY,
    "555": Subject.HOST,
    "556": Subject.RECIPIENT,
    "571": Subject.POLICY,
}
# The reason to wait that follows from a subject; the others concern the recipient.
_WAITS = {
    Subject.SENDER: WaitReason.OURS,
    Subject.HOST: WaitReason.OURS,
    Subject.CONTENT: WaitReason.OURS,
    Subject.POLICY: WaitReason.OURS,
    Subject.LOAD: WaitReason.LOAD,
}
_STATUS = re.compile(r"(?a)([245])\.(\d{1,3})\.(\d{1,3})")
# "Delivery time expired" (RFC 3463, 3.5).
_EXPIRED = re.compile(r"(?a)[45]\.4\.7(?!\d)")


class Stage(StrEnum):
    """The moment at which a server says no.

    At `helo` and `mail` no recipient was named yet: the refusal is about us. From `rcpt` to `end`
    (of the message), and in a `report`, it may be about the recipient.
    """

    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END = "end"
    REPORT = "report"


_BEFORE_RECIPIENT = frozenset((Stage.HELO, Stage.MAIL))


class Refusal(NamedTuple):
    """The data of one refusal, to be judged.

    Attributes:
        stage: the moment of the refusal.
        reply_code: the SMTP reply code (RFC 5321), for example ``550``; empty if there is none.
        status: the enhanced status code (RFC 3463), for example ``5.1.1``; empty if there is none.
        clear: the subject that the words name without doubt.
        likely: the subject of vaguer words.
    """

    stage: Stage
    reply_code: str = ""
    status: str = ""
    clear: Subject = Subject.UNKNOWN
    likely: Subject = Subject.UNKNOWN

    @property
    def is_temporary(self) -> bool:
        """True if a code of class 4 says that the failure passes."""
        return "4" in (self.status[:1], self.reply_code[:1])

    @property
    def subject(self) -> Subject:
        """Whom or what the refusal is about.

        Clear words count more than codes, because many servers give one code for everything; codes
        count more than vague words. The codes of our own sender count more than any words.
        """
        by_status = _subject_of(self.status)
        if by_status is Subject.SENDER:
            return by_status
        reply = _SUBJECTS_OF_REPLY.get(self.reply_code, Subject.UNKNOWN)
        likely = self.likely
        if likely is Subject.RECIPIENT and not self.status and self.stage is not Stage.REPORT:
            likely = Subject.UNKNOWN  # RFC 5321's own words for 550, whatever the reason is
        ranked = [self.clear, by_status, likely, reply]
        if reply is Subject.RECIPIENT:
            ranked = [self.clear, reply]
        subject = next((each for each in ranked if each is not Subject.UNKNOWN), Subject.UNKNOWN)
        # What was only put off until its time was over got no final answer.
        expired = _EXPIRED.match(self.status) is not None
        return Subject.UNKNOWN if expired and subject is Subject.RECIPIENT else subject


def _subject_of(status: str) -> Subject:
    code = _STATUS.match(status)
    if code is None:
        return Subject.UNKNOWN
    pair = int(code[2]), int(code[3])
    if pair in _GONE:
        return Subject.RECIPIENT
    return _SUBJECTS.get(pair) or _SUBJECTS_OF_CLASS.get(pair[0], Subject.UNKNOWN)


class Judgement(NamedTuple):
    """The verdict on one refusal.

    Attributes:
        kind: `HARD` if the recipient's mailbox or domain does not exist, else `SOFT`.
        subject: whom or what it is about.
        waits_because: the reason why the mail waits without losing patience; None if the mail is
            refused for good, or put off as usual.
    """

    kind: BounceKind
    subject: Subject
    waits_because: WaitReason | None = None


def wait_reason(subject: Subject) -> WaitReason | None:
    """Return why a mail waits that was refused for a subject; None if it concerns the recipient."""
    return _WAITS.get(subject)


def judge(refusal: Refusal) -> Judgement:
    """Return the verdict on a refusal, by the table above."""
    subject = refusal.subject
    if refusal.stage in _BEFORE_RECIPIENT:
        about_load = subject is Subject.LOAD
        return Judgement(
            BounceKind.SOFT, subject, WaitReason.LOAD if about_load else WaitReason.OURS
        )
    if subject is Subject.RECIPIENT and not refusal.is_temporary:
        return Judgement(BounceKind.HARD, subject)
    waits_because = wait_reason(subject)
    if refusal.is_temporary and (
        waits_because is WaitReason.LOAD or refusal.clear not in (Subject.SENDER, Subject.HOST)
    ):
        waits_because = None  # the answer itself says that it passes: that is no refusal of us
    return Judgement(BounceKind.SOFT, subject, waits_because)


class Evidence(NamedTuple):
    """The data of one failure that belongs to one recipient.

    Attributes:
        kind: the verdict on the failure.
        status: the enhanced status code (RFC 3463), for example ``5.1.1``; empty if there is none.
        reply_code: the SMTP reply code (RFC 5321), for example ``550``; empty if there is none.
        reported: True for a report that came back, False for an answer while sending.
        subject: whom or what it is about.
        in_flight: True for a report about a mail that was under way when the last soft bounce was
            counted, if later ones were sent: it holds mails back, and does not count again.
    """

    kind: BounceKind
    status: str = ""
    reply_code: str = ""
    reported: bool = False
    subject: Subject = Subject.UNKNOWN
    in_flight: bool = False

    @property
    def code(self) -> str:
        """The more precise of the two codes; empty if there is none."""
        return self.status or self.reply_code

    @property
    def is_about_us(self) -> bool:
        """True if the failure is about us or about load, and says nothing about the recipient."""
        return self.kind is BounceKind.SOFT and wait_reason(self.subject) is not None


class Hold(NamedTuple):
    """A pause of all mails to one person.

    Attributes:
        soft_bounces: the number of soft bounces of the person that now count.
        until: the end of the pause.
    """

    soft_bounces: int
    until: datetime


class Consequence(NamedTuple):
    """The changes that a failure causes for a person; by default none.

    Attributes:
        hold: the pause of their mails; None if there is none.
        suppression: the cause under which the address is suppressed; None if it is not.
    """

    hold: Hold | None = None
    suppression: SuppressionCause | None = None


def decide(
    evidence: Evidence,
    soft_bounces: int,
    last_soft_bounce: datetime | None,
    now: datetime,
    *,
    held_until: datetime | None = None,
) -> Consequence:
    """Return the consequence of a failure for the person.

    What is about us or about load has none, however often it comes. A soft answer counts against
    the person only where it is about their mailbox; a soft report also where its subject is not
    known, because its mail was accepted before.

    Args:
        evidence: the failure.
        soft_bounces: the number of earlier soft bounces that is stored for the address.
        last_soft_bounce: the time of the latest of them.
        now: the time of the failure.
        held_until: the end of the pause that followed from the latest of them.
    """
    if evidence.kind is BounceKind.HARD:
        return Consequence(suppression=SuppressionCause.BOUNCED)
    if evidence.kind is BounceKind.COMPLAINT:
        return Consequence(suppression=SuppressionCause.COMPLAINED)
    if evidence.kind is not BounceKind.SOFT or evidence.is_about_us:
        return Consequence()
    if not evidence.reported and evidence.subject is not Subject.MAILBOX:
        return Consequence()
    if evidence.in_flight:
        return Consequence(_hold(soft_bounces, now))
    hold = _next_hold(soft_bounces, last_soft_bounce, held_until, now)
    suppressed = hold.soft_bounces >= _SUPPRESSED_AT
    return Consequence(hold, SuppressionCause.BOUNCED if suppressed else None)


def _next_hold(
    soft_bounces: int,
    last_soft_bounce: datetime | None,
    held_until: datetime | None,
    now: datetime,
) -> Hold:
    if last_soft_bounce is not None:
        quiet_since = max(last_soft_bounce, held_until or last_soft_bounce)
        forgotten = max(now - quiet_since, timedelta()) // _FORGOTTEN_AFTER
        soft_bounces = max(0, soft_bounces - forgotten)
        if soft_bounces and abs(now - last_soft_bounce) < _COUNTED_ONCE:
            soft_bounces -= 1
    return _hold(soft_bounces + 1, now)


def _hold(soft_bounces: int, now: datetime) -> Hold:
    doublings = min(max(soft_bounces - 1, 0), _MOST_DOUBLINGS)
    return Hold(soft_bounces, now + _FIRST_HOLD * 2**doublings)


def try_again_at(due_at: datetime, now: datetime) -> datetime:
    """Return when a mail is sent again that came back for our fault or for load.

    The wait is the time since the mail was due, so it doubles each time, from 2 up to 64 hours.
    """
    longest: timedelta = _FIRST_HOLD * 2**_MOST_DOUBLINGS
    return now + min(max(now - due_at, _FIRST_HOLD), longest)
