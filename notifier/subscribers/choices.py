"""Choices: how somebody wants to be written to, as a value, and as JSON where it waits for its owner's yes.

Owns the fields of a choice and their stored form; `subscriptions` applies it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notifier.enums import Cadence, Edition
from notifier.i18n.catalog import SOURCE
from notifier.store.models import Subscription
from notifier.subscribers import schedule


@dataclass(frozen=True)
class Choice:
    """How somebody wants to be written to: cadence, wall time, weekday or day of the month, time zone, words.

    `hidden` are the parts of a digest that they do without; `urgent` lets what cannot wait come at
    once. None leaves either as it is.

    Raises:
        SettingsError: a schedule that no due time can be worked out of.
    """

    cadence: Cadence
    at: str
    on: int | None
    time_zone: str
    edition: Edition = Edition.PATIENT
    language: str = SOURCE
    hidden: tuple[str, ...] | None = None
    urgent: bool | None = None

    def __post_init__(self) -> None:
        schedule.check(self.cadence, self.at, self.on, self.time_zone)


def default_choice(
    cadence: Cadence, time_zone: str, edition: Edition = Edition.PATIENT, language: str = SOURCE
) -> Choice:
    """A choice with the usual hour and day: 08:00, Mondays, the first of the month."""
    on = {Cadence.WEEKLY: 0, Cadence.MONTHLY: 1}.get(cadence)
    return Choice(cadence, "08:00", on, time_zone, edition, language)


def choice_of(subscription: Subscription) -> Choice:
    """The choice by which a subscription is served."""
    person = subscription.subscriber
    return Choice(
        subscription.cadence,
        subscription.at,
        subscription.on,
        person.time_zone,
        subscription.edition,
        person.language,
        tuple(subscription.hidden),
        subscription.urgent,
    )


def choice_to_confirm(subscription: Subscription) -> Choice:
    """The choice that a yes would begin: the wish that waits for it, else the one that is stored."""
    return (
        from_document(subscription.wish)
        if subscription.wish is not None
        else choice_of(subscription)
    )


def as_document(choice: Choice) -> dict[str, Any]:
    """A choice as JSON: ``at`` is ``"HH:MM"``, ``on`` a weekday (0–6), a day of the month (1–31) or null.

    ``hidden`` and ``urgent`` stand there only where the choice says something of them.
    """
    document = {
        "every": choice.cadence,
        "at": choice.at,
        "on": choice.on,
        "time_zone": choice.time_zone,
        "edition": choice.edition,
        "language": choice.language,
        "hidden": None if choice.hidden is None else [*choice.hidden],
        "urgent": choice.urgent,
    }
    return {name: value for name, value in document.items() if name == "on" or value is not None}


def from_document(document: Mapping[str, Any]) -> Choice:
    """The choice that `as_document` stored; other keys are left alone."""
    on, hidden, urgent = document["on"], document.get("hidden"), document.get("urgent")
    return Choice(
        Cadence(str(document["every"])),
        str(document["at"]),
        on if isinstance(on, int) else None,
        str(document["time_zone"]),
        Edition(str(document["edition"])),
        str(document["language"]),
        None if hidden is None else tuple(str(section) for section in hidden),
        urgent if isinstance(urgent, bool) else None,
    )
