"""Fixtures of all tests: databases of both kinds, a news site, a mail sink, an installation."""

import contextlib
import gc
import ipaddress
import os
import secrets
import shutil
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import typer.testing
from sqlalchemy import Engine, inspect

from notifier import worker
from notifier.store import db
from notifier.store.models import Base
from notifier.watch import parser_process
from notifier.watch.http import client
from tests.support import certificates, postgres
from tests.support import mail_sink as sinks
from tests.support import news_site as sites
from tests.support.installation import Installation

_VARIANTS_ON_POSTGRES, _VARIANTS = 1, 2
_DATABASES = frozenset(("engine", "sqlite_engine"))

_IN_MEMORY = Path("/dev/shm")
_FREE_BYTES = 2**31

_FIRST_OF_A_KIND: dict[str, Engine] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Keep the folders of the tests in memory, where it has a file system with room for them.

    Databases wait for the disk with each transaction, and thousands of files are removed again.
    Another folder can be named with `--basetemp` or `PYTEST_DEBUG_TEMPROOT`.
    """
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(_IN_MEMORY).free
        may_run_programs = not os.statvfs(_IN_MEMORY).f_flag & os.ST_NOEXEC
        if free >= _FREE_BYTES and may_run_programs and os.access(_IN_MEMORY, os.W_OK):
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark variants of tests with a database as long: all but one on PostgreSQL, all but two.

    Those that stay are spread evenly over the list. Variants of slow simulations on PostgreSQL are
    all long (`postgresql_long`). `make test-long` runs them all.
    """
    quick: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    on_postgresql: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if parameters.get("engine") == "postgresql":
            on_postgresql[test] += 1
            is_long = item.get_closest_marker("postgresql_long") is not None
            if is_long or on_postgresql[test] > _VARIANTS_ON_POSTGRES:
                item.add_marker(pytest.mark.long)
        has_database = not _DATABASES.isdisjoint(getattr(item, "fixturenames", ()))
        if has_database and item.get_closest_marker("long") is None:
            quick[test].append(item)
    for variants in quick.values():
        if len(variants) > _VARIANTS:
            step = (len(variants) - 1) / (_VARIANTS - 1)
            kept = {round(step * place) for place in range(_VARIANTS)}
            for place, item in enumerate(variants):
                if place not in kept:
                    item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Exempt what lives as long as the worker from garbage collection: thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll a host without a pause between requests: the hosts belong to the tests.

    The pause has a test of its own.
    """
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _no_settings_left() -> Iterator[None]:
    """Remove what a command's `--config` sets in the environment."""
    yield
    os.environ.pop("NOTIFIER_CONFIG", None)


@pytest.fixture(autouse=True, scope="session")
def _no_look_ups() -> Iterator[None]:
    """Let no test ask a name server: names of articles exist nowhere, and a machine may be offline.

    There each question would take seconds.
    """
    look_up = socket.getaddrinfo

    def only_here(host: str | bytes | None, *args: Any, **options: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host or "localhost"
        if name != "localhost" and not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *args, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", only_here)
        yield


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True, scope="session")
def _quick_commands() -> Iterator[None]:
    """Build the command line once, and share compiled statements among its databases.

    A process of its own would run one command; a worker runs thousands.
    """
    with pytest.MonkeyPatch.context() as patched:
        for module in (typer.main, typer.testing):
            name = "get_command" if module is typer.main else "_get_command"
            patched.setattr(module, name, cache(getattr(module, name)))
        make_engine = db.make_engine
        patched.setattr(db, "make_engine", lambda url: _like_the_first(make_engine(url)))
        yield


_readers: list[parser_process.Child] = []


@pytest.fixture(autouse=True)
def _kept_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a process that parses documents for many tests.

    That these processes end with each poll has a test of its own.
    """
    start = parser_process.start
    monkeypatch.setattr(parser_process, "start", lambda: _readers.pop() if _readers else start())
    monkeypatch.setattr(
        parser_process,
        "release",
        lambda child: _readers.append(child) if child.reusable else child.end(),
    )


@pytest.fixture(autouse=True, scope="session")
def _ended_readers() -> Iterator[None]:
    """End the processes that parse documents after all tests."""
    yield
    while _readers:
        _readers.pop().end()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server.

    Without a server the tests that need one are skipped, or fail if `NOTIFIER_REQUIRE_PG` is set.
    """
    try:
        with postgres.server() as server:
            yield server
    except postgres.NoPostgresError as error:
        if os.environ.get("NOTIFIER_REQUIRE_PG"):
            raise
        pytest.skip(f"NO POSTGRESQL FOUND, ITS TESTS ARE SKIPPED: {error}")


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a new PostgreSQL database for this worker."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def jobs_url(postgres_server: str) -> Iterator[str]:
    """The URL of another one, which has the tables of `notifier work`, too."""
    with postgres.database(postgres_server) as url:
        made = db.make_engine(url)
        db.upgrade(made)
        worker.create_tables(made)
        made.dispose()
        yield url


@pytest.fixture
def with_jobs(jobs_url: str, site: sites.Site, sink: sinks.Sink) -> Iterator[Installation]:
    """An installation with the bundled profile, whose transactions wake workers."""
    made = _sharing_statements(db.make_engine(jobs_url))
    _emptied(made)
    with made.begin() as connection:
        connection.exec_driver_sql("DELETE FROM procrastinate_periodic_defers")
        connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
    installation = Installation(made, site, sink)
    installation.wake_workers()
    installation.adopt()
    yield installation
    made.dispose()


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded, empty SQLite database, created once for each worker and copied for each test."""
    path = tmp_path_factory.mktemp("upgraded") / "subscribers.db"
    made = db.make_engine(f"sqlite:///{path}")
    db.upgrade(made)
    return _closed(made)


def _closed(made: Engine) -> Path:
    """Close a SQLite database so that its file can be copied; return the file."""
    with made.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.dispose()
    return Path(str(made.url.database))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, upgraded: Path, tmp_path: Path) -> Iterator[Engine]:
    """An upgraded, empty database of each kind in turn."""
    if request.param == "sqlite":
        made = _copied(upgraded, tmp_path)
    else:
        made = _sharing_statements(db.make_engine(request.getfixturevalue("postgres_url")))
        _emptied(made)
    yield made
    made.dispose()


@pytest.fixture
def sqlite_engine(upgraded: Path, tmp_path: Path) -> Iterator[Engine]:
    """An upgraded, empty SQLite database, for tests that need only one kind."""
    made = _copied(upgraded, tmp_path)
    yield made
    made.dispose()


def _copied(upgraded: Path, folder: Path) -> Engine:
    shutil.copy(upgraded, folder / "subscribers.db")
    return _sharing_statements(db.make_engine(f"sqlite:///{folder / 'subscribers.db'}"))


def _sharing_statements(made: Engine) -> Engine:
    """Give an engine the compiled statements of the first one of its kind.

    Each test has an engine of its own, and compiling takes most of the time of a short test.
    """
    # The first connection sets up the dialect of the engine.
    if made.dialect.name not in _FIRST_OF_A_KIND:
        with made.connect():
            _FIRST_OF_A_KIND[made.dialect.name] = made
    return _like_the_first(made)


def _like_the_first(made: Engine) -> Engine:
    first = _FIRST_OF_A_KIND.get(made.dialect.name, made)
    made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
    return made


def _emptied(made: Engine) -> None:
    """Empty a PostgreSQL database, or create its tables again if they are not those of today."""
    tables = {table.name for table in Base.metadata.sorted_tables}
    with made.begin() as connection:
        names = set(inspect(connection).get_table_names())
        whole = {name for name in names if not name.startswith("procrastinate_")} == {
            *tables,
            "alembic_version",
        }
        version = (
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if whole
            else None
        )
        if version == db.newest_migration():
            # Much faster than TRUNCATE, because the tables have few rows.
            for table in reversed(Base.metadata.sorted_tables):
                connection.exec_driver_sql(f'DELETE FROM "{table.name}"')
            connection.exec_driver_sql(
                "SELECT setval(c.oid, 1, false) FROM pg_class c WHERE c.relkind = 'S'"
            )
            connection.exec_driver_sql(
                f"INSERT INTO installation (id, salt) VALUES (1, '{secrets.token_hex(32)}')"
            )
        else:
            Base.metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    db.upgrade(made)


@pytest.fixture
def site() -> Iterator[sites.Site]:
    """A news site on loopback."""
    with sites.running() as running:
        yield running


@pytest.fixture
def sink() -> Iterator[sinks.Sink]:
    """A mail server on loopback."""
    with sinks.running() as running:
        yield running


@pytest.fixture(scope="session")
def adopted(upgraded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the bundled profile, made once for each worker and then copied."""
    folder = tmp_path_factory.mktemp("adopted")
    made = _copied(upgraded, folder)
    Installation(made, sites.Site("http://127.0.0.1:1"), sinks.Sink(25)).adopt()
    return _closed(made)


@pytest.fixture
def installation(adopted: Path, sqlite_engine: Engine, site: sites.Site, sink: sinks.Sink):
    """An installation on SQLite with the bundled profile and no subscriber."""
    return _installed(adopted, sqlite_engine, site, sink)


@pytest.fixture
def any_installation(adopted: Path, engine: Engine, site: sites.Site, sink: sinks.Sink):
    """Such an installation on each kind of database in turn."""
    return _installed(adopted, engine, site, sink)


def _installed(adopted: Path, engine: Engine, site: sites.Site, sink: sinks.Sink) -> Installation:
    made = Installation(engine, site, sink)
    if engine.dialect.name == "sqlite":
        engine.dispose()
        shutil.copy(adopted, str(engine.url.database))
        made.adopt_as_before()
    else:
        made.adopt()
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for loopback and its key, in one file."""
    return certificates.write(tmp_path_factory.mktemp("tls") / "server.pem")
