"""Fixtures of the command line: an empty folder, the command, and a working installation."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from notifier.cli.main import run
from notifier.deps import open_deps
from notifier.store.models import Source
from notifier.watch import sources
from tests.support import news_site as sites
from tests.support.command_line import NOW, Result, forget_settings
from tests.support.installation import MONDAY
from tests.support.mail_sink import Sink
from tests.support.news_site import Site


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without a setting from outside."""
    forget_settings(monkeypatch)
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


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `init` makes it, without sources: made once for each worker and then copied."""
    folder = tmp_path_factory.mktemp("initialised")
    with pytest.MonkeyPatch.context() as patched:
        forget_settings(patched)
        patched.chdir(folder)
        assert run(["init", "--no-poll", *NOW]) == 0
        with open_deps().writing() as session:
            for source in [*session.scalars(select(Source))]:
                sources.remove(session, str(source.id), MONDAY)
    return folder


@pytest.fixture
def ready(notifier, initialised: Path, home: Path, site: Site, sink: Sink, monkeypatch):
    """An installation on a loopback site and mail server, as `init` makes it."""
    shutil.copytree(initialised, home, dirs_exist_ok=True)
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
    site.put("/feed/", sites.rss([]))
    notifier("sources", "add", f"{site.address}/feed/", "--profile", "frexalimab", *NOW)
    return notifier
