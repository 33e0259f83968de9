"""A backup holds the whole database of one moment, is checked, and never replaces by surprise."""

import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from notifier.admin import backup
from notifier.deps import Deps
from notifier.errors import InputError, NotifierError, StoreError
from notifier.pipeline import compose, deliver
from notifier.store import backup_state, checksums
from tests.support import postgres_programs
from tests.support.installation import MONDAY, Installation, settings_for


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    postgres_programs.provide(monkeypatch)


def backed_up(installation: Installation, file: Path, **options) -> backup.Backup:
    return backup.make(installation.at(MONDAY), file, **options)


def test_a_backup_holds_everything_for_its_owner_alone(
    any_installation: Installation, tmp_path: Path
):
    any_installation.subscribe("anna@example.org")
    any_installation.subscribe("ben@example.org")
    made = backed_up(any_installation, tmp_path / "monday.backup")
    assert made.contents.subscriptions == 2
    assert made.contents.database == any_installation.at(MONDAY).engine.dialect.name
    assert backup.check(made.file) == made.contents
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert checksums.path_of(made.file).stat().st_mode & 0o777 == 0o600
    with any_installation.at(MONDAY).reading() as session:
        last = backup_state.last_backup(session)
    assert last == backup_state.LastBackup(MONDAY, str(made.file))


def test_a_backup_leaves_nothing_else_in_its_folder(any_installation: Installation, tmp_path: Path):
    folder = tmp_path / "backups"
    folder.mkdir()
    backed_up(any_installation, folder / "monday.backup")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["monday.backup", "monday.backup.sha256"]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_its_checksum_is_one_that_sha256sum_reads(installation: Installation, tmp_path: Path):
    backed_up(installation, tmp_path / "monday.backup")
    command = ["sha256sum", "--strict", "-c", "monday.backup.sha256"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("taken", "exists"),
        ("nowhere/new", "no folder"),
        ("folder", "not a regular file"),
        ("link", "not a regular file"),
        ("subscribers.db", "the database itself"),
        ("subscribers.db-wal", "the database itself"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_and_kept(
    installation: Installation, tmp_path: Path, name: str, reason: str
):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "taken")
    force = name != "taken"
    with pytest.raises(InputError, match=reason) as refused:
        backed_up(installation, tmp_path / name, force=force)
    assert "Nothing was changed" in refused.value.fix
    assert (tmp_path / "taken").read_text() == "mine"


def test_force_replaces_an_older_backup_and_its_checksum(
    installation: Installation, tmp_path: Path
):
    file = tmp_path / "daily.backup"
    backed_up(installation, file)
    installation.subscribe("anna@example.org")
    backed_up(installation, file, force=True)
    assert backup.check(file).subscriptions == 1
    assert len(checksums.stored(file)) == 1


def test_while_a_backup_is_replaced_each_of_the_two_is_whole(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "daily.backup"
    backed_up(installation, file)
    installation.subscribe("anna@example.org")
    seen = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        if target == file:
            seen.append(backup.check(file).subscriptions)
            replace(path, target)
            seen.append(backup.check(file).subscriptions)
            return target
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    backed_up(installation, file, force=True)
    assert seen == [0, 1]


def test_a_disk_that_is_full_leaves_no_file(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_args) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr(checksums, "store", fails)
    with pytest.raises(StoreError, match="No space left") as refused:
        backed_up(installation, folder / "monday.backup")
    assert "Make room" in refused.value.fix
    assert list(folder.iterdir()) == []


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(255 - byte for byte in content[middle : middle + 64])
        + (content[middle + 64 :])
    )


@pytest.mark.parametrize("has_checksum", [True, False], ids=["with checksum", "without"])
@pytest.mark.parametrize(
    "damage", [damaged, lambda content: content[: len(content) // 2]], ids=["changed", "cut off"]
)
def test_a_damaged_backup_is_refused(
    any_installation: Installation, tmp_path: Path, damage, has_checksum: bool
):
    for number in range(50):
        any_installation.subscribe(f"person{number}@example.org")
    file = backed_up(any_installation, tmp_path / "monday.backup").file
    file.write_bytes(damage(file.read_bytes()))
    if not has_checksum:
        checksums.path_of(file).unlink()
        if damage is damaged and any_installation.at(MONDAY).engine.dialect.name == "sqlite":
            pytest.skip("a changed text is found by the checksum alone")
    with pytest.raises(InputError) as refused:
        backup.check(file)
    assert "Nothing was changed" in refused.value.fix


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no backup"),
        (b"Dear all,\n", "is no backup"),
        (b"PGDMP nonsense", "cannot be read as a dump"),
        (b"SQLite format 3\0 nonsense", "damaged|another program"),
    ],
)
def test_what_is_no_backup_is_called_so(tmp_path: Path, content: bytes, reason: str):
    file = tmp_path / "letter"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        backup.check(file)


def test_the_database_of_another_program_is_called_so(tmp_path: Path):
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE recipe (name TEXT)")
    with pytest.raises(InputError, match="another program"):
        backup.check(file)


def test_a_copy_without_its_log_is_refused(installation: Installation, tmp_path: Path):
    file = backed_up(installation, tmp_path / "monday.backup").file
    file.with_name("monday.backup-wal").write_bytes(b"pages")
    with pytest.raises(InputError, match="not complete without the log"):
        backup.check(file)


def test_a_file_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="no file"):
        backup.check(tmp_path / "away")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuses(*_args) -> None:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "monday.backup"
    file.touch()
    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        backup.check(file)


def test_a_missing_pg_dump_is_named_with_its_package(
    any_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if any_installation.at(MONDAY).engine.dialect.name == "sqlite":
        pytest.skip("SQLite needs no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotifierError, match="pg_dump is not installed") as refused:
        backed_up(any_installation, tmp_path / "monday.backup")
    assert "postgresql-client" in refused.value.fix
    assert not (tmp_path / "monday.backup").exists()


def test_backups_during_sending_are_whole_and_keep_no_mail_waiting(
    any_installation: Installation, tmp_path: Path
):
    """Each of them is of one moment: what it calls sent is sent, and the rest waits in it."""
    due = any_installation.discover(60)
    compose.run(any_installation.at(due))
    ended = threading.Event()
    made: list[backup.Backup] = []

    def back_up() -> None:
        while not ended.is_set() or not made:
            made.append(backed_up(any_installation, tmp_path / f"{len(made)}.backup"))

    other = threading.Thread(target=back_up)
    other.start()
    sent = deliver.run(any_installation.at(due))
    ended.set()
    other.join()
    assert not sent.problem
    assert len(any_installation.sink.messages) == 60
    for each in made:
        assert backup.check(each.file).subscriptions == 60


def test_an_older_schema_is_backed_up_as_it_is(sqlite_engine, tmp_path: Path):
    """Before an upgrade, too: a backup changes no schema."""
    with sqlite_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0014'"))
    made = backup.make(Deps(settings_for(25), sqlite_engine, MONDAY), tmp_path / "before.backup")
    assert made.contents.schema == "0014"


def test_what_a_killed_backup_left_is_removed_a_day_later(
    installation: Installation, tmp_path: Path
):
    left = tmp_path / ".daily.backup.00ff.new"
    left.touch()
    moment = MONDAY.fromtimestamp(left.stat().st_mtime, tz=MONDAY.tzinfo)
    file = tmp_path / "daily.backup"
    backup.make(installation.at(moment + timedelta(hours=23)), file)
    assert left.exists()
    backup.make(installation.at(moment + timedelta(hours=25)), file, force=True)
    assert not left.exists()
