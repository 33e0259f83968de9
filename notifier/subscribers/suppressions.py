"""Suppressions: addresses that are not mailed, known by their hash, each with its cause and a code or a short reason.

Owns who may lift a suppression, and how often the owner of a suppressed address may be asked by
mail whether a sign-up was theirs.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notifier.enums import SuppressionCause
from notifier.store import db
from notifier.store.models import Suppression
from notifier.text.cleaning import clean, redacted

# What the owner of an address lifts by a double opt-in of their own; everything else is lifted by
# the operator alone.
LIFTED_BY_OWNER = frozenset(
    (
        SuppressionCause.ERASED,
        SuppressionCause.LEFT,
        SuppressionCause.BOUNCED,
        SuppressionCause.COMPLAINED,
    )
)

# A mailbox that refused a mail is not tried again before this has passed.
BOUNCE_HOLDS = timedelta(days=30)
# The owner of an address that bounced or complained is asked at most once in this time.
ASKED_EVERY = timedelta(days=30)

_LONGEST_REASON = 200
_STATUS_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])[245]\d\d(?![\d.])")

# A cause is replaced by one that stands further right, or by itself: then its date and reason are
# the newer ones.
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
    """Suppress an address; safe when several do so at once.

    An address that is suppressed already stays so. A cause that weighs as much or more takes the
    place of the stored one, whose reason is kept beside the new one: nothing weakens what only the
    operator may lift, and a new bounce counts from now.

    Args:
        session: a writing session.
        address_hash: of the address.
        cause: why.
        reason: a code (RFC 3463 ``5.1.1``, or an SMTP reply ``550``) for a bounce, an operator's
            own words for `asked`. What a server or a stranger wrote is cut down to the code in it;
            addresses are taken out of it.
        now: when.

    Returns:
        Whether it was not suppressed before.
    """
    short = reason_of(cause, reason)
    values = {"address_hash": address_hash, "cause": cause, "reason": short, "at": now}
    if db.insert_missing(session, Suppression, values):
        return True
    chosen = select(Suppression).where(Suppression.address_hash == address_hash).with_for_update()
    stored = session.scalar(chosen.execution_options(populate_existing=True))
    if stored is not None and _WEIGHT[cause] >= _WEIGHT[stored.cause]:
        known = "" if cause in (stored.cause, SuppressionCause.BOUNCED) else stored.reason
        stored.reason = "; ".join(words for words in (known, short) if words)[:_LONGEST_REASON]
        stored.cause, stored.at = cause, now
        session.flush()
    return False


def reason_of(cause: SuppressionCause, text: str) -> str:
    """What is stored as the reason: the code in a text about a bounce, else the text without addresses."""
    if cause is SuppressionCause.BOUNCED:
        code = _STATUS_CODE.search(text) or _REPLY_CODE.search(text)
        return code[0] if code else ""
    return redacted(clean(text))[:_LONGEST_REASON]


def why(suppression: Suppression) -> str:
    """Why an address is suppressed: the operator's own words, or the cause with its code (``bounced 5.1.1``)."""
    if suppression.cause is SuppressionCause.BOUNCED:
        return f"{suppression.cause} {suppression.reason}".strip()
    return suppression.reason or str(suppression.cause)


def may_be_asked(suppression: Suppression | None, now: datetime) -> bool:
    """Whether the owner of an address may be asked by mail if a sign-up, or a change to this address, was theirs.

    Always where nothing is suppressed, and after they left or were erased. After a complaint, or a
    bounce of more than 30 days ago, once in 30 days. Never where only the operator lifts it.
    """
    if suppression is None or suppression.cause in (SuppressionCause.ERASED, SuppressionCause.LEFT):
        return True
    if suppression.cause not in LIFTED_BY_OWNER:
        return False
    if suppression.cause is SuppressionCause.BOUNCED and now - suppression.at < BOUNCE_HOLDS:
        return False
    return suppression.asked_at is None or now - suppression.asked_at >= ASKED_EVERY


def note_asked(suppression: Suppression | None, now: datetime) -> None:
    """Note that the owner of a suppressed address is asked by a mail that is owed since `now`."""
    if suppression is not None:
        suppression.asked_at = now


def lift(session: Session, address_hash: str) -> bool:
    """Let an address be mailed again, whatever it was suppressed for; returns whether it was suppressed."""
    lifted = (
        delete(Suppression)
        .where(Suppression.address_hash == address_hash)
        .returning(Suppression.address_hash)
    )
    return session.execute(lifted).first() is not None


def lift_by_owner(session: Session, address_hash: str) -> bool:
    """Lift what the owner's own yes lifts; returns whether the address may be mailed now."""
    lifted = Suppression.address_hash == address_hash, Suppression.cause.in_(LIFTED_BY_OWNER)
    session.execute(delete(Suppression).where(*lifted))
    return of(session, address_hash) is None


def among(session: Session, hashes: Collection[str]) -> dict[str, Suppression]:
    """Those of these addresses that are suppressed."""
    chosen = select(Suppression).where(Suppression.address_hash.in_(hashes))
    return {one.address_hash: one for one in session.scalars(chosen)}


def of(session: Session, address_hash: str) -> Suppression | None:
    """The suppression of an address, if there is one."""
    chosen = select(Suppression).where(Suppression.address_hash == address_hash)
    return session.scalar(chosen.execution_options(populate_existing=True))
