"""Digests without news: after a silent month one mail says how often the sources were polled."""

from datetime import timedelta

import pytest

from notifier.pipeline.run import run_once
from notifier.settings import Schedule
from notifier.store.models import Digest
from notifier.watch import sources
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Answer, Article

# Whole months or weeks are simulated, day by day.
pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)


def run_daily(installation: Installation, days: int, first: int = 0, step: int = 1) -> None:
    """Run on each day, or on some of them, where only the time that passes matters."""
    for day in range(first, days, step):
        run_once(installation.at(MONDAY + day * DAY))


def enable_no_news_digests(installation: Installation) -> None:
    installation.change(schedule=Schedule(time_zone="UTC", sign_of_life=True))


def test_no_mail_is_sent_without_news_unless_it_is_set(any_installation: Installation):
    any_installation.subscribe("anna@example.org")
    run_daily(any_installation, 41, step=4)
    assert any_installation.sink.messages == []


def test_after_a_month_without_news_one_mail_says_how_often_we_looked(
    any_installation: Installation,
):
    installation = any_installation
    enable_no_news_digests(installation)
    installation.subscribe("anna@example.org")
    installation.subscribe("ben@example.org", every="immediate")
    run_daily(installation, 30)
    assert installation.sink.messages == []
    run_daily(installation, 45, first=30)
    assert len(installation.sink.messages) == 2
    (mail,) = installation.sink.to("anna@example.org")
    assert mail["Subject"] == "Your digest: nothing new this month"
    assert mail["List-Unsubscribe"]
    one_line = " ".join(text_of(mail).split())
    looked = "we looked 31 times at 1 source and found nothing to tell you."
    assert f"Nothing new in the last 30 days: {looked}" in one_line
    assert "All of them are well." in one_line
    assert "Where Frexalimab stands" in html_of(mail)
    with installation.at(MONDAY).reading() as session:
        assert [len(one.items) for one in session.query(Digest)] == [0] * session.query(
            Digest
        ).count()


def test_a_failing_source_is_named_and_not_called_well(any_installation: Installation):
    installation = any_installation
    enable_no_news_digests(installation)
    installation.subscribe("anna@example.org")
    run_daily(installation, 5)
    installation.site.answers["/feed/"] = Answer(500)
    run_daily(installation, 41, first=5, step=3)
    (mail,) = installation.sink.to("anna@example.org")
    one_line = " ".join(text_of(mail).split())
    assert (
        "These cannot be read at the moment, and whoever runs this was told: The Example Herald"
        in one_line
    )
    assert "All of them are well" not in one_line


@pytest.mark.long
def test_a_subscription_that_is_owed_items_gets_no_digest_without_news(
    any_installation: Installation,
):
    installation = any_installation
    enable_no_news_digests(installation)
    installation.subscribe("anna@example.org", every="monthly", on="31")
    run_daily(installation, 2)
    installation.publish([Article("Frexalimab slows lesions")])
    run_daily(installation, 29, first=2, step=4)
    assert installation.sink.messages == []
    installation.publish(
        [Article("Frexalimab slows lesions"), Article("Frexalimab again", slug="again")]
    )
    run_daily(installation, 35, first=29)
    subjects = [mail["Subject"] for mail in installation.sink.messages]
    assert subjects == ["Your monthly digest: 2 items"]


@pytest.mark.long
def test_the_month_starts_again_after_news(any_installation: Installation):
    installation = any_installation
    enable_no_news_digests(installation)
    installation.subscribe("anna@example.org")
    run_daily(installation, 20, step=4)
    installation.publish([Article("Frexalimab slows lesions")])
    run_daily(installation, 50, first=20, step=3)
    assert [mail["Subject"] for mail in installation.sink.messages] == ["Your daily digest: 1 item"]
    run_daily(installation, 54, first=50)
    assert installation.sink.messages[-1]["Subject"] == "Your digest: nothing new this month"


def test_no_digest_without_news_is_sent_if_there_are_no_sources(
    any_installation: Installation,
):
    installation = any_installation
    enable_no_news_digests(installation)
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).writing() as session:
        sources.remove(session, "1", MONDAY)
    run_daily(installation, 41, step=4)
    assert installation.sink.messages == []
