"""Every command in the documents can be typed, and README's walk leads to a confirmed reader."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from typer.main import get_command

from notifier.cli.main import app
from notifier.match import profiles
from tests.support import mail_sink as sinks
from tests.support import news_site as sites
from tests.support.news_site import Article
from tests.support.visitor import Client

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"\s*(?:[A-Z_]+=\S+ )*(?:\S+/bin/)?notifier (.+?)\s*&?\s*")
HEADING = "## Ten minutes to the first reader"


def in_blocks(text: str) -> Iterator[str]:
    """Return the commands in blocks of code, without the program's name and remarks."""
    blocks = re.findall(r"(?m)(?:^ {4}\S.*\n?)+", text) + re.findall(r"(?s)```\w*\n(.*?)```", text)
    for line in "\n".join(blocks).splitlines():
        for command in re.split(r" && | & ", re.split(r" +# ", line)[0]):
            if match := COMMAND.fullmatch(re.split(r" (?:2?>>?|\|) ", command)[0]):
                yield match[1]


def in_text(text: str) -> Iterator[str]:
    """Return the commands that sentences mention, perhaps without their arguments."""
    for mentioned in re.findall(r"`notifier ([^`]+)`", text):
        yield " ".join(mentioned.split())


TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
COMMANDS = [
    *((name, line, True) for name, text in TEXTS.items() for line in sorted({*in_blocks(text)})),
    *((name, line, False) for name, text in TEXTS.items() for line in sorted({*in_text(text)})),
]


def parse(words: list[str], *, is_complete: bool) -> None:
    """Resolve a command and its arguments as the command line does; nothing is run.

    Raises:
        Exception: there is no such command, option or argument.
    """
    command, name = get_command(app), "notifier"
    while "commands" in vars(command) and words:
        name, *words = words
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    if "commands" in vars(command):
        assert not is_complete, f"{name} needs a command"
        return
    try:
        command.make_context(name, words)
    except Exception as error:
        if is_complete or type(error).__name__ != "MissingParameter":
            raise


@pytest.mark.parametrize(
    ("page", "line", "is_complete"), COMMANDS, ids=[f"{page} {line}" for page, line, _ in COMMANDS]
)
def test_a_command_in_a_document_can_be_typed(page: str, line: str, is_complete: bool):
    line = re.sub(r"\$\([^)]*\)", "x", line)  # what the shell puts there
    words = shlex.split(re.sub(r"\bID\b", "1", line).replace("…", " "))
    if "--config" in words:
        at = words.index("--config")
        words[at : at + 2] = []
    parse(words, is_complete=is_complete)


def test_an_option_that_does_not_exist_is_noticed():
    with pytest.raises(Exception, match="--nonsense"):
        parse(["sources", "list", "--nonsense"], is_complete=False)
    with pytest.raises(AssertionError, match="no command"):
        parse(["sources", "invent"], is_complete=False)


def walk() -> list[str]:
    """Return the lines of README's walk without their remarks."""
    section = TEXTS["README.md"].partition(HEADING)[2].partition("\n## ")[0]
    block = re.search(r"(?m)(?:^ {4}\S.*\n)+", section)[0]
    return [re.split(r" +# ", line.strip())[0] for line in block.splitlines()]


def test_the_walk_has_at_most_six_lines_and_says_how_long_each_takes():
    section = TEXTS["README.md"].partition(HEADING)[2]
    assert [line.split()[0] for line in walk()] == [
        "python3", "pip", "mkdir", "notifier", "notifier", "notifier",
    ]  # fmt: skip
    assert re.findall(r"# (\d+ (?:s|min))", section)[:4] == ["10 s", "90 s", "2 min", "5 s"]


def wait_for(sink: sinks.Sink, address: str, number: int):
    """Return the mail with this number to an address, when it has come."""
    for _ in range(900):
        if len(sink.to(address)) > number:
            return sink.to(address)[number]
        time.sleep(0.1)
    raise AssertionError(f"mail {number} to {address} did not come")


@pytest.mark.long
def test_the_walk_leads_to_a_confirmed_reader(
    tmp_path: Path, site: sites.Site, sink: sinks.Sink, monkeypatch: pytest.MonkeyPatch
):
    """The lines of README in a shell, but for the installation; the answers are in variables."""
    programs, port = tmp_path / "bin", sinks.free_port()
    programs.mkdir()
    (programs / "notifier").write_text(f'#!/bin/sh\nexec {sys.executable} -m notifier "$@"\n')
    (programs / "notifier").chmod(0o755)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    variables = {
        "HOME": str(tmp_path),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NOTIFIER_SENDER__ADDRESS": "news@example.org",
        "NOTIFIER_SENDER__POSTAL_ADDRESS": "1 Example Street",
        "NOTIFIER_SMTP__PORT": str(sink.port),
        "NOTIFIER_SMTP__SECURITY": "none",
        "NOTIFIER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NOTIFIER_WEB__PORT": str(port),
        "NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES": "true",
        "NOTIFIER_WATCH__PROXY": f"http://127.0.0.1:{sinks.free_port()}",
    }
    *first, last = [line for line in walk() if not re.match(r"python3|pip", line)]
    adding = f"env -u NOTIFIER_WATCH__PROXY notifier sources add {site.address}/feed/"
    polling = "env -u NOTIFIER_WATCH__PROXY notifier poll"
    at = first.index("notifier init") + 1
    script = "\n".join(["set -e", *first[:at], adding, polling, *first[at:], last])
    shell = subprocess.Popen(
        ["sh", "-c", script], env=variables, cwd=tmp_path, start_new_session=True
    )
    try:
        preview = wait_for(sink, "you@example.org", 0)
        assert "Frexalimab slows lesions" in sinks.text_of(preview)
        client = Client(f"http://127.0.0.1:{port}")
        _sign_up(client, "maria@example.org")
        link = re.search(r"/confirm/\S+", sinks.text_of(wait_for(sink, "maria@example.org", 0)))[0]
        assert client.get(link).status_code == 200
        assert client.post(link).status_code == 200
        welcome = wait_for(sink, "maria@example.org", 1)
        assert "Frexalimab slows lesions" in sinks.text_of(welcome)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(60)


def _sign_up(client: Client, address: str) -> None:
    form = {"email": address, "profile": profiles.BUNDLED, "consent": "yes", "spoken": "en"}
    for _ in range(300):
        try:
            answer = client.post("/subscribe", urlencode(form), "application/x-www-form-urlencoded")
        except ConnectionError:
            time.sleep(0.1)
            continue
        assert answer.status_code == 200, answer.text
        return
    raise AssertionError("the pages are not served")
