"""Privacy: lock screens, headers, addresses and links reveal nothing about the reader."""

import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest

from notifier.enums import Edition
from notifier.pipeline.run import run_once
from notifier.settings import Sender
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article

HEALTH = re.compile(r"(?i)frexalimab|sclerosis|CD40|SAR441344|lesion")
ARTICLE = Article(
    "Frexalimab lowers lesions in multiple sclerosis",
    "A made-up summary of CD40L.",
    link="https://herald.example.org/one/?id=7&page=2",
)


def deliver_to_anna(installation: Installation, code: str, edition: Edition) -> None:
    installation.subscribe("anna.example@example.org", language=code, edition=edition)
    delivered(installation)


DELIVERIES = {
    (code, edition): partial(deliver_to_anna, code=code, edition=edition)
    for code in ("en", "de", "fr", "es")
    for edition in Edition
}


@pytest.fixture(params=DELIVERIES, ids=str)
def mail(request: pytest.FixtureRequest, installation: Installation):
    """A digest as it came through the mail server, in each language and edition."""
    installation.prepare(DELIVERIES[request.param])
    (message,) = installation.sink.messages
    return message


def delivered(installation: Installation):
    run_once(installation.at(MONDAY))
    installation.publish([ARTICLE])
    run_once(installation.at(MONDAY + timedelta(days=1)))
    (mail,) = installation.sink.messages
    return mail


def addresses(mail) -> set[str]:
    """Return every URL in the mail, its headers included."""
    headers = " ".join(str(value) for value in mail.values())
    return set(
        re.findall(r"(?:https?|mailto):[^\s\"<>]+", f"{headers} {html_of(mail)} {text_of(mail)}")
    )


def test_no_header_and_no_first_line_names_the_therapy_or_the_disease(mail):
    for name, value in mail.items():
        assert not HEALTH.search(str(value)), name
    visible = re.sub(
        r"<(style|title|!--).*?(</\1>|-->)|<[^>]+>", " ", html_of(mail), flags=re.DOTALL
    )
    assert not HEALTH.search(" ".join(visible.split())[:120])
    assert not HEALTH.search(text_of(mail)[:120])


def test_no_address_of_ours_names_the_therapy_or_the_reader(mail):
    ours = {
        address
        for address in addresses(mail)
        if address.startswith("mailto:") or "news.example.org" in address
    }
    assert len(ours) >= 5
    for address in ours:
        assert not HEALTH.search(address), address
        assert "anna" not in address, address


def test_nothing_remote_is_loaded_and_nothing_tracks_reading(mail):
    html = html_of(mail)
    assert not re.search(
        r"(?i)<(img|script|link|iframe|object|embed|form|base|video|audio|svg)\b", html
    )
    assert not re.search(r"(?i)@import|url\(|\bsrc=|background=|@font-face", html)
    assert not mail.get("Disposition-Notification-To")
    assert not mail.get("Return-Receipt-To")


def test_a_link_to_the_publisher_is_not_rewritten(mail):
    others = {
        address for address in addresses(mail) if urlsplit(address).hostname == "herald.example.org"
    }
    assert {address.replace("&amp;", "&") for address in others} == {ARTICLE.link}
    ours = {address for address in addresses(mail) if "news.example.org" in address}
    assert not [address for address in ours if "?" in address or "herald" in address]


def test_a_sender_that_is_not_discreet_names_the_therapy_only_in_the_subject(
    installation: Installation,
):
    sender = settings_for(25).sender.model_copy(update={"discreet": False})
    installation.change(sender=sender)
    installation.subscribe("anna@example.org")
    mail = delivered(installation)
    assert mail["Subject"] == "Frexalimab: Frexalimab lowers lesions in multiple sclerosis"
    named = [name for name, value in mail.items() if HEALTH.search(str(value))]
    assert named == ["Subject"]


def test_discretion_is_the_default():
    assert Sender().discreet
