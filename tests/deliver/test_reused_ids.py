"""An id that is given twice: the answer to the mail of somebody erased is nobody else's.

SQLite gives the id of the last row that was deleted to the next one, unless the table is told not
to. Somebody who signs up just after another person was erased then gets the id of a mail that is
still under way. The tests give it by hand, so that a lost setting of the table costs no mail.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from notifier.deliver import outbox
from notifier.enums import DeliveryKind, DeliveryStatus
from notifier.pipeline import compose, deliver, interruptions
from notifier.settings import Smtp
from notifier.store.models import Delivery, Suppression
from notifier.subscribers import deletion
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
ZOE = "zoe@example.org"


@pytest.fixture
def enqueued(any_installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation with a digest enqueued for two people; arrivals are claimed at once."""
    any_installation.prepare(enqueue)
    monkeypatch.setattr(interruptions, "_NOT_IDLE_AFTER", 0.05)
    monkeypatch.setattr(interruptions, "_LOOK_EVERY", 0.01)
    return any_installation


def enqueue(installation: Installation) -> None:
    compose.run(installation.at(installation.discover(2)))


def erase_who_is_mailed(installation: Installation) -> int:
    """Erase the person whose mail is under way; return the id of its delivery."""
    with installation.at(TUESDAY).writing() as session:
        (gone,) = session.query(Delivery).filter_by(status=DeliveryStatus.SENDING)
        delivery_id = gone.id
        assert gone.subscription is not None
        deletion.delete_subscribers(session, [gone.subscription.subscriber_id])
    return delivery_id


def sign_up_under(installation: Installation, delivery_id: int) -> None:
    """Enqueue a confirmation for Zoe under this id."""
    subscription_id = installation.subscribe(ZOE, confirmed=False, moment=TUESDAY)
    with installation.at(TUESDAY).writing() as session:
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, [subscription_id], "example.org", TUESDAY
        )
        hers = Delivery.subscription_id == subscription_id
        session.execute(update(Delivery).where(hers).values(id=delivery_id))


def send_while(
    installation: Installation, server: faulty_server.Faulty, meanwhile: Callable[[], None]
) -> deliver.Sent:
    """Send over one connection, and do something before the server answers the second mail."""
    smtp = Smtp(port=server.port, security="none", connections=1, timeout_seconds=5)
    installation.change(smtp=smtp)
    deps = installation.at(TUESDAY)

    def wait_and_do() -> None:
        while server.arrived < 2:
            time.sleep(0.005)
        meanwhile()

    thread = threading.Thread(target=wait_and_do)
    thread.start()
    sent = deliver.run(deps)
    thread.join()
    return sent


def zoes(installation: Installation) -> Delivery:
    with installation.at(TUESDAY).reading() as session:
        return session.query(Delivery).filter_by(kind=DeliveryKind.CONFIRMATION).one()


@pytest.mark.parametrize("answer_to_erased", [b"250 taken", b"451 later", b"550 5.1.1 unknown"])
@pytest.mark.parametrize(
    ("answer_to_zoe", "status"),
    [
        (b"250 taken", DeliveryStatus.SENT),
        (b"452 4.2.2 mailbox full", DeliveryStatus.PENDING),
        (b"550 5.1.1 unknown", DeliveryStatus.FAILED),
    ],
)
def test_each_mail_is_settled_by_its_own_answer_where_both_have_one_id(
    enqueued: Installation, answer_to_erased: bytes, answer_to_zoe: bytes, status: DeliveryStatus
):
    answers = {"BODY": [b"250 taken", answer_to_erased, answer_to_zoe]}
    with faulty_server.running(slow=0.6, answers=answers) as server:
        send_while(enqueued, server, lambda: sign_up_under(enqueued, erase_who_is_mailed(enqueued)))
        assert server.arrived == 3
    stored = zoes(enqueued)
    assert stored.status is status
    assert stored.attempts == 1
    with enqueued.at(TUESDAY).reading() as session:
        assert session.query(Suppression).count() == (status is DeliveryStatus.FAILED)


def test_a_lost_answer_to_the_erased_leaves_the_new_mail_certain(enqueued: Installation):
    with faulty_server.running(slow=0.6) as server:

        def meanwhile() -> None:
            server.drops["ANSWER"] = 1
            sign_up_under(enqueued, erase_who_is_mailed(enqueued))

        send_while(enqueued, server, meanwhile)
        assert server.envelopes.count(ZOE) == 1
    assert zoes(enqueued).status is DeliveryStatus.SENT
    assert zoes(enqueued).uncertain_times == 0


def test_a_mail_claimed_for_the_erased_is_not_built_from_the_row_that_has_its_id_now(
    enqueued: Installation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    with enqueued.at(TUESDAY).writing() as session:
        session.query(Delivery).delete()
    bob = enqueued.subscribe("bob@example.org", confirmed=False, moment=TUESDAY)
    with enqueued.at(TUESDAY).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [bob], "example.org", TUESDAY)
    real = deliver._Sending._build
    erased: list[int] = []

    def build(self, claimed, now):
        if not erased:
            erased.append(erase_who_is_mailed(enqueued))
            sign_up_under(enqueued, erased[0])
        return real(self, claimed, now)

    monkeypatch.setattr(deliver._Sending, "_build", build)
    with faulty_server.running() as server:
        enqueued.change(smtp=Smtp(port=server.port, security="none", connections=1))
        deliver.run(enqueued.at(TUESDAY))
        assert server.envelopes == [ZOE]
    assert zoes(enqueued).status is DeliveryStatus.SENT
    assert zoes(enqueued).attempts == 1
    assert caplog.text == ""
