"""What was composed and not sent: owed again, merged, retried or dropped, and sent once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from notifier.deliver import outbox
from notifier.deliver.outbox import uncertain
from notifier.digest import told_before
from notifier.enums import (
    DeliveryStatus,
    EndReason,
    SubscriptionStatus,
    SuppressionCause,
    WaitReason,
)
from notifier.errors import NotFoundError, NotifierError
from notifier.operators.actions import Actor
from notifier.pipeline import bounces, compose, deliver, housekeeping, match, poll, unsent
from notifier.pipeline.run import run_once
from notifier.settings import Smtp
from notifier.store.models import Delivery, Digest, HeldSuppression, Subscriber, Subscription
from notifier.subscribers import lifecycle, subscriptions, suppressions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port, text_of
from tests.support.news_site import Article
from tests.support.reports import GONE, a_report, envelope_sender, suppressed_addresses

pytestmark = pytest.mark.postgresql_long

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TUESDAY, WEDNESDAY = MONDAY + DAY, MONDAY + 2 * DAY
ANNA, BEN = "anna@example.org", "ben@example.org"
FIRST, SECOND, THIRD = (
    Article(f"Frexalimab {what}", slug=f"item-{number}")
    for number, what in enumerate(("slows lesions", "in a phase 3 trial", "is well tolerated"), 1)
)


@pytest.fixture
def composed(any_installation: Installation) -> Installation:
    """An installation with a digest of Tuesday that waits for Anna and Ben."""
    any_installation.prepare(compose_a_digest)
    return any_installation


def compose_a_digest(installation: Installation) -> None:
    for reader in (ANNA, BEN):
        installation.subscribe(reader)
    run_once(installation.at(MONDAY))
    publish_and_compose(installation, TUESDAY, FIRST)


def publish_and_compose(installation: Installation, moment: datetime, *articles: Article) -> None:
    installation.publish(list(articles))
    for step in (poll, match, compose):
        step.run(installation.at(moment))


def compose_and_deliver(installation: Installation, moment: datetime) -> None:
    compose.run(installation.at(moment))
    deliver.run(installation.at(moment))


def change_anna(
    installation: Installation, moment: datetime, change: Callable[..., object]
) -> None:
    with installation.at(moment).writing() as session:
        key = subscriptions.hash_of(session, ANNA)
        person = session.query(Subscriber).filter_by(address_hash=key).one()
        change(session, person, person.subscriptions[0], moment)


def suppress(session, person: Subscriber, _one: Subscription, moment: datetime) -> None:
    cause = SuppressionCause.ASKED
    suppressions.add(session, person.address_hash, cause, "by mistake", moment)


def let_go(session, person: Subscriber, _one: Subscription, _moment: datetime) -> None:
    assert suppressions.lift(session, person.address_hash)


def leave(session, _person: Subscriber, one: Subscription, moment: datetime) -> None:
    assert subscriptions.end(session, one, "link", "subscriber", moment)


def undo(session, _person: Subscriber, one: Subscription, moment: datetime) -> None:
    assert lifecycle.undo(session, one, moment)


def pause(_session, _person: Subscriber, one: Subscription, moment: datetime) -> None:
    assert lifecycle.pause(one, None, moment)


def resume(_session, _person: Subscriber, one: Subscription, moment: datetime) -> None:
    assert lifecycle.resume(one, moment)


def sign_up_again(session, _person: Subscriber, one: Subscription, moment: datetime) -> None:
    one.status = SubscriptionStatus.PENDING
    assert subscriptions.confirm(session, one, "link", "subscriber", moment)


OBSTACLES = {
    "suppressed and let go": (suppress, let_go),
    "left and back": (leave, undo),
    "paused and resumed": (pause, resume),
}


@pytest.mark.parametrize(("obstacle", "end"), OBSTACLES.values(), ids=OBSTACLES)
def test_a_waiting_digest_is_owed_again_when_its_obstacle_ends(
    composed: Installation, obstacle: Callable, end: Callable
):
    change_anna(composed, TUESDAY + MINUTE, obstacle)
    compose_and_deliver(composed, TUESDAY + 2 * MINUTE)
    assert (len(composed.sink.to(ANNA)), len(composed.sink.to(BEN))) == (0, 1)
    change_anna(composed, TUESDAY + HOUR, end)
    for hours in (2, 8, 20, 44):
        compose_and_deliver(composed, TUESDAY + hours * HOUR)
    (mail,) = composed.sink.to(ANNA)
    assert FIRST.title in text_of(mail)
    assert len(composed.sink.to(BEN)) == 1


def move_away(session, person: Subscriber, _one: Subscription, _moment: datetime) -> None:
    person.email, person.address_hash = "anna@new.example", "b" * 64


@pytest.mark.parametrize("end", [let_go, move_away], ids=["let go", "another address"])
def test_a_digest_whose_refusal_suppressed_its_address_is_owed_again_when_that_ends(
    composed: Installation, end: Callable
):
    composed.sink.refuse_recipient[ANNA] = "550 5.1.1 no such user"
    compose_and_deliver(composed, TUESDAY)
    compose_and_deliver(composed, TUESDAY + HOUR)
    assert [status for status, _ in statuses(composed)] == [
        DeliveryStatus.FAILED,
        DeliveryStatus.SENT,
    ]
    composed.sink.refuse_recipient.clear()
    change_anna(composed, WEDNESDAY, end)
    for hours in (1, 2, 24):
        compose_and_deliver(composed, WEDNESDAY + hours * HOUR)
    assert [FIRST.title in text_of(mail) for mail in composed.sink.messages] == [True, True]
    assert {address for _, address in composed.sink.envelopes} > {BEN}
    assert len(composed.sink.to(BEN)) == 1


@pytest.mark.long
def test_a_digest_that_is_refused_again_after_it_was_owed_again_is_not_tried_for_ever(
    composed: Installation,
):
    composed.sink.refuse_recipient[ANNA] = "550 5.1.1 no such user"
    compose_and_deliver(composed, TUESDAY)
    change_anna(composed, WEDNESDAY, let_go)
    composed.sink.refuse_recipient[ANNA] = "550 5.7.1 message content rejected"
    for hours in range(0, 240, 8):
        compose_and_deliver(composed, WEDNESDAY + hours * HOUR)
    assert statuses(composed)[0][0] in (DeliveryStatus.FAILED, DeliveryStatus.PENDING)
    with composed.at(WEDNESDAY).reading() as session:
        anna = session.query(Delivery).filter_by(subscription_id=1).one()
        assert (anna.ended_because, anna.attempts < 40) == ("", True)


def test_a_digest_that_was_accepted_and_came_back_later_is_not_owed_when_the_suppression_ends(
    composed: Installation,
):
    compose_and_deliver(composed, TUESDAY)
    bounces.read(composed.at(TUESDAY + HOUR), [a_report(envelope_sender(composed, ANNA), *GONE)])
    assert suppressed_addresses(composed) == {ANNA}
    change_anna(composed, WEDNESDAY, let_go)
    for hours in (1, 2, 24):
        compose_and_deliver(composed, WEDNESDAY + hours * HOUR)
    assert len(composed.sink.to(ANNA)) == 1


def test_who_signs_up_anew_after_leaving_is_not_sent_what_was_composed_before(
    composed: Installation,
):
    change_anna(composed, TUESDAY + MINUTE, leave)
    compose_and_deliver(composed, TUESDAY + 2 * MINUTE)
    change_anna(composed, TUESDAY + HOUR, sign_up_again)
    compose_and_deliver(composed, WEDNESDAY)
    assert composed.sink.to(ANNA) == []


def test_a_suppression_that_waits_for_a_person_holds_what_is_owed(composed: Installation):
    change_anna(composed, TUESDAY, suppress)
    compose_and_deliver(composed, TUESDAY)

    def hold(session, person: Subscriber, _one: Subscription, moment: datetime) -> None:
        key = person.address_hash
        values = {"address_hash": key, "provider": "example.org", "at": moment, "held_at": moment}
        session.add(HeldSuppression(subscriber_id=person.id, **values))
        suppressions.lift(session, key)

    change_anna(composed, TUESDAY + HOUR, hold)
    compose_and_deliver(composed, WEDNESDAY)
    assert composed.sink.to(ANNA) == []
    with composed.at(WEDNESDAY).writing() as session:
        session.query(HeldSuppression).delete()
    compose_and_deliver(composed, WEDNESDAY + MINUTE)
    assert len(composed.sink.to(ANNA)) == 1


def server_away(installation: Installation, moment: datetime) -> None:
    deps = installation.at(moment)
    away = Smtp(port=free_port(), security="none", timeout_seconds=5)
    deliver.run(replace(deps, settings=deps.settings.model_copy(update={"smtp": away})))


def statuses(installation: Installation) -> list[tuple[str, str]]:
    with installation.at(MONDAY).reading() as session:
        deliveries = session.query(Delivery).order_by(Delivery.id)
        return [(str(each.status), each.ended_because) for each in deliveries]


def test_a_digest_that_waits_for_our_server_is_merged_into_the_next_one(composed: Installation):
    server_away(composed, TUESDAY)
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    deliver.run(composed.at(WEDNESDAY))
    (mail,) = composed.sink.to(ANNA)
    text = " ".join(text_of(mail).split())
    assert FIRST.title in text
    assert SECOND.title in text
    assert "was due on Tuesday, 3 March 2026, 08:00 and comes late" in text
    assert statuses(composed)[:2] == [(DeliveryStatus.SUPPRESSED, EndReason.MERGED)] * 2
    assert len(composed.sink.to(BEN)) == 1


def wait_because_of_us(installation: Installation, moment: datetime) -> None:
    with installation.at(moment).writing() as session:
        values = {"attempts": 3, "waits_because": WaitReason.OURS, "next_attempt_at": moment + DAY}
        session.execute(update(Delivery).values(**values))


def test_a_digest_that_waits_because_servers_refuse_us_is_merged_into_the_next_one(
    composed: Installation,
):
    wait_because_of_us(composed, TUESDAY)
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    deliver.run(composed.at(WEDNESDAY))
    (mail,) = composed.sink.to(ANNA)
    assert FIRST.title in text_of(mail)
    assert SECOND.title in text_of(mail)


def test_a_waiting_digest_is_sent_as_it_is_when_nothing_newer_is_due(composed: Installation):
    wait_because_of_us(composed, TUESDAY)
    compose_and_deliver(composed, WEDNESDAY + DAY)
    assert len(composed.sink.to(ANNA)) == 1
    assert statuses(composed) == [(DeliveryStatus.SENT, "")] * 2


def test_a_digest_that_the_recipients_server_puts_off_is_not_merged(composed: Installation):
    composed.sink.refuse_recipient[ANNA] = "451 4.7.1 greylisted"
    deliver.run(composed.at(TUESDAY))
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    composed.sink.refuse_recipient.clear()
    deliver.run(composed.at(WEDNESDAY))
    mails = [text_of(mail) for mail in composed.sink.to(ANNA)]
    assert [sum(each.title in text for text in mails) for each in (FIRST, SECOND)] == [1, 1]
    assert len(mails) == 2


def test_a_mail_that_may_have_arrived_is_not_merged(composed: Installation):
    with composed.at(TUESDAY).writing() as session:
        session.execute(update(Delivery).values(attempts=1))  # its worker crashed
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    assert [status for status, _ in statuses(composed)] == [DeliveryStatus.PENDING] * 4


def test_a_held_digest_is_not_merged(composed: Installation):
    with composed.at(TUESDAY).writing() as session:
        session.execute(update(Digest).values(status="held"))
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    assert [status for status, _ in statuses(composed)] == [DeliveryStatus.PENDING] * 4


def test_a_waiting_digest_whose_news_was_withdrawn_is_not_sent(composed: Installation):
    server_away(composed, TUESDAY)
    withdrawn = replace(FIRST, title=f"RETRACTED: {FIRST.title}")
    publish_and_compose(composed, WEDNESDAY, withdrawn)
    deliver.run(composed.at(WEDNESDAY))
    assert composed.sink.messages == []
    assert statuses(composed) == [(DeliveryStatus.SUPPRESSED, EndReason.MERGED)] * 2


def test_waiting_news_that_changed_goes_out_once_in_its_newest_state(composed: Installation):
    server_away(composed, TUESDAY)
    corrected = replace(FIRST, summary="It slowed new lesions by 89 percent in 129 people.")
    publish_and_compose(composed, WEDNESDAY, corrected, SECOND)
    deliver.run(composed.at(WEDNESDAY))
    (mail,) = composed.sink.to(ANNA)
    assert text_of(mail).count(FIRST.title) == 1
    assert "correct" not in text_of(mail).lower()


def test_several_digests_that_are_owed_again_come_as_one_mail(composed: Installation):
    change_anna(composed, TUESDAY, leave)
    deliver.run(composed.at(TUESDAY))
    with composed.at(TUESDAY).writing() as session:  # two of them, as after two obstacles
        (first,) = session.query(Delivery).filter_by(ended_because=EndReason.LEFT)
        first_id = first.id
    change_anna(composed, TUESDAY + HOUR, undo)
    with composed.at(TUESDAY).writing() as session:
        session.execute(update(Delivery).where(Delivery.id == first_id).values(created_at=TUESDAY))
    publish_and_compose(composed, WEDNESDAY, FIRST, SECOND)
    with composed.at(WEDNESDAY).writing() as session:
        values = {"status": DeliveryStatus.SUPPRESSED, "ended_because": EndReason.LEFT}
        mine = Delivery.subscription_id == 1, Delivery.status != DeliveryStatus.SENT
        session.execute(update(Delivery).where(*mine).values(**values))
    compose_and_deliver(composed, WEDNESDAY + MINUTE)
    mails = [text_of(mail) for mail in composed.sink.to(ANNA)]
    assert len(mails) == 1
    assert all(article.title in mails[0] for article in (FIRST, SECOND))


def test_a_question_that_nobody_can_answer_any_more_is_not_sent(installation: Installation):
    installation.subscribe(ANNA, confirmed=False)
    with installation.at(MONDAY).writing() as session:
        anna = session.query(Subscription).one()
        outbox.enqueue_asked(session, "confirmation", anna, "example.org", MONDAY)
    server_away(installation, MONDAY + DAY)
    assert statuses(installation) == [(DeliveryStatus.PENDING, "")]
    housekeeping.run(installation.at(MONDAY + 2 * DAY + MINUTE))
    deliver.run(installation.at(MONDAY + 2 * DAY + MINUTE))
    assert installation.sink.messages == []


@pytest.fixture
def refused(composed: Installation) -> Installation:
    """An installation whose digest of Tuesday Anna's server refused; Ben got it."""
    composed.sink.refuse_recipient[ANNA] = "451 4.7.1 not now"
    deliver.run(composed.at(TUESDAY))
    composed.sink.refuse_recipient.clear()
    with composed.at(TUESDAY).writing() as session:
        values = {"status": DeliveryStatus.FAILED, "error": "given up after 3 days"}
        session.execute(update(Delivery).where(Delivery.subscription_id == 1).values(**values))
    assert [status for status, _ in statuses(composed)] == [
        DeliveryStatus.FAILED,
        DeliveryStatus.SENT,
    ]
    return composed


def test_a_single_delivery_is_retried(refused: Installation):
    assert unsent.retry(refused.at(WEDNESDAY), [1]) == 1
    deliver.run(refused.at(WEDNESDAY))
    assert len(refused.sink.to(ANNA)) == len(refused.sink.to(BEN)) == 1


@pytest.mark.parametrize("act", [unsent.retry, unsent.drop])
def test_what_was_sent_is_neither_retried_nor_dropped_and_nothing_is_changed(
    refused: Installation, act: Callable
):
    before = statuses(refused)
    with pytest.raises(NotifierError, match=r"Delivery 2 cannot be .*: it is sent"):
        act(refused.at(WEDNESDAY), [1, 2])
    with pytest.raises(NotFoundError, match="no delivery 99"):
        act(refused.at(WEDNESDAY), [1, 99])
    assert statuses(refused) == before


def test_a_dropped_delivery_stays_unsent_until_a_person_retries_it(refused: Installation):
    assert unsent.drop(refused.at(WEDNESDAY), [1]) == 1
    assert statuses(refused)[0] == (DeliveryStatus.SUPPRESSED, EndReason.DROPPED)
    assert unsent.retry(refused.at(WEDNESDAY)) == 0
    compose_and_deliver(refused, WEDNESDAY)
    assert refused.sink.to(ANNA) == []
    assert unsent.retry(refused.at(WEDNESDAY), [1]) == 1
    deliver.run(refused.at(WEDNESDAY))
    assert len(refused.sink.to(ANNA)) == 1


def test_what_waits_after_a_refusal_is_retried_at_once(composed: Installation):
    wait_because_of_us(composed, TUESDAY)
    assert unsent.retry(composed.at(TUESDAY + MINUTE)) == 2
    deliver.run(composed.at(TUESDAY + MINUTE))
    assert len(composed.sink.to(ANNA)) == 1


def test_a_mail_that_its_recipient_does_not_want_is_not_retried(composed: Installation):
    change_anna(composed, TUESDAY, leave)
    deliver.run(composed.at(TUESDAY))
    with pytest.raises(NotifierError, match="the subscription is ended"):
        unsent.retry(composed.at(WEDNESDAY), [1])


CORRECTED = replace(FIRST, summary="It slowed new lesions by 89 percent in 129 people.")
CHANGES = {
    "corrected": (CORRECTED, True),
    "withdrawn": (replace(FIRST, title=f"RETRACTED: {FIRST.title}"), False),
}
STOPS = [stop for name, stop in OBSTACLES.items() if name != "paused and resumed"]


def stop_anna_and_let_her_back(
    installation: Installation, stop: Callable, end: Callable, *articles: Article
) -> None:
    """Stop Anna's digest of Tuesday, publish, and let her have mails again by Wednesday."""
    change_anna(installation, TUESDAY + MINUTE, stop)
    compose_and_deliver(installation, TUESDAY + 2 * MINUTE)
    installation.publish([*articles])
    for step in (poll, match):
        step.run(installation.at(TUESDAY + HOUR))
    change_anna(installation, WEDNESDAY - HOUR, end)


@pytest.mark.parametrize(("changed", "is_shown"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("stop", "end"), STOPS)
def test_a_change_of_news_that_was_not_sent_counts_when_a_worker_composes_before_the_upkeep(
    composed: Installation, stop: Callable, end: Callable, changed: Article, is_shown: bool
):
    stop_anna_and_let_her_back(composed, stop, end, changed, SECOND)
    compose.run(composed.at(WEDNESDAY), only=[1])
    unsent.owe_again(composed.at(WEDNESDAY), WEDNESDAY)
    deliver.run(composed.at(WEDNESDAY))
    (mail,) = composed.sink.to(ANNA)
    text = " ".join(text_of(mail).split())
    assert (SECOND.title in text, FIRST.title in text) == (True, is_shown)
    assert ("89 percent" in text) is is_shown


@pytest.mark.parametrize(("changed", "is_shown"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("stop", "end"), STOPS)
def test_nothing_is_composed_for_somebody_while_another_worker_makes_an_unsent_digest_due(
    composed: Installation,
    monkeypatch: pytest.MonkeyPatch,
    stop: Callable,
    end: Callable,
    changed: Article,
    is_shown: bool,
):
    stop_anna_and_let_her_back(composed, stop, end, changed, SECOND)
    with monkeypatch.context() as other_worker:
        other_worker.setattr(outbox, "owe_again", lambda *_: [])  # it has locked them
        compose_and_deliver(composed, WEDNESDAY)
    assert composed.sink.to(ANNA) == []
    compose_and_deliver(composed, WEDNESDAY + MINUTE)
    (mail,) = composed.sink.to(ANNA)
    text = " ".join(text_of(mail).split())
    assert (SECOND.title in text, "89 percent" in text) == (True, is_shown)


def test_an_unsent_digest_whose_row_cannot_be_read_holds_up_nobody_else(installation: Installation):
    compose_a_digest(installation)
    with installation.at(TUESDAY).writing() as session:
        values = {"status": DeliveryStatus.SUPPRESSED, "ended_because": EndReason.LEFT}
        session.execute(update(Delivery).values(**values))
        ben = select(Delivery.id).order_by(Delivery.id.desc()).limit(1).scalar_subquery()
        damaged = update(Delivery).where(Delivery.id == ben)
        session.execute(damaged.values(sent_at=text("'on a Tuesday'")))
    compose_and_deliver(installation, WEDNESDAY)
    assert len(installation.sink.to(ANNA)) == 1


def drop(installation: Installation, moment: datetime) -> None:
    assert unsent.drop(installation.at(moment), [1]) == 1


def leave_unsent(installation: Installation, moment: datetime) -> None:
    with installation.at(moment).reading() as session:
        (group,) = uncertain.groups(session, hold=False, limit=10)
    unsent.decide_uncertain(installation.at(moment), group, Actor("eve", moment), send=False)


def send_once_more_and_refuse(installation: Installation, moment: datetime) -> None:
    unsent.retry(installation.at(moment), [1])
    installation.sink.refuse_recipient[ANNA] = "550 5.6.0 not this one"
    deliver.run(installation.at(moment))
    installation.sink.refuse_recipient.clear()
    with installation.at(moment).writing() as session:
        given_up = update(Delivery).where(Delivery.id == 1)
        session.execute(given_up.values(status=DeliveryStatus.FAILED, waits_because=""))


def drop_and_prune(installation: Installation, moment: datetime) -> None:
    drop(installation, moment)
    with installation.at(moment).writing() as session:
        told_before.keep(session, [1])
        outbox.remove(session, [1])


@pytest.mark.parametrize("end", [drop, leave_unsent, send_once_more_and_refuse, drop_and_prune])
def test_who_may_have_got_an_uncertain_mail_is_told_of_its_correction(
    composed: Installation, end: Callable[[Installation, datetime], None]
):
    with composed.at(TUESDAY).writing() as session:
        lost_twice = {"status": DeliveryStatus.UNCERTAIN, "uncertain_times": 2, "attempts": 2}
        session.execute(update(Delivery).where(Delivery.id == 1).values(**lost_twice))
    deliver.run(composed.at(TUESDAY))
    end(composed, TUESDAY + HOUR)
    publish_and_compose(composed, WEDNESDAY, CORRECTED)
    deliver.run(composed.at(WEDNESDAY))
    (mail,) = composed.sink.to(ANNA)
    assert "CORRECTED SINCE WE WROTE" in text_of(mail)


def test_who_certainly_got_nothing_is_told_of_no_correction(refused: Installation):
    drop(refused, TUESDAY + HOUR)
    publish_and_compose(refused, WEDNESDAY, CORRECTED)
    deliver.run(refused.at(WEDNESDAY))
    assert refused.sink.to(ANNA) == []
    assert "CORRECTED SINCE WE WROTE" in text_of(refused.sink.to(BEN)[-1])
