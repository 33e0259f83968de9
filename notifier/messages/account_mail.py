"""Account mails: the mails about a subscription itself, and the alerts to the operator.

Owns the texts of welcome, already subscribed, requested link, change of address, renewal and
reminder, and the values of confirmations and operator alerts. Each mail says what to do in one
link. None names a therapy in its subject or at its beginning, which lock screens show: the first
sentences are long enough to fill that room.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import object_session

from notifier.deliver.mime.message import MessageSpec
from notifier.deps import Deps
from notifier.digest import archive
from notifier.digest.digests import Rendered
from notifier.digest.view import Variant
from notifier.enums import DeliveryKind, SubscriptionStatus
from notifier.i18n.catalog import Language, language_of
from notifier.links import Purpose
from notifier.messages import digest_body
from notifier.store.models import AddressChange, Notice, Subscription
from notifier.subscribers import consent
from notifier.subscribers.address_changes import Side
from notifier.subscribers.choices import choice_to_confirm, schedule_of
from notifier.text import times

# The kinds of mails that `account_spec` writes.
KINDS = frozenset(
    (
        DeliveryKind.WELCOME,
        DeliveryKind.ALREADY,
        DeliveryKind.LINK,
        DeliveryKind.RENEWAL,
        DeliveryKind.REMINDER,
        DeliveryKind.CLOSED,
    )
)


@dataclass(frozen=True)
class _Head:
    """The values of an account mail that do not depend on its text.

    Attributes:
        to: the recipient's address.
        message_id: of the delivery, with angle brackets.
        language: the recipient's language.
        latest: the latest items, shown below everything else; None for none.
    """

    to: str
    message_id: str
    language: Language
    latest: Rendered | None = None


def account_spec(
    deps: Deps, kind: DeliveryKind, subscription: Subscription, message_id: str, now: datetime
) -> MessageSpec:
    """Return the mail of a kind in `KINDS` to the owner of a subscription.

    Args:
        deps: the installation.
        kind: the kind of mail.
        subscription: the subscription, with its subscriber and profile.
        message_id: the Message-ID of the delivery, with angle brackets.
        now: the time from which the links are valid.
    """
    subscriber = subscription.subscriber
    head = _Head(subscriber.email, message_id, language_of(subscriber.language))
    if kind is DeliveryKind.WELCOME:
        return _welcome(deps, subscription, head, now)
    if kind is DeliveryKind.CLOSED:
        return _closed(subscription, head)
    if kind in (DeliveryKind.RENEWAL, DeliveryKind.REMINDER):
        return _renewal(deps, kind, subscription, head, now)
    return _links(deps, kind, subscription, head, now)


def _welcome(deps: Deps, subscription: Subscription, head: _Head, now: datetime) -> MessageSpec:
    language = head.language
    first = language.gettext("The first digest comes with the first news.")
    if subscription.next_due_at is not None:
        zone = times.zone_or_utc(subscription.subscriber.time_zone)
        moment = language.moment(subscription.next_due_at.astimezone(zone))
        first = language.gettext("The first digest can come on %(moment)s.", moment=moment)
    quiet = language.gettext("When there is nothing to tell, no mail comes.")
    below = language.gettext("What you chose is written below; you can change it at any time.")
    subject = language.gettext("Welcome: your subscription is confirmed")
    action = (
        language.gettext("Change what you get, and when"),
        deps.links.url(Purpose.PREFERENCES, subscription.link_id, now),
    )
    return _spec(
        replace(head, latest=_latest(deps, subscription, language, now)),
        subject,
        [f"{first} {quiet} {below}", _describe(subscription, language)],
        [action],
        language.gettext(
            "The same link is in every mail. It is yours alone: whoever has it can change your "
            "choice."
        ),
        _leave_url(deps, subscription, now),
    )


def _latest(
    deps: Deps, subscription: Subscription, language: Language, now: datetime
) -> Rendered | None:
    """Render the latest items as a digest shows them; None if there are none."""
    session = object_session(subscription)
    if session is None:
        return None
    variant = Variant(subscription.cadence, subscription.edition, language.code)
    view = archive.latest_view(session, subscription.profile, variant, now)
    return None if view is None else digest_body.renderer(deps)(view)


def _links(
    deps: Deps, kind: DeliveryKind, subscription: Subscription, head: _Head, now: datetime
) -> MessageSpec:
    """Return the mail with the links to the preferences of all running subscriptions."""
    language = head.language
    already = kind is DeliveryKind.ALREADY
    subject = (
        language.gettext("You are subscribed already")
        if already
        else language.gettext("The link you asked for")
    )
    reason = (
        language.gettext(
            "Somebody, perhaps you, asked us to send news to this address. You get them already:"
        )
        if already
        else language.gettext("Somebody, perhaps you, asked us for the link to your preferences:")
    )
    neutral = language.gettext(
        "This mail is about your subscriptions. The links below are yours alone: whoever has one "
        "of them can change what you get, and when, or end it."
    )
    running = [
        owned
        for owned in subscription.subscriber.subscriptions
        if owned.status in SubscriptionStatus.RUNNING
    ]
    return _spec(
        head,
        subject,
        [neutral, reason, *(_describe(owned, language) for owned in running)],
        [
            (
                language.gettext("Preferences: %(therapy)s", therapy=owned.profile.name),
                deps.links.url(Purpose.PREFERENCES, owned.link_id, now),
            )
            for owned in running
        ],
        language.gettext("If it was not you, do nothing: nothing has changed."),
    )


def _closed(subscription: Subscription, head: _Head) -> MessageSpec:
    """Return the mail to somebody whose digest is not made any more."""
    language = head.language
    what = language.gettext(
        "The digest that you subscribed to is not made any more, so your subscription has ended. "
        "You need not do anything, and you get no more of these mails."
    )
    which = language.gettext(
        "It was the digest with news about %(therapy)s.", therapy=subscription.profile.name
    )
    return _spec(head, language.gettext("Your digest has ended"), [what, which], [])


def _renewal(
    deps: Deps, kind: DeliveryKind, subscription: Subscription, head: _Head, now: datetime
) -> MessageSpec:
    language = head.language
    last = kind is DeliveryKind.REMINDER
    without_answer = (
        language.gettext(
            "This is the last question: without your yes your subscription ends in two weeks."
        )
        if last
        else language.gettext(
            "Without your yes we ask once more in two weeks, and then end your subscription."
        )
    )
    subject = (
        language.gettext("Last question: do you still want your digest?")
        if last
        else language.gettext("Do you still want your digest?")
    )
    reason = language.gettext(
        "From time to time we ask everybody whether they still want their digest, so that no list "
        "outlives its use."
    )
    action = (
        language.gettext("Yes, I still want it"),
        deps.links.url(Purpose.RENEW, subscription.link_id, now),
    )
    return _spec(
        head,
        subject,
        [reason, without_answer, _describe(subscription, language)],
        [action],
        leave_url=_leave_url(deps, subscription, now),
    )


def address_change_spec(
    deps: Deps, change: AddressChange, kind: DeliveryKind, message_id: str, now: datetime
) -> MessageSpec:
    """Return the question to one of two addresses whether the new one replaces the old one.

    Args:
        deps: the installation.
        change: the change of address.
        kind: `CHANGE_OLD` for the old address, else the new one.
        message_id: the Message-ID of the delivery, with angle brackets.
        now: the time from which the links are valid.
    """
    language = language_of(change.subscriber.language)
    old = kind is DeliveryKind.CHANGE_OLD
    side, to = (Side.OLD, change.subscriber.email) if old else (Side.NEW, change.email)
    reason = (
        language.gettext(
            "You asked us to write to another address from now on: %(address)s.",
            address=change.email or "…",
        )
        if old
        else language.gettext(
            "Somebody, we hope you, asked us to write to this address from now on."
        )
    )
    subject = language.gettext("Please confirm the change of address")
    condition = language.gettext(
        "Both addresses, the old and the new one, have to agree. The link works for 48 hours."
    )
    action = (
        language.gettext("Agree to the change"),
        deps.links.url(Purpose.ADDRESS, f"{side}:{change.link_id}", now),
    )
    return _spec(
        _Head(to, message_id, language),
        subject,
        [reason, condition],
        [action],
        language.gettext("If it was not you, do nothing: nothing has changed."),
        never_url="" if old else deps.links.url(Purpose.NEVER, change.address_hash, now),
    )


def _describe(subscription: Subscription, language: Language) -> str:
    return language.gettext(
        "You get news about %(therapy)s: %(schedule)s.",
        therapy=subscription.profile.name,
        schedule=schedule_of(subscription).describe(language),
    )


def _leave_url(deps: Deps, subscription: Subscription, now: datetime) -> str:
    return deps.links.url(Purpose.UNSUBSCRIBE, subscription.link_id, now)


def _spec(
    head: _Head,
    subject: str,
    paragraphs: Sequence[str],
    actions: Sequence[tuple[str, str]],
    aside: str = "",
    leave_url: str = "",
    never_url: str = "",
) -> MessageSpec:
    """Return an account mail.

    Args:
        head: recipient, Message-ID and language.
        subject: one line.
        paragraphs: the text above the actions.
        actions: label and URL of each button.
        aside: a remark below the actions.
        leave_url: the URL for unsubscribing; empty for none.
        never_url: the URL for "never write to this address again"; empty for none.
    """
    values = {
        "paragraphs": paragraphs,
        "actions": actions,
        "aside": aside,
        "leave_url": leave_url,
        "never_url": never_url,
        "latest_html": head.latest.html if head.latest else "",
        "latest_text": head.latest.text if head.latest else "",
    }
    return MessageSpec(
        head.message_id, head.to, subject, "account", values, language=head.language.code
    )


def operator_alert_spec(notice: Notice, message_id: str) -> MessageSpec:
    """Return the mail of a notice to the operator; it is not translated."""
    paragraphs = [paragraph.splitlines() for paragraph in notice.text.split("\n\n")]
    return MessageSpec(
        message_id, notice.to, notice.subject, "operator_alert", {"paragraphs": paragraphs}
    )


def confirmation_spec(
    deps: Deps, subscription: Subscription, message_id: str, now: datetime
) -> MessageSpec:
    """Return the question whether a sign-up was theirs, with the choice that a yes starts.

    Args:
        deps: the installation.
        subscription: the subscription that waits for a confirmation.
        message_id: the Message-ID of the delivery, with angle brackets.
        now: the time from which the links are valid.
    """
    choice, subscriber = choice_to_confirm(subscription), subscription.subscriber
    language = language_of(choice.language)
    discreet_subject = language.gettext("Please confirm your subscription")
    therapy = subscription.profile.name
    open_subject = language.gettext(
        "Please confirm your subscription to news about %(therapy)s", therapy=therapy
    )
    return MessageSpec(
        message_id=message_id,
        to=subscriber.email,
        subject=discreet_subject if deps.settings.sender.discreet else open_subject,
        template="confirmation",
        values={"therapy": therapy, "wording": consent.wording(language)},
        personal={
            "schedule": choice.schedule.describe(language),
            "confirm_url": deps.links.url(Purpose.CONFIRM, subscription.link_id, now),
            "never_url": deps.links.url(Purpose.NEVER, subscriber.address_hash, now),
        },
        language=language.code,
    )
