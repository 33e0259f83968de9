"""The welcome mail shows the latest items as a digest would, and nothing in it counts as sent."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from notifier.deliver import outbox
from notifier.enums import DeliveryKind
from notifier.pipeline.run import run_once
from notifier.store.models import Digest, DigestItem, Match, Subscription
from tests.support.forms import subscription_of
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article

ANNA = "anna@example.org"
DAY = timedelta(days=1)
OLDER = [Article(f"Frexalimab: report number {number}", slug=f"r{number}") for number in range(7)]


def welcome(made: Installation, moment, **choice: str):
    """Subscribe Anna, and return her welcome mail, which is sent at that moment."""
    made.subscribe(ANNA, moment=moment, **choice)
    with made.at(moment).writing() as session:
        ids = list(session.scalars(select(Subscription.id)))
        outbox.enqueue_own(session, DeliveryKind.WELCOME, ids, "example.org", moment)
    run_once(made.at(moment))
    return made.sink.messages[-1]


def begin(made: Installation, articles: list[Article]) -> None:
    made.adopt()
    made.publish(articles)
    run_once(made.at(MONDAY))


def test_a_new_reader_sees_the_latest_items(any_installation: Installation):
    made = any_installation
    begin(made, OLDER)
    mail = welcome(made, MONDAY + timedelta(minutes=5))
    for body in (text_of(mail), html_of(mail)):
        assert sum(article.title in body for article in OLDER) == 5
        assert "so that you see what to expect" in " ".join(body.split())
        assert "Not medical advice" in " ".join(body.split())
    with made.at(MONDAY).reading() as session:
        assert session.scalar(select(func.count(DigestItem.match_id))) == 0
        assert session.scalar(select(func.count(Digest.id))) == 0


def test_what_the_welcome_mail_showed_and_is_owed_comes_with_the_digest(
    installation: Installation,
):
    begin(installation, [])
    installation.subscribe(ANNA, every="daily")
    position = subscription_of(installation, ANNA).position
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(MONDAY + timedelta(hours=2)))
    mail = welcome(installation, MONDAY + timedelta(hours=2), every="daily")
    assert "Frexalimab slows lesions" in text_of(mail)
    assert subscription_of(installation, ANNA).position == position
    run_once(installation.at(MONDAY + DAY))
    digest = installation.sink.messages[-1]
    assert "digest" in digest["Subject"]
    assert "Frexalimab slows lesions" in text_of(digest)


def test_without_any_item_the_welcome_mail_is_as_short_as_before(installation: Installation):
    begin(installation, [])
    mail = welcome(installation, MONDAY + timedelta(minutes=5))
    assert mail["Subject"].startswith("Welcome")
    assert "what to expect" not in " ".join(text_of(mail).split())


def test_what_a_person_dropped_is_not_shown(installation: Installation):
    begin(installation, OLDER[:2])
    with installation.at(MONDAY).writing() as session:
        first = session.scalars(select(Match).order_by(Match.id)).first()
        first.dropped_because = "not ours"
    body = text_of(welcome(installation, MONDAY + timedelta(minutes=5)))
    assert sum(article.title in body for article in OLDER) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "die neuesten Meldungen"), ("fr", "dernières nouvelles"), ("es", "últimas noticias")],
)
def test_the_items_are_introduced_in_the_readers_language(
    installation: Installation, language: str, words: str
):
    begin(installation, OLDER[:1])
    mail = welcome(installation, MONDAY + timedelta(minutes=5), language=language)
    assert words in " ".join(text_of(mail).split())
