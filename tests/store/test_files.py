"""Files with links, keys or personal data are private; input files are regular and limited."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notifier.cli import shared
from notifier.cli.main import exit_code_of, run
from notifier.demo import story
from notifier.errors import InputError
from notifier.store import files
from tests.support.command_line import forget_settings
from tests.support.effort import measured

NOW = ["--now", "2026-03-02T09:00:00+00:00"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation and one subscriber, which is copied for each test."""
    folder = tmp_path_factory.mktemp("installed")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("NOTIFIER_")
    }
    for command in (
        ("init", "--no-poll", *NOW),
        ("subscribe", "anna@example.org", "--confirmed", *NOW),
    ):
        program = [sys.executable, "-m", "notifier", *command]
        subprocess.run(program, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def home(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The installation in a folder of its own; the umask lets everybody read new files."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shared, "_reported", set())
    for path in installed.iterdir():
        shutil.copy2(path, tmp_path)
    before = os.umask(0)
    yield tmp_path
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def others() -> dict[str, Callable[[Path], None]]:
    """Return what may already be at the path where a file is to be written."""

    def readable(path: Path) -> None:
        path.write_text("old")
        path.chmod(0o644)

    def writable(path: Path) -> None:
        path.write_text("old")
        path.chmod(0o666)

    def link(path: Path) -> None:
        target = path.with_name("target")
        target.write_text("somebody else's")
        target.chmod(0o644)
        path.symlink_to(target)

    def dangling(path: Path) -> None:
        path.symlink_to(path.with_name("nowhere"))

    def hard_link(path: Path) -> None:
        target = path.with_name("target")
        target.write_text("somebody else's")
        target.chmod(0o644)
        os.link(target, path)

    def link_to_folder(path: Path) -> None:
        path.with_name("folder").mkdir()
        path.symlink_to(path.with_name("folder"))

    return {
        "nothing": lambda _: None,
        "a file that all may read": readable,
        "a file that all may write": writable,
        "a link to another's file": link,
        "a link that leads nowhere": dangling,
        "another name of another's file": hard_link,
        "a link to a folder": link_to_folder,
    }


@pytest.mark.parametrize("before", others().values(), ids=others().keys())
@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777], ids=oct)
def test_a_private_file_is_readable_by_its_owner_only_whatever_was_there_before(
    tmp_path: Path, before: Callable[[Path], None], umask: int
):
    path = tmp_path / "list.csv"
    before(path)
    known = os.umask(umask)
    try:
        files.write_private(path, [b"anna@", b"example.org"])
    finally:
        os.umask(known)
    assert mode(path) == 0o600
    assert stat.S_ISREG(path.lstat().st_mode)
    assert path.read_bytes() == b"anna@example.org"
    if (target := tmp_path / "target").exists():
        assert target.read_text() == "somebody else's"
    assert not (tmp_path / "nowhere").exists()
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def no_files() -> dict[str, Callable[[Path], None]]:
    """Return what is not a file and must not be replaced by one."""

    def a_socket(path: Path) -> None:
        known = Path.cwd()
        os.chdir(path.parent)  # the names of sockets are short
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path.name)
        finally:
            os.chdir(known)

    return {"a folder": Path.mkdir, "a pipe": os.mkfifo, "a socket": a_socket}


@pytest.mark.parametrize("before", no_files().values(), ids=no_files().keys())
def test_a_folder_a_pipe_and_a_socket_are_not_replaced(
    tmp_path: Path, before: Callable[[Path], None]
):
    path = tmp_path / "list.csv"
    before(path)
    kind = stat.S_IFMT(path.lstat().st_mode)
    with pytest.raises(InputError, match="cannot be written") as error:
        files.write_private(path, b"x")
    assert exit_code_of(error.value) == 2
    assert stat.S_IFMT(path.lstat().st_mode) == kind
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/dev/null",
        "/dev/stdout",
        "/dev/fd/1",
        "/proc/self/fd/1",
        "/dev/new-file",
        "/proc/new-file",
        "/dev/zero",
        "/sys/x",
    ],
)
def test_nothing_is_replaced_in_folders_of_devices(path: str):
    existed = os.path.lexists(path)
    with pytest.raises(InputError, match="cannot be written"):
        files.write_private(Path(path), b"x")
    assert os.path.lexists(path) == existed


def test_nobody_sees_a_part_of_a_file_or_can_open_it_while_it_is_written(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("old")
    seen = []

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            seen.append([(file.name == "list.csv", mode(file)) for file in tmp_path.iterdir()])
            assert path.read_text() == "old"
            yield b"new"

    files.write_private(path, pieces())
    assert path.read_text() == "newnewnew"
    assert {rights for names in seen for is_old, rights in names if not is_old} == {0o600}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_private(path, pieces())
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("list.csv", "old")]


@pytest.mark.parametrize("before", others().values(), ids=others().keys())
def test_an_exported_list_is_readable_by_its_owner_only(home: Path, before: Callable[[Path], None]):
    before(home / "list.csv")
    assert run(["subscribers", "export", "--out", "list.csv"]) == 0
    assert mode(home / "list.csv") == 0o600
    assert "anna@example.org" in (home / "list.csv").read_text()
    if (target := home / "target").exists():
        assert target.read_text() == "somebody else's"


@pytest.mark.parametrize("name", ["digest.html", "digest.txt", "digest.eml"])
@pytest.mark.parametrize("before", others().values(), ids=others().keys())
def test_a_preview_with_links_of_a_person_is_readable_by_its_owner_only(
    home: Path, monkeypatch: pytest.MonkeyPatch, before: Callable[[Path], None], name: str
):
    class Shown:
        subject, text, html, message, profile = "x", "a link", "a link", b"a link", "frexalimab"

    monkeypatch.setattr("notifier.admin.preview.preview", lambda *_: Shown())
    (home / "out").mkdir()
    before(home / "out" / name)
    assert run(["preview", "--to", "anna@example.org", "--out", "out"]) == 0
    for written in ("digest.html", "digest.txt", "digest.eml"):
        assert mode(home / "out" / written) == 0o600
        assert stat.S_ISREG((home / "out" / written).lstat().st_mode)
    if (target := home / "out" / "target").exists():
        assert target.read_text() == "somebody else's"


def test_a_preview_creates_a_folder_that_only_its_owner_can_open(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    class Shown:
        subject, text, html, message, profile = "x", "a link", "a link", b"a link", "frexalimab"

    monkeypatch.setattr("notifier.admin.preview.preview", lambda *_: Shown())
    assert run(["preview", "--out", "new/deep"]) == 0
    assert mode(home / "new" / "deep") == 0o700
    (home / "file").write_text("x")
    assert run(["preview", "--out", "file"]) == 2
    assert run(["preview", "--out", "file/below"]) == 2


def test_files_of_init_and_dkim_are_readable_by_their_owner_only(home: Path):
    assert run(["dkim", "--domain", "example.org"]) == 0
    made = {path.name: mode(path) for path in home.iterdir()}
    assert {"notifier.toml", "subscribers.db", "dkim-notifier-rsa.pem"} <= set(made)
    assert set(made.values()) == {0o600}


@pytest.mark.parametrize("before", list(others().values())[1:], ids=list(others())[1:])
def test_a_new_key_never_replaces_a_file(home: Path, before: Callable[[Path], None]):
    path = home / "dkim-notifier-rsa.pem"
    before(path)
    kept = path.readlink() if path.is_symlink() else path.read_bytes()
    assert run(["dkim", "--domain", "example.org"]) == 2
    assert (path.readlink() if path.is_symlink() else path.read_bytes()) == kept
    assert not (home / "nowhere").exists()


def test_the_files_beside_a_database_are_readable_by_their_owner_only(home: Path):
    from notifier.store import db

    engine = db.make_engine(f"sqlite:///{home / 'subscribers.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE installation SET salt = salt")
        connection.commit()
        beside = {path.name: mode(path) for path in home.glob("subscribers.db*")}
    engine.dispose()
    journal = "subscribers.db.departures"
    assert set(beside) == {"subscribers.db", "subscribers.db-wal", "subscribers.db-shm", journal}
    assert set(beside.values()) == {0o600}


def test_all_files_of_the_demo_are_readable_by_their_owner_only(tmp_path: Path):
    known = os.umask(0)
    try:
        story.run(tmp_path / "out")
    finally:
        os.umask(known)
    made = {path: mode(path) for path in (tmp_path / "out").rglob("*")}
    assert {rights for path, rights in made.items() if path.is_file()} == {0o600}
    assert mode(tmp_path / "out") == mode(tmp_path / "out" / "mails") == 0o700


def test_the_demo_does_not_follow_links_out_of_its_folder(tmp_path: Path):
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "letter").write_text("mine")
    (folder / "notifier.toml").write_text(story._MARK)
    (folder / "mails").symlink_to(elsewhere)
    (folder / "subscribers.db").symlink_to(elsewhere / "letter")
    story._clear(folder)
    assert (elsewhere / "letter").read_text() == "mine"
    assert [path.name for path in elsewhere.iterdir()] == ["letter"]
    assert not (folder / "mails").is_symlink()


def demo_folders() -> dict[str, Callable[[Path], None]]:
    def pipe(folder: Path) -> None:
        folder.mkdir()
        os.mkfifo(folder / "notifier.toml")

    def large(folder: Path) -> None:
        folder.mkdir()
        (folder / "notifier.toml").write_bytes(story._MARK.encode() + b"x" * 1_000_000)

    def bytes_only(folder: Path) -> None:
        folder.mkdir()
        (folder / "notifier.toml").write_bytes(b"\xff\xfe")

    def below_a_file(folder: Path) -> None:
        folder.write_text("mine")

    return {
        "a pipe": pipe,
        "a large file": large,
        "no text": bytes_only,
        "a file for a folder": below_a_file,
    }


@pytest.mark.parametrize("before", demo_folders().values(), ids=demo_folders().keys())
def test_the_demo_refuses_a_folder_that_is_not_its_own(
    tmp_path: Path, before: Callable[[Path], None]
):
    before(tmp_path / "out")
    with pytest.raises(InputError, match=r"not the demo's|cannot be used"):
        story._clear(tmp_path / "out")


def test_the_demo_without_its_mail_server_says_what_to_install_and_touches_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    assert run(["demo", "--out", "out"]) == 2
    words = capsys.readouterr().err
    assert "notifier[demo]" in words
    assert "pip install 'aiosmtpd" in words
    assert not (home / "out").exists()


# What others may read

READABLE = ["notifier.toml", "subscribers.db", "key.pem", "more.pem"]


@pytest.fixture
def signing(home: Path) -> Path:
    """The same with two signing keys."""
    with (home / "notifier.toml").open("a") as file:
        file.write('\n[dkim]\ndomain = "example.org"\nprivate_key_file = "key.pem"\n')
        file.write('[[dkim.also]]\nselector = "b"\nprivate_key_file = "more.pem"\n')
    for name in ("key.pem", "more.pem"):
        (home / name).touch(0o600)
    return home


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("rights", [0o604, 0o602, 0o601, 0o644, 0o666, 0o777], ids=oct)
def test_a_file_that_everybody_may_open_is_reported_with_the_fix(
    signing: Path, capsys: pytest.CaptureFixture, name: str, rights: int
):
    (signing / name).chmod(rights)
    capsys.readouterr()
    assert run(["sources", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    json.loads(out)
    (line,) = err.splitlines()
    assert line.startswith("Warning: ")
    listed, _, fix = line.partition(". To end that: ")
    assert listed.endswith(name)
    subprocess.run(["sh", "-c", fix], check=True)
    assert mode(signing / name) == rights & 0o770
    assert run(["sources", "list", "--json"]) == 0
    assert capsys.readouterr().err == ""  # once a process


@pytest.mark.parametrize("rights", [0o600, 0o400, 0o640, 0o660, 0o700, 0o770], ids=oct)
def test_a_file_that_is_closed_to_others_is_not_reported(
    signing: Path, capsys: pytest.CaptureFixture, rights: int
):
    for name in READABLE:
        (signing / name).chmod(rights)
    capsys.readouterr()
    assert run(["sources", "list", "--json"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["run --once", "poll", "preview", "subscribers list", "init"])
def test_every_command_that_opens_the_database_reports_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, command: str
):
    (home / "subscribers.db").chmod(0o644)
    monkeypatch.setattr("notifier.pipeline.poll.run", lambda *_, **__: [])
    run(command.split())
    assert "every user of this machine may open" in capsys.readouterr().err


def test_the_fix_can_be_pasted_whatever_the_folder_is_called(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    folder = home / "a b; touch x"
    folder.mkdir()
    for name in ("notifier.toml", "subscribers.db"):
        (home / name).rename(folder / name)
        (folder / name).chmod(0o644)
    monkeypatch.setenv("NOTIFIER_CONFIG", str(folder / "notifier.toml"))
    assert run(["sources", "list"]) == 0
    _, _, fix = capsys.readouterr().err.partition("To end that: ")
    subprocess.run(["sh", "-c", fix], check=True)
    assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
        ("notifier.toml", "subscribers.db"), 0o640
    )
    assert not (home / "x").exists()


# What is read

COMMANDS = {
    "explain --body": ("explain", "--body", "{}"),
    "profiles import": ("profiles", "import", "{}"),
    "evaluate": ("evaluate", "{}"),
    "sources import": ("sources", "import", "{}"),
    "subscribers import": ("subscribers", "import", "{}"),
    "subscribers import of JSON Lines": ("subscribers", "import", "{}.jsonl"),
}


def inputs() -> dict[str, Callable[[Path], None]]:
    """Return what may be named instead of a regular file of a sensible size."""

    def huge(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(5_000_000_000)

    def link(to: str) -> Callable[[Path], None]:
        return lambda path: path.symlink_to(to)

    def pipe_with_a_writer(path: Path) -> None:
        os.mkfifo(path)
        threading.Thread(
            target=lambda: os.open(path, os.O_RDWR) and time.sleep(1), daemon=True
        ).start()
        time.sleep(0.05)

    return {
        "a pipe that nobody writes to": os.mkfifo,
        "a pipe with a silent writer": pipe_with_a_writer,
        "a folder": Path.mkdir,
        "nothing": lambda _: None,
        "a link to itself": lambda path: path.symlink_to(path),
        "a device without an end": link("/dev/zero"),
        "a device of chance": link("/dev/urandom"),
        "an empty device": link("/dev/null"),
        "a terminal": link("/dev/tty"),
        "five gigabytes": huge,
    }


@pytest.mark.parametrize("before", inputs().values(), ids=inputs().keys())
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_an_input_that_is_not_a_regular_file_is_refused_at_once_with_a_message(
    home: Path,
    capsys: pytest.CaptureFixture,
    command: tuple[str, ...],
    before: Callable[[Path], None],
):
    path = home / f"input{'.jsonl' if command[-1].endswith('.jsonl') else ''}"
    before(path)
    capsys.readouterr()
    with measured() as effort:
        assert run([part.format("input") for part in command]) == 2
    assert effort.elapsed < 5
    words = capsys.readouterr().err
    assert "Traceback" not in words
    assert words.startswith("Error: input")
    assert len(words) < 500


def contents() -> dict[str, bytes]:
    """Return contents that have none of the expected formats."""
    return {
        "bytes of chance": bytes(range(256)) * 400,
        "zeros": bytes(100_000),
        "a program": b"\x7fELF\x02\x01\x01" + bytes(5_000),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        "nothing": b"",
        "one long line": b"x" * 900_000,
        "brackets": b"[" * 900_000,
        "opened tables": b"[" + b"a." * 200_000 + b"a]\n",
        "a long number": b"x = " + b"1" * 100_000,
        "half a character": "title = ü".encode()[:-1],
        "UTF-16": "email\nanna@example.org".encode("utf-16"),
        "entities": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><opml>&a;&a;</opml>',
        "an outside entity": (
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>'
        ),
        "nested elements": b"<opml>" + b"<outline>" * 100_000,
    }


@pytest.mark.parametrize("content", contents().values(), ids=contents().keys())
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_an_input_of_another_format_is_refused_in_bounded_time_with_a_message(
    home: Path, capsys: pytest.CaptureFixture, command: tuple[str, ...], content: bytes
):
    path = home / f"input{'.jsonl' if command[-1].endswith('.jsonl') else ''}"
    path.write_bytes(content)
    capsys.readouterr()
    with measured() as effort:
        assert run([part.format("input") for part in command]) in (0, 1, 2)
    assert effort.elapsed < 10
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert "root:" not in out + err
    assert len(err) < 1000


@pytest.mark.parametrize("size", [1_000_001, 50_000_000])
def test_standard_input_is_read_up_to_a_limit(home: Path, size: int):
    done = subprocess.run(
        [sys.executable, "-m", "notifier", "explain", "--body", "-"],
        input=b"x" * size,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert b"more than 1,000,000 bytes" in done.stderr
