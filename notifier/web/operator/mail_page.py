"""Mail: what stands in the way of mails that go out, and the decisions about it.

All sending, mails of which nobody knows whether they arrived, and addresses from which mails came
back: these have no page of their own. The addresses are decided about by owners, and never shown.
"""

from typing import Any

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import Route

from notifier.admin import sending
from notifier.deliver.outbox import stop, uncertain
from notifier.deliver.outbox.uncertain import Group
from notifier.enums import DeliveryKind
from notifier.errors import ChangedMeanwhileError, InputError, NotifierError
from notifier.operators import actions
from notifier.pipeline import brake, unsent
from notifier.store import backup_state
from notifier.store.models import Digest
from notifier.subscribers import held_suppressions
from notifier.web import forms
from notifier.web.operator import rendering
from notifier.web.operator.access import action, page
from notifier.web.operator.visit import Visit, number_of

# Groups that are listed of each kind. Chosen by hand.
_MOST = 50
_LONGEST_REASON = 500

# Each kind of message in words.
KINDS = {
    DeliveryKind.DIGEST: "digest",
    DeliveryKind.CONFIRMATION: "question to confirm a subscription",
    DeliveryKind.WELCOME: "welcome",
    DeliveryKind.ALREADY: "answer to a sign-up",
    DeliveryKind.LINK: "fresh link to the preferences",
    DeliveryKind.CHANGE_OLD: "question about a new address",
    DeliveryKind.CHANGE_NEW: "question about a new address",
    DeliveryKind.RENEWAL: "question whether a reader stays",
    DeliveryKind.REMINDER: "reminder of that question",
    DeliveryKind.NOTICE: "mail to the operator",
    DeliveryKind.NOTE: "note about a digest",
    DeliveryKind.CLOSED: "notice that a digest ended",
}
# The beginning of the words of servers' codes (RFC 3463, 3.2).
_CODES = {
    "5.1.1": "the mailbox does not exist",
    "5.1.2": "the domain does not exist",
    "5.1.10": "the domain takes no mail",
    "5.2.1": "the mailbox is switched off",
    "550": "the mailbox cannot be reached",
    "": "no code was given",
}


def routes() -> list[Route]:
    """Return the addresses of the page and of its forms."""
    return [
        Route("/operator/mail", page(show), methods=["GET"]),
        Route("/operator/mail/stop", action(stop_sending), methods=["POST"]),
        Route("/operator/mail/go-on", action(go_on), methods=["POST"]),
        Route("/operator/mail/uncertain", action(decide_uncertain), methods=["POST"]),
        Route(
            "/operator/mail/addresses", action(decide_addresses, for_owners=True), methods=["POST"]
        ),
    ]


def show(visit: Visit) -> Response:
    """Show what stands in the way of mails."""
    return _page(visit)


def stop_sending(visit: Visit, form: FormData) -> Response:
    """Stop all sending."""
    try:
        action_id = sending.stop(visit.deps, visit.actor, _reason(form))
    except NotifierError as error:
        return _page(visit, form, error, about="sending")
    return rendering.done(visit, "mail", action_id)


def go_on(visit: Visit, form: FormData) -> Response:
    """Let mails go out again."""
    try:
        action_id = sending.resume(visit.deps, visit.actor)
    except NotifierError as error:
        return _page(visit, form, error, about="sending")
    return rendering.done(visit, "mail", action_id)


def decide_uncertain(visit: Visit, form: FormData) -> Response:
    """Send mails once more, or end them."""
    digest_id = number_of(forms.text(form, "digest")) or None
    kind = _member(forms.text(form, "kind"))
    seen = Group(kind, digest_id, *_fingerprint(form), visit.now)
    try:
        action_id = unsent.decide_uncertain(
            visit.deps,
            seen,
            visit.actor,
            send=_decision(form, "send", "leave"),
            reason=_reason(form),
        )
    except ChangedMeanwhileError as error:
        about = f"digest {digest_id}" if digest_id else ""
        return _page(visit, form, error, about=about)
    return rendering.done(visit, "mail#uncertain", action_id)


def decide_addresses(visit: Visit, form: FormData) -> Response:
    """Stop mail to addresses that came back, or allow it again."""
    provider, code = forms.text(form, "provider"), forms.text(form, "code")
    seen = held_suppressions.Group(provider, code, *_fingerprint(form), visit.now, ())
    try:
        _, action_id = brake.decide(
            visit.deps,
            seen,
            visit.actor,
            accept=_decision(form, "accept", "dismiss"),
            reason=_reason(form),
        )
    except ChangedMeanwhileError as error:
        return _page(visit, form, error, about=brake.ABOUT_HELD)
    return rendering.done(visit, "mail#addresses", action_id)


def _page(
    visit: Visit,
    form: FormData | None = None,
    problem: NotifierError | None = None,
    *,
    about: str = "",
) -> Response:
    """Show the page, with what was decided meanwhile if a form came too late."""
    holds = visit.deps.settings.smtp.when_uncertain == "hold"
    with visit.deps.reading() as session:
        groups = uncertain.groups(session, hold=holds, limit=_MOST + 1)
        addresses = held_suppressions.groups(session) if visit.is_owner else []
        last = actions.newest(session, about=about, limit=1) if about else ()
        values: dict[str, Any] = {
            "stopped_at": stop.stopped_at(session),
            "restored": backup_state.restored(session),
            "groups": [(each, _named(session, each)) for each in groups[:_MOST]],
            "more_groups": len(groups) > _MOST,
            "addresses": addresses[:_MOST],
            "more_addresses": max(0, len(addresses) - _MOST),
            "waiting_addresses": held_suppressions.count(session),
            "codes": _CODES,
            "problem": problem.problem if problem else "",
            "last": last[0] if last else None,
            "typed": _reason(form) if form is not None else "",
        }
    return rendering.show(visit, "mail", values, section="mail", status=409 if problem else 200)


def _named(session: Session, group: Group) -> tuple[str, str]:
    """Return what mails of a group are, and the language of these words."""
    digest = session.get(Digest, group.digest_id) if group.digest_id is not None else None
    if digest is None:
        return KINDS[group.kind].capitalize(), "en"
    return digest.subject, digest.language


def _fingerprint(form: FormData) -> tuple[int, int]:
    """Return the number and the last id that a form was shown with."""
    return number_of(forms.text(form, "number")), number_of(forms.text(form, "last"))


def _decision(form: FormData, yes: str, no: str) -> bool:
    """Return which of two buttons was pressed.

    Raises:
        InputError: none of them.
    """
    given = forms.text(form, "decision")
    if given not in (yes, no):
        raise InputError("The form says neither yes nor no: nothing was changed.")
    return given == yes


def _member(text: str) -> DeliveryKind:
    try:
        return DeliveryKind(text)
    except ValueError:
        raise InputError("The form names no kind of mail: nothing was changed.") from None


def _reason(form: FormData) -> str:
    return forms.text(form, "reason")[:_LONGEST_REASON]
