"""Monitoring: one mail when mails do not go out, one when they do again, and none for less."""

import json
from datetime import timedelta

import pytest

from notifier.enums import DigestStatus
from notifier.pipeline import unsent
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Smtp
from notifier.store.models import Delivery, Digest
from notifier.watch import sources
from notifier.web.app import create
from tests.support import faulty_server
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port, text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

TUESDAY = MONDAY + timedelta(days=1)


def ask_healthz(installation: Installation, moment) -> tuple[int, dict]:
    with serving(create(installation.at(moment))) as address:
        answer = Client(address).get("/healthz")
        return answer.status_code, json.loads(answer.text)


def test_the_operator_is_mailed_once_when_the_mail_server_is_away_for_an_hour_and_when_it_returns(
    installation: Installation,
):
    installation.change(operator=Operator(address="office@example.org"))
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    assert ask_healthz(installation, MONDAY)[0] == 200
    installation.publish([Article("Frexalimab slows lesions")])
    good = installation.at(MONDAY).settings.smtp
    installation.change(smtp=Smtp(port=free_port(), security="none"))
    run_once(installation.at(TUESDAY))
    assert ask_healthz(installation, TUESDAY + timedelta(minutes=30))[0] == 200
    for hours in (1, 2, 3):
        run_once(installation.at(TUESDAY + timedelta(hours=hours)))
    status, document = ask_healthz(installation, TUESDAY + timedelta(hours=3))
    assert (status, document["status"]) == (503, "failing")
    assert "anna" not in json.dumps(document)
    installation.change(smtp=good)
    for hours in (4, 5):
        run_once(installation.at(TUESDAY + timedelta(hours=hours)))
    alerts = installation.sink.to("office@example.org")
    assert [mail["Subject"] for mail in alerts] == [
        "notifier: mails are not going out",
        "notifier: mails go out again",
    ]
    assert "notifier deliveries list" in text_of(alerts[0])
    assert len(installation.sink.to("anna@example.org")) == 1
    assert ask_healthz(installation, TUESDAY + timedelta(hours=5))[0] == 200


def test_healthz_reports_a_failing_source(installation: Installation):
    run_once(installation.at(MONDAY))
    with installation.at(MONDAY).writing() as session:
        (source,) = sources.listed(session)
        source.failures, source.last_error = 5, "HTTP 500"
    status, document = ask_healthz(installation, MONDAY)
    assert status == 503
    assert [check["name"] for check in document["checks"] if not check["ok"]] == ["sources"]


def refuse_one(installation: Installation, people: list[str], refused: str, answer: str) -> None:
    """Let these people's digest be due on Tuesday, and the mail server answer this for one."""
    installation.change(operator=Operator(address="office@example.org"))
    for email in people:
        installation.subscribe(email)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    installation.sink.refuse_recipient[refused] = answer


def run_every_20_minutes(installation: Installation, begin: int, end: int) -> None:
    for minutes in range(begin, end, 20):
        run_once(installation.at(TUESDAY + timedelta(minutes=minutes)))


def test_a_single_deferred_person_raises_no_alarm(installation: Installation):
    refuse_one(
        installation,
        ["anna@example.org", "ben@example.org"],
        "ben@example.org",
        "451 4.7.1 not now",
    )
    run_every_20_minutes(installation, 0, 300)
    assert installation.sink.to("office@example.org") == []


def test_a_mail_server_that_defers_everybody_raises_an_alarm(installation: Installation):
    refuse_one(installation, ["anna@example.org"], "anna@example.org", "451 4.7.1 not now")
    run_every_20_minutes(installation, 0, 60)
    assert installation.sink.to("office@example.org") == []
    run_every_20_minutes(installation, 60, 300)
    (alert,) = installation.sink.to("office@example.org")
    text = text_of(alert).replace("\n", " ")
    assert "nothing of it accepted by the mail server: digest 1" in text


def test_a_full_mailbox_raises_no_alarm(installation: Installation):
    refuse_one(installation, ["anna@example.org"], "anna@example.org", "552 5.2.2 mailbox full")
    run_every_20_minutes(installation, 0, 110)
    assert installation.sink.to("office@example.org") == []


GONE = "550 5.1.1 there is no such user"
READERS = ["anna@example.org", "ben@example.org", "cleo@example.org"]


def fail_for(installation: Installation, people: list[str], moment) -> None:
    """Let these people's mails of the newest digest be given up."""
    for email in people:
        installation.sink.refuse_recipient[email] = "451 4.7.1 not now"
    run_once(installation.at(moment))
    with installation.at(moment).writing() as session:
        for delivery in session.query(Delivery):
            if delivery.digest_id and delivery.subscription.subscriber.email in people:
                delivery.given_up_at = delivery.first_answer_at = moment - timedelta(days=3)
                delivery.next_attempt_at = moment
    run_once(installation.at(moment + timedelta(minutes=1)))
    installation.sink.refuse_recipient.clear()


def subjects(installation: Installation) -> list[str]:
    return [mail["Subject"] for mail in installation.sink.to("office@example.org")]


def told(installation: Installation) -> str:
    mails = installation.sink.to("office@example.org")
    return " ".join(" ".join(text_of(mail).split()) for mail in mails)


@pytest.fixture
def due(installation: Installation) -> Installation:
    """An installation with an operator, three readers and news for Tuesday."""
    installation.change(operator=Operator(address="office@example.org"))
    for email in READERS:
        installation.subscribe(email)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    return installation


def test_a_digest_that_nobody_got_is_failed_and_told_and_makes_healthz_unwell(due: Installation):
    fail_for(due, READERS, TUESDAY)
    later = TUESDAY + timedelta(minutes=30)
    run_once(due.at(later))
    assert subjects(due) == ["notifier: a digest reached nobody"]
    assert "Digest 1 reached nobody: 3 mails were refused or given up." in told(due)
    assert "notifier deliveries retry 1 2 3" in told(due)
    with due.at(later).reading() as session:
        assert session.query(Digest).one().status == DigestStatus.FAILED
    status, document = ask_healthz(due, later)
    wrong = [check["name"] for check in document["checks"] if not check["ok"]]
    assert (status, wrong) == (503, ["unreached"])


@pytest.mark.long
def test_giving_up_is_no_recovery(due: Installation):
    for email in READERS:
        due.sink.refuse_recipient[email] = "451 4.7.1 not now"
    moment = TUESDAY
    while moment < TUESDAY + timedelta(days=4):
        run_once(due.at(moment))
        moment += timedelta(hours=3)
    assert subjects(due) == [
        "notifier: mails are not going out",
        "notifier: a digest reached nobody",
    ]
    assert "again:" not in told(due)
    assert "lost" not in told(due)


def test_what_was_given_up_and_then_retried_is_a_recovery_when_it_was_accepted(
    due: Installation,
):
    fail_for(due, READERS, TUESDAY)
    unsent.retry(due.at(TUESDAY + timedelta(hours=1)))
    assert ask_healthz(due, TUESDAY + timedelta(hours=1))[0] == 503
    for minutes in (61, 62, 63):
        run_once(due.at(TUESDAY + timedelta(minutes=minutes)))
    assert subjects(due)[-1] == "notifier: mails go out again"
    assert all(len(due.sink.to(email)) == 1 for email in READERS)


def test_a_retry_that_was_not_accepted_yet_is_no_recovery(due: Installation):
    fail_for(due, READERS, TUESDAY)
    unsent.retry(due.at(TUESDAY + timedelta(hours=1)))
    for email in READERS:
        due.sink.refuse_recipient[email] = "451 4.7.1 not now"
    for minutes in (61, 70, 80):
        run_once(due.at(TUESDAY + timedelta(minutes=minutes)))
    assert "notifier: mails go out again" not in subjects(due)


def test_a_digest_that_a_person_dropped_is_over_without_a_word(due: Installation):
    fail_for(due, READERS, TUESDAY)
    run_once(due.at(TUESDAY + timedelta(minutes=2)))
    unsent.drop(due.at(TUESDAY + timedelta(hours=1)), [1, 2, 3])
    run_once(due.at(TUESDAY + timedelta(hours=1)))
    run_once(due.at(TUESDAY + timedelta(hours=2)))
    assert subjects(due) == ["notifier: a digest reached nobody"]
    assert ask_healthz(due, TUESDAY + timedelta(hours=2))[0] == 200


def test_a_newer_digest_that_was_accepted_ends_the_trouble_and_counts_what_was_given_up(
    due: Installation,
):
    fail_for(due, READERS, TUESDAY)
    due.publish([Article("Frexalimab slows lesions"), Article("Frexalimab in phase 3")])
    for hours in (24, 25):
        run_once(due.at(TUESDAY + timedelta(hours=hours)))
    assert subjects(due)[-1] == "notifier: mails go out again"
    assert "3 mails were given up meanwhile" in told(due)
    assert told(due).count("notifier deliveries retry 1 2 3") == 2
    assert ask_healthz(due, TUESDAY + timedelta(hours=25))[0] == 200


def test_single_mails_that_were_given_up_are_named_once_with_the_command(due: Installation):
    fail_for(due, ["ben@example.org"], TUESDAY)
    for hours in (1, 2, 30):
        run_once(due.at(TUESDAY + timedelta(hours=hours)))
    assert subjects(due) == ["notifier: mails were given up"]
    assert "1 digest mail was given up" in told(due)
    assert "To send them again: notifier deliveries retry 2" in told(due)
    assert ask_healthz(due, TUESDAY + timedelta(hours=30))[0] == 200


@pytest.mark.parametrize(("when_uncertain", "runs"), [("retry", 2), ("hold", 1)])
def test_mails_whose_answer_was_lost_are_named_once_as_in_doubt_and_are_no_backlog(
    due: Installation, when_uncertain: str, runs: int
):
    good = due.at(TUESDAY).settings.smtp.model_copy(update={"when_uncertain": when_uncertain})
    with faulty_server.running(drops={"ANSWER": 3 * runs}) as server:
        due.change(smtp=good.model_copy(update={"port": server.port}))
        for hours in range(runs):
            run_once(due.at(TUESDAY + timedelta(hours=hours)))
    due.change(smtp=good)
    for hours in (3, 4, 30):
        run_once(due.at(TUESDAY + timedelta(hours=hours)))
    assert subjects(due) == ["notifier: mails are in doubt"]
    assert "3 mails are in doubt" in told(due)
    assert "Rather twice than not at all: notifier deliveries retry 1 2 3" in told(due)
    assert ask_healthz(due, TUESDAY + timedelta(hours=30))[0] == 200


def test_an_address_that_does_not_exist_is_no_trouble_where_others_get_theirs(due: Installation):
    due.subscribe("dora@example.org", language="de")  # she alone gets the German digest
    for email in ("ben@example.org", "dora@example.org"):
        due.sink.refuse_recipient[email] = GONE
    report = run_once(due.at(TUESDAY))
    run_once(due.at(TUESDAY + timedelta(hours=1)))
    assert (report.failed, subjects(due)) == (False, [])
    assert ask_healthz(due, TUESDAY + timedelta(hours=1))[0] == 200


def test_readers_who_all_do_not_exist_are_a_trouble_even_if_there_is_one(
    installation: Installation,
):
    refuse_one(installation, ["anna@example.org"], "anna@example.org", GONE)
    assert run_once(installation.at(TUESDAY)).failed
    assert not run_once(installation.at(TUESDAY + timedelta(hours=1))).failed
    assert subjects(installation) == ["notifier: a digest reached nobody"]


def test_a_notifier_that_does_not_run_any_more_is_noticed(installation: Installation):
    assert ask_healthz(installation, MONDAY)[0] == 200
    run_once(installation.at(MONDAY))
    assert ask_healthz(installation, MONDAY + timedelta(hours=3))[0] == 200
    status, document = ask_healthz(installation, MONDAY + timedelta(hours=5))
    wrong = [check for check in document["checks"] if not check["ok"]]
    assert (status, [check["name"] for check in wrong]) == (503, ["runs"])
    assert wrong[0]["finding"] == "notifier has not run since 2026-03-02 09:00 UTC"
    run_once(installation.at(MONDAY + timedelta(hours=5)))
    assert ask_healthz(installation, MONDAY + timedelta(hours=5))[0] == 200


def test_a_run_with_a_wrong_clock_does_not_hide_that_notifier_is_dead(installation: Installation):
    run_once(installation.at(MONDAY + timedelta(days=400)))
    run_once(installation.at(MONDAY))
    assert ask_healthz(installation, MONDAY + timedelta(hours=5))[0] == 503


def test_a_source_that_fails_is_no_failure_of_the_run(installation: Installation):
    installation.site.fail("/feed/", 500)
    report = run_once(installation.at(MONDAY))
    assert [result.status for result in report.polled] == ["failed"]
    assert not report.failed
