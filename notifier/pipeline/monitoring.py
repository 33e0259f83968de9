"""The watchman: the few things that mean it is broken, told once to the operator and shown by `/healthz`.

A digest that was due and of which nothing was accepted an hour later; a backlog that does not
shrink; subscribers whose stored choice cannot be read; a source past its rhythm (which is told by
`watch/health.py`, and only shown here). Nothing else alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import alerts, operator_mail
from notifier.deliver.alerts import Trouble
from notifier.deps import Deps
from notifier.enums import Health
from notifier.store.models import Source
from notifier.watch import sources
from notifier.watch.health import health


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; names no person."""

    name: str
    ok: bool
    finding: str


def checks(session: Session, now: datetime) -> list[Check]:
    """Everything that is looked at, as it stands."""
    wrong = {one.name: one.detail for one in alerts.current(session, now)}
    found = [
        Check(name, name not in wrong, wrong.get(name, ""))
        for name in ("digests", "backlog", alerts.PEOPLE)
    ]
    bad = [
        one
        for one in sources.listed(session)
        if health(one, now) in (Health.FAILING, Health.SILENT, Health.GONE)
    ]
    return [*found, Check("sources", not bad, _named(bad, now))]


def _named(bad: Sequence[Source], now: datetime) -> str:
    return "; ".join(f"source {one.id} is {health(one, now)}" for one in bad)


def notify_operator(deps: Deps) -> None:
    """Tell the operator once what broke, and once that it works again."""
    now = deps.now()
    with deps.writing() as session:
        begun, ended = alerts.update(session, alerts.current(session, now), now)
        operator = deps.settings.operator.address
        if operator is None or not (begun or ended):
            return
        paragraphs = [f"{one.detail}\n{one.fix}" for one in begun]
        paragraphs += [f"It works again: {name}." for name in ended]
        closing = (
            "Nothing was lost: what is owed stays in the outbox. See: notifier deliveries list"
        )
        text = "\n\n".join([*paragraphs, closing])
        operator_mail.enqueue(
            session, operator, _subject(begun, ended), text, deps.mail_domain, now
        )


def _subject(begun: Sequence[Trouble], ended: Sequence[str]) -> str:
    names = [trouble.name for trouble in begun] or ended
    if set(names) == {alerts.PEOPLE}:
        return (
            "notifier: some subscribers cannot be served"
            if begun
            else "notifier: all subscribers are served again"
        )
    return "notifier: mails are not going out" if begun else "notifier: mails go out again"
