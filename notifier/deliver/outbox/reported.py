"""Reported: which deliveries the operator was told of that were given up.

Owns the column `reported`. Those that are not reported yet have an index of their own, so that
asking for them costs the same however many deliveries there are. Which of them are worth a mail is
decided in `deliver/given_up.py`.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, literal_column, select, update
from sqlalchemy.orm import Session

from notifier.store.db import in_chunks
from notifier.store.models import Delivery

# How many are reported at once; the rest is reported with the next mail. Chosen by hand.
_MOST = 10_000


def unreported_failures(session: Session) -> Sequence[int]:
    """Return the ids of deliveries that failed and were not reported, at most 10,000."""
    # The condition of the index, as it stands there: no parameters.
    failed: ColumnElement[bool] = literal_column("status = 'failed' AND NOT reported")
    query = select(Delivery.id).where(failed).order_by(Delivery.next_attempt_at).limit(_MOST)
    return session.scalars(query).all()


def note_reported(session: Session, delivery_ids: Collection[int]) -> None:
    """Store that the operator was told of these deliveries, or need not be."""
    for chunk in in_chunks(delivery_ids):
        statement = update(Delivery).where(Delivery.id.in_(chunk)).values(reported=True)
        session.execute(statement.execution_options(synchronize_session=False))
