"""Mail servers that fail in the middle: nothing is lost, and nothing is sent twice but for what nobody can know."""

import os
import signal
import sqlite3
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from notifier import scheduler
from notifier.deliver.outbox import SendResult
from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import StoreError
from notifier.pipeline import compose, deliver
from notifier.pipeline.run import Report, Sent
from notifier.settings import Operator, Smtp
from notifier.store.models import Delivery, Digest, Suppression
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
PEOPLE = 12


@pytest.fixture
def owed(installation: Installation) -> Installation:
    """A dozen people are owed a digest that nobody sent yet."""
    compose.run(installation.at(installation.discover(PEOPLE)))
    return installation


def send(made: Installation, server: faulty_server.Faulty, moment=TUESDAY, **smtp) -> Sent:
    settings = {
        "port": server.port,
        "security": "none",
        "connections": 3,
        "timeout_seconds": 0.8,
        **smtp,
    }
    made.change(smtp=Smtp(**settings))
    return deliver.run(made.at(moment))


def statuses(made: Installation) -> Counter[DeliveryStatus]:
    with made.at(MONDAY).reading() as session:
        return Counter(one.status for one in session.query(Delivery))


def everything_went_out_once(made: Installation, server: faulty_server.Faulty) -> None:
    assert statuses(made) == {DeliveryStatus.SENT: PEOPLE}
    assert Counter(Counter(server.envelopes).values()) == {1: PEOPLE}
    assert len(set(server.accepted)) == PEOPLE


@pytest.mark.parametrize("pipelining", [True, False])
def test_all_goes_well(owed: Installation, pipelining: bool):
    with faulty_server.running(pipelining=pipelining) as server:
        assert send(owed, server).answers == {SendResult.ACCEPTED: PEOPLE}
        everything_went_out_once(owed, server)
        assert server.connections == 3


def test_a_server_that_lies_about_pipelining_gets_its_commands_one_by_one(owed: Installation):
    with faulty_server.running(loses=True) as server:
        assert send(owed, server).answers == {SendResult.ACCEPTED: PEOPLE}
        everything_went_out_once(owed, server)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("faults", "later"),
    [
        ({"answers": {"RCPT": [b"451 4.7.1 greylisted"] * 4}}, 4),
        ({"answers": {"MAIL": [b"421 4.3.2 closing"] * 2}}, 2),
        ({"answers": {"BODY": [b"421 4.3.2 closing"] * 2}}, 2),
        ({"answers": {"BODY": [b"452 4.3.1 no room"] * 3}}, 3),
        ({"answers": {"DATA": [b"451 4.3.0 later"] * 3}}, 3),
        ({"drops": {"RCPT": 2}}, 2),
        ({"drops": {"DATA": 2}}, 2),
    ],
    ids=[
        "greylisting",
        "421 at the envelope",
        "421 at the message",
        "no room",
        "no data",
        "drop",
        "drop at data",
    ],
)
def test_what_is_put_off_goes_out_later_and_once(
    owed: Installation, faults: dict, later: int, pipelining: bool
):
    with faulty_server.running(pipelining=pipelining, **faults) as server:
        first = send(owed, server)
        assert first.answers[SendResult.DEFERRED] == later
        send(owed, server, TUESDAY + timedelta(hours=1))
        everything_went_out_once(owed, server)


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_that_dies_before_a_message_ended_repeats_nothing(
    owed: Installation, pipelining: bool
):
    with faulty_server.running(pipelining=pipelining, drops={"BODY": 2}) as server:
        first = send(owed, server)
        unknown = first.answers[SendResult.UNKNOWN]
        assert unknown == 2
        assert statuses(owed)[DeliveryStatus.UNCERTAIN] == 2
        send(owed, server, TUESDAY + timedelta(hours=1))
        everything_went_out_once(owed, server)


def test_a_connection_that_dies_before_the_answer_leaves_it_uncertain_and_the_repeat_has_the_same_message_id(
    owed: Installation,
):
    with faulty_server.running(drops={"ANSWER": 2}) as server:
        send(owed, server)
        assert statuses(owed)[DeliveryStatus.UNCERTAIN] == 2
        send(owed, server, TUESDAY + timedelta(hours=1))
        assert statuses(owed) == {DeliveryStatus.SENT: PEOPLE}
        assert len(server.accepted) == PEOPLE + 2
        assert len(set(server.accepted)) == PEOPLE


def test_what_is_uncertain_can_be_left_to_a_person(owed: Installation):
    with faulty_server.running(drops={"ANSWER": 2}) as server:
        send(owed, server, when_uncertain="hold")
        send(owed, server, TUESDAY + timedelta(hours=9), when_uncertain="hold")
        assert statuses(owed)[DeliveryStatus.UNCERTAIN] == 2
        assert deliver.retry_failed(owed.at(TUESDAY)) == 2
        send(owed, server, TUESDAY + timedelta(hours=9), when_uncertain="hold")
        assert statuses(owed) == {DeliveryStatus.SENT: PEOPLE}


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_stalls_is_left_and_tried_again(owed: Installation, word: str):
    with faulty_server.running(stalls={word: 1}) as server:
        send(owed, server, timeout_seconds=0.4)
        send(owed, server, TUESDAY + timedelta(hours=1), timeout_seconds=0.4)
        everything_went_out_once(owed, server)


def test_a_refused_sender_is_told_with_the_setting_and_costs_nobody_their_mail(owed: Installation):
    with faulty_server.running(answers={"MAIL": [b"550 5.7.1 not from you"] * 3}) as server:
        first = send(owed, server)
        assert "refuses our sender: 550 5.7.1 not from you. Check sender.address" in first.problem
        assert statuses(owed) == {DeliveryStatus.PENDING: PEOPLE}
        send(owed, server)
        everything_went_out_once(owed, server)


def test_an_address_that_is_gone_is_suppressed_and_a_full_mailbox_is_waited_for(owed: Installation):
    answers = {"RCPT": [b"550 5.1.1 user unknown", b"552 5.2.2 mailbox full", b"550 5.7.1 policy"]}
    with faulty_server.running(answers=answers) as server:
        send(owed, server, connections=1)
        assert statuses(owed) == {
            DeliveryStatus.SENT: PEOPLE - 3,
            DeliveryStatus.FAILED: 2,
            DeliveryStatus.PENDING: 1,
        }
        with owed.at(TUESDAY).reading() as session:
            assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED
        send(owed, server, TUESDAY + timedelta(hours=1), connections=1)
        assert statuses(owed)[DeliveryStatus.PENDING] == 1
        send(owed, server, TUESDAY + timedelta(hours=3), connections=1)
        assert statuses(owed)[DeliveryStatus.SENT] == PEOPLE - 2


def test_a_digest_that_too_many_refuse_is_held_and_the_operator_told(owed: Installation):
    owed.change(operator=Operator(address="office@example.org"))
    with faulty_server.running(answers={"RCPT": [b"550 5.7.1 you are blocked"] * 10}) as server:
        send(owed, server, connections=1)
        assert statuses(owed)[DeliveryStatus.FAILED] == 10
        with owed.at(TUESDAY).reading() as session:
            digest = session.query(Digest).one()
            assert digest.status is DigestStatus.HELD
        assert server.envelopes.count("office@example.org") == 1
    with owed.at(TUESDAY).writing() as session:
        from notifier.digest import digests

        assert digests.approve(session.query(Digest).one(), TUESDAY)


def test_a_few_refusals_among_many_hold_no_digest_and_are_not_counted_each_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    from notifier.digest import digests

    looks = []
    look = digests.hold_if_refused
    monkeypatch.setattr(
        digests, "hold_if_refused", lambda session, one: looks.append(one) or look(session, one)
    )
    compose.run(installation.at(installation.discover(200)))
    one_in_six = [*[b"250 ok"] * 5, b"550 5.1.1 user unknown"] * 33
    with faulty_server.running(answers={"RCPT": one_in_six}) as server:
        send(installation, server, connections=1)
        assert statuses(installation) == {DeliveryStatus.FAILED: 33, DeliveryStatus.SENT: 167}
        with installation.at(TUESDAY).reading() as session:
            assert session.query(Digest).one().status is DigestStatus.SENT
    assert 10 < len(looks) < 33


def test_a_limit_of_one_domain_is_kept_and_the_others_go_out(owed: Installation):
    owed.subscribe("far@elsewhere.example.com")
    with faulty_server.running() as server:
        send(owed, server, domain_rates={"example.org": 0.5})
        assert len(server.envelopes) <= 3
        assert statuses(owed)[DeliveryStatus.PENDING] >= PEOPLE - 3
        for minute in range(1, 30):
            send(
                owed,
                server,
                TUESDAY + timedelta(seconds=10 * minute),
                domain_rates={"example.org": 0.5},
            )
        everything_went_out_once(owed, server)


@pytest.mark.parametrize("rate", [0, 20])
def test_who_is_told_to_stop_finishes_what_is_under_way_and_begins_no_more(
    owed: Installation, rate: int
):
    with faulty_server.running(slow=0.02) as server:
        owed.change(
            smtp=Smtp(port=server.port, security="none", connections=2, rate_per_second=rate)
        )
        sent = deliver.run(owed.at(TUESDAY), lambda: len(server.accepted) >= 3)
        assert (sent.problem, sent.not_accepted) == ("", 0)
        assert 3 <= sent.accepted == len(server.accepted) <= 3 + 2 * 2
        assert statuses(owed) == {
            DeliveryStatus.SENT: sent.accepted,
            DeliveryStatus.PENDING: PEOPLE - sent.accepted,
        }
        with owed.at(TUESDAY).reading() as session:
            waiting = session.query(Delivery).filter_by(status=DeliveryStatus.PENDING)
            assert {(one.attempts, one.error, one.leased_until) for one in waiting} == {
                (0, None, None)
            }
        deliver.run(owed.at(TUESDAY))
        everything_went_out_once(owed, server)


def test_a_daemon_that_is_told_to_stop_does_not_go_on_to_the_end_of_its_list(owed: Installation):
    with faulty_server.running() as server:
        owed.change(smtp=Smtp(port=server.port, security="none", connections=2, rate_per_second=4))
        threading.Timer(0.6, os.kill, [os.getpid(), signal.SIGTERM]).start()
        reports: list[Report] = []
        scheduler.run(owed.at(TUESDAY), reports.append, tick=60)
        (report,) = reports
        assert 0 < report.sent.accepted == len(server.accepted) < PEOPLE
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        deliver.run(owed.at(TUESDAY + timedelta(minutes=1)))
        everything_went_out_once(owed, server)


def test_a_crowd_at_a_limited_domain_keeps_nobody_else_waiting(installation: Installation):
    for number in range(40):
        installation.subscribe(f"a{number}@crowd.example.org")
    compose.run(installation.at(installation.discover(5)))
    with faulty_server.running() as server:
        send(installation, server, connections=1, domain_rates={"crowd.example.org": 0.1})
        assert sum(one.endswith("@example.org") for one in server.envelopes) == 5
        assert sum(one.endswith("@crowd.example.org") for one in server.envelopes) == 1


def test_a_full_disk_stops_the_sending_and_loses_nothing(
    owed: Installation, monkeypatch: pytest.MonkeyPatch
):
    from notifier.deliver import outbox

    settle, failed = outbox.settle_accepted, []

    def full(connection, delivery_ids, now):
        if len(failed) < 1:
            failed.append(delivery_ids)
            raise OperationalError(
                "COMMIT", {}, sqlite3.OperationalError("database or disk is full")
            )
        settle(connection, delivery_ids, now)

    monkeypatch.setattr(outbox, "settle_accepted", full)
    with faulty_server.running() as server:
        with pytest.raises(StoreError, match="no room left"):
            send(owed, server)
        repeated = len(server.accepted)
        assert repeated <= 3
        send(owed, server, TUESDAY + timedelta(minutes=2))
        assert statuses(owed) == {DeliveryStatus.SENT: PEOPLE}
        assert len(server.accepted) <= PEOPLE + 3
        assert len(set(server.accepted)) == PEOPLE


def test_a_database_that_is_locked_in_the_middle_stops_the_sending_and_loses_nothing(
    owed: Installation,
):
    engine = owed.at(TUESDAY).engine
    event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=100")
    )
    engine.dispose()
    other = sqlite3.connect(engine.url.database, isolation_level=None, check_same_thread=False)
    with faulty_server.running(slow=0.05) as server:
        locking = threading.Timer(0.2, other.execute, ["BEGIN IMMEDIATE"])
        locking.start()
        with pytest.raises(StoreError, match="locked by another program"):
            send(owed, server, connections=2)
        locking.join()
        first = len(server.accepted)
        assert 0 < first < PEOPLE
        other.execute("ROLLBACK")
        other.close()
        send(owed, server, TUESDAY + timedelta(minutes=2), connections=2)
        assert statuses(owed) == {DeliveryStatus.SENT: PEOPLE}
        assert len(set(server.accepted)) == PEOPLE
        assert len(server.accepted) <= PEOPLE + 2


def test_leases_are_renewed_again_when_the_database_is_there_again(
    owed: Installation, monkeypatch: pytest.MonkeyPatch
):
    from notifier.deliver import outbox

    beats = []

    def renew(session, delivery_ids, now):
        beats.append(delivery_ids)
        if len(beats) == 1:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(outbox, "renew", renew)
    monkeypatch.setattr(deliver, "_HEARTBEAT", 0.02)
    with faulty_server.running(slow=0.02) as server:
        send(owed, server, connections=1)
        everything_went_out_once(owed, server)
    assert len(beats) > 2


def test_two_processes_deliver_one_digest_without_a_duplicate(owed: Installation):
    with faulty_server.running(slow=0.01) as server:
        owed.change(smtp=Smtp(port=server.port, security="none", connections=2, timeout_seconds=2))
        from notifier.store import db

        url = owed.at(TUESDAY).engine.url
        others = [replace(owed.at(TUESDAY), engine=db.make_engine(str(url))) for _ in range(2)]
        threads = [threading.Thread(target=deliver.run, args=(deps,)) for deps in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for deps in others:
            deps.engine.dispose()
        everything_went_out_once(owed, server)


def test_a_clock_that_is_set_back_sends_nothing_twice(owed: Installation):
    with faulty_server.running() as server:
        send(owed, server)
        send(owed, server, TUESDAY - timedelta(days=2))
        compose.run(owed.at(TUESDAY - timedelta(hours=3)))
        send(owed, server, TUESDAY)
        everything_went_out_once(owed, server)


def test_a_refused_log_in_is_told_with_the_settings_and_costs_nobody_their_mail(owed: Installation):
    with faulty_server.running(answers={"AUTH": [b"535 5.7.8 wrong password"] * 2}) as server:
        first = send(owed, server, username="digest", password="wrong", connections=1)
        assert "refuses the log-in: 535" in first.problem
        assert "smtp.username" in first.problem
        assert statuses(owed) == {DeliveryStatus.PENDING: PEOPLE}
        send(owed, server)
        everything_went_out_once(owed, server)


def test_a_mailbox_that_stays_full_is_given_up(owed: Installation):
    with faulty_server.running(answers={"RCPT": [b"552 5.2.2 mailbox full"] * 8}) as server:
        moment = TUESDAY
        with owed.at(TUESDAY).writing() as session:
            for one in session.query(Delivery).order_by(Delivery.id).offset(1):
                one.status = DeliveryStatus.SENT
        for _ in range(8):
            send(owed, server, moment, connections=1)
            moment += timedelta(hours=65)
        assert server.envelopes == []
        with owed.at(TUESDAY).reading() as session:
            assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED
