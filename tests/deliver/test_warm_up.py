"""Warm-up: a new sender's volume at each provider grows day by day, and the rest waits in order."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from notifier.deliver import alerts, outbox
from notifier.deliver.outbox import warm_up
from notifier.enums import DeliveryKind, DeliveryStatus, Lane, WaitReason
from notifier.pipeline import compose, deliver
from notifier.store.models import Delivery, Subscriber, WarmUp
from tests.support.installation import MONDAY, Installation

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
MORNING = MONDAY + DAY


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four mails to each provider on the first day, five on the second."""
    monkeypatch.setattr(warm_up, "FIRST_DAY", 4)


@pytest.fixture
def enqueued(any_installation: Installation, few: None) -> Installation:
    """An installation that warms up, with a digest for ten people at two providers."""
    any_installation.prepare(enqueue)
    switch(any_installation, on=True)
    return any_installation


def enqueue(installation: Installation) -> None:
    moment = installation.discover(10)
    with installation.at(moment).writing() as session:
        for person in session.query(Subscriber).filter(Subscriber.id > 7):
            person.email = f"reader{person.id}@mail.test"
    compose.run(installation.at(moment))


def switch(installation: Installation, *, on: bool) -> None:
    smtp = installation.at(MORNING).settings.smtp.model_copy(update={"warm_up": on})
    installation.change(smtp=smtp)


def send(installation: Installation, moment: datetime) -> list[str]:
    """Run the sending; return who was written to."""
    before = len(installation.sink.messages)
    deliver.run(installation.at(moment))
    return [str(mail["To"]) for mail in installation.sink.messages[before:]]


def domains(recipients: list[str]) -> Counter:
    return Counter(recipient.partition("@")[2] for recipient in recipients)


def deliveries(installation: Installation) -> list[Delivery]:
    with installation.at(MORNING).reading() as session:
        return session.query(Delivery).order_by(Delivery.id).all()


def test_the_volume_grows_from_200_to_everything_in_42_days():
    most = [warm_up.most_on(day) for day in range(44)]
    assert most[0] == 200
    assert most[42] is most[43] is None
    assert all(before < after for before, after in pairwise(most[:42]))
    assert most[41] > 1_000_000


def test_each_provider_gets_its_share_of_the_day_and_the_rest_waits(enqueued: Installation):
    assert domains(send(enqueued, MORNING)) == {"example.org": 4, "mail.test": 3}
    assert send(enqueued, MORNING + timedelta(hours=9)) == []
    waiting = [each for each in deliveries(enqueued) if each.status is DeliveryStatus.PENDING]
    assert {each.waits_because for each in waiting} == {WaitReason.WARM_UP}
    assert domains(send(enqueued, MORNING + DAY)) == {"example.org": 3}
    assert all(each.waits_because == "" for each in deliveries(enqueued))


def test_all_domains_of_a_provider_share_its_places(enqueued: Installation):
    with enqueued.at(MORNING).writing() as session:
        for person in session.query(Subscriber):
            person.email = f"p{person.id}@{('hotmail.com', 'live.com', 'msn.com')[person.id % 3]}"
    assert len(send(enqueued, MORNING)) == 4


def test_what_waits_is_no_trouble_and_keeps_its_patience(enqueued: Installation):
    send(enqueued, MORNING)
    late = MORNING + DAY - timedelta(hours=12)
    with enqueued.at(late).reading() as session:
        assert alerts.refused_for_us(session) is None
        assert list(alerts.current(session, late)) == []
    waiting = [each for each in deliveries(enqueued) if each.status is DeliveryStatus.PENDING]
    assert all(each.given_up_at >= MORNING + 3 * DAY for each in waiting)
    assert {each.attempts for each in waiting} == {0}


def test_what_was_due_first_goes_out_first(enqueued: Installation):
    with enqueued.at(MORNING).writing() as session:
        late = session.query(Delivery).order_by(Delivery.id.desc()).filter(Delivery.id <= 7)
        oldest = [each.id for each in late.limit(1)]
        session.execute(
            update(Delivery).where(Delivery.id.in_(oldest)).values(due_at=MORNING - 9 * DAY)
        )
    send(enqueued, MORNING)
    waiting = [each for each in deliveries(enqueued) if each.status is DeliveryStatus.PENDING]
    assert min(waiting, key=lambda each: each.next_attempt_at).id == oldest[0]


def test_a_long_digest_does_not_keep_a_short_one_waiting(any_installation: Installation):
    """Of 400 and 40 waiting mails, the first 110 to go out are of both in about their shares."""
    with any_installation.at(MORNING).writing() as session:
        places = warm_up.Places(session, MORNING)
        for number in range(440):
            places.put_off(number, outbox.new_message_id("example.org"), MORNING)
        waiting = sorted(places._waiting, key=lambda values: values["moment"])
        places._waiting.clear()
    first = [values["delivery"] >= 400 for values in waiting[:110]]
    assert 1 <= sum(first) <= 30


@pytest.mark.parametrize("lane", [Lane.ASKED, Lane.URGENT])
def test_what_somebody_asked_for_and_what_is_urgent_takes_no_place(
    enqueued: Installation, lane: Lane
):
    with enqueued.at(MORNING).writing() as session:
        session.execute(update(Delivery).values(lane=lane))
    assert len(send(enqueued, MORNING)) == 10


def test_a_confirmation_goes_out_when_the_day_is_full(enqueued: Installation):
    send(enqueued, MORNING)
    zoe = enqueued.subscribe("zoe@example.org", confirmed=False, moment=MORNING)
    with enqueued.at(MORNING).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [zoe], "example.org", MORNING)
    assert send(enqueued, MORNING) == ["zoe@example.org"]


def test_a_mail_that_is_tried_again_takes_no_second_place(enqueued: Installation):
    options = outbox.ClaimOptions(100, warm_up=True)
    for _ in range(3):
        with enqueued.at(MORNING).writing() as session:
            claimed = outbox.claim_due(session, MORNING, options)
            assert len(claimed) == 7
            for each in claimed:
                session.get_one(Delivery, each.id).status = DeliveryStatus.PENDING
    with enqueued.at(MORNING).reading() as session:
        assert {row.key: row.number for row in session.query(WarmUp)} == {
            "": 0,
            "example.org": 4,
            "mail.test": 3,
        }


def test_workers_share_the_places_of_a_day(enqueued: Installation):
    options = outbox.ClaimOptions(3, warm_up=True)
    taken = 0
    for _ in range(5):
        with enqueued.at(MORNING).writing() as session:
            taken += len(outbox.claim_due(session, MORNING, options))
    assert taken == 7


def test_the_growth_counts_from_the_first_mail_after_warm_up_was_switched_on(
    enqueued: Installation,
):
    later = MORNING + 20 * DAY
    assert domains(send(enqueued, later)) == {"example.org": 4, "mail.test": 3}
    switch(enqueued, on=False)
    assert domains(send(enqueued, later)) == {"example.org": 3}
    with enqueued.at(later).reading() as session:
        assert session.query(WarmUp).count() == 0


def test_switching_it_off_releases_everything(enqueued: Installation):
    send(enqueued, MORNING)
    switch(enqueued, on=False)
    assert len(send(enqueued, MORNING)) == 3
    assert {each.status for each in deliveries(enqueued)} == {DeliveryStatus.SENT}


def test_what_waits_is_counted_for_each_digest_with_the_day_of_the_last(enqueued: Installation):
    send(enqueued, MORNING)
    digest_id = deliveries(enqueued)[0].digest_id
    with enqueued.at(MORNING).reading() as session:
        assert warm_up.waiting(session, MORNING) == {
            digest_id: warm_up.Wait(3, (MORNING + DAY).date())
        }
        assert warm_up.waiting(session, MORNING + 50 * DAY)[digest_id].number == 3


def test_nothing_waits_where_warm_up_is_off(enqueued: Installation):
    switch(enqueued, on=False)
    assert len(send(enqueued, MORNING)) == 10
    with enqueued.at(MORNING).reading() as session:
        assert warm_up.waiting(session, MORNING) == {}


def test_a_day_is_over_when_a_clock_was_set_back(enqueued: Installation):
    """The first day is then today: the volume stays small, and nothing fails."""
    send(enqueued, MORNING + 5 * DAY)
    with enqueued.at(MORNING).writing() as session:
        places = warm_up.Places(session, MORNING)
        assert [places.take("a@example.org") for _ in range(5)] == [True] * 4 + [False]
