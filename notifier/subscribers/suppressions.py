"""Suppressions: addresses that are not mailed, stored as a hash, with cause and short reason.

Owns who may lift a suppression, and how often the owner of a suppressed address may be asked by
mail whether a sign-up was theirs.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete

from notifier.enums import SuppressionCause
from notifier.store import db, departures
from notifier.store.models import Suppression
from notifier.text.cleaning import clean, redacted

# The causes that the owner of an address lifts by confirming a sign-up or a change of address; the
# operator alone lifts the others.
LIFTED_BY_OWNER = frozenset(
    (
        SuppressionCause.ERASED,
        SuppressionCause.LEFT,
        SuppressionCause.BOUNCED,
        SuppressionCause.COMPLAINED,
    )
)

# How long after a bounce no mail is sent to an address. Chosen by hand; not measured.
BOUNCE_HOLDS = timedelta(days=30)
# The owner of an address that bounced or complained is asked at most once in this time. Chosen by
# hand; not measured.
ASKED_EVERY = timedelta(days=30)

# The column of the address that a lifted suppression was of.
_HASH = Suppression.address_hash

_LONGEST_REASON = 200  # characters
_STATUS_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])[245]\d\d(?![\d.])")

# A stored cause is replaced by one that comes later in this list, or by itself: date and reason
# are then the newer ones.
_WEIGHT = {
    cause: weight
    for weight, cause in enumerate(
        (
            SuppressionCause.LEFT,
            SuppressionCause.ERASED,
            SuppressionCause.BOUNCED,
            SuppressionCause.COMPLAINED,
            SuppressionCause.NEVER,
            SuppressionCause.ASKED,
        )
    )
}


def add(
    session: Session, address_hash: str, cause: SuppressionCause, reason: str, now: datetime
) -> bool:
    """Suppress an address; several transactions may do so at once.

    An address that is suppressed already stays so. A cause of the same or a greater weight replaces
    the stored one, whose reason is kept beside the new one. So no cause that only the operator may
    lift becomes weaker, and the time of a bounce is that of the newest.

    Args:
        session: a writing session.
        address_hash: of the address.
        cause: why.
        reason: for a bounce a code (RFC 3463 ``5.1.1``, or an SMTP reply ``550``), for `asked` the
            operator's own words; stored as `reason_of` returns it.
        now: when.

    Returns:
        Whether it was not suppressed before.
    """
    short = reason_of(cause, reason)
    departures.note(session, departures.Kind.SUPPRESSED, address_hash, cause=str(cause))
    values = {"address_hash": address_hash, "cause": cause, "reason": short, "at": now}
    if db.insert_missing(session, Suppression, values):
        return True
    locked = select(Suppression).where(Suppression.address_hash == address_hash).with_for_update()
    stored = session.scalar(locked.execution_options(populate_existing=True))
    if stored is not None and _WEIGHT[cause] >= _WEIGHT[stored.cause]:
        known = "" if cause in (stored.cause, SuppressionCause.BOUNCED) else stored.reason
        stored.reason = "; ".join(reason for reason in (known, short) if reason)[:_LONGEST_REASON]
        stored.cause, stored.at = cause, now
        session.flush()
    return False


def reason_of(cause: SuppressionCause, text: str) -> str:
    """Return the reason as it is stored: of a bounce the code, else the text without addresses."""
    if cause is SuppressionCause.BOUNCED:
        code = _STATUS_CODE.search(text) or _REPLY_CODE.search(text)
        return code[0] if code else ""
    return redacted(clean(text))[:_LONGEST_REASON]


def describe(suppression: Suppression) -> str:
    """Return the reason for people: the operator's words, or the cause (``bounced 5.1.1``)."""
    if suppression.cause is SuppressionCause.BOUNCED:
        return f"{suppression.cause} {suppression.reason}".strip()
    return suppression.reason or str(suppression.cause)


def may_be_asked(suppression: Suppression | None, now: datetime) -> bool:
    """Return whether an address may be asked by mail to confirm a sign-up or a change of address.

    Always if nothing is suppressed, and after they left or were erased. After a complaint, or a
    bounce of more than `BOUNCE_HOLDS` ago, once in `ASKED_EVERY`. Never if only the operator may
    lift the suppression.
    """
    if suppression is None or suppression.cause in (SuppressionCause.ERASED, SuppressionCause.LEFT):
        return True
    if suppression.cause not in LIFTED_BY_OWNER:
        return False
    if suppression.cause is SuppressionCause.BOUNCED and now - suppression.at < BOUNCE_HOLDS:
        return False
    return suppression.asked_at is None or now - suppression.asked_at >= ASKED_EVERY


def note_asked(suppression: Suppression | None, now: datetime) -> None:
    """Store that the owner of a suppressed address is asked by a mail that was enqueued now."""
    if suppression is not None:
        suppression.asked_at = now


def lift(session: Session, address_hash: str) -> bool:
    """Lift the suppression of an address, whatever its cause; return whether it was suppressed."""
    lifted = delete(Suppression).where(Suppression.address_hash == address_hash).returning(_HASH)
    return _lifted(session, address_hash, lifted)


def _lifted(session: Session, address_hash: str, lifting: ReturningDelete[str]) -> bool:
    """Lift a suppression, and note it in the journal of departures if there was one."""
    was_suppressed = session.execute(lifting).first() is not None
    if was_suppressed:
        departures.note(session, departures.Kind.LIFTED, address_hash)
    return was_suppressed


def lift_bounce(session: Session, address_hash: str) -> bool:
    """Lift a suppression by a bounce, and no other; return whether there was one."""
    lifted = (
        delete(Suppression)
        .where(
            Suppression.address_hash == address_hash, Suppression.cause == SuppressionCause.BOUNCED
        )
        .returning(_HASH)
    )
    return _lifted(session, address_hash, lifted)


def lift_by_owner(session: Session, address_hash: str) -> bool:
    """Lift a suppression that the owner may lift; return whether the address may be mailed now."""
    lifted = Suppression.address_hash == address_hash, Suppression.cause.in_(LIFTED_BY_OWNER)
    _lifted(session, address_hash, delete(Suppression).where(*lifted).returning(_HASH))
    return of(session, address_hash) is None


def among(session: Session, hashes: Collection[str]) -> dict[str, Suppression]:
    """Return the suppressions of these addresses, by their hash."""
    suppressed: dict[str, Suppression] = {}
    for chunk in db.in_chunks(hashes):
        statement = select(Suppression).where(Suppression.address_hash.in_(chunk))
        suppressed |= {each.address_hash: each for each in session.scalars(statement)}
    return suppressed


def of(session: Session, address_hash: str) -> Suppression | None:
    """Return the suppression of an address, if there is one, as the database has it now."""
    statement = select(Suppression).where(Suppression.address_hash == address_hash)
    return session.scalar(statement.execution_options(populate_existing=True))
