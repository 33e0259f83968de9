"""Admission: what was asked for through a form is answered by mail, to the owner of the address alone.

The page has answered before this begins, the same for all. A request that was stored is answered
once, whoever comes first: the application right after its page, or the next run. The limits of what
a mailbox is sent are kept here, where nobody who asks can see them.
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
    """Answer all requests that wait; returns how many there were."""
    problems = problems if problems is not None else Problems()
    with deps.reading() as session:
        waiting = signup_requests.waiting(session)
    for enquiry_id in waiting:
        with problems.contained(f"Answering request {enquiry_id}"):
            answer(deps, enquiry_id, problems)
    return len(waiting)


def answer(deps: Deps, enquiry_id: int, problems: Problems | None = None) -> None:
    """Answer one request, unless somebody else did.

    One that cannot be answered is noted, by its number, and dropped: the address in it is kept no
    longer than it is of use, and whoever asked can ask again.

    Raises:
        StoreError: the database cannot be used now; the request waits.
    """
    try:
        with deps.writing() as session:
            enquiry = signup_requests.taken(session, enquiry_id)
            if enquiry is not None:
                _answer(deps, session, enquiry)
                signup_requests.answered(enquiry, deps.now())
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours in one request shall not stop the others
        (problems or Problems()).note(f"Answering request {enquiry_id}", error)
        with deps.writing() as session:
            enquiry = signup_requests.taken(session, enquiry_id)
            if enquiry is not None:
                signup_requests.answered(enquiry, deps.now())


def to_json(profile: str, choice: Choice) -> dict[str, object]:
    """A wish as it is stored until it is answered."""
    return {"profile": profile, **choices.to_json(choice)}


def _answer(deps: Deps, session: Session, enquiry: SignupRequest) -> None:
    wish = enquiry.wish or {}
    if enquiry.kind is SignupRequestKind.SUBSCRIBE:
        _subscribe(deps, session, enquiry, wish)
    elif enquiry.kind is SignupRequestKind.ADDRESS:
        _ask_both(deps, session, enquiry, str(wish["change"]))
    else:
        _send_link(deps, session, enquiry)


def _subscribe(
    deps: Deps, session: Session, enquiry: SignupRequest, wish: dict[str, object]
) -> None:
    now, email = deps.now(), enquiry.email
    assert email is not None
    if not signup_requests.may_be_mailed(session, enquiry):
        return
    try:
        profile = profiles.find(session, str(wish["profile"]))
    except NotFoundError:
        return  # a profile that went meanwhile
    running = subscriptions.running_subscriptions(session, email, profile)
    if running:
        outbox.enqueue_asked(session, DeliveryKind.ALREADY, running[0], deps.mail_domain, now)
        return
    try:
        subscription = subscriptions.subscribe(
            session, email, profile, choices.from_json(wish), now, own=True
        )
    except SuppressedError:
        return
    suppressions.note_asked(suppressions.of(session, subscription.subscriber.address_hash), now)
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, subscription, deps.mail_domain, now)


def _send_link(deps: Deps, session: Session, enquiry: SignupRequest) -> None:
    assert enquiry.email is not None
    if not signup_requests.may_be_mailed(session, enquiry):
        return
    running = subscriptions.running_subscriptions(session, enquiry.email)
    if running:
        outbox.enqueue_asked(session, DeliveryKind.LINK, running[0], deps.mail_domain, deps.now())


def _ask_both(deps: Deps, session: Session, enquiry: SignupRequest, link_id: str) -> None:
    """Ask both addresses of a change, each within the limits of its mailbox; the new one as if it signed up."""
    now, kinds = deps.now(), []
    change = address_changes.find(session, link_id)
    if change is None:
        return  # replaced meanwhile
    if signup_requests.count_mail(session, SignupRequestKind.ADDRESS, change.subscriber.email, now):
        kinds.append(DeliveryKind.CHANGE_OLD)
    suppression = suppressions.of(session, change.address_hash)
    # One that was erased meanwhile is owed the question, too; it is refused when it is to be sent,
    # where nobody looks.
    if signup_requests.may_be_mailed(session, enquiry) and suppressions.may_be_asked(
        suppression, now
    ):
        suppressions.note_asked(suppression, now)
        kinds.append(DeliveryKind.CHANGE_NEW)
    outbox.enqueue_change(session, change, kinds, deps.mail_domain, now)
