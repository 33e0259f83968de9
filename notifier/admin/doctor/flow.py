"""Checks of the flow of mails: whether they go out, what waits, and how many each provider gets."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, Status, failed, ok, warning, without_itself
from notifier.deliver import alerts
from notifier.deliver.outbox import stop, warm_up
from notifier.email_addresses import provider_of
from notifier.enums import DeliveryStatus, Lane, SubscriptionStatus
from notifier.store import heartbeat
from notifier.store.db import domain_of_column
from notifier.store.models import Delivery, Subscriber, Subscription, is_unfinished

# Mails a day to one provider from which its rules for bulk senders hold (Google and Yahoo since
# 2024, Microsoft and Apple since 2025). It is a sender's for good.
BULK = 5_000
_BULK_PROVIDERS = ("gmail.com", "yahoo.com", "outlook.com", "icloud.com")
# From so many on, the threshold is near. Chosen by hand.
_NEAR_BULK = BULK * 4 // 5
# What those rules ask for, as far as it is seen from here.
_BULK_RULES = ("dns.authentication", "dns.dmarc", "dns.dkim", "web.one_click")
# A lane waits for so long at most while mails go out. Chosen by hand; not measured.
_LANE_PATIENCE = {
    Lane.ASKED: timedelta(minutes=10),
    Lane.URGENT: timedelta(minutes=30),
    Lane.OTHERS: timedelta(hours=1),
}
_LANE_NAMES = {Lane.ASKED: "asked for", Lane.URGENT: "urgent", Lane.OTHERS: "others"}


def _runs(examined: Examined) -> Result:
    expected = "notifier runs"
    with examined.deps.reading() as session:
        since = heartbeat.stopped_since(session, examined.now)
    if since is None:
        return ok(expected, "it does")
    return failed(
        expected,
        f"it has not run since {since:%Y-%m-%d %H:%M} UTC",
        "systemctl status notifier; or run it from cron: notifier run --once",
    )


def _sending(examined: Examined) -> Result:
    expected = "mails may go out"
    with examined.deps.reading() as session:
        stopped_at = stop.stopped_at(session)
    if stopped_at is None:
        return ok(expected, "they may")
    return failed(
        expected,
        f"a person stopped the sending at {stopped_at:%Y-%m-%d %H:%M} UTC",
        "notifier deliveries resume",
    )


def _lanes(examined: Examined) -> Result:
    expected = "nothing waits in a lane for longer than it should"
    with examined.deps.reading() as session:
        waiting = _waiting(session, examined.now)
    if not waiting:
        return ok(expected, "nothing waits")
    words = [
        f"{_LANE_NAMES[lane]}: {number} since {due_at:%Y-%m-%d %H:%M}"
        for lane, (number, due_at) in sorted(waiting.items())
    ]
    late = [
        lane
        for lane, (_, due_at) in waiting.items()
        if examined.now - due_at > _LANE_PATIENCE[lane]
    ]
    if late:
        return warning(
            expected,
            "; ".join(words),
            "Look whether notifier runs (flow.runs), and what the mail server answers:\n"
            "    notifier deliveries list --status pending",
        )
    return ok(expected, "; ".join(words))


def _waiting(session: Session, now: datetime) -> dict[Lane, tuple[int, datetime]]:
    """Return for each lane how many mails are due, and since when the first of them is."""
    rows = session.execute(
        select(Delivery.lane, func.count(), func.min(Delivery.next_attempt_at))
        .where(
            is_unfinished(),
            Delivery.status.in_(DeliveryStatus.WAITING),
            Delivery.next_attempt_at <= now,
        )
        .group_by(Delivery.lane)
    )
    return {Lane(lane): (number, due_at) for lane, number, due_at in rows}


def _backlog(examined: Examined) -> Result:
    expected = "mails that are due are accepted, and no reader is left out"
    with examined.deps.reading() as session:
        troubles = [
            trouble
            for trouble in alerts.current(session, examined.now)
            if trouble.name != alerts.REFUSALS
        ]
    if not troubles:
        return ok(expected, "nothing is late")
    result = warning if all(each.name == alerts.PEOPLE for each in troubles) else failed
    return result(
        expected,
        " ".join(trouble.detail for trouble in troubles),
        "\n".join(trouble.fix for trouble in troubles),
    )


def _refusals(examined: Examined) -> Result:
    expected = "no mail waits because servers refuse us"
    with examined.deps.reading() as session:
        trouble = alerts.refused_for_us(session)
    if trouble is None:
        return ok(expected, "none does")
    return failed(expected, trouble.detail, without_itself(trouble.fix))


def _accepted(examined: Examined) -> Result:
    expected = "the mail server has accepted mails"
    with examined.deps.reading() as session:
        last = session.scalar(
            select(func.max(Delivery.sent_at)).where(Delivery.sent_at.is_not(None))
        )
    if last is None:
        return ok(
            expected, "none was sent yet", "Send one to yourself: notifier doctor --send-to EMAIL"
        )
    return ok(expected, f"the last one at {last:%Y-%m-%d %H:%M} UTC")


def _volume(examined: Examined) -> Result:
    expected = (
        f"fewer than {BULK:,} mails a day to one provider, or all that it asks of bulk senders"
    )
    with examined.deps.reading() as session:
        counts = _by_provider(session, examined.now - timedelta(days=1))
    most = max(_BULK_PROVIDERS, key=lambda provider: counts.get(provider, 0))
    number = counts.get(most, 0)
    # Rounded, so that noise is no change.
    actual = f"about {_rounded(number):,} to {most} in 24 hours" if number else "none in 24 hours"
    if number < _NEAR_BULK:
        return ok(expected, actual)
    unmet = [name for name in _BULK_RULES if examined.status_of(name) not in (None, Status.OK)]
    if not unmet:
        return ok(expected, f"{actual}; what is asked of bulk senders is there")
    return warning(
        expected,
        actual,
        f"Mend {', '.join(unmet)}: from {BULK:,} a day on it is asked for, and stays asked for.",
    )


def _by_provider(session: Session, since: datetime) -> dict[str, int]:
    """Return the mails to readers that were accepted since a time, by provider."""
    domain = domain_of_column(session, Subscriber.email)
    rows = session.execute(
        select(domain, func.count(Delivery.id))
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Delivery.sent_at > since)
        .group_by(domain)
    )
    return _summed(rows)


def _summed(rows: Iterable[Row[str, int]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for domain, number in rows:
        provider = provider_of(f"x@{domain}")
        counts[provider] = counts.get(provider, 0) + number
    return counts


def _rounded(number: int) -> int:
    """Return a number with one digit that counts."""
    return round(number, 1 - len(str(number)))


def _warm_up(examined: Examined) -> Result:
    expected = "the volume of a new sender grows day by day"
    if examined.settings.smtp.warm_up:
        return ok(expected, "smtp.warm_up is on")
    with examined.deps.reading() as session:
        first = session.scalar(
            select(func.min(Delivery.sent_at)).where(Delivery.sent_at.is_not(None))
        )
        is_new = first is None or examined.now - first < timedelta(days=warm_up.DAYS)
        most = max(_readers(session).values(), default=0) if is_new else 0
    if most > warm_up.FIRST_DAY:
        return warning(
            expected,
            f"this sender is new, and about {_rounded(most):,} readers have one provider",
            "Set smtp.warm_up to true: providers distrust a new sender who sends much at once.",
        )
    return ok(expected, "not needed")


def _readers(session: Session) -> dict[str, int]:
    """Return how many confirmed subscriptions each provider's addresses have."""
    domain = domain_of_column(session, Subscriber.email)
    rows = session.execute(
        select(domain, func.count(Subscription.id))
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.status == SubscriptionStatus.CONFIRMED)
        .group_by(domain)
    )
    return _summed(rows)


_STORED = ("installation.schema",)

CHECKS = (
    Check("flow.runs", _runs, _STORED, stops_mail=True),
    Check("flow.sending", _sending, _STORED, stops_mail=True),
    Check("flow.lanes", _lanes, _STORED),
    Check("flow.backlog", _backlog, _STORED, stops_mail=True),
    Check("flow.refusals", _refusals, _STORED, stops_mail=True),
    Check("flow.accepted", _accepted, _STORED),
    Check("flow.volume", _volume, _STORED, reads=_BULK_RULES),
    Check("flow.warm_up", _warm_up, _STORED),
)
