"""People in numbers, and one person looked up by an owner."""

import hashlib
import re
from datetime import timedelta

import pytest

from notifier.enums import SubscriptionStatus, SuppressionCause
from notifier.operators import actions
from notifier.pipeline.run import run_once
from notifier.store.models import OperatorAction
from notifier.subscribers import numbers, subscriptions, suppressions
from notifier.subscribers.numbers import ALL, largest, without_small
from tests.support.forms import subscription_of, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operators import Operator, add_operator, token_in

pytestmark = pytest.mark.postgresql_long

PETRA = "petra@example.org"
PAUL = "paul@example.org"
TUESDAY = MONDAY + timedelta(days=1)


def entries(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        texts = [f"{each.text} ({each.reason})" for each in actions.newest(session)]
    return [text for text in texts if "Logged" not in text]


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def hidden(page: str, path: str) -> dict[str, str]:
    """The hidden fields of the first form that is sent to a path."""
    form = re.search(rf'action="[./]*{path}".*?</form>', page, re.DOTALL)
    assert form is not None, path
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))


def looked_up(browser: Operator, email: str = PETRA) -> str:
    answer = browser.act("/operator/people", "/operator/people/person", email=email)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    return answer.text


def suppress(made: Installation, cause: SuppressionCause, email: str = PETRA) -> None:
    with made.at(MONDAY).writing() as session:
        address_hash = subscriptions.hash_of(session, email)
        suppressions.add(session, address_hash, cause, "5.1.1", MONDAY)


def is_suppressed(made: Installation, email: str = PETRA) -> bool:
    with made.at(MONDAY).reading() as session:
        return suppressions.of(session, subscriptions.hash_of(session, email)) is not None


def add_look_ups(made: Installation) -> None:
    """Store sixty look-ups of the last hour."""
    with made.at(MONDAY).writing() as session:
        for minute in range(60):
            at = MONDAY - timedelta(minutes=minute)
            row = {"name": "anna", "kind": "looked_up", "text": "Looked up", "at": at}
            session.add(OperatorAction(**row))


def test_an_empty_installation_says_what_will_appear(operator):
    text = words(operator.get("/operator/people").text)
    assert "Running 0" in text
    assert "Nobody reads yet." in text
    assert "Nobody follows a profile yet." in text
    assert "The first week appears here when somebody subscribes." in text


def test_people_are_counted_and_a_small_number_is_not_shown(any_operator, any_installation):
    for number in range(6):
        any_installation.subscribe(f"reader{number}@example.org", "weekly")
    any_installation.subscribe("one@example.org", "daily", language="fr", edition="clinician")
    any_installation.subscribe("asked@example.org", confirmed=False)
    page = any_operator.get("/operator/people").text
    text = words(page)
    assert "Running 7" in text
    assert "Not confirmed yet 1" in text
    # With the number of six, that of the other one could be worked out.
    assert "daily – weekly –" in text
    assert "for clinicians – for patients –" in text
    assert "English – French –" in text
    assert "Frexalimab 7" in text
    assert "@example.org" not in page
    assert page.count('role="img"') == 3


def test_a_number_that_would_give_a_small_one_away_is_left_out_too():
    table = {("en", "daily"): 40, ("en", "weekly"): 3, ("de", "daily"): 20, ("de", "weekly"): 30}
    shown = without_small(table)
    # With only one left out in its row and its column, sums would give it away.
    assert shown == dict.fromkeys(table)
    assert without_small({("en", "daily"): 40, ("en", "weekly"): 0}) == {
        ("en", "daily"): 40,
        ("en", "weekly"): 0,
    }


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"patient": 6, "clinician": 1}, {}),
        ({"patient": 7}, {"patient": 7}),
        ({"patient": 6, "clinician": 5}, {"patient": 6, "clinician": 5}),
        ({"daily": 30, "weekly": 4, "monthly": 9}, {"daily": 30}),
        ({"daily": 30, "weekly": 4, "monthly": 2}, {"daily": 30}),
        ({"daily": 30, "weekly": 1, "monthly": 1}, {}),
        ({"daily": 30, "immediate": 20, "weekly": 1, "monthly": 1}, {"daily": 30}),
        ({"daily": 3}, {}),
        ({}, {}),
    ],
)
def test_a_list_hides_small_numbers_so_that_the_sum_gives_none_away(counts, shown):
    sums = {(ALL, ALL): sum(counts.values())}
    hidden = without_small({**{(ALL, name): number for name, number in counts.items()}, **sums})
    assert {name: number for (_, name), number in hidden.items() if name and number} == shown
    assert hidden[ALL, ALL] == sum(counts.values())


def test_no_list_shows_what_the_table_hides(any_installation):
    for number in range(9):
        any_installation.subscribe(f"english{number}@example.org", "weekly")
        any_installation.subscribe(f"german{number}@example.org", "daily", language="de")
    for number in range(6):
        any_installation.subscribe(f"french{number}@example.org", "weekly", language="fr")
    any_installation.subscribe("one@example.org", "daily", language="fr")
    with any_installation.at(MONDAY).reading() as session:
        people = numbers.read(session, 20)
    assert people.cadences == {"daily": 10, "weekly": 15}
    # Nine of the ten daily ones are German, who read nothing else, and of the seven French ones
    # six read weekly: each of these numbers would tell of the one who is both.
    assert people.crossed == dict.fromkeys(
        [("en", "weekly"), ("de", "daily"), ("fr", "weekly"), ("fr", "daily")]
    )
    assert people.languages == dict.fromkeys(["en", "de", "fr"])


def test_of_the_largest_profiles_the_rest_gives_no_small_number_away():
    sizes = {"one": 30, "two": 20}
    assert largest(sizes, 50) == sizes
    assert largest(sizes, 55) == sizes
    # One other profile with three readers would be what is left of the sum.
    assert largest(sizes, 53) == {"one": 30, "two": None}
    assert largest({"one": 30, "two": 2}, 40) == {"one": 30, "two": None}
    assert largest({"one": 30, "two": 2}, 32) == {"one": None, "two": None}


@pytest.mark.parametrize("path", ["people", "people/person"])
def test_an_editor_sees_no_people(installation, path):
    add_operator(installation, role="editor")
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        page = browser.get("/operator/").text
        fields = {"token": token_in(page), "email": PETRA}
        answers = [browser.get("/operator/people"), browser.send("/operator/people/person", fields)]
    assert ">People<" not in page
    assert [answer.status_code for answer in answers] == [403, 403]
    assert entries(installation) == []


def test_one_address_is_looked_up_in_words_and_the_log_has_no_address(installation):
    installation.subscribe(PETRA, at="08:00")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(TUESDAY - timedelta(hours=2)))
    run_once(installation.at(TUESDAY))
    add_operator(installation)
    with visiting(installation, TUESDAY) as client:
        browser = Operator(client)
        browser.log_in()
        page = looked_up(browser, "Petra@EXAMPLE.org")
    text = words(page)
    assert "Mail to this address is allowed." in text
    assert "Frexalimab running Daily, at 08:00 (UTC). Edition for patients." in text
    assert "The next digest is due tomorrow at 08:00." in text
    assert "Your daily digest: 1 item Accepted by the mail server." in text
    assert "Agreed by the person who runs the server; attested by operator test" in text
    assert entries(installation) == ["Looked up one address: subscriber 1 ()"]


def test_an_address_that_is_not_stored_is_said_and_logged_without_it(operator, installation):
    assert "Nobody is stored under this address." in words(looked_up(operator))
    assert entries(installation) == ["Looked up one address: not stored ()"]


def test_a_suppression_is_shown_with_its_cause_and_let_go(any_operator, any_installation):
    any_installation.subscribe(PETRA)
    suppress(any_installation, SuppressionCause.BOUNCED)
    page = looked_up(any_operator)
    assert "This address is not mailed. Mails to it came back" in words(page)
    fields = hidden(page, "people/person/let-go") | {"reason": f"{PETRA} wrote to us"}
    answer = any_operator.send("/operator/people/person/let-go", fields)
    page = any_operator.follow(answer, "/operator/people/person/let-go").text
    assert "Allowed mail again to one address: subscriber 1." in page
    assert "petra" not in page
    assert not is_suppressed(any_installation)
    assert entries(any_installation)[0] == (
        "Allowed mail again to one address: subscriber 1 ((an address) wrote to us)"
    )


def test_the_suppression_of_an_address_that_is_not_stored_is_let_go(operator, installation):
    suppress(installation, SuppressionCause.NEVER)
    page = looked_up(operator)
    assert "Only you can end this." in words(page)
    operator.send("/operator/people/person/let-go", hidden(page, "people/person/let-go"))
    assert not is_suppressed(installation)


@pytest.mark.parametrize(
    ("path", "fields", "status", "entry"),
    [
        ("pause", {"until": "2026-03-20"}, "paused", "Paused one subscription of subscriber 1"),
        ("pause", {"until": ""}, "paused", "Paused one subscription of subscriber 1"),
        ("end", {}, "ended", "Ended one subscription of subscriber 1"),
    ],
)
def test_a_subscription_is_changed_with_the_reason(
    operator, installation, path, fields, status, entry
):
    installation.subscribe(PETRA)
    page = looked_up(operator)
    form = hidden(page, f"people/person/{path}") | fields | {"reason": "by phone"}
    assert operator.send(f"/operator/people/person/{path}", form).status_code == 303
    stored = subscription_of(installation, PETRA)
    assert stored.status == status
    assert (stored.paused_until is not None) == bool(fields.get("until"))
    assert entries(installation)[0] == f"{entry} (by phone)"


def test_a_pause_is_ended(operator, installation):
    installation.subscribe(PETRA)
    operator.send(
        "/operator/people/person/pause", hidden(looked_up(operator), "people/person/pause")
    )
    page = looked_up(operator)
    assert "Paused until somebody ends the pause." in words(page)
    operator.send("/operator/people/person/resume", hidden(page, "people/person/resume"))
    assert subscription_of(installation, PETRA).status is SubscriptionStatus.CONFIRMED


@pytest.mark.parametrize("until", ["2026-03-01", "2031-03-03", "20.3.2026", "0000-00-00"])
def test_a_pause_until_no_possible_day_is_refused_beside_the_field(operator, installation, until):
    installation.subscribe(PETRA)
    form = hidden(looked_up(operator), "people/person/pause")
    answer = operator.send(
        "/operator/people/person/pause", form | {"until": until, "reason": "by <b>phone</b>"}
    )
    assert answer.status_code == 422
    assert "Give a day between today and five years ahead." in answer.text
    assert f'value="{until}"' in answer.text
    assert 'value="by &lt;b&gt;phone&lt;/b&gt;"' in answer.text
    assert subscription_of(installation, PETRA).status is SubscriptionStatus.CONFIRMED


def test_what_changed_since_the_look_up_is_shown_and_nothing_is_done(operator, installation):
    installation.subscribe(PETRA)
    page = looked_up(operator)
    operator.send("/operator/people/person/pause", hidden(page, "people/person/pause"))
    answer = operator.send("/operator/people/person/end", hidden(page, "people/person/end"))
    assert answer.status_code == 409
    assert "This changed meanwhile: nothing was done." in answer.text
    assert "Paused until somebody ends the pause." in words(answer.text)
    assert subscription_of(installation, PETRA).status is SubscriptionStatus.PAUSED


def test_a_subscription_of_somebody_else_is_not_changed(operator, installation):
    installation.subscribe(PETRA)
    other = installation.subscribe("paul@example.org")
    form = hidden(looked_up(operator), "people/person/end") | {"subscription": str(other)}
    assert operator.send("/operator/people/person/end", form).status_code == 409
    assert subscription_of(installation, "paul@example.org").status is SubscriptionStatus.CONFIRMED


NOBODYS_STATE = hashlib.sha256(b"[[], null]").hexdigest()[:16]
REFUSED_FORMS = [
    ("let-go", {"state": "x"}, 409),
    ("let-go", {"state": NOBODYS_STATE}, 409),
    ("pause", {"subscription": "1", "until": "nonsense"}, 422),
    ("pause", {"state": "x", "subscription": "1", "until": "2026-03-20"}, 409),
    ("resume", {"subscription": "1"}, 409),
    ("end", {"state": "x", "subscription": "1"}, 409),
    ("end", {"state": NOBODYS_STATE, "subscription": "1"}, 409),
]


@pytest.mark.parametrize(("path", "fields", "status"), REFUSED_FORMS)
@pytest.mark.parametrize(("email", "named"), [(PETRA, "subscriber 1"), (PAUL, "not stored")])
def test_an_account_shown_after_a_refused_form_is_looked_up(
    operator, installation, path, fields, status, email, named
):
    installation.subscribe(PETRA)
    address = f"/operator/people/person/{path}"
    answer = operator.act("/operator/people", address, email=email, **fields)
    assert answer.status_code == status
    assert email in answer.text
    assert entries(installation) == [f"Looked up one address: {named} ()"]


@pytest.mark.parametrize(("path", "fields", "status"), REFUSED_FORMS)
def test_beyond_sixty_look_ups_a_refused_form_shows_no_account(
    operator, installation, path, fields, status
):
    installation.subscribe(PETRA)
    add_look_ups(installation)
    address = f"/operator/people/person/{path}"
    answer = operator.act("/operator/people", address, email=PETRA, **fields)
    assert answer.status_code == 429
    assert "You looked up 60 addresses within an hour" in answer.text
    assert "Subscriber 1" not in answer.text
    assert len(entries(installation)) == 60


@pytest.mark.parametrize("path", ["let-go", "pause", "resume", "end"])
def test_beyond_sixty_look_ups_what_was_looked_up_before_is_still_changed(
    operator, installation, path
):
    installation.subscribe(PETRA)
    suppress(installation, SuppressionCause.BOUNCED)
    if path == "resume":
        form = hidden(looked_up(operator), "people/person/pause")
        operator.send("/operator/people/person/pause", form)
    form = hidden(looked_up(operator), f"people/person/{path}")
    add_look_ups(installation)
    assert operator.send(f"/operator/people/person/{path}", form).status_code == 303


@pytest.mark.parametrize("email", ["", "petra", "a@b@c", "petra@example.org\x00", "@" * 400])
def test_what_is_no_address_is_refused_beside_the_field(operator, installation, email):
    answer = operator.act("/operator/people", "/operator/people/person", email=email)
    assert answer.status_code == 422
    assert "This is not a usable e-mail address" in answer.text
    assert entries(installation) == []


def test_an_operator_looks_up_sixty_addresses_an_hour(installation):
    add_operator(installation)
    add_look_ups(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        answer = browser.act("/operator/people", "/operator/people/person", email=PETRA)
    assert answer.status_code == 429
    assert "You looked up 60 addresses within an hour" in answer.text
    assert len(entries(installation)) == 60
    with visiting(installation, MONDAY + timedelta(minutes=2)) as client:
        again = Operator(client)
        again.cookies = browser.cookies
        looked_up(again)


def test_a_form_after_the_log_in_ended_does_not_show_the_address(installation):
    installation.subscribe(PETRA)
    add_operator(installation)
    with visiting(installation) as client:
        browser = Operator(client)
        browser.log_in()
        form = hidden(looked_up(browser), "people/person/pause") | {"reason": "by phone"}
        cookies = browser.cookies
    with visiting(installation, MONDAY + timedelta(hours=13)) as client:
        browser = Operator(client)
        browser.cookies = cookies
        answer = browser.send("/operator/people/person/pause", form)
    assert answer.status_code == 401
    assert "by phone" in answer.text
    assert "petra" not in answer.text
