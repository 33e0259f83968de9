"""Admission: what was asked for through a public form is answered by mail, to the owner of the address alone.

The page has answered before this begins, the same for all. A request that was stored is answered once, whoever comes
first: the application right after its page, or the next run.
"""

from sqlalchemy.orm import Session

from notifier.containment import Problems
from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.errors import NotifierError
from notifier.match import profiles
from notifier.store.models import Enquiry
from notifier.store.statuses import Cadence, DeliveryKind, Edition, EnquiryKind, SubscriptionStatus
from notifier.subscribers import enquiries, subscriptions
from notifier.subscribers.subscriptions import RUNNING, Choice


def admit(deps: Deps, problems: Problems | None = None) -> int:
    """Answer all requests that wait, one that fails with the next run; returns how many there were."""
    problems = problems if problems is not None else Problems()
    with deps.reading() as session:
        waiting = enquiries.waiting(session)
    for enquiry_id in waiting:
        with problems.contained(f"Answering request {enquiry_id}"):
            admit_one(deps, enquiry_id)
    return len(waiting)


def admit_one(deps: Deps, enquiry_id: int) -> None:
    """Answer one request, unless somebody else did."""
    with deps.writing() as session:
        enquiry = enquiries.taken(session, enquiry_id)
        if enquiry is not None:
            _answer(deps, session, enquiry)
            enquiries.answered(enquiry, deps.now())


def as_document(profile: str, choice: Choice) -> dict[str, object]:
    """A wish as it is stored until it is answered."""
    return {
        "profile": profile,
        "every": choice.cadence,
        "at": choice.at,
        "on": choice.on,
        "time_zone": choice.time_zone,
        "edition": choice.edition,
        "language": choice.language,
    }


def _answer(deps: Deps, session: Session, enquiry: Enquiry) -> None:
    assert enquiry.email is not None
    if enquiry.kind is EnquiryKind.SUBSCRIBE:
        _subscribe(deps, session, enquiry.email, enquiry.wish or {})
    else:
        _send_link(deps, session, enquiry.email)


def _subscribe(deps: Deps, session: Session, email: str, wish: dict[str, object]) -> None:
    now = deps.now()
    try:
        profile = profiles.find(session, str(wish["profile"]))
        person = subscriptions.find_subscriber(session, email)
        known = next((one for one in person.subscriptions if one.profile_id == profile.id), None) if person else None
        if known is not None and known.status in RUNNING:
            outbox.enqueue_asked(session, DeliveryKind.ALREADY, known, deps.mail_domain, now)
            return
        one = subscriptions.subscribe(session, email, profile, _choice(wish), now, own=True)
    except NotifierError:
        return  # an address that is never mailed, a profile that went meanwhile: nobody is told anything
    assert one.status is SubscriptionStatus.PENDING
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, one, deps.mail_domain, now)


def _choice(wish: dict[str, object]) -> Choice:
    on = wish["on"]
    return Choice(
        Cadence(str(wish["every"])),
        str(wish["at"]),
        on if isinstance(on, int) else None,
        str(wish["time_zone"]),
        Edition(str(wish["edition"])),
        str(wish["language"]),
    )


def _send_link(deps: Deps, session: Session, email: str) -> None:
    person = subscriptions.find_subscriber(session, email)
    running = next((one for one in person.subscriptions if one.status in RUNNING), None) if person else None
    if running is not None:
        outbox.enqueue_asked(session, DeliveryKind.LINK, running, deps.mail_domain, deps.now())
