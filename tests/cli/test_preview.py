"""`notifier preview`."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.mail_sink import Sink, free_port, text_of
from tests.support.news_site import Article, Site


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


def test_a_preview_has_the_requested_language_and_edition(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions (10.5555/made-up)")]))
    ready("poll", *NOW)
    german = ready("preview", "--since", "30d", "--language", "de", *NOW).out
    assert "Warum es hier steht: die Überschrift nennt frexalimab." in german
    assert "\r" not in german
    assert (
        "DOI: 10.5555/made-up"
        in ready("preview", "--since", "30d", "--edition", "clinician", *NOW).out
    )


def test_a_test_mail_goes_to_one_address_with_inactive_links_and_is_not_stored(
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
    assert "The mail server accepted the mail for editor@example.org" in shown.out
    (mail,) = sink.messages
    assert mail["To"] == "editor@example.org"
    assert mail["Subject"] == "Votre lettre du jour : 1 information"
    assert ready("deliveries", "list", "--json").json == []
    leave = re.search(r"/unsubscribe/([\w.-]+)", str(mail["List-Unsubscribe"]))[1]
    assert (
        leave
        == re.search(r"/unsubscribe/([\w.-]+)", ready("preview", "--since", "30d", *NOW).out)[1]
    )


def publish(ready, site: Site, title: str = "Frexalimab slows lesions") -> None:
    """Publish news before the first poll: a baseline, which is owed to nobody."""
    site.put("/feed/", sites.rss([Article(title)]))
    ready("poll", *NOW)


def send_to(ready, address: str, *options: str):
    return ready("preview", "--send-to", address, *options, *NOW)


def test_before_anybody_subscribed_a_test_mail_shows_the_latest_items(
    ready, site: Site, sink: Sink
):
    publish(ready, site)
    shown = send_to(ready, "Maria.Quer@example.org")
    assert (shown.code, shown.err) == (0, "")
    assert "No digest is due now, so the test mail shows the latest items." in shown.out
    assert "“Your weekly digest: 1 item”" in shown.out
    (mail,) = sink.messages
    assert mail["Subject"] == "Your weekly digest: 1 item"
    assert "Frexalimab slows lesions" in text_of(mail)
    assert ready("subscribers", "list", "--json").json == []
    assert ready("digests", "list", "--json").json == []
    assert ready("deliveries", "list", "--json").json == []


def test_the_latest_items_are_those_of_a_month_before_the_newest_match(
    ready, site: Site, sink: Sink
):
    publish(ready, site, "Frexalimab of long ago")
    a_year_later = ["--now", "2027-03-01T09:00:00Z"]
    assert ready("preview", "--send-to", "me@example.org", *a_year_later).code == 0
    assert "Frexalimab of long ago" in text_of(sink.messages[0])


def test_a_test_mail_has_the_envelope_domain_of_digests(ready, site: Site, sink: Sink, monkeypatch):
    publish(ready, site)
    monkeypatch.setenv("NOTIFIER_SENDER__BOUNCE_ADDRESS", "back@mail.example.org")
    send_to(ready, "me@example.org")
    assert sink.envelopes == [("back@mail.example.org", "me@example.org")]


def test_a_test_mail_shows_what_is_owed_where_something_is(ready, site: Site, sink: Sink):
    publish(ready, site, "Frexalimab, known for long")
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    known, new = Article("Frexalimab, known for long"), Article("Frexalimab slows lesions")
    site.put("/feed/", sites.rss([new, known]))
    ready("poll", "--force", "--now", "2026-03-02T10:00:00Z")
    later = ["--now", "2026-03-03T09:00:00Z"]
    shown = ready("preview", "--to", "anna@example.org", "--send-to", "me@example.org", *later)
    assert "latest items" not in shown.out
    assert "Frexalimab slows lesions" in text_of(sink.messages[0])
    assert "known for long" not in text_of(sink.messages[0])


def test_without_any_matched_item_nothing_is_sent_and_the_next_command_is_named(ready, sink: Sink):
    shown = send_to(ready, "me@example.org")
    assert shown.code == 1
    assert "no item has matched" in shown.err
    assert "notifier poll" in shown.err
    assert sink.messages == []


@pytest.mark.parametrize(
    ("answer", "words", "fix"),
    [
        ("550 5.1.1 no such user", "550 to RCPT TO: 5.1.1 no such user", "spelling"),
        ("452 4.2.2 mailbox is full", "452 to RCPT TO: 4.2.2 mailbox is full", "another address"),
        (
            "550 5.7.1 relaying denied, log in first",
            "550 to RCPT TO: 5.7.1 relaying denied",
            "smtp.username",
        ),
        ("450 4.7.1 greylisted, come again", "450 to RCPT TO: 4.7.1 greylisted", "ten minutes"),
    ],
    ids=["no such mailbox", "a full mailbox", "not logged in", "put off"],
)
def test_a_refused_test_mail_shows_the_servers_words_and_the_fix(
    ready, site: Site, sink: Sink, answer: str, words: str, fix: str
):
    publish(ready, site)
    sink.refuse_recipient["me@example.org"] = answer
    shown = send_to(ready, "me@example.org")
    assert shown.code == 1
    assert f"The mail was not sent: the server answered {words}" in shown.err
    assert fix in shown.err


def test_a_test_mail_without_a_mail_server_names_the_settings(ready, site: Site, monkeypatch):
    publish(ready, site)
    monkeypatch.setenv("NOTIFIER_SMTP__PORT", str(free_port()))
    shown = send_to(ready, "me@example.org")
    assert shown.code == 1
    assert "cannot be reached" in shown.err
    assert "Check smtp.host and smtp.port" in shown.err


def test_a_test_mail_without_a_sender_names_the_command_that_asks(ready, monkeypatch):
    monkeypatch.delenv("NOTIFIER_SENDER__ADDRESS")
    shown = send_to(ready, "me@example.org")
    assert shown.code == 2
    assert "sender.address is not set" in shown.err
    assert "notifier init" in shown.err


@pytest.mark.parametrize("other", ["--open", "--serve"])
def test_sending_and_showing_are_not_asked_for_at_once(ready, sink: Sink, other: str):
    shown = send_to(ready, "me@example.org", other)
    assert shown.code == 2
    assert f"--send-to and {other}" in shown.err
    assert sink.messages == []


@pytest.mark.parametrize(
    ("since", "code"),
    [("30d", 0), ("2026-02-01", 0), ("2026-03-01T08:00+01:00", 0), ("2027-01-01", 2), ("soon", 2)],
)
def test_since_takes_a_period_or_a_date_that_has_passed(ready, site: Site, since: str, code: int):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    result = ready("preview", "--since", since, "--now", "2026-03-02T10:00Z")
    assert result.code == code
    assert ("Frexalimab slows lesions" in result.out) is (code == 0)
    assert ("--since" in result.err) is (code == 2)
