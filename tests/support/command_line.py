"""The command line as tests call it: its result, and runs that several files need."""

import json
import os
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import CliRunner

from notifier.cli.main import app, run
from tests.support import mail_sink as sinks
from tests.support import news_site as sites
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.news_site import Article, Site

NOW = ["--now", "2026-03-02T09:00:00+00:00"]
LATER = ["--now", "2026-03-03T08:00:00Z"]


class Result:
    """The output of a command, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def forget_settings(patch: pytest.MonkeyPatch) -> None:
    """Remove the settings that environment variables hold."""
    for name in [name for name in os.environ if name.startswith("NOTIFIER_")]:
        patch.delenv(name)


def call(*arguments: str) -> int:
    """Run a command; what `--config` sets in the environment is removed afterwards."""
    try:
        return run(list(arguments))
    finally:
        os.environ.pop("NOTIFIER_CONFIG", None)


def run_without_a_mail_server(ready, site: Site, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Run when Anna's digest is due and no mail server accepts it."""
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    with monkeypatch.context() as patched:
        patched.setenv("NOTIFIER_SMTP__PORT", str(sinks.free_port()))
        return ready("run", "--once", *LATER)


def run_command(installation: Installation, *arguments: str) -> Result:
    """Run a command in the process of the test, on the database of an installation."""
    deps = installation.at(MONDAY)
    environment = {
        "NOTIFIER_DATABASE_URL": deps.engine.url.render_as_string(hide_password=False),
        "NOTIFIER_SUPPRESSION_KEY": SUPPRESSION_KEY,
        "NOTIFIER_SECRET_KEY": deps.settings.secret_key,
    }
    with TemporaryDirectory() as folder:
        environment["NOTIFIER_BACKUP__JOURNAL_FILE"] = f"{folder}/notifier.departures"
        result = CliRunner().invoke(app, arguments, env=environment)
    return Result(result.exit_code, result.stdout, result.stderr)
