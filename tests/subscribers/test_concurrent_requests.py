"""Several requests at the same moment: none fails, none is logged, and no limit is passed."""

import logging
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError

from notifier.enums import SignupRequestKind, SubscriptionStatus, SuppressionCause
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.pipeline.signup_requests import answer, answer_all, to_json
from notifier.store import db
from notifier.store.models import (
    AddressChange,
    Consent,
    Delivery,
    SignupRequest,
    Subscriber,
    Subscription,
    Suppression,
    Wording,
)
from notifier.subscribers import address_changes, signup_requests, subscriptions, suppressions
from notifier.subscribers.choices import default_choice
from tests.support.forms import (
    link_to,
    links_in_mails,
    people,
    post,
    sign_up,
    subscription_of,
    visiting,
)
from tests.support.installation import MONDAY, Installation

ANNA, NEW, PETRA = "anna@example.org", "anna@new.example.org", "petra@example.org"
TIMES = 8


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run calls in threads that begin together; return their results, or raise the first error."""
    begin, results, raised = threading.Barrier(len(calls)), [], []

    def run(call: Callable[[], object]) -> None:
        begin.wait(10)
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread of the test
            raised.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if raised:
        raise raised[0]
    return results


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.text == ""


@pytest.mark.parametrize("email", [PETRA, "Petra+news@example.org"])
def test_parallel_clicks_on_subscribe_give_one_person_and_one_question(
    any_installation: Installation, email: str
):
    installation = any_installation
    with visiting(installation) as client:
        answers = at_once(*[lambda: sign_up(client, email).status_code] * TIMES)
    assert answers == [200] * TIMES
    answer_all(installation.at(MONDAY))
    with installation.at(MONDAY).reading() as session:
        counts = [session.query(table).count() for table in (Subscriber, Subscription, Delivery)]
        assert counts == [1, 1, 1]
        assert all(request.email is None for request in session.query(SignupRequest))


def test_a_run_waits_for_an_answer_that_is_under_way(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    deps = any_installation.at(MONDAY)
    under_way, begun = threading.Event(), threading.Event()
    subscribe = subscriptions.subscribe

    def slowly(*arguments, **options):
        under_way.set()
        assert begun.wait(10)
        return subscribe(*arguments, **options)

    monkeypatch.setattr(subscriptions, "subscribe", slowly)
    with deps.writing() as session:
        wish = to_json("frexalimab", default_choice("weekly", "UTC"))
        kind = SignupRequestKind.SUBSCRIBE
        asked = signup_requests.ask(session, kind, PETRA, wish, "198.51.100.7", MONDAY)
    web = threading.Thread(target=answer, args=(deps, asked))
    web.start()
    assert under_way.wait(10)
    threading.Timer(0.3, begun.set).start()
    answer_all(deps)
    assert people(any_installation) == [PETRA]
    web.join(10)


def test_requests_that_several_answer_at_once_are_answered_once_each(
    any_installation: Installation,
):
    installation = any_installation
    deps = installation.at(MONDAY)
    choice = default_choice("weekly", "UTC")
    with deps.writing() as session:
        wish = to_json("frexalimab", choice)
        waiting = [
            signup_requests.ask(
                session, SignupRequestKind.SUBSCRIBE, PETRA, wish, f"198.51.{number}.7", MONDAY
            )
            for number in range(3)
        ]
    at_once(
        *[
            lambda request_id=request_id: answer(deps, request_id)
            for request_id in waiting
            for _ in range(3)
        ]
    )
    with deps.reading() as session:
        assert session.query(Subscriber).count() == session.query(Subscription).count() == 1
        assert session.query(Delivery).count() == 1


def test_parallel_sign_ups_of_one_address_by_an_operator_give_one_person(
    any_installation: Installation,
):
    installation = any_installation
    at_once(*[lambda: installation.subscribe(PETRA)] * TIMES)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == session.query(Subscription).count() == 1
        assert session.query(Consent).count() == 1


def test_parallel_confirmations_give_one_consent_and_one_welcome(any_installation: Installation):
    installation = any_installation
    with visiting(installation) as client:
        sign_up(client, PETRA, language="fr")
        run_once(installation.at(MONDAY))
        link = links_in_mails(installation, Purpose.CONFIRM)[PETRA]
        answers = at_once(*[lambda: client.post(link).status_code] * TIMES)
    assert answers == [200] * TIMES
    with installation.at(MONDAY).reading() as session:
        assert session.query(Consent).count() == session.query(Wording).count() == 1
        assert Counter(delivery.kind for delivery in session.query(Delivery)) == {
            "confirmation": 1,
            "welcome": 1,
        }


def test_parallel_suppressions_of_one_address_give_one(any_installation: Installation):
    installation = any_installation

    def suppress(cause: SuppressionCause) -> bool:
        with installation.at(MONDAY).writing() as session:
            return suppressions.add(
                session, subscriptions.hash_of(session, PETRA), cause, "5.1.1", MONDAY
            )

    causes = [
        SuppressionCause.BOUNCED,
        SuppressionCause.COMPLAINED,
        SuppressionCause.ASKED,
        SuppressionCause.ERASED,
    ]
    added = at_once(*[lambda cause=cause: suppress(cause) for cause in causes * 2])
    assert Counter(added) == {True: 1, False: 7}
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).one().cause is SuppressionCause.ASKED


def test_a_suppression_may_be_lifted_by_several_at_once(any_installation: Installation):
    installation = any_installation
    with installation.at(MONDAY).writing() as session:
        key = subscriptions.hash_of(session, PETRA)
        suppressions.add(session, key, SuppressionCause.ERASED, "erased", MONDAY)

    def lift() -> bool:
        with installation.at(MONDAY).writing() as session:
            return suppressions.lift(session, key)

    assert Counter(at_once(*[lift] * TIMES)) == {True: 1, False: TIMES - 1}


def test_the_link_never_to_write_again_may_be_used_several_times_at_once(
    any_installation: Installation,
):
    installation = any_installation
    with visiting(installation) as client:
        sign_up(client, PETRA)
        run_once(installation.at(MONDAY))
        link = links_in_mails(installation, Purpose.NEVER)[PETRA]
        assert at_once(*[lambda: client.post(link).status_code] * TIMES) == [200] * TIMES
    assert people(installation) == []


def test_parallel_changes_of_address_leave_one_and_stay_within_the_limit(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    path = link_to(installation, Purpose.PREFERENCES, ANNA)
    with visiting(installation) as client:
        answers = at_once(
            *[
                lambda number=number: (
                    post(
                        client,
                        path,
                        f"198.51.{number}.7",
                        do="address",
                        email=f"new{number}@example.org",
                    ).status_code
                )
                for number in range(TIMES)
            ]
        )
    assert Counter(answers) == {
        200: signup_requests.PER_ASKER,
        429: TIMES - signup_requests.PER_ASKER,
    }
    with installation.at(MONDAY).reading() as session:
        assert session.query(AddressChange).count() == 1


def test_both_addresses_may_agree_at_the_same_moment(any_installation: Installation):
    installation = any_installation
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        post(client, link_to(installation, Purpose.PREFERENCES, ANNA), do="address", email=NEW)
        run_once(installation.at(MONDAY))
        links = links_in_mails(installation, Purpose.ADDRESS)
        answers = at_once(
            *[lambda link=link: client.post(link).status_code for link in (*links.values(),) * 3]
        )
    assert set(answers) <= {200, 404}
    assert people(installation) == [NEW]


def test_a_new_address_that_signs_up_at_the_moment_of_the_change_becomes_one_person(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe(ANNA)
    with installation.at(MONDAY).writing() as session:
        change = address_changes.ask(
            session, subscriptions.find_subscriber(session, ANNA), NEW, MONDAY
        )
        address_changes.agree(session, change, address_changes.Side.OLD, MONDAY)
        link_id = change.link_id

    def agree() -> None:
        with installation.at(MONDAY).writing() as session:
            address_changes.agree(
                session,
                address_changes.by_link(session, link_id, MONDAY),
                address_changes.Side.NEW,
                MONDAY,
            )

    at_once(agree, *[lambda: installation.subscribe(NEW, confirmed=False)] * 4)
    assert people(installation) == [NEW]
    assert subscription_of(installation, NEW).status is SubscriptionStatus.CONFIRMED


@pytest.mark.parametrize("networks", [1, 40])
def test_parallel_requests_do_not_exceed_a_limit(any_installation: Installation, networks: int):
    installation = any_installation

    def ask(number: int) -> int:
        with installation.at(MONDAY).writing() as session:
            visitor = f"10.{number % networks}.0.1"
            try:
                signup_requests.ask(
                    session, SignupRequestKind.LINK, f"p{number}@example.org", None, visitor, MONDAY
                )
            except signup_requests.TooManyError:
                return 429
            return 200

    for _ in range(5):
        at_once(*[lambda number=number: ask(number) for number in range(8)])
    with installation.at(MONDAY).reading() as session:
        stored = Counter(request.network for request in session.query(SignupRequest))
    assert max(stored.values()) <= signup_requests.PER_NETWORK


def test_parallel_requests_do_not_exceed_the_limit_of_a_mailbox(any_installation: Installation):
    installation = any_installation

    def count() -> bool:
        with installation.at(MONDAY).writing() as session:
            return signup_requests.count_mail(session, SignupRequestKind.LINK, PETRA, MONDAY)

    assert Counter(at_once(*[count] * TIMES)) == {True: 3, False: TIMES - 3}


def test_a_request_that_fails_is_dropped_and_does_not_stop_the_others(
    any_installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    installation = any_installation
    answer = subscriptions.subscribe

    def failing(session, email, *arguments, **options):
        if email == "unlucky@example.org":
            raise IntegrityError("INSERT", {"email": email}, ValueError(email))
        return answer(session, email, *arguments, **options)

    monkeypatch.setattr(subscriptions, "subscribe", failing)
    with installation.at(MONDAY).writing() as session:
        wish = to_json("frexalimab", default_choice("weekly", "UTC"))
        for email in ("unlucky@example.org", PETRA):
            signup_requests.ask(
                session, SignupRequestKind.SUBSCRIBE, email, wish, "198.51.100.7", MONDAY
            )
    assert answer_all(installation.at(MONDAY)) == 2
    assert people(installation) == [PETRA]
    assert "Answering request 1 failed: an unexpected error (IntegrityError)" in caplog.text
    assert "unlucky" not in caplog.text
    caplog.clear()
    assert answer_all(installation.at(MONDAY)) == 0


def test_a_row_that_exists_is_not_inserted_again(engine):
    with db.writing(engine) as session:
        values = {
            "address_hash": "a" * 64,
            "cause": SuppressionCause.ASKED,
            "reason": "",
            "at": MONDAY,
        }
        assert db.insert_missing(session, Suppression, values)
        assert not db.insert_missing(session, Suppression, values)
