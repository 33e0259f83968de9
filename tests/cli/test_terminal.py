"""Text from outside is printed and logged, and never controls the terminal that shows it."""

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import JSON, Engine, String, Text, create_engine, text

from notifier.cli import logs, progress_bar, shared
from notifier.cli.main import run
from notifier.pipeline import poll
from notifier.pipeline.run import run_once, to_json
from notifier.store.models import Base
from notifier.text.cleaning import one_printable_line, printable
from tests.support import news_site as sites
from tests.support.command_line import forget_settings
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

# Titles of windows, clipboards, links, colours, clearing, device control, bells, overwriting,
# reading otherwise.
ATTACKS = {
    "the window's title": "\x1b]0;owned\x07",
    "the window's title in C1": "\x9d0;owned\x9c",
    "a link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "the clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "a cleared screen": "\x1b[2J\x1b[H",
    "hidden words": "\x1b[8mhidden\x1b[0m",
    "C1 instead of ESC [": "\x9b2J",
    "device control": "\x1bP$q\x1b\\",
    "device control in C1": "\x90+q544e\x9c",
    "a question that the terminal answers": "\x1b[6n\x1b[c\x05",
    "a full reset": "\x1bc",
    "another character set": "\x0e\x1b(0",
    "a bell": "\x07\x07",
    "backspaces": "safe\x08\x08\x08\x08evil",
    "an overwritten line": "evil\rsafe",
    "a vertical tab and a form feed": "\x0b\x0c",
    "a cancelled sequence": "\x18\x1a",
    "a deleted character": "\x7f",
    "the next line of C1": "\x85",
    "a line of Unicode": "\u2028x\u2029",
    "a turned direction": "\u202egnp.exe\u202c",
    "isolates": "\u2066x\u2069\u200f\u061c",
    "notes between lines": "\ufff9x\ufffay\ufffb\ufeff",
}
HOSTILE = "".join(ATTACKS.values())
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# What the tables colour their own headings with.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_character_that_controls_a_terminal_becomes_a_visible_mark(attack: str):
    shown = printable(f"a\t{attack}\nb")
    assert CONTROLS.sub("", shown) == shown
    assert shown.startswith("a\t")
    assert shown.endswith("\nb")
    assert printable(shown) == shown
    assert "\n" not in one_printable_line(f"{attack}\r\nforged: line")


@pytest.mark.parametrize(
    "words",
    ["plain", "Größe 10 µg – “quoted”", "フレキサリマブ", "זה טוב", "👩‍⚕️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a\tb\nc\r\nd", ""],
)
def test_ordinary_text_is_not_changed(words: str):
    assert printable(words) == words


def test_half_surrogates_and_strange_bytes_in_names_are_marked():
    assert printable("a\udc9bb\ud800") == "a\\udc9bb\\ud800"


def do_everything_once(installation: Installation) -> None:
    installation.subscribe("anna@example.org")
    installation.subscribe("ben@example.org", confirmed=False)
    run_once(installation.at(MONDAY))
    installation.publish(
        [Article("Frexalimab slows lesions"), Article("Sanofi begins a study of its antibody")]
    )
    for day in (1, 2):
        run_once(installation.at(MONDAY + timedelta(days=day, hours=1)))
        installation.publish(
            [Article("Frexalimab slows lesions by far", slug="frexalimab-slows-lesions")]
        )


@pytest.fixture
def hostile(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An installation that has done everything once, with an attack in every text it stored."""
    installation.prepare(do_everything_once)
    url = installation._deps.engine.url
    settings = installation._deps.settings
    installation._deps.engine.dispose()
    _poison(create_engine(url))
    forget_settings(monkeypatch)
    config = tmp_path / "notifier.toml"
    config.write_text(
        f'database_url = "{url}"\n'
        f'secret_key = "{settings.secret_key}"\nsuppression_key = "{settings.suppression_key}"\n'
        f'[sender]\naddress = "digest@example.org"\npostal_address = "x"\n'
        f'[smtp]\nport = {settings.smtp.port}\nsecurity = "none"\n'
        "[watch]\nallow_private_addresses = true\n"
    )
    config.chmod(0o600)
    monkeypatch.setenv("NOTIFIER_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Keys and identifiers: with an attack in them nothing would be found, and nothing be printed.
KEYS = {
    "link_id",
    "at",
    "language",
    "time_zone",
    "address_hash",
    "hash",
    "window",
    "group_key",
    "introduced",
    "wish",
}
KEYS |= {
    "wording_hash",
    "wording_version",
    "version",
    "slug",
    "told_as",
    "network",
    "target",
    "asker",
}


def _poison(engine: Engine) -> None:
    """Append an attack to every text in the database."""
    with engine.begin() as connection:
        for (trigger,) in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(text(f'DROP TRIGGER "{trigger}"'))
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if (
                    table.name == "installation"
                    or column.foreign_keys
                    or column.primary_key
                    or column.name in KEYS
                ):
                    continue
                place = f'UPDATE "{table.name}" SET "{column.name}"'
                if type(column.type) in (String, Text):
                    poisoned = text(f"{place} = coalesce(\"{column.name}\", '') || :hostile")
                    connection.execute(poisoned, {"hostile": HOSTILE})
                elif isinstance(getattr(column.type, "impl", column.type), JSON):
                    rows = connection.execute(
                        text(f'SELECT rowid, "{column.name}" FROM "{table.name}"')
                    ).all()
                    for row_id, document in rows:
                        value = (
                            json.dumps(_poisoned(json.loads(document))) if document else document
                        )
                        connection.execute(
                            text(f"{place} = :value WHERE rowid = :id"),
                            {"value": value, "id": row_id},
                        )
    engine.dispose()


def _poisoned(value):
    """Append an attack to each text of a document, except to keys and identifiers."""
    if isinstance(value, dict):
        known = ("slug", "kind", "message", "id", "tier", "stage_as_of", "msgid", "key")
        return {key: inner if key in known else _poisoned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_poisoned(inner) for inner in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


LISTINGS = [
    ("sources", "list"),
    ("entries", "list"),
    ("entries", "show", "1"),
    ("profiles", "list"),
    ("profiles", "show", "frexalimab"),
    ("profiles", "history", "frexalimab"),
    ("matches", "list"),
    ("matches", "list", "--held"),
    ("subscribers", "list"),
    ("digests", "list"),
    ("digests", "show", "1"),
    ("deliveries", "list"),
    ("explain", "--title", f"Frexalimab {HOSTILE}"),
    ("why", "--to", "anna@example.org", "--entry", "1"),
    ("stats",),
]
OTHERS = [
    ("profiles", "export", "frexalimab"),
    ("sources", "export"),
    ("subscribers", "export"),
    ("subscribers", "export", "--format", "jsonl"),
    ("sources", "check"),
    ("sources", "check", "1", "--json"),
    ("matches", "release", "1"),
    ("sources", "remove", "1"),
    ("deliveries", "retry"),
    ("subscribers", "show", f"{HOSTILE}@example.org"),
    ("unsubscribe", f"{HOSTILE}@example.org"),
    ("sources", "remove", HOSTILE),
    ("profiles", "show", HOSTILE),
    ("profiles", "import", f"{HOSTILE}.toml"),
    ("evaluate", f"{HOSTILE}.jsonl"),
    ("entries", "show", HOSTILE),
    (HOSTILE,),
    ("sources", HOSTILE),
    ("sources", "list", f"--{HOSTILE}"),
    ("poll", "--now", HOSTILE),
    ("matches", "list", "--tier", HOSTILE),
    ("entries", "list", "--since", HOSTILE),
    ("entries", "list", "--source", HOSTILE),
    ("why", "--to", "anna@example.org", "--entry", HOSTILE),
    ("entries", "list", "--wide"),
    ("subscribe", f"x{HOSTILE}@example.org"),
    ("dkim", "--selector", "x", "--domain", HOSTILE),
    ("subscribers", "import", f"{HOSTILE}.csv"),
    ("sources", "import", f"{HOSTILE}.opml"),
    ("bounces", "read", f"{HOSTILE}.eml"),
    ("preview", "--since", "30d"),
    ("poll", "--force"),
    ("run", "--once"),
    ("--config", f"{HOSTILE}.toml", "sources", "list"),
]
ALL = [*LISTINGS, *((*listing, "--json") for listing in LISTINGS), *OTHERS]


def _name(command: tuple[str, ...]) -> str:
    return " ".join(command).replace(HOSTILE, "HOSTILE")


def test_no_output_of_any_command_controls_a_terminal(
    hostile: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
):
    marked = 0
    for command in ALL:
        config = os.environ["NOTIFIER_CONFIG"]
        code = run([*command])
        os.environ["NOTIFIER_CONFIG"] = config
        out, err = (words.replace("\r\n", "\n") for words in capsys.readouterr())
        assert "Traceback" not in err, f"{_name(command)}: {err}"
        assert CONTROLS.sub("", out) == out, f"standard output of {_name(command)}"
        assert CONTROLS.sub("", err) == err, f"standard error of {_name(command)}"
        marked += "owned" in out + err
        if "--json" in command and code == 0:
            json.loads(out)
    assert marked > len(LISTINGS)


def test_json_contains_what_is_stored_in_escaped_form(hostile: Path, capsys: pytest.CaptureFixture):
    assert run(["entries", "list", "--json"]) == 0
    assert any(HOSTILE in row["title"] for row in json.loads(capsys.readouterr().out))


def test_exports_contain_what_is_stored_in_escaped_form(
    hostile: Path, capfdbinary: pytest.CaptureFixture
):
    assert run(["profiles", "export", "frexalimab"]) == 0
    assert HOSTILE in tomllib.loads(capfdbinary.readouterr().out.decode())["name"]
    assert run(["sources", "export"]) == 0
    (outline,) = ET.fromstring(capfdbinary.readouterr().out).iter("outline")
    assert "owned" in outline.attrib["text"]


# Runs commands one after the other, as `notifier` runs one, and writes each exit code between zeros
# behind its output: the start of a process takes longer than most of them.
_SEVERAL = """
import json, sys
from notifier.cli import logs
from notifier.cli.main import run
logs.set_up()
for command in json.loads(sys.argv[1]):
    code = run(command)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout.buffer.write(b"\\0%d\\0" % code)
    sys.stdout.buffer.flush()
"""


def several(commands: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the program that runs commands and its arguments."""
    return [sys.executable, "-W", "error", "-c", _SEVERAL, json.dumps(commands)]


def outputs(written: bytes) -> list[tuple[bytes, int]]:
    """Return what each of several commands wrote, and its exit code."""
    pieces = written.split(b"\0")
    assert pieces.pop() == b""
    return [(out, int(code)) for out, code in zip(pieces[::2], pieces[1::2], strict=True)]


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.long),
        pytest.param({"PYTHONIOENCODING": "ascii:strict"}, marks=pytest.mark.long),
        pytest.param({"PYTHONIOENCODING": "latin-1:strict"}, marks=pytest.mark.long),
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        pytest.param({"LC_ALL": "POSIX"}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_no_encoding_ends_a_command(hostile: Path, environment: dict[str, str]):
    commands = [
        ("entries", "list"),
        ("entries", "list", "--json"),
        ("profiles", "export", "frexalimab"),
    ]
    ran = subprocess.run(
        several(commands),
        cwd=hostile,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    listed, as_json, exported = outputs(ran.stdout)
    for out, code in (listed, as_json, exported):
        assert code == 0
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", out)
    assert any(HOSTILE in row["title"] for row in json.loads(as_json[0]))
    assert HOSTILE in tomllib.loads(exported[0].decode("utf-8"))["name"]


def on_terminal(folder: Path, commands: Sequence[tuple[str, ...]]) -> list[str]:
    """Run commands on a terminal, and return what each writes there."""
    master, slave = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    process = subprocess.Popen(
        several(commands), cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    pieces = []

    def read() -> None:
        try:
            while piece := os.read(master, 65536):
                pieces.append(piece)
        except OSError:  # Linux says so when the last writer is gone
            return

    reader = threading.Thread(target=read)
    reader.start()
    process.wait(timeout=60)
    reader.join(timeout=60)
    os.close(master)
    return [out.decode("utf-8") for out, _ in outputs(b"".join(pieces))]


def test_no_output_controls_a_real_terminal(hostile: Path):
    commands = [
        ("entries", "list"),
        ("digests", "show", "1"),
        ("profiles", "show", "frexalimab"),
        ("profiles", "export", "frexalimab"),
        ("matches", "list", "--json"),
        ("sources", "list"),
        ("sources", HOSTILE),
        ("subscribers", "export"),
    ]
    for command, shown in zip(commands, on_terminal(hostile, commands), strict=True):
        assert "owned" in shown, _name(command)
        words = re.sub("\r+\n", "\n", COLOUR.sub("", shown))
        assert CONTROLS.sub("", words) == words, _name(command)
        assert "\x1b[8m" not in shown, _name(command)


def test_an_address_in_a_progress_bar_does_not_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
):
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress_bar.progress(shown=True) as bar:
        assert bar is not None
        bar(1, 2, HOSTILE)
    assert "\x07" not in stream.getvalue()
    assert "]0;owned\x07" not in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x9b" not in stream.getvalue()


def test_a_hostile_feed_is_shown_as_text_from_the_first_poll_on(
    installation: Installation, capsys: pytest.CaptureFixture
):
    items = [
        {
            "id": f"guid{attack}",
            "url": f"https://herald.example.org/{n}{attack}",
            "title": f"Frexalimab {attack}",
        }
        for n, attack in enumerate(ATTACKS.values())
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Herald{HOSTILE}",
        "items": items,
    }
    installation.site.put("/feed/", json.dumps(feed), "application/feed+json")
    results = poll.run(installation.at(MONDAY), force=True)
    shared.print_json(to_json(results))
    for result in results:
        shared.warn(f"Source {result.id} {result.url}: {result.error}")
    out, err = capsys.readouterr()
    assert CONTROLS.sub("", out + err) == out + err


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_headers_of_an_answer_do_not_control_a_terminal(
    installation: Installation, capsys: pytest.CaptureFixture, attack: str
):
    header = attack.replace("\r", "").encode().decode("latin-1")  # as the server writes it: UTF-8
    installation.site.fail("/feed/", 302, Location=f"https://example.org/{header}")
    for result in poll.run(installation.at(MONDAY), force=True):
        shared.warn(f"Source {result.id} {result.url}: {result.error}")
    installation.site.put(
        "/feed/", sites.rss([]), **{"ETag": f'"{header}"', "Last-Modified": header}
    )
    for result in poll.run(installation.at(MONDAY + timedelta(hours=7)), force=True):
        shared.warn(f"Source {result.id} {result.url}: {result.error}")
    out, err = capsys.readouterr()
    assert CONTROLS.sub("", out + err) == out + err


def logged(message: str, *values: object, error: BaseException | None = None) -> str:
    """Return the line of the log for a message, and its trace."""
    trace = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("notifier", logging.ERROR, "app.py", 1, message, values, trace)
    return logs.PrintableFormatter().format(record)


@pytest.mark.parametrize("attack", [*ATTACKS.values(), "\udc9b", "\x00"], ids=repr)
def test_no_log_message_controls_a_terminal(attack: str):
    line = logged("a page failed: %s\nforged: all is well", attack)
    assert line.endswith("\\nforged: all is well")
    assert CONTROLS.sub("", line) == line
    try:
        int(f"strange {attack} words")
    except ValueError as error:
        lines = logged("a source failed: %s", attack, error=error)
        assert CONTROLS.sub("", lines) == lines
        assert "ValueError: invalid literal" in lines


@pytest.mark.parametrize(
    "address",
    ["anna@example.org", "ANNA+x@EXAMPLE.ORG", "<anna@example.org>,", "anna%40example.org"],
)
def test_no_address_is_in_the_log(address: str):
    # PostgreSQL's own words about a row that it refuses, which SQLAlchemy's `hide_parameters` does
    # not reach.
    error = ValueError(
        f'null value in column "at"\nDETAIL:  Failing row contains (1, {address}, null).'
    )
    assert "anna" not in logged("a step failed: %s", address, error=error).lower()


@pytest.mark.parametrize(
    "name", ["notifier", "uvicorn.error", "asyncio", "sqlalchemy.engine", "alembic", "py.warnings"]
)
def test_the_log_of_every_library_is_a_json_line_that_controls_no_terminal(name: str):
    program = (
        "import logging, sys; from notifier.cli import logs; logs.set_up();"
        "logging.getLogger(sys.argv[1]).warning('evil %s', '\\x1b]0;owned\\x07\\x9b2J\\u202e')"
    )
    result = subprocess.run([sys.executable, "-c", program, name], capture_output=True, check=True)
    (line,) = result.stderr.decode("ascii").splitlines()
    assert CONTROLS.sub("", line) == line
    assert json.loads(line)["message"] == "evil \x1b]0;owned\x07\x9b2J\u202e"


@pytest.mark.parametrize(
    "failure",
    [
        "raise ValueError('evil \\x1b]0;owned\\x07\\x9b')",
        (
            "import threading as t; x = t.Thread(target=int, args=['evil \\x1b]0;owned\\x07']); "
            "x.start(); x.join()"
        ),
        "import warnings; warnings.warn('evil \\x1b]0;owned\\x07')",
    ],
)
def test_the_trace_of_a_program_or_a_thread_does_not_control_a_terminal(failure: str):
    program = f"from notifier.cli import logs\nlogs.set_up()\n{failure}\n"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "owned" in result.stderr
    assert CONTROLS.sub("", result.stderr) == result.stderr


def test_an_unexpected_error_does_not_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    def fails(**_: object) -> None:
        raise RuntimeError(f"evil {HOSTILE}")

    monkeypatch.setattr("notifier.deps.open_deps", fails)
    assert run(["sources", "list"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "RuntimeError: evil" in err
    assert CONTROLS.sub("", err) == err
