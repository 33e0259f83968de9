"""Privacy: what a mail says on a lock screen, in headers and in addresses, and whom it tells that it was read."""

import re
from datetime import timedelta
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


@pytest.fixture(
    params=[(code, edition) for code in ("en", "de", "fr", "es") for edition in Edition], ids=str
)
def mail(request: pytest.FixtureRequest, installation: Installation):
    """A digest as it came through the mail server, in each language and edition."""
    code, edition = request.param
    installation.subscribe("anna.example@example.org", language=code, edition=edition)
    return delivered(installation)


def delivered(made: Installation):
    run_once(made.at(MONDAY))
    made.publish([ARTICLE])
    run_once(made.at(MONDAY + timedelta(days=1)))
    (found,) = made.sink.messages
    return found


def addresses(mail) -> set[str]:
    """Every address in the mail, its headers included."""
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
        one for one in addresses(mail) if one.startswith("mailto:") or "news.example.org" in one
    }
    assert len(ours) >= 5
    for one in ours:
        assert not HEALTH.search(one), one
        assert "anna" not in one, one


def test_nothing_is_loaded_from_anywhere_and_nothing_tells_that_it_was_read(mail):
    html = html_of(mail)
    assert not re.search(
        r"(?i)<(img|script|link|iframe|object|embed|form|base|video|audio|svg)\b", html
    )
    assert not re.search(r"(?i)@import|url\(|\bsrc=|background=|@font-face", html)
    assert not mail.get("Disposition-Notification-To")
    assert not mail.get("Return-Receipt-To")


def test_a_link_to_the_publisher_is_the_publishers_own(mail):
    others = {one for one in addresses(mail) if urlsplit(one).hostname == "herald.example.org"}
    assert {one.replace("&amp;", "&") for one in others} == {ARTICLE.link}
    ours = {one for one in addresses(mail) if "news.example.org" in one}
    assert not [one for one in ours if "?" in one or "herald" in one]


def test_an_indiscreet_sender_may_name_it_in_the_subject_and_nowhere_else_in_the_headers(
    installation: Installation,
):
    sender = settings_for(25).sender.model_copy(update={"discreet": False})
    installation.change(sender=sender)
    installation.subscribe("anna@example.org")
    found = delivered(installation)
    assert found["Subject"] == "Frexalimab: Frexalimab lowers lesions in multiple sclerosis"
    named = [name for name, value in found.items() if HEALTH.search(str(value))]
    assert named == ["Subject"]


def test_discretion_is_the_default():
    assert Sender().discreet
