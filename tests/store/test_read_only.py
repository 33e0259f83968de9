"""A database that may only be read is named as such, with its owner and the user who asks."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifier.deps import Deps, from_settings
from notifier.errors import StoreError
from notifier.settings import Settings
from notifier.store import db, heartbeat
from tests.support.installation import MONDAY, SUPPRESSION_KEY

NOBODY, NAMELESS = 65534, 54321


def open_and_write(database: Path | str) -> None:
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    settings = Settings(database_url=url, suppression_key=SUPPRESSION_KEY, secret_key="s" * 30)
    write(from_settings(settings, MONDAY, create=False))


def write(deps: Deps) -> None:
    try:
        with deps.writing() as session:
            heartbeat.beat(session, MONDAY)
    finally:
        deps.engine.dispose()


@contextmanager
def somebody_else(number: int = NOBODY) -> Iterator[None]:
    """Act as another user, if the tests run as root; else as oneself."""
    if os.geteuid():
        yield
        return
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def folder(tmp_path: Path, upgraded: Path) -> Iterator[Path]:
    """A folder with a database that others can reach."""
    db_folder = tmp_path / "var"
    db_folder.mkdir()
    shutil.copy(upgraded, db_folder / "subscribers.db")
    for parent in [*tmp_path.parents][:-2]:
        if parent.stat().st_uid == os.getuid() and parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    yield db_folder
    db_folder.chmod(0o755)


MODES = {
    "a file that others read": (0o444, 0o755),
    "a file of its owner": (0o400, 0o755),
    "a folder that others write": (0o444, 0o777),
    "a folder that nobody enters": (0o400, 0o600),
}


@pytest.mark.parametrize(("file_mode", "folder_mode"), MODES.values(), ids=MODES)
def test_a_file_of_another_user_is_named_with_both_users(
    folder: Path, file_mode: int, folder_mode: int
):
    path = folder / "subscribers.db"
    path.chmod(file_mode)
    folder.chmod(folder_mode)
    with somebody_else():
        user = pwd.getpwuid(os.geteuid()).pw_name
        with pytest.raises(StoreError) as refused:
            open_and_write(path)
    folder.chmod(0o755)
    assert f"{path} is read-only for " in refused.value.problem
    assert user in refused.value.problem
    assert f"{path}*" in refused.value.fix
    if not os.geteuid():
        assert refused.value.problem.endswith("belongs to root.")
        assert "sudo -u root" in refused.value.fix


def test_a_user_without_a_name_is_named_by_the_number(folder: Path, monkeypatch):
    path = folder / "subscribers.db"
    path.chmod(0o400)
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    with somebody_else(NAMELESS):
        number = str(os.geteuid())
        monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])
        with pytest.raises(StoreError) as refused:
            open_and_write(path)
    assert number in refused.value.problem


def test_a_file_that_is_opened_read_only_is_named_as_such(folder: Path):
    path = folder / "subscribers.db"
    with pytest.raises(StoreError, match="is read-only") as refused:
        write(Deps(Settings(), db.make_engine(f"sqlite:///file:{path}?mode=ro&uri=true"), MONDAY))
    assert "mode=ro" in refused.value.fix


def test_a_server_that_only_reads_is_named_with_its_user_and_without_a_password(
    postgres_url: str,
):
    made = db.make_engine(postgres_url)
    db.upgrade(made)
    made.dispose()
    join = "&" if "?" in postgres_url else "?"
    url = f"{postgres_url}{join}options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(StoreError, match="read-only for its user") as refused:
        write(Deps(Settings(), db.make_engine(url), MONDAY))
    assert "primary server" in refused.value.fix
