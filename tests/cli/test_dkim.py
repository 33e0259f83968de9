"""`notifier dkim`."""

import re
from pathlib import Path

import pytest


@pytest.fixture
def configured(notifier, home: Path, monkeypatch: pytest.MonkeyPatch):
    """A settings file with a sender, and a mail server elsewhere."""
    assert notifier("init", "--no-poll").code == 0
    monkeypatch.setenv("NOTIFIER_SENDER__ADDRESS", "digest@example.org")
    monkeypatch.setenv("NOTIFIER_SMTP__HOST", "mail.example.org")
    return notifier


def test_a_key_comes_with_its_settings_and_dns_records(configured, home: Path):
    output = configured("dkim").out
    assert 'domain = "example.org"' in output
    assert 'private_key_file = "dkim-notifier-rsa.pem"' in output
    strings = re.findall(r'"([^"]*)"', output.partition("in the DNS")[2])
    assert all(len(string) <= 255 for string in strings)
    assert re.fullmatch(r"v=DKIM1; k=rsa; p=[\w+/]{390,}=*", "".join(strings[:-2]), re.ASCII)
    assert strings[-2:] == ["v=spf1 a:mail.example.org mx ~all", "v=DMARC1; p=none"]
    assert "notifier-rsa._domainkey.example.org" in output
    assert "_dmarc.example.org" in output


def test_the_printed_settings_of_two_keys_are_valid(configured, home: Path):
    config = home / "notifier.toml"
    for algorithm in ("rsa", "ed25519"):
        output = configured("dkim", "--algorithm", algorithm).out
        settings = output.partition("notifier.toml:")[2].partition("Publish")[0]
        config.write_text(config.read_text() + settings)
        assert configured("sources", "list").code == 0
    assert "[[dkim.also]]" in config.read_text()
    again = configured("dkim")
    assert again.code == 2
    assert "dkim-notifier-rsa.pem exists already" in again.err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), "The domain to sign for is not known."),
        (("--algorithm", "dsa"), "Choose one of: rsa, ed25519."),
    ],
)
def test_a_wrong_call_makes_no_key(notifier, home: Path, args: tuple[str, ...], expected: str):
    assert notifier("init", "--no-poll").code == 0
    result = notifier("dkim", *args)
    assert result.code == 2
    assert expected in result.err
    assert not list(home.glob("*.pem"))
