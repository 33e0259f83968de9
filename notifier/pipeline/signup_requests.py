"""Sign-up requests: answers by mail, to the owner of the address alone.

The page was sent before this begins, and is the same for everybody. A stored request is answered
once: by the web application after it sent the page, or by the next run. The limits per mailbox are
applied here, because nobody who asks can see the result.
"""

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind, SignupRequestKind
from notifier.errors import NotFoundError, StoreError
from notifier.match import profiles
from notifier.pipeline.problems import Problems
from notifier.store.models import SignupRequest
from notifier.subscribers import (
    address_changes,
    choices,
    signup_requests,
    subscriptions,
    suppressions,
)
from notifier.subscribers.choices import Choice
from notifier.subscribers.subscriptions import SuppressedError


def answer_all(deps: Deps, problems: Problems | None = None) -> int:
    """Answer all waiting requests; return how many there were."""
    problems = problems if problems is not None else Problems()
    with deps.reading() as session:
        waiting = signup_requests.waiting(session)
    for request_id in waiting:
        with problems.contained(f"Answering request {request_id}"):
            answer(deps, request_id, problems)
    return len(waiting)


def answer(deps: Deps, request_id: int, problems: Problems | None = None) -> None:
    """Answer one request, unless it was answered; wait for an answer that is under way.

    What was asked for the same mailbox before is answered first, so that the last wish counts
    whichever of several tasks comes first.

    One that fails is noted by its id, and its address is deleted: the person can ask again.

    Raises:
        StoreError: the database cannot be used now; the request waits.
    """
    with deps.reading() as session:
        earlier = signup_requests.earlier(session, request_id)
    for each in (*earlier, request_id):
        _answer_one(deps, each, problems)


def _answer_one(deps: Deps, request_id: int, problems: Problems | None) -> None:
    try:
        with deps.writing() as session:
            request = signup_requests.claim(session, request_id)
            if request is not None:
                _answer(deps, session, request)
                signup_requests.mark_answered(request, deps.now())
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one request does not stop the others
        (problems or Problems()).note(f"Answering request {request_id}", error)
        with deps.writing() as session:
            signup_requests.give_up(session, [request_id], deps.now())


def to_json(profile: str, choice: Choice) -> dict[str, object]:
    """Return the wish of a sign-up, as the request stores it until it is answered."""
    return {"profile": profile, **choices.to_json(choice)}


def _answer(deps: Deps, session: Session, request: SignupRequest) -> None:
    wish = request.wish or {}
    if request.kind is SignupRequestKind.SUBSCRIBE:
        _subscribe(deps, session, request, wish)
    elif request.kind is SignupRequestKind.ADDRESS:
        _ask_both(deps, session, request, str(wish["change"]))
    else:
        _send_link(deps, session, request)


def _subscribe(
    deps: Deps, session: Session, request: SignupRequest, wish: dict[str, object]
) -> None:
    now, email = deps.now(), request.email
    assert email is not None
    if not signup_requests.may_be_mailed(session, request):
        return
    try:
        profile = profiles.find(session, str(wish["profile"]))
    except NotFoundError:
        return  # the profile was removed meanwhile
    running = subscriptions.running_subscriptions(session, email, profile)
    if running:
        outbox.enqueue_asked(session, DeliveryKind.ALREADY, running[0], deps.mail_domain, now)
        return
    try:
        subscription = subscriptions.subscribe(
            session, email, profile, choices.from_json(wish), now, from_form=True
        )
    except SuppressedError:
        return
    suppressions.note_asked(suppressions.of(session, subscription.subscriber.address_hash), now)
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, subscription, deps.mail_domain, now)


def _send_link(deps: Deps, session: Session, request: SignupRequest) -> None:
    assert request.email is not None
    if not signup_requests.may_be_mailed(session, request):
        return
    running = subscriptions.running_subscriptions(session, request.email)
    if running:
        outbox.enqueue_asked(session, DeliveryKind.LINK, running[0], deps.mail_domain, deps.now())


def _ask_both(deps: Deps, session: Session, request: SignupRequest, link_id: str) -> None:
    """Ask both addresses of a change to agree, each within the limit of its mailbox."""
    now, kinds = deps.now(), []
    change = address_changes.find(session, link_id)
    if change is None:
        return  # replaced meanwhile
    if signup_requests.count_mail(session, SignupRequestKind.ADDRESS, change.subscriber.email, now):
        kinds.append(DeliveryKind.CHANGE_OLD)
    suppression = suppressions.of(session, change.address_hash)
    # An address that was erased meanwhile gets the question in the outbox, too, and it is refused
    # when it is to be sent: so the person who asked does not see a difference.
    if signup_requests.may_be_mailed(session, request) and suppressions.may_be_asked(
        suppression, now
    ):
        suppressions.note_asked(suppression, now)
        kinds.append(DeliveryKind.CHANGE_NEW)
    outbox.enqueue_change(session, change, kinds, deps.mail_domain, now)
