"""The worker of `notifier work`: jobs of Procrastinate wake it, the rows say what is to be done.

The only file that knows Procrastinate. A job carries no state: it names what to look at, and the
step that it calls asks the database what is due. So a job that runs twice does nothing twice, and
losing all jobs loses nothing: the next tick finds in the rows what is due.

    tick               every 10 seconds, once among all workers: jobs of dead workers, what is due
    upkeep             every 30 seconds, once: requests, housekeeping, monitoring
    poll(host)         the due sources of a host, then match
    match              every revision that was not judged yet
    compose(profile)   the digests of a profile that are due
    drain(lane)        due mails for 30 seconds at most, then again while mails remain
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Job, Status
from procrastinate.schema import SchemaManager
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.enums import Lane
from notifier.errors import NotifierError, StoreError
from notifier.pipeline import due_work
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.problems import Problems
from notifier.pipeline.turns import Turns
from notifier.store import db
from notifier.store.wakes import Wake

log = logging.getLogger("notifier")

# What `--only` names.
KINDS = ("poll", "compose", "deliver")

# A worker says every 5 seconds that it lives; its jobs are another's when it was silent for 20. So
# they go on 30 seconds after a kill, and one more tick. Chosen by hand; the kill tests wait for it.
_HEARTBEAT, _SILENT_AFTER = 5.0, 20.0
# Seconds between two looks for jobs: a notification that was lost delays a job by so long.
_LOOK_EVERY = 1.0
# A job whose worker died so often is set aside for an hour: it may be what kills them. Chosen by
# hand; not measured.
_MOST_DEATHS, _SET_ASIDE_HOURS = 3, 1
# Seconds before a worker that lost the database tries again: the first and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0

_ASKED, _ALL = "asked", "all"

# Without a connection of its own: it only describes jobs, which go through the session's.
_jobs = App(connector=PsycopgConnector())
_engines_with_tables: "WeakSet[Engine]" = WeakSet()


def _job(task: str, queue: str, name: str, priority: int, **arguments: Any) -> Job:
    """Return a job that waits once at most, and of which one at a time runs.

    Args:
        task: the name of the task.
        queue: where it waits.
        name: what waits once: ``compose:7``.
        priority: higher ones first.
        arguments: of the task.
    """
    return _jobs.configure_task(
        task, queue=queue, queueing_lock=name, lock=name, priority=priority, task_kwargs=arguments
    ).job


def _drain(lane: str) -> Job:
    # Every worker may have one: without a lock, a dead one's keeps no other waiting.
    queue, priority = (_ASKED, 90) if lane == _ASKED else ("deliver", 0)
    return _job("drain", queue, f"drain:{lane}", priority, lane=lane).evolve(lock=None)


_MATCH = _job("match", "poll", "match", 30)
_WOKEN = {Wake.ASKED: _drain(_ASKED), Wake.DELIVER: _drain(_ALL)}


def wake(session: Session, noted: Collection[Wake]) -> None:
    """Let a worker do what a transaction leaves, as soon as it is committed; see `Deps.waker`."""
    enqueue(session, [_WOKEN[each] for each in noted])


def enqueue(session: Session, jobs: Sequence[Job]) -> None:
    """Enqueue jobs in a session's transaction; one that waits already is not enqueued again.

    Without the tables, before the first worker, nothing is done. An error is logged and leaves
    the transaction as it is: the next tick finds the work.
    """
    session.flush()
    if not _has_tables(session):
        return
    for job in jobs:
        try:
            with session.begin_nested():
                if not _waits(session, job):
                    raw = session.connection().connection.driver_connection
                    _jobs.job_manager.defer_job(job, connection=raw)
        except AlreadyEnqueued:
            continue
        except (ProcrastinateException, DBAPIError) as error:
            log.warning(
                "no worker could be woken; the next tick does it (%s)", type(error).__name__
            )
            return


def _has_tables(session: Session) -> bool:
    engine = session.get_bind().engine
    if engine not in _engines_with_tables:
        table = session.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar()
        if table is None:
            return False
        _engines_with_tables.add(engine)
    return True


def _waits(session: Session, job: Job) -> bool:
    """Return whether the same job waits already, and keep it waiting until this transaction ends.

    Fetching skips a locked row: a job that began before would not see what is committed then.
    """
    same = text(
        "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :name AND status = 'todo'"
        " FOR KEY SHARE SKIP LOCKED"
    )
    return session.execute(same, {"name": job.queueing_lock}).first() is not None


def create_tables(engine: Engine) -> bool:
    """Create the tables of jobs on PostgreSQL if they are missing; return whether they were.

    Raises:
        StoreError: the database cannot be used, or has such tables of another version.
    """
    with db.changing_schema(engine) as connection:
        if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute(SchemaManager.get_schema())
            return True
        newest = text("SELECT to_regproc('procrastinate_fetch_job_v2')")
        if connection.execute(newest).scalar() is None:
            raise StoreError(
                "The tables of Procrastinate in this database are of another version.",
                "Give notifier a database of its own. If no other program uses these tables, drop"
                " the tables, types and functions procrastinate_*: they hold nothing that is lost.",
            )
    return False


class Worker:
    """One process of `notifier work`.

    Args:
        deps: an installation on PostgreSQL.
        stop: set when the process is to stop.
        concurrency: how many jobs run at a time, besides ticks; from 1.
        only: which of `KINDS` this worker does.
    """

    def __init__(
        self,
        deps: Deps,
        stop: threading.Event,
        concurrency: int = 2,
        only: Collection[str] = KINDS,
    ) -> None:
        self._deps = replace(deps, waker=wake)
        self._stop, self._concurrency, self._only = stop, concurrency, only
        self._turns = Turns(self._deps, stop.is_set)
        self._refused: NotifierError | None = None

    def run(self) -> None:
        """Work until the event is set; then finish what is under way.

        A database that cannot be reached is tried again.

        Raises:
            SettingsError: the sender is not set.
            StoreError: the database cannot be used, or its schema became a newer notifier's.
        """
        self._deps.require_sender()
        create_tables(self._deps.engine)
        asyncio.run(self._run())
        if self._refused is not None:
            raise self._refused

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._concurrency + 4))
        loop.set_exception_handler(_log_lost_job)
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - a worker outlives its database
                log.warning("the worker begins anew: %s", type(error).__name__)
            # One that worked for a while has not lost the database for good.
            pause = (
                _FIRST_PAUSE if time.monotonic() - began > 60 else min(pause * 2, _LONGEST_PAUSE)
            )
            await self._stopped(pause)

    async def _stopped(self, longest: float = float("inf")) -> None:
        until = time.monotonic() + longest
        # A signal sets the event, outside of any loop.
        while not self._stop.is_set() and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def _work(self) -> None:
        """Work until the process is to stop, or a slot ended because the database was away."""
        app = self._app()
        async with app.open_async():
            slots = [
                asyncio.create_task(
                    app.run_worker_async(
                        queues=queues,
                        concurrency=number,
                        name=queues[-1],
                        install_signal_handlers=False,
                        delete_jobs="always",
                    )
                )
                for queues, number in self._slots()
            ]
            stopped = asyncio.create_task(self._stopped())
            await asyncio.wait([stopped, *slots], return_when=asyncio.FIRST_COMPLETED)
            for task in (stopped, *slots):
                task.cancel()  # what is under way is finished
            ended = await asyncio.gather(*slots, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result

    def _slots(self) -> list[tuple[list[str], int]]:
        """Return the queues of this worker, and how many jobs of them run at a time.

        Ticks have a slot of their own. With two jobs or more one sends, and the others send only
        what somebody just asked for: it waits behind no list, and no list waits behind a digest
        that is being composed.
        """
        general = ["upkeep", _ASKED, *(kind for kind in KINDS if kind in self._only)]
        if "deliver" not in self._only:
            general.remove(_ASKED)
        slots = [(["tick"], 1)]
        if "deliver" in self._only and self._concurrency > 1:
            general.remove("deliver")
            return [*slots, (general, self._concurrency - 1), ([_ASKED, "deliver"], 1)]
        return [*slots, (general, self._concurrency)]

    def _app(self) -> App:
        # Not prepared: behind PgBouncer the next statement may meet another connection.
        options = {**db.connect_options(self._deps.engine), "prepare_threshold": None}
        connector = PsycopgConnector(kwargs=options, min_size=1, max_size=4, timeout=5)
        app = App(
            connector=connector,
            worker_defaults={
                "update_heartbeat_interval": _HEARTBEAT,
                "stalled_worker_timeout": _SILENT_AFTER,
                "fetch_job_polling_interval": _LOOK_EVERY,
            },
        )
        tasks: dict[str, Callable[..., Any]] = {
            "poll": self._poll,
            "match": self._turns.match,
            "compose": self._turns.compose,
            "drain": self._drain,
        }
        for name, task in tasks.items():
            app.task(name=name)(_contained(name, task))
        self._add_periodic(app)
        return app

    def _add_periodic(self, app: App) -> None:
        """Register what is done at fixed times, once however many workers there are.

        The sixth field of such a time is its seconds.
        """

        async def tick(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's parameter
            with Problems().contained("The tick"):
                await self._retry_stalled(app)
                await asyncio.to_thread(self._enqueue_due)

        def upkeep(timestamp: int) -> None:  # noqa: ARG001 - likewise
            with Problems().contained("The upkeep"):
                self._turns.upkeep()

        def compose_all(timestamp: int) -> None:  # noqa: ARG001 - likewise
            with Problems().contained("Composing for all profiles"):
                self._turns.compose(None)

        for task, cron, queue in (
            (tick, "* * * * * */10", "tick"),
            (upkeep, "* * * * * */30", "upkeep"),
            (compose_all, "*/10 * * * *", "compose"),
        ):
            name = task.__name__
            # Ticks have no lock: that of a dead worker would keep all others from finding it dead.
            lock = None if task is tick else name
            registered = app.task(
                name=name, queue=queue, queueing_lock=name, lock=lock, priority=50
            )
            app.periodic(cron=cron)(registered(task))

    async def _retry_stalled(self, app: App) -> None:
        """Let other workers do the jobs of those that died; set aside what kills its workers."""
        jobs = app.job_manager
        await jobs.delete_old_jobs(_SET_ASIDE_HOURS, include_failed=True)
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=_SILENT_AFTER):
            if job.attempts + 1 >= _MOST_DEATHS:
                await jobs.finish_job(job, Status.FAILED, delete_job=False)
                await asyncio.to_thread(self._report, job)
                continue
            try:
                await jobs.retry_job(job)
            except ProcrastinateException:  # the same job waits already
                await jobs.finish_job(job, Status.FAILED, delete_job=True)

    def _report(self, job: Job) -> None:
        """Tell the operator that a job is set aside."""
        name = job.queueing_lock or job.task_name
        log.error("The job %s is set aside for an hour: its worker died each time.", name)
        with self._deps.writing() as session:
            enqueue_for_operator(
                self._deps,
                session,
                "notifier: workers die",
                f"{_MOST_DEATHS} workers ended while they did the job {name}. It is set aside for "
                "an hour, and then tried again. Everything else goes on.\n\n"
                "See the log of the workers. If the system ended them for want of memory, give "
                "them more of it.",
                self._deps.now(),
            )

    def _enqueue_due(self) -> None:
        """Enqueue what the rows say is due, unless it waits, runs, or is set aside."""
        try:
            db.require_known_schema(self._deps.engine)
        except db.NewerSchemaError as error:
            self._refused = error
            self._stop.set()
            return
        due = due_work.find(self._deps)
        jobs = [
            _job("poll", "poll", f"poll:{host}", 20, sources=[*sources])
            for host, sources in due.hosts.items()
        ]
        jobs.append(_MATCH)
        jobs += [
            _job("compose", "compose", f"compose:{profile}", 30, profile=profile)
            for profile in due.profiles
        ]
        jobs += [_drain(_ASKED)] if due.asked else []
        jobs += [_drain(_ALL)] if due.mails else []
        with self._deps.writing() as session:
            known = {*session.scalars(text("SELECT queueing_lock FROM procrastinate_jobs"))}
            enqueue(session, [job for job in jobs if job.queueing_lock not in known])

    def _poll(self, sources: Sequence[int]) -> None:
        if self._turns.poll(sources):
            self._enqueue(_MATCH)

    def _drain(self, lane: str) -> None:
        before = Lane.URGENT if lane == _ASKED else None
        self._turns.drain(before, lambda: self._enqueue(_drain(lane)))

    def _enqueue(self, job: Job) -> None:
        with self._deps.writing() as session:
            enqueue(session, [job])


def _contained(name: str, task: Callable[..., Any]) -> Callable[..., None]:
    """Return the task with its errors logged: the next tick finds what it left."""

    def run_task(**arguments: Any) -> None:
        with Problems().contained(f"The job {name}"):
            task(**arguments)

    return run_task


def _log_lost_job(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log in one line that a job's end was not stored: it ran, or it is found due again."""
    log.warning("a job could not be recorded: %s", type(context.get("exception")).__name__)
