"""A row that cannot be read holds back its own mail, and nobody else's."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from notifier.deliver import alerts, outbox
from notifier.enums import DeliveryKind, DeliveryStatus, WaitReason
from notifier.pipeline import compose, deliver
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Delivery
from tests.cli.test_damaged_rows import DAMAGED
from tests.support.beginnings import ANNA, BEN
from tests.support.command_line import run_command
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

TUESDAY = MONDAY + timedelta(days=1)
LATER = TUESDAY + timedelta(hours=7)

# What a claim reads of a person whose digest or link waits, and what heals it.
OF_DIGESTS = {
    "cadence": ("subscription SET cadence='hourly'", "subscription SET cadence='daily'"),
    "status": ("subscription SET status='lost'", "subscription SET status='confirmed'"),
    "pause after a bounce": ("subscriber SET held_until='xyz'", "subscriber SET held_until=NULL"),
    "due time of the mail": (
        "delivery SET due_at='xyz'",
        "delivery SET due_at='2026-03-03 08:00:00.000000'",
    ),
}
OF_OTHERS = {
    "edition": ("subscription SET edition='robot'", "subscription SET edition='patient'"),
    "last sign-up": ("subscription SET asked_at='xyz'", "subscription SET asked_at=NULL"),
    "last bounce": ("subscriber SET bounced_at='xyz'", "subscriber SET bounced_at=NULL"),
    "kind of the mail": ("delivery SET kind='letter'", "delivery SET kind='link'"),
}


def run_sql(installation: Installation, statement: str, number: int = 1) -> None:
    with installation.at(TUESDAY).writing() as session:
        session.execute(text(f"UPDATE {statement} WHERE id={number}"))


def digests_of_two(installation: Installation) -> None:
    for address in (ANNA, BEN):
        installation.subscribe(address)
    due = installation.discover(0)
    compose.run(installation.at(due))


def links_of_two(installation: Installation) -> None:
    ids = [installation.subscribe(address) for address in (ANNA, BEN)]
    with installation.at(MONDAY).writing() as session:
        outbox.enqueue_own(session, DeliveryKind.LINK, ids, "example.org", MONDAY)


@pytest.fixture
def with_digests(installation: Installation) -> Installation:
    installation.prepare(digests_of_two)
    return installation


@pytest.fixture
def with_links(installation: Installation) -> Installation:
    installation.prepare(links_of_two)
    return installation


def first(installation: Installation) -> tuple[str, str, str | None]:
    """Return status, reason of waiting, and error of Anna's mail, as they are stored."""
    with installation.at(TUESDAY).reading() as session:
        columns = "status, waits_because, error"
        return tuple(session.execute(text(f"SELECT {columns} FROM delivery WHERE id=1")).one())


def assert_anna_alone_waits(installation: Installation, healing: str) -> None:
    sent = deliver.run(installation.at(TUESDAY))
    assert sent.answers == {"accepted": 1}
    assert [to for _, to in installation.sink.envelopes] == [BEN]
    status, waits_because, error = first(installation)
    assert (status, waits_because) == (DeliveryStatus.PENDING, WaitReason.UNREADABLE)
    assert "cannot be read" in (error or "")
    assert ANNA not in (error or "")
    deliver.run(installation.at(LATER))
    assert len(installation.sink.envelopes) == 1, "it is still damaged"
    run_sql(installation, healing)
    deliver.run(installation.at(LATER + timedelta(hours=7)))
    assert [to for _, to in installation.sink.envelopes] == [BEN, ANNA]
    assert first(installation) == (DeliveryStatus.SENT, "", None)


@pytest.mark.parametrize("name", OF_DIGESTS)
def test_the_digest_of_a_damaged_person_waits_and_the_others_go_out(
    with_digests: Installation, name: str
):
    damage, healing = OF_DIGESTS[name]
    run_sql(with_digests, damage)
    assert_anna_alone_waits(with_digests, healing)


@pytest.mark.parametrize("name", OF_DIGESTS | OF_OTHERS)
def test_another_mail_to_a_damaged_person_waits_and_the_others_go_out(
    with_links: Installation, name: str
):
    damage, healing = (OF_DIGESTS | OF_OTHERS)[name]
    run_sql(with_links, damage)
    assert_anna_alone_waits(with_links, healing)


@pytest.mark.parametrize("build", [digests_of_two, links_of_two])
def test_an_unknown_word_holds_back_one_mail_on_both_databases(
    any_installation: Installation, build
):
    any_installation.prepare(build)
    with any_installation.at(TUESDAY).writing() as session:
        anna = session.query(Delivery).order_by(Delivery.id).first()
        assert anna is not None
        assert anna.subscription is not None
        status = "UPDATE subscription SET status='lost' WHERE id=:id"
        session.execute(text(status), {"id": anna.subscription.id})
    assert deliver.run(any_installation.at(TUESDAY)).answers == {"accepted": 1}
    assert [to for _, to in any_installation.sink.envelopes] == [BEN]


@pytest.mark.parametrize("name", DAMAGED)
def test_no_damage_of_a_row_stops_a_list(with_digests: Installation, name: str):
    run_sql(with_digests, DAMAGED[name].removeprefix("UPDATE "))
    deliver.run(with_digests.at(TUESDAY))
    assert BEN in [to for _, to in with_digests.sink.envelopes]


def test_where_all_that_are_read_at_once_are_damaged_the_next_ones_go_out(
    with_digests: Installation, monkeypatch: pytest.MonkeyPatch
):
    run_sql(with_digests, "subscription SET status='lost'")
    monkeypatch.setattr(deliver, "_MOST_CLAIMED", 1)
    with_digests.change(
        smtp=with_digests.at(TUESDAY).settings.smtp.model_copy(update={"rate_per_second": 1})
    )
    deliver.run(with_digests.at(TUESDAY))
    assert [to for _, to in with_digests.sink.envelopes] == [BEN]


def test_the_operator_is_told_once_and_the_list_names_the_mail(with_digests: Installation):
    with_digests.change(operator=Operator(address="office@example.org"))
    run_sql(with_digests, "subscription SET status='lost'")
    for hours in range(3):
        run_once(with_digests.at(TUESDAY + timedelta(hours=hours)))
    deliver.run(with_digests.at(TUESDAY + timedelta(hours=3)))
    (alert,) = with_digests.sink.to("office@example.org")
    assert alert["Subject"] == "notifier: some subscribers cannot be served"
    assert "1 subscriber cannot be served" in " ".join(text_of(alert).split())
    with with_digests.at(TUESDAY).reading() as session:
        assert alerts.refused_for_us(session) is None
    listed = run_command(with_digests, "deliveries", "list", "--status", "pending", "--json")
    (waiting,) = json.loads(listed.out)
    assert "cannot be read" in waiting["error"]


def test_a_run_with_a_damaged_person_composes_and_sends_for_the_others(
    installation: Installation,
):
    digests_of_two(installation)
    run_sql(installation, "subscription SET status='lost'")
    installation.publish([Article("Frexalimab slows lesions"), Article("Frexalimab helps")])
    for days in (1, 2):
        run_once(installation.at(MONDAY + timedelta(days=days, minutes=5)))
    assert [to for _, to in installation.sink.envelopes] == [BEN, BEN]
