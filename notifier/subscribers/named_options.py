"""Named options: an operator names some fields of a choice, and the others stay as they are stored.

Owns what stands in for a field that is not named: what the person has, else the defaults of a new
subscription. A stored value that cannot be read counts as none, so that the command that stores a
choice again also mends a damaged one.
"""

from dataclasses import dataclass
from datetime import time

from sqlalchemy.orm import Session

from notifier.enums import Cadence, Edition
from notifier.errors import InputError
from notifier.i18n.catalog import LANGUAGES, SOURCE
from notifier.store.models import Profile, Subscriber, Subscription
from notifier.subscribers import subscriptions
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import Schedule, parse_at, parse_on, parse_zone

_DEFAULT_AT = time(8).strftime("%H:%M")


@dataclass(frozen=True)
class NamedOptions:
    """The options that were named; None for one that was not.

    Attributes:
        cadence: how often.
        at: the time of day, as it was typed.
        on: the weekday or the day of the month, as it was typed.
        time_zone: the name of a zone, as it was typed.
        edition: for whom digests are worded.
        language: a code of `LANGUAGES`.
    """

    cadence: Cadence | None = None
    at: str | None = None
    on: str | None = None
    time_zone: str | None = None
    edition: Edition | None = None
    language: str | None = None


def choice_with(
    session: Session, email: str, profile: Profile, named: NamedOptions, default_zone: str
) -> Choice:
    """Return the choice of a person for a profile, with what was named in place of what is stored.

    Args:
        session: any session.
        email: of the person, who may be new.
        profile: what is subscribed to.
        named: the options.
        default_zone: the time zone of a new person who names none.

    Raises:
        AddressError: the text is not an e-mail address.
        InputError: an option is not valid, or the day does not fit the cadence.
    """
    person = subscriptions.find_subscriber(session, email)
    stored = next(
        (
            each
            for each in (person.subscriptions if person else ())
            if each.profile_id == profile.id
        ),
        None,
    )
    return _choice(named, person, stored, default_zone)


def usable_choice(subscription: Subscription, default_zone: str) -> Choice:
    """Return the stored choice, with usual values in place of those that cannot be used.

    Args:
        subscription: of which the columns can be read.
        default_zone: the time zone in place of one that does not exist.
    """
    return _choice(NamedOptions(), subscription.subscriber, subscription, default_zone)


def _choice(
    named: NamedOptions, person: Subscriber | None, stored: Subscription | None, default_zone: str
) -> Choice:
    cadence = named.cadence or (stored.cadence if stored else Cadence.WEEKLY)
    schedule = Schedule(
        cadence, _at(named, stored), _on(named, stored, cadence), _zone(named, person, default_zone)
    )
    edition = named.edition or (stored.edition if stored else Edition.PATIENT)
    known = person is not None and person.language in LANGUAGES
    language = named.language or (person.language if person and known else SOURCE)
    return Choice(schedule, edition, language)


def _at(named: NamedOptions, stored: Subscription | None) -> str:
    if named.at is not None:
        return parse_at(named.at)
    try:
        return parse_at(stored.at) if stored else _DEFAULT_AT
    except InputError:
        return _DEFAULT_AT


def _on(named: NamedOptions, stored: Subscription | None, cadence: Cadence) -> int | None:
    """Return the day; the stored one is kept only while the cadence stays the same."""
    if named.on is None and stored is not None and stored.cadence is cadence:
        schedule = Schedule(cadence, _DEFAULT_AT, stored.on, "UTC")
        try:
            schedule.check()
        except InputError:
            return parse_on(None, cadence)
        return stored.on
    return parse_on(named.on, cadence)


def _zone(named: NamedOptions, person: Subscriber | None, default_zone: str) -> str:
    if named.time_zone is not None:
        return parse_zone(named.time_zone)
    try:
        return parse_zone(person.time_zone) if person else parse_zone(default_zone)
    except InputError:
        return parse_zone(default_zone)
