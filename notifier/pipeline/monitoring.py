"""The monitoring step: mails to the operator when something broke, and checks for `/healthz`.

Four things are checked: a due digest of which the mail server accepted nothing for an hour, a
backlog that does not shrink, subscriptions whose stored choice cannot be read, and sources that
fail. The first three are mailed here; `pipeline/poll.py` mails about sources. Matches that wait for
a person are counted, and are nothing wrong; `pipeline/waiting.py` mails about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import alerts
from notifier.deliver.alerts import Trouble
from notifier.deps import Deps
from notifier.enums import Health
from notifier.match import held
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store import clock
from notifier.store.models import Source
from notifier.watch import sources
from notifier.watch.health import health


@dataclass(frozen=True)
class Check:
    """The result of one check. It names no person.

    Attributes:
        name: `digests`, `backlog`, `subscribers`, `sources`, `held` or `clock`.
        ok: true if nothing is wrong.
        finding: what is wrong, or for `held` how many matches wait; empty if there is nothing.
    """

    name: str
    ok: bool
    finding: str


def checks(session: Session, now: datetime) -> list[Check]:
    """Run all checks."""
    wrong = {trouble.name: trouble.detail for trouble in alerts.current(session, now)}
    results = [
        Check(name, name not in wrong, wrong.get(name, ""))
        for name in ("digests", "backlog", alerts.PEOPLE)
    ]
    failing = [
        source
        for source in sources.listed(session)
        if health(source, now) in (Health.FAILING, Health.SILENT, Health.GONE)
    ]
    waiting = sum(held.counts_by_source(session).values())
    return [
        *results,
        Check("sources", not failing, _list(failing, now)),
        Check("held", ok=True, finding=f"matches that wait: {waiting}" if waiting else ""),
        _of_clock(session, now),
    ]


def _of_clock(session: Session, now: datetime) -> Check:
    wrong = clock.finding(session, now)
    return Check("clock", not wrong, wrong)


def _list(failing: Sequence[Source], now: datetime) -> str:
    return "; ".join(f"source {source.id} is {health(source, now)}" for source in failing)


def notify_operator(deps: Deps) -> None:
    """Mail the operator once when something broke, and once when it works again."""
    now = deps.now()
    with deps.reading() as session:
        troubles = alerts.current(session, now)
    with deps.writing() as session:
        begun, ended = alerts.update(session, troubles, now)
        if begun or ended:
            subject, text = _subject(begun, ended), _text(begun, ended)
            enqueue_for_operator(deps, session, subject, text, now)


def _text(begun: Sequence[Trouble], ended: Sequence[str]) -> str:
    paragraphs = [f"{trouble.detail}\n{trouble.fix}" for trouble in begun]
    paragraphs += [f"It works again: {name}." for name in ended]
    closing = (
        "Nothing was lost: mails that were not sent yet stay in the outbox. "
        "See: notifier deliveries list"
    )
    return "\n\n".join([*paragraphs, closing])


def _subject(begun: Sequence[Trouble], ended: Sequence[str]) -> str:
    names = [trouble.name for trouble in begun] or ended
    if set(names) == {alerts.PEOPLE}:
        return (
            "notifier: some subscribers cannot be served"
            if begun
            else "notifier: all subscribers are served again"
        )
    return "notifier: mails are not going out" if begun else "notifier: mails go out again"
