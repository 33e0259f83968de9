"""One person, looked up by an owner: what they get, what became of it, and what can be done.

The address is in no URL, no log and no page of an expired log-in: forms carry it. A form can name
any address, so that an account which is shown after a refused form is looked up like any other.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from notifier.admin import person
from notifier.admin.person import Asked, Person, TooManyLookUpsError
from notifier.enums import (
    ConsentEvent,
    DeliveryStatus,
    EndReason,
    SubscriptionStatus,
    SuppressionCause,
)
from notifier.errors import AddressError, ChangedMeanwhileError, InputError
from notifier.i18n.catalog import ENGLISH_NAMES
from notifier.subscribers.suppressions import LIFTED_BY_OWNER
from notifier.text import times
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.access import action
from notifier.web.operator.mail_page import KINDS
from notifier.web.operator.people import people_numbers
from notifier.web.operator.visit import Visit, number_of

_LONGEST_REASON = 500

_STATUSES = {
    SubscriptionStatus.PENDING: "not confirmed yet",
    SubscriptionStatus.CONFIRMED: "running",
    SubscriptionStatus.PAUSED: "paused",
    SubscriptionStatus.ENDED: "ended",
}
_CAUSES = {
    SuppressionCause.ASKED: "An operator stopped mail to this address.",
    SuppressionCause.NEVER: "Its owner asked never to be written to again.",
    SuppressionCause.ERASED: "Everything about its owner was deleted.",
    SuppressionCause.LEFT: "Its owner left long ago, and was deleted.",
    SuppressionCause.BOUNCED: "Mails to it came back: the mailbox does not exist, or is full.",
    SuppressionCause.COMPLAINED: "Its owner marked a mail as unwanted.",
}
_ENDED = {
    EndReason.SUPPRESSED: "not sent: the address is not mailed",
    EndReason.LEFT: "not sent: the subscription had ended",
    EndReason.MERGED: "not sent: a newer digest had the same",
    EndReason.EXPIRED: "not sent: it was too late to answer it",
    EndReason.DROPPED: "not sent: an operator ended it",
}
_OUTCOMES = {
    DeliveryStatus.PENDING: "waits",
    DeliveryStatus.SENDING: "is being sent",
    DeliveryStatus.SENT: "accepted by the mail server",
    DeliveryStatus.FAILED: "refused",
    DeliveryStatus.UNCERTAIN: "unknown: the connection broke before the answer",
    DeliveryStatus.SUPPRESSED: "not sent",
}
_METHODS = {
    "link": "by the link in a mail",
    "preferences": "on the page of the preferences",
    "command line": "by the person who runs the server",
    "operator page": "on these pages",
    "import": "with a list that was taken over",
    "undo": "by undoing the end",
    "renewal": "by saying that they stay",
    "silence": "by not answering whether they stay",
    "never": "by asking never to be written to",
    "address change": "with a new address",
    "mail": "by a mail to us",
    "complaint": "by marking a mail as unwanted",
    "journal": "as noted before a backup was restored",
}
_EVENTS = {ConsentEvent.GIVEN: "Agreed", ConsentEvent.WITHDRAWN: "Withdrawn"}


def routes() -> list[Route]:
    """Return the addresses of the forms."""
    return [
        Route(f"/operator/people/{name}", action(handler, for_owners=True), methods=["POST"])
        for name, handler in (
            ("person", look_up),
            ("person/pause", pause),
            ("person/resume", resume),
            ("person/end", end),
            ("person/let-go", let_go),
        )
    ]


def look_up(visit: Visit, form: FormData) -> Response:
    """Look up one address."""
    return _looked_up(visit, forms.text(form, "email"))


def pause(visit: Visit, form: FormData) -> Response:
    """Hold a subscription's digests back."""
    asked, until = _asked(visit, form), forms.text(form, "until")
    try:
        end_at = _end_of_pause(until, visit.now)
    except ValueError:
        wrong = {"id": _subscription(form), "until": until, "reason": asked.reason}
        return _looked_up(visit, asked.email, wrong=wrong, status=422)
    return _done(visit, asked, lambda: person.pause(visit.deps, asked, _subscription(form), end_at))


def resume(visit: Visit, form: FormData) -> Response:
    """End a pause."""
    asked = _asked(visit, form)
    return _done(visit, asked, lambda: person.resume(visit.deps, asked, _subscription(form)))


def end(visit: Visit, form: FormData) -> Response:
    """End a subscription."""
    asked = _asked(visit, form)
    return _done(visit, asked, lambda: person.end(visit.deps, asked, _subscription(form)))


def let_go(visit: Visit, form: FormData) -> Response:
    """Allow mail to an address again."""
    asked = _asked(visit, form)
    return _done(visit, asked, lambda: person.let_go(visit.deps, asked))


def _done(visit: Visit, asked: Asked, change: Callable[[], int]) -> Response:
    try:
        action_id = change()
    except ChangedMeanwhileError as error:
        return _looked_up(
            visit, asked.email, problem=error.problem, reason=asked.reason, status=409
        )
    return rendering.done(visit, "people", action_id)


def _asked(visit: Visit, form: FormData) -> Asked:
    reason = forms.text(form, "reason")[:_LONGEST_REASON]
    return Asked(forms.text(form, "email"), forms.text(form, "state"), visit.actor, reason)


def _subscription(form: FormData) -> int:
    """Return the id of the subscription that a form is about.

    Raises:
        InputError: it names none.
    """
    number = number_of(forms.text(form, "subscription"))
    if not number:
        raise InputError("The form names no subscription: nothing was changed.")
    return number


def _end_of_pause(text: str, now: datetime) -> date | None:
    """Return the day on which a pause ends; None for an empty text.

    Raises:
        ValueError: it is no day between today and five years ahead.
    """
    return times.day_ahead(text, now.date()) if text else None


def _looked_up(
    visit: Visit,
    email: str,
    *,
    problem: str = "",
    reason: str = "",
    wrong: dict[str, object] | None = None,
    status: int = 200,
) -> Response:
    """Look up an address and show its account, perhaps with what is wrong with a form."""
    try:
        account = person.look_up(visit.deps, email, visit.actor)
    except AddressError as error:
        refused = f"This is not a usable e-mail address: {error.reason}"
        return _asked_again(visit, email, refused, 422)
    except TooManyLookUpsError as error:
        return _asked_again(visit, email, f"{error.problem} {error.fix}", 429)
    values = {"problem": problem, "reason": reason, "wrong": wrong or {}}
    return _page(visit, account, values, status)


def _asked_again(visit: Visit, email: str, problem: str, status: int) -> Response:
    """Show the form again, with what was typed and what is wrong."""
    values = {**people_numbers.values_of(visit), "email": email, "problem": problem}
    return rendering.show(visit, "people", values, section="people", status=status)


def _page(visit: Visit, account: Person, values: Mapping[str, object], status: int) -> Response:
    suppression = account.suppression
    values = {
        **values,
        "person": account,
        "today": visit.now.date().isoformat(),
        "cause": _CAUSES[suppression.cause] if suppression is not None else "",
        "lifted_by_owner": suppression is not None and suppression.cause in LIFTED_BY_OWNER,
        "statuses": _STATUSES,
        "kinds": KINDS,
        "outcomes": _OUTCOMES,
        "ended": _ENDED,
        "methods": _METHODS,
        "events": _EVENTS,
        "languages": ENGLISH_NAMES,
    }
    return rendering.show(visit, "person", values, section="people", status=status)
