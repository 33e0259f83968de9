"""The command line as a person uses it: wrong first, then right, and what it says."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from freezegun import freeze_time

from notifier.cli.main import run
from tests.support import mail_sink as sinks
from tests.support import news_site as sites
from tests.support.mail_sink import Sink
from tests.support.news_site import Article, Site
from tests.support.paths import ROOT

NOW = ["--now", "2026-03-02T09:00:00+00:00"]


class Result:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


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
    for one in notifier("sources", "list", "--json").json:
        notifier("sources", "remove", str(one["id"]))
    site.put("/feed/", sites.rss([]))
    notifier("sources", "add", f"{site.address}/feed/", "--profile", "frexalimab", *NOW)
    return notifier


def test_init_makes_everything_once_and_nothing_twice(notifier, home: Path):
    first = notifier("init")
    assert first.code == 0
    assert "Loaded the profile Frexalimab with 8 sources" in first.out
    assert (home / "notifier.toml").stat().st_mode & 0o077 == 0
    before = (home / "notifier.toml").read_bytes()
    listed = notifier("sources", "list", "--json").out
    assert notifier("init").code == 0
    assert (home / "notifier.toml").read_bytes() == before
    assert notifier("sources", "list", "--json").out == listed
    assert {one["kind"] for one in json.loads(listed)} == {"feed", "page", "registry"}


def test_init_does_not_bring_back_a_source_that_was_removed(notifier):
    notifier("init")
    notifier("sources", "remove", "1")
    notifier("init")
    assert len(notifier("sources", "list", "--json").json) == 7


def test_the_settings_file_may_be_named_before_or_after_the_command(notifier, home: Path):
    (home / "elsewhere").mkdir()
    config = str(home / "elsewhere" / "x.toml")
    assert notifier("--config", config, "init").code == 0
    assert (home / "elsewhere" / "subscribers.db").exists()
    assert not (home / "subscribers.db").exists()
    assert len(notifier("profiles", "list", "--json", "--config", config).json) == 1


def test_a_subscriber_gets_their_digest_once(ready, site: Site, sink: Sink):
    done = ready(
        "subscribe", "anna@example.org", "--every", "daily", "--at", "08:00", "--confirmed", *NOW
    )
    assert "daily, at 08:00 (UTC), confirmed" in done.out
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


def test_long_lists_are_shown_from_their_newest_end(ready):
    for number in range(5):
        ready("subscribe", f"p{number}@example.org", *NOW)
    shown = ready("deliveries", "list", "--limit", "2")
    assert "These are the newest 2 of 5" in shown.err
    assert [one["id"] for one in ready("deliveries", "list", "--limit", "2", "--json").json] == [
        5,
        4,
    ]
    assert len(ready("deliveries", "list", "--json").json) == 5
    assert ready("deliveries", "list").err == ""
    assert ready("deliveries", "list", "--limit", "0").code == 2
    people = ready("subscribers", "list", "--limit", "2")
    assert "p3@example.org" in people.out
    assert "p4@example.org" in people.out
    assert "p2@example.org" not in people.out
    assert "These are the newest 2 of 5" in people.err
    assert len(ready("subscribers", "list", "--json").json) == 5


def test_poll_speaks_json_and_nothing_else(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    site.fail("/broken/", 500)
    ready("sources", "add", f"{site.address}/broken/", *NOW)
    done = ready("poll", "--json", *NOW)
    assert done.code == 1
    good, bad = done.json["sources"]
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
    assert [one["health"] for one in shown] == ["healthy", "failing"]
    assert shown[1]["last_error"] == bad["error"]


def test_listings_have_the_promised_shapes(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    ready("subscribe", "anna@example.org", *NOW)
    (entry,) = ready("entries", "list", "--json").json
    assert set(entry) >= {
        "id",
        "source",
        "key",
        "url",
        "title",
        "published_at",
        "first_seen_at",
        "revisions",
    }
    (match,) = ready("matches", "list", "--json").json
    assert match["reasons"] == ["the headline names frexalimab"]
    assert (match["tier"], match["kind"], match["entry"]["title"]) == (
        "about",
        "new",
        "Frexalimab slows lesions",
    )
    assert ready("matches", "list", "--tier", "related", "--json").json == []
    (person,) = ready("subscribers", "list", "--json").json
    assert (person["email"], person["status"]) == ("anna@example.org", "pending")
    assert set(person["subscriptions"][0]) >= {
        "profile",
        "cadence",
        "edition",
        "status",
        "next_due_at",
    }
    assert "Frexalimab slows lesions" in ready("entries", "show", "1").out


def test_a_person_can_be_asked_confirmed_and_let_go(ready, sink: Sink):
    done = ready(
        "subscribe",
        "anna@example.org",
        "--every",
        "weekly",
        "--on",
        "friday",
        "--time-zone",
        "Europe/Paris",
    )
    assert "weekly, on Friday at 08:00 (Europe/Paris), pending" in done.out
    assert ready("run", "--once").code == 0
    assert sink.messages[0]["Subject"] == "Please confirm your subscription"
    again = ready("subscribe", "anna@example.org", "--confirmed")
    assert "confirmed" in again.out
    shown = ready("subscribers", "show", "anna@example.org", "--json").json
    assert shown["consent"][0]["attested_by"].startswith("operator ")
    assert ready("unsubscribe", "anna@example.org", "--profile", "frexalimab").out.startswith(
        "Ended 1 subscription of"
    )
    gone = ready("unsubscribe", "anna@example.org")
    assert gone.code == 1
    assert "nothing was ended" in gone.err


def test_a_suppressed_address_is_told_and_can_be_let_in_again(ready):
    ready("subscribers", "suppress", "anna@example.org", "--reason", "complained")
    refused = ready("subscribe", "anna@example.org")
    assert refused.code == 1
    assert "suppressed: complained" in refused.err
    assert ready("subscribers", "unsuppress", "anna@example.org").code == 0
    assert ready("subscribe", "anna@example.org").code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["subscribe", "not an address"], "is not a usable e-mail address"),
        (["subscribe", "a@example.org", "--time-zone", "Mars/Olympus"], "no time zone"),
        (["subscribe", "a@example.org", "--at", "25:00"], "not a time of day"),
        (["subscribe", "a@example.org", "--every", "hourly"], "immediate, daily, weekly, monthly"),
        (["subscribe", "a@example.org", "--on", "someday"], "not a weekday"),
        (["subscribe", "a@example.org", "--now", "yesterday"], "ISO 8601"),
        (["subscribe"], "Missing argument"),
        (["sources", "add", "ftp://x"], "cannot be watched"),
        (["sources", "add", "https://x.example.org/", "--kind", "podcast"], "feed, page, registry"),
        (["preview", "--since", "soon"], "12h, 30d or 4w"),
        (["preview", "--language", "tlh"], "Choose one of: en, de, fr, es."),
        (["preview", "--edition", "doctor"], "Choose one of: patient, clinician."),
        (["preview", "--since", "30d", "--send-to", "nobody"], "is not a usable e-mail address"),
        (["subscribe", "x@example.org", "--language", "klingon"], "Choose one of: en, de, fr, es."),
        (
            ["subscribe", "x@example.org", "--edition", "short"],
            "Choose one of: patient, clinician.",
        ),
        (["explain"], "nothing to explain"),
        (["explain", "--body", "/nowhere/at/all"], "cannot be read"),
        (["profiles", "import", "/nowhere.toml"], "cannot be read"),
        (["nonsense"], "No such command"),
        (["run", "--nonsense"], "No such option"),
    ],
)
def test_a_wrong_call_is_told_what_to_do_and_exits_with_2(ready, args: list[str], said: str):
    done = ready(*args)
    assert done.code == 2
    assert said in " ".join(re.sub(r"[│╭╰─╮╯]", " ", done.err).split())
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["sources", "remove", "99"], "There is no source 99"),
        (["entries", "show", "99"], "There is no entry 99"),
        (["digests", "show", "99"], "There is no digest 99"),
        (["profiles", "show", "nothing"], "There is no profile nothing"),
        (["preview", "--to", "nobody@example.org"], "no confirmed subscription"),
        (["subscribers", "show", "nobody@example.org"], "Nobody is stored"),
    ],
)
def test_what_is_not_there_is_told_and_exits_with_1(ready, args: list[str], said: str):
    done = ready(*args)
    assert done.code == 1
    assert said in done.err


def test_a_wrong_setting_is_refused_at_start(notifier, home: Path):
    notifier("init")
    config = home / "notifier.toml"
    config.write_text(config.read_text().replace("port = 25", 'port = "many"'))
    done = notifier("run", "--once")
    assert done.code == 2
    assert "Wrong setting smtp.port in notifier.toml" in done.err
    assert "many" not in done.err  # whatever was put there


def test_a_run_without_a_sender_says_what_to_set(notifier):
    notifier("init")
    done = notifier("run", "--once")
    assert done.code == 2
    assert "sender.address is not set" in done.err
    assert "NOTIFIER_SENDER__ADDRESS" in done.err


def test_a_run_from_cron_says_nothing_on_standard_error_while_all_is_well(
    ready, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOTIFIER_PUBLIC_URL", "http://127.0.0.1:8000")
    done = ready("run", "--once", *NOW)
    assert (done.code, done.err) == (0, "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "links in mails lead there" in ready("run", "--once", *NOW).err


LATER = ["--now", "2026-03-03T08:00:00Z"]


def run_without_a_mail_server(ready, site: Site, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Anna's digest is due, and nobody takes it."""
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    with monkeypatch.context() as patched:
        patched.setenv("NOTIFIER_SMTP__PORT", str(sinks.free_port()))
        return ready("run", "--once", *LATER)


def test_a_mail_server_that_is_down_makes_exit_code_1_and_the_next_run_sends(
    ready, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    down = run_without_a_mail_server(ready, site, monkeypatch)
    assert down.code == 1
    assert "cannot be reached" in down.err
    assert "Nothing was lost" in down.err
    assert ready("deliveries", "list", "--status", "pending", "--json").json[0]["error"]
    assert ready("run", "--once", *LATER).code == 0
    assert len(sink.messages) == 1


def test_a_digest_can_be_held_and_let_go(
    ready, site: Site, sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    run_without_a_mail_server(ready, site, monkeypatch)
    assert "Digest 1 is held" in ready("digests", "hold", "1").out
    again = ready("digests", "hold", "1")
    assert (again.code, again.err) == (1, "Digest 1 is not going out: nothing was changed.\n")
    assert ready("run", "--once", *LATER).code == 0
    assert sink.messages == []
    assert "Digest 1 is approved" in ready("digests", "approve", "1", *LATER).out
    assert ready("digests", "approve", "1", *LATER).code == 1
    assert ready("run", "--once", *LATER).code == 0
    assert len(sink.messages) == 1
    assert "There is no digest 9" in ready("digests", "hold", "9").err


def test_no_network_is_told_per_source_and_nothing_is_lost(ready, monkeypatch: pytest.MonkeyPatch):
    ready("sources", "add", "http://no-such-host.invalid/feed/", *NOW)
    done = ready("run", "--once", *NOW)
    assert done.code == 1
    assert "cannot be resolved" in done.err


def test_a_locked_database_is_told(ready, home: Path):
    holder = sqlite3.connect(home / "subscribers.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    done = ready("subscribe", "anna@example.org")
    holder.close()
    assert done.code == 1
    assert "locked by another program" in done.err
    assert ready("subscribe", "anna@example.org").code == 0


def test_a_database_of_a_newer_notifier_is_told(ready, home: Path):
    with sqlite3.connect(home / "subscribers.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    done = ready("sources", "list")
    assert done.code == 1
    assert "newer notifier" in done.err


def test_a_front_page_is_added_breaks_is_told_and_is_mended(ready, site: Site, sink: Sink):
    """The journey of an operator whose source dies."""
    front = '<html><head><link rel="alternate" type="application/rss+xml" href="/news.xml"></head><body>Hi</body></html>'
    site.put("/", front, "text/html")
    site.put("/news.xml", sites.rss([Article("Frexalimab, before")]))
    added = ready("sources", "add", f"{site.address}/", *NOW)
    assert f"Found the feed of {site.address}/" in added.out
    assert f"Watching {site.address}/news.xml (feed, id 10)" in added.out
    os.environ["NOTIFIER_OPERATOR__ADDRESS"] = "operator@example.org"
    try:
        assert ready("run", "--once", "--now", "2026-03-02T09:00:00Z").code == 0
        site.fail("/news.xml", 500)
        for hour in (10, 13):
            assert ready("run", "--once", "--now", f"2026-03-02T{hour}:00:00Z").code == 1
        (told,) = sink.to("operator@example.org")
        assert told["Subject"] == "notifier: 1 source needs attention"
        (row,) = [one for one in ready("sources", "list", "--json", *NOW).json if one["id"] == 10]
        assert (row["health"], row["failures"]) == ("failing", 2)
        assert "answered 500" in row["last_error"]
        checked = ready("sources", "check", "10")
        assert checked.code == 1
        assert "FAIL 10" in checked.out
        site.put(
            "/news.xml",
            sites.rss([Article("Frexalimab, meanwhile"), Article("Frexalimab, before")]),
        )
        assert ready("sources", "check", "10").code == 0
        assert ready("run", "--once", "--now", "2026-03-03T09:00:00Z").code == 0
        assert [one["Subject"] for one in sink.to("operator@example.org")][1:] == [
            "notifier: 1 source works again"
        ]
        titles = [one["title"] for one in ready("entries", "list", "--json").json]
        assert titles == ["Frexalimab, meanwhile", "Frexalimab, before"]
    finally:
        del os.environ["NOTIFIER_OPERATOR__ADDRESS"]


def test_sources_go_out_and_come_in_as_a_list(ready, home: Path):
    out = ready("sources", "export").out
    assert "xmlUrl=" in out
    (home / "list.opml").write_text(out.replace("/feed/", "/other-feed/"), encoding="utf-8")
    told = ready("sources", "import", "list.opml", *NOW).out
    assert "are watched from now on" in told
    again = ready("sources", "import", "list.opml", *NOW).out
    assert ": 0 are watched from now on" in again
    (home / "odd.opml").write_text("<html/>", encoding="utf-8")
    assert ready("sources", "import", "odd.opml", *NOW).code == 2
    assert ready("sources", "import", "missing.opml", *NOW).code == 2


def test_a_poll_is_quiet_in_a_pipe_but_for_what_failed(ready, site: Site):
    assert ready("poll", *NOW).out == ""
    site.fail("/feed/", 500)
    done = ready("poll", "--force", *NOW)
    assert (done.code, done.out) == (1, "")
    assert "answered 500" in done.err
    assert "notifier sources check" in done.err


def test_matching_is_measured_played_back_and_mended_from_the_command_line(
    ready, home: Path, site: Site
):
    later = ["--now", "2026-03-09T09:00:00+00:00"]
    site.put(
        "/feed/",
        sites.rss([Article("Frexalimab slows lesions"), Article("Sanofi and multiple sclerosis")]),
    )
    ready("poll", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab again"), Article("FREXALT, the album")]))
    ready("poll", "--force", "--now", "2026-03-03T09:00:00+00:00")
    played = ready("backtest", "--every", "daily", "--json", *later).json
    assert [[item["title"] for item in one["items"]] for one in played["digests"]][-1] == [
        "Frexalimab again"
    ]
    assert played["held"] == 2
    assert "digests with" in ready("backtest", *later).out

    (held, _) = ready("matches", "list", "--held", "--json").json
    assert (held["held"], held["entry"]["title"]) == (True, "FREXALT, the album")
    assert "Released as match" in ready("matches", "release", str(held["id"]), *later).out
    assert ready("matches", "release", str(held["id"]), *later).code == 1
    assert ready("matches", "list", "--json").json[0]["entry"]["title"] == "FREXALT, the album"

    (home / "set.jsonl").write_text(
        '{"title": "Frexalimab", "label": "about"}\n{"title": "x", "label": "unrelated"}\n'
    )
    measured = ready("evaluate", "set.jsonl", "--json").json
    assert (measured["items"], measured["alert"], measured["errors"]) == (
        2,
        {"precision": 1.0, "recall": 1.0},
        [],
    )
    assert "precision 1.00, recall 1.00" in ready("evaluate", "set.jsonl").out
    assert ready("evaluate", "missing.jsonl").code == 2

    (home / "x.toml").write_text(
        ready("profiles", "export", "frexalimab").out.replace("Sanofi", "Roche")
    )
    assert (
        "Stored frexalimab"
        in ready("profiles", "import", "x.toml", "--past", "include", *later).out
    )
    assert "term added: sponsor Roche" in ready("profiles", "history", "frexalimab").out
    assert ready("profiles", "import", "x.toml", "--past", "perhaps", *later).code == 2


def test_a_profile_that_is_too_broad_is_told_before_it_is_stored(ready, home: Path, site: Site):
    site.put(
        "/feed/", sites.rss([Article(f"Madeupumab and number {number}") for number in range(30)])
    )
    ready("poll", *NOW)
    terms = '[[terms]]\nkind = "name"\ntext = "madeupumab"\n'
    (home / "broad.toml").write_text(f'slug = "broad"\nname = "Broad"\n{terms}')
    done = ready("profiles", "import", "broad.toml", *NOW)
    assert done.code == 0
    assert (
        "broad matches, of 30 entries of the last 90 days: 30 about, 0 mention, 0 related."
        in done.out
    )
    assert "broad is broad: 100% of all entries would be mailed." in done.err


def test_a_canary_that_fails_is_told_at_every_start(ready, home: Path):
    with sqlite3.connect(home / "subscribers.db") as connection:
        connection.execute("UPDATE term SET text = 'something else' WHERE text = 'frexalimab'")
    connection.close()
    done = ready("run", "--once", *NOW)
    assert done.code == 0
    assert "Canary of frexalimab: “Frexalimab slows lesions in relapsing MS” is " in done.err


def test_a_poll_on_a_terminal_shows_how_far_it_is_and_a_table(ready, home: Path):
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
    assert process.wait(timeout=20) == 0
    assert b"1/1" in shown
    assert re.search(rb"ok\s+0\s+0\s+0\s+http", shown)


def test_preview_prints_or_writes_what_would_be_sent(ready, home: Path, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    assert "There is nothing to send" in ready("preview", *NOW).out
    shown = ready("preview", "--since", "30d", *NOW)
    assert "Frexalimab slows lesions" in shown.out
    assert ready("preview", "--since", "30d", "--out", "mail", *NOW).code == 0
    assert {path.name for path in (home / "mail").iterdir()} == {
        "digest.html",
        "digest.txt",
        "digest.eml",
    }
    mail = message_from_bytes((home / "mail" / "digest.eml").read_bytes(), policy=policy.default)
    assert mail["Subject"] == "Your weekly digest: 1 item"
    assert "Frexalimab slows lesions" in (home / "mail" / "digest.html").read_text()


def test_a_preview_speaks_the_language_and_the_edition_that_are_asked_for(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions (10.5555/made-up)")]))
    ready("poll", *NOW)
    german = ready("preview", "--since", "30d", "--language", "de", *NOW).out
    assert "Warum es hier steht: die Überschrift nennt frexalimab." in german
    assert "\r" not in german
    assert (
        "DOI: 10.5555/made-up"
        in ready("preview", "--since", "30d", "--edition", "clinician", *NOW).out
    )


def test_a_trial_send_goes_to_one_address_with_nobodys_links_and_is_stored_nowhere(
    ready, site: Site, sink: Sink
):
    ready(
        "subscribe", "anna@example.org", "--confirmed", "--language", "fr", "--every", "daily", *NOW
    )
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    shown = ready(
        "preview",
        "--since",
        "30d",
        "--to",
        "anna@example.org",
        "--send-to",
        "editor@example.org",
        *NOW,
    )
    assert "The mail server took it for editor@example.org" in shown.out
    (mail,) = sink.messages
    assert mail["To"] == "editor@example.org"
    assert mail["Subject"] == "Votre lettre du jour : 1 information"
    assert ready("deliveries", "list", "--json").json == []
    leave = re.search(r"/unsubscribe/([\w.-]+)", str(mail["List-Unsubscribe"]))[1]
    assert (
        leave
        == re.search(r"/unsubscribe/([\w.-]+)", ready("preview", "--since", "30d", *NOW).out)[1]
    )

    sink.refuse_recipient["editor@example.org"] = "550 5.1.1 no such user"
    refused = ready("preview", "--since", "30d", "--send-to", "editor@example.org", *NOW)
    assert refused.code == 1
    assert "It was not sent: the server answered 550 to RCPT TO: 5.1.1 no such user" in refused.err
    assert "nothing to send" in ready("preview", "--send-to", "editor@example.org", *NOW).out


def test_a_subscription_takes_an_edition_and_a_language(ready):
    told = ready(
        "subscribe", "anna@example.org", "--edition", "clinician", "--language", "de", *NOW
    )
    assert told.code == 0
    (person,) = ready("subscribers", "list", "--json").json
    assert (person["language"], person["subscriptions"][0]["edition"]) == ("de", "clinician")


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


def test_explain_tells_tier_score_and_reasons(ready, home: Path, monkeypatch: pytest.MonkeyPatch):
    told = ready("explain", "--title", "Frexalimab slows lesions", "--json").json
    assert told["tier"] == "about"
    assert told["reasons"] == ["the headline names frexalimab"]
    (home / "body.txt").write_text("A CD40L antibody.")
    assert "related" in ready("explain", "--body", "body.txt").out
    assert "none (0.00)" in ready("explain", "--title", "Sanofi reports").out


def test_a_profile_goes_out_and_comes_in_again(ready, home: Path):
    text = ready("profiles", "export", "frexalimab").out
    (home / "copy.toml").write_text(text.replace('slug = "frexalimab"', 'slug = "copy"'))
    done = ready("profiles", "import", "copy.toml", *NOW)
    assert done.out.startswith("Stored copy: ")
    assert [one["slug"] for one in ready("profiles", "list", "--json").json] == [
        "frexalimab",
        "copy",
    ]
    assert ready("subscribe", "a@example.org").code == 2
    assert "Target: CD40L" in ready("profiles", "show", "copy").out
    assert ready("profiles", "show", "copy", "--json").json["slug"] == "copy"


def test_without_now_the_real_clock_counts(ready):
    with freeze_time("2026-07-01 12:00:00"):
        done = ready(
            "subscribe", "anna@example.org", "--every", "monthly", "--on", "31", "--confirmed"
        )
    assert "2026-07-31T08:00:00+00:00" in done.out


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
    deadline = time.monotonic() + 20
    while not site.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert site.asked


@pytest.mark.parametrize("command", ["--help", "sources --help", "subscribe --help", "--version"])
def test_help_and_version_load_no_heavy_room(command: str):
    code = (
        "import sys; from notifier.__main__ import main; sys.argv[1:] = sys.argv[1].split()\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'aiohttp', 'feedparser', 'jinja2', 'lxml', 'starlette'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_list_is_imported_with_a_report_and_exported_again(ready, home: Path):
    (home / "list.csv").write_text(
        "\ufeffemail;every\nanna@example.org;daily\nwrong;daily\n", encoding="utf-8"
    )
    dry = ready("subscribers", "import", "list.csv", "--confirmed", "--dry-run", *NOW)
    assert dry.code == 1
    assert "line 3: invalid" in dry.out
    assert "Nothing was stored" in dry.out
    assert ready("subscribers", "list", "--json").json == []
    told = ready("subscribers", "import", "list.csv", "--confirmed", "--json", *NOW).json
    assert (told["added"], told["invalid"], told["lines"][0]) == (
        1,
        1,
        {"line": 2, "result": "added", "reason": ""},
    )
    assert (
        ready("subscribers", "export")
        .out.splitlines()[1]
        .startswith("anna@example.org,frexalimab,daily,08:00,")
    )
    assert ready("subscribers", "export", "--format", "jsonl", "--out", "all.jsonl").code == 0
    assert (home / "all.jsonl").stat().st_mode & 0o077 == 0
    again = ready("subscribers", "import", "all.jsonl", "--confirmed", *NOW)
    assert "1 known" in again.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "cannot be read"),
        ("utf16.csv", "email\nanna@example.org\n".encode("utf-16"), "no UTF-8 text"),
        ("names.csv", b"name\nanna\n", "There is no column 'name'."),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_the_fix(
    ready, home: Path, name: str, content: bytes | None, said: str
):
    if content is not None:
        (home / name).write_bytes(content)
    refused = ready("subscribers", "import", name, *NOW)
    assert refused.code == 2
    assert said in refused.err


def test_a_person_is_paused_resumed_exported_and_erased(ready):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    assert (
        "Paused 1 subscription"
        in ready("subscribers", "pause", "anna@example.org", "--until", "2026-04-01", *NOW).out
    )
    (person,) = ready("subscribers", "list", "--json").json
    assert person["subscriptions"][0]["status"] == "paused"
    assert (
        ready("subscribers", "pause", "anna@example.org", "--until", "2020-01-01", *NOW).code == 2
    )
    assert ready("subscribers", "resume", "anna@example.org", *NOW).code == 0
    assert ready("subscribers", "resume", "anna@example.org", *NOW).code == 1
    held = ready("subscribers", "export", "anna@example.org").json
    assert (held["email"], held["consent"][0]["event"]) == ("anna@example.org", "given")
    assert "is erased" in ready("subscribers", "erase", "anna@example.org", *NOW).out
    assert ready("subscribers", "erase", "anna@example.org", *NOW).code == 1
    assert ready("subscribers", "export", "anna@example.org").code == 1
    refused = ready("subscribe", "anna@example.org", "--confirmed", *NOW)
    assert refused.code == 1
    assert "suppressed: erased" in refused.err


def test_no_more_than_three_questions_an_hour_go_to_one_address(ready, sink: Sink):
    for _ in range(3):
        assert ready("subscribe", "anna@example.org", *NOW).code == 0
        ready("run", "--once", *NOW)
    refused = ready("subscribe", "anna@example.org", *NOW)
    assert refused.code == 1
    assert "within the hour" in refused.err
    assert len(sink.messages) == 3
