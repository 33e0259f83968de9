"""`notifier preview`."""

import re
from email import message_from_bytes, policy
from pathlib import Path

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.mail_sink import Sink
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

    sink.refuse_recipient["editor@example.org"] = "550 5.1.1 no such user"
    refused = ready("preview", "--since", "30d", "--send-to", "editor@example.org", *NOW)
    assert refused.code == 1
    assert (
        "The mail was not sent: the server answered 550 to RCPT TO: 5.1.1 no such user"
        in refused.err
    )
    assert "nothing to send" in ready("preview", "--send-to", "editor@example.org", *NOW).out
