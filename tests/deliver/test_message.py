"""Messages: the bytes that go over the wire, their headers, and what they never say."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.admin.preview import PreviewOptions, preview
from notifier.deliver import outbox
from notifier.enums import DeliveryKind
from notifier.pipeline import deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Sender, Settings
from notifier.store.models import Delivery, Digest, Subscription
from notifier.text.cleaning import plain, shorten
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import LEAVE, PREFERENCES, SENDER, a_digest, a_mail, an_item, parsed
from tests.support.news_site import Article
from tests.support.paths import DATA

GOLDEN = DATA / "mails"


def test_a_digest_is_the_mail_of_its_golden_file():
    message = re.sub(rb"=_[0-9a-f]{32}", b"BOUNDARY", a_mail(a_digest()))
    assert message.decode() == (GOLDEN / "digest.eml").read_bytes().decode()


def test_the_headers_are_those_of_a_list_that_can_be_left():
    mail = parsed(a_mail(a_digest()))
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@example.org>"
    assert mail["List-Id"] == "<digest.example.org>"
    assert (
        mail["List-Unsubscribe"]
        == f"<{LEAVE}>, <mailto:office@example.org?subject=unsubscribe%20A08Qv1l1SAUGuG0WsMxwcw>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["Reply-To"] == "office@example.org"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_mails_go_out_where_our_pages_have_a_name_beyond_ascii(installation: Installation):
    name = Settings(secret_key="k" * 20, public_url="https://bücher.example/über").public_url
    installation.change(public_url=name)
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + timedelta(days=1)))
    (mail,) = installation.sink.to("anna@example.org")
    assert mail["List-Unsubscribe"].startswith("<https://xn--bcher-kva.example/%C3%BCber/unsub")
    assert "https://xn--bcher-kva.example/%C3%BCber/preferences/" in text_of(mail)


def test_every_server_accepts_the_bytes():
    message = a_mail(a_digest(an_item(title="Ünïcödé 🧠 " * 20, summary="x" * 3000)))
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert b"=?" not in re.search(rb"(?im)^List-Unsubscribe:.*(?:\r\n .*)*", message).group()


def test_both_editions_hold_the_whole_digest():
    mail = parsed(a_mail(a_digest()))
    for part in (text_of(mail), html_of(mail)):
        for phrase in (
            "A made-up headline",
            "https://herald.example.org/one/",
            "The Example Herald (fictional)",
            "2 March 2026",
            "Nothing of it is true.",
            "the headline names frexalimab",
            "Not medical advice",
            "You get this because you asked",
            "1 Example Street, Exampletown",
            LEAVE,
        ):
            assert phrase in " ".join(part.split()), phrase


def test_a_discreet_mail_names_the_therapy_nowhere_that_a_lock_screen_shows():
    message = a_mail(a_digest(an_item(title="Frexalimab in multiple sclerosis")))
    head, _, _ = message.partition(b"\r\n\r\n")
    mail = parsed(message)
    shown = (
        head.decode()
        + text_of(mail)[:120]
        + re.sub(r"<style.*?</style>|<[^>]+>", "", html_of(mail)).strip()[:140]
    )
    assert not re.search(r"(?i)frexalimab|sclerosis|lesion", shown)


def test_a_sender_that_is_not_discreet_names_the_therapy_in_the_subject():
    open_sender = SENDER.model_copy(update={"discreet": False})
    mail = parsed(a_mail(a_digest(an_item(title="Frexalimab in the news")), open_sender))
    assert mail["Subject"] == "Frexalimab: Frexalimab in the news"


def test_nothing_remote_is_loaded_and_no_link_is_rewritten():
    html = html_of(parsed(a_mail(a_digest())))
    assert not re.search(
        r"(?i)<(img|script|link|iframe|object|form|base)\b|@import|url\(|\bsrc=", html
    )
    assert set(re.findall(r'href="([^"]+)"', html)) == {
        LEAVE,
        PREFERENCES,
        "https://herald.example.org/one/",
        "https://news.example.org/archive/7",
    }


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</td></table>",
        '"><img src=x>',
        "{{ 7*7 }}",
        "{% raw %}",
        "a\x0bb",
        "&lt;b&gt;",
    ],
)
def test_text_from_outside_stays_text(text: str):
    mail = parsed(a_mail(a_digest(an_item(title=text, summary=text, source=text, reasons=(text,)))))
    html = html_of(mail)
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in text_of(mail)
    assert html.count("</table>") == html.count("<table")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.booleans())
def test_any_headline_makes_a_mail_that_can_be_read_back(title: str, discreet: bool):

    shown = shorten(plain(title), 220) or "x"
    message = a_mail(
        a_digest(an_item(title=shown)), SENDER.model_copy(update={"discreet": discreet})
    )
    mail = parsed(message)
    assert mail["To"] == "anna@example.org"
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 90
    assert mail.get_body(("html",)) is not None


def test_a_name_cannot_bring_a_header_of_its_own():
    mail = parsed(
        a_mail(a_digest(), SENDER.model_copy(update={"name": "Example\r\nBcc: x@example.org"}))
    )
    assert mail["Bcc"] is None
    assert mail["From"] == '"Example Bcc: x@example.org" <digest@example.org>'


@pytest.mark.parametrize(
    "hidden", ["=?utf-8?q?x=0D=0ABcc:_x@example.org?=", "=?utf-8?b?eA0KQmNjOiB4QGV4YW1wbGUub3Jn?="]
)
def test_no_encoded_word_brings_a_header_either(hidden: str):
    sender = SENDER.model_copy(update={"name": hidden, "discreet": False})
    mail = parsed(a_mail(a_digest(an_item(title=hidden)), sender))
    assert mail.keys() == parsed(a_mail(a_digest())).keys()
    assert mail["Bcc"] is None


def test_a_preview_is_the_mail_that_is_sent(any_installation: Installation):
    any_installation.subscribe("anna@example.org", zone="Europe/Berlin")
    poll.run(any_installation.at(MONDAY))
    any_installation.publish([Article("Frexalimab slows lesions")])
    deps = any_installation.at(MONDAY + timedelta(days=1))
    poll.run(deps)
    match.run(deps)

    shown = preview(deps, PreviewOptions(to="anna@example.org"))
    run_once(deps)

    assert shown is not None
    seen, sent = parsed(shown.message), any_installation.sink.messages[0]
    stored = re.compile(
        r"(?<=/archive)/[A-Za-z0-9_-]{22}"
    )  # a preview is stored nowhere, and has no page of its own
    assert stored.search(html_of(sent))
    assert (text_of(seen), html_of(seen)) == (
        stored.sub("", text_of(sent)),
        stored.sub("", html_of(sent)),
    )
    assert seen["Subject"] == sent["Subject"]
    assert preview(deps, PreviewOptions(to="anna@example.org")) is None


def test_a_preview_stores_nothing_and_shows_the_baseline(any_installation: Installation):

    any_installation.publish([Article("Frexalimab slows lesions")])
    deps = any_installation.at(MONDAY)
    poll.run(deps)
    match.run(deps)

    assert preview(deps) is None
    shown = preview(deps, PreviewOptions(since=timedelta(days=30)))

    assert shown is not None
    assert "Frexalimab slows lesions" in text_of(parsed(shown.message))
    with deps.reading() as session:
        assert session.query(Digest).count() == session.query(Delivery).count() == 0


def test_a_preview_needs_no_sender(any_installation: Installation):
    any_installation.publish([Article("Frexalimab slows lesions")])
    deps = any_installation.at(MONDAY)
    poll.run(deps)
    match.run(deps)
    unset = replace(deps, settings=deps.settings.model_copy(update={"sender": Sender()}))
    shown = preview(unset, PreviewOptions(since=timedelta(days=30)))
    assert shown is not None
    assert "sender.postal_address is not set" in text_of(parsed(shown.message))


def test_a_confirmation_has_links_for_yes_and_never_and_no_list_headers(
    any_installation: Installation,
):

    any_installation.subscribe("anna@example.org", confirmed=False)
    deps = any_installation.at(MONDAY)
    with deps.writing() as session:
        subscription = session.query(Subscription).one()
        kind, domain = DeliveryKind.CONFIRMATION, deps.mail_domain
        outbox.enqueue_asked(session, kind, subscription, domain, MONDAY)
        subscription = session.query(Subscription).one()
        outbox.enqueue_asked(session, kind, subscription, domain, MONDAY)
    deliver.run(deps)
    (mail,) = any_installation.sink.messages
    assert mail["Subject"] == "Please confirm your subscription"
    assert mail["List-Unsubscribe"] is None
    for part in (html_of(mail), text_of(mail)):
        assert sorted(set(re.findall(r"https://news.example.org/(\w+)/", part))) == [
            "confirm",
            "never",
        ]
