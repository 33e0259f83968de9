"""Removal of a profile, on both databases: its readers are told once, and the pages stay."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from notifier.admin import profile_removal
from notifier.enums import SubscriptionStatus
from notifier.links import Purpose
from notifier.pipeline.run import run_once
from notifier.store.models import Match, Subscription
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

FORM = "application/x-www-form-urlencoded"


def test_readers_are_told_once_and_what_they_were_sent_stays(any_installation: Installation):
    installation = any_installation
    for name in ("anna", "ben"):
        installation.subscribe(f"{name}@example.org")
    installation.subscribe("waiting@example.org", confirmed=False)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    later = MONDAY + timedelta(days=1)
    run_once(installation.at(later))
    sent = len(installation.sink.messages)
    removal = profile_removal.remove(installation.at(later), "frexalimab", "operator x")
    assert (removal.ended, removal.unconfirmed) == (2, 1)
    for hours in (1, 2, 48):
        run_once(installation.at(later + timedelta(hours=hours)))
    ended = installation.sink.messages[sent:]
    assert sorted(mail["To"] for mail in ended) == ["anna@example.org", "ben@example.org"]
    assert {mail["Subject"] for mail in ended} == {"Your digest has ended"}
    with installation.at(later).reading() as session:
        assert session.query(Match).count() == 1
        assert {one.status for one in session.query(Subscription)} == {SubscriptionStatus.ENDED}


@pytest.mark.parametrize("damage", ["cadence='hourly'", "wish='{broken'", "status='lost'"])
def test_a_row_that_cannot_be_read_ends_with_the_others(installation: Installation, damage: str):
    for name in ("anna", "ben", "carl"):
        installation.subscribe(f"{name}@example.org")
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        session.execute(text(f"UPDATE subscription SET {damage} WHERE id=2"))
    profile_removal.remove(deps, "frexalimab", "operator x")
    with deps.reading() as session:
        assert set(session.execute(text("SELECT status, wish FROM subscription"))) == {
            ("ended", None)
        }


def test_the_pages_say_what_is_so_without_any_profile(installation: Installation):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + timedelta(days=1)))
    archive = re.search(r"/archive/[\w-]+", str(installation.sink.messages[-1]))[0]
    deps = installation.at(MONDAY + timedelta(days=1))
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
    profile_removal.remove(deps, "frexalimab", "operator x")
    link = f"/unsubscribe/{deps.links.token(Purpose.UNSUBSCRIBE, link_id, MONDAY)}"
    with serving(create(deps)) as address:
        client = Client(address)
        for page in ("/", "/archive", archive, link, "/privacy"):
            assert client.get(page).status_code == 200, page
        assert client.post(link, "do=undo", FORM).status_code < 500
        form = "email=new%40example.org&profile=frexalimab&consent=yes&spoken=en"
        assert "Nobody can sign up here" in client.post("/subscribe", form, FORM).text
    with deps.reading() as session:
        assert session.query(Subscription).one().status is SubscriptionStatus.ENDED
