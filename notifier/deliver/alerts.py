"""Alerts: the few conditions that mean that mails do not go out, each reported once.

Owns what counts as broken. Nothing less raises an alert, so that alerts are read when they come.
Subscribers for whom no digest can be composed count too, because nobody else would ever notice. A
mail whose answer was lost is no backlog: it may have arrived, and is reported when it is not tried
any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from notifier.deliver import given_up, outbox
from notifier.deliver.bounces.advice import advice_for
from notifier.deliver.given_up import Unreached
from notifier.deliver.outbox import MOST_UNCERTAIN
from notifier.enums import (
    DeliveryKind,
    DeliveryStatus,
    DigestStatus,
    Lane,
    SubscriptionStatus,
    WaitReason,
)
from notifier.store import db
from notifier.store.models import (
    Alarm,
    Delivery,
    Digest,
    Subscriber,
    Subscription,
    has_status,
    is_unfinished,
)

# A delivery is late after this time. Chosen by hand; not measured.
PATIENCE = timedelta(hours=1)

# The name of the alert about subscriptions that cannot be served.
PEOPLE = "subscribers"
# The name of the alert about refusals for our fault.
REFUSALS = "refusals"
# The name of the alert about a proxy that is not listed; a request shows it, not the database.
PROXY = "proxy"
# The names of the alert that the journal of departures cannot be written, which a transaction
# finds out, and of the note that the operator knows it.
JOURNAL, JOURNAL_REPORTED = "journal", "journal reported"
# The name of an alert about a digest that nobody got begins so; its id follows.
_UNREACHED = "unreached digest "
# The alerts that the state of the mails says nothing about.
_BY_OTHERS = (PROXY, JOURNAL, JOURNAL_REPORTED)
# The name under which a mail is stored whose answer was lost, and that waits for a person.
_IN_DOUBT = "doubtful delivery "


@dataclass(frozen=True)
class Trouble:
    """A condition that is broken.

    Attributes:
        name: ``digests``, ``backlog``, ``subscribers``, ``refusals``, ``proxy``, or ``unreached
            digest 3``.
        detail: the condition, in a sentence without addresses.
        fix: what to do, in a sentence.
    """

    name: str
    detail: str
    fix: str


def current(session: Session, now: datetime) -> list[Trouble]:
    """Return what is broken at this moment."""
    troubles = (
        _overdue_digests(session, now),
        _backlog(session, now),
        _unserved_people(session),
        refused_for_us(session),
    )
    return [
        *(_describe_unreached(each) for each in given_up.unreached(session)),
        *(trouble for trouble in troubles if trouble is not None),
    ]


def is_unreached(name: str) -> bool:
    """Return whether an alert is about a digest that nobody got."""
    return name.startswith(_UNREACHED)


def _describe_unreached(unreached: Unreached) -> Trouble:
    number = len(unreached.deliveries)
    return Trouble(
        f"{_UNREACHED}{unreached.digest_id}",
        f"Digest {unreached.digest_id} reached nobody: {number} mail"
        f"{' was' if number == 1 else 's were'} refused or given up.",
        "See what the servers answered:\n    notifier deliveries list --status failed\n"
        f"When that is mended:\n    {given_up.retry_command(unreached.deliveries)}\n"
        "If nobody is to get it:\n    notifier deliveries drop ID",
    )


def _overdue_digests(session: Session, now: datetime) -> Trouble | None:
    overdue = _overdue(session, now)
    if not overdue:
        return None
    numbers = ", ".join(str(digest_id) for digest_id in overdue)
    return Trouble(
        "digests",
        "Due for more than an hour, and nothing of it accepted by the mail server: "
        f"digest {numbers}.",
        "See what the server answers:\n    notifier deliveries list --status pending",
    )


def _backlog(session: Session, now: datetime) -> Trouble | None:
    late = _count_late(session, now)
    if not late:
        return None
    sent_lately = select(func.count(Delivery.id)).where(Delivery.sent_at > now - PATIENCE)
    sent = session.scalar(sent_lately) or 0
    if late <= sent:
        return None
    return Trouble(
        "backlog",
        f"The backlog does not shrink: {late} mails are more than an hour late, and {sent} were "
        "sent in the last hour.",
        "Check smtp.rate_per_second, and the answers of the mail server.",
    )


def _unserved_people(session: Session) -> Trouble | None:
    # Counted here: with a condition on the status, SQLite would read all that are running. As text:
    # the status may be what cannot be read.
    status = type_coerce(Subscription.status, String)
    unserved = select(status).where(Subscription.trouble.is_not(None))
    not_running = (SubscriptionStatus.PENDING, SubscriptionStatus.ENDED)
    number = sum(status not in not_running for status in session.scalars(unserved))
    number += _count_unreadable(session)
    if not number:
        return None
    return Trouble(
        PEOPLE,
        f"{number} subscriber{'' if number == 1 else 's'} cannot be served, because their stored "
        "choice cannot be read.",
        'The reason is in "trouble":\n    notifier subscribers list --json\n'
        "Store their choice again:\n    notifier subscribe EMAIL",
    )


def _count_unreadable(session: Session) -> int:
    """Count the people whose mails wait because of their row, and who have no other trouble."""
    waiting = (
        select(func.count(func.distinct(Delivery.subscription_id)))
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Delivery.status.in_(DeliveryStatus.WAITING),
            Delivery.waits_because != literal_column("''"),
            Delivery.waits_because != literal_column(f"'{WaitReason.WARM_UP}'"),
            Delivery.waits_because == WaitReason.UNREADABLE,
            Subscription.trouble.is_(None),
        )
    )
    return session.scalar(waiting) or 0


def refused_for_us(session: Session) -> Trouble | None:
    """Return the trouble that mails wait because servers refuse us; None if none does."""
    waiting = (
        Delivery.status.in_(DeliveryStatus.WAITING),
        # No parameter of the statement: only so the index of these few rows is used.
        Delivery.waits_because != literal_column("''"),
        Delivery.waits_because != literal_column(f"'{WaitReason.WARM_UP}'"),
        Delivery.waits_because != WaitReason.UNREADABLE,
        Delivery.kind != DeliveryKind.NOTICE,
    )
    number = session.scalar(select(func.count(Delivery.id)).where(*waiting)) or 0
    if not number:
        return None
    newest = select(Delivery.error).where(*waiting).order_by(Delivery.id.desc()).limit(1)
    answer = session.scalar(newest) or ""
    return Trouble(
        REFUSALS,
        f"{number} mail{' waits' if number == 1 else 's wait'}, because mail servers refuse us, or "
        f"how much we send. They say nothing about the recipients.\nOne answer: {answer}",
        f"{advice_for(answer)}\n"
        "Nobody is suppressed. The mails are tried again by themselves, ever more slowly. At "
        "once:\n"
        "    notifier deliveries retry",
    )


def _overdue(session: Session, now: datetime) -> Sequence[int]:
    """Return the ids of digests of which no delivery was accepted within an hour, at most 10."""
    accepted = select(Delivery.id).where(
        Delivery.digest_id == Digest.id, Delivery.status == DeliveryStatus.SENT
    )
    # A delivery that waits for its recipient (a pause, a full mailbox) is normal. One that the mail
    # server defers is not.
    tried = (Delivery.attempts > 0) & (
        Subscriber.held_until.is_(None) | (Subscriber.held_until <= now)
    )
    waiting = (
        select(Delivery.id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Delivery.digest_id == Digest.id,
            is_unfinished(),
            Delivery.status.in_(DeliveryStatus.WAITING),
            Delivery.created_at <= now - PATIENCE,
            (Delivery.next_attempt_at <= now) | tried,
        )
    )
    overdue = select(Digest.id).where(
        has_status(DigestStatus.APPROVED), waiting.exists(), ~accepted.exists()
    )
    return session.scalars(overdue.order_by(Digest.id).limit(10)).all()


def _count_late(session: Session, now: datetime) -> int:
    """Count the deliveries that were due more than an hour ago, without notices."""
    late = (
        select(func.count(Delivery.id))
        .outerjoin(Digest, Digest.id == Delivery.digest_id)
        .where(
            is_unfinished(),
            Delivery.status.in_(DeliveryStatus.WAITING),
            Delivery.lane.in_(list(Lane)),  # all: with them the index answers by the time
            Delivery.kind != DeliveryKind.NOTICE,
            Delivery.next_attempt_at <= now - PATIENCE,
            (Digest.id.is_(None)) | (Digest.status == DigestStatus.APPROVED),
        )
    )
    return session.scalar(late) or 0


def begin(session: Session, trouble: Trouble, now: datetime) -> bool:
    """Store that something is broken; return False if that was known."""
    values = {"name": trouble.name, "detail": trouble.detail, "since": now}
    return db.insert_missing(session, Alarm, values)


def note_journal(session: Session, reason: str, now: datetime) -> None:
    """Store that the journal of departures cannot be written; the first reason stays."""
    begin(session, Trouble(JOURNAL, reason, ""), now)


def since(session: Session, name: str) -> datetime | None:
    """Return the time at which a trouble began; None if it is not known."""
    return session.scalar(select(Alarm.since).where(Alarm.name == name))


def detail_of(session: Session, name: str) -> str:
    """Return the sentence that is stored about a trouble; empty if it is not known."""
    return session.scalar(select(Alarm.detail).where(Alarm.name == name)) or ""


def forget(session: Session, name: str) -> None:
    """Forget a trouble, so that it is reported when it comes again."""
    session.execute(delete(Alarm).where(Alarm.name == name))


@dataclass(frozen=True)
class Changes:
    """The troubles that began and ended since the last time.

    Attributes:
        begun: the troubles that began.
        ended: the names of those that ended well: what was owed was accepted.
        given_up: the ids of the mails that were given up since the first of the ended ones began.
    """

    begun: Sequence[Trouble] = ()
    ended: Sequence[str] = ()
    given_up: Sequence[int] = ()


def update(session: Session, troubles: Sequence[Trouble], now: datetime) -> Changes:
    """Store what is broken now, and return what changed since the last call.

    A trouble with mails ends well only when a digest was accepted since it began and no other such
    trouble is left. While mails wait and none was accepted, it goes on; where all were given up,
    dropped or contained in newer ones, it ends without a word.
    """
    known = {
        alarm.name: alarm.since
        for alarm in session.scalars(select(Alarm).where(Alarm.name.not_in(_BY_OTHERS)))
        if not alarm.name.startswith(_IN_DOUBT)
    }
    names = {trouble.name for trouble in troubles}
    begun = [trouble for trouble in troubles if trouble.name not in known]
    session.add_all(Alarm(name=trouble.name, detail=trouble.detail, since=now) for trouble in begun)
    gone = known.keys() - names
    well, goes_on = gone & {PEOPLE}, set[str]()
    about_mails = gone - {PEOPLE}
    if about_mails and names <= {PEOPLE}:
        since = min(known[name] for name in about_mails)
        if _accepted_since(session, since):
            well |= about_mails
        elif _some_wait(session):
            goes_on = about_mails
    ended = gone - goes_on
    if ended:
        session.execute(delete(Alarm).where(Alarm.name.in_(ended)))
    reported = well - {PEOPLE}
    lost = given_up.mails(session, min(known[each] for each in reported)) if reported else ()
    return Changes(begun, sorted(well), lost)


def _accepted_since(session: Session, since: datetime) -> bool:
    accepted = Delivery.kind == DeliveryKind.DIGEST, Delivery.sent_at > since
    return session.scalar(select(Delivery.id).where(*accepted).limit(1)) is not None


def _some_wait(session: Session) -> bool:
    """Return whether a digest that may go out has mails that wait."""
    waiting = (
        select(Delivery.id)
        .join(Digest, Digest.id == Delivery.digest_id)
        .where(
            is_unfinished(),
            Delivery.status.in_(DeliveryStatus.WAITING),
            Digest.status == DigestStatus.APPROVED,
        )
    )
    return session.scalar(waiting.limit(1)) is not None


def newly_given_up(session: Session, now: datetime) -> list[int]:
    """Return the ids of the mails that were given up and not reported yet, and store them as such.

    Those of a digest that nobody got are reported with that digest.
    """
    unreported = outbox.unreported_failures(session)
    if not unreported:
        return []
    with_digest = {each for digest in given_up.unreached(session) for each in digest.deliveries}
    lost = given_up.lately(session, now, unreported)
    outbox.note_reported(session, unreported)
    return [each for each in lost if each not in with_digest]


def newly_in_doubt(session: Session, now: datetime, *, hold_uncertain: bool) -> list[int]:
    """Return the ids of the mails whose answer was lost, that wait for a person, not reported yet.

    They are stored as reported. What is no longer in doubt is forgotten, so that it is reported
    when it comes again.

    Args:
        session: a writing session.
        now: the time.
        hold_uncertain: True if such a mail is not sent a second time (`smtp.when_uncertain`).
    """
    times = 1 if hold_uncertain else MOST_UNCERTAIN
    names = {f"{_IN_DOUBT}{each}": each for each in given_up.in_doubt(session, times)}
    reported = {*session.scalars(select(Alarm.name).where(Alarm.name.startswith(_IN_DOUBT)))}
    for chunk in db.in_chunks(reported - names.keys()):
        session.execute(delete(Alarm).where(Alarm.name.in_(chunk)))
    new = {name: each for name, each in names.items() if name not in reported}
    session.add_all(Alarm(name=name, detail="", since=now) for name in new)
    return [*new.values()]
