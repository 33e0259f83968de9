"""Mail: sending that is stopped, uncertain mails, addresses from which mails came back."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from notifier.deliver.outbox import stop
from notifier.operators import actions
from notifier.pipeline.run import run_once
from notifier.store import backup_state
from notifier.store.models import Delivery, Digest, HeldSuppression, Suppression
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operators import Operator, add_operator, token_in
from tests.support.stored_trouble import hold_addresses, lose_answers

pytestmark = pytest.mark.postgresql_long

TUESDAY = MONDAY + timedelta(days=1)
LATER = TUESDAY + timedelta(hours=1)


def entries(made: Installation) -> list[str]:
    with made.at(LATER).reading() as session:
        texts = [f"{each.text} ({each.reason})" for each in actions.newest(session)]
    return [text for text in texts if "Logged" not in text]


def form_of(page: str, path: str, place: int = 0) -> dict[str, str]:
    """The hidden fields of a form on a page."""
    forms = re.findall(rf'<form method="post" action="[./]*{path}".*?</form>', page, re.DOTALL)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', forms[place]))


@pytest.fixture
def with_uncertain(any_installation: Installation) -> Installation:
    for email in ("a@example.org", "b@example.org", "c@example.org"):
        any_installation.subscribe(email, at="08:00")
    run_once(any_installation.at(MONDAY))
    any_installation.publish([Article("Frexalimab slows lesions")])
    run_once(any_installation.at(TUESDAY - timedelta(hours=2)))
    run_once(any_installation.at(TUESDAY))
    lose_answers(any_installation, 2, TUESDAY)
    add_operator(any_installation)
    return any_installation


def statuses(made: Installation) -> list[str]:
    with made.at(LATER).reading() as session:
        deliveries = session.query(Delivery).filter(Delivery.digest_id.is_not(None))
        return sorted(str(each.status) for each in deliveries)


def decide(client, path: str, decision: str, **changed: str):
    browser = Operator(client)
    browser.log_in()
    fields = form_of(browser.get("/operator/mail").text, path)
    return browser, browser.send(f"/operator/{path}", fields | {"decision": decision} | changed)


def test_uncertain_mails_are_sent_once_more_with_their_message_id(with_uncertain):
    made = with_uncertain
    with made.at(TUESDAY).reading() as session:
        before = {each.id: each.message_id for each in session.query(Delivery)}
    with visiting(made, LATER) as client:
        browser, answer = decide(client, "mail/uncertain", "send", reason="Our server fell over")
        page = browser.follow(answer, "/operator/mail/uncertain").text
    assert "Let 2 mails of digest 1 be sent again." in page
    assert statuses(made) == ["pending", "pending", "sent"]
    assert entries(made) == ["Let 2 mails of digest 1 be sent again (Our server fell over)"]
    run_once(made.at(LATER))
    assert statuses(made) == ["sent"] * 3
    with made.at(LATER).reading() as session:
        assert {each.id: each.message_id for each in session.query(Delivery)} == before
        assert session.query(Digest).one().status == "sent"


def test_uncertain_mails_that_are_left_are_never_sent(with_uncertain):
    with visiting(with_uncertain, LATER) as client:
        decide(client, "mail/uncertain", "leave")
    run_once(with_uncertain.at(LATER))
    assert statuses(with_uncertain) == ["sent", "suppressed", "suppressed"]


def test_of_two_decisions_at_once_the_second_is_told_what_the_first_was(with_uncertain):
    made = with_uncertain
    with visiting(made, LATER) as client:
        first, second = Operator(client), Operator(client)
        first.log_in()
        second.log_in()
        forms = [form_of(each.get("/operator/mail").text, "mail/uncertain")
                 for each in (first, second)]  # fmt: skip
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(
                lambda pair: pair[0].send(
                    "/operator/mail/uncertain",
                    pair[1] | {"decision": "send", "reason": "typed <b>here</b>"},
                ),
                zip((first, second), forms, strict=True),
            ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    late = next(answer.text for answer in answers if answer.status_code == 409)
    assert "This changed meanwhile: nothing was done." in late
    assert "anna, today at 10:00: Let 2 mails of digest 1 be sent again." in late
    assert len(entries(made)) == 1


def test_what_the_editor_had_typed_stays_as_text(installation):
    hold_addresses(installation, "mail.test", 6, MONDAY)
    add_operator(installation)
    with visiting(installation) as client:
        _, answer = decide(
            client, "mail/addresses", "accept", number="5", reason="typed <b>here</b>"
        )
    assert answer.status_code == 409
    assert 'value="typed &lt;b&gt;here&lt;/b&gt;"' in answer.text


@pytest.mark.parametrize(
    ("decision", "suppressed", "entry"),
    [
        ("accept", 6, "Stopped mail to 6 addresses at mail.test (their list is old)"),
        ("dismiss", 0, "Allowed mail again to 6 addresses at mail.test (their list is old)"),
    ],
)
def test_an_owner_decides_about_addresses_of_a_provider_and_of_no_other(
    any_installation, decision, suppressed, entry
):
    made = any_installation
    hold_addresses(made, "mail.test", 6, MONDAY)
    hold_addresses(made, "gmail.com", 5, MONDAY)
    add_operator(made)
    with visiting(made) as client:
        browser, answer = decide(client, "mail/addresses", decision, reason="their list is old")
        page = browser.follow(answer, "/operator/mail/addresses").text
    assert "gmail.com" in page
    assert "returned" not in page
    with made.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == suppressed
        assert {each.provider for each in session.query(HeldSuppression)} == {"gmail.com"}
    assert entries(made) == [entry]


def test_domains_with_few_addresses_are_one_group_without_a_name(installation):
    hold_addresses(installation, "petras-own-domain.example", 1, MONDAY)
    hold_addresses(installation, "pauls-own-domain.example", 2, MONDAY)
    hold_addresses(installation, "gmail.com", 1, MONDAY)
    add_operator(installation)
    with visiting(installation) as client:
        browser, answer = decide(client, "mail/addresses", "accept")
        page = browser.follow(answer, "/operator/mail/addresses").text
    assert "own-domain" not in page
    assert entries(installation) == ["Stopped mail to 3 addresses at several small providers ()"]
    with installation.at(MONDAY).reading() as session:
        assert [each.provider for each in session.query(HeldSuppression)] == ["gmail.com"]


def test_an_editor_sees_only_how_many_addresses_wait(installation):
    hold_addresses(installation, "mail.test", 6, MONDAY)
    add_operator(installation, role="editor")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        page = browser.get("/operator/mail").text
        fields = {"token": token_in(page), "provider": "mail.test", "code": "5.1.1"}
        seen = {"number": "6", "last": "6", "decision": "accept"}
        answer = browser.send("/operator/mail/addresses", fields | seen)
    assert "6 addresses wait for the decision of an owner" in " ".join(page.split())
    assert "mail.test" not in page
    assert answer.status_code == 403
    with installation.at(MONDAY).reading() as session:
        assert session.query(Suppression).count() == 0


def test_sending_is_stopped_and_goes_on(operator, installation):
    answer = operator.act("/operator/mail", "/operator/mail/stop", reason="a wrong name")
    page = operator.follow(answer, "/operator/mail/stop").text
    assert "All sending was stopped today at 09:00." in page
    again = operator.act("/operator/mail", "/operator/mail/stop")
    assert again.status_code == 409
    operator.act("/operator/mail", "/operator/mail/go-on")
    with installation.at(MONDAY).reading() as session:
        assert stop.stopped_at(session) is None
    assert entries(installation) == ["Let mails go out again ()",
                                     "Stopped all sending (a wrong name)"]  # fmt: skip


def test_after_a_restore_no_form_lets_mails_go_out(operator, installation):
    with installation.at(MONDAY).writing() as session:
        backup_state.note_restored(session, MONDAY)
        stop.stop(session, MONDAY)
    page = operator.get("/operator/mail").text
    assert "A backup was restored" in page
    assert "go-on" not in page
    answer = operator.act("/operator/", "/operator/mail/go-on")
    assert answer.status_code == 409
    assert "Let mails go out again" not in answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("mail/uncertain", {"kind": "digest", "number": "1", "last": "1"}),
        ("mail/uncertain", {"kind": "no kind", "decision": "send"}),
        ("mail/addresses", {"provider": "mail.test", "decision": "perhaps"}),
    ],
)
def test_a_form_that_says_neither_yes_nor_no_changes_nothing(operator, installation, path, fields):
    answer = operator.act("/operator/mail", f"/operator/{path}", **fields)
    assert answer.status_code == 422
    assert entries(installation) == []
