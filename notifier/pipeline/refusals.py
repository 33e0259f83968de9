"""Refusals: what a mail server's no to a recipient means, beyond the one mail.

An address that is gone is suppressed, a mailbox that is full is waited for, and a digest that too
many servers refuse is held, and the operator told, before our name is spoilt.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deliver import operator_mail, outbox
from notifier.deliver.bounces import policy
from notifier.deliver.outbox import Outcome, SendResult
from notifier.deliver.redaction import safe
from notifier.deps import Deps
from notifier.digest import digests
from notifier.email_addresses import to_ascii_domain
from notifier.enums import BounceKind, SuppressionCause
from notifier.store.models import Delivery, Subscriber
from notifier.subscribers import suppressions

_MAILBOX = re.compile(r"(?a)5\.2\.[1-9]")
_LOOK_AFTER = 1.1
_LONGEST_QUOTE = 200


class Refusals:
    """The refusals of one run, and what follows from them."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._refused: Counter[int] = Counter()
        self._looked_at: Counter[int] = Counter()

    def follow(self, session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Draw the consequences of refusals, in the transaction that writes them down."""
        concerned: Counter[int] = Counter()
        for outcome in [one for one in outcomes if one.answer is SendResult.REFUSED]:
            delivery = session.get(Delivery, outcome.delivery_id)
            if delivery is None:  # its recipient was erased while it was being sent
                continue
            if delivery.digest_id is not None:
                concerned[delivery.digest_id] += 1
            _judge(session, delivery, outcome, now)
        self._refused += concerned
        for digest_id in concerned:
            # To count what a long list has taken costs something: it is done for every tenth more.
            if self._refused[digest_id] > self._looked_at[digest_id] * _LOOK_AFTER:
                self._looked_at[digest_id] = self._refused[digest_id]
                _pause(self._deps, session, digest_id, now)


def _judge(session: Session, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """Draw the consequences for the person who was written to; who has another address by now is not that one."""
    person = delivery.subscription.subscriber if delivery.subscription is not None else None
    if person is None or outcome.recipient != to_ascii_domain(person.email):
        return
    if outcome.verdict is BounceKind.HARD:
        suppressions.add(session, person.address_hash, SuppressionCause.BOUNCED, outcome.code, now)
    elif _MAILBOX.fullmatch(outcome.code):
        _wait_or_give_up(session, delivery, person, outcome, now)


def _wait_or_give_up(
    session: Session, delivery: Delivery, person: Subscriber, outcome: Outcome, now: datetime
) -> None:
    if policy.hold(person, now):
        suppressions.add(session, person.address_hash, SuppressionCause.BOUNCED, outcome.code, now)
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
        f"Last it said: {safe(said, limit=_LONGEST_QUOTE)}\n\n"
        "Mend what it complains of (often: no DKIM or SPF record, an address list that is old, a blocked sender).\n"
        f"Then let the rest go out: notifier digests approve {digest_id}\n"
        "Those that were refused: notifier deliveries list --status failed"
    )
    operator_mail.enqueue(
        session, operator, f"notifier: digest {digest_id} is held", text, deps.mail_domain, now
    )
