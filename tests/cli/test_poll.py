"""`notifier poll`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.news_site import Article, Site
from tests.support.paths import ROOT


def test_poll_prints_json_and_nothing_else(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    site.fail("/broken/", 500)
    ready("sources", "add", f"{site.address}/broken/", "--anyway", *NOW)
    result = ready("poll", "--json", *NOW)
    assert result.code == 1
    good, bad = result.json["sources"]
    assert {
        key: good[key] for key in ("status", "entries", "new", "changed", "withdrawn", "error")
    } == {
        "status": "ok",
        "entries": 1,
        "new": 1,
        "changed": 0,
        "withdrawn": 0,
        "error": None,
    }
    assert bad["status"] == "failed"
    assert "500" in bad["error"]
    shown = ready("sources", "list", "--json").json
    assert [source["health"] for source in shown] == ["healthy", "failing"]
    assert shown[1]["last_error"] == bad["error"]


def test_a_poll_in_a_pipe_prints_failures_only(ready, site: Site):
    assert ready("poll", *NOW).out == ""
    site.fail("/feed/", 500)
    result = ready("poll", "--force", *NOW)
    assert (result.code, result.out) == (1, "")
    assert "answered 500" in result.err
    assert "notifier sources check" in result.err


def test_a_poll_on_a_terminal_shows_progress_and_a_table(ready, home: Path):
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "notifier", "poll", *NOW],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"},
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 4096)
        except OSError:  # how a terminal on Linux says that nobody writes to it any more
            break
    os.close(leader)
    assert process.wait(timeout=60) == 0
    assert b"1/1" in shown
    assert re.search(rb"ok\s+0\s+0\s+0\s+http", shown)
