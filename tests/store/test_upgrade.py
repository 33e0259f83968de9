"""Upgrades of the schema: beside workers that run, after a copy on SQLite, refused with the fix."""

import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from notifier.errors import StoreError
from notifier.store import db
from notifier.store.db import backups, schema

BEFORE = "0007"


def at_an_older_schema(engine: Engine) -> Engine:
    """Take the schema back, as an older version left it."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
        connection.commit()
        connection.invalidate()
    return engine


@pytest.fixture
def old(engine: Engine) -> Engine:
    return at_an_older_schema(engine)


@pytest.fixture
def old_file(sqlite_engine: Engine) -> Engine:
    return at_an_older_schema(sqlite_engine)


def copies(engine: Engine) -> list[Path]:
    return sorted(Path(engine.url.database).parent.glob("*.backup*"))


def test_sqlite_is_copied_before_its_schema_changes_for_its_owner_alone(
    old_file: Engine, caplog: pytest.LogCaptureFixture
):
    assert db.upgrade(old_file) is True
    (copy,) = copies(old_file)
    assert copy.name == f"subscribers.db.{BEFORE}.backup"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (BEFORE,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert str(copy) in caplog.text
    assert "7 days" in caplog.text


def test_a_new_database_and_a_current_one_are_not_copied(tmp_path: Path, sqlite_engine: Engine):
    made = db.make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert db.upgrade(made) is True
    made.dispose()
    assert db.upgrade(sqlite_engine) is False
    assert copies(sqlite_engine) == []


def test_without_a_copy_nothing_is_upgraded(old_file: Engine, monkeypatch: pytest.MonkeyPatch):
    def fails(*_args) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.os, "open", fails)
    with pytest.raises(StoreError, match="cannot be written") as refused:
        db.upgrade(old_file)
    assert "Make room" in refused.value.fix
    monkeypatch.undo()
    assert db.migrations(old_file)[0] == BEFORE
    assert copies(old_file) == []


def test_a_copy_is_deleted_after_a_week_and_when_somebody_is_erased(old_file: Engine):
    db.upgrade(old_file)
    now = datetime.now(UTC)  # noqa: TID251 - files bear the time of the machine
    backups.forget_old(old_file, now + timedelta(days=6))
    assert len(copies(old_file)) == 1
    backups.forget_old(old_file, now + timedelta(days=8))
    assert copies(old_file) == []
    backups.write(old_file, BEFORE)
    db.scrub(old_file)
    assert copies(old_file) == []


def test_files_of_others_are_no_copies(sqlite_engine: Engine):
    folder = Path(sqlite_engine.url.database).parent
    others = [folder / "other.db.0007.backup", folder / "subscribers.db.txt"]
    for other in others:
        other.touch()
    backups.forget(sqlite_engine)
    assert all(other.exists() for other in others)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_upgrade_waits_for_a_table_without_blocking_it_and_goes_on_when_it_is_free(
    old: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(schema, "_BETWEEN_ATTEMPTS", 0.1)
    with old.connect() as reader:
        reader.execute(text("SELECT count(*) FROM delivery"))
        upgrading = threading.Thread(target=db.upgrade, args=(old,))
        upgrading.start()
        while "waits for a table" not in caplog.text and upgrading.is_alive():
            time.sleep(0.01)
    upgrading.join()
    assert "waits for a table" in caplog.text
    assert db.migrations(old) == (db.newest_migration(), db.newest_migration())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_upgrade_that_gets_no_table_changes_nothing_and_says_what_to_do(
    old: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(schema, "_BETWEEN_ATTEMPTS", 0.0)
    monkeypatch.setattr(schema, "_ATTEMPTS", 2)
    with old.connect() as reader:
        reader.execute(text("SELECT count(*) FROM delivery"))
        with pytest.raises(StoreError, match="keeps a table locked") as refused:
            db.upgrade(old)
    assert "notifier db upgrade" in refused.value.fix
    assert db.migrations(old)[0] == BEFORE
    assert db.upgrade(old) is True


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_upgrade_by_another_process_that_does_not_end_is_reported(
    old: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(schema, "_LONGEST_UPGRADE", 0.3)
    monkeypatch.setattr(schema, "_TOLD_AFTER", 0.0)
    with (
        old.connect() as other,
        other.begin(),
    ):
        other.execute(text(f"SELECT pg_advisory_xact_lock({schema._UPGRADE_LOCK})"))
        with pytest.raises(StoreError, match="Another process") as refused:
            db.upgrade(old)
    assert "Nothing was changed" in refused.value.fix
    assert "waits for it" in caplog.text
    assert db.upgrade(old) is True


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_upgrade_that_fails_half_way_leaves_the_schema_as_it_was(
    old: Engine, monkeypatch: pytest.MonkeyPatch
):
    upgrade = command.upgrade

    def fails(config, revision) -> None:
        upgrade(config, revision)
        raise RuntimeError("killed here")

    monkeypatch.setattr(command, "upgrade", fails)
    with pytest.raises(RuntimeError):
        db.upgrade(old)
    monkeypatch.undo()
    assert db.migrations(old)[0] == BEFORE
    assert db.upgrade(old) is True


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_server_older_than_13_is_refused_with_its_version(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine.dialect, "server_version_info", (12, 22))
    with pytest.raises(StoreError, match=r"version 12\.22; notifier needs 13") as refused:
        db.upgrade(engine)
    assert "Upgrade the server" in refused.value.fix


def test_a_user_who_may_make_no_tables_is_told_what_to_grant(postgres_server: str):
    name = f"reader_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name, drivername="postgresql+psycopg")
    with psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    engine = db.make_engine(url.set(username=name).render_as_string(hide_password=False))
    try:
        with pytest.raises(StoreError, match="permission denied") as refused:
            db.upgrade(engine)
        assert f"GRANT CREATE, USAGE ON SCHEMA public TO {name}" in refused.value.fix
    finally:
        engine.dispose()
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"DROP ROLE {name}")


def test_a_schema_that_became_a_newer_ones_is_refused(engine: Engine):
    db.require_known_schema(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer notifier"):
        db.require_known_schema(engine)
