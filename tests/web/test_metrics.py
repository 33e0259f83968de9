"""`/metrics`: the numbers, and who may read them. Their cost is tested with that of a tick."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from notifier.deliver.outbox import stop
from notifier.pipeline import compose, match, poll
from notifier.settings import Web
from notifier.store import db
from notifier.web.app import create
from tests.support.beginnings import mail_three_and_be_refused_by_one
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

TUESDAY = MONDAY + timedelta(days=1)
TOKEN = "a-token-of-the-tests"


@pytest.fixture
def busy(installation: Installation) -> Installation:
    """An installation that mailed two people, was refused by one, and has a digest that waits."""
    installation.prepare(keep_busy)
    return installation


@pytest.fixture
def any_busy(any_installation: Installation) -> Installation:
    """Such an installation on each kind of database in turn."""
    any_installation.prepare(keep_busy)
    return any_installation


def keep_busy(installation: Installation) -> None:
    mail_three_and_be_refused_by_one(installation)
    installation.publish([Article("Frexalimab in a second trial", slug="second")])
    for step in (poll, match, compose):
        step.run(installation.at(TUESDAY + timedelta(days=1)))


def ask(installation: Installation, moment, **headers: str) -> tuple[int, str]:
    with serving(create(installation.at(moment))) as address:
        answer = Client(address).get("/metrics", **headers)
        return answer.status_code, answer.text


def values(text: str) -> dict[str, float]:
    """Return the numbers by name and label."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_numbers_tell_what_waits_what_was_sent_and_what_is_broken(
    any_busy: Installation,
):
    asked_at = TUESDAY + timedelta(days=1, hours=1)
    status, text = ask(any_busy, asked_at)
    assert status == 200
    numbers = values(text)
    expected = {
        "notifier_deliveries sent": 2,
        "notifier_deliveries failed": 1,
        "notifier_deliveries pending": 2,
        "notifier_deliveries uncertain": 0,
        "notifier_backlog others": 2,
        "notifier_backlog asked": 0,
        "notifier_backlog urgent": 0,
        "notifier_backlog_oldest_seconds others": 3600,
        "notifier_backlog_oldest_seconds asked": 0,
        "notifier_sources healthy": 1,
        "notifier_sources failing": 0,
        "notifier_digests approved": 1,
        "notifier_last_run_timestamp_seconds": TUESDAY.timestamp(),
        "notifier_silent": 1,
        "notifier_sending_stopped": 0,
        "notifier_restore_waiting": 0,
        "notifier_held_suppressions": 0,
        "notifier_schema_version": int(db.newest_migration()),
    }
    assert {name: numbers[name] for name in expected} == expected


def test_the_numbers_follow_what_a_person_does(busy: Installation):
    with busy.at(TUESDAY).writing() as session:
        stop.stop(session, TUESDAY)
    assert values(ask(busy, TUESDAY)[1])["notifier_sending_stopped"] == 1


def test_no_label_and_no_value_names_a_person_or_a_therapy(busy: Installation):
    text = ask(busy, TUESDAY)[1].lower()
    for word in ("frexalimab", "anna", "carl", "@", "example.org", "herald", "127.0.0.1"):
        assert word not in text


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (None, {}, 200),
        (None, {"X_Forwarded_For": "198.51.100.7"}, 403),
        (TOKEN, {"X_Forwarded_For": "198.51.100.7"}, 403),
        (TOKEN, {"X_Forwarded_For": "198.51.100.7", "Authorization": "Bearer wrong"}, 403),
        (TOKEN, {"X_Forwarded_For": "198.51.100.7", "Authorization": f"Bearer {TOKEN}"}, 200),
    ],
    ids=["this machine", "a stranger", "no token", "a wrong token", "the token"],
)
def test_operators_alone_read_the_numbers(
    installation: Installation, token: str | None, headers: dict[str, str], status: int
):
    installation.change(web=Web(metrics_token=token))
    answered, text = ask(installation, MONDAY, **headers)
    assert answered == status
    assert ("notifier_deliveries" in text) is (status == 200)
    assert ("web.metrics_token" in text) is (status == 403)
