"""Workers on PostgreSQL: woken by the transaction that leaves work, and by what the rows say."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from notifier import deps as composition_root
from notifier import worker
from notifier.deliver import outbox
from notifier.deliver.outbox import rate_limits
from notifier.deliver.outbox import waiting as outbox_waiting
from notifier.enums import DeliveryKind, DeliveryStatus, DigestStatus
from notifier.errors import StoreError
from notifier.pipeline import compose, poll
from notifier.pipeline.turns import Turns
from notifier.settings import Operator, Smtp
from notifier.store import db, wakes
from notifier.store.models import Delivery, Digest, Notice
from notifier.store.wakes import Wake
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port
from tests.support.paths import ROOT


def jobs(installation: Installation) -> list[tuple[str, str]]:
    """Return what waits for workers, and whether it does, in the order of its making."""
    with installation.at(MONDAY).engine.connect() as connection:
        rows = connection.execute(
            text("SELECT queueing_lock, status FROM procrastinate_jobs ORDER BY id")
        )
        return [(row[0], row[1]) for row in rows]


def waiting(installation: Installation) -> set[str]:
    return {name for name, status in jobs(installation) if status == "todo"}


def asks(installation: Installation, email: str = "anna@example.org") -> None:
    """Store a sign-up and the mail that asks for its confirmation."""
    subscription_id = installation.subscribe(email, confirmed=False)
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, [subscription_id], deps.mail_domain, MONDAY
        )


def test_a_confirmation_wakes_a_worker_for_the_first_lane(with_jobs: Installation):
    asks(with_jobs)
    assert jobs(with_jobs) == [("drain:asked", "todo")]


def test_a_digest_wakes_a_worker_for_all_lanes(with_jobs: Installation):
    compose.run(with_jobs.at(with_jobs.discover(2)))
    assert waiting(with_jobs) == {"drain:all"}


def test_many_sign_ups_are_one_job(with_jobs: Installation):
    for number in range(5):
        asks(with_jobs, f"person{number}@example.org")
    assert jobs(with_jobs) == [("drain:asked", "todo")]


def test_a_transaction_that_is_undone_wakes_nobody(with_jobs: Installation):
    def fail() -> None:
        with with_jobs.at(MONDAY).writing() as session:
            wakes.note(session, Wake.DELIVER)
            worker.wake(session, wakes.noted(session))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert jobs(with_jobs) == []


def test_a_waiting_job_is_fetched_only_after_the_transaction_that_needs_it(
    with_jobs: Installation,
):
    """A worker that fetched it before would not see the rows that are committed after."""
    asks(with_jobs)
    deps = with_jobs.at(MONDAY)
    fetched = text("SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL)")
    with deps.writing() as session:
        worker.wake(session, [Wake.ASKED])
        with deps.engine.connect() as other:
            assert other.execute(fetched).scalar() is None
    with deps.engine.connect() as other:
        assert other.execute(fetched).scalar() is not None


def test_two_transactions_at_once_wake_without_waiting_for_each_other(with_jobs: Installation):
    asks(with_jobs)
    deps = with_jobs.at(MONDAY)
    with deps.writing() as first, deps.writing() as second:
        second.execute(text("SET LOCAL lock_timeout = 500"))
        for session in (first, second):
            worker.wake(session, [Wake.ASKED])
    assert jobs(with_jobs) == [("drain:asked", "todo")]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_without_the_tables_of_jobs_a_sign_up_is_stored_all_the_same(
    any_installation: Installation,
):
    any_installation.wake_workers()
    asks(any_installation)
    with any_installation.at(MONDAY).reading() as session:
        assert session.query(Delivery).count() == 1


def a_worker(installation: Installation, **changes) -> worker.Worker:
    deps = replace(installation.at(MONDAY + timedelta(days=1)), **changes)
    return worker.Worker(deps, threading.Event())


def test_a_tick_finds_in_the_rows_what_is_due_also_after_all_jobs_were_lost(
    with_jobs: Installation,
):
    due = with_jobs.discover(3)
    compose.run(with_jobs.at(due))
    with_jobs.subscribe("late@example.org")
    asks(with_jobs)
    with with_jobs.at(MONDAY).engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE procrastinate_jobs CASCADE")
    tuesday = a_worker(with_jobs, fixed_now=due + timedelta(hours=1))

    tuesday._enqueue_due()

    host = with_jobs.feed.split("/")[2]
    names = {"drain:asked", "drain:all", f"poll:{host}", "compose:1", "match"}
    assert {name.replace("compose:2", "compose:1") for name in waiting(with_jobs)} == names
    tuesday._enqueue_due()
    assert len(jobs(with_jobs)) == len(names), "what waits already is not enqueued again"


def test_a_tick_with_nothing_due_leaves_no_mail_and_no_digest_to_workers(with_jobs: Installation):
    poll.run(with_jobs.at(MONDAY))
    a_worker(with_jobs, fixed_now=MONDAY)._enqueue_due()
    assert waiting(with_jobs) == {"match"}


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [
        ({}, True),
        ({"status": DeliveryStatus.UNCERTAIN, "uncertain_times": 1}, True),
        ({"status": DeliveryStatus.UNCERTAIN, "uncertain_times": 2}, False),
        ({"status": DeliveryStatus.SENDING, "leased_until": MONDAY}, True),
        ({"status": DeliveryStatus.SENDING, "leased_until": MONDAY + timedelta(days=9)}, False),
        ({"status": DeliveryStatus.FAILED}, False),
        ({"next_attempt_at": MONDAY + timedelta(days=9)}, False),
    ],
    ids=[
        "waits",
        "may have arrived",
        "may have arrived, twice",
        "its worker died",
        "is being sent",
        "was refused",
        "is put off",
    ],
)
def test_a_mail_is_work_only_if_it_can_be_claimed(
    installation: Installation, changes: dict, is_due: bool
):
    due = installation.discover(1)
    compose.run(installation.at(due))
    deps = installation.at(due + timedelta(hours=1))
    with deps.writing() as session:
        session.execute(update(Delivery).values({"attempts": 0} | changes))
    with deps.reading() as session:
        assert outbox_waiting.anything_due(session, deps.now()) is is_due
        assert not outbox_waiting.anything_due(session, deps.now(), beyond=1)


def test_a_digest_that_is_not_released_is_no_work_for_senders(installation: Installation):
    due = installation.discover(1)
    compose.run(installation.at(due))
    deps = installation.at(due)
    with deps.writing() as session:
        session.execute(update(Digest).values(status=DigestStatus.COMPOSING))
    with deps.reading() as session:
        assert not outbox_waiting.anything_due(session, deps.now())


def test_a_turn_that_ended_by_itself_asks_for_no_other(installation: Installation):
    compose.run(installation.at(installation.discover(3)))
    asked: list[bool] = []
    deps = installation.at(MONDAY + timedelta(days=1))
    with deps.writing() as session:
        session.execute(update(Delivery).values(uncertain_times=9, status="uncertain"))
    Turns(deps, lambda: False).drain(None, lambda: asked.append(True))
    assert asked == []


def test_a_turn_whose_mail_server_takes_nothing_asks_for_no_other(installation: Installation):
    due = installation.discover(60)
    compose.run(installation.at(due))
    installation.change(smtp=Smtp(port=free_port(), security="none", connections=2))
    asked: list[bool] = []
    Turns(installation.at(due), lambda: False).drain(None, lambda: asked.append(True))
    assert asked == []


def test_a_turn_with_many_mails_asks_for_help_when_the_mail_server_took_the_first(
    installation: Installation,
):
    due = installation.discover(60)
    compose.run(installation.at(due))
    taken_before: list[int] = []
    Turns(installation.at(due), lambda: False).drain(
        None, lambda: taken_before.append(len(installation.sink.messages))
    )
    (taken,) = taken_before
    assert 0 < taken < len(installation.sink.messages) == 60


def test_a_job_whose_workers_die_is_set_aside_and_the_operator_is_told_once(
    with_jobs: Installation,
):
    with_jobs.change(operator=Operator(address="operator@example.org"))
    working = a_worker(with_jobs, fixed_now=with_jobs.discover(1) + timedelta(hours=1))
    working._enqueue_due()
    (composing,) = (name for name in waiting(with_jobs) if name.startswith("compose:"))
    begun = text(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL"
        " WHERE status = 'todo' AND queueing_lock = :name"
    )
    for _ in range(3):
        with with_jobs.at(MONDAY).engine.begin() as connection:
            # The job of a worker that died: nobody says that it lives.
            assert connection.execute(begun, {"name": composing}).rowcount == 1
        retry_stalled(working)
    working._enqueue_due()
    assert (composing, "failed") in jobs(with_jobs)
    assert composing not in waiting(with_jobs), "it rests although the profile is due"
    with with_jobs.at(MONDAY).reading() as session:
        (notice,) = session.query(Notice)
    assert composing in notice.text


def retry_stalled(working: worker.Worker) -> None:
    """Do what a tick does for the jobs of dead workers."""

    async def retry() -> None:
        app = working._app()
        async with app.open_async():
            await working._retry_stalled(app)

    asyncio.run(retry())


@pytest.mark.parametrize(
    ("concurrency", "only", "slots"),
    [
        (1, worker.KINDS, [(["upkeep", "asked", "poll", "compose", "deliver"], 1)]),
        (
            3,
            worker.KINDS,
            [(["upkeep", "asked", "poll", "compose"], 2), (["asked", "deliver"], 1)],
        ),
        (2, ("deliver",), [(["upkeep", "asked"], 1), (["asked", "deliver"], 1)]),
        (2, ("poll",), [(["upkeep", "poll"], 2)]),
        (1, ("poll", "compose"), [(["upkeep", "poll", "compose"], 1)]),
    ],
    ids=["one slot", "three slots", "delivers only", "polls only", "sends nothing"],
)
def test_with_two_slots_or_more_one_sends_and_the_others_send_what_was_just_asked_for(
    with_jobs: Installation, concurrency: int, only: tuple[str, ...], slots: list
):
    working = worker.Worker(with_jobs.at(MONDAY), threading.Event(), concurrency, only)
    assert working._slots() == [(["tick"], 1), *slots]


def test_a_worker_of_an_older_version_ends_when_the_schema_is_a_newer_ones(
    with_jobs: Installation,
):
    engine = with_jobs.at(MONDAY).engine
    stop = threading.Event()
    working = worker.Worker(replace(with_jobs.at(MONDAY), fixed_now=None), stop)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(StoreError, match="newer notifier"):
            working.run()
    finally:
        with engine.begin() as connection:
            newest = {"newest": db.newest_migration()}
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), newest)
    assert stop.is_set()


def started(installation: Installation, *settings: str, ahead: float = 0.0) -> subprocess.Popen:
    url = installation.at(MONDAY).engine.url.render_as_string(hide_password=False)
    arguments = [url, str(installation.sink.port), str(ahead), *settings]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.support.working_process", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )


def wait_for(happened: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.05)
    return False


def test_a_process_sends_what_it_is_woken_for_and_ends_cleanly(with_jobs: Installation):
    compose.run(with_jobs.at(with_jobs.discover(5)))
    process = started(with_jobs)
    try:
        assert wait_for(lambda: len(with_jobs.sink.messages) >= 5)
        began = time.monotonic()
        asks(with_jobs, "new@example.org")
        assert wait_for(lambda: with_jobs.sink.to("new@example.org") != [], 10)
        waited = time.monotonic() - began
    finally:
        process.terminate()
        error = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, error) == (0, "")
    assert waited < 5, f"a confirmation left {waited:.1f} s after it was stored"
    assert len(with_jobs.sink.messages) == 6, "each mail is sent once"


def test_the_servers_clock_counts_whatever_the_machines_shows(
    with_jobs: Installation, monkeypatch: pytest.MonkeyPatch
):
    right = replace(with_jobs.at(MONDAY), fixed_now=None)
    shown = right.now()
    local_now = composition_root._local_now
    monkeypatch.setattr(composition_root, "_local_now", lambda: local_now() + timedelta(minutes=7))
    wrong = replace(right)
    assert abs(wrong.now() - shown) < timedelta(seconds=60)


def test_a_limit_that_two_workers_use_first_at_once_is_kept_by_both(any_installation: Installation):
    deps = any_installation.at(MONDAY)
    url = deps.engine.url.render_as_string(hide_password=False)
    both = threading.Barrier(2)
    waits: list[timedelta] = []

    def reserve() -> None:
        engine = db.make_engine(url)
        both.wait()
        with db.writing(engine) as session:
            waits.append(rate_limits.reserve(session, 2.0, 4, MONDAY))
        engine.dispose()

    threads = [threading.Thread(target=reserve) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [timedelta(), timedelta(seconds=2)]
