"""Refusals: what a mail server's no to a recipient means, beyond the one mail.

An address that is gone is suppressed, a mailbox that is full is waited for, and a digest that too many servers refuse
is held, and the operator told, before our name is spoilt.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import bounces, notices, outbox, reports
from notifier.deliver.outbox import Answer, Outcome
from notifier.deps import Deps
from notifier.digest import digests
from notifier.store.models import Delivery, Subscriber
from notifier.store.statuses import BounceKind, SuppressionCause
from notifier.subscribers import suppressions

_TO_RECIPIENT = re.compile(r"the server answered (5\d\d) to RCPT TO: (.*)", re.DOTALL)
_MAILBOX = re.compile(r"\b5\.2\.[1-9]\b")


def follow(deps: Deps, session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Draw the consequences of refusals, in the transaction that writes them down."""
    refused = [one for one in outcomes if one.answer is Answer.REFUSED]
    concerned = set()
    for outcome in refused:
        delivery = session.get_one(Delivery, outcome.delivery_id)
        concerned.add(delivery.digest_id)
        found = _TO_RECIPIENT.match(outcome.said)
        person = delivery.subscription.subscriber if delivery.subscription is not None else None
        if found is None or person is None:
            continue
        kind = reports.verdict(reports.status_in(found[2]), found[2])
        if kind is BounceKind.HARD:
            suppressions.add(session, person.address_hash, SuppressionCause.BOUNCED, outcome.said[:300], now)
        elif _MAILBOX.search(found[2]):
            _wait_or_give_up(session, delivery, person, outcome, now)
    for digest_id in concerned - {None}:
        assert digest_id is not None
        _pause(deps, session, digest_id, now)


def _wait_or_give_up(session: Session, delivery: Delivery, person: Subscriber, outcome: Outcome, now: datetime) -> None:
    if bounces.hold(person, now):
        suppressions.add(session, person.address_hash, SuppressionCause.BOUNCED, outcome.said[:300], now)
    elif person.held_until is not None:
        outbox.wait_for(delivery, person.held_until)


def _pause(deps: Deps, session: Session, digest_id: int, now: datetime) -> None:
    share = digests.hold_if_refused(session, digest_id)
    operator = deps.settings.operator.address
    if share is None or operator is None:
        return
    refused, tried, said = share
    text = (
        f"Digest {digest_id} is held: of {tried} recipients tried, the mail server refused {refused}.\n"
        f"Last it said: {said}\n\n"
        "Mend what it complains of (often: no DKIM or SPF record, an address list that is old, a blocked sender).\n"
        f"Then let the rest go out: notifier digests approve {digest_id}\n"
        "Those that were refused: notifier deliveries list --status failed"
    )
    notices.owe(session, operator, f"notifier: digest {digest_id} is held", text, deps.mail_domain, now)
