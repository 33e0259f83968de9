"""Statistics: the counts of today, and those of the weeks, also after their rows are removed."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, event, select, update

from notifier.enums import BounceKind, DeliveryStatus
from notifier.pipeline import retention, statistics, weekly_counts
from notifier.store.models import BounceReport, Delivery, Notice, WeeklyCount
from notifier.subscribers import subscriptions
from tests.support.beginnings import mail_three_and_be_refused_by_one
from tests.support.installation import MONDAY, Installation

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
TUESDAY = MONDAY + DAY


@pytest.fixture(autouse=True)
def _in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_LONGEST_RUN", 60.0)
    monkeypatch.setattr(retention, "_PAUSE", 0.0)


@pytest.fixture
def told(installation: Installation) -> Installation:
    """An installation that mailed three people on Tuesday; one of the mails was refused."""
    installation.prepare(tell_three)
    return installation


@pytest.fixture
def any_told(any_installation: Installation) -> Installation:
    """Such an installation on each kind of database in turn."""
    any_installation.prepare(tell_three)
    return any_installation


def tell_three(installation: Installation) -> None:
    installation.subscribe("dora@example.org", confirmed=False)
    mail_three_and_be_refused_by_one(installation)


def numbers(installation: Installation, moment, since=None) -> statistics.Statistics:
    return statistics.read(installation.at(moment), since)


def test_the_counts_of_today(any_told: Installation):
    counted = numbers(any_told, TUESDAY)
    assert counted.entries == 1
    assert counted.matches == {"about": 1, "mention": 0, "related": 0, "held": 0}
    assert counted.subscribers == {
        "people": 4,
        "pending": 1,
        "confirmed": 3,
        "paused": 0,
        "ended": 0,
        "suppressed": 1,
        "held_suppressions": 0,
    }
    assert counted.sources["healthy"] == sum(counted.sources.values()) == 1
    assert (counted.deliveries["sent"], counted.deliveries["failed"]) == (2, 1)


def test_the_week_under_way_is_counted_from_its_rows(any_told: Installation):
    with any_told.at(TUESDAY).writing() as session:
        for number, kind in enumerate((BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT)):
            session.add(BounceReport(hash=f"{number:064}", kind=kind, read_at=TUESDAY))
        subscriptions.unsubscribe(session, "ben@example.org", None, "operator", TUESDAY)
    (week,) = numbers(any_told, TUESDAY).weeks
    assert (f"{week.begin}", week.is_final) == (f"{MONDAY:%Y-%m-%d}", False)
    assert week.numbers == {
        "subscribers": 2,
        "confirmed": 3,
        "left": 1,
        "sent": 2,
        "failed": 1,
        "came_back": 2,
        "complained": 1,
        "suppressed": 0,
        "uncertain": 0,
        "bounced": 3,
        "matches_about": 1,
        "matches_mention": 0,
        "matches_related": 0,
    }


def test_the_numbers_of_past_weeks_stay_when_their_rows_are_removed(told: Installation):
    later = TUESDAY + 402 * DAY
    before = numbers(told, later, MONDAY)
    retention.run(told.at(later))
    with told.at(later).reading() as session:  # the refused one is owed if the address comes back
        assert session.scalars(select(Delivery.status)).all() == [DeliveryStatus.FAILED]
    after = numbers(told, later, MONDAY)
    assert [week.numbers for week in after.weeks] == [week.numbers for week in before.weeks]
    assert after.weeks[0].is_final
    assert not after.weeks[-1].is_final
    assert after.deliveries["sent"] == before.deliveries["sent"] == 2


def test_twelve_weeks_are_shown_unless_others_are_named(told: Installation):
    later = TUESDAY + 40 * WEEK
    assert len(numbers(told, later).weeks) == 12
    assert len(numbers(told, later, MONDAY - 90 * DAY).weeks) == 41
    assert len(numbers(told, later, later).weeks) == 1


def test_a_week_that_an_earlier_version_counted_has_unknown_numbers(told: Installation):
    later = MONDAY + 3 * WEEK
    with told.at(MONDAY).reading() as session:
        week = weekly_counts.first_uncounted(session)
    assert weekly_counts.count_next(told.at(MONDAY), later)
    with told.at(later).writing() as session:
        new_names = ("came_back", "subscribers", "complained")
        session.execute(delete(WeeklyCount).where(WeeklyCount.name.in_(new_names)))
    first = numbers(told, later).weeks[0]
    assert (first.begin, first.numbers["bounced"], first.numbers["subscribers"]) == (
        week,
        None,
        None,
    )
    assert first.numbers["sent"] == 2


def test_nothing_that_happened_gives_no_weeks(installation: Installation):
    counted = numbers(installation, MONDAY)
    assert counted.weeks == []
    assert counted.entries == 0


def test_mails_to_the_operator_are_not_counted_as_sent(told: Installation):
    with told.at(TUESDAY).writing() as session:
        session.add(Notice(id=1, to="office@example.org", subject="", text="", created_at=TUESDAY))
        session.flush()
        to_operator = {"kind": "notice", "notice_id": 1, "digest_id": None, "subscription_id": None}
        session.execute(update(Delivery).where(Delivery.id == 1).values(**to_operator))
        assert weekly_counts.sent_ever(session) == 1


def test_counting_sent_mails_reads_no_table(installation: Installation):
    """The statements name an index that has all they need, however many mails were sent."""
    plans = []

    def note(_connection, _cursor, statement, parameters, _context, _many) -> None:
        plans.append((statement, parameters))

    with installation.at(MONDAY).reading() as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        statistics.deliveries_by_status(session)
        event.remove(engine, "before_cursor_execute", note)
        for statement, parameters in plans:
            if "FROM delivery" not in statement:
                continue
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
            steps = " ".join(row[3] for row in plan)
            assert "INDEX" in steps, statement
            assert "SCAN delivery USING INDEX" not in steps or "COVERING" in steps, steps
