"""Outcomes: what became of the mails of one digest, in numbers.

Owns how they are counted where there are very many: by the indexes of the few that are not sent,
and by a sample where the sent ones have to be read. Nothing here names a recipient.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, extract, func, select
from sqlalchemy.orm import Session

from notifier.deliver.redaction import safe
from notifier.enums import DeliveryStatus, EndReason
from notifier.store.models import Delivery, UTCDateTime, is_lost, is_unfinished
from notifier.text.cleaning import shorten

# Of the mails that are not sent, so many are looked at; and of the sent ones. Chosen by hand: both
# take less than a tenth of a second.
_MOST_READ = 20_000
_MOST_TIMES = 20_000
# Characters of an answer, by which answers are the same.
_LONGEST_ANSWER = 200
# The lengths of a bar, of which the shortest is taken that needs no more bars than this.
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 720, 1440, 10080))
_MOST_BARS = 24


@dataclass(frozen=True)
class Answer:
    """An answer of mail servers, and how many mails got it.

    Attributes:
        text: its code and words, without addresses.
        number: of the mails.
        is_final: True where the mail is given up; False where it is tried again.
    """

    text: str
    number: int
    is_final: bool


@dataclass(frozen=True)
class Outcomes:
    """The numbers of a digest.

    Attributes:
        planned: the mails of the digest.
        accepted: taken by the mail server.
        untried: those that wait for their first attempt, or are under way.
        deferred: put off by a server, and tried again.
        refused: refused for good, or given up.
        uncertain: the connection ended before the answer.
        ended: ended by us before they were sent, by reason.
        answers: what servers said about those that are deferred or refused, the most frequent
            first.
        is_complete: False where there are so many unsent mails that `untried`, `deferred` and
            `answers` are those of the first ones.
    """

    planned: int
    accepted: int
    untried: int
    deferred: int
    refused: int
    uncertain: int
    ended: Mapping[EndReason, int]
    answers: Sequence[Answer]
    is_complete: bool


@dataclass(frozen=True)
class Times:
    """The acceptance of a digest's mails over time.

    Attributes:
        step: the length of each part.
        parts: the start of each, and the mails that were accepted in it.
        share: one of so many mails was counted; 1 for all.
    """

    step: timedelta
    parts: Sequence[tuple[datetime, int]]
    share: int


def read(session: Session, digest_id: int, recipients: int) -> Outcomes:
    """Count what became of the mails of a digest.

    Args:
        session: a reading session.
        digest_id: of the digest.
        recipients: how many mails it has (`digests.recipients`).
    """
    open_number = _count(session, digest_id, is_unfinished())
    unsent, unsent_all = _rows(session, digest_id, is_unfinished())
    lost, lost_all = _rows(session, digest_id, is_lost())
    statuses: Counter[DeliveryStatus] = Counter()
    ended: Counter[EndReason] = Counter()
    answers: Counter[tuple[str, bool]] = Counter()
    deferred = 0
    for row in (*unsent, *lost):
        statuses[row.status] += row.number
        is_final = row.status is DeliveryStatus.FAILED
        if row.status is DeliveryStatus.SUPPRESSED and row.ended_because:
            ended[EndReason(row.ended_because)] += row.number
        elif row.error and (is_final or row.status is DeliveryStatus.PENDING):
            answers[shorten(safe(row.error), _LONGEST_ANSWER), is_final] += row.number
            deferred += row.number * (not is_final)
    lost_number = statuses[DeliveryStatus.FAILED] + statuses[DeliveryStatus.SUPPRESSED]
    return Outcomes(
        planned=recipients,
        accepted=max(0, recipients - open_number - lost_number),
        untried=max(0, open_number - deferred - statuses[DeliveryStatus.UNCERTAIN]),
        deferred=deferred,
        refused=statuses[DeliveryStatus.FAILED],
        uncertain=statuses[DeliveryStatus.UNCERTAIN],
        ended=ended,
        answers=[
            Answer(text, number, is_final) for (text, is_final), number in answers.most_common()
        ],
        is_complete=unsent_all and lost_all,
    )


def times(session: Session, digest_id: int, recipients: int) -> Times | None:
    """Return when the mails of a digest were accepted; None if none was.

    Args: those of `read`.
    """
    share = max(1, -(-recipients // _MOST_TIMES))
    sample = [Delivery.digest_id == digest_id, Delivery.sent_at.is_not(None)]
    if share > 1:
        sample.append(Delivery.subscription_id % share == 0)
    bounds = select(
        func.min(Delivery.sent_at, type_=UTCDateTime()),
        func.max(Delivery.sent_at, type_=UTCDateTime()),
    )
    first, last = session.execute(bounds.where(*sample)).one()
    if first is None or last is None:
        return None
    step = next((each for each in _STEPS if (last - first) / each < _MOST_BARS - 1), _STEPS[-1])
    seconds = int(step.total_seconds())
    part = (_epoch(session) // seconds).label("part")
    counts = select(part, func.count().label("number")).where(*sample).group_by(part)
    by_part = {row.part: row.number * share for row in session.execute(counts)}
    start, end = int(first.timestamp()) // seconds, int(last.timestamp()) // seconds
    parts = range(start, min(end, start + 4 * _MOST_BARS) + 1)
    return Times(
        step,
        [
            (datetime.fromtimestamp(each * seconds, tz=first.tzinfo), by_part.get(each, 0))
            for each in parts
        ],
        share,
    )


def _epoch(session: Session) -> ColumnElement[int]:
    """Return the SQL of the seconds from 1970 to the acceptance, a whole number."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(func.strftime("%s", Delivery.sent_at), Integer)
    return cast(func.floor(extract("epoch", Delivery.sent_at)), Integer)


def _count(session: Session, digest_id: int, condition: ColumnElement[bool]) -> int:
    number = select(func.count()).where(Delivery.digest_id == digest_id, condition)
    return session.scalar(number) or 0


def _rows(
    session: Session, digest_id: int, condition: ColumnElement[bool]
) -> tuple[Sequence[Any], bool]:
    """Return how many mails have which status and error, and whether all were looked at."""
    columns = Delivery.status, Delivery.error, Delivery.ended_because
    some = (
        select(*columns)
        .where(Delivery.digest_id == digest_id, condition)
        .limit(_MOST_READ)
        .subquery()
    )
    number = func.count().label("number")
    grouped: Select[Any] = select(*some.c, number).group_by(*some.c)
    rows = session.execute(grouped).all()
    return rows, sum(row.number for row in rows) < _MOST_READ
