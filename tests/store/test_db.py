"""The database: upgraded once, refused if it is another program's, explained if it is unusable."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, Insert, bindparam, case, insert, inspect, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from notifier.enums import Authority, SourceKind
from notifier.errors import SettingsError, StoreError
from notifier.store import db
from notifier.store.models import (
    Base,
    Delivery,
    Installation,
    ProfileRevision,
    RateLimit,
    Source,
    SourceProfile,
    Subscription,
)
from tests.support.installation import MONDAY
from tests.support.old_rows import OLD_ROWS


def a_source(**changes) -> Source:
    values = {
        "kind": SourceKind.FEED,
        "url": "https://herald.example.org/feed/",
        "name": "The Example Herald",
        "authority": Authority.NEWS,
        "created_at": MONDAY,
        "next_poll_at": MONDAY,
        "failures": 0,
    }
    return Source(**{**values, **changes})


def test_the_migrations_make_exactly_the_tables_of_the_models(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_keep_the_promise_that_an_id_is_given_once(sqlite_engine: Engine):
    promised = {
        name
        for name, table in Base.metadata.tables.items()
        if table.dialect_options["sqlite"]["autoincrement"]
    }
    with sqlite_engine.connect() as connection:
        tables = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type='table'"))
        kept = {name for name, statement in tables if "AUTOINCREMENT" in statement}
    assert "delivery" in promised
    assert kept == promised


def test_an_upgrade_of_a_current_database_does_nothing(engine: Engine):
    assert db.upgrade(engine) is False


def test_every_installation_has_a_salt_of_its_own(engine: Engine, tmp_path: Path):
    other = db.make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    db.upgrade(other)
    with db.reading(engine) as session, db.reading(other) as other_session:
        salts = [each.query(Installation).one().salt for each in (session, other_session)]
    assert salts[0] != salts[1]
    other.dispose()


def test_times_of_any_zone_are_read_as_aware_utc(engine: Engine):
    elsewhere = MONDAY.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with db.writing(engine) as session:
        session.add(a_source(next_poll_at=elsewhere))
    with db.reading(engine) as session:
        stored = session.query(Source).one().next_poll_at
        assert stored == MONDAY
        assert stored.tzinfo is UTC
        assert session.query(Source).filter(Source.next_poll_at <= MONDAY).count() == 1


def test_a_time_without_a_zone_is_refused(engine: Engine):
    with pytest.raises(StatementError, match="without a zone"), db.writing(engine) as session:
        session.add(a_source(created_at=datetime(2026, 3, 2)))  # noqa: DTZ001 - that is the point


def test_foreign_keys_are_kept(engine: Engine):
    with pytest.raises(IntegrityError), db.writing(engine) as session:
        session.add(SourceProfile(source_id=1, profile_id=1))


def test_the_same_address_is_not_stored_twice(engine: Engine):
    with pytest.raises(IntegrityError), db.writing(engine) as session:
        session.add_all([a_source(), a_source()])


def test_a_transaction_that_fails_leaves_nothing_behind(engine: Engine):
    def fail_half_way() -> None:
        with db.writing(engine) as session:
            session.add(a_source())
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    with db.reading(engine) as session:
        assert session.query(Source).count() == 0


def test_sqlite_allows_readers_beside_a_writer_and_survives_power_cuts(sqlite_engine: Engine):
    with sqlite_engine.connect() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous")
        }
        assert pragma == {"journal_mode": "wal", "synchronous": 2}
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 5000


def test_several_processes_may_start_at_once(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'subscribers.db'}"
    code = f"from notifier.store import db; e = db.make_engine({url!r}); db.upgrade(e); e.dispose()"
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    results = [(process.communicate()[1], process.returncode) for process in started]
    assert results == [(b"", 0)] * 4


def test_several_processes_may_start_at_once_on_postgresql(postgres_url: str):
    engine = db.make_engine(postgres_url)
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()
    code = (
        f"from notifier.store import db; e = db.make_engine({postgres_url!r}); db.upgrade(e);"
        " e.dispose()"
    )
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    results = [(process.communicate()[1], process.returncode) for process in started]
    assert results == [(b"", 0)] * 4


def test_postgresql_compiles_no_statement_that_looks_expensive(postgres_url: str):
    engine = db.make_engine(postgres_url)
    for open_session in (db.reading, db.writing):
        with open_session(engine) as session:
            assert session.execute(text("SHOW jit")).scalar() == "off"
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer notifier") as refused:
        db.upgrade(engine)
    assert "Install that version" in refused.value.fix
    with engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path):
    engine = db.make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(StoreError, match="tables of another program"):
        db.upgrade(engine)
    assert inspect(engine).get_table_names() == ["invoices"]
    engine.dispose()


def test_a_locked_database_is_reported_with_the_fix(tmp_path: Path):
    path = tmp_path / "subscribers.db"
    engine = db.make_engine(f"sqlite:///{path}")
    db.upgrade(engine)
    engine.dispose()
    impatient = db.make_engine(f"sqlite:///{path}?timeout=0")
    with impatient.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
        connection.rollback()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(StoreError, match="locked by another program") as refused,
        db.writing(impatient) as session,
    ):
        session.add(a_source())
    assert "Nothing was lost" in refused.value.fix
    holder.close()
    with db.writing(impatient) as session:
        session.add(a_source())
    impatient.dispose()


def test_a_connection_that_was_used_without_transactions_commits_each_statement(
    sqlite_engine: Engine,
):
    """Otherwise a mail that was settled on it would stay unsettled, and the database locked."""
    with sqlite_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SELECT 1")
    with sqlite_engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("UPDATE profile SET position = 0")
        assert not driver.in_transaction


@pytest.mark.parametrize(("text", "value"), [("none", None), ("0", 0), ("12", 12)])
def test_the_address_says_from_when_on_statements_are_prepared(
    postgres_url: str, text: str, value: int | None
):
    """PgBouncer gives each transaction another connection, which knows no prepared statement."""
    engine = db.make_engine(f"{postgres_url}&prepare_threshold={text}")
    with db.connect(engine) as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.prepare_threshold == value
    engine.dispose()


def test_a_wrong_word_for_prepared_statements_is_refused(postgres_url: str):
    with pytest.raises(SettingsError, match="has an option that cannot be used"):
        db.make_engine(f"{postgres_url}&prepare_threshold=never")


@pytest.mark.parametrize("url", ["not a url", "mysql://localhost/x", "oracle://x", "sqlite"])
def test_another_kind_of_database_is_refused(url: str):
    with pytest.raises(SettingsError):
        db.make_engine(url)


def test_a_database_that_cannot_be_opened_is_reported(tmp_path: Path):
    engine = db.make_engine(f"sqlite:///{tmp_path / 'nowhere' / 'subscribers.db'}")
    with pytest.raises(StoreError, match="cannot be opened"):
        db.upgrade(engine)
    engine.dispose()


def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path):
    path = tmp_path / "subscribers.db"
    path.write_text("this is a letter, not a database" * 100)
    engine = db.make_engine(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="cannot be used"):
        db.upgrade(engine)
    engine.dispose()


def test_an_unreachable_postgresql_is_reported_without_its_password():
    engine = db.make_engine("postgresql://someone:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError) as refused:
        db.upgrade(engine)
    assert "secret" not in refused.value.problem
    engine.dispose()


def test_an_upgrade_from_the_first_schema_keeps_what_is_stored(engine: Engine):
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        for table, row in OLD_ROWS.items():
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)
        connection.commit()
        connection.invalidate()
    assert db.upgrade(engine) is True
    with db.writing(engine) as session:
        source = session.query(Source).one()
        assert (source.reported_state, source.ttl_minutes, source.changed_at) == ("", 0, None)
        # It listed nothing at its first poll, which is no baseline.
        assert (source.baselined_at, source.empty_since) == (
            None,
            datetime(2026, 3, 2, 9, tzinfo=UTC),
        )
        delivery = session.query(Delivery).one()
        assert delivery.subscription.subscriber.email == "anna@example.org"
        assert delivery.notice_id is None
        assert delivery.message_id == "<1@x>"
        assert session.query(ProfileRevision).one().document == {"slug": "x"}
        session.delete(session.query(Subscription).one())
    with db.reading(engine) as session:
        assert session.query(Delivery).count() == 0  # the foreign key survived the rebuilt table


def test_a_new_database_can_be_read_by_its_owner_alone(tmp_path: Path):
    before = os.umask(0o022)
    try:
        engine = db.make_engine(f"sqlite:///{tmp_path / 'new.db'}")
        db.upgrade(engine)
        with db.writing(engine) as session:
            session.add(a_source())
            session.flush()
            files = list(tmp_path.iterdir())
            assert {file.name for file in files} == {"new.db", "new.db-wal", "new.db-shm"}
            assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    finally:
        os.umask(before)
        engine.dispose()


def test_the_permissions_of_an_existing_database_stay(tmp_path: Path):
    file = tmp_path / "old.db"
    file.touch(mode=0o640)
    file.chmod(0o640)
    engine = db.make_engine(f"sqlite:///{file}")
    db.upgrade(engine)
    engine.dispose()
    assert file.stat().st_mode & 0o777 == 0o640


def waits(connection: Connection) -> bool:
    """Tell whether a commit on this connection waits for the disk."""
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return driver.execute("PRAGMA synchronous").fetchone() == (2,)
    return driver.execute("SHOW synchronous_commit").fetchone() == ("on",)


class Watching(db.Prepared):
    """A statement that notes before each run whether its commit waits for the disk."""

    def __init__(self, statement: Insert) -> None:
        super().__init__(statement)
        self.waited: list[bool] = []

    def run(self, connection: Connection, values: Mapping[str, object]) -> None:
        self.waited.append(waits(connection))
        super().run(connection, values)


INSERT_LIMIT = insert(RateLimit).values(key=bindparam("name"), next_at=bindparam("moment"))
ADD_LIMIT = db.Prepared(INSERT_LIMIT)


def limit(name: str) -> dict[str, object]:
    return {"name": f"{name}.example.org", "moment": MONDAY}


def test_small_transactions_are_seen_by_others_at_once(engine: Engine):
    with db.small_transactions(engine) as run:
        for number in range(3):
            run(ADD_LIMIT, limit(str(number)))
            with db.reading(engine) as session:
                assert session.query(RateLimit).count() == number + 1


def test_small_transactions_are_committed_on_a_connection_that_had_another_isolation_level(
    sqlite_engine: Engine,
):
    with sqlite_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SELECT 1")
    with db.small_transactions(sqlite_engine) as run:
        run(ADD_LIMIT, limit("good"))
        with db.reading(sqlite_engine) as session:
            assert session.query(RateLimit).count() == 1


def test_a_small_transaction_stores_what_a_session_reads(engine: Engine):
    with db.small_transactions(engine) as run:
        run(ADD_LIMIT, limit("good"))
    with db.reading(engine) as session:
        assert session.get_one(RateLimit, "good.example.org").next_at == MONDAY


def test_a_small_transaction_that_fails_is_undone_and_the_others_stay(engine: Engine):
    with db.small_transactions(engine) as run:
        run(ADD_LIMIT, limit("good"))
        with pytest.raises(IntegrityError):
            run(ADD_LIMIT, limit("good"))
        run(ADD_LIMIT, limit("next"))
    with db.reading(engine) as session:
        assert {limit.key for limit in session.query(RateLimit)} == {
            "good.example.org",
            "next.example.org",
        }


def test_a_small_transaction_of_many_rows_changes_all_or_none(engine: Engine):
    """The second row would get the key of the third."""
    rename = db.Prepared(
        update(RateLimit).values(
            key=case((RateLimit.key == "b.example.org", "c.example.org"), else_=RateLimit.key),
            next_at=bindparam("moment"),
        )
    )
    with db.small_transactions(engine) as run:
        for name in "abc":
            run(ADD_LIMIT, limit(name))
        with pytest.raises(IntegrityError):
            run(rename, {"moment": MONDAY + timedelta(days=1)})
    with db.reading(engine) as session:
        assert {each.next_at for each in session.query(RateLimit)} == {MONDAY}


def test_a_small_transaction_on_a_locked_database_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("notifier.store.db.engine.BUSY_TIMEOUT_MS", 10)
    engine, other = (db.make_engine(f"sqlite:///{tmp_path / 'locked.db'}") for _ in range(2))
    db.upgrade(engine)
    with db.writing(other) as session, suppress(StoreError), db.small_transactions(engine) as run:
        session.connection()
        with pytest.raises(StoreError, match="locked by another program"):
            run(ADD_LIMIT, limit("good"))
    engine.dispose()
    other.dispose()


def test_small_transactions_wait_for_the_disk_every_50_milliseconds_only(engine: Engine):
    watching = Watching(INSERT_LIMIT)
    with db.small_transactions(engine) as run:
        run(watching, limit("first"))
        time.sleep(0.06)
        run(watching, limit("second"))
        run(watching, limit("third"))
    assert watching.waited == [False, True, False]


@pytest.mark.parametrize("failure", [None, ZeroDivisionError])
def test_after_small_transactions_every_commit_waits_for_the_disk_again(
    engine: Engine, failure: type[Exception] | None
):
    watching = Watching(INSERT_LIMIT)
    with suppress(ZeroDivisionError), db.small_transactions(engine) as run:
        run(watching, limit("first"))
        if failure is not None:
            raise failure
    with db.writing(engine) as session:
        assert waits(session.connection())
    assert watching.waited == [False]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1234])
def test_chunks_hold_all_values_in_order_and_500_at_most(count: int):
    chunks = list(db.in_chunks(number for number in range(count)))
    assert [number for chunk in chunks for number in chunk] == list(range(count))
    assert all(len(chunk) == 500 for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= 500 for chunk in chunks)


def test_the_size_of_a_chunk_can_be_chosen_and_is_at_least_one():
    assert list(db.in_chunks("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    with pytest.raises(ValueError, match="at least one"):
        list(db.in_chunks("abc", 0))


@pytest.mark.parametrize("work", [db.scrub, db.refresh_statistics], ids=lambda work: work.__name__)
def test_the_next_transaction_is_as_ever_after_work_outside_of_transactions(
    sqlite_engine: Engine, work: Callable[[Engine], None]
):
    work(sqlite_engine)
    with sqlite_engine.connect() as connection:
        assert connection.connection.driver_connection.isolation_level is None
