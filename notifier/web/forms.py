"""Forms: the fields that a visitor sent, and the choice that they hold.

Owns the limits of a form's size and the names of its fields. A page shows beside each field what is
wrong with it.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Scope

from notifier.digest.selection import OPTIONAL
from notifier.digest.view import TITLES
from notifier.enums import Cadence, Edition
from notifier.errors import InputError
from notifier.i18n.catalog import LANGUAGES, Language
from notifier.subscribers import schedule
from notifier.subscribers.choices import Choice
from notifier.text import times

FIELDS = ("every", "at", "weekday", "day", "time_zone", "edition", "language")


class Limits(NamedTuple):
    """The most bytes and fields of a form."""

    most_bytes: int
    most_fields: int


# Chosen by hand, well above our largest public form; not measured.
USUAL = Limits(64_000, 60)
# NUL, which PostgreSQL refuses, and halves of surrogate pairs, which have no form in UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CHARSET = re.compile(rb";\s*charset(?=\s*=)", re.IGNORECASE)

_VALID_FIELDS = {
    "every": "daily",
    "at": "08:00",
    "weekday": "monday",
    "day": "1",
    "time_zone": "UTC",
    "edition": "patient",
    "language": "en",
}


async def form_of(request: Request, limits: Limits = USUAL) -> FormData:
    """Return the form in a request; an empty one for a body of another kind.

    Args:
        request: the request.
        limits: how large it may be.

    Raises:
        HTTPException: 413 for a body that is too large, 400 for a form that cannot be read.
    """
    return await form_in(request, await body_of(request, limits), limits)


async def body_of(request: Request, limits: Limits = USUAL) -> bytes:
    """Return the body of a request.

    Args:
        request: the request.
        limits: how large it may be.

    Raises:
        HTTPException: 413 for a body that is larger.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.most_bytes:
            raise HTTPException(413)
    return bytes(body)


async def form_in(request: Request, body: bytes, limits: Limits = USUAL) -> FormData:
    """Return the form in a body that was read already.

    Args:
        request: the request.
        body: its body.
        limits: how many fields it may have.

    Returns:
        Its names and values, as `cleaned` makes them.

    Raises:
        HTTPException: 400 for a form that cannot be read.
    """

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    as_utf_8 = Request(_without_charset(request.scope), replay)
    try:
        form = await as_utf_8.form(max_files=0, max_fields=limits.most_fields)
    except UnicodeError as error:
        raise HTTPException(400) from error
    return FormData(
        [
            (cleaned(name), cleaned(value) if isinstance(value, str) else value)
            for name, value in form.multi_items()
        ]
    )


def _without_charset(scope: Scope) -> Scope:
    """Return a request whose form is read as UTF-8, in which browsers send our forms.

    Other programs may name any of Python's codecs, and some of them take very long or fail.
    """
    headers = [
        (name, _CHARSET.sub(b"; ignored", value) if name == b"content-type" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


def cleaned(text: str) -> str:
    """Return a text from outside as every database and page can hold it.

    Other characters become U+FFFD, which no valid field contains.
    """
    return _UNSTORABLE.sub("\ufffd", text)


def text(form: FormData, name: str, default: str = "") -> str:
    """Return a field as text without surrounding space."""
    return unstripped(form, name, default).strip()


def unstripped(form: FormData, name: str, default: str = "") -> str:
    """Return a field like `text`, with the space around it."""
    value = form.get(name, default)
    return value if isinstance(value, str) else default


def choice_of(
    values: Mapping[str, str], *, hidden: tuple[str, ...] | None = None, urgent: bool | None = None
) -> Choice:
    """Return the choice that the fields hold.

    Args:
        values: the fields in `FIELDS`; those that the cadence does not need may be missing.
        hidden: the sections to leave out, as in `Choice`.
        urgent: as in `Choice`.

    Raises:
        InputError: the day, the time or the time zone is not valid.
        ValueError: a value that no list of the form offers.
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
    """Return the fields that show a choice; a day that it does not need is the first one."""
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


def options(language: Language, time_zone: str) -> dict[str, Any]:
    """Return the values that the lists of the form offer, with their texts in a language.

    Args:
        language: of the texts.
        time_zone: the chosen one. It is offered, too, where this machine alone knows it: otherwise
            a browser would choose the first of the list, and saving anything would move people.
    """
    zones = {*times.zone_names(), time_zone}
    return {
        "weekdays": [
            (name, language.weekday(number)) for number, name in enumerate(schedule.WEEKDAYS)
        ],
        "time_zones": sorted(zones),
        "languages": LANGUAGES,
        "sections": [(str(section), language.gettext(TITLES[section])) for section in OPTIONAL],
    }


def find_errors(values: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the fields that are not valid, each with ``"wrong"``."""
    errors = {}
    for name, default in (
        ("every", "weekly"),
        ("at", ""),
        ("time_zone", ""),
        ("edition", ""),
        ("language", ""),
    ):
        if not _is_valid({name: values.get(name, default)}):
            errors[name] = "wrong"
    for name, cadence in (("weekday", "weekly"), ("day", "monthly")):
        if values.get("every") == cadence and not _is_valid(
            {"every": cadence, name: values.get(name, "")}
        ):
            errors[name] = "wrong"
    return errors


def _is_valid(fields: Mapping[str, str]) -> bool:
    """Return whether fields are valid beside others that are."""
    try:
        choice_of({**_VALID_FIELDS, **fields})
    except (InputError, ValueError):
        return False
    return True
