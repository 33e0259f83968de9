"""The command `doctor`: what it prints, its exit codes, and what it refuses."""

import pytest

from notifier.cli import shared
from tests.support.command_line import NOW
from tests.support.mail_sink import Sink, free_port

SMTP_DOWN = ("doctor", "--dns", "127.0.0.1:1", *NOW)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifier.admin.doctor.name_servers._LIFETIME", 0.05)
    monkeypatch.setenv("NOTIFIER_PUBLIC_URL", "https://127.0.0.1:1")


def test_json_is_one_document_with_the_promised_keys(ready):
    result = ready("doctor", "--json", "--dns", "127.0.0.1:1", *NOW)
    assert result.json["ok"] is True
    assert result.code == 0
    for check in result.json["checks"]:
        assert set(check) == {"name", "status", "expected", "found", "fix"}
        assert check["status"] in ("ok", "warning", "failed", "not_checked")
    names = [check["name"] for check in result.json["checks"]]
    assert len(set(names)) == len(names) > 40


def test_a_mail_server_that_is_down_exits_with_1_and_is_named_at_the_end(
    ready, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOTIFIER_SMTP__PORT", str(free_port()))
    result = ready(*SMTP_DOWN)
    assert result.code == 1
    assert result.out.rstrip().endswith("delivered today: mail_server.connect.")


def test_the_report_fits_into_80_columns_and_groups_by_area(ready):
    lines = ready(*SMTP_DOWN).out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0] == "Installation"
    titles = ["Content", "Mail server", "DNS of the sender", "Web pages", "Flow of mails"]
    assert [line for line in lines if line in titles] == titles
    failed = lines.index("  failed       dns.resolver")
    labels = [line.split()[0] for line in lines[failed + 1 : failed + 4]]
    assert labels[:2] == ["expected", "found"]
    assert any(line.strip().startswith("fix ") for line in lines[failed + 1 : failed + 8])
    assert "  not_checked  dns.spf: needs dns.resolver" in lines


def test_a_healthy_check_takes_one_line(ready):
    lines = ready(*SMTP_DOWN).out.splitlines()
    place = lines.index("  ok           installation.sender: digest@example.org")
    assert lines[place + 1].startswith("  ok ")


def test_nothing_is_there_exits_with_2_and_still_reports(notifier):
    result = notifier(*SMTP_DOWN)
    assert result.code == 2
    assert "failed       installation.database" in result.out
    assert "notifier init" in result.out


def test_wrong_settings_exit_with_2_and_name_the_key(ready, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOTIFIER_SMTP__PROT", "25")
    result = ready("doctor", "--json")
    assert result.code == 2
    (settings,) = [each for each in result.json["checks"] if each["status"] == "failed"]
    assert settings["name"] == "installation.settings"
    assert "smtp.prot" in settings["found"]
    assert "port" in settings["fix"]


def test_settings_that_cannot_be_used_are_shown_among_the_changes(
    ready, monkeypatch: pytest.MonkeyPatch
):
    ready(*SMTP_DOWN)
    monkeypatch.setenv("NOTIFIER_SMTP__PROT", "25")
    result = ready("doctor", "--show-changes")
    assert result.code == 2
    assert "smtp.prot" in result.out


def test_changes_are_shown_since_the_last_time(ready, monkeypatch: pytest.MonkeyPatch):
    first = ready("doctor", "--show-changes", *SMTP_DOWN[1:]).out
    assert "has not run here before" in first
    assert "failed       dns.resolver" in first
    assert "  ok  " not in first
    assert ready("doctor", "--show-changes", *SMTP_DOWN[1:]).out == "", "cron mails nothing"
    monkeypatch.setattr(shared, "is_terminal", lambda: True)
    assert (
        "Nothing has changed since 2026-03-02"
        in ready("doctor", "--show-changes", *SMTP_DOWN[1:]).out
    )
    monkeypatch.setenv("NOTIFIER_SENDER__NAME", "Frexalimab News")
    result = ready("doctor", "--show-changes", *SMTP_DOWN[1:])
    assert "content.discreet: ok -> warning" in result.out
    assert "Give sender.name a neutral name" in result.out
    monkeypatch.setenv("NOTIFIER_SENDER__NAME", "Example News")
    again = ready("doctor", "--show-changes", "--json", *SMTP_DOWN[1:])
    assert again.json["changes"] == [
        {"name": "content.discreet", "before": "warning", "after": "ok"}
    ]
    assert again.json["since"] == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--imap", "imaps://me@mail.example.org"], "--send-to EMAIL"),
        (["--dns", "nonsense"], "is not the address of a name server"),
        (["--dns", "9.9.9.9:99999"], "is not the address of a name server"),
        (["--send-to", "nobody"], "not a usable e-mail address"),
        (["--send-to", "me@example.org", "--imap", "pop://x"], "not the address of a mailbox"),
        (["--send-to", "me@example.org", "--imap", "imaps://me:pw@x"], "NOTIFIER_IMAP_PASSWORD"),
    ],
)
def test_wrong_options_exit_with_2_before_anything_is_sent(
    ready, sink: Sink, options: list[str], problem: str
):
    result = ready("doctor", *options)
    assert result.code == 2
    assert problem in result.err
    assert result.out == ""
    assert sink.messages == []
    assert "pw" not in result.err.replace("NOTIFIER", "")


def test_a_test_mail_is_sent_when_it_is_asked_for(ready, sink: Sink):
    result = ready("doctor", "--send-to", "me@example.org", *SMTP_DOWN[1:])
    assert "  ok           round_trip.sent" in result.out
    assert [mail["To"] for mail in sink.messages] == ["me@example.org"]
    changes = ready("doctor", "--show-changes", "--send-to", "me@example.org", *SMTP_DOWN[1:])
    assert "  ok           round_trip.sent" in changes.out
