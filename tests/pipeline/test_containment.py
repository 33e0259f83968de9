"""A step, profile, person or mail that fails stops no other, and its failure is reported."""

import json
import logging
import signal
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Select, false, literal, select
from sqlalchemy import text as sql
from typer.testing import CliRunner

from notifier import scheduler
from notifier.cli import shared
from notifier.cli.main import app
from notifier.deliver import outbox
from notifier.deliver.mime import dkim_keys
from notifier.digest import digests, groups
from notifier.enums import (
    Cadence,
    DeliveryKind,
    DeliveryStatus,
    SignupRequestKind,
    SubscriptionStatus,
)
from notifier.errors import StoreError
from notifier.match import profiles
from notifier.messages import digest_mail
from notifier.pipeline import (
    bounces,
    compose,
    deliver,
    housekeeping,
    match,
    monitoring,
    planning,
    poll,
    signup_requests,
)
from notifier.pipeline.problems import Problems
from notifier.pipeline.run import Report, run_once
from notifier.settings import Dkim, Operator, Subscriptions
from notifier.store.models import Alarm, Delivery, Digest, SignupRequest, Subscription, Suppression
from notifier.subscribers import lifecycle
from notifier.subscribers import signup_requests as waiting
from notifier.subscribers.choices import default_choice
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.watched_deps import watched

TUESDAY = MONDAY + timedelta(days=1)
HOUR = timedelta(hours=1)

STEPS = {
    "poll": (poll, "run"),
    "match": (match, "run"),
    "signup_requests": (signup_requests, "answer_all"),
    "housekeeping": (housekeeping, "run"),
    "compose": (compose, "run"),
    "deliver": (deliver, "run"),
    "monitoring": (monitoring, "notify_operator"),
}


def fails(error: Exception):
    def failing(*_words, **_named):
        raise error

    return failing


@pytest.mark.parametrize(
    "error",
    [
        ValueError("anna@example.org"),
        StoreError("The database is locked.", "Wait."),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_run_if_the_one_before_failed(
    installation: Installation, step: str, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog
):
    run: list[str] = []
    for name, (module, function) in STEPS.items():
        real = getattr(module, function)

        def noted(*words, name=name, real=real, **named):
            run.append(name)
            return fails(error)() if name == step else real(*words, **named)

        monkeypatch.setattr(module, function, noted)
    with caplog.at_level(logging.WARNING):
        report = run_once(installation.at(MONDAY))
    assert run == list(STEPS)
    assert report.failed
    (line,) = report.problems
    assert line.startswith(f"The step {step} failed: ")
    assert "@" not in line + caplog.text.replace("@contextmanager", "")
    assert ("Traceback" in caplog.text) is not isinstance(error, StoreError)


def test_a_failing_step_makes_exit_code_1_and_says_so(ready, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compose, "run", fails(ValueError("x")))
    done = ready("run", "--once", "--now", "2026-03-03T09:00Z")
    assert done.exit_code == 1
    assert "The step compose failed: an unexpected error (ValueError)" in done.stderr


@pytest.fixture
def ready(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    """Run a command on the installation."""

    class Opened:
        def __enter__(self):
            return installation.at(TUESDAY)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(shared, "open_deps", lambda *_words, **_named: Opened())
    return lambda *words: CliRunner().invoke(app, [*words])


BROKEN = {
    "a time with a digit that is not ASCII": "UPDATE subscription SET at='0\u0663:00' WHERE id=1",
    "a time that is none": "UPDATE subscription SET at='25:99' WHERE id=1",
    "an empty time": "UPDATE subscription SET at='' WHERE id=1",
    "a time without its zero": "UPDATE subscription SET at='8:00' WHERE id=1",
    "a weekday that does not exist": (
        """UPDATE subscription SET cadence='weekly', "on"=99 WHERE id=1"""
    ),
    "a weekday below zero": """UPDATE subscription SET cadence='weekly', "on"=-1 WHERE id=1""",
    "no weekday": """UPDATE subscription SET cadence='weekly', "on"=NULL WHERE id=1""",
    "a day of the month that does not exist": (
        """UPDATE subscription SET cadence='monthly', "on"=99 WHERE id=1"""
    ),
    "a language that is not ours": "UPDATE subscriber SET language='xx' WHERE id=1",
    "no list of hidden parts": "UPDATE subscription SET hidden='null' WHERE id=1",
    "a hidden list that is a text": "UPDATE subscription SET hidden='\"about\"' WHERE id=1",
    "a hidden list of numbers": "UPDATE subscription SET hidden='[1, 2]' WHERE id=1",
    "a hidden list that is an object": "UPDATE subscription SET hidden='{\"a\": 1}' WHERE id=1",
}
ONLY_IN_SQLITE = {
    "JSON that is broken": "UPDATE subscription SET hidden='[broken' WHERE id=1",
    "a day that is a word": (
        """UPDATE subscription SET cadence='weekly', "on"='monday' WHERE id=1"""
    ),
    "a cadence that is none": "UPDATE subscription SET cadence='hourly' WHERE id=1",
}


def damage(installation: Installation, statement: str) -> None:
    with installation.at(MONDAY).writing() as session:
        session.execute(sql(statement))


def trouble(installation: Installation) -> tuple[str | None, object]:
    with installation.at(MONDAY).reading() as session:
        return session.execute(
            sql("SELECT trouble, next_due_at FROM subscription WHERE id=1")
        ).one()


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN)
def test_one_row_that_cannot_be_read_stops_nobody_else(
    any_installation: Installation, statement: str
):
    installation = any_installation
    due = installation.discover(3)
    damage(installation, statement)
    report = run_once(installation.at(due))
    assert {mail["To"] for mail in installation.sink.messages} == {
        "person1@example.org",
        "person2@example.org",
    }
    sentence, _ = trouble(installation)
    assert sentence.startswith("The stored ")
    assert "@" not in sentence
    assert not report.problems, "it is that person's trouble, not the run's"


@pytest.mark.parametrize("statement", ONLY_IN_SQLITE.values(), ids=ONLY_IN_SQLITE)
def test_a_value_that_only_sqlite_accepts_stops_nobody_else(
    installation: Installation, statement: str
):
    due = installation.discover(3)
    damage(installation, statement)
    run_once(installation.at(due))
    assert {mail["To"] for mail in installation.sink.messages} == {
        "person1@example.org",
        "person2@example.org",
    }
    assert trouble(installation)[0]


@pytest.mark.parametrize(
    "values", ["cadence='hourly'", "edition='robot'", "wish='{broken'", "next_due_at='tomorrow'"]
)
def test_sign_ups_that_nobody_confirmed_are_deleted_beside_a_broken_one(
    installation: Installation, values: str
):
    for number in range(3):
        installation.subscribe(f"person{number}@example.org", confirmed=False)
    installation.subscribe("anna@example.org")
    damage(installation, f"UPDATE subscription SET {values} WHERE id=2")
    report = run_once(installation.at(MONDAY + timedelta(days=3)))
    assert not report.problems
    with installation.at(MONDAY).reading() as session:
        assert [row.id for row in session.execute(sql("SELECT id FROM subscription"))] == [4]


def test_a_wish_that_is_broken_is_given_up_with_the_others(installation: Installation):
    installation.subscribe("anna@example.org")
    damage(installation, "UPDATE subscription SET wish='{broken'")
    report = run_once(installation.at(MONDAY + timedelta(days=3)))
    assert not report.problems
    with installation.at(MONDAY).reading() as session:
        assert session.execute(sql("SELECT status, wish FROM subscription")).one() == (
            "confirmed",
            None,
        )


def test_renewals_are_asked_for_beside_a_row_that_is_broken(installation: Installation):
    installation.change(subscriptions=Subscriptions(renewal_months=12))
    for number in range(3):
        installation.subscribe(f"person{number}@example.org")
    damage(installation, "UPDATE subscription SET cadence='hourly' WHERE id=1")
    report = run_once(installation.at(MONDAY + timedelta(days=366)))
    assert not report.problems
    assert {mail["To"] for mail in installation.sink.messages} == {
        "person1@example.org",
        "person2@example.org",
    }


def test_a_broken_subscription_is_tried_again_after_an_hour_and_served_when_corrected(
    any_installation: Installation,
):
    installation = any_installation
    due = installation.discover(2)
    damage(installation, "UPDATE subscription SET at='25:99' WHERE id=1")
    run_once(installation.at(due))
    before = trouble(installation)
    run_once(installation.at(due + HOUR / 2))
    assert trouble(installation) == before
    damage(installation, "UPDATE subscription SET at='08:00' WHERE id=1")
    run_once(installation.at(due + HOUR))
    assert len(installation.sink.to("person0@example.org")) == 1
    assert trouble(installation)[0] is None


def test_a_broken_immediate_subscription_is_not_tried_every_half_minute(
    installation: Installation,
):
    installation.subscribe("anna@example.org", every="immediate")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    damage(installation, "UPDATE subscription SET hidden='null'")
    for minutes in (30, 60, 89):
        run_once(installation.at(MONDAY + timedelta(minutes=minutes)))
    assert installation.sink.messages == []
    damage(installation, "UPDATE subscription SET hidden='[]'")
    run_once(installation.at(MONDAY + timedelta(minutes=60)))
    assert installation.sink.messages == [], "its next attempt is later"
    for minutes in (151, 152):
        run_once(installation.at(MONDAY + timedelta(minutes=minutes)))
    assert len(installation.sink.messages) == 1
    assert trouble(installation) == (None, None)


def test_the_operator_is_mailed_once_that_somebody_cannot_be_served_and_once_that_all_can(
    installation: Installation,
):
    installation.change(operator=Operator(address="office@example.org"))
    due = installation.discover(2)
    damage(installation, "UPDATE subscription SET at='25:99' WHERE id=1")
    for hours in range(3):
        run_once(installation.at(due + hours * HOUR))
    deliver.run(installation.at(due + 3 * HOUR))
    (alert,) = installation.sink.to("office@example.org")
    assert alert["Subject"] == "notifier: some subscribers cannot be served"
    assert "1 subscriber cannot be served" in " ".join(text_of(alert).split())
    assert "person0" not in text_of(alert)
    with installation.at(due).reading() as session:
        assert [check.name for check in monitoring.checks(session, due) if not check.ok] == [
            "subscribers"
        ]
    damage(installation, "UPDATE subscription SET at='08:00' WHERE id=1")
    for hours in range(4, 7):
        run_once(installation.at(due + hours * HOUR))
    subjects = [mail["Subject"] for mail in installation.sink.to("office@example.org")]
    assert subjects[1:] == ["notifier: all subscribers are served again"]
    with installation.at(due).reading() as session:
        assert session.query(Alarm).count() == 0


def test_commands_show_why_a_subscription_cannot_be_served(installation: Installation, ready):
    due = installation.discover(2)
    damage(installation, "UPDATE subscription SET hidden='[broken' WHERE id=1")
    damage(installation, """UPDATE subscription SET cadence='weekly', "on"=99 WHERE id=2""")
    run_once(installation.at(due))
    done = ready("subscribers", "list", "--json")
    assert done.exit_code == 0, done.output
    troubles = [
        one["trouble"] for person in json.loads(done.stdout) for one in person["subscriptions"]
    ]
    assert troubles == [
        "The stored list of hidden parts cannot be read.",
        "The stored day does not go with how often digests are sent.",
    ]
    assert (
        "No digest can be sent: The stored list"
        in ready("subscribers", "show", "person0@example.org").output
    )


def test_pauses_end_for_the_others_if_one_time_of_day_is_broken(
    any_installation: Installation,
):
    installation = any_installation
    due = installation.discover(3)
    with installation.at(MONDAY).writing() as session:
        for subscription in session.query(Subscription):
            lifecycle.pause(subscription, MONDAY + HOUR, MONDAY)
    damage(installation, "UPDATE subscription SET at='25:99' WHERE id=1")
    housekeeping.run(installation.at(due))
    with installation.at(due).reading() as session:
        statuses = {
            subscription.id: subscription.status for subscription in session.query(Subscription)
        }
    assert statuses[1] is SubscriptionStatus.PAUSED
    assert {statuses[2], statuses[3]} == {SubscriptionStatus.CONFIRMED}
    assert trouble(installation)[0] == "The stored time of day does not have the form HH:MM."


def test_a_digest_that_cannot_be_rendered_stops_no_other_group(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(2)
    installation.subscribe("doctor@example.org", edition="clinician", moment=MONDAY)
    damage(installation, "UPDATE subscription SET position=0")
    real = digests.compose

    def compose_digest(profile, group, *rest):
        if group.variant.edition == "clinician":
            raise KeyError("doctor@example.org")
        return real(profile, group, *rest)

    monkeypatch.setattr(digests, "compose", compose_digest)
    report = run_once(installation.at(due))
    assert len(installation.sink.messages) == 2
    assert report.failed
    monkeypatch.setattr(digests, "compose", real)
    run_once(installation.at(due + HOUR))
    assert len(installation.sink.to("doctor@example.org")) == 1


def test_a_subscription_that_cannot_be_grouped_stops_no_other(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(3)
    damage(installation, "UPDATE subscription SET hidden='[\"related\"]' WHERE id=2")
    real = groups.items_of

    def items_of(owed, stock):
        if owed.hidden:
            raise KeyError("person1@example.org")
        return real(owed, stock)

    monkeypatch.setattr(groups, "items_of", items_of)
    report = run_once(installation.at(due))
    served = [bool(installation.sink.to(f"person{number}@example.org")) for number in range(3)]
    assert served == [True, False, True]
    assert report.failed
    assert "@" not in " ".join(report.problems)
    monkeypatch.setattr(groups, "items_of", real)
    run_once(installation.at(due + HOUR))
    assert len(installation.sink.to("person1@example.org")) == 1


def test_one_profile_that_cannot_be_composed_stops_no_other(
    installation: Installation, monkeypatch
):
    due = installation.discover(2)
    other = installation.at(due)
    with other.writing() as session:
        file = profiles.parse(profiles.bundled_file("tolebrutinib"), "the other profile")
        profiles.save(session, file, due)
    damage(installation, "UPDATE subscription SET profile_id=2 WHERE id=2")
    real = compose.read_due
    monkeypatch.setattr(
        compose,
        "read_due",
        lambda *words: fails(ValueError())() if words[1].profile_id == 2 else real(*words),
    )
    problems = Problems()
    assert compose.run(other, problems) == 1
    assert len(problems.lines) == 1


def test_one_request_that_fails_is_dropped_and_stops_no_other(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        for number in range(3):
            session.add(
                SignupRequest(
                    kind=SignupRequestKind.LINK,
                    network="n",
                    email=f"p{number}@example.org",
                    at=MONDAY,
                )
            )
    real = signup_requests._answer

    def answer(deps, session, enquiry):
        if enquiry.email == "p1@example.org":
            raise ValueError(enquiry.email)
        return real(deps, session, enquiry)

    monkeypatch.setattr(signup_requests, "_answer", answer)
    problems = Problems()
    assert signup_requests.answer_all(deps, problems) == 3
    assert problems.lines == [
        "Answering request 2 failed: an unexpected error (ValueError), whose trace is in the log."
    ]
    with deps.reading() as session:
        assert all(
            enquiry.answered_at is not None and enquiry.email is None
            for enquiry in session.query(SignupRequest)
        )


@pytest.mark.parametrize("values", ["kind='riddle'", "wish='{broken'", "wish='[]'", "at='noon'"])
def test_a_broken_request_is_given_up_and_the_next_of_its_owner_answered(
    installation: Installation, values: str
):
    installation.adopt()
    deps = installation.at(MONDAY)
    wish = signup_requests.to_json("frexalimab", default_choice(Cadence.WEEKLY, "UTC"))
    for _ in range(2):
        with deps.writing() as session:
            kind = SignupRequestKind.SUBSCRIBE
            waiting.ask(session, kind, "anna@example.org", wish, "192.0.2.1", MONDAY)
    damage(installation, f"UPDATE enquiry SET {values} WHERE id=1")
    signup_requests.answer(deps, 2)
    run_once(deps)
    assert [mail["To"] for mail in installation.sink.messages] == ["anna@example.org"]
    with deps.reading() as session:
        assert session.scalar(sql("SELECT count(*) FROM enquiry WHERE email IS NOT NULL")) == 0


def _anything(_now: datetime) -> Select[int]:
    return select(literal(1))


def _nothing(_now: datetime) -> Select[int]:
    return select(literal(1)).where(false())


def test_one_part_of_housekeeping_that_fails_stops_no_other(
    installation: Installation, monkeypatch
):
    done: list[str] = []
    steps = (
        housekeeping._Step("One", _anything, fails(ValueError("x"))),
        housekeeping._Step("Two", _nothing, lambda *_: done.append("two")),
        housekeeping._Step("Three", _anything, lambda *_: done.append("three")),
    )
    monkeypatch.setattr(housekeeping, "_STEPS", steps)
    monkeypatch.setattr(housekeeping, "_replace_time_zones", fails(ValueError("y")))
    problems = Problems()
    housekeeping.run(installation.at(MONDAY), problems)
    assert done == ["three"]
    assert len(problems.lines) == 2


def test_where_nobody_can_tell_what_housekeeping_is_due_each_step_is_tried(
    any_installation: Installation, monkeypatch
):
    done: list[str] = []
    steps = (
        housekeeping._Step("One", fails(ValueError("x")), lambda *_: done.append("one")),
        housekeeping._Step("Two", fails(ValueError("x")), lambda *_: done.append("two")),
    )
    monkeypatch.setattr(housekeeping, "_STEPS", steps)
    problems = Problems()
    housekeeping.run(any_installation.at(MONDAY), problems)
    assert done == ["one", "two"]
    assert problems.lines == []


@pytest.mark.parametrize("place", ["the outgoing message", "its bytes"])
@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed by the prefetcher"])
def test_a_mail_that_cannot_be_built_is_deferred_and_the_others_go_out(
    any_installation: Installation,
    place: str,
    signed: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path,
):
    installation = any_installation
    if signed:
        key = tmp_path / "key.pem"
        key.write_bytes(dkim_keys.new_key("rsa"))
        installation.change(dkim=Dkim(domain="example.org", private_key_file=key))
    due = installation.discover(12)
    compose.run(installation.at(due))
    real = digest_mail.MessageBuilder.outgoing

    def outgoing(self, session, claimed, now):
        if claimed.to != "person3@example.org":
            return real(self, session, claimed, now)
        if place == "the outgoing message":
            raise KeyError(claimed.to)
        return real(self, session, claimed, now)._replace(message=fails(KeyError(claimed.to)))

    monkeypatch.setattr(digest_mail.MessageBuilder, "outgoing", outgoing)
    sent = deliver.run(installation.at(due))
    assert sent.accepted == 11
    assert sent.answers["deferred"] == 1
    with installation.at(due).reading() as session:
        (waiting,) = session.query(Delivery).filter(Delivery.status != DeliveryStatus.SENT)
        assert waiting.status is DeliveryStatus.PENDING
        assert waiting.error.startswith("the mail cannot be built: an unexpected error (KeyError)")
        assert "@" not in waiting.error
        assert waiting.next_attempt_at > due
    monkeypatch.setattr(digest_mail.MessageBuilder, "outgoing", real)
    deliver.run(installation.at(due + HOUR))
    assert len(installation.sink.to("person3@example.org")) == 1


def test_a_mail_that_can_never_be_built_is_given_up_after_the_usual_time(
    installation: Installation, monkeypatch
):
    due = installation.discover(1)
    compose.run(installation.at(due))
    monkeypatch.setattr(digest_mail.MessageBuilder, "outgoing", fails(KeyError("x")))
    for hours in range(0, 100, 6):
        deliver.run(installation.at(due + hours * HOUR))
    with installation.at(due).reading() as session:
        (delivery,) = session.query(Delivery)
        assert delivery.status is DeliveryStatus.FAILED
        assert "given up after" in delivery.error
        assert session.query(Digest).one().status == "failed"


def test_a_row_that_breaks_after_composing_stops_only_its_own_mail(
    any_installation: Installation,
):
    installation = any_installation
    due = installation.discover(3)
    compose.run(installation.at(due))
    damage(installation, """UPDATE subscription SET cadence='weekly', "on"=99 WHERE id=1""")
    assert deliver.run(installation.at(due)).accepted == 2


def test_messages_are_built_while_no_write_transaction_is_open(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(3)
    installation.subscribe("newcomer@example.org", confirmed=False)
    with installation.at(due).writing() as session:
        newcomer = (
            session.query(Subscription)
            .filter(Subscription.status == SubscriptionStatus.PENDING)
            .one()
        )
        outbox.enqueue_own(session, DeliveryKind.CONFIRMATION, [newcomer.id], "example.org", due)
    compose.run(installation.at(due))
    deps = watched(installation.at(due))
    real = digest_mail.MessageBuilder.outgoing

    def outgoing(self, *words):
        assert not deps.open_sessions
        return real(self, *words)

    monkeypatch.setattr(digest_mail.MessageBuilder, "outgoing", outgoing)
    assert deliver.run(deps).accepted == 4


def test_an_unexpected_error_while_leases_are_renewed_does_not_stop_the_delivery(
    installation: Installation, monkeypatch
):
    due = installation.discover(3)
    compose.run(installation.at(due))
    monkeypatch.setattr(deliver, "_HEARTBEAT", 0.001)
    monkeypatch.setattr(outbox, "renew", fails(ValueError("anna@example.org")))
    assert deliver.run(installation.at(due)).accepted == 3


def test_a_person_who_unsubscribes_while_a_digest_is_rendered_gets_none(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(3)
    real = digests.compose

    def compose_digest(*words):
        damage(installation, "UPDATE subscription SET status='ended', next_due_at=NULL WHERE id=2")
        return real(*words)

    monkeypatch.setattr(digests, "compose", compose_digest)
    compose.run(installation.at(due))
    with installation.at(due).reading() as session:
        assert sorted(one.subscription_id for one in session.query(Delivery)) == [1, 3]


CHANGES = {
    "another place in the sequence": "UPDATE subscription SET position=position+1 WHERE id=2",
    "another due time": (
        "UPDATE subscription SET next_due_at='2026-04-01 08:00:00+00:00' WHERE id=2"
    ),
    "a pause": "UPDATE subscription SET status='paused' WHERE id=2",
    "hidden parts": "UPDATE subscription SET hidden='[\"related\"]' WHERE id=2",
    "another edition": "UPDATE subscription SET edition='clinician' WHERE id=2",
    "another language": "UPDATE subscriber SET language='de' WHERE id=2",
    "another hour": "UPDATE subscription SET at='09:00' WHERE id=2",
    "a full mailbox": "UPDATE subscriber SET held_until='2026-04-01 08:00:00+00:00' WHERE id=2",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_a_subscription_that_changes_while_a_digest_is_rendered_is_left_for_the_next_run(
    any_installation: Installation, statement: str, monkeypatch: pytest.MonkeyPatch
):
    installation = any_installation
    due = installation.discover(3)
    real = digests.compose

    def compose_digest(*words):
        damage(installation, statement)
        return real(*words)

    monkeypatch.setattr(digests, "compose", compose_digest)
    compose.run(installation.at(due))
    with installation.at(due).reading() as session:
        assert sorted(one.subscription_id for one in session.query(Delivery)) == [1, 3]


def test_a_match_that_is_stored_while_a_digest_is_rendered_goes_into_it_once(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(2)
    real = digests.compose
    matched: list[int] = []

    def compose_digest(*words):
        if not matched:
            installation.publish(
                [Article("Frexalimab slows lesions"), Article("Frexalimab again", slug="again")]
            )
            poll.run(installation.at(due + HOUR))
            matched.append(match.run(installation.at(due + HOUR)))
        return real(*words)

    monkeypatch.setattr(digests, "compose", compose_digest)
    compose.run(installation.at(due + HOUR))
    assert matched == [1]
    with installation.at(due).reading() as session:
        (digest,) = session.query(Digest)
        assert len(digest.items) == 2
        assert session.query(Delivery).count() == 2


def test_a_long_list_is_served_in_portions_with_one_digest(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    monkeypatch.setattr(planning, "_FIRST", 2)
    monkeypatch.setattr(planning, "_FEWEST", 2)
    monkeypatch.setattr(planning, "_MOST", 2)
    due = installation.discover(5)
    assert compose.run(installation.at(due)) == 1
    with installation.at(due).reading() as session:
        assert session.query(Digest).count() == 1
        assert session.query(Delivery).count() == 5
    assert compose.run(installation.at(due)) == 0


def test_the_scheduler_goes_on_after_a_run_that_failed(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compose, "run", fails(ValueError("x")))
    failed: list[bool] = []

    def tell(report: Report) -> None:
        failed.append(report.failed)
        if len(failed) == 3:
            signal.raise_signal(signal.SIGTERM)

    scheduler.run(installation.at(MONDAY), tell, 0.0)
    assert failed == [True, True, True]


def test_an_error_in_the_bounce_policy_loses_no_answer(any_installation: Installation, monkeypatch):
    installation = any_installation
    due = installation.discover(4)
    installation.sink.refuse_recipient = {
        f"person{number}@example.org": "550 5.1.1 no such user" for number in (1, 2)
    }
    real = bounces._apply_refusal

    def judge(session, delivery, outcome, now):
        if delivery.subscription.subscriber.email == "person1@example.org":
            raise ValueError(delivery.subscription.subscriber.email)
        real(session, delivery, outcome, now)

    monkeypatch.setattr(bounces, "_apply_refusal", judge)
    report = run_once(installation.at(due))
    assert report.sent.answers == {"accepted": 2, "refused": 2}
    assert not report.problems
    with installation.at(due).reading() as session:
        assert (
            sum(delivery.status is DeliveryStatus.FAILED for delivery in session.query(Delivery))
            == 2
        )
        assert session.query(Suppression).count() == 1


def test_somebody_who_is_erased_while_their_mail_is_refused_stops_nobody(
    any_installation: Installation, monkeypatch
):
    installation = any_installation
    due = installation.discover(3)
    installation.sink.refuse_recipient = {"person1@example.org": "550 5.1.1 no such user"}
    real = digest_mail.MessageBuilder.outgoing

    def outgoing(self, session, claimed, now):
        built = real(self, session, claimed, now)
        if claimed.to != "person1@example.org":
            return built

        def message() -> bytes:
            with installation.at(due).writing() as other:
                other.execute(sql("DELETE FROM subscriber WHERE email = 'person1@example.org'"))
            return built.message()

        return built._replace(message=message)

    monkeypatch.setattr(digest_mail.MessageBuilder, "outgoing", outgoing)
    report = run_once(installation.at(due))
    assert report.sent.accepted == 2
    assert not report.problems
