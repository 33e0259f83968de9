"""The bounce policy: the same decision for an answer to RCPT TO and for a report."""

from datetime import timedelta

import pytest

from notifier.deliver.bounces.policy import Consequence, Evidence, Hold, decide, try_again_at
from notifier.deliver.bounces.subjects import Subject
from notifier.enums import BounceKind, SuppressionCause
from tests.support.installation import MONDAY

NOTHING = Consequence()
BOUNCED = Consequence(suppression=SuppressionCause.BOUNCED)


@pytest.mark.parametrize("reported", [True, False], ids=["a report", "an answer"])
@pytest.mark.parametrize("status", ["5.1.1", ""])
def test_a_hard_failure_suppresses_the_address(status: str, reported: bool):
    evidence = Evidence(BounceKind.HARD, status, "550", reported)
    assert decide(evidence, 0, None, MONDAY) == BOUNCED
    assert evidence.code == (status or "550")


@pytest.mark.parametrize(
    "kind",
    [
        BounceKind.DELAYED,
        BounceKind.AUTOREPLY,
        BounceKind.UNSUBSCRIBE,
        BounceKind.UNPROVEN,
        BounceKind.UNREADABLE,
        BounceKind.NONE,
    ],
)
def test_any_other_mail_that_came_back_has_no_consequence(kind: BounceKind):
    assert decide(Evidence(kind, "5.2.2", "552", reported=True), 7, MONDAY, MONDAY) == NOTHING


def test_a_complaint_suppresses_the_address_as_complained():
    evidence = Evidence(BounceKind.COMPLAINT, reported=True)
    assert decide(evidence, 0, None, MONDAY).suppression is SuppressionCause.COMPLAINED


@pytest.mark.parametrize(
    ("subject", "reported", "held"),
    [
        (Subject.MAILBOX, False, True),
        (Subject.UNKNOWN, False, False),
        (Subject.RECIPIENT, False, False),
        (Subject.MAILBOX, True, True),
        (Subject.UNKNOWN, True, True),
        (Subject.RECIPIENT, True, True),
    ],
)
def test_a_soft_answer_counts_only_for_the_mailbox_and_a_soft_report_always(
    subject: Subject, reported: bool, held: bool
):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", "552", reported, subject)
    consequence = decide(evidence, 0, None, MONDAY)
    assert (consequence.hold is not None) is held
    assert consequence.suppression is None


@pytest.mark.parametrize("reported", [True, False], ids=["a report", "an answer"])
@pytest.mark.parametrize(
    "subject",
    [Subject.SENDER, Subject.HOST, Subject.CONTENT, Subject.POLICY, Subject.LOAD],
)
def test_what_is_about_us_or_about_load_never_counts_however_often_it_comes(
    subject: Subject, reported: bool
):
    evidence = Evidence(BounceKind.SOFT, "5.7.1", "550", reported, subject)
    assert decide(evidence, 50, MONDAY, MONDAY) == NOTHING


YESTERDAY = MONDAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("soft_bounces", "hours"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32), (5, 64), (6, 64)]
)
def test_each_soft_bounce_doubles_the_hold_up_to_64_hours(soft_bounces: int, hours: int):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", reported=True)
    consequence = decide(evidence, soft_bounces, YESTERDAY, MONDAY)
    assert consequence.hold == (soft_bounces + 1, MONDAY + timedelta(hours=hours))
    assert consequence.suppression is None


@pytest.mark.parametrize("reported", [True, False], ids=["a report", "an answer"])
def test_the_eighth_soft_bounce_suppresses_the_address(reported: bool):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", "552", reported, Subject.MAILBOX)
    consequence = decide(evidence, 7, YESTERDAY, MONDAY)
    assert consequence.suppression is SuppressionCause.BOUNCED
    assert consequence.hold is not None
    assert consequence.hold.soft_bounces == 8


@pytest.mark.parametrize(("minutes", "soft_bounces"), [(0, 3), (59, 3), (-59, 3), (60, 4)])
def test_soft_bounces_within_an_hour_count_once(minutes: int, soft_bounces: int):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", reported=True)
    consequence = decide(evidence, 3, MONDAY, MONDAY + timedelta(minutes=minutes))
    assert consequence.hold is not None
    assert consequence.hold.soft_bounces == soft_bounces


@pytest.mark.parametrize(("counted", "hours"), [(1, 2), (3, 8), (7, 64)])
def test_a_report_about_a_mail_that_was_under_way_holds_mails_back_and_does_not_count(
    counted: int, hours: int
):
    evidence = Evidence(BounceKind.SOFT, "4.2.2", reported=True, in_flight=True)
    consequence = decide(evidence, counted, YESTERDAY, MONDAY)
    assert consequence == Consequence(Hold(counted, MONDAY + timedelta(hours=hours)))


@pytest.mark.parametrize(
    ("days", "soft_bounces"), [(1, 6), (6, 6), (7, 5), (13, 5), (14, 4), (70, 1)]
)
def test_one_soft_bounce_is_forgotten_each_week(days: int, soft_bounces: int):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", reported=True)
    consequence = decide(evidence, 5, MONDAY, MONDAY + timedelta(days=days))
    assert consequence.hold is not None
    assert consequence.hold.soft_bounces == soft_bounces


@pytest.mark.parametrize(
    ("days", "soft_bounces"), [(6, 6), (9, 6), (10, 5), (16, 5), (17, 4), (73, 1)]
)
def test_the_weeks_in_which_soft_bounces_are_forgotten_begin_when_the_hold_ends(
    days: int, soft_bounces: int
):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", reported=True)
    held_until, now = MONDAY + timedelta(days=3), MONDAY + timedelta(days=days)
    consequence = decide(evidence, 5, MONDAY, now, held_until=held_until)
    assert consequence.hold is not None
    assert consequence.hold.soft_bounces == soft_bounces


@pytest.mark.parametrize("tries_for", [0.1, 1, 3, 5, 6.9])
def test_a_mailbox_that_stays_full_is_suppressed_however_long_a_relay_tries(tries_for: float):
    evidence = Evidence(BounceKind.SOFT, "5.2.2", reported=True, subject=Subject.MAILBOX)
    number, last, held_until, now = 0, None, None, MONDAY
    suppressions = []
    for _report in range(30):
        consequence = decide(evidence, number, last, now, held_until=held_until)
        suppressions.append(consequence.suppression)
        assert consequence.hold is not None
        (number, held_until), last = consequence.hold, now
        now = held_until + timedelta(days=tries_for)
    assert suppressions[:8] == [None] * 7 + [SuppressionCause.BOUNCED]


@pytest.mark.parametrize(("hours", "wait"), [(-1, 2), (0, 2), (3, 3), (24, 24), (900, 64)])
def test_a_mail_that_came_back_for_our_fault_is_sent_again_ever_more_slowly(hours: int, wait: int):
    due_at = MONDAY - timedelta(hours=hours)
    assert try_again_at(due_at, MONDAY) == MONDAY + timedelta(hours=wait)
