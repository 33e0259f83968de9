"""A person's own data: what is kept of them and for how long, the download, and the deletion.

Owns these answers for everybody who comes by a link of their mails, also after they left, or when
mails to them came back: what is stored of them can be read and deleted as long as it is stored.
"""

import json
import logging
from datetime import datetime
from functools import partial
from typing import Any

from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from notifier.deps import Deps
from notifier.enums import SubscriptionStatus, SuppressionCause
from notifier.errors import StoreError
from notifier.i18n.catalog import Language
from notifier.i18n.messages import LazyMessage
from notifier.links import Purpose
from notifier.settings import Settings
from notifier.store import db
from notifier.store.models import Subscription
from notifier.subscribers import lifecycle, privacy, suppressions
from notifier.web import forms, mail_requests
from notifier.web.link_visits import LinkVisit
from notifier.web.responses import (
    DeferredResponse,
    deps_of,
    render_message,
    render_page,
)

log = logging.getLogger("notifier")

UNSUBSCRIBED = LazyMessage("You are unsubscribed.")

# Why no mail is sent to an address, for its owner.
_SUPPRESSED = {
    SuppressionCause.BOUNCED: LazyMessage(
        "Mails to your address came back, so nothing more is sent to it."
    ),
    SuppressionCause.COMPLAINED: LazyMessage(
        "A mail to your address was reported as spam, so nothing more is sent to it."
    ),
}
_NOTHING_SENT = LazyMessage("Nothing is sent to your address any more.")
_FINGERPRINT = LazyMessage(
    "A fingerprint of the address, from which it cannot be read, is kept with the reason for as "
    "long as that holds."
)
_WHILE_SUBSCRIBED = LazyMessage(
    "Your address, your choice and the record of your consent are kept while you are subscribed, "
    "and for a year after you leave."
)
_UNCONFIRMED = LazyMessage(
    "Your address and your choice are kept for 48 hours; then they are deleted unless you confirm."
)


def download(visit: LinkVisit, _form: FormData) -> DeferredResponse:
    """Return everything that is stored about a person, as a JSON file (GDPR Art. 20)."""
    return partial(_file, privacy.export(visit.session, visit.subscription.subscriber))


def _file(document: dict[str, Any]) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return Response(text, headers=headers, media_type="application/json")


def erase(visit: LinkVisit, form: FormData) -> DeferredResponse:
    """Erase the subscriber, after a page that asks whether they are sure."""
    language = visit.language
    if forms.text(form, "sure") != "yes":
        return visit.page("erase", {})
    subscriber = visit.subscription.subscriber
    traces = privacy.addresses_of(visit.session, subscriber.address_hash)
    privacy.erase(visit.session, subscriber, SuppressionCause.ERASED, "erased", visit.now)
    return partial(_erased_page, visit.request, language, traces)


def _erased_page(request: Request, language: Language, traces: list[str]) -> Response:
    page = render_message(
        request,
        LazyMessage("Everything about you is deleted."),
        LazyMessage(
            "Only a fingerprint of your address stays, so that nobody writes to it again unless "
            "you ask for it."
        ),
        language,
    )
    page.background = BackgroundTask(scrub, deps_of(request), traces)
    return page


def scrub(deps: Deps, traces: list[str]) -> None:
    """Overwrite the bytes of the deleted rows in the database's files."""
    try:
        db.scrub(deps.engine, traces)
    except StoreError as error:
        log.warning("%s %s", error.problem, error.fix)


def write_again(visit: LinkVisit) -> bool:
    """Lift a suppression that the owner of the address may lift; return whether it is lifted."""
    return suppressions.lift_by_owner(visit.session, visit.subscription.subscriber.address_hash)


def left_page(visit: LinkVisit, heading: LazyMessage, *, by_preferences: bool) -> DeferredResponse:
    """Return the page for somebody whose subscription does not run.

    It tells what is kept and for how long, and offers to take back what may be taken back.

    Args:
        visit: the visit.
        heading: of the page.
        by_preferences: they came by the link to their preferences, which opens their data as long
            as something is stored. A link to unsubscribe, which mail programs know and which never
            expires, opens them only in the days after the end, see `opens_data`.
    """
    subscription, deps = visit.subscription, visit.deps
    values = {
        "heading": visit.language.translate(heading),
        "ended": subscription.status is SubscriptionStatus.ENDED,
        "therapy": subscription.profile.name,
        "undo": may_undo(visit),
        "kept": kept(visit),
        "by_preferences": by_preferences,
        "own_data": by_preferences or opens_data(visit),
        "leave_url": deps.links.token(Purpose.UNSUBSCRIBE, subscription.link_id, visit.now)
        if by_preferences
        else "",
    }
    return visit.page("unsubscribed", values)


def opens_data(visit: LinkVisit) -> bool:
    """Return whether a link to unsubscribe may download and delete what is stored of its owner.

    It may in the week after the end, in which it can undo it, too: whoever leaves finds all three
    on one page. The preferences link in the same mail could do the same, and mail programs, which
    know this link from the header, only send GET and the one-click POST.
    """
    ended_at = visit.subscription.ended_at
    return (
        visit.subscription.status is SubscriptionStatus.ENDED
        and ended_at is not None
        and visit.now - ended_at <= lifecycle.UNDO_FOR
    )


def may_undo(visit: LinkVisit) -> bool:
    """Return whether the end of the subscription may be taken back by its owner."""
    suppression = suppressions.of(visit.session, visit.subscription.subscriber.address_hash)
    by_owner = suppression is None or suppression.cause in suppressions.LIFTED_BY_OWNER
    return by_owner and lifecycle.may_undo(visit.subscription, visit.now)


def kept(visit: LinkVisit) -> list[str]:
    """Return what is kept of a person and for how long, in sentences in their language."""
    sentences = [visit.language.translate(_period(visit.subscription))]
    if reason := why_nothing_is_sent(visit):
        sentences += [reason, visit.language.translate(_FINGERPRINT)]
    return sentences


def why_nothing_is_sent(visit: LinkVisit) -> str:
    """Return why the address of a person is suppressed, in their language; empty if it is not."""
    suppression = suppressions.of(visit.session, visit.subscription.subscriber.address_hash)
    if suppression is None:
        return ""
    return visit.language.translate(_SUPPRESSED.get(suppression.cause, _NOTHING_SENT))


def _period(subscription: Subscription) -> str:
    """Return how long the address, the choice and the record of consent are kept."""
    subscriptions = subscription.subscriber.subscriptions
    statuses = {each.status for each in subscriptions}
    if statuses & SubscriptionStatus.RUNNING:
        return _WHILE_SUBSCRIBED
    if statuses == {SubscriptionStatus.PENDING}:
        return _UNCONFIRMED
    ended: list[datetime] = [each.ended_at or each.created_at for each in subscriptions]
    until = max(ended) + lifecycle.KEPT_AFTER_LEAVING
    return LazyMessage(
        "Your address, your choice and the record of your consent are kept until %(day)s, as proof "
        "that you agreed; then they are deleted, and a fingerprint of the address stays, so that "
        "nobody writes to it again unless you ask for it.",
        day=until.date(),
    )


def show_privacy(request: Request) -> Response:
    """Show who is responsible, what is kept, for how long, and which rights a person has."""
    return render_page(request, "privacy", facts(deps_of(request).settings))


def facts(settings: Settings) -> dict[str, str]:
    """Return who is responsible for people's data and whom they can ask, for a page."""
    return {
        "controller": settings.controller,
        "contact": settings.contact,
        "contact_url": mail_requests.contact_url(settings.contact),
        "privacy_url": settings.privacy.url or "",
    }
