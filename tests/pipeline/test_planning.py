"""Planning in sets: each is served exactly what the rules say, once, whatever happens meanwhile."""

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deliver.outbox import ClaimOptions
from notifier.deps import Deps
from notifier.digest import digests, drafts
from notifier.enums import (
    DeliveryStatus,
    DigestStatus,
    EndReason,
    NewsKind,
    SubscriptionStatus,
    Tier,
)
from notifier.pipeline import compose, deliver, planning
from notifier.store import db
from notifier.store.models import Delivery, Digest, Subscription
from tests.support import owed_history
from tests.support.installation import MONDAY, Installation

DAY = timedelta(days=1)
TUESDAY = MONDAY + DAY


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two subscriptions in each transaction."""
    for name in ("_FIRST", "_FEWEST", "_MOST"):
        monkeypatch.setattr(planning, name, 2)


def sizes_after(monkeypatch: pytest.MonkeyPatch, *milliseconds: int) -> list[int]:
    """Return the sizes of transactions that take so long one after the other, and of the next."""
    pace = planning.Pace(span=1_000_000, number=1_000_000)
    clock = iter([moment for each in milliseconds for moment in (0.0, each / 1000)])
    monkeypatch.setattr(planning.time, "monotonic", lambda: next(clock))
    sizes = [pace.step]
    for _ in milliseconds:
        with pace.measured():
            pass
        sizes.append(pace.step)
    return sizes


def test_the_first_transactions_are_small_and_grow_to_a_tenth_of_a_second(monkeypatch):
    assert sizes_after(monkeypatch, 25, 31, 39, 49) == [500, 625, 781, 976, 1220]
    assert sizes_after(monkeypatch, *[10] * 20)[-1] == 20_000


def test_one_quick_transaction_does_not_double_the_next(monkeypatch):
    assert sizes_after(monkeypatch, 100, 5)[-1] == 625


def test_after_a_slow_transaction_the_next_is_as_much_smaller(monkeypatch):
    assert sizes_after(monkeypatch, 80, 200)[-2:] == [625, 312]
    assert sizes_after(monkeypatch, 9_000, 9_000)[-2:] == [250, 250]


class CrashError(Exception):
    """The process ends here."""


@contextmanager
def crash_at_commit(deps: Deps, number: int) -> Iterator[None]:
    """Let the process end before a commit: the first one is 0."""
    commits = itertools.count()

    def end(_connection: object) -> None:
        if next(commits) >= number:
            raise CrashError

    event.listen(deps.engine, "commit", end)
    try:
        yield
    finally:
        event.remove(deps.engine, "commit", end)


def served(deps: Deps) -> list[int | None]:
    with deps.reading() as session:
        return sorted(session.scalars(select(Delivery.subscription_id)))


def test_a_run_that_ends_between_any_two_transactions_is_completed_by_the_next(
    any_installation: Installation, portions: None
):
    deps = any_installation.at(any_installation.discover(7))
    with deps.reading() as session:
        before = [
            (row.id, row.position, row.next_due_at, row.seen_snapshot, row.last_mailed_at)
            for row in session.scalars(select(Subscription))
        ]
    counts = set()
    for number in range(6):
        with crash_at_commit(deps, number):
            compose.run(deps)
        after_the_crash = served(deps)
        counts.add(len(after_the_crash))
        with deps.reading() as session:
            claimed_too_early = outbox.has_more(session, deps.now(), ClaimOptions(10))
        assert not claimed_too_early, "nobody is mailed from a digest that is not released"
        compose.run(deps)
        assert served(deps) == [1, 2, 3, 4, 5, 6, 7], number
        with deps.writing() as session:
            digest = session.scalars(select(Digest)).one()
            assert digest.status is DigestStatus.APPROVED
            session.execute(delete(Digest))
            for subscription_id, position, due_at, snapshot, mailed_at in before:
                values = {"position": position, "next_due_at": due_at}
                values |= {"seen_snapshot": snapshot, "last_mailed_at": mailed_at}
                mine = Subscription.id == subscription_id
                session.execute(update(Subscription).where(mine).values(**values))
    assert {0, 2, 4, 6} <= counts, "the runs ended at different places"


def test_a_digest_whose_remaining_readers_left_is_released_for_the_others(
    installation: Installation, portions: None
):
    deps = installation.at(installation.discover(4))
    with crash_at_commit(deps, 2):
        compose.run(deps)
    assert served(deps) == [1, 2]
    with deps.writing() as session:
        session.execute(update(Subscription).values(status=SubscriptionStatus.ENDED))
        session.execute(
            update(Subscription)
            .where(Subscription.id <= 2)
            .values(status=SubscriptionStatus.CONFIRMED)
        )
    compose.run(deps)
    assert deliver.run(deps).accepted == 2


def test_a_digest_that_nobody_is_left_for_is_removed(installation: Installation):
    deps = installation.at(installation.discover(2))
    with crash_at_commit(deps, 1):
        compose.run(deps)
    with deps.writing() as session:
        assert session.scalars(select(Digest.status)).all() == [DigestStatus.COMPOSING]
        session.execute(update(Subscription).values(status=SubscriptionStatus.PAUSED))
    compose.run(deps)
    with deps.reading() as session:
        assert session.scalars(select(Digest)).all() == []


def test_a_digest_that_is_not_released_is_neither_held_approved_nor_ended(
    installation: Installation,
):
    deps = installation.at(installation.discover(2))
    with crash_at_commit(deps, 1):
        compose.run(deps)
    with deps.writing() as session:
        digest = session.scalars(select(Digest)).one()
        assert not drafts.hold(session, digest)
        assert not drafts.approve(session, digest, deps.now())
        digests.finish(session)
    with deps.reading() as session:
        assert session.scalars(select(Digest.status)).all() == [DigestStatus.COMPOSING]


CHANGES = {
    "leaves": {"status": SubscriptionStatus.ENDED},
    "pauses": {"status": SubscriptionStatus.PAUSED},
    "chooses another edition": {"edition": "clinician"},
    "hides a section": {"hidden": ["related"]},
    "chooses another hour": {"at": "21:00"},
    "was served by another process": {"position": 1},
}


@pytest.mark.parametrize("values", CHANGES.values(), ids=CHANGES)
def test_who_changes_between_two_transactions_is_left_for_the_next_run(
    any_installation: Installation,
    portions: None,
    values: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
):
    deps = any_installation.at(any_installation.discover(5))
    real = planning._require
    parts = itertools.count()

    def change_before_the_second_part(session: Session, plan: planning.Plan) -> None:
        real(session, plan)
        if next(parts) == 1:
            session.execute(update(Subscription).where(Subscription.id == 4).values(**values))

    monkeypatch.setattr(planning, "_require", change_before_the_second_part)
    compose.run(deps)
    assert served(deps) == [1, 2, 3, 5]


def test_two_processes_that_compose_in_small_parts_serve_everybody_once(
    any_installation: Installation, portions: None
):
    tuesday = any_installation.at(any_installation.discover(12))
    url = tuesday.engine.url.render_as_string(hide_password=False)
    processes = [replace(tuesday, engine=db.make_engine(url)) for _ in range(3)]
    threads = [threading.Thread(target=compose.run, args=(deps,)) for deps in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for deps in processes:
        deps.engine.dispose()
    assert served(tuesday) == list(range(1, 13))
    with tuesday.reading() as session:
        assert session.scalars(select(Digest.status)).all() == [DigestStatus.APPROVED]


def test_message_ids_are_version_7_uuids_that_nobody_can_guess(any_installation: Installation):
    deps = any_installation.at(any_installation.discover(6))
    compose.run(deps)
    with deps.reading() as session:
        names = session.scalars(select(Delivery.message_id)).all()
    milliseconds = f"{int(deps.now().timestamp() * 1000):012x}"
    form = re.compile(rf"<{milliseconds}7([0-9a-f]{{3}}[89ab][0-9a-f]{{15}})@example\.org>")
    tails = [match.group(1) for name in names if (match := form.fullmatch(name))]
    assert len(tails) == 6
    for place in set(range(19)) - {3}:
        assert len({tail[place] for tail in tails}) > 1, f"digit {place} is random"


def test_a_run_with_nothing_due_opens_no_transaction(any_installation: Installation):
    deps = any_installation.at(any_installation.discover(3))
    compose.run(deps)
    statements: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(deps.engine, "before_cursor_execute", note)
    compose.run(deps)
    event.remove(deps.engine, "before_cursor_execute", note)
    assert not [each for each in statements if "IMMEDIATE" in each or "FOR " in each]
    assert len(statements) < 14


@dataclass
class Step:
    """One day: what is published, who changes, and what becomes of the mails that wait."""

    news: list[tuple[int, NewsKind, Tier]]
    paused: set[int]
    fates: list[DeliveryStatus]


KINDS = (
    NewsKind.NEW,
    NewsKind.CORRECTED,
    NewsKind.WITHDRAWN,
    NewsKind.TRIAL_CHANGE,
    NewsKind.PAGE_CHANGE,
)
TIERS = (Tier.ABOUT, Tier.MENTION, Tier.RELATED)
FATES = (
    DeliveryStatus.PENDING,
    DeliveryStatus.SENT,
    DeliveryStatus.FAILED,
    DeliveryStatus.UNCERTAIN,
)
HIDDEN = ([], ["related"], ["trials", "page"], ["mention"])

steps = st.builds(
    Step,
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(KINDS), st.sampled_from(TIERS)), max_size=4
    ),
    st.sets(st.integers(1, 4), max_size=1),
    st.lists(st.sampled_from(FATES), min_size=4, max_size=4),
)


@pytest.fixture
def four_readers(installation: Installation) -> Installation:
    for number in range(4):
        installation.subscribe(f"reader{number}@example.org")
    return installation


@settings(
    max_examples=4,
    deadline=None,
    # Shrinking takes minutes; the long variant does it.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(days=st.lists(steps, min_size=2, max_size=5), hidden=st.permutations(HIDDEN))
def test_each_is_planned_exactly_what_the_rules_owe(
    four_readers: Installation, days: list[Step], hidden: list[list[str]]
):
    try_a_history(four_readers, days, hidden)


def test_readers_who_are_told_of_one_state_as_different_news_share_no_digest(
    four_readers: Installation,
):
    """A waiting digest has the entry as new for three; the fourth, who hides it, sees a change."""
    nobody, pending = set[int](), [DeliveryStatus.PENDING] * 4
    news = [(0, NewsKind.NEW, Tier.ABOUT), (1, NewsKind.NEW, Tier.MENTION)]
    change = [(1, NewsKind.TRIAL_CHANGE, Tier.ABOUT)]
    days = [Step(news, nobody, pending), Step(change, nobody, pending)]
    for first_hides in (HIDDEN, tuple(reversed(HIDDEN))):
        try_a_history(four_readers, days, list(first_hides))


@pytest.mark.long
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(days=st.lists(steps, min_size=2, max_size=8), hidden=st.permutations(HIDDEN))
def test_each_is_planned_exactly_what_the_rules_owe_in_many_histories(
    four_readers: Installation, days: list[Step], hidden: list[list[str]]
):
    try_a_history(four_readers, days, hidden)


def try_a_history(installation: Installation, days: list[Step], hidden: list[list[str]]) -> None:
    with installation.at(MONDAY).writing() as session:
        owed_history.empty(session)
        for number, sections in enumerate(hidden, 1):
            mine = Subscription.id == number
            session.execute(update(Subscription).where(mine).values(hidden=sections))
    entries: dict[int, owed_history.Published] = {}
    for number, step in enumerate(days, 1):
        now = MONDAY + number * DAY
        with installation.at(now).writing() as session:
            publish(session, entries, step, now)
            session.execute(
                update(Subscription).values(
                    next_due_at=now, status=SubscriptionStatus.CONFIRMED, paused_until=None
                )
            )
            paused = Subscription.id.in_(step.paused)
            session.execute(
                update(Subscription).where(paused).values(status=SubscriptionStatus.PAUSED)
            )
        compare_a_day(installation.at(now), step)
        settle(installation.at(now), step.fates)


def publish(
    session: Session, entries: dict[int, owed_history.Published], step: Step, now: datetime
) -> None:
    for number, kind, tier in step.news:
        known = entries.get(number)
        if kind is NewsKind.NEW and known is not None:
            continue
        # An entry can match for the first time when it changes: that is news, but for a trial.
        is_change = kind in (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)
        shown_as = kind if known is not None or is_change else NewsKind.NEW
        entries[number] = owed_history.publish(session, known, shown_as, tier, now)


def compare_a_day(deps: Deps, step: Step) -> None:
    with deps.reading() as session:
        known = {*session.scalars(select(Delivery.id))}
        expected = {
            subscription.id: owed_history.expected(session, subscription)
            if subscription.id not in step.paused
            else (set(), set())
            for subscription in session.scalars(select(Subscription))
        }
    compose.run(deps)
    with deps.reading() as session:
        for subscription_id, (shown, replaced) in expected.items():
            assert owed_history.planned(session, subscription_id, known) == shown
            merged = session.scalars(
                select(Delivery.id).where(
                    Delivery.subscription_id == subscription_id,
                    Delivery.id.in_(known),
                    Delivery.ended_because == EndReason.MERGED,
                )
            )
            assert replaced <= {*merged}
        assert not session.scalars(
            select(Digest.id).where(Digest.status == DigestStatus.COMPOSING)
        ).all()
        waiting = session.scalars(
            select(Delivery.id).where(Delivery.status == DeliveryStatus.PENDING)
        )
        ended = {each for _, replaced in expected.values() for each in replaced}
        assert not ended & {*waiting}


def settle(deps: Deps, fates: list[DeliveryStatus]) -> None:
    with deps.writing() as session:
        waiting = session.scalars(select(Delivery).where(Delivery.status == DeliveryStatus.PENDING))
        for delivery in waiting:
            assert delivery.subscription_id is not None
            delivery.status = fates[delivery.subscription_id - 1]
        session.flush()
        digests.finish(session)
