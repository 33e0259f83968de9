"""Unreadable rows: a value that no version of this program wrote holds back its own mail alone.

Owns how such a row is found among the others, and that its mail waits. It may be a row of the
delivery, its digest, or its recipient; which value it is does not matter here.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, update
from sqlalchemy.orm import Session

from notifier.deliver.outbox.enqueue import due_from
from notifier.enums import WaitReason
from notifier.store.models import UNREADABLE, Delivery

log = logging.getLogger(__name__)

# A mail that waits for a person to mend the row is looked at again after this time. Chosen by hand;
# not measured.
_LOOKED_AT_AGAIN = timedelta(hours=6)
_ERROR = "what is stored of it or of its recipient cannot be read"

_Loaded = TypeVar("_Loaded")


def due_rows(
    session: Session, due: Select[*tuple[Any, ...]], values: Mapping[str, Any], now: datetime
) -> list[Any]:
    """Return the rows of a query of due deliveries; put off those that cannot be read.

    Args:
        session: a writing session.
        due: the query, whose first column is `Delivery.id`.
        values: its parameters.
        now: the time of the claim.
    """
    connection = session.connection()
    try:
        return list(connection.execute(due, values))
    except UNREADABLE:
        pass
    # Where all that are read at once were put off, others are due behind them.
    only_ids = due.with_only_columns(Delivery.id, maintain_column_froms=True)
    while ids := connection.execute(only_ids, values).scalars().all():
        rows, unread = _one_by_one(
            ids, lambda id_: connection.execute(due.where(Delivery.id == id_), values)
        )
        _put_off(session, unread, now)
        if rows:
            return rows
    return []


def load(
    session: Session,
    ids: Sequence[int],
    read: Callable[[Collection[int]], Iterable[_Loaded]],
    now: datetime,
) -> list[_Loaded]:
    """Return what is read of these deliveries; put off those that cannot be read.

    Args:
        session: a writing session.
        ids: the deliveries.
        read: reads those with the given ids.
        now: the time of the claim.
    """
    try:
        return list(read(ids))
    except UNREADABLE:
        loaded, unread = _one_by_one(ids, lambda id_: read([id_]))
    _put_off(session, unread, now)
    return loaded


def _one_by_one(
    ids: Iterable[int], read: Callable[[int], Iterable[_Loaded]]
) -> tuple[list[_Loaded], list[int]]:
    """Return what can be read, and the ids of the deliveries that cannot."""
    loaded: list[_Loaded] = []
    unread: list[int] = []
    for delivery_id in ids:
        try:
            loaded += read(delivery_id)
        except UNREADABLE as error:
            log.error(  # noqa: TRY400 - the trace would show the value
                "Delivery %d waits: %s (%s)", delivery_id, _ERROR, type(error).__name__
            )
            unread.append(delivery_id)
    return loaded, unread


def _put_off(session: Session, ids: Collection[int], now: datetime) -> None:
    """Let deliveries wait until somebody mended what cannot be read."""
    values = due_from(now + _LOOKED_AT_AGAIN)
    values |= {"waits_because": WaitReason.UNREADABLE, "error": _ERROR, "leased_until": None}
    session.execute(
        update(Delivery).where(Delivery.id.in_(ids)).values(**values),
        execution_options={"synchronize_session": False},
    )
