"""Choices: the schedule, edition and language of somebody's digests, and their stored form.

Owns the fields of a choice and the JSON that keeps one until its owner has confirmed it;
`subscriptions` applies it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.errors import InputError
from notifier.i18n.catalog import SOURCE
from notifier.store.models import Profile, Subscriber, Subscription
from notifier.subscribers.schedule import Schedule

# The link id in the links of a preview: no stored subscription has it.
_PREVIEW_LINK_ID = "preview"


@dataclass(frozen=True)
class Choice:
    """The wishes of somebody for their digests.

    Attributes:
        schedule: when they come.
        edition: for whom they are worded.
        language: the code of their language.
        hidden: the names of the sections that are left out; None leaves what is stored unchanged.
        urgent: send urgent news at once, outside the schedule; None leaves what is stored
            unchanged.

    Raises:
        InputError: the schedule is not valid.
    """

    schedule: Schedule
    edition: Edition = Edition.PATIENT
    language: str = SOURCE
    hidden: tuple[str, ...] | None = None
    urgent: bool | None = None

    def __post_init__(self) -> None:
        self.schedule.check()

    def with_settings_of(self, subscriber: Subscriber) -> "Choice":
        """Return this choice with the time zone and the language that are stored for a person."""
        return replace(
            self,
            schedule=replace(self.schedule, time_zone=subscriber.time_zone),
            language=subscriber.language,
        )


def default_choice(
    cadence: Cadence, time_zone: str, edition: Edition = Edition.PATIENT, language: str = SOURCE
) -> Choice:
    """Return a choice with the default hour and day: 08:00, Mondays, the first of the month."""
    on = {Cadence.WEEKLY: 0, Cadence.MONTHLY: 1}.get(cadence)
    return Choice(Schedule(cadence, "08:00", on, time_zone), edition, language)


def schedule_of(subscription: Subscription) -> Schedule:
    """Return the schedule that is stored for a subscription."""
    return Schedule(
        subscription.cadence,
        subscription.at,
        subscription.on,
        subscription.subscriber.time_zone,
    )


def choice_of(subscription: Subscription) -> Choice:
    """Return the choice that is stored for a subscription."""
    return Choice(
        schedule_of(subscription),
        subscription.edition,
        subscription.subscriber.language,
        tuple(subscription.hidden),
        subscription.urgent,
    )


def choice_to_confirm(subscription: Subscription) -> Choice:
    """Return the choice that a confirmation applies: the waiting wish, else the stored choice.

    The stored one counts, too, where the wish is damaged.
    """
    if subscription.wish is None:
        return choice_of(subscription)
    try:
        return from_json(subscription.wish)
    except (InputError, KeyError, TypeError, ValueError):
        return choice_of(subscription)


def to_json(choice: Choice) -> dict[str, Any]:
    """Return a choice as a JSON object; `from_json` reads it.

    ``at`` is ``"HH:MM"``, ``on`` a weekday (0-6), a day of the month (1-31) or null. ``hidden``
    and ``urgent`` are left out where they are None.
    """
    schedule = choice.schedule
    document = {
        "every": schedule.cadence,
        "at": schedule.at,
        "on": schedule.on,
        "time_zone": schedule.time_zone,
        "edition": choice.edition,
        "language": choice.language,
        "hidden": None if choice.hidden is None else [*choice.hidden],
        "urgent": choice.urgent,
    }
    return {name: value for name, value in document.items() if name == "on" or value is not None}


def from_json(document: Mapping[str, Any]) -> Choice:
    """Return the choice that `to_json` wrote; other keys are ignored.

    Raises:
        InputError: the schedule is not valid.
        KeyError: a field is missing.
        ValueError: there is no such cadence or edition.
    """
    on, hidden, urgent = document["on"], document.get("hidden"), document.get("urgent")
    return Choice(
        Schedule(
            Cadence(str(document["every"])),
            str(document["at"]),
            on if isinstance(on, int) else None,
            str(document["time_zone"]),
        ),
        Edition(str(document["edition"])),
        str(document["language"]),
        None if hidden is None else tuple(str(section) for section in hidden),
        urgent if isinstance(urgent, bool) else None,
    )


def dummy_subscription(
    profile: Profile, choice: Choice, now: datetime, email: str = "reader@example.org"
) -> Subscription:
    """Return a subscription that is not stored, to show a digest with this choice."""
    subscriber = Subscriber(
        email=email,
        language=choice.language,
        time_zone=choice.schedule.time_zone,
        created_at=now,
    )
    return Subscription(
        id=0,
        subscriber=subscriber,
        profile_id=profile.id,
        profile=profile,
        cadence=choice.schedule.cadence,
        at=choice.schedule.at,
        on=choice.schedule.on,
        edition=choice.edition,
        status=SubscriptionStatus.CONFIRMED,
        link_id=_PREVIEW_LINK_ID,
        position=0,
        seen_snapshot="",
        hidden=[*(choice.hidden or ())],
        urgent=bool(choice.urgent),
    )
