"""What is older than its period is removed; what it says for later is stored before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from notifier.digest import digests
from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus, EndReason, NewsKind
from notifier.pipeline import match, retention, weekly_counts
from notifier.pipeline.run import run_once
from notifier.settings import Retention
from notifier.store.models import (
    Delivery,
    Digest,
    Entry,
    Examination,
    Match,
    Revision,
    Subscription,
    Told,
    WeeklyCount,
)
from notifier.store.models import (
    Installation as InstallationRow,
)
from notifier.subscribers import privacy, subscriptions
from tests.support.forms import erase
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
TUESDAY = MONDAY + DAY
LATER = TUESDAY + 402 * DAY
ANNA, BEN = "anna@example.org", "ben@example.org"
NEWS = Article(
    "Frexalimab slows lesions", summary="It slowed new lesions by 89 percent in 129 people."
)
CORRECTED = replace(NEWS, summary="It slowed new lesions by 61 percent in 129 people.")


@pytest.fixture(autouse=True)
def _in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run finish, and without pauses; the limits have a test of their own."""
    monkeypatch.setattr(retention, "_LONGEST_RUN", 60.0)
    monkeypatch.setattr(retention, "_PAUSE", 0.0)


@pytest.fixture
def told(any_installation: Installation) -> Installation:
    """An installation that told Anna news on Tuesday; Ben subscribed afterwards."""
    any_installation.prepare(tell_anna)
    return any_installation


def tell_anna(installation: Installation) -> None:
    installation.subscribe(ANNA)
    run_once(installation.at(MONDAY))
    installation.publish([NEWS])
    run_once(installation.at(TUESDAY))
    assert len(installation.sink.to(ANNA)) == 1
    installation.subscribe(BEN, moment=TUESDAY)


def count(installation: Installation, table: type) -> int:
    with installation.at(MONDAY).reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_correction_reaches_exactly_those_who_were_told_by_deliveries_that_are_gone(
    told: Installation,
):
    retention.run(told.at(LATER))
    assert count(told, Delivery) == 0

    told.publish([CORRECTED])
    run_once(told.at(LATER))
    run_once(told.at(LATER + DAY))

    _, correction = told.sink.to(ANNA)
    assert "CORRECTED SINCE WE WROTE" in text_of(correction)
    assert told.sink.to(BEN) == []


def test_news_is_not_told_again_after_its_deliveries_are_gone(told: Installation):
    for day in (0, 1, 40):
        run_once(told.at(LATER + day * DAY))
    assert count(told, Delivery) == 0
    assert len(told.sink.to(ANNA)) == 1


def test_what_was_told_goes_with_the_person(told: Installation):
    retention.run(told.at(LATER))
    with told.at(LATER).reading() as session:
        person = subscriptions.find_subscriber(session, ANNA)
        document = privacy.export(session, person)
    assert document["deliveries"] == []
    assert [news["title"] for news in document["earlier_news"]] == [NEWS.title]
    assert count(told, Told) == 1
    erase(told, ANNA)
    assert count(told, Told) == 0


def deliveries_of_old(installation: Installation, moment=TUESDAY, **columns) -> None:
    with installation.at(MONDAY).writing() as session:
        values = {"created_at": moment, **columns}
        session.execute(update(Delivery).values(**values))


@pytest.mark.parametrize(
    ("columns", "stays"),
    [
        ({"status": DeliveryStatus.SENT}, False),
        ({"status": DeliveryStatus.FAILED}, False),
        ({"status": DeliveryStatus.SUPPRESSED, "ended_because": EndReason.MERGED}, False),
        ({"status": DeliveryStatus.SUPPRESSED, "ended_because": EndReason.DROPPED}, False),
        ({"status": DeliveryStatus.SUPPRESSED, "ended_because": EndReason.SUPPRESSED}, True),
        ({"status": DeliveryStatus.PENDING}, True),
        ({"status": DeliveryStatus.SENDING}, True),
        ({"status": DeliveryStatus.UNCERTAIN}, True),
        ({"status": DeliveryStatus.SENT, "moment": LATER - 400 * DAY}, False),
        ({"status": DeliveryStatus.SENT, "moment": LATER - 398 * DAY}, True),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else str(value),
)
def test_only_what_nothing_waits_for_is_removed(told: Installation, columns: dict, stays: bool):
    deliveries_of_old(told, **columns)
    told.change(retention=Retention(deliveries_days=399 if "moment" in columns else 400))
    retention.run(told.at(LATER))
    assert count(told, Delivery) == int(stays)


def test_what_was_not_sent_told_nothing(told: Installation):
    deliveries_of_old(told, status=DeliveryStatus.FAILED)
    retention.run(told.at(LATER))
    assert (count(told, Delivery), count(told, Told)) == (0, 0)


def test_with_a_period_of_0_everything_is_kept_for_ever(told: Installation):
    told.change(retention=Retention(deliveries_days=0, revisions_days=0))
    retention.run(told.at(LATER + 100 * DAY))
    assert (count(told, Delivery), count(told, Told)) == (1, 0)


def test_a_digest_keeps_its_number_of_recipients_and_its_status(told: Installation):
    retention.run(told.at(LATER))
    with told.at(LATER).writing() as session:
        digest = session.scalars(select(Digest)).one()
        assert digests.recipients(session, digest) == 1
        digests.finish(session)
        assert digest.status is DigestStatus.SENT


def test_the_weeks_are_counted_before_their_rows_are_removed(told: Installation):
    retention.run(told.at(LATER))
    with told.at(LATER).reading() as session:
        numbers = dict(
            session.execute(
                select(WeeklyCount.name, WeeklyCount.number).where(
                    WeeklyCount.week == f"{MONDAY:%Y-%m-%d}"
                )
            ).all()
        )
        weeks = session.scalar(select(func.count(WeeklyCount.week.distinct())))
    assert numbers == {
        "sent": 1,
        "failed": 0,
        "suppressed": 0,
        "uncertain": 0,
        "matches_about": 1,
        "matches_mention": 0,
        "matches_related": 0,
        "came_back": 0,
        "complained": 0,
        "confirmed": 2,
        "left": 0,
        "subscribers": 2,
    }
    assert weeks == 57


def test_a_week_is_counted_once_and_only_when_its_mails_are_settled(told: Installation):
    sunday_after = MONDAY.replace(hour=0) + 7 * DAY
    assert not weekly_counts.count_next(told.at(MONDAY), sunday_after + 3 * DAY)
    assert weekly_counts.count_next(told.at(MONDAY), sunday_after + 4 * DAY)
    assert not weekly_counts.count_next(told.at(MONDAY), sunday_after + 4 * DAY)


def test_nothing_is_removed_of_a_week_that_was_not_counted(
    told: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(weekly_counts, "count_next", lambda *_: 1 / 0)
    retention.run(told.at(LATER))
    assert count(told, Delivery) == 1


def copy_deliveries(installation: Installation, number: int) -> None:
    """Store further old deliveries to the same subscription."""
    with installation.at(MONDAY).writing() as session:
        first = session.scalars(select(Delivery)).one()
        for copy in range(number):
            session.add(
                Delivery(
                    kind=DeliveryKind.WELCOME,
                    subscription_id=first.subscription_id,
                    message_id=f"<copy{copy}@example.org>",
                    status=DeliveryStatus.SENT,
                    created_at=TUESDAY,
                    due_at=TUESDAY,
                    next_attempt_at=TUESDAY,
                    given_up_at=TUESDAY,
                    sent_at=TUESDAY,
                )
            )


def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next_one(
    told: Installation, monkeypatch: pytest.MonkeyPatch
):
    copy_deliveries(told, 3)
    retention.run(told.at(MONDAY + 20 * DAY))
    monkeypatch.setattr(retention, "_LONGEST_RUN", 0.05)
    monkeypatch.setattr(retention, "_PAUSE", 0.06)
    for name in ("_FEWEST_ROWS", "_FIRST_ROWS", "_MOST_ROWS"):
        monkeypatch.setattr(retention, name, 1)
    left, runs = [count(told, Delivery)], 0
    while left[-1] and runs < 100:
        retention.run(told.at(LATER + runs * timedelta(minutes=1)))
        left.append(count(told, Delivery))
        runs += 1
    assert left[-1] == 0
    assert len(set(left)) > 2, "several runs were needed"
    assert count(told, Told) == 1


def test_it_looks_once_a_day(told: Installation):
    retention.run(told.at(LATER - 2 * DAY))
    retention.run(told.at(LATER - DAY - timedelta(minutes=1)))
    assert count(told, Delivery) == 1
    retention.run(told.at(LATER))
    assert count(told, Delivery) == 0
    with told.at(LATER).reading() as session:
        assert session.scalars(select(InstallationRow.pruned_at)).one() == LATER


def a_revision(entry_id: int, number: int, days: int = 500, **columns) -> Revision:
    return Revision(
        entry_id=entry_id,
        number=number,
        hash=f"{number:064}",
        kind=NewsKind.CORRECTED,
        material=True,
        baseline=False,
        observed_at=LATER - days * DAY + number * timedelta(minutes=1),
        url="",
        title="A title",
        summary="A summary",
        author="",
        categories=[],
        changes=[],
        **{"body": "A long text", "content": {"sections": []}, **columns},
    )


def test_old_states_lose_their_text_but_for_the_first_the_newest_and_the_latest_told(
    told: Installation,
):
    with told.at(MONDAY).writing() as session:
        entry = session.scalars(select(Entry).where(Entry.title == NEWS.title)).one()
        first = entry.revisions[-1]
        digest = session.scalars(select(Digest)).one()
        session.add_all(a_revision(entry.id, number) for number in range(2, 6))
        session.add(a_revision(entry.id, 6, origin="posts"))
        session.add(a_revision(entry.id, 7, days=399))
        session.flush()
        told_id = session.scalar(
            select(Revision.id).where(Revision.entry_id == entry.id, Revision.number == 3)
        )
        digest.items[0].revision_id = told_id
        first.observed_at = LATER - 600 * DAY
    retention.run(told.at(LATER))
    with told.at(LATER).reading() as session:
        revisions = session.scalars(
            select(Revision).where(Revision.entry_id == entry.id).order_by(Revision.number)
        ).all()
    emptied = {revision.number for revision in revisions if revision.emptied}
    # 6 is the newest of the site's list of posts, 7 the newest of the feed, and young.
    assert emptied == {2, 4, 5}
    for revision in revisions:
        assert (revision.body == "") is (revision.number in emptied) or revision.number == 1
        assert revision.summary != ""
    assert revisions[1].content == {}


def test_a_state_that_was_judged_is_not_judged_again_when_the_record_of_it_is_gone(
    told: Installation,
):
    assert count(told, Examination) == 1
    retention.run(told.at(TUESDAY + 89 * DAY))
    assert count(told, Examination) == 1
    retention.run(told.at(TUESDAY + 91 * DAY))
    assert count(told, Examination) == 0
    assert match.run(told.at(TUESDAY + 91 * DAY)) == 0
    assert count(told, Match) == 1


def test_a_digest_to_nobody_who_still_runs_is_removed_with_what_was_owed(told: Installation):
    """Who left long ago cannot take it back: what was suppressed then is owed to nobody."""
    deliveries_of_old(told, status=DeliveryStatus.SUPPRESSED, ended_because=EndReason.LEFT)
    with told.at(MONDAY).writing() as session:
        for subscription in session.scalars(select(Subscription)):
            subscriptions.end(session, subscription, "link", "subscriber", TUESDAY)
    retention.run(told.at(LATER))
    assert count(told, Delivery) == 0
