"""Workers that are killed, cut off, restarted or shown a wrong clock lose no mail.

Each test sends one digest to many people on a real PostgreSQL. Repeats are mails whose answer was
not stored yet when the fault came: one a connection, and after a crash of the server those of the
50 milliseconds in which commits do not wait for the disk.
"""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from signal import SIGTERM

import psycopg
import pytest
from sqlalchemy import Engine, text

from notifier import worker
from notifier.enums import DeliveryStatus
from notifier.errors import StoreError
from notifier.pipeline import compose
from notifier.pipeline.run import run_once
from notifier.settings import Smtp
from notifier.store import db
from notifier.store.models import Delivery
from tests.support import faulty_server, postgres
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT

PEOPLE, CONNECTIONS = 240, 4
SEED = 20260302
LONGEST = 240.0


class Crew:
    """Some workers on one database, which a test kills and replaces.

    Attributes:
        server: the mail server.
        killed: how many were killed.
    """

    def __init__(self, installation: Installation, server: faulty_server.Faulty) -> None:
        self.installation, self.server = installation, server
        self.killed = 0
        self.processes: list[subprocess.Popen] = []

    @property
    def url(self) -> str:
        return self.installation.at(MONDAY).engine.url.render_as_string(hide_password=False)

    def start(self, ahead: float = 0.0, *settings: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.working_process"),
                *(self.url, str(self.server.port), str(ahead)),
                *(settings or (f"connections={CONNECTIONS}",)),
            ],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        self.killed += 1

    def statuses(self) -> Counter[str]:
        with self.installation.at(MONDAY).engine.connect() as connection:
            rows = connection.execute(text("SELECT status, count(*) FROM delivery GROUP BY status"))
            return Counter({row[0]: row[1] for row in rows})

    def wait(self, accepted: int | None = None) -> None:
        """Wait for so many accepted mails, or for all of them to be sent and stored."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            if accepted is not None and len(self.server.accepted) >= accepted:
                return
            if accepted is None:
                with suppress(Exception):
                    if self.statuses() == {DeliveryStatus.SENT: PEOPLE}:
                        return
            time.sleep(0.05)
        raise AssertionError(f"{len(self.server.accepted)} accepted, {self.statuses()}")

    def end(self) -> set[int]:
        """End those that run; return their exit codes, without those that had hardly begun."""
        running = [process for process in self.processes if process.poll() is None]
        for process in running:
            process.terminate()
        return {process.wait(timeout=90) for process in running} - {-SIGTERM}

    def assert_nobody_lost(self, in_flight: int) -> None:
        """Check that everybody got the digest, and that no more were repeated than in flight."""
        with self.installation.at(MONDAY).reading() as session:
            message_ids = {delivery.message_id for delivery in session.query(Delivery)}
        assert set(self.server.accepted) == message_ids, "nobody is lost"
        repeats = len(self.server.accepted) - PEOPLE
        assert repeats <= in_flight, f"{repeats} repeats, {in_flight} were in flight"


@contextmanager
def crew_of(installation: Installation, slow: float = 0.04) -> Iterator[Crew]:
    with faulty_server.running(slow=slow) as server:
        crew = Crew(installation, server)
        try:
            yield crew
        finally:
            for process in crew.processes:
                process.kill()
                process.wait()


@pytest.fixture
def composed(with_jobs: Installation) -> Installation:
    """An installation with a digest for `PEOPLE` that was not sent yet."""
    compose.run(with_jobs.at(with_jobs.discover(PEOPLE)))
    return with_jobs


def kill_at_random(installation: Installation, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with crew_of(installation) as crew:
        crew.start()
        crew.start()
        for number in range(kills):
            crew.wait((number + 1) * PEOPLE // (kills + 2))
            time.sleep(chance.random() * 0.05)
            running = [process for process in crew.processes if process.poll() is None]
            crew.kill(chance.choice(running))
            crew.start()
        crew.wait()
        assert crew.end() <= {0}
        crew.assert_nobody_lost(crew.killed * CONNECTIONS)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_workers_that_are_killed_at_random_lose_no_mail(composed: Installation, seed: int):
    kill_at_random(composed, 4, SEED + seed)


@pytest.mark.long
def test_the_work_of_a_killed_worker_goes_on_within_a_minute(composed: Installation):
    with crew_of(composed) as crew:
        worked = crew.start()
        crew.wait(PEOPLE // 4)
        crew.kill(worked)
        died = time.monotonic()
        crew.start()
        crew.wait()
        assert time.monotonic() - died < 60 + PEOPLE * 0.02
        crew.assert_nobody_lost(CONNECTIONS)


@pytest.mark.long
def test_all_jobs_lost_in_the_middle_lose_no_mail(composed: Installation):
    with crew_of(composed) as crew:
        crew.start()
        crew.start()
        for part in (4, 2):
            crew.wait(PEOPLE // part)
            with crew.installation.at(MONDAY).engine.begin() as connection:
                connection.exec_driver_sql("TRUNCATE procrastinate_jobs CASCADE")
        crew.wait()
        assert crew.end() <= {0}
        crew.assert_nobody_lost(0)


@pytest.mark.long
def test_connections_that_are_cut_off_again_and_again_lose_no_mail(
    composed: Installation, postgres_server: str
):
    name = composed.at(MONDAY).engine.url.database
    cuts = 3
    with crew_of(composed) as crew:
        crew.start()
        crew.start()
        for number in range(cuts):
            crew.wait((number + 1) * PEOPLE // (cuts + 1))
            with psycopg.connect(postgres_server, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [name],
                )
        crew.wait()
        assert crew.end() <= {0}, "a worker outlives its database"
        crew.assert_nobody_lost(cuts * 2 * CONNECTIONS)


@pytest.mark.long
def test_clocks_that_differ_by_minutes_send_nothing_twice(composed: Installation):
    with crew_of(composed) as crew:
        for ahead in (0.0, 420.0, -420.0):
            crew.start(ahead)
        crew.wait()
        assert crew.end() <= {0}
        crew.assert_nobody_lost(0)


@pytest.mark.long
def test_two_schedulers_beside_two_workers_send_nothing_twice(composed: Installation):
    stop = threading.Event()
    deps = composed.at(MONDAY)
    url = deps.engine.url.render_as_string(hide_password=False)
    with crew_of(composed) as crew:
        smtp = Smtp(port=crew.server.port, security="none", connections=CONNECTIONS)
        settings = deps.settings.model_copy(update={"smtp": smtp})
        engines = [db.make_engine(url) for _ in range(2)]

        def schedule(engine: Engine) -> None:
            while not stop.is_set():
                with suppress(StoreError):
                    own = replace(deps, engine=engine, settings=settings, fixed_now=None)
                    run_once(own, stop.is_set)
                stop.wait(0.5)

        schedulers = [threading.Thread(target=schedule, args=(engine,)) for engine in engines]
        for thread in schedulers:
            thread.start()
        crew.start()
        crew.start()
        try:
            crew.wait()
        finally:
            stop.set()
            for thread in schedulers:
                thread.join()
        assert crew.end() <= {0}
        crew.assert_nobody_lost(0)
        for engine in engines:
            engine.dispose()


@pytest.mark.long
def test_two_workers_keep_a_limit_of_mails_a_second_together(composed: Installation):
    """For ten seconds from the first mail."""
    rate = 20
    with crew_of(composed, slow=0.0) as crew:
        for _ in range(2):
            crew.start(0.0, f"connections={CONNECTIONS}", f"rate_per_second={rate}")
        crew.wait(1)
        time.sleep(10)
        sent = len(crew.server.accepted)
        crew.end()
    # The lower bound is for a busy machine.
    assert rate * 10 * 0.2 <= sent <= rate * 11 + 2 * CONNECTIONS


@pytest.mark.long
def test_a_server_that_crashes_in_the_middle_loses_no_mail(site, sink):
    with postgres.own_server() as server:
        engine = db.make_engine(server.url)
        db.upgrade(engine)
        worker.create_tables(engine)
        installation = Installation(engine, site, sink)
        installation.wake_workers()
        installation.adopt()
        compose.run(installation.at(installation.discover(PEOPLE)))
        with crew_of(installation) as crew:
            crew.start()
            crew.start()
            for part in (4, 2):
                crew.wait(PEOPLE // part)
                server.restart()
            crew.wait()
            assert crew.end() <= {0}
            # In 50 milliseconds each connection gets two answers at most from a mail server that
            # takes 40 for each.
            crew.assert_nobody_lost(2 * 2 * CONNECTIONS * (1 + 2))
        engine.dispose()


def test_a_worker_that_is_killed_once_loses_no_mail(with_jobs: Installation):
    """The small sample of the tests above: two workers, one is killed, the other goes on."""
    people = 20
    compose.run(with_jobs.at(with_jobs.discover(people)))
    chance = random.Random(SEED)
    with crew_of(with_jobs, slow=0.05) as crew:
        first = crew.start()
        crew.wait(1 + chance.randrange(8))
        crew.kill(first)
        with with_jobs.at(MONDAY).engine.begin() as connection:
            # As if its lease had run out: the long tests wait for that.
            connection.exec_driver_sql(
                "UPDATE delivery SET leased_until = '2026-03-01+00' WHERE status = 'sending'"
            )
            connection.exec_driver_sql("TRUNCATE procrastinate_jobs CASCADE")
        crew.start()
        until = time.monotonic() + 60
        while crew.statuses() != {DeliveryStatus.SENT: people} and time.monotonic() < until:
            time.sleep(0.05)
        assert crew.statuses() == {DeliveryStatus.SENT: people}
        repeats = len(crew.server.accepted) - people
        assert repeats <= CONNECTIONS, f"{repeats} repeats"
