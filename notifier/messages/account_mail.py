"""Notes: what somebody is written about their own subscription, beside the digests.

Owns the words of these mails: welcome, already subscribed, the lost link, a new address, the
question whether they still want it. Each says what to do in one link. None names a therapy in its
subject or at its beginning, which lock screens show: what is said first is long enough to fill that
room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.deliver.mime.message import MessageSpec
from notifier.deps import Deps
from notifier.enums import DeliveryKind, SubscriptionStatus
from notifier.i18n.catalog import Language, language_of
from notifier.links import Purpose
from notifier.store.models import AddressChange, Notice, Subscription
from notifier.subscribers import consent
from notifier.subscribers.address_changes import Side
from notifier.subscribers.choices import choice_to_confirm, schedule_of

KINDS = frozenset(
    (
        DeliveryKind.WELCOME,
        DeliveryKind.ALREADY,
        DeliveryKind.LINK,
        DeliveryKind.RENEWAL,
        DeliveryKind.REMINDER,
    )
)


def account_spec(
    deps: Deps, kind: DeliveryKind, one: Subscription, message_id: str, now: datetime
) -> MessageSpec:
    """The mail of this kind to the owner of a subscription."""
    spoken = language_of(one.subscriber.language)
    if kind is DeliveryKind.WELCOME:
        return _welcome(deps, one, spoken, message_id, now)
    if kind in (DeliveryKind.RENEWAL, DeliveryKind.REMINDER):
        return _renewal(deps, kind, one, spoken, message_id, now)
    return _links(deps, kind, one, spoken, message_id, now)


def _welcome(
    deps: Deps, one: Subscription, spoken: Language, message_id: str, now: datetime
) -> MessageSpec:
    first = spoken.gettext("The first digest comes with the first news.")
    if one.next_due_at is not None:
        moment = spoken.moment(one.next_due_at.astimezone(ZoneInfo(one.subscriber.time_zone)))
        first = spoken.gettext("The first digest can come on %(moment)s.", moment=moment)
    quiet = spoken.gettext("When there is nothing to tell, no mail comes.")
    below = spoken.gettext("What you chose stands below; you can change it at any time.")
    subject = spoken.gettext("Welcome: your subscription is confirmed")
    return _note(
        _Envelope(one.subscriber.email, message_id, spoken),
        subject,
        [
            f"{first} {quiet} {below}",
            _told(one, spoken),
        ],
        [
            (
                spoken.gettext("Change what you get, and when"),
                deps.links.url(Purpose.PREFERENCES, one.link_id, now),
            )
        ],
        spoken.gettext(
            "The same link stands in every mail. It is yours alone: who has it can change your choice."
        ),
        _leave_url(deps, one, now),
    )


def _links(
    deps: Deps,
    kind: DeliveryKind,
    one: Subscription,
    spoken: Language,
    message_id: str,
    now: datetime,
) -> MessageSpec:
    """The way to the preferences of everything somebody is subscribed to."""
    asked_again = kind is DeliveryKind.ALREADY
    subject = (
        spoken.gettext("You are subscribed already")
        if asked_again
        else spoken.gettext("The link you asked for")
    )
    reason = (
        spoken.gettext(
            "Somebody, perhaps you, asked us to send news to this address. You get them already:"
        )
        if asked_again
        else spoken.gettext("Somebody, perhaps you, asked us for the link to your preferences:")
    )
    neutral = spoken.gettext(
        "This mail is about your subscriptions. The links below are yours alone: who has one of them can change what "
        "you get, and when, or end it."
    )
    running = [
        each for each in one.subscriber.subscriptions if each.status in SubscriptionStatus.RUNNING
    ]
    return _note(
        _Envelope(one.subscriber.email, message_id, spoken),
        subject,
        [neutral, reason, *(_told(each, spoken) for each in running)],
        [
            (
                spoken.gettext("Preferences: %(therapy)s", therapy=each.profile.name),
                deps.links.url(Purpose.PREFERENCES, each.link_id, now),
            )
            for each in running
        ],
        spoken.gettext("If it was not you, do nothing: nothing has changed."),
    )


def _renewal(
    deps: Deps,
    kind: DeliveryKind,
    one: Subscription,
    spoken: Language,
    message_id: str,
    now: datetime,
) -> MessageSpec:
    last = kind is DeliveryKind.REMINDER
    silence = (
        spoken.gettext(
            "This is the last question: without your yes your subscription ends in two weeks."
        )
        if last
        else spoken.gettext(
            "Without your yes we ask once more in two weeks, and then end your subscription."
        )
    )
    return _note(
        _Envelope(one.subscriber.email, message_id, spoken),
        spoken.gettext("Last question: do you still want your digest?")
        if last
        else spoken.gettext("Do you still want your digest?"),
        [
            spoken.gettext(
                "From time to time we ask everybody whether they still want their digest, so that no list outlives its "
                "use."
            ),
            silence,
            _told(one, spoken),
        ],
        [(spoken.gettext("Yes, I still want it"), deps.links.url(Purpose.RENEW, one.link_id, now))],
        leave_url=_leave_url(deps, one, now),
    )


def address_change_spec(
    deps: Deps, change: AddressChange, kind: DeliveryKind, message_id: str, now: datetime
) -> MessageSpec:
    """The question to one of two addresses whether the new one shall take the old one's place."""
    spoken = language_of(change.subscriber.language)
    old = kind is DeliveryKind.CHANGE_OLD
    side, to = (Side.OLD, change.subscriber.email) if old else (Side.NEW, change.email)
    what = (
        spoken.gettext(
            "You asked us to write to another address from now on: %(address)s.",
            address=change.email or "…",
        )
        if old
        else spoken.gettext("Somebody, we hope you, asked us to write to this address from now on.")
    )
    return _note(
        _Envelope(to, message_id, spoken),
        spoken.gettext("Please confirm the change of address"),
        [
            what,
            spoken.gettext(
                "Both addresses, the old and the new one, have to agree. The link holds for 48 hours."
            ),
        ],
        [
            (
                spoken.gettext("Agree to the change"),
                deps.links.url(Purpose.ADDRESS, f"{side}:{change.link_id}", now),
            )
        ],
        spoken.gettext("If it was not you, do nothing: nothing has changed."),
        never_url="" if old else deps.links.url(Purpose.NEVER, change.address_hash, now),
    )


def _told(one: Subscription, spoken: Language) -> str:
    schedule = schedule_of(one).describe(spoken)
    return spoken.gettext(
        "You get news about %(therapy)s: %(schedule)s.", therapy=one.profile.name, schedule=schedule
    )


def _leave_url(deps: Deps, one: Subscription, now: datetime) -> str:
    return deps.links.url(Purpose.UNSUBSCRIBE, one.link_id, now)


@dataclass(frozen=True)
class _Envelope:
    to: str
    message_id: str
    spoken: Language


def _note(
    envelope: _Envelope,
    subject: str,
    paragraphs: Sequence[str],
    actions: Sequence[tuple[str, str]],
    aside: str = "",
    leave_url: str = "",
    never_url: str = "",
) -> MessageSpec:
    values = {
        "paragraphs": paragraphs,
        "actions": actions,
        "aside": aside,
        "leave_url": leave_url,
        "never_url": never_url,
    }
    return MessageSpec(
        envelope.message_id, envelope.to, subject, "account", values, language=envelope.spoken.code
    )


def operator_alert_spec(notice: Notice, message_id: str) -> MessageSpec:
    """A notice to the operator."""
    paragraphs = [paragraph.splitlines() for paragraph in notice.text.split("\n\n")]
    return MessageSpec(
        message_id, notice.to, notice.subject, "operator_alert", {"paragraphs": paragraphs}
    )


def confirmation_spec(deps: Deps, one: Subscription, message_id: str, now: datetime) -> MessageSpec:
    """The question whether it was they who subscribed, with the choice that their yes begins."""
    choice, person = choice_to_confirm(one), one.subscriber
    spoken = language_of(choice.language)
    plain = spoken.gettext("Please confirm your subscription")
    therapy = one.profile.name
    named = spoken.gettext(
        "Please confirm your subscription to news about %(therapy)s", therapy=therapy
    )
    return MessageSpec(
        message_id=message_id,
        to=person.email,
        subject=plain if deps.settings.sender.discreet else named,
        template="confirmation",
        values={"therapy": therapy, "wording": consent.wording(spoken)},
        personal={
            "schedule": choice.schedule.describe(spoken),
            "confirm_url": deps.links.url(Purpose.CONFIRM, one.link_id, now),
            "never_url": deps.links.url(Purpose.NEVER, person.address_hash, now),
        },
        language=spoken.code,
    )
