"""Monitoring: one mail when mails do not go out, one when they do again, and none for less."""

import json
from datetime import timedelta

from notifier.pipeline.run import run_once
from notifier.settings import Operator, Smtp
from notifier.watch import sources
from notifier.web.app import create
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
