"""Claims: only the worker that holds a delivery settles it, and nothing is taken for another's."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from notifier.deliver import outbox
from notifier.deliver.outbox import Claimed, ClaimOptions, Outcome, SendResult, stop, unsent
from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus, Lane, WaitReason
from notifier.pipeline import compose
from notifier.store.models import Delivery, Digest, Subscriber
from notifier.subscribers import deletion
from tests.support import big_store
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
LATER = TUESDAY + outbox.LEASE + timedelta(seconds=1)


@pytest.fixture
def enqueued(any_installation: Installation) -> Installation:
    """An installation with a digest enqueued for two people."""
    any_installation.prepare(enqueue)
    return any_installation


def enqueue(installation: Installation) -> None:
    compose.run(installation.at(installation.discover(2)))


def claim(installation: Installation, moment=TUESDAY, limit: int = 100) -> list[Claimed]:
    with installation.at(moment).writing() as session:
        return outbox.claim_due(session, moment, ClaimOptions(limit))


def accept(installation: Installation, claimed: Claimed) -> None:
    with installation.at(TUESDAY).small_transactions() as write:
        outbox.settle_accepted(write, [claimed.id], claimed.claim, TUESDAY)


def settle(
    installation: Installation, claimed: Claimed, answer: SendResult, moment=TUESDAY
) -> list[Outcome]:
    with installation.at(moment).writing() as session:
        outcome = Outcome(claimed.attempt, answer, "the server's words")
        return outbox.settle_attempts(session, [outcome], moment)


def stored(installation: Installation, delivery_id: int) -> Delivery:
    with installation.at(TUESDAY).reading() as session:
        return session.get_one(Delivery, delivery_id)


def test_a_claim_has_one_random_name_and_no_two_claims_share_it(enqueued: Installation):
    (first,) = claim(enqueued, limit=1)
    (second,) = claim(enqueued, limit=1)
    assert len(first.claim) == len(second.claim) == 32
    assert first.claim != second.claim
    assert stored(enqueued, first.id).claim == first.claim


def test_a_claimed_delivery_remembers_the_hash_of_the_address_it_goes_to(enqueued: Installation):
    zoe = enqueued.subscribe("zoe@example.org", confirmed=False, moment=TUESDAY)
    with enqueued.at(TUESDAY).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [zoe], "example.org", TUESDAY)
    assert len(claim(enqueued)) == 3
    with enqueued.at(TUESDAY).reading() as session:
        for delivery in session.query(Delivery):
            assert delivery.subscription is not None
            assert delivery.address_hash == delivery.subscription.subscriber.address_hash
            assert len(delivery.address_hash) == 64


def test_an_acceptance_under_an_old_claim_does_not_settle_the_newer_attempt(
    enqueued: Installation,
):
    old = claim(enqueued)[0]
    new = next(row for row in claim(enqueued, LATER) if row.id == old.id)
    accept(enqueued, old)
    assert stored(enqueued, old.id).status is DeliveryStatus.SENDING
    accept(enqueued, new)
    assert stored(enqueued, old.id).status is DeliveryStatus.SENT


@pytest.mark.parametrize(
    "answer", [SendResult.REFUSED, SendResult.DEFERRED, SendResult.UNKNOWN, SendResult.NOT_TRIED]
)
def test_another_answer_under_an_old_claim_changes_nothing(
    enqueued: Installation, answer: SendResult
):
    old = claim(enqueued)[0]
    new = next(row for row in claim(enqueued, LATER) if row.id == old.id)
    assert settle(enqueued, old, answer) == []
    delivery = stored(enqueued, old.id)
    assert (delivery.status, delivery.claim) == (DeliveryStatus.SENDING, new.claim)


@pytest.mark.parametrize(
    "answer", [SendResult.REFUSED, SendResult.DEFERRED, SendResult.UNKNOWN, SendResult.NOT_TRIED]
)
def test_a_late_answer_does_not_overwrite_the_claim_that_another_worker_is_storing(
    enqueued: Installation, answer: SendResult
):
    (old,) = claim(enqueued, limit=1)
    settled: list[list[Outcome]] = []
    late = threading.Thread(target=lambda: settled.append(settle(enqueued, old, answer, LATER)))
    with enqueued.at(LATER).writing() as session:
        newer = outbox.claim_due(session, LATER, ClaimOptions(100))
        late.start()
        late.join(0.5)
        assert late.is_alive()  # it waits for the row, or for the database
    late.join()
    (new,) = [row for row in newer if row.id == old.id]
    assert settled == [[]]
    delivery = stored(enqueued, old.id)
    assert (delivery.status, delivery.claim) == (DeliveryStatus.SENDING, new.claim)
    assert (delivery.attempts, delivery.leased_until) == (2, LATER + outbox.LEASE)


def test_an_acceptance_that_comes_after_the_lease_counts_while_nobody_else_has_claimed_it(
    enqueued: Installation,
):
    late, other = claim(enqueued)
    with enqueued.at(LATER).writing() as session:
        session.query(Delivery).update({"status": DeliveryStatus.PENDING, "leased_until": None})
    accept(enqueued, late)
    assert stored(enqueued, late.id).status is DeliveryStatus.SENT
    assert stored(enqueued, other.id).status is DeliveryStatus.PENDING


def test_an_answer_that_comes_again_does_not_undo_what_was_sent(enqueued: Installation):
    claimed = claim(enqueued)[0]
    accept(enqueued, claimed)
    assert settle(enqueued, claimed, SendResult.DEFERRED) == []
    assert stored(enqueued, claimed.id).status is DeliveryStatus.SENT


def test_a_lease_is_renewed_for_its_claim_alone(enqueued: Installation):
    (first,) = claim(enqueued, limit=1)
    (second,) = claim(enqueued, limit=1)
    later = TUESDAY + timedelta(seconds=20)
    with enqueued.at(later).writing() as session:
        outbox.renew(session, {first.claim}, later)
    assert stored(enqueued, first.id).leased_until == later + outbox.LEASE
    assert stored(enqueued, second.id).leased_until == TUESDAY + outbox.LEASE


@pytest.mark.parametrize("answer", [SendResult.ACCEPTED, SendResult.DEFERRED, SendResult.REFUSED])
def test_the_answer_for_somebody_who_was_erased_is_nobody_elses(
    enqueued: Installation, answer: SendResult
):
    other, gone = sorted(claim(enqueued), key=lambda claimed: claimed.id)
    with enqueued.at(TUESDAY).writing() as session:
        subscription = session.get_one(Delivery, gone.id).subscription
        assert subscription is not None
        deletion.delete_subscribers(session, [subscription.subscriber_id])
    if answer is SendResult.ACCEPTED:
        accept(enqueued, gone)
    else:
        assert settle(enqueued, gone, answer) == []
    assert stored(enqueued, other.id).status is DeliveryStatus.SENDING
    zoe = enqueued.subscribe("zoe@example.org", confirmed=False, moment=TUESDAY)
    with enqueued.at(TUESDAY).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [zoe], "example.org", TUESDAY)
    with enqueued.at(TUESDAY).reading() as session:
        assert session.query(Subscriber).count() == 2
        assert session.query(Delivery).count() == 2
        assert gone.id not in {delivery.id for delivery in session.query(Delivery)}


def test_a_mail_whose_answer_was_lost_twice_waits_for_a_person(enqueued: Installation):
    claimed = claim(enqueued)[0]
    settle(enqueued, claimed, SendResult.UNKNOWN)
    moment = TUESDAY + timedelta(hours=1)
    again = next(row for row in claim(enqueued, moment) if row.id == claimed.id)
    settle(enqueued, again, SendResult.UNKNOWN, moment)
    much_later = TUESDAY + timedelta(days=30)
    assert claimed.id not in {row.id for row in claim(enqueued, much_later)}
    assert stored(enqueued, claimed.id).status is DeliveryStatus.UNCERTAIN
    with enqueued.at(much_later).writing() as session:
        outbox.retry(session, much_later)
    assert claimed.id in {row.id for row in claim(enqueued, much_later)}


def test_a_mail_whose_answer_was_lost_is_never_called_given_up(enqueued: Installation):
    claimed = claim(enqueued)[0]
    settle(enqueued, claimed, SendResult.UNKNOWN, TUESDAY + timedelta(days=9))
    assert stored(enqueued, claimed.id).status is DeliveryStatus.UNCERTAIN


def test_lanes_are_claimed_in_their_order_and_a_claim_can_be_limited_to_the_first(
    enqueued: Installation,
):
    with enqueued.at(TUESDAY).writing() as session:
        first, second = session.query(Delivery).order_by(Delivery.id)
        first.lane, second.lane = Lane.OTHERS, Lane.URGENT
        options = ClaimOptions(100, before=Lane.OTHERS)
        assert [row.id for row in outbox.claim_due(session, TUESDAY, options)] == [second.id]
    zoe = enqueued.subscribe("zoe@example.org", confirmed=False, moment=TUESDAY)
    with enqueued.at(TUESDAY).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [zoe], "example.org", TUESDAY)
    lanes = [row.lane for row in claim(enqueued, LATER)]
    assert lanes == [Lane.ASKED, Lane.URGENT, Lane.OTHERS]


def test_a_claim_reads_no_more_of_a_long_list_than_it_takes(any_installation: Installation):
    """A list is due at one time: sorting all of it for each hundred takes hours at a million."""
    deps = any_installation.at(TUESDAY)
    sizes = big_store.Sizes(subscribers=1000, profiles=2, sources=2, entries=20, matches=10)
    big_store.fill(deps.engine, sizes, MONDAY)
    waiting = {"status": DeliveryStatus.PENDING, "next_attempt_at": TUESDAY, "sent_at": None}
    with deps.writing() as session:
        session.execute(update(Delivery).values(**waiting))
        session.execute(update(Digest).values(status=DigestStatus.APPROVED))
    with deps.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    questions = []

    def note(_connection, _cursor, statement, parameters, _context, _many) -> None:
        if "LEFT OUTER JOIN digest" in statement:
            questions.append((statement, parameters))

    event.listen(deps.engine, "before_cursor_execute", note)
    assert claim(any_installation)
    event.remove(deps.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if deps.engine.dialect.name == "sqlite" else "EXPLAIN"
    assert questions
    with deps.engine.connect() as connection:
        for statement, parameters in questions:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
            plan = "\n".join(str(row[-1]) for row in rows)
            assert "ix_delivery_lane" in plan
            assert "Sort" not in plan
            assert "TEMP B-TREE" not in plan


def answer_all(
    installation: Installation, moment, answer: SendResult, because: WaitReason | None
) -> None:
    """Claim all, and store the same answer for each."""
    with installation.at(moment).writing() as session:
        claimed = outbox.claim_due(session, moment, ClaimOptions(100))
        assert len(claimed) == 2
        outcomes = [Outcome(each.attempt, answer, waits_because=because) for each in claimed]
        assert len(outbox.settle_attempts(session, outcomes, moment)) == 2


def lose_the_worker(installation: Installation, moment) -> None:
    """Claim all for a worker that dies; somebody else notices that at the end of the lease."""
    assert len(claim(installation, moment)) == 2
    with installation.at(moment).writing() as session:
        stop.stop(session, moment)
        assert outbox.claim_due(session, moment + timedelta(minutes=1), ClaimOptions(100)) == []
        stop.resume(session)


def mergeable(installation: Installation) -> list[int]:
    with installation.at(TUESDAY).reading() as session:
        statuses = {delivery.status for delivery in session.query(Delivery)}
        assert statuses == {DeliveryStatus.PENDING}
        return outbox.waiting_digests(session, 1)


@pytest.mark.parametrize("because", [WaitReason.OURS, WaitReason.LOAD])
def test_a_mail_that_waited_for_our_sake_and_may_have_arrived_with_its_worker_is_not_merged(
    enqueued: Installation, because: WaitReason
):
    answer_all(enqueued, TUESDAY, SendResult.DEFERRED, because)
    assert mergeable(enqueued) == [1]
    lose_the_worker(enqueued, TUESDAY + timedelta(hours=1))
    assert mergeable(enqueued) == []


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (SendResult.DEFERRED, WaitReason.OURS),
        (SendResult.DEFERRED, WaitReason.LOAD),
        (SendResult.DEFERRED, None),
        (SendResult.NOT_TRIED, WaitReason.OURS),
        (SendResult.NOT_TRIED, None),
    ],
)
def test_no_later_answer_says_that_a_mail_did_not_arrive_with_a_worker_that_was_lost(
    enqueued: Installation, answer: SendResult, because: WaitReason | None
):
    lose_the_worker(enqueued, TUESDAY)
    answer_all(enqueued, TUESDAY + timedelta(hours=1), answer, because)
    assert mergeable(enqueued) == []


def test_a_mail_that_may_have_arrived_is_not_merged_after_a_person_tries_it_again(
    enqueued: Installation,
):
    lose_the_worker(enqueued, TUESDAY)
    answer_all(enqueued, TUESDAY + timedelta(hours=1), SendResult.REFUSED, None)
    with enqueued.at(TUESDAY).writing() as session:
        unsent.retry(session, TUESDAY + timedelta(hours=2))
    assert mergeable(enqueued) == []
