"""The monitoring step: mails to the operator when something broke, and checks for `/healthz`.

Seven things are checked: whether notifier runs at all, a due digest of which the mail server
accepted nothing for an hour, a digest that nobody got, a backlog that does not shrink,
subscriptions whose stored choice cannot be read, sources that fail, and suppressions that wait for
a person. The second to the fifth are mailed here; `pipeline/poll.py` mails about sources,
`pipeline/brake.py` about suppressions. Matches that wait for a person are counted, and are nothing
wrong; `pipeline/waiting.py` mails about them. Mails that were given up, and mails in doubt, are
mailed here and checked nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.deliver import alerts, given_up
from notifier.deliver.alerts import Changes, Trouble
from notifier.deliver.outbox import stop
from notifier.deps import Deps
from notifier.enums import Health
from notifier.match import held
from notifier.pipeline.notices import enqueue_for_operator
from notifier.store import backup_state, clock, heartbeat
from notifier.store.models import Notice, Source
from notifier.subscribers import held_suppressions
from notifier.watch import source_lists
from notifier.watch.health import health

_GIVEN_UP_SUBJECT = "notifier: mails were given up"
_IN_DOUBT_SUBJECT = "notifier: mails are in doubt"
# The operator is mailed about them at most once in this time. Chosen by hand; not measured.
_GIVEN_UP_EVERY = timedelta(hours=4)


@dataclass(frozen=True)
class Check:
    """The result of one check. It names no person.

    Attributes:
        name: `runs`, `digests`, `backlog`, `subscribers`, `unreached`, `sources`, `held`, `clock`,
            `proxy`, `sending` or `suppressions`.
        ok: true if nothing is wrong.
        finding: what is wrong, or for `held` how many matches wait; empty if there is nothing.
    """

    name: str
    ok: bool
    finding: str


def checks(session: Session, now: datetime) -> list[Check]:
    """Run all checks."""
    troubles = alerts.current(session, now)
    wrong = {trouble.name: trouble.detail for trouble in troubles}
    unreached = [each.detail for each in troubles if alerts.is_unreached(each.name)]
    stopped_since = heartbeat.stopped_since(session, now)
    results = [
        Check("runs", stopped_since is None, _describe_stop(stopped_since)),
        *(
            Check(name, name not in wrong, wrong.get(name, ""))
            for name in ("digests", "backlog", alerts.PEOPLE)
        ),
        Check("unreached", not unreached, " ".join(unreached)),
    ]
    failing = [
        source
        for source in source_lists.unwell(session, now)
        if source.paused_at is None
        and health(source, now) in (Health.FAILING, Health.SILENT, Health.GONE)
    ]
    waiting = held.count_waiting(session)
    return [
        *results,
        Check("sources", not failing, _list(failing, now)),
        Check("held", ok=True, finding=f"matches that wait: {waiting}" if waiting else ""),
        _of_clock(session, now),
        # Nothing wrong by itself: any visitor can send the header, and must not alarm a monitor.
        Check("proxy", ok=True, finding=alerts.detail_of(session, alerts.PROXY)),
        _of_sending(session),
        _of_suppressions(session),
    ]


def _describe_stop(since: datetime | None) -> str:
    return f"notifier has not run since {since:%Y-%m-%d %H:%M} UTC" if since is not None else ""


def _of_clock(session: Session, now: datetime) -> Check:
    wrong = clock.finding(session, now)
    return Check("clock", not wrong, wrong)


def _of_sending(session: Session) -> Check:
    stopped_at = stop.stopped_at(session)
    if stopped_at is None:
        return Check("sending", ok=True, finding="")
    since = stopped_at.isoformat(timespec="seconds")
    if backup_state.restored(session) is not None:
        return Check("sending", ok=False, finding=f"a backup was restored at {since}: db resume")
    return Check("sending", ok=False, finding=f"a person stopped the sending at {since}")


def _of_suppressions(session: Session) -> Check:
    number = held_suppressions.count(session)
    waiting = f"{number} held suppressions wait: notifier bounces held" if number else ""
    return Check("suppressions", not number, waiting)


def _list(failing: Sequence[Source], now: datetime) -> str:
    return "; ".join(f"source {source.id} is {health(source, now)}" for source in failing)


def notify_operator(deps: Deps) -> list[str]:
    """Mail the operator once when something broke, and once when it works again.

    Mails that were given up are named in one mail, and in another one as soon as a few hours passed
    in which more were.

    Returns:
        A sentence for each digest that nobody got, and that was not reported before.
    """
    now = deps.now()
    with deps.reading() as session:
        troubles = alerts.current(session, now)
    with deps.writing() as session:
        changes = alerts.update(session, troubles, now)
        if changes.begun or changes.ended:
            subject = _subject(changes.begun, changes.ended)
            enqueue_for_operator(deps, session, subject, _text(changes), now)
        if not _told_lately(session, now) and (lost := alerts.newly_given_up(session, now)):
            enqueue_for_operator(deps, session, _GIVEN_UP_SUBJECT, _given_up_text(lost), now)
        hold = deps.settings.smtp.when_uncertain == "hold"
        if doubtful := alerts.newly_in_doubt(session, now, hold_uncertain=hold):
            enqueue_for_operator(deps, session, _IN_DOUBT_SUBJECT, _in_doubt_text(doubtful), now)
    return [
        f"{trouble.detail}\n{trouble.fix}"
        for trouble in changes.begun
        if alerts.is_unreached(trouble.name)
    ]


def _told_lately(session: Session, now: datetime) -> bool:
    """Return whether the operator was mailed a short time ago what was given up."""
    mailed = Notice.subject == _GIVEN_UP_SUBJECT, Notice.created_at > now - _GIVEN_UP_EVERY
    return session.scalar(select(Notice.id).where(*mailed).limit(1)) is not None


def _given_up_text(delivery_ids: Sequence[int]) -> str:
    number = len(delivery_ids)
    return (
        f"{number} digest mail{' was' if number == 1 else 's were'} given up: the servers of the "
        "recipients did not take them. The others got theirs.\n\n"
        "What the servers answered:\n    notifier deliveries list --status failed\n"
        f"To send them again:\n    {given_up.retry_command(delivery_ids)}"
    )


def _in_doubt_text(delivery_ids: Sequence[int]) -> str:
    number = len(delivery_ids)
    return (
        f"{number} mail{' is' if number == 1 else 's are'} in doubt: the connection ended after it "
        "was handed over and before the server's answer, so nobody knows whether it arrived. It is "
        "not sent again by itself.\n\n"
        "To see them:\n    notifier deliveries list --status uncertain\n"
        f"Rather twice than not at all:\n    {given_up.retry_command(delivery_ids)}\n"
        "Rather not twice:\n    notifier deliveries drop ID"
    )


def _text(changes: Changes) -> str:
    paragraphs = [f"{trouble.detail}\n{trouble.fix}" for trouble in changes.begun]
    if changes.ended:
        paragraphs.append(f"It works again: {', '.join(changes.ended)}.")
    if number := len(changes.given_up):
        paragraphs.append(
            f"{number} mail{' was' if number == 1 else 's were'} given up meanwhile. To send them "
            f"again:\n    {given_up.retry_command(changes.given_up)}"
        )
    closing = "Mails that were not sent yet stay in the outbox. See:\n    notifier deliveries list"
    return "\n\n".join([*paragraphs, closing])


def _subject(begun: Sequence[Trouble], ended: Sequence[str]) -> str:
    names = [trouble.name for trouble in begun] or ended
    if set(names) == {alerts.PEOPLE}:
        return (
            "notifier: some subscribers cannot be served"
            if begun
            else "notifier: all subscribers are served again"
        )
    if begun and all(alerts.is_unreached(name) for name in names):
        return "notifier: a digest reached nobody"
    return "notifier: mails are not going out" if begun else "notifier: mails go out again"
