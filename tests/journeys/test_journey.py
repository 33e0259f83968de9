"""The journey: bytes on a news site become a message in a mailbox, once."""

from datetime import UTC, datetime, timedelta

from notifier.enums import DeliveryStatus
from notifier.pipeline import compose, deliver, match, poll
from notifier.pipeline.run import run_once
from notifier.store.models import Delivery, Digest
from notifier.subscribers import subscriptions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.news_site import Article

TUESDAY = MONDAY + timedelta(days=1)

RELEVANT = Article("Frexalimab slows lesions", summary="A made-up result.", published=MONDAY)
IRRELEVANT = Article(
    "Sanofi opens a plant", summary="Vaccines will be made there.", published=MONDAY
)


def test_a_new_article_about_the_therapy_reaches_the_subscriber_once(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org", every="daily", at="08:00")
    run_once(installation.at(MONDAY))
    installation.publish([RELEVANT, IRRELEVANT])

    run_once(installation.at(TUESDAY))
    run_once(installation.at(TUESDAY + timedelta(hours=1)))
    run_once(installation.at(TUESDAY + timedelta(days=1)))

    (message,) = installation.sink.messages
    assert message["To"] == "anna@example.org"
    assert "Frexalimab slows lesions" in text_of(message)
    assert "Frexalimab slows lesions" in html_of(message)
    assert "Sanofi opens a plant" not in text_of(message)
    assert "the headline names frexalimab" in html_of(message)


def test_the_first_poll_of_a_source_mails_nothing(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org", every="immediate")
    installation.publish([RELEVANT])

    run_once(installation.at(MONDAY))
    run_once(installation.at(MONDAY + timedelta(days=2)))

    assert installation.sink.messages == []


def test_a_digest_and_its_deliveries_are_stored_before_anything_is_sent(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])
    deps = installation.at(TUESDAY)
    poll.run(deps)
    match.run(deps)

    assert compose.run(deps) == 1

    assert installation.sink.messages == []
    with deps.reading() as session:
        (delivery,) = session.query(Delivery).all()
        assert delivery.status is DeliveryStatus.PENDING
        assert session.query(Digest).one().items[0].match.entry.title == RELEVANT.title
    assert compose.run(deps) == 0
    assert deliver.run(deps).accepted == 1


def test_people_with_the_same_needs_share_one_digest(any_installation: Installation):
    installation = any_installation
    for name in ("anna", "ben", "cleo"):
        installation.subscribe(f"{name}@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])

    report = run_once(installation.at(TUESDAY))

    assert report.composed == 1
    assert {str(message["To"]) for message in installation.sink.messages} == {
        "anna@example.org",
        "ben@example.org",
        "cleo@example.org",
    }
    assert len({message["Message-ID"] for message in installation.sink.messages}) == 3


def test_a_later_subscriber_is_not_sent_earlier_news(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])
    run_once(installation.at(TUESDAY))
    installation.subscribe("ben@example.org", moment=TUESDAY)
    installation.publish([RELEVANT, Article("Frexalimab study widens", summary="Made up.")])

    run_once(installation.at(TUESDAY + timedelta(days=1)))

    (to_ben,) = installation.sink.to("ben@example.org")
    assert "Frexalimab study widens" in text_of(to_ben)
    assert RELEVANT.title not in text_of(to_ben)


def test_a_person_who_leaves_after_composing_gets_nothing(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])
    deps = installation.at(TUESDAY)
    poll.run(deps)
    match.run(deps)
    compose.run(deps)
    with deps.writing() as session:
        assert (
            subscriptions.unsubscribe(session, "anna@example.org", None, "operator test", TUESDAY)
            == 1
        )

    deliver.run(deps)

    assert installation.sink.messages == []
    with deps.reading() as session:
        assert session.query(Delivery).one().status is DeliveryStatus.SUPPRESSED


def test_nothing_is_sent_to_somebody_who_has_not_confirmed(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org", confirmed=False)
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])

    run_once(installation.at(TUESDAY))

    assert installation.sink.messages == []


def test_a_failing_source_does_not_stop_the_others(any_installation: Installation):
    installation = any_installation
    broken = installation.site.fail("/broken/", 500)
    installation.adopt(sources=(broken, installation.feed))
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])

    report = run_once(installation.at(TUESDAY))

    assert {result.url: result.status for result in report.polled} == {
        broken: "failed",
        installation.feed: "ok",
    }
    assert len(installation.sink.messages) == 1


def test_a_correction_goes_only_to_those_who_were_sent_the_first_wording(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("daily@example.org", every="daily")
    installation.subscribe("monthly@example.org", every="monthly", on="31")
    poll.run(installation.at(MONDAY))
    installation.publish([Article("Frexalimab cuts lesions by 89%", slug="cut")])
    run_once(installation.at(TUESDAY))
    installation.publish([Article("Frexalimab cuts lesions by 86%", slug="cut")])
    run_once(installation.at(TUESDAY + timedelta(days=1)))

    run_once(installation.at(datetime(2026, 3, 31, 9, tzinfo=UTC)))

    first, second = installation.sink.to("daily@example.org")
    assert "89%" in text_of(first)
    assert "CORRECTED SINCE WE WROTE" in text_of(second)
    assert "89%" in text_of(second)
    assert "86%" in text_of(second)
    (only,) = installation.sink.to("monthly@example.org")
    assert "86%" in text_of(only)
    assert "89%" not in text_of(only)
    assert "CORRECTED" not in text_of(only)


def test_a_cosmetic_edit_is_not_news(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    installation.publish(
        [Article("Frexalimab slows lesions", summary="A made up result.", slug="one")]
    )
    run_once(installation.at(TUESDAY))
    installation.publish(
        [Article("Frexalimab slows lesions", summary="A made-up  result!", slug="one")]
    )

    run_once(installation.at(TUESDAY + timedelta(days=1)))

    assert len(installation.sink.messages) == 1


def test_a_late_digest_says_that_it_is_late_and_contains_everything(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org", every="daily", at="08:00")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])

    run_once(installation.at(MONDAY + timedelta(days=4)))

    (message,) = installation.sink.messages
    assert "was due on Tuesday, 3 March 2026, 08:00 and comes late" in " ".join(
        text_of(message).split()
    )
    assert RELEVANT.title in text_of(message)


def test_immediate_news_waits_for_the_quiet_time_and_comes_as_one_mail(
    any_installation: Installation,
):
    installation = any_installation
    installation.subscribe("anna@example.org", every="immediate")
    poll.run(installation.at(MONDAY))
    installation.publish([RELEVANT])
    run_once(installation.at(MONDAY + timedelta(minutes=31)))
    assert installation.sink.messages == []
    installation.publish([RELEVANT, Article("Frexalimab again", summary="Made up.")])
    poll.run(installation.at(MONDAY + timedelta(minutes=40)), force=True)

    run_once(installation.at(MONDAY + timedelta(minutes=47)))

    (message,) = installation.sink.messages
    assert RELEVANT.title in text_of(message)
    assert "Frexalimab again" in text_of(message)


def test_related_items_alone_make_no_digest_but_are_not_lost(any_installation: Installation):
    installation = any_installation
    installation.subscribe("anna@example.org")
    poll.run(installation.at(MONDAY))
    related = Article("Another CD40L antibody fails", summary="Made up, in lupus.")
    installation.publish([related])
    run_once(installation.at(TUESDAY))
    assert installation.sink.messages == []
    installation.publish([related, RELEVANT])

    run_once(installation.at(TUESDAY + timedelta(days=1)))

    assert related.title in text_of(installation.sink.messages[0])
