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


@pytest.mark.parametrize(
    "title",
    [
        "Frexalimab trial in progressive MS halted",
        "Frexalimab trial halted after relapses in two patients",
        "Frexalimab study stopped early for success",
        "Trials of frexalimab suspended",
        "Sanofi stops multiple sclerosis trial of frexalimab",
        "Sanofi halts MS drug trial of frexalimab",
        "Sanofi discontinues frexalimab trial",
        "Sanofi recalls a batch of frexalimab",
        "New safety concerns over frexalimab",
        "FDA lifts hold on a rival as frexalimab gets a safety alert",
        "No relapses: yet FDA places clinical hold on frexalimab",
        "EMA removes frexalimab over safety signal",
        "Sanofi not surprised by clinical hold on frexalimab",
        "EMA removes frexalimab from list after safety warning",
        "Frexalimab trial in MS progression halted after deaths",
        "Frexalimab study of relapse prevention stopped",
        "Trial for people with disability paused by Sanofi",
        "Sanofi halts relapse prevention study of frexalimab",
        "Sanofi stops phase 3 disability progression trial",
        "Sanofi pauses new lesion study of frexalimab",
        "Frexalimab shows no benefit. Safety warning issued",
        "FDA: no approval yet. Clinical hold on frexalimab",
    ],
)
def test_an_alert_is_urgent_in_other_words_too(title: str):
    assert is_urgent(NewsKind.NEW, Tier.ABOUT, title, [])


@pytest.mark.parametrize(
    "title",
    [
        "Frexalimab stops relapses in phase 2 study",
        "Frexalimab halts disability progression in phase 3 trial",
        "Frexalimab halts inflammation, small study suggests",
        "Frexalimab stops MS in a small study",
        "Study: frexalimab halted new lesions",
        "Trial finds frexalimab stopped MS attacks",
        "Frexalimab study: nausea stopped within days",
        "Can frexalimab stop MS? A study explains",
        "No new safety signal for frexalimab in two-year study",
        "Frexalimab study ends without new safety concerns",
        "FDA lifts clinical hold on frexalimab trial",
        "FDA lifts its partial clinical hold on frexalimab",
        "Sanofi resumes dosing after clinical hold on frexalimab",
        "Frexalimab stops new brain lesions in a study",
        "Frexalimab stops relapses, study shows",
        "Study shows relapses were stopped by frexalimab",
        "Study of frexalimab finds lesions stopped",
        "Frexalimab stops relapses in trial",
        "Sanofi ends frexalimab study, not due to safety concerns",
        "Sanofi ends frexalimab study, not because of safety concerns",
        "A decision on frexalimab, not over a safety signal",
        "FDA lifts U.S. clinical hold on frexalimab",
        "Frexalimab study: disability progression nearly halted",
        "Frexalimab trial: relapses in most patients stopped",
        "Frexalimab study ends with disability progression halted",
        "Frexalimab study without evidence of safety concerns",
        "FDA removes partial clinical hold from frexalimab",
        "Clinical hold on frexalimab lifted",
        "Frexalimab trial was not halted, Sanofi says",
        "Frexalimab trial won't be stopped",
        "Frexalimab: participants recall the trial",
        "Study on memory and recall in people on frexalimab",
        "Keine Safety Concerns bei Frexalimab",
    ],
)
def test_a_headline_without_an_alert_in_it_is_not_urgent(title: str):
    assert not is_urgent(NewsKind.NEW, Tier.ABOUT, title, [])


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
