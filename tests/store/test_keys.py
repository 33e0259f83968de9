"""`suppression_key`: `init` adds it, every command needs it, a database keeps the first one."""

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine, select, update

from notifier.cli.main import app, exit_code_of
from notifier.cli.settings_file import completed
from notifier.cli.starter import starter_file
from notifier.enums import Cadence, SuppressionCause
from notifier.errors import InputError, SettingsError
from notifier.match import profiles
from notifier.store import db, keys
from notifier.store.models import Installation, Subscriber, Suppression
from notifier.subscribers import subscriptions, suppressions
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import Schedule
from tests.support.command_line import call, forget_settings
from tests.support.installation import MONDAY

KEY = "a suppression key of the tests"
# A program that gives a database its key; arguments: URL, key.
ADOPT = (
    "import sys; from notifier.store import db, keys;"
    " keys.adopt(db.make_engine(sys.argv[1]), sys.argv[2])"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without settings from outside."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def made_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that `init` makes."""
    with pytest.MonkeyPatch.context() as patched:
        forget_settings(patched)
        patched.chdir(tmp_path_factory.mktemp("made"))
        assert call("init", "--no-poll") == 0
        return Path("subscribers.db").resolve()


FILES = {
    "an empty file": "",
    "a comment": "# ours\n",
    "keys and tables": (
        'public_url = "https://news.example.org"\n\n# who writes\n[sender]\nname = "x"\n'
    ),
    "tables only": '[sender]\nname = "x"\n',
    "a table after a comment": '# who writes\n[sender]\nname = "x"\n',
    "Windows line ends": (
        '# ours\r\npublic_url = "https://news.example.org"\r\n\r\n[sender]\r\nname = "x"\r\n'
    ),
    "no end of the last line": 'public_url = "https://news.example.org"',
    "no end of the last line of a table": '[sender]\nname = "x"',
    "what looks like a table in a text": '[sender]\npostal_address = """\n[Example Street]\n"""\n',
    "what looks like a table in a first text": (
        'secret_key = """\n[x] 16 letters at least\n"""\n[sender]\nname = "x"\n'
    ),
    "a key in quotation marks": '"secret_key" = "1234567890123456"\n[smtp]\nport = 25\n',
    "a table of tables": '[[dkim.also]]\nselector = "a"\nprivate_key_file = "a.pem"\n',
    "an inline table": 'sender = { name = "x" }\n',
    "an indented table": '  [sender]\n  name = "x"\n',
    "a dotted key": 'sender.name = "x"\n',
    "a key that says nothing yet": 'suppression_key = ""\n[sender]\nname = "x"\n',
    "a key that says nothing, with a comment": "[smtp]\nport = 25 # suppression_key = ''\n",
}


CONTENTS = [
    pytest.param(text, id=name, marks=pytest.mark.long if place % 3 else ())
    for place, (name, text) in enumerate(FILES.items())
]


@pytest.mark.parametrize("content", CONTENTS)
def test_init_adds_the_key_and_changes_nothing_else(
    home: Path, content: str, capsys: pytest.CaptureFixture
):
    path = home / "notifier.toml"
    path.write_bytes(content.encode())
    assert call("init", "--no-poll") == 0
    assert "Added suppression_key" in capsys.readouterr().out
    now = path.read_bytes().decode()
    given, before = tomllib.loads(now), tomllib.loads(content)
    assert len(given.pop("suppression_key")) >= 32
    if "secret_key" not in before:
        assert len(given.pop("secret_key")) >= 32
    assert given == {name: value for name, value in before.items() if name != "suppression_key"}
    added_keys = re.compile(r"(?m)^(suppression_key|secret_key) = \"[\w-]{43}\"|suppression_key =")
    others = [line for line in now.splitlines(keepends=True) if not added_keys.search(line)]
    kept = [line for line in content.splitlines(keepends=True) if not added_keys.search(line)]
    assert [line.rstrip() for line in others] == [
        line.rstrip() for line in kept if line.strip() or line in others
    ]
    assert ("\r\n" in now) == ("\r\n" in content)
    assert "\r\r" not in now
    assert now.count("\n") - now.count("\r\n") == 0 or "\r\n" not in content
    added = path.read_bytes()
    assert call("init", "--no-poll") == 0
    assert path.read_bytes() == added


def test_init_makes_the_key_of_a_new_installation(home: Path):
    assert call("init", "--no-poll") == 0
    given = tomllib.loads((home / "notifier.toml").read_text())
    assert len(given["suppression_key"]) >= 32
    assert given["suppression_key"] != given["secret_key"]
    assert given["suppression_key"] not in starter_file()


def test_init_adds_the_key_to_the_file_that_is_named(home: Path):
    (home / "elsewhere").mkdir()
    path = home / "elsewhere" / "x.toml"
    path.write_text('[sender]\nname = "x"\n')
    assert call("init", "--no-poll", "--config", str(path)) == 0
    assert "suppression_key" in path.read_text()
    assert not (home / "notifier.toml").exists()


def test_init_writes_nothing_where_the_key_is_in_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    path = home / "notifier.toml"
    path.write_text('[sender]\nname = "x"\n')
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", KEY)
    monkeypatch.setenv("NOTIFIER_SECRET_KEY", "another key of the tests")
    assert call("init", "--no-poll") == 0
    assert path.read_text() == '[sender]\nname = "x"\n'


def test_an_empty_variable_does_not_make_init_add_a_second_key(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    path = home / "notifier.toml"
    path.write_text(f'suppression_key = "{KEY}"\n')
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", "")
    assert call("init", "--no-poll") == 2
    assert "NOTIFIER_SUPPRESSION_KEY is empty" in capsys.readouterr().err
    assert path.read_text() == f'suppression_key = "{KEY}"\n'


def test_init_leaves_owner_group_and_link_of_the_settings_as_they_are(home: Path):
    real = home / "etc" / "real.toml"
    real.parent.mkdir()
    real.write_text('[sender]\nname = "x"\n')
    real.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(real, 12345, 54321)
    before = real.stat()
    (home / "notifier.toml").symlink_to(real)
    assert call("init", "--no-poll") == 0
    assert (home / "notifier.toml").is_symlink()
    assert "suppression_key" in real.read_text()
    assert (real.stat().st_mode, real.stat().st_uid, real.stat().st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip
    assert sorted(path.name for path in real.parent.iterdir()) == ["real.toml"]


def test_settings_that_init_completes_are_closed_to_others(home: Path):
    (home / "notifier.toml").write_text("# ours\n")
    (home / "notifier.toml").chmod(0o666)
    assert call("init", "--no-poll") == 0
    assert (home / "notifier.toml").stat().st_mode & 0o007 == 0


def test_settings_that_cannot_be_written_are_refused_with_the_fix(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    path = home / "notifier.toml"
    path.write_text("# ours\n")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("notifier.store.files.rewrite_settings", denied)
    assert call("init", "--no-poll") == 2
    words = capsys.readouterr().err
    assert "Permission denied" in words
    assert "as the owner" in words
    assert "NOTIFIER_SUPPRESSION_KEY" in words
    assert path.read_text() == "# ours\n"


@pytest.mark.long
def test_two_inits_at_once_add_one_key(home: Path):
    (home / "notifier.toml").write_text("# ours\n")
    command = [sys.executable, "-m", "notifier", "init", "--no-poll"]
    running = [
        subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert (home / "notifier.toml").read_text().count("suppression_key") == 1


def test_init_makes_no_second_key_for_a_database_that_has_one(
    home: Path, capsys: pytest.CaptureFixture
):
    assert call("init", "--no-poll") == 0
    path = home / "notifier.toml"
    path.write_text(
        "".join(line for line in path.read_text().splitlines(True) if "suppression_key" not in line)
    )
    without = path.read_text()
    assert call("init", "--no-poll") == 2
    assert "backup of the settings" in capsys.readouterr().err
    assert path.read_text() == without


def test_a_key_that_cannot_be_placed_is_refused_with_another_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("notifier.cli.settings_file._candidates", lambda text, *_: iter([text]))
    with pytest.raises(InputError, match="cannot be added") as error:
        completed('[sender]\nname = "x"\n', {"suppression_key": KEY})
    assert "NOTIFIER_SUPPRESSION_KEY" in error.value.fix


OPENING = [
    ("why", "--to", "anna@example.org", "--entry", "1"), ("stats",),
    ("run", "--once"), ("poll",), ("serve", "--port", "0"), ("preview",), ("backtest",),
    ("explain", "--title", "x"), ("subscribe", "anna@example.org"),
    ("unsubscribe", "anna@example.org"), ("sources", "list"),
    ("sources", "edit", "1", "--name", "x"), ("sources", "pause", "1"), ("sources", "resume", "1"),
    ("subscribers", "edit", "a@example.org", "--at", "9:00"), ("profiles", "remove", "x"),
    ("profiles", "edit", "x"),
    ("sources", "add", "https://x.example"), ("sources", "remove", "1"), ("sources", "check"),
    ("sources", "export"), ("entries", "list"), ("entries", "show", "1"), ("profiles", "list"),
    ("profiles", "show", "x"), ("profiles", "export", "x"), ("profiles", "history", "x"),
    ("profiles", "import", "frexalimab"), ("matches", "list"), ("matches", "release", "1"),
    ("matches", "drop", "1", "--because", "x"), ("matches", "restore", "1"),
    ("matches", "join", "1", "2"), ("matches", "separate", "1"),
    ("subscribers", "list"), ("subscribers", "show", "a@example.org"), ("subscribers", "export"),
    ("subscribers", "erase", "a@example.org"), ("subscribers", "pause", "a@example.org"),
    ("subscribers", "resume", "a@example.org"), ("subscribers", "suppress", "a@example.org"),
    ("subscribers", "unsuppress", "a@example.org"), ("digests", "list"), ("digests", "show", "1"),
    ("digests", "approve", "1"), ("digests", "hold", "1"), ("deliveries", "list"),
    ("digests", "edit", "1", "--note", "x"), ("digests", "drop", "1", "--because", "x"),
    ("deliveries", "retry"), ("bounces", "read", "mail.eml"),
    ("bounces", "held"), ("bounces", "accept", "--all"), ("bounces", "dismiss", "--all"),
    ("clock",), ("deliveries", "drop", "1"), ("deliveries", "stop"), ("deliveries", "resume"),
    ("digests", "note", "1", "--text", "x"), ("work",), ("db", "status"), ("db", "upgrade"),
    ("db", "resume"), ("operators", "add", "anna"), ("operators", "list"),
    ("operators", "password", "anna"), ("operators", "remove", "anna"),
]  # fmt: skip


def test_the_list_of_commands_that_open_the_database_is_complete():
    group = typer.main.get_command(app)
    known = {name for name, command in group.commands.items() if not hasattr(command, "commands")}
    known |= {
        f"{noun} {verb}"
        for noun, command in group.commands.items()
        for verb in getattr(command, "commands", ())
    }
    # init makes the key; the demo has settings of its own; dkim, evaluate and the imports read a
    # file first; settings and docs need no database. The doctor reports a missing key beside all
    # else, a backup is possible in any state, and a restore reads its file first.
    others = {
        "init",
        "settings",
        "docs",
        "demo",
        "doctor",
        "db backup",
        "db restore",
        "dkim",
        "evaluate",
        "sources import",
        "subscribers import",
    }
    named = {" ".join(command) for command in OPENING}
    assert {
        name
        for name in known - others
        if not any(f"{command} ".startswith(f"{name} ") for command in named)
    } == set()


@pytest.mark.parametrize("command", OPENING, ids=" ".join)
@pytest.mark.parametrize(("key", "problem"), [("", "not set"), ("short", "too short")])
def test_no_command_opens_the_database_without_the_key(
    home: Path,
    made_database: Path,
    capsys: pytest.CaptureFixture,
    command: tuple[str, ...],
    key: str,
    problem: str,
):
    shutil.copy(made_database, home / "subscribers.db")
    (home / "notifier.toml").write_text(f'suppression_key = "{key}"\n')
    assert call(*command) == 2
    words = capsys.readouterr().err
    assert f"suppression_key is {problem}" in words
    assert "notifier init" in words


@pytest.mark.parametrize(
    "command",
    [
        ("sources", "list"),
        ("run", "--once"),
        ("subscribers", "list"),
        ("init", "--no-poll"),
    ],
)
def test_another_key_is_refused(
    home: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
):
    assert call("init", "--no-poll") == 0
    monkeypatch.setenv("NOTIFIER_SUPPRESSION_KEY", "another key than the first one")
    assert call(*command) == 2
    words = capsys.readouterr().err
    assert "not the one that this database was made with" in words
    assert "another key than" not in words


def from_before_keys(engine: Engine) -> None:
    """Store what an installation had before there were keys: a suppressed and a known address."""
    with db.writing(engine, KEY) as session:
        profile = profiles.save(session, profiles.parse(profiles.bundled_file(), "bundled"), MONDAY)
        weekly = Choice(Schedule(Cadence.WEEKLY, "08:00", 0, "Europe/Berlin"))
        known = subscriptions.subscribe(session, "Known@example.org", profile, weekly, MONDAY)
        gone = keys.hash_of(session, "gone@example.org")
        suppressions.add(session, gone, SuppressionCause.BOUNCED, "5.1.1", MONDAY)
        session.flush()
        salt = session.scalars(select(Installation.salt)).one()
        for table, address in (
            (Suppression, "gone@example.org"),
            (Subscriber, "known@example.org"),
        ):
            salted = hmac.new(salt.encode(), address.encode(), hashlib.sha256).hexdigest()
            changed = update(table).where(table.address_hash == keys.hash_of(session, address))
            session.execute(changed.values(address_hash=salted))
        assert known.subscriber.email.casefold() == "known@example.org"


def hashes(engine: Engine) -> set[str]:
    with db.reading(engine) as session:
        return {
            *session.scalars(select(Suppression.address_hash)),
            *session.scalars(select(Subscriber.address_hash)),
        }


def test_people_stay_suppressed_and_known_when_a_key_is_set(engine: Engine):
    from_before_keys(engine)
    before = hashes(engine)
    keys.adopt(engine, KEY)
    assert not before & hashes(engine)
    with db.reading(engine, KEY) as session:
        stored = suppressions.of(session, keys.hash_of(session, "gone@example.org"))
        assert stored is not None
        assert (stored.cause, stored.reason) == (SuppressionCause.BOUNCED, "5.1.1")
        known = subscriptions.find_subscriber(session, "known@EXAMPLE.org")
        assert known is not None
        assert len(known.subscriptions) == 1
        assert subscriptions.find_subscriber(session, "stranger@example.org") is None


def test_hashes_are_made_again_once(engine: Engine):
    from_before_keys(engine)
    keys.adopt(engine, KEY)
    once = hashes(engine)
    for _ in range(3):
        keys.adopt(engine, KEY)
    assert hashes(engine) == once


def test_several_processes_at_once_set_the_key_once(engine: Engine):
    from_before_keys(engine)
    url = engine.url.render_as_string(hide_password=False)
    running = [
        subprocess.Popen([sys.executable, "-c", ADOPT, url, KEY], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0], ended
    with db.reading(engine, KEY) as session:
        assert suppressions.of(session, keys.hash_of(session, "gone@example.org")) is not None
        assert subscriptions.find_subscriber(session, "known@example.org") is not None


def test_of_two_processes_with_different_keys_one_is_refused(engine: Engine):
    from_before_keys(engine)
    url = engine.url.render_as_string(hide_password=False)
    running = [
        subprocess.Popen([sys.executable, "-c", ADOPT, url, key], stderr=subprocess.PIPE)
        for key in (KEY, "another key of the tests")
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    assert sorted(code for _, code in ended) == [0, 1], ended
    assert sum(b"not the one that this database was made with" in words for words, _ in ended) == 1


def test_setting_a_key_that_is_interrupted_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    from_before_keys(engine)
    before = hashes(engine)

    def dies(key: str) -> str:
        raise KeyboardInterrupt(key)

    monkeypatch.setattr(keys, "fingerprint", dies)
    with pytest.raises(KeyboardInterrupt):
        keys.adopt(engine, KEY)
    monkeypatch.undo()
    assert hashes(engine) == before
    keys.adopt(engine, KEY)
    with db.reading(engine, KEY) as session:
        assert subscriptions.find_subscriber(session, "known@example.org") is not None


def test_another_key_than_the_first_is_refused_by_the_database(engine: Engine):
    keys.adopt(engine, KEY)
    with pytest.raises(SettingsError, match="not the one") as error:
        keys.adopt(engine, f"{KEY}!")
    assert exit_code_of(error.value) == 2
    assert KEY not in f"{error.value.problem} {error.value.fix}"


def test_the_database_alone_does_not_tell_whether_an_address_is_in_it(engine: Engine):
    from_before_keys(engine)
    keys.adopt(engine, KEY)
    with engine.connect() as connection:
        salt, mark = connection.execute(
            select(Installation.salt, Installation.key_fingerprint)
        ).one()
    salted = hmac.new(salt.encode(), b"gone@example.org", hashlib.sha256).hexdigest()
    guesses = {salted, hashlib.sha256(f"{salt}gone@example.org".encode()).hexdigest()}
    guesses |= {
        hmac.new(key.encode(), salted.encode(), hashlib.sha256).hexdigest()
        for key in (salt, mark, "")
    }
    assert not guesses & hashes(engine)
    assert KEY not in mark


def test_a_database_without_a_key_is_distinguished_from_one_with_a_key(engine: Engine):
    assert not keys.is_taken(engine)
    keys.adopt(engine, KEY)
    assert keys.is_taken(engine)


def test_a_new_file_has_no_key(tmp_path: Path):
    assert not keys.is_taken(db.make_engine(f"sqlite:///{tmp_path / 'new.db'}"))


def test_a_database_from_before_keys_is_upgraded_and_gets_one_by_init(home: Path):
    assert call("init", "--no-poll") == 0
    path = home / "notifier.toml"
    path.write_text(
        "".join(line for line in path.read_text().splitlines(True) if "suppression_key" not in line)
    )
    path.chmod(0o600)
    engine = db.make_engine(f"sqlite:///{home / 'subscribers.db'}")
    with engine.begin() as connection:
        connection.execute(update(Installation).values(key_fingerprint=None))
    assert call("sources", "list") == 2
    assert call("init", "--no-poll") == 0
    assert call("sources", "list") == 0
    assert keys.is_taken(engine)
    engine.dispose()


@pytest.mark.parametrize("purpose", ["network", "mailbox"])
def test_names_of_one_purpose_never_equal_those_of_another(engine: Engine, purpose: str):
    with db.reading(engine, KEY) as session:
        name = keys.secret_name(session, purpose, "192.0.2.0/24")
        assert name == keys.secret_name(session, purpose, "192.0.2.0/24")
        assert name != keys.secret_name(session, f"{purpose}s", "192.0.2.0/24")
        assert name != keys.hash_of(session, "192.0.2.0/24")
    with db.reading(engine, f"{KEY}!") as session:
        assert keys.secret_name(session, purpose, "192.0.2.0/24") != name


def test_a_session_without_the_key_recognises_nobody(engine: Engine):
    with db.reading(engine) as session, pytest.raises(AssertionError, match="suppression_key"):
        keys.hash_of(session, "anna@example.org")
