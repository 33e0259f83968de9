"""Urgent news goes at once to those who asked for it, and to everybody else on schedule."""

from datetime import timedelta

import pytest

from notifier.enums import NewsKind, Tier
from notifier.match.urgency import is_urgent
from notifier.pipeline.run import run_once
from notifier.store.models import Subscription
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

STATUS = {"what": "Status", "before": "Recruiting", "after": "Terminated"}


@pytest.mark.parametrize(
    ("kind", "tier", "title", "changes", "expected"),
    [
        (NewsKind.NEW, Tier.ABOUT, "FDA places clinical hold on frexalimab trial", [], True),
        (NewsKind.NEW, Tier.ABOUT, "Safety alert for frexalimab", [], True),
        (NewsKind.NEW, Tier.ABOUT, "Sanofi halts frexalimab study", [], True),
        (NewsKind.NEW, Tier.ABOUT, "Frexalimab slows lesions", [], False),
        (NewsKind.NEW, Tier.ABOUT, "Frexalimab: participants recall the trial", [], True),
        (NewsKind.NEW, Tier.MENTION, "Clinical hold on another drug", [], False),
        (NewsKind.WITHDRAWN, Tier.ABOUT, "Anything", [], True),
        (NewsKind.WITHDRAWN, Tier.RELATED, "Anything", [], False),
        (NewsKind.TRIAL_CHANGE, Tier.ABOUT, "A trial", [STATUS], True),
        (NewsKind.TRIAL_CHANGE, Tier.ABOUT, "A trial", [{**STATUS, "after": "Completed"}], False),
    ],
)
def test_only_safety_news_stopped_trials_and_withdrawals_are_urgent(
    kind, tier, title, changes, expected
):
    assert is_urgent(kind, tier, title, changes) is expected


def test_urgent_news_is_sent_at_once_and_only_once_to_those_who_asked_for_it(
    installation: Installation,
):
    installation.subscribe("anna@example.org", every="monthly", on="28")
    installation.subscribe("ben@example.org", every="monthly", on="28")
    with installation.at(MONDAY).writing() as session:
        session.query(Subscription).order_by(Subscription.id).first().urgent = True
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + timedelta(days=1)))
    assert installation.sink.messages == []
    installation.publish(
        [Article("Frexalimab slows lesions"), Article("Clinical hold on a frexalimab trial")]
    )
    for minutes in (0, 5, 60):
        run_once(installation.at(MONDAY + timedelta(days=2, minutes=minutes)))
    (mail,) = installation.sink.messages
    assert mail["To"] == "anna@example.org"
    assert "Clinical hold on a frexalimab trial" in text_of(mail)
    run_once(installation.at(MONDAY + timedelta(days=26)))
    assert sorted(mail["To"] for mail in installation.sink.messages) == [
        "anna@example.org",
        "ben@example.org",
    ]
