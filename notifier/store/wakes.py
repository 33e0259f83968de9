"""Wakes: what a transaction leaves for workers to do, noted while it runs.

Owns the note alone, which lives as long as the session. `Deps.writing` hands it on at the end of
the transaction; who is woken, and how, is not known here. A wake that is lost delays the work until
the next tick and loses nothing: what is due stands in the rows.
"""

from enum import StrEnum

from sqlalchemy.orm import Session

_NOTED = "wakes"


class Wake(StrEnum):
    """The kind of work that a transaction leaves.

    `asked`: a mail that somebody waits for at this moment. `deliver`: any other mail.
    """

    ASKED = "asked"
    DELIVER = "deliver"


def note(session: Session, wake: Wake) -> None:
    """Note that workers have something to do as soon as this transaction is committed."""
    session.info.setdefault(_NOTED, set()).add(wake)


def noted(session: Session) -> list[Wake]:
    """Return what was noted, in one order for all transactions: so none waits for another twice."""
    return sorted(session.info.get(_NOTED, ()))
