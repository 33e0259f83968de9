"""Attempts: how many passwords may be tried for an account, and from where.

At most ten wrong ones in a quarter of an hour. A browser in which the operator logged in before has
ten of its own, whatever the password is now, and so has the machine on which notifier runs. All
other browsers share ten: a stranger who knows the name can use them up, and then a new browser has
to wait. (OWASP, "Slow Down Online Guessing Attacks with Device Cookies".)
"""

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notifier.errors import NotifierError
from notifier.store import db, keys
from notifier.store.models import LoginAttempt

MOST, PERIOD = 10, timedelta(minutes=15)
# What stands for all browsers that never logged in, and for those on this machine itself.
STRANGERS, THIS_MACHINE = "strangers", "this machine"


class TooManyAttemptsError(NotifierError):
    """An attempt beyond the limit; the password was not looked at."""

    def __init__(self) -> None:
        super().__init__(
            "Too many wrong passwords were given for this name.",
            "Wait a quarter of an hour, or use a browser in which you logged in before.",
        )


def begin(session: Session, name: str, origin: str, now: datetime) -> int:
    """Count an attempt before its password is checked, and return its id.

    So a thousand attempts at the same moment are a thousand, too.

    Args:
        session: a writing session.
        name: the account, whether or not there is one.
        origin: `STRANGERS`, `THIS_MACHINE`, or the device that `device_of` recognised.
        now: when.

    Raises:
        TooManyAttemptsError: it is one too many.
    """
    account = keys.secret_name(session, "operator", name)
    hashed_origin = keys.secret_name(session, "log-in from", origin)
    db.take_turns(session, account)
    session.execute(delete(LoginAttempt).where(LoginAttempt.at <= now - PERIOD))
    counted = select(func.count(LoginAttempt.id)).where(
        LoginAttempt.account == account,
        LoginAttempt.origin == hashed_origin,
        LoginAttempt.at > now - PERIOD,
    )
    if (session.scalar(counted) or 0) >= MOST:
        raise TooManyAttemptsError
    attempt = LoginAttempt(account=account, origin=hashed_origin, at=now)
    session.add(attempt)
    session.flush()
    return attempt.id


def succeed(session: Session, attempt_id: int) -> None:
    """Forget the attempts of where somebody logged in now."""
    attempt = session.get(LoginAttempt, attempt_id)
    if attempt is not None:
        session.execute(
            delete(LoginAttempt).where(
                LoginAttempt.account == attempt.account, LoginAttempt.origin == attempt.origin
            )
        )


def new_device(session: Session, account: str) -> str:
    """Return what a browser keeps by which it is recognised later.

    Args:
        session: one that reads.
        account: `Account.lasting_name`. It does not change with the password: else a stranger could
            lock out whoever got a new one.
    """
    random = secrets.token_hex(16)
    return f"{random}.{_signature(session, account, random)}"


def device_of(session: Session, account: str, kept: str) -> str | None:
    """Return the name of a browser that logged in before; None if it did not.

    Args:
        session: one that reads.
        account: as for `new_device`.
        kept: what the browser sent.
    """
    random, _, signature = kept.partition(".")
    expected = _signature(session, account, random)
    is_ours = hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())
    return f"device {random}" if random and is_ours else None


def _signature(session: Session, account: str, random: str) -> str:
    return keys.secret_name(session, "operator's browser", f"{account} {random}")
