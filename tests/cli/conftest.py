"""Fixtures of the command line: an empty folder, the command, and a working installation."""

import os
from pathlib import Path

import pytest

from notifier.cli.main import run
from tests.support import news_site as sites
from tests.support.command_line import NOW, Result
from tests.support.mail_sink import Sink
from tests.support.news_site import Site


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without a setting from outside."""
    for name in [name for name in os.environ if name.startswith("NOTIFIER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def notifier(home: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """The command line."""

    def call(*args: str) -> Result:
        with monkeypatch.context():
            code = run(list(args))
        os.environ.pop("NOTIFIER_CONFIG", None)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def ready(notifier, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch):
    """An installation on a loopback site and mail server, as `init` makes it."""
    settings = {
        "WATCH__ALLOW_PRIVATE_ADDRESSES": "true",
        "SMTP__PORT": str(sink.port),
        "SMTP__SECURITY": "none",
        "PUBLIC_URL": "https://news.example.org",
        "SENDER__ADDRESS": "digest@example.org",
        "SENDER__POSTAL_ADDRESS": "1 Example Street",
    }
    for name, text in settings.items():
        monkeypatch.setenv(f"NOTIFIER_{name}", text)
    assert notifier("init", *NOW).code == 0
    for source in notifier("sources", "list", "--json").json:
        notifier("sources", "remove", str(source["id"]))
    site.put("/feed/", sites.rss([]))
    notifier("sources", "add", f"{site.address}/feed/", "--profile", "frexalimab", *NOW)
    return notifier
