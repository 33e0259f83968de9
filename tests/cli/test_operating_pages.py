"""The commands of the pages about backups and keys work as they are printed, in their order."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from notifier.deps import open_deps
from notifier.links import Purpose
from tests.support import news_site as sites
from tests.support.command_line import Result
from tests.support.installation import MONDAY
from tests.support.mail_sink import free_port
from tests.support.news_site import Article, Site
from tests.support.paths import ROOT

MESSAGE_ID = f"<{'0123456789abcdef' * 2}@example.org>"
TUESDAY = ["--now", "2026-03-03T09:00:00Z"]
# The name of a replaced database, as the page writes it.
KEPT = "subscribers.db.replaced_TIME"
# Commands with tests of their own, which ask the network.
OTHERS = {"notifier doctor"}


def commands(page: str, heading: str = "") -> list[str]:
    """The indented commands of a page, or of its part below a heading."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    return [line for line in lines if line not in OTHERS]


def run(notifier, command: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    """Run a line as a shell does."""
    words = shlex.split(command.replace("$(date +%F)", "2026-03-02"))
    target = Path(words.pop()) if ">" in words else None
    if target is not None:
        words.remove(">")
    with monkeypatch.context() as environment:
        while "=" in words[0]:
            name, _, text = words.pop(0).partition("=")
            environment.setenv(name, text)
        assert words[0] == "notifier", command
        result = notifier(*words[1:], *more)
    if target is not None:
        target.write_text(result.out, encoding="utf-8")
    return result


@pytest.fixture
def readers(ready, site: Site):
    """Anna and Ben, who read daily, and the news of Tuesday that nobody got yet."""
    for name in ("anna", "ben"):
        ready("subscribe", f"{name}@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    return ready


NOW = ["--now", "2026-03-02T09:00:00Z"]


def test_every_command_of_the_page_about_backups_is_run_here():
    headings = ("Make a backup", "Restore", "Decide what is sent", "Move to another server")
    assert [each for name in headings for each in commands("backup", name)] == commands("backup")


def test_a_backup_is_made_rehearsed_and_restored_and_digests_are_decided(
    readers, home: Path, monkeypatch: pytest.MonkeyPatch
):
    backup, nightly, rehearsal, listing = commands("backup", "Make a backup")
    assert "2 subscriptions" in run(readers, backup, monkeypatch, *NOW).out
    assert run(readers, nightly, monkeypatch, *NOW).code == 0
    assert (home / "backup-2026-03-02.sha256").exists()
    assert run(readers, rehearsal, monkeypatch).code == 0
    assert "anna@example.org" in run(readers, listing, monkeypatch).out
    readers("unsubscribe", "ben@example.org", *NOW)
    (restore,) = commands("backup", "Restore")
    restored = run(readers, restore, monkeypatch, *TUESDAY)
    assert restored.code == 0
    assert "1 subscription ended" in restored.out
    assert restored.err == ""
    (kept,) = home.glob("subscribers.db.replaced_*")
    kept.rename(home / "lost")
    resume, send, skip, *_ = commands("backup", "Decide what is sent")
    listed = run(readers, resume, monkeypatch, *TUESDAY)
    assert listed.code == 1
    assert "Frexalimab slows lesions" in listed.out
    assert "1 reader" in listed.out
    assert "cannot be read" in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80
    sent = run(readers, send, monkeypatch, *TUESDAY)
    assert sent.code == 0
    assert "Everything is decided" in sent.out
    assert run(readers, skip, monkeypatch, *TUESDAY).code == 1, "nothing waits any more"


def test_who_signed_up_after_the_backup_is_taken_over_and_gets_no_old_news(
    readers, home: Path, site: Site, sink, monkeypatch: pytest.MonkeyPatch
):
    backup, restore = commands("backup", "Make a backup")[0], commands("backup", "Restore")[0]
    resume, _, _, export, take_over = commands("backup", "Decide what is sent")
    run(readers, backup, monkeypatch, *NOW)
    readers("subscribe", "carla@example.org", "--confirmed", "--every", "daily", *NOW)
    readers("unsubscribe", "ben@example.org", *NOW)
    readers("run", "--once", *TUESDAY)
    assert len(sink.envelopes) == 2, "Anna and Carla"
    run(readers, restore, monkeypatch, *TUESDAY)
    assert run(readers, resume, monkeypatch, *TUESDAY).code == 0
    (kept,) = home.glob("subscribers.db.replaced_*.backup")
    run(readers, export.replace(f"{KEPT}.backup", kept.name), monkeypatch)
    taken = run(readers, take_over, monkeypatch, *TUESDAY)
    assert "1 added, 1 known, 1 left" in taken.out
    news = [Article("Frexalimab slows lesions"), Article("Frexalimab is filed in Japan")]
    site.put("/feed/", sites.rss(news))
    readers("run", "--once", "--now", "2026-03-04T09:00:00Z")
    later = sink.messages[2:]
    assert sorted(message["To"] for message in later) == ["anna@example.org", "carla@example.org"]
    assert not any("slows lesions" in str(message) for message in later)


def test_a_source_that_fails_after_a_restore_keeps_mails_back_until_a_person_goes_on(
    readers, site: Site, monkeypatch: pytest.MonkeyPatch
):
    backup, restore = commands("backup", "Make a backup")[0], commands("backup", "Restore")[0]
    resume = commands("backup", "Decide what is sent")[0]
    run(readers, backup, monkeypatch, *NOW)
    readers("run", "--once", *TUESDAY)
    run(readers, restore, monkeypatch, *TUESDAY)
    del site.answers["/feed/"]
    refused = run(readers, resume, monkeypatch, *TUESDAY)
    assert refused.code == 1
    assert f"{site.address}/feed/" in refused.out
    assert readers("deliveries", "resume").code == 1
    assert run(readers, f"{resume} --skip", monkeypatch, *TUESDAY).code == 0


def test_an_installation_moves_to_another_server(
    readers, home: Path, sink, monkeypatch: pytest.MonkeyPatch, tmp_path_factory
):
    backup, restore, resume, send = commands("backup", "Move to another server")
    readers("unsubscribe", "ben@example.org", *NOW)
    assert run(readers, backup, monkeypatch, *TUESDAY).code == 0
    new = tmp_path_factory.mktemp("new")
    for name in (
        "moving.backup",
        "moving.backup.sha256",
        "notifier.toml",
        "subscribers.db.departures",
    ):
        (new / name).write_bytes((home / name).read_bytes())
    monkeypatch.chdir(new)
    restored = run(readers, restore, monkeypatch, *TUESDAY)
    assert (restored.code, restored.err) == (0, "")
    assert run(readers, resume, monkeypatch, *TUESDAY).code == 1
    assert run(readers, send, monkeypatch, *TUESDAY).code == 0
    assert readers("run", "--once", *TUESDAY).code == 0
    assert [recipient for _, recipient in sink.envelopes] == ["anna@example.org"]


def test_a_second_server_needs_the_settings_of_the_first(
    readers, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory
):
    run(readers, commands("backup", "Move to another server")[0], monkeypatch, *NOW)
    new = tmp_path_factory.mktemp("new")
    (new / "moving.backup").write_bytes((home / "moving.backup").read_bytes())
    monkeypatch.chdir(new)
    refused = readers("db", "restore", "moving.backup")
    assert refused.code == 2
    assert "Put notifier.toml from the backup into this folder" in refused.err
    assert not (new / "subscribers.db").exists()


def test_every_command_of_the_page_about_keys_is_run_here():
    headings = ("secret_key", "The DKIM key", "The password of the mail server")
    assert [each for name in headings for each in commands("rotation", name)] == commands(
        "rotation"
    )


def test_links_in_old_mails_work_after_a_change_of_secret_key(
    readers, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (make,) = commands("rotation", "secret_key")
    words = [sys.executable, *shlex.split(make)[1:]]
    new = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    before = open_deps(now=MONDAY)
    link = before.links.token(Purpose.UNSUBSCRIBE, "an id", MONDAY)
    settings = (home / "notifier.toml").read_text(encoding="utf-8")
    old = re.search(r'^secret_key = "(.*?)"', settings, re.MULTILINE)[1]
    changed = settings.replace(
        f'secret_key = "{old}"', f'secret_key = "{new}"\nsecret_key_previous = "{old}"'
    )
    (home / "notifier.toml").write_text(changed, encoding="utf-8")
    after = open_deps(now=MONDAY)
    assert after.settings.secret_key == new
    assert after.links.read(Purpose.UNSUBSCRIBE, link, MONDAY) == "an id"
    assert after.links.token(Purpose.UNSUBSCRIBE, "an id", MONDAY) != link
    token = before.links.bounce_token(MESSAGE_ID)
    assert after.links.parse_bounce_token(token) == before.links.parse_bounce_token(token)
    for deps in (before, after):
        deps.engine.dispose()


def test_mails_are_signed_with_a_new_dkim_key(
    readers, home: Path, sink, monkeypatch: pytest.MonkeyPatch
):
    (make,) = commands("rotation", "The DKIM key")
    printed = run(readers, make, monkeypatch)
    assert printed.code == 0
    assert "notifier-2027._domainkey.example.org" in printed.out
    page = (ROOT / "docs" / "rotation.md").read_text(encoding="utf-8")
    table = re.search(r"```toml\n(\[dkim\].*?)```", page, re.DOTALL)[1]
    with (home / "notifier.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n{table}")
    assert readers("run", "--once", *TUESDAY).code == 0
    signatures = [message["DKIM-Signature"] for message in sink.messages]
    assert len(signatures) == 2
    assert all("s=notifier-2027" in signature for signature in signatures)


class _Account:
    """The mail server's account, whose password was changed."""

    def __call__(self, _server, _session, _envelope, _mechanism, credentials) -> AuthResult:
        return AuthResult(success=credentials.password == b"new", handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
def test_what_waited_for_a_new_password_is_sent_with_it(
    readers, sink, monkeypatch: pytest.MonkeyPatch
):
    (retry,) = commands("rotation", "The password of the mail server")
    server = Controller(
        sink,
        hostname="127.0.0.1",
        port=free_port(),
        auth_required=True,
        auth_require_tls=False,
        authenticator=_Account(),
    )
    server.start()
    monkeypatch.setenv("NOTIFIER_SMTP__PORT", str(server.port))
    monkeypatch.setenv("NOTIFIER_SMTP__USERNAME", "digest")
    monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD", "old")
    try:
        assert readers("run", "--once", *TUESDAY).code == 1
        assert sink.messages == []
        monkeypatch.setenv("NOTIFIER_SMTP__PASSWORD", "new")
        assert run(readers, retry, monkeypatch, *TUESDAY).code == 0
        assert readers("run", "--once", *TUESDAY).code == 0
    finally:
        server.stop()
    assert sorted(recipient for _, recipient in sink.envelopes) == [
        "anna@example.org",
        "ben@example.org",
    ]
