"""Today: what waits for a decision, what is due, what is in trouble."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from notifier.deliver.outbox import stop
from notifier.enums import HeldBecause
from notifier.pipeline import weekly_counts
from notifier.pipeline.run import run_once
from notifier.settings import Review
from notifier.store import backup_state
from notifier.store.models import Delivery, Source
from notifier.store.models import Installation as StoredInstallation
from notifier.web.app import create
from notifier.web.operator import kept
from tests.support import big_store
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operators import Operator, add_operator
from tests.support.stored_trouble import break_source, hold_addresses, hold_news, lose_answers
from tests.support.visitor import Client
from tests.support.web_server import serving

pytestmark = pytest.mark.postgresql_long

TUESDAY = MONDAY + timedelta(days=1)


def text_at(made: Installation, moment=TUESDAY, role: str = "owner") -> str:
    """The page of today in words, with the targets of its links."""
    add_operator(made, role, role)
    with visiting(made, moment) as client:
        browser = Operator(client)
        browser.log_in(role)
        page = browser.get("/operator/")
    assert page.status_code == 200
    content = page.text.partition("<main")[2]
    linked = re.sub(r'<a[^>]* href="\./([^"]*)"[^>]*>', r"[\1] ", content)
    return " ".join(re.sub(r"<[^>]+>", " ", linked).split())


def sent_to(made: Installation, *people: str) -> None:
    """Send a daily digest to people at Tuesday's due time."""
    for email in people:
        made.subscribe(email, at="08:00")
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(TUESDAY - timedelta(hours=2)))
    run_once(made.at(TUESDAY))


def test_an_empty_installation_says_that_nothing_waits_and_what_will_appear(operator):
    page = operator.get("/operator/").text
    assert "Nothing waits for you." in page
    assert "Nobody waits for a digest with a schedule yet." in page
    assert "Readers appear here as soon as their subscription is confirmed." in page
    assert "No digest was sent yet." in page


def test_a_draft_is_named_with_its_due_time_and_leads_to_its_page(installation):
    installation.change(review=Review(required=True, lead_hours=20))
    installation.subscribe("petra@example.org", at="20:00")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    noon = MONDAY + timedelta(hours=3)
    run_once(installation.at(noon))
    text = text_at(installation, noon)
    assert "Your daily digest: 1 item Draft, Frexalimab, daily; due today at 20:00." in text
    assert "[digests/1] Review" in text
    assert "petra" not in text


def test_drafts_for_several_languages_are_one_line(installation):
    installation.change(review=Review(required=True, lead_hours=20))
    for language in ("en", "de", "fr"):
        installation.subscribe(f"{language}@example.org", at="20:00", language=language)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(TUESDAY))
    assert "3 drafts: Frexalimab, daily" in text_at(installation)


def test_held_news_is_counted_by_reason(installation):
    installation.publish([Article("One"), Article("Two"), Article("Three")])
    run_once(installation.at(MONDAY))
    for because in (HeldBecause.DOUBTFUL, HeldBecause.DOUBTFUL, HeldBecause.MASS_EDIT):
        hold_news(installation, because, MONDAY)
    text = text_at(installation)
    assert "3 items of news are held back 2 nearly match, 1 was changed with many others." in text
    assert "[news/held] Decide" in text


def test_addresses_that_came_back_wait_for_an_owner_and_are_not_shown(installation):
    hold_addresses(installation, "mail.test", 6, MONDAY)
    owners, editors = text_at(installation), text_at(installation, role="editor")
    assert "Mails to 6 addresses came back at once" in owners
    assert "[mail#addresses] Decide" in owners
    assert "until an owner decides" in editors
    assert "mail#addresses" not in editors
    assert "returned" not in owners


def test_uncertain_mails_wait_only_if_they_are_not_sent_again_by_themselves(installation):
    sent_to(installation, "a@example.org", "b@example.org")
    lose_answers(installation, 2, TUESDAY)
    assert "2 mails may or may not have arrived" in text_at(installation)


@pytest.mark.parametrize(("when_uncertain", "is_named"), [("retry", False), ("hold", True)])
def test_a_mail_that_is_sent_again_by_itself_waits_for_nobody(
    installation, when_uncertain, is_named
):
    smtp = installation.at(MONDAY).settings.smtp
    installation.change(smtp=smtp.model_copy(update={"when_uncertain": when_uncertain}))
    sent_to(installation, "a@example.org")
    lose_answers(installation, 1, TUESDAY)
    with installation.at(TUESDAY).writing() as session:
        session.execute(update(Delivery).values(uncertain_times=1))
    assert ("1 mail may or may not have arrived" in text_at(installation)) is is_named


def test_numbers_that_took_long_to_count_are_kept_for_ten_minutes(installation, monkeypatch):
    monkeypatch.setattr(kept, "_SLOW_SECONDS", -1)
    add_operator(installation)
    application = create(installation.at(MONDAY))
    with serving(application) as address:
        browser = Operator(Client(address))
        browser.log_in()
        assert "Nobody is due." in browser.get("/operator/").text
        installation.subscribe("a@example.org")
        application.state.deps = installation.at(MONDAY + timedelta(minutes=9))
        assert "Nobody is due." in browser.get("/operator/").text
        application.state.deps = installation.at(MONDAY + timedelta(minutes=11))
        assert "Nobody is due." not in browser.get("/operator/").text
        application.state.deps = installation.at(MONDAY + timedelta(minutes=12))
        assert "Counted today at 09:11." in browser.get("/operator/").text


def test_a_stop_is_said_with_the_way_to_end_it(installation):
    with installation.at(MONDAY).writing() as session:
        stop.stop(session, MONDAY)
    text = text_at(installation)
    assert "All sending was stopped yesterday at 09:00." in text
    assert "[mail] Let mails go out" in text


def test_after_a_restore_it_says_who_can_decide(installation):
    with installation.at(MONDAY).writing() as session:
        backup_state.note_restored(session, MONDAY)
        stop.stop(session, MONDAY)
    text = text_at(installation)
    assert "A backup was restored yesterday at 09:00: no digest goes out" in text
    assert "by the person who runs it" in text
    assert "Let mails go out" not in text


def test_a_notifier_that_does_not_run_is_said(installation):
    with installation.at(MONDAY).writing() as session:
        session.execute(update(StoredInstallation).values(ran_at=MONDAY))
    assert "Nothing has run since yesterday at 09:00" in text_at(installation)
    assert "Nothing has run" not in text_at(installation, MONDAY + timedelta(hours=1), "editor")


def test_readers_are_counted_by_day_in_the_time_zone_of_the_installation(any_installation):
    made = any_installation
    for place in range(5):
        made.subscribe(f"daily{place}@example.org", "daily", "23:30")
        made.subscribe(f"prompt{place}@example.org", "immediate")
    for place in range(6):
        made.subscribe(f"weekly{place}@example.org", "weekly", "08:00", on="wednesday")
    made.change(schedule=made.at(MONDAY).settings.schedule.model_copy(
        update={"time_zone": "Europe/Berlin"}
    ))  # fmt: skip
    text = text_at(made, MONDAY)
    # 23:30 UTC is the next day in Berlin.
    assert "Frexalimab , daily – 5 5 5 5 5 5" in text
    assert "Frexalimab , weekly – – 6 – – – –" in text
    assert "5 as soon as there is news" in text
    assert "Together, by schedule – 5 11 5 5 5 5" in text
    assert "The next digest with a schedule is due tomorrow at 00:30: Frexalimab, daily." in text


def test_a_day_with_few_readers_shows_no_exact_number(installation):
    installation.subscribe("daily@example.org", "daily", "23:30")
    for place in range(4):
        installation.subscribe(f"prompt{place}@example.org", "immediate")
    text = text_at(installation, MONDAY, "editor")
    assert "Frexalimab , daily fewer than 5 fewer than 5" in text
    assert "fewer than 5 as soon as there is news" in text


@pytest.mark.parametrize(
    ("readers", "result"),
    [(5, "4 accepted, 1 refused"), (4, "fewer than 5 accepted, fewer than 5 refused")],
)
def test_the_result_of_the_last_digest_is_given_in_numbers(any_installation, readers, result):
    made = any_installation
    made.sink.refuse_recipient["reader1@example.org"] = "550 5.1.1 no such user"
    sent_to(made, *(f"reader{number}@example.org" for number in range(readers)))
    text = text_at(made)
    assert result in text
    assert "[digests/1]" in text


@pytest.mark.parametrize(("failures", "is_named"), [(1, False), (2, True)])
def test_a_source_is_in_trouble_after_two_failed_polls(installation, failures, is_named):
    source_id = break_source(installation, failures, TUESDAY)
    text = text_at(installation)
    assert (f"[sources/{source_id}]" in text) is is_named
    assert ("Failing; it last worked Sun 1 March at 09:00" in text) is is_named


def test_a_paused_source_is_no_trouble(installation):
    source_id = break_source(installation, 5, TUESDAY)
    with installation.at(TUESDAY).writing() as session:
        session.execute(update(Source).values(paused_at=TUESDAY))
    assert f"[sources/{source_id}]" not in text_at(installation)


def test_a_larger_installation_needs_no_more_statements(installation):
    sizes = big_store.Sizes(subscribers=300, profiles=30, sources=30, entries=300, matches=100)
    deps = installation.at(MONDAY)
    big_store.fill(deps.engine, sizes, MONDAY)
    while weekly_counts.count_next(deps, MONDAY):
        pass
    add_operator(installation)
    statements: list[str] = []
    with visiting(installation, MONDAY) as client:
        browser = Operator(client)
        browser.log_in()
        engine = installation.at(MONDAY).engine
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        page = browser.get("/operator/")
    assert "more lines" in page.text
    assert len(statements) < 70
