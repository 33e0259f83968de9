"""Mail servers that fail in the middle: nothing is lost, and only uncertain mails are repeated."""

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from notifier import scheduler
from notifier.deliver import alerts, outbox
from notifier.deliver.outbox import SendResult
from notifier.digest import digests, drafts
from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import StoreError
from notifier.pipeline import compose, deliver, unsent
from notifier.pipeline.run import Report, Sent
from notifier.settings import Operator, Smtp
from notifier.store import db
from notifier.store.models import Delivery, Digest, Notice, Suppression
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
PEOPLE = 12


@pytest.fixture
def enqueued(installation: Installation) -> Installation:
    """An installation with a digest enqueued for a dozen people."""
    installation.prepare(enqueue)
    return installation


def enqueue(installation: Installation) -> None:
    compose.run(installation.at(installation.discover(PEOPLE)))


def send(installation: Installation, server: faulty_server.Faulty, moment=TUESDAY, **smtp) -> Sent:
    settings = {
        "port": server.port,
        "security": "none",
        "connections": 3,
        "timeout_seconds": 0.8,
        **smtp,
    }
    installation.change(smtp=Smtp(**settings))
    return deliver.run(installation.at(moment))


def statuses(installation: Installation) -> Counter[DeliveryStatus]:
    with installation.at(MONDAY).reading() as session:
        return Counter(delivery.status for delivery in session.query(Delivery))


def everything_went_out_once(installation: Installation, server: faulty_server.Faulty) -> None:
    assert statuses(installation) == {DeliveryStatus.SENT: PEOPLE}
    assert Counter(Counter(server.envelopes).values()) == {1: PEOPLE}
    assert len(set(server.accepted)) == PEOPLE


@pytest.mark.parametrize("pipelining", [True, False])
def test_without_faults_every_mail_is_sent_once(enqueued: Installation, pipelining: bool):
    # A server that takes its time: with a faster one two connections may send all before a third.
    with faulty_server.running(pipelining=pipelining, slow=0.05) as server:
        assert send(enqueued, server).answers == {SendResult.ACCEPTED: PEOPLE}
        everything_went_out_once(enqueued, server)
        assert server.connections == 3


def test_a_server_that_lies_about_pipelining_gets_its_commands_one_by_one(enqueued: Installation):
    with faulty_server.running(loses=True) as server:
        assert send(enqueued, server).answers == {SendResult.ACCEPTED: PEOPLE}
        everything_went_out_once(enqueued, server)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("faults", "later"),
    [
        ({"answers": {"RCPT": [b"451 4.7.1 greylisted"] * 4}}, 4),
        ({"answers": {"BODY": [b"452 4.3.1 no room"] * 3}}, 3),
        ({"answers": {"DATA": [b"451 4.3.0 later"] * 3}}, 3),
        ({"drops": {"RCPT": 2}}, 2),
        ({"drops": {"DATA": 2}}, 2),
    ],
    ids=[
        "greylisting",
        "no room",
        "no data",
        "drop",
        "drop at data",
    ],
)
def test_a_deferred_mail_is_sent_later_and_once(
    enqueued: Installation, faults: dict, later: int, pipelining: bool
):
    with faulty_server.running(pipelining=pipelining, **faults) as server:
        first = send(enqueued, server)
        assert first.answers[SendResult.DEFERRED] == later
        send(enqueued, server, TUESDAY + timedelta(hours=1))
        everything_went_out_once(enqueued, server)


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_lost_before_the_end_of_a_message_repeats_nothing(
    enqueued: Installation, pipelining: bool
):
    with faulty_server.running(pipelining=pipelining, drops={"BODY": 2}) as server:
        first = send(enqueued, server)
        unknown = first.answers[SendResult.UNKNOWN]
        assert unknown == 2
        assert statuses(enqueued)[DeliveryStatus.UNCERTAIN] == 2
        send(enqueued, server, TUESDAY + timedelta(hours=1))
        everything_went_out_once(enqueued, server)


def test_a_connection_lost_before_the_answer_makes_it_uncertain_with_the_same_message_id(
    enqueued: Installation,
):
    with faulty_server.running(drops={"ANSWER": 2}) as server:
        send(enqueued, server)
        assert statuses(enqueued)[DeliveryStatus.UNCERTAIN] == 2
        send(enqueued, server, TUESDAY + timedelta(hours=1))
        assert statuses(enqueued) == {DeliveryStatus.SENT: PEOPLE}
        assert len(server.accepted) == PEOPLE + 2
        assert len(set(server.accepted)) == PEOPLE


def test_uncertain_deliveries_can_be_left_to_a_person(enqueued: Installation):
    with faulty_server.running(drops={"ANSWER": 2}) as server:
        send(enqueued, server, when_uncertain="hold")
        send(enqueued, server, TUESDAY + timedelta(hours=9), when_uncertain="hold")
        assert statuses(enqueued)[DeliveryStatus.UNCERTAIN] == 2
        assert unsent.retry(enqueued.at(TUESDAY)) == 2
        send(enqueued, server, TUESDAY + timedelta(hours=9), when_uncertain="hold")
        assert statuses(enqueued) == {DeliveryStatus.SENT: PEOPLE}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_connection_that_stalls_is_closed_and_its_mail_tried_again(
    enqueued: Installation, command: str
):
    with faulty_server.running(stalls={command: 1}) as server:
        send(enqueued, server, timeout_seconds=0.4)
        send(enqueued, server, TUESDAY + timedelta(hours=1), timeout_seconds=0.4)
        everything_went_out_once(enqueued, server)


def test_a_refused_sender_is_reported_with_the_setting_and_no_mail_is_lost(enqueued: Installation):
    with faulty_server.running(answers={"MAIL": [b"550 5.7.1 not from you"]}) as server:
        first = send(enqueued, server, connections=1)
        assert (
            "refuses our sender: 550 to MAIL FROM: 5.7.1 not from you. Check sender.address"
            in first.problem
        )
        assert statuses(enqueued) == {DeliveryStatus.PENDING: PEOPLE}
        assert first.for_our_fault > 0
        send(enqueued, server)
        everything_went_out_once(enqueued, server)


@pytest.mark.parametrize(
    "answer",
    [
        b"530 5.7.0 Authentication Required",
        b"530 5.7.0 Must issue a STARTTLS command first",
        b"530 5.7.57 Client not authenticated to send mail",
        b"550 5.7.1 Encryption required",
        b"554 Please log in first",
    ],
)
def test_a_server_that_wants_a_log_in_is_no_matter_of_the_senders_address(
    enqueued: Installation, answer: bytes
):
    with faulty_server.running(answers={"MAIL": [answer]}) as server:
        problem = send(enqueued, server, connections=1).problem
    assert problem.endswith(". Check smtp.username, smtp.password and smtp.security.")
    with enqueued.at(TUESDAY).reading() as session:
        told = alerts.refused_for_us(session)
    assert told is not None
    assert told.fix.startswith("Check smtp.username, smtp.password and smtp.security")


def test_the_server_is_greeted_with_the_name_from_the_settings(enqueued: Installation):
    with faulty_server.running() as server:
        send(enqueued, server, connections=1, helo_name="mail.example.org")
        assert set(server.greeted_by) == {"mail.example.org"}


def test_a_missing_address_is_suppressed_and_a_full_mailbox_is_waited_for(enqueued: Installation):
    answers = {"RCPT": [b"550 5.1.1 user unknown", b"552 5.2.2 mailbox full", b"550 5.6.0 content"]}
    with faulty_server.running(answers=answers) as server:
        send(enqueued, server, connections=1)
        assert statuses(enqueued) == {
            DeliveryStatus.SENT: PEOPLE - 3,
            DeliveryStatus.FAILED: 1,
            DeliveryStatus.PENDING: 2,
        }
        with enqueued.at(TUESDAY).reading() as session:
            assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED
        send(enqueued, server, TUESDAY + timedelta(hours=1), connections=1)
        assert statuses(enqueued)[DeliveryStatus.PENDING] == 1
        send(enqueued, server, TUESDAY + timedelta(hours=3), connections=1)
        assert statuses(enqueued)[DeliveryStatus.SENT] == PEOPLE - 1


def test_a_digest_that_too_many_servers_refuse_is_held_and_the_operator_is_mailed(
    enqueued: Installation,
):
    enqueued.change(operator=Operator(address="office@example.org"))
    with faulty_server.running(answers={"RCPT": [b"550 5.2.0 sorry"] * 10}) as server:
        send(enqueued, server, connections=1)
        assert statuses(enqueued)[DeliveryStatus.FAILED] == 10
        with enqueued.at(TUESDAY).reading() as session:
            digest = session.query(Digest).one()
            assert digest.status is DigestStatus.HELD
        assert server.envelopes.count("office@example.org") == 1
    with enqueued.at(TUESDAY).writing() as session:
        assert drafts.approve(session, session.query(Digest).one(), TUESDAY)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (b"550 5.1.0 Sender address rejected: User unknown", "sender.bounce_tags"),
        (b"554 5.7.1 Client host [192.0.2.7] blocked using zen.example.net", "smtp.helo_name"),
        (b"550 5.7.26 mail is not authenticated", "notifier doctor"),
        (b"554 5.6.0 the content looks like an advertisement", "notifier digests list"),
    ],
    ids=["sender", "host", "policy", "content"],
)
def test_refusals_of_us_wait_and_the_operator_is_told_once_what_to_change(
    enqueued: Installation, answer: bytes, advice: str
):
    enqueued.change(operator=Operator(address="office@example.org"))
    with faulty_server.running(answers={"RCPT": [answer] * (PEOPLE + 1) * 2}) as server:
        first = send(enqueued, server, connections=1)
        with_notice = PEOPLE + 1
        assert first.answers == {SendResult.DEFERRED: with_notice}
        assert first.for_our_fault == with_notice
        send(enqueued, server, TUESDAY + timedelta(hours=1), connections=1)
        with enqueued.at(TUESDAY).reading() as session:
            (notice,) = session.query(Notice)
            assert session.query(Suppression).count() == 0
            assert session.query(Digest).one().status is DigestStatus.APPROVED
        assert answer.decode()[4:14] in notice.text
        assert advice in notice.text
        send(enqueued, server, TUESDAY + timedelta(days=9), connections=1)
        assert statuses(enqueued) == {DeliveryStatus.SENT: PEOPLE + 1}


@pytest.mark.long
def test_a_few_refusals_among_many_hold_no_digest_and_are_not_counted_each_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):

    counted = []
    hold_if_refused = digests.hold_if_refused

    def hold(session: Session, digest_id: int) -> tuple[int, int, str] | None:
        counted.append(digest_id)
        return hold_if_refused(session, digest_id)

    monkeypatch.setattr(digests, "hold_if_refused", hold)
    compose.run(installation.at(installation.discover(200)))
    one_in_six = [*[b"250 ok"] * 5, b"550 5.2.0 sorry"] * 33
    with faulty_server.running(answers={"RCPT": one_in_six}) as server:
        send(installation, server, connections=1)
        assert statuses(installation) == {DeliveryStatus.FAILED: 33, DeliveryStatus.SENT: 167}
        with installation.at(TUESDAY).reading() as session:
            assert session.query(Digest).one().status is DigestStatus.SENT
    assert 10 < len(counted) < 33


def test_the_rate_limit_of_a_domain_delays_no_other_domain(enqueued: Installation):
    enqueued.subscribe("far@elsewhere.example.com")
    with faulty_server.running() as server:
        send(enqueued, server, domain_rates={"example.org": 0.5})
        assert len(server.envelopes) <= 3
        assert statuses(enqueued)[DeliveryStatus.PENDING] >= PEOPLE - 3
        for minute in range(1, 30):
            send(
                enqueued,
                server,
                TUESDAY + timedelta(seconds=10 * minute),
                domain_rates={"example.org": 0.5},
            )
        everything_went_out_once(enqueued, server)


@pytest.mark.parametrize("rate", [0, 20])
def test_a_stop_finishes_started_mails_and_starts_no_others(enqueued: Installation, rate: int):
    with faulty_server.running(slow=0.02) as server:
        enqueued.change(
            smtp=Smtp(port=server.port, security="none", connections=2, rate_per_second=rate)
        )
        sent = deliver.run(enqueued.at(TUESDAY), lambda: len(server.accepted) >= 3)
        assert (sent.problem, sent.not_accepted) == ("", 0)
        assert 3 <= sent.accepted == len(server.accepted) <= 3 + 2 * 2
        assert statuses(enqueued) == {
            DeliveryStatus.SENT: sent.accepted,
            DeliveryStatus.PENDING: PEOPLE - sent.accepted,
        }
        with enqueued.at(TUESDAY).reading() as session:
            waiting = session.query(Delivery).filter_by(status=DeliveryStatus.PENDING)
            assert {(row.attempts, row.error, row.leased_until) for row in waiting} == {
                (0, None, None)
            }
        deliver.run(enqueued.at(TUESDAY))
        everything_went_out_once(enqueued, server)


@pytest.mark.long
def test_a_daemon_that_is_stopped_does_not_finish_its_list(enqueued: Installation):
    with faulty_server.running() as server:
        enqueued.change(
            smtp=Smtp(port=server.port, security="none", connections=2, rate_per_second=4)
        )

        def stop_when_some_are_sent() -> None:
            while len(server.accepted) < 2:
                time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=stop_when_some_are_sent, daemon=True).start()
        reports: list[Report] = []
        scheduler.run(enqueued.at(TUESDAY), reports.append, tick=60)
        (report,) = reports
        assert 0 < report.sent.accepted == len(server.accepted) < PEOPLE
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        deliver.run(enqueued.at(TUESDAY + timedelta(minutes=1)))
        everything_went_out_once(enqueued, server)


def test_many_mails_to_a_limited_domain_delay_no_other_recipient(installation: Installation):
    for number in range(40):
        installation.subscribe(f"a{number}@crowd.example.org")
    compose.run(installation.at(installation.discover(5)))
    with faulty_server.running() as server:
        send(installation, server, connections=1, domain_rates={"crowd.example.org": 0.1})
        assert sum(to.endswith("@example.org") for to in server.envelopes) == 5
        assert sum(to.endswith("@crowd.example.org") for to in server.envelopes) == 1


def test_a_full_disk_stops_the_sending_and_loses_nothing(
    enqueued: Installation, monkeypatch: pytest.MonkeyPatch
):

    settle, failed = outbox.settle_accepted, []

    def full(connection, delivery_ids, claim, now):
        if len(failed) < 1:
            failed.append(delivery_ids)
            raise OperationalError(
                "COMMIT", {}, sqlite3.OperationalError("database or disk is full")
            )
        settle(connection, delivery_ids, claim, now)

    monkeypatch.setattr(outbox, "settle_accepted", full)
    with faulty_server.running() as server:
        with pytest.raises(StoreError, match="no room left"):
            send(enqueued, server)
        repeated = len(server.accepted)
        assert repeated <= 3
        send(enqueued, server, TUESDAY + timedelta(minutes=2))
        assert statuses(enqueued) == {DeliveryStatus.SENT: PEOPLE}
        assert len(server.accepted) <= PEOPLE + 3
        assert len(set(server.accepted)) == PEOPLE


def test_a_database_that_is_locked_in_the_middle_stops_the_sending_and_loses_nothing(
    enqueued: Installation,
):
    engine = enqueued.at(TUESDAY).engine
    event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=100")
    )
    engine.dispose()
    other = sqlite3.connect(engine.url.database, isolation_level=None, check_same_thread=False)
    with faulty_server.running(slow=0.05) as server:
        locking = threading.Timer(0.2, other.execute, ["BEGIN IMMEDIATE"])
        locking.start()
        with pytest.raises(StoreError, match="locked by another program"):
            send(enqueued, server, connections=2)
        locking.join()
        first = len(server.accepted)
        assert 0 < first < PEOPLE
        other.execute("ROLLBACK")
        other.close()
        send(enqueued, server, TUESDAY + timedelta(minutes=2), connections=2)
        assert statuses(enqueued) == {DeliveryStatus.SENT: PEOPLE}
        assert len(set(server.accepted)) == PEOPLE
        assert len(server.accepted) <= PEOPLE + 2


def test_leases_are_renewed_again_when_the_database_is_back(
    enqueued: Installation, monkeypatch: pytest.MonkeyPatch
):

    beats = []

    def renew(session, claims, now):
        beats.append(claims)
        if len(beats) == 1:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(outbox, "renew", renew)
    monkeypatch.setattr(deliver, "_HEARTBEAT", 0.02)
    with faulty_server.running(slow=0.02) as server:
        send(enqueued, server, connections=1)
        everything_went_out_once(enqueued, server)
    assert len(beats) > 2


def test_two_processes_deliver_one_digest_without_a_duplicate(enqueued: Installation):
    with faulty_server.running(slow=0.01) as server:
        enqueued.change(
            smtp=Smtp(port=server.port, security="none", connections=2, timeout_seconds=2)
        )

        url = enqueued.at(TUESDAY).engine.url
        others = [replace(enqueued.at(TUESDAY), engine=db.make_engine(str(url))) for _ in range(2)]
        threads = [threading.Thread(target=deliver.run, args=(deps,)) for deps in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for deps in others:
            deps.engine.dispose()
        everything_went_out_once(enqueued, server)


def test_a_clock_that_is_set_back_repeats_no_mail(enqueued: Installation):
    with faulty_server.running() as server:
        send(enqueued, server)
        send(enqueued, server, TUESDAY - timedelta(days=2))
        compose.run(enqueued.at(TUESDAY - timedelta(hours=3)))
        send(enqueued, server, TUESDAY)
        everything_went_out_once(enqueued, server)


def test_a_refused_log_in_is_reported_with_the_settings_and_no_mail_is_lost(enqueued: Installation):
    with faulty_server.running(answers={"AUTH": [b"535 5.7.8 wrong password"] * 2}) as server:
        first = send(enqueued, server, username="digest", password="wrong", connections=1)
        assert "refuses the log-in: 535" in first.problem
        assert "smtp.username" in first.problem
        assert statuses(enqueued) == {DeliveryStatus.PENDING: PEOPLE}
        send(enqueued, server)
        everything_went_out_once(enqueued, server)


def test_a_mailbox_that_stays_full_is_suppressed(enqueued: Installation):
    with faulty_server.running(answers={"RCPT": [b"552 5.2.2 mailbox full"] * 8}) as server:
        moment = TUESDAY
        with enqueued.at(TUESDAY).writing() as session:
            for delivery in session.query(Delivery).order_by(Delivery.id).offset(1):
                delivery.status = DeliveryStatus.SENT
        for _ in range(8):
            send(enqueued, server, moment, connections=1)
            moment += timedelta(hours=65)
        assert server.envelopes == []
        with enqueued.at(TUESDAY).reading() as session:
            assert session.query(Suppression).one().cause is SuppressionCause.BOUNCED
