"""Forms: what a visitor sent, as far as it may be looked at, and the choice that it holds.

Owns the size of a form and the words of its fields; what is wrong with one is told beside it.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from notifier.digest.selection import OPTIONAL
from notifier.digest.view import TITLES
from notifier.enums import Cadence, Edition
from notifier.errors import InputError
from notifier.i18n.catalog import LANGUAGES, Language
from notifier.subscribers import schedule
from notifier.subscribers.choices import Choice
from notifier.text import times

FIELDS = ("every", "at", "weekday", "day", "time_zone", "edition", "language")

_LARGEST = 64_000
_FIELDS = 60
# NUL, which PostgreSQL refuses, and halves of surrogate pairs, which UTF-8 has no form for.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


async def form_of(request: Request) -> FormData:
    """The form that was sent; empty for a body of another kind.

    Raises:
        HTTPException: 413 for one that is larger than any form of ours, 400 for one that is none.
    """
    return await form_in(request, await body_of(request))


async def body_of(request: Request) -> bytes:
    """What was sent, as it came.

    Raises:
        HTTPException: 413 for more than any form of ours has.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise HTTPException(413)
    return bytes(body)


async def form_in(request: Request, body: bytes) -> FormData:
    """The form in a body that was read already.

    Raises:
        HTTPException: 400 for one that is none.
    """

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return await Request(request.scope, replay).form(max_files=0, max_fields=_FIELDS)


def text(form: FormData, name: str, default: str = "") -> str:
    """A field as trimmed text; what no database or page can hold becomes U+FFFD, which no field of ours may hold."""
    value = form.get(name, default)
    return _UNSTORABLE.sub("\ufffd", value).strip() if isinstance(value, str) else default


def choice_of(
    values: Mapping[str, str], *, hidden: tuple[str, ...] | None = None, urgent: bool | None = None
) -> Choice:
    """The choice that the fields hold.

    Raises:
        SettingsError: a day, an hour or a zone that is none.
        ValueError: a word that no list of the form holds.
    """
    cadence = Cadence(values.get("every", ""))
    if values.get("language") not in LANGUAGES:
        raise ValueError(values.get("language"))
    on = {Cadence.WEEKLY: values.get("weekday"), Cadence.MONTHLY: values.get("day")}.get(cadence)
    return Choice(
        schedule.Schedule(
            cadence,
            schedule.parse_at(values.get("at", "")),
            schedule.parse_on(on, cadence),
            schedule.parse_zone(values.get("time_zone", "")),
        ),
        Edition(values.get("edition", "")),
        values["language"],
        hidden,
        urgent,
    )


def fields_of(choice: Choice) -> dict[str, str]:
    """The fields in which a choice is shown."""
    cadence, on = choice.schedule.cadence, choice.schedule.on
    weekly, monthly = cadence is Cadence.WEEKLY, cadence is Cadence.MONTHLY
    return {
        "every": str(cadence),
        "at": choice.schedule.at,
        "weekday": schedule.WEEKDAYS[on if weekly and on is not None else 0],
        "day": str(on if monthly and on is not None else 1),
        "time_zone": choice.schedule.time_zone,
        "edition": str(choice.edition),
        "language": choice.language,
    }


def options(spoken: Language) -> dict[str, Any]:
    """What the lists of the form offer, each value with its words."""
    return {
        "weekdays": [
            (name, spoken.weekday(number)) for number, name in enumerate(schedule.WEEKDAYS)
        ],
        "time_zones": sorted(times.zone_names()),
        "languages": LANGUAGES,
        "sections": [(str(section), spoken.gettext(TITLES[section])) for section in OPTIONAL],
    }


def problem_with(values: Mapping[str, str]) -> dict[str, str]:
    """Which fields of a choice cannot be meant; empty where all can."""
    found = {}
    for name, default in (
        ("every", "weekly"),
        ("at", ""),
        ("time_zone", ""),
        ("edition", ""),
        ("language", ""),
    ):
        try:
            choice_of({**_USUAL, name: values.get(name, default)})
        except (InputError, ValueError):
            found[name] = "wrong"
    for name, cadence in (("weekday", "weekly"), ("day", "monthly")):
        if values.get("every") == cadence:
            try:
                choice_of({**_USUAL, "every": cadence, name: values.get(name, "")})
            except (InputError, ValueError):
                found[name] = "wrong"
    return found


_USUAL = {
    "every": "daily",
    "at": "08:00",
    "weekday": "monday",
    "day": "1",
    "time_zone": "UTC",
    "edition": "patient",
    "language": "en",
}
