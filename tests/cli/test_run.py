"""`notifier run`."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import faulty_server
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW, run_without_a_mail_server
from tests.support.mail_sink import Sink
from tests.support.news_site import Article, Site
from tests.support.paths import ROOT


def test_a_subscriber_gets_their_digest_once(ready, site: Site, sink: Sink):
    result = ready(
        "subscribe", "anna@example.org", "--every", "daily", "--at", "08:00", "--confirmed", *NOW
    )
    assert "daily, at 08:00 (UTC), confirmed" in result.out
    assert ready("run", "--once", *NOW).code == 0
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions"), Article("Sanofi builds")]))
    later = ["--now", "2026-03-03T08:00:00Z"]
    assert ready("run", "--once", *later).code == 0
    assert ready("run", "--once", *later).code == 0
    (message,) = sink.messages
    assert message["To"] == "anna@example.org"
    (digest,) = ready("digests", "list", "--json").json
    assert [item["title"] for item in digest["items"]] == ["Frexalimab slows lesions"]
    assert (digest["status"], digest["recipients"]) == ("sent", 1)
    (delivery,) = ready("deliveries", "list", "--json").json
    assert delivery["status"] == "sent"
    assert delivery["message_id"] == message["Message-ID"]
    assert "anna" not in ready("deliveries", "list").out
    assert "Frexalimab slows lesions" in ready("digests", "show", "1").out


def test_a_run_without_a_sender_says_what_to_set(notifier):
    notifier("init", "--no-poll")
    result = notifier("run", "--once")
    assert result.code == 2
    assert "sender.address is not set" in result.err
    assert "NOTIFIER_SENDER__ADDRESS" in result.err


def test_a_run_from_cron_prints_nothing_on_standard_error_while_all_is_well(
    ready, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOTIFIER_PUBLIC_URL", "http://127.0.0.1:8000")
    result = ready("run", "--once", *NOW)
    assert (result.code, result.err) == (0, "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "links in mails lead there" in ready("run", "--once", *NOW).err


def test_a_mail_server_that_is_down_gives_exit_code_1_and_the_next_run_sends(
    ready, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    down = run_without_a_mail_server(ready, site, monkeypatch)
    assert down.code == 1
    assert "cannot be reached" in down.err
    assert "Nothing was lost" in down.err
    assert ready("deliveries", "list", "--status", "pending", "--json").json[0]["error"]
    assert ready("run", "--once", *LATER).code == 0
    assert len(sink.messages) == 1


def test_a_source_that_cannot_be_reached_is_shown_by_the_run_and_is_no_failure_of_it(
    ready, monkeypatch: pytest.MonkeyPatch
):
    ready("sources", "add", "http://no-such-host.invalid/feed/", "--anyway", *NOW)
    result = ready("run", "--once", *NOW)
    assert result.code == 0
    assert "cannot be resolved" in result.err


def test_a_canary_that_fails_is_reported_at_every_start(ready, home: Path):
    with sqlite3.connect(home / "subscribers.db") as connection:
        connection.execute("UPDATE term SET text = 'something else' WHERE text = 'frexalimab'")
    connection.close()
    result = ready("run", "--once", *NOW)
    assert result.code == 0
    assert "Canary of frexalimab: “Frexalimab slows lesions in relapsing MS” is " in result.err


def test_a_broken_template_is_refused_before_anything_is_done(
    ready, home: Path, monkeypatch: pytest.MonkeyPatch
):
    own = home / "own" / "email"
    own.mkdir(parents=True)
    monkeypatch.setenv("NOTIFIER_TEMPLATES__DIRECTORY", str(home / "own"))
    (own / "item.html.j2").write_text("\n{{ item.nothing }}")
    refused = ready("run", "--once", *NOW)
    assert refused.code == 2
    assert f"{own / 'item.html.j2'}, line 2: " in refused.err
    (own / "item.html.j2").write_text("{% for %}")
    assert ready("sources", "list").code == 2
    (own / "item.html.j2").rename(own / "notice.html.j2")
    (own / "notice.html.j2").write_text("{{ subject }}")
    refused = ready("sources", "list")
    assert refused.code == 2
    assert "these templates in" in refused.err
    assert f"\nmv -i {own / 'notice.html.j2'} {own / 'operator_alert.html.j2'}\n" in refused.err
    (own / "notice.html.j2").rename(own / "operator_alert.html.j2")
    assert ready("sources", "list").code == 0


def test_the_daemon_runs_and_stops_cleanly(ready, home: Path, site: Site, sink: Sink):
    site.asked.clear()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "notifier", "run"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not site.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    logged = [json.loads(line) for line in err.splitlines()]
    assert (process.returncode, out) == (0, "")
    assert logged[-1]["message"] == "stopping on SIGTERM"
    assert {line["level"] for line in logged} == {"info"}
    assert site.asked


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_single_run_that_is_stopped_finishes_the_mail_under_way_and_starts_no_other(
    ready, home: Path, site: Site, number: signal.Signals
):
    for name in ("anna", "ben", "cleo"):
        ready("subscribe", f"{name}@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    with faulty_server.running(slow=0.5) as server:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "notifier", "run", "--once", *LATER],
            cwd=home,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "NOTIFIER_SMTP__PORT": str(server.port),
                "NOTIFIER_SMTP__CONNECTIONS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not server.arrived and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        # The next mail's envelope was sent with the end of the first.
        number_accepted = len(server.accepted)
        assert number_accepted in (1, 2)
        assert f"Mails accepted: {number_accepted}." in out
    statuses = [row["status"] for row in ready("deliveries", "list", "--json").json]
    assert sorted(statuses) == ["pending"] * (3 - number_accepted) + ["sent"] * number_accepted
