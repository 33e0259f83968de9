"""The options by which listings choose their rows, and how their values are read."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared
from notifier.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_PERIOD = re.compile(r"([0-9]{1,5})([hdw])")

Since = Annotated[
    str,
    typer.Option(
        "--since",
        metavar="30d|DATE",
        help="Show only what is newer: than 12h, 30d or 4w, or than a date such as 2026-03-01.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="SOURCE", help="Only of this source, by its id or address."),
]
Wide = Annotated[
    bool,
    typer.Option("--wide", help="Show whole texts, addresses and times, and all columns."),
]


def since(text: str, now: datetime) -> datetime | None:
    """Return the moment that a value of `--since` means; None if it is empty.

    Args:
        text: a number of hours, days or weeks (``12h``, ``30d``, ``4w``), or a time in ISO 8601.
        now: the time from which a period counts back.

    Raises:
        InputError: it is something else.
    """
    period = _PERIOD.fullmatch(text)
    if period:
        return now - timedelta(**{_UNITS[period[2]]: int(period[1])})
    try:
        return shared.moment(text, "--since")
    except InputError as error:
        raise InputError(
            f"--since {text!r} is neither a period of time nor a date.",
            "Write 12h, 30d or 4w, or a date like 2026-03-01.",
        ) from error


def source_id(session: "Session", reference: str | None) -> int | None:
    """Return the id of the source that `--source` names; None if it is not given.

    Raises:
        NotFoundError: there is no such source.
    """
    from notifier.watch import sources

    return sources.find(session, reference).id if reference else None


def profile_id(session: "Session", slug: str | None) -> int | None:
    """Return the id of the profile that `--profile` names; None if it is not given.

    Raises:
        NotFoundError: there is no such profile.
    """
    from notifier.match import profiles

    return profiles.find(session, slug).id if slug else None
