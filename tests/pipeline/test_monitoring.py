"""The watchman: one mail when mails do not go out, one when they do again, and nothing for less."""

import json
from datetime import timedelta

from notifier.pipeline.run import run_once
from notifier.settings import Operator, Smtp
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port, text_of
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

TUESDAY = MONDAY + timedelta(days=1)


def looked_at(made: Installation, moment) -> tuple[int, dict]:
    with serving(create(made.at(moment))) as address:
        answer = Client(address).get("/healthz")
        return answer.status_code, json.loads(answer.text)


def test_a_mail_server_that_is_away_for_an_hour_is_told_once_and_its_return_too(
    installation: Installation,
):
    made = installation
    made.change(operator=Operator(address="office@example.org"))
    made.subscribe("anna@example.org")
    run_once(made.at(MONDAY))
    assert looked_at(made, MONDAY)[0] == 200
    made.publish([Article("Frexalimab slows lesions")])
    good = made.at(MONDAY).settings.smtp
    made.change(smtp=Smtp(port=free_port(), security="none"))
    run_once(made.at(TUESDAY))
    assert looked_at(made, TUESDAY + timedelta(minutes=30))[0] == 200
    for hours in (1, 2, 3):
        run_once(made.at(TUESDAY + timedelta(hours=hours)))
    status, document = looked_at(made, TUESDAY + timedelta(hours=3))
    assert (status, document["status"]) == (503, "failing")
    assert "anna" not in json.dumps(document)
    made.change(smtp=good)
    for hours in (4, 5):
        run_once(made.at(TUESDAY + timedelta(hours=hours)))
    told = made.sink.to("office@example.org")
    assert [mail["Subject"] for mail in told] == [
        "notifier: mails are not going out",
        "notifier: mails go out again",
    ]
    assert "notifier deliveries list" in text_of(told[0])
    assert len(made.sink.to("anna@example.org")) == 1
    assert looked_at(made, TUESDAY + timedelta(hours=5))[0] == 200


def test_a_source_that_fails_is_shown(installation: Installation):
    made = installation
    run_once(made.at(MONDAY))
    with made.at(MONDAY).writing() as session:
        from notifier.watch import sources

        (source,) = sources.listed(session)
        source.failures, source.last_error = 5, "HTTP 500"
    status, document = looked_at(made, MONDAY)
    assert status == 503
    assert [one["name"] for one in document["checks"] if not one["ok"]] == ["sources"]


def refused(made: Installation, people: list[str], whom: str, said: str) -> None:
    """These people's digest is due on Tuesday, and their mail server says this of one of them."""
    made.change(operator=Operator(address="office@example.org"))
    for one in people:
        made.subscribe(one)
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    made.sink.refuse_recipient[whom] = said


def run_every_20_minutes(made: Installation, begin: int, end: int) -> None:
    for minutes in range(begin, end, 20):
        run_once(made.at(TUESDAY + timedelta(minutes=minutes)))


def test_a_person_who_is_put_off_alone_alarms_nobody(installation: Installation):
    refused(
        installation,
        ["anna@example.org", "ben@example.org"],
        "ben@example.org",
        "451 4.7.1 not now",
    )
    run_every_20_minutes(installation, 0, 300)
    assert installation.sink.to("office@example.org") == []


def test_a_mail_server_that_puts_everybody_off_is_told(installation: Installation):
    refused(installation, ["anna@example.org"], "anna@example.org", "451 4.7.1 not now")
    run_every_20_minutes(installation, 0, 60)
    assert installation.sink.to("office@example.org") == []
    run_every_20_minutes(installation, 60, 300)
    (told,) = installation.sink.to("office@example.org")
    assert "nothing of it accepted by the mail server: digest 1" in text_of(told).replace("\n", " ")


def test_a_mailbox_that_is_full_alarms_nobody(installation: Installation):
    refused(installation, ["anna@example.org"], "anna@example.org", "552 5.2.2 mailbox full")
    run_every_20_minutes(installation, 0, 110)
    assert installation.sink.to("office@example.org") == []
