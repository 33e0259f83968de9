"""The pages about digests: what an editor sees, decides and writes, and what becomes of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, update

from notifier.admin import mail_to_oneself, review
from notifier.enums import DeliveryStatus, SubscriptionStatus
from notifier.pipeline import compose
from notifier.pipeline.run import run_once
from notifier.settings import Sender, Smtp
from notifier.store.models import Delivery, Match, Subscription
from tests.support.forms import add_second_profile
from tests.support.installation import MONDAY
from tests.support.mail_sink import text_of
from tests.support.operators import add_operator, token_in
from tests.web.operator.digest_world import (
    CORRECTED,
    DUE,
    EVENING,
    HOUR,
    LESIONS,
    READERS,
    SLEEP,
    act,
    digests_of,
    done,
    log_of,
    logged_in,
    publish,
    states,
    with_drafts,
)

pytestmark = pytest.mark.postgresql_long

NOW = EVENING + HOUR
TITLE = "Frexalimab, daily digest for patients, in English"


@pytest.fixture
def reviewed(installation):
    """Three drafts that wait, on SQLite."""
    return with_drafts(installation)


@pytest.fixture
def any_reviewed(any_installation):
    """Three drafts that wait, on each kind of database in turn."""
    return with_drafts(any_installation)


@pytest.fixture
def anna(reviewed):
    """An owner at the pages, an hour after the drafts were composed."""
    with logged_in(reviewed, NOW, "anna") as (browser,):
        yield browser


def numbers(made):
    """Return the ids of the drafts of clinicians, German and English patients."""
    found = {(str(each.edition), each.language): each.id for each in digests_of(made)}
    return found["clinician", "en"], found["patient", "de"], found["patient", "en"]


def statuses(made) -> dict[int, str]:
    return {digest.id: str(digest.status) for digest in digests_of(made)}


def notes(made) -> dict[int, str]:
    return {digest.id: digest.editors_note for digest in digests_of(made)}


def items_of(made, digest_id: int) -> list[int]:
    """Return the matches of a digest, in their order."""
    with made.at(MONDAY).reading() as session:
        digest = next(each for each in digests_of(made) if each.id == digest_id)
        return [item.match_id for item in session.merge(digest).items]


def match_of(made, title: str) -> int:
    with made.at(MONDAY).reading() as session:
        return next(each.id for each in session.scalars(select(Match)) if each.entry.title == title)


def test_the_list_shows_what_waits_for_whom_and_when(reviewed, anna):
    page = anna.get("/operator/digests").text
    for number, title in zip(
        numbers(reviewed),
        ("clinicians, in English", "patients, in German", "patients, in English"),
        strict=True,
    ):
        assert f'href="./digests/{number}">Frexalimab, daily digest for {title}' in page
    assert page.count("Waits for your approval") == 3
    assert page.count("due Tue 3 Mar 2026, 08:00") == 3
    assert page.count("<span>fewer than 5 readers</span>") == 3
    assert "Nothing is being sent at present." in page
    assert "A digest is composed 12 hours before it is due." in page


def test_without_review_the_list_says_so_and_shows_what_comes_next(installation):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    publish(installation, MONDAY + HOUR, LESIONS)
    add_operator(installation)
    with logged_in(installation, MONDAY + 2 * HOUR, "anna") as (browser,):
        page = browser.get("/operator/digests").text
        assert "Nobody approves digests here" in page
        assert "Tue 3 Mar 2026, 08:00" in page
        preview = browser.get("/operator/digests/next?profile=frexalimab&every=daily")
        assert "Patients, English" in preview.text
        assert "and goes out at once" in preview.text
        mail = browser.get("/operator/digests/next/mail?profile=frexalimab&every=daily")
        assert LESIONS.title in mail.text
        assert browser.get("/operator/digests/next?profile=frexalimab&every=x").status_code == 404
        assert browser.get("/operator/digests/next?profile=x&every=daily").status_code == 404


def test_a_list_is_paged(reviewed, anna, monkeypatch):
    monkeypatch.setattr("notifier.web.operator.digests.digest_list._MANY", 2)
    first = anna.get("/operator/digests?show=waiting").text
    assert first.count("Waits for your approval") == 2
    assert f"show=waiting&amp;before={sorted(statuses(reviewed))[1]}" in first
    second = anna.get(f"/operator/digests?show=waiting&before={sorted(statuses(reviewed))[1]}").text
    assert second.count("Waits for your approval") == 1
    assert "Older ones" not in second


def test_the_list_is_narrowed_to_a_therapy_and_stays_so(reviewed, anna):
    assert 'name="profile"' not in anna.get("/operator/digests").text  # there is one alone
    add_second_profile(reviewed)
    for name, profile in (("zoe", "tolebrutinib"), ("ida", "frexalimab")):
        reviewed.subscribe(f"{name}@example.org", "weekly", on="thursday", profile=profile)
    both = anna.get("/operator/digests?profile=").text
    assert both.count("Waits for your approval") == 3
    other = anna.get("/operator/digests?profile=Tolebr").text
    assert "Nothing waits: no draft is to be approved" in other
    assert "Frexalimab, daily" not in other
    assert "Wait for a decision (0)" in other
    assert 'href="./digests?show=next&amp;profile=Tolebr"' in other
    coming = " ".join(anna.get("/operator/digests?show=next&day=1&profile=Tolebr").text.split())
    assert "Tolebrutinib: weekly" in coming
    assert "Frexalimab:" not in coming
    assert "Show all therapies" in coming
    same = anna.get("/operator/digests?profile=frexalimab&show=waiting").text
    assert same.count("Waits for your approval") == 3
    wrong = anna.get("/operator/digests?profile=nothing+of+that+kind")
    assert wrong.status_code == 422
    assert "No therapy has this in its name." in wrong.text
    assert "Waits for your approval" not in wrong.text


@pytest.mark.parametrize("path", ["0", "99999", "x", "1/x"])
def test_a_digest_that_is_not_there_is_a_page_that_is_not_there(anna, path):
    assert anna.get(f"/operator/digests/{path}").status_code == 404


def test_the_mail_stands_in_a_frame_that_runs_and_loads_nothing(reviewed, anna):
    number = numbers(reviewed)[2]
    page = anna.get(f"/operator/digests/{number}")
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    mail = anna.get(f"/operator/digests/{number}/mail?view=dark")
    policy = mail.headers["content-security-policy"]
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "@media (prefers-color-scheme" not in mail.text
    assert '<base target="_blank">' in mail.text
    text = anna.get(f"/operator/digests/{number}?view=text").text
    assert "ABOUT FREXALIMAB" in text


def test_the_links_of_a_shown_mail_belong_to_nobody(reviewed, anna):
    mail = anna.get(f"/operator/digests/{numbers(reviewed)[2]}/mail").text
    links = set(re.findall(r"https://news.example.org(/(?:unsubscribe|preferences)/[^\"]+)", mail))
    assert len(links) == 2
    for link in links:
        assert anna.get(link).status_code == 404
        anna.send(link, {})
    with reviewed.at(MONDAY).reading() as session:
        confirmed = Subscription.status == SubscriptionStatus.CONFIRMED
        assert session.scalar(select(func.count()).where(confirmed)) == len(READERS)


def test_an_approved_draft_is_sent_and_the_log_tells_who_approved_it(any_reviewed):
    number = numbers(any_reviewed)[2]
    with logged_in(any_reviewed, NOW, "ben") as (ben,):
        answer = act(ben, number, "approve")
        assert done(ben, answer, number) == f"Approved digest {number}: {TITLE}."
    run_once(any_reviewed.at(DUE))
    assert [mail["To"] for mail in any_reviewed.sink.messages] == ["anna@example.org"]
    assert log_of(any_reviewed) == [f"ben: Approved digest {number}: {TITLE}"]


def test_all_editions_and_languages_are_approved_at_once(reviewed, anna):
    path = f"/operator/digests/{numbers(reviewed)[0]}"
    answer = anna.act(path, f"{path}/approve", **states(anna.get(path)))
    assert answer.status_code == 303
    assert {*statuses(reviewed).values()} == {"approved"}
    assert len(log_of(reviewed)) == 3


def test_of_two_approvals_at_once_one_wins_and_the_other_is_told(any_reviewed):
    number = numbers(any_reviewed)[2]
    with logged_in(any_reviewed, NOW, "anna", "ben") as browsers, ThreadPoolExecutor(2) as pool:
        path = f"/operator/digests/{number}"
        pages = [browser.get(path) for browser in browsers]
        forms = [
            {"token": token_in(page.text), f"state_{number}": states(page)[f"state_{number}"]}
            for page in pages
        ]
        answers = list(
            pool.map(
                lambda each: each[0].send(f"{path}/approve", each[1]),
                zip(browsers, forms, strict=True),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "was changed since you were shown it" in refused.text
    assert "What happened meanwhile" in refused.text
    assert f"Approved digest {number}" in refused.text
    assert len(log_of(any_reviewed)) == 1


def test_an_approval_of_what_another_editor_changed_is_refused(reviewed):
    number = numbers(reviewed)[2]
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        seen = states(anna.get(f"/operator/digests/{number}"))[f"state_{number}"]
        act(ben, number, "note", note_en="Good news first.")
        path = f"/operator/digests/{number}"
        answer = anna.act(path, f"{path}/approve", **{f"state_{number}": seen})
    assert answer.status_code == 409
    assert "ben: Wrote the editor&#39;s note of" in answer.text
    assert "Good news first." in answer.text
    assert statuses(reviewed)[number] == "draft"


def test_an_approval_after_the_correction_of_an_item_is_refused(any_reviewed):
    number = numbers(any_reviewed)[2]
    with logged_in(any_reviewed, NOW, "anna") as (anna,):
        seen = states(anna.get(f"/operator/digests/{number}"))[f"state_{number}"]
        publish(any_reviewed, NOW, CORRECTED, SLEEP)
        path = f"/operator/digests/{number}"
        answer = anna.act(path, f"{path}/approve", **{f"state_{number}": seen})
    assert answer.status_code == 409
    assert f"“{LESIONS.title}” was corrected" in answer.text
    assert "It cannot be approved" in answer.text
    assert statuses(any_reviewed)[number] == "draft"


def test_a_held_draft_is_sent_when_it_is_released(reviewed, anna):
    number = numbers(reviewed)[2]
    act(anna, number, "hold")
    assert statuses(reviewed)[number] == "held"
    run_once(reviewed.at(DUE))
    assert not reviewed.sink.messages
    answer = act(anna, number, "approve")
    assert done(anna, answer, number) == f"Released digest {number}: {TITLE}."
    run_once(reviewed.at(DUE + HOUR))
    assert len(reviewed.sink.messages) == 1


def test_a_digest_that_is_being_sent_is_stopped_with_the_reason(installation):
    due = installation.discover(2)
    compose.run(installation.at(due))
    add_operator(installation)
    with logged_in(installation, due, "anna") as (anna,):
        assert "Is being sent" in anna.get("/operator/digests/1").text
        answer = act(anna, 1, "hold", because="The dose is wrong")
        assert done(anna, answer).startswith("Stopped digest 1")
        run_once(installation.at(due))
        assert not installation.sink.messages
        act(anna, 1, "approve")
        run_once(installation.at(due))
        assert len(installation.sink.messages) == 2
        answer = act(anna, 1, "hold")
        assert answer.status_code == 409
        assert "neither waits nor is being sent" in answer.text
    assert log_of(installation)[0].endswith("(The dose is wrong)")


def test_a_dropped_draft_is_sent_to_nobody_and_needs_a_reason(reviewed, anna):
    number = numbers(reviewed)[2]
    refused = act(anna, number, "drop", drop_because=" ")
    assert refused.status_code == 422
    assert "Say why, in a few words." in refused.text
    answer = act(anna, number, "drop", drop_because="Nothing new in it")
    assert done(anna, answer, number) == f"Dropped digest {number}: {TITLE}."
    assert statuses(reviewed)[number] == "dropped"
    assert "Nothing new in it" in anna.get("/operator/digests?show=ended").text
    run_once(reviewed.at(DUE))
    assert not reviewed.sink.messages


def test_each_language_has_a_note_of_its_own_and_the_others_have_none(any_reviewed):
    clinicians, german, english = numbers(any_reviewed)
    with logged_in(any_reviewed, NOW, "anna") as (anna,):
        answer = act(anna, english, "note", note_en="Read this <b>first</b>.\r\n\r\nThen that.")
        assert answer.status_code == 303
        page = anna.get(f"/operator/digests/{english}/mail").text
    assert "Read this &lt;b&gt;first&lt;/b&gt;." in page
    text = "Read this <b>first</b>.\n\nThen that."
    assert notes(any_reviewed) == {clinicians: text, german: "", english: text}
    assert len(log_of(any_reviewed)) == 2


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("أخبار جديدة", True),
        ("a" * 2000, True),
        ("a" * 2001, False),
        ("ä" * 10_000, False),
        ("\x00", True),
    ],
    ids=["right to left", "as long as it may be", "too long", "10,000 characters", "NUL"],
)
def test_a_note_is_text_of_at_most_2000_characters(reviewed, anna, text, is_taken):
    english = numbers(reviewed)[2]
    answer = act(anna, english, "note", note_en=text, note_de="Hallo")
    assert answer.status_code == (303 if is_taken else 422)
    if not is_taken:
        assert "at most 2000 are allowed" in answer.text
        assert text in answer.text
        assert {*notes(reviewed).values()} == {""}


def test_a_note_that_did_not_change_changes_nothing(reviewed, anna):
    answer = act(anna, numbers(reviewed)[2], "note", note_en="", note_de="  ")
    assert answer.status_code == 422
    assert "This is as it was" in answer.text
    assert log_of(reviewed) == []


def test_two_editors_write_a_note_and_the_second_is_shown_the_first(reviewed):
    english = numbers(reviewed)[2]
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        path = f"/operator/digests/{english}"
        seen = states(anna.get(path))
        act(ben, english, "note", note_en="The words of Ben.")
        answer = anna.act(path, f"{path}/note", **seen, note_en="The words of Anna.")
    assert answer.status_code == 409
    assert "The words of Anna.</textarea>" in answer.text
    assert "It is now:" in answer.text
    assert "The words of Ben." in answer.text
    assert notes(reviewed)[english] == "The words of Ben."


_WAS = re.compile(r'name="(was_((?:note|place)_\w+))" value="([^"]*)"')
_NOTE = re.compile(r'<textarea id="(note_\w+)"[^>]*>\n([^<]*)</textarea>')
_PLACE = re.compile(r'name="(place_\d+)"[^>]* value="([^"]*)"')


def form_of(page, kind: str) -> dict[str, str]:
    """Return the fields of the notes, or of the places, as a browser sends them untouched."""
    was = {name: value for name, field, value in _WAS.findall(page.text) if kind in field}
    fields = dict((_NOTE if kind == "note" else _PLACE).findall(page.text))
    return {
        name: unescape(value).replace("\n", "\r\n")
        for name, value in {**states(page), **was, **fields}.items()
    }


def test_a_note_in_another_language_that_was_written_meanwhile_stays(any_reviewed):
    _, german, english = numbers(any_reviewed)
    path = f"/operator/digests/{english}"
    with logged_in(any_reviewed, NOW, "anna", "ben") as (anna, ben):
        act(anna, german, "note", note_de="Erst das.\n\nDann <das> & jenes.")
        seen = form_of(anna.get(path), "note")
        act(ben, german, "note", note_de="Die Worte von Ben.")
        answer = anna.act(path, f"{path}/note", **seen | {"note_en": "The words of Anna."})
    assert answer.status_code == 303
    assert notes(any_reviewed)[german] == "Die Worte von Ben."
    assert notes(any_reviewed)[english] == "The words of Anna."


@pytest.mark.parametrize(
    ("typed", "status"), [("The words of Anna.", 409), ("x" * 2001, 422)], ids=["both", "too long"]
)
def test_a_page_shown_again_keeps_what_was_typed_and_has_the_other_editors_note(
    reviewed, typed, status
):
    _, german, english = numbers(reviewed)
    path = f"/operator/digests/{english}"
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        act(anna, english, "note", note_en="First.", note_de="Zuerst.")
        seen = form_of(anna.get(path), "note")
        act(ben, english, "note", note_en="The words of Ben.", note_de="Die Worte von Ben.")
        answer = anna.act(path, f"{path}/note", **seen | {"note_en": typed})
        assert answer.status_code == status
        again = form_of(answer, "note")
        assert again["note_en"] == typed
        assert "It is now:" in answer.text
        assert "The words of Ben." in answer.text
        assert again["note_de"] == "Die Worte von Ben."
        answer = anna.act(path, f"{path}/note", **again | {"note_en": "The words of both."})
    assert answer.status_code == 303
    assert notes(reviewed)[german] == "Die Worte von Ben."
    assert notes(reviewed)[english] == "The words of both."


def test_a_note_that_another_editor_removed_does_not_come_back(reviewed):
    _, german, english = numbers(reviewed)
    path = f"/operator/digests/{english}"
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        act(anna, german, "note", note_de="Zuerst.")
        seen = form_of(anna.get(path), "note")
        act(ben, german, "note", note_de="")
        answer = anna.act(path, f"{path}/note", **seen | {"note_en": "The words of Anna."})
    assert answer.status_code == 303
    assert notes(reviewed)[german] == ""


def test_the_same_note_written_by_two_is_as_it_was(reviewed):
    english = numbers(reviewed)[2]
    path = f"/operator/digests/{english}"
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        seen = form_of(anna.get(path), "note")
        act(ben, english, "note", note_en="The same.")
        answer = anna.act(path, f"{path}/note", **seen | {"note_en": "The same."})
    assert answer.status_code == 422
    assert "This is as it was" in answer.text


def test_an_order_that_changed_meanwhile_is_in_the_fields_but_for_what_was_typed(reviewed):
    english = numbers(reviewed)[2]
    path = f"/operator/digests/{english}"
    first, second = items_of(reviewed, english)
    with logged_in(reviewed, NOW, "anna", "ben") as (anna, ben):
        seen = form_of(anna.get(path), "place")
        act(ben, english, "order", **{f"place_{first}": "2", f"place_{second}": "1"})
        answer = anna.act(path, f"{path}/order", **seen | {f"place_{second}": "7"})
    assert answer.status_code == 409
    again = form_of(answer, "place")
    assert (again[f"place_{first}"], again[f"place_{second}"]) == ("2", "7")


def test_the_order_is_changed_by_numbers_in_all_editions_if_wished(any_reviewed):
    clinicians, german, english = numbers(any_reviewed)
    before = items_of(any_reviewed, english)
    places = {f"place_{match_id}": str(9 - place) for place, match_id in enumerate(before)}
    with logged_in(any_reviewed, NOW, "anna") as (anna,):
        assert act(anna, english, "order", **places).status_code == 303
        assert items_of(any_reviewed, english) == before[::-1]
        assert items_of(any_reviewed, german) == before
        assert act(anna, german, "order", **places, all="yes").status_code == 303
    assert items_of(any_reviewed, german) == items_of(any_reviewed, clinicians) == before[::-1]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"place_99": "1"}, "has no item 99"),
        ({"place_1": "first"}, "Places are whole numbers"),
        ({"place_1": "0"}, "Places are whole numbers"),
        ({"place_1": "-3"}, "Places are whole numbers"),
        ({}, "This is as it was"),
    ],
    ids=["an item of another digest", "a word", "zero", "less than zero", "nothing"],
)
def test_an_order_that_makes_no_sense_changes_nothing(reviewed, anna, fields, problem):
    english = numbers(reviewed)[2]
    before = items_of(reviewed, english)
    if not fields:
        fields = {f"place_{match}": str(place) for place, match in enumerate(before, 1)}
    answer = act(anna, english, "order", **fields)
    assert answer.status_code == 422
    assert problem in answer.text
    assert items_of(reviewed, english) == before
    assert log_of(reviewed) == []


def test_the_order_of_a_very_long_digest_is_read(reviewed, anna):
    fields = {f"place_{number}": str(number) for number in range(1, 301)}
    answer = act(anna, numbers(reviewed)[2], "order", **fields)
    assert answer.status_code == 422
    assert "has no item" in answer.text


def test_an_item_left_out_is_in_no_edition_and_in_no_later_digest(any_reviewed):
    clinicians, german, english = numbers(any_reviewed)
    sleep = match_of(any_reviewed, SLEEP.title)
    with logged_in(any_reviewed, NOW, "anna") as (anna,):
        act(anna, german, "note", note_de="Guten Morgen")
        refused = act(anna, english, "leave-out", item=str(sleep), because="")
        assert refused.status_code == 422
        answer = act(anna, english, "leave-out", item=str(sleep), because="Not about MS")
        assert done(anna, answer, english).startswith(f"Left “{SLEEP.title}” out of digest")
    lesions = match_of(any_reviewed, LESIONS.title)
    assert {number: items_of(any_reviewed, number) for number in (clinicians, german, english)} == {
        clinicians: [lesions],
        german: [lesions],
        english: [lesions],
    }
    assert notes(any_reviewed)[german] == "Guten Morgen"
    compose.run(any_reviewed.at(NOW))
    assert {*statuses(any_reviewed).values()} == {"draft"}


def test_an_item_can_be_left_out_of_what_was_not_sent_yet(reviewed):
    _, german, english = numbers(reviewed)
    review.approve(reviewed.at(NOW), english)
    run_once(reviewed.at(DUE))
    sleep, lesions = (match_of(reviewed, each.title) for each in (SLEEP, LESIONS))
    with logged_in(reviewed, DUE, "anna") as (anna,):
        answer = act(anna, german, "leave-out", item=str(sleep), because="Not about MS")
        assert answer.status_code == 303
    assert items_of(reviewed, german) == [lesions]
    assert len(items_of(reviewed, english)) == 2


def test_the_last_item_cannot_be_left_out(reviewed, anna):
    english = numbers(reviewed)[2]
    for title in (SLEEP.title, LESIONS.title):
        match_id = match_of(reviewed, title)
        answer = act(anna, english, "leave-out", item=str(match_id), because="No")
    assert answer.status_code == 409
    assert "drop the whole draft" in answer.text
    assert items_of(reviewed, english) == [match_id]


@pytest.mark.parametrize("item", ["99", "x", ""])
def test_an_item_of_another_digest_cannot_be_left_out(reviewed, anna, item):
    answer = act(anna, numbers(reviewed)[2], "leave-out", item=item, because="No")
    assert answer.status_code == 404
    assert log_of(reviewed) == []


def test_what_was_approved_is_a_draft_again_after_a_change(reviewed, anna):
    english = numbers(reviewed)[2]
    act(anna, english, "approve")
    act(anna, english, "note", note_en="One more word.")
    assert statuses(reviewed)[english] == "draft"


def test_a_digest_that_was_sent_cannot_be_changed(reviewed, anna):
    english = numbers(reviewed)[2]
    seen = states(anna.get(f"/operator/digests/{english}"))
    review.approve(reviewed.at(NOW), english)
    run_once(reviewed.at(DUE))
    path = f"/operator/digests/{english}"
    answer = anna.act(path, f"{path}/note", **seen, note_en="Too late")
    assert answer.status_code == 409
    assert "cannot be changed any more" in answer.text
    assert notes(reviewed)[english] == ""


def test_a_test_mail_goes_to_the_address_and_the_log_does_not_name_it(reviewed, anna):
    english = numbers(reviewed)[2]
    answer = act(anna, english, "test", address="Editor@Example.org")
    assert done(anna, answer, english).startswith("The mail server accepted the test mail")
    (mail,) = reviewed.sink.messages
    assert mail["To"] == "Editor@example.org"
    assert LESIONS.title in text_of(mail)
    assert "example.org" not in " ".join(log_of(reviewed))
    assert statuses(reviewed)[english] == "draft"


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b@c", "x" * 400 + "@example.org", "a@b\r\nBcc: c@d"]
)
def test_a_test_mail_to_nonsense_is_refused_beside_the_field(reviewed, anna, address):
    answer = act(anna, numbers(reviewed)[2], "test", address=address)
    assert answer.status_code == 422
    assert 'id="wrong-address"' in answer.text
    assert not reviewed.sink.messages
    assert log_of(reviewed) == []


def test_the_words_of_a_server_that_refuses_a_test_mail_are_shown_without_the_address(reviewed):
    words = "550 5.1.1 editor@example.org is unknown here"
    reviewed.sink.refuse_recipient["editor@example.org"] = words
    with logged_in(reviewed, NOW, "anna") as (anna,):
        answer = act(anna, numbers(reviewed)[2], "test", address="editor@example.org")
    assert answer.status_code == 409
    assert "answered 550 to RCPT TO: 5.1.1 (the recipient) is unknown here." in answer.text
    assert "editor@" not in answer.text.replace('value="editor@example.org"', "")
    assert 'value="editor@example.org"' in answer.text
    assert "editor@" not in " ".join(log_of(reviewed))


def test_a_test_mail_to_a_server_that_is_not_there_is_reported(reviewed):
    reviewed.change(smtp=Smtp(port=9, security="none", timeout_seconds=1))
    with logged_in(reviewed, NOW, "anna") as (anna,):
        answer = act(anna, numbers(reviewed)[2], "test", address="editor@example.org")
    assert answer.status_code == 409
    assert "The mail server did not take the mail" in answer.text


def test_without_a_sender_no_test_mail_is_sent(reviewed):
    reviewed.change(sender=Sender(name="Example Society"))
    with logged_in(reviewed, NOW, "anna") as (anna,):
        answer = act(anna, numbers(reviewed)[2], "test", address="editor@example.org")
    assert answer.status_code == 409
    assert "the sender&#39;s address is not set" in answer.text


def test_of_many_test_mails_at_once_ten_are_sent_in_an_hour(any_reviewed, monkeypatch):
    number = numbers(any_reviewed)[2]
    path = f"/operator/digests/{number}"
    monkeypatch.setattr(mail_to_oneself, "MOST", 3)
    with logged_in(any_reviewed, NOW, "anna") as (anna,), ThreadPoolExecutor(5) as pool:
        fields = {"token": token_in(anna.get(path).text), "address": "editor@example.org"}
        answers = list(pool.map(lambda _: anna.send(f"{path}/test", fields).status_code, range(5)))
    assert sorted(answers) == [303, 303, 303, 429, 429]
    with logged_in(any_reviewed, NOW + HOUR + timedelta(seconds=1), "anna") as (anna,):
        assert anna.act(path, f"{path}/test", address="editor@example.org").status_code == 303


def test_the_brake_stops_all_mails_until_it_is_released(reviewed, anna):
    english = numbers(reviewed)[2]
    act(anna, english, "approve")
    answer = anna.act("/operator/digests", "/operator/digests/stop", because="A wrong link")
    assert "Stopped all sending." in anna.follow(answer, "/operator/digests/stop").text
    again = anna.act("/operator/digests", "/operator/digests/stop")
    assert again.status_code == 409
    run_once(reviewed.at(DUE))
    assert not reviewed.sink.messages
    answer = anna.act(
        f"/operator/digests/{english}", "/operator/digests/resume", digest=str(english)
    )
    assert answer.headers["location"].startswith(f"../digests/{english}")
    run_once(reviewed.at(DUE))
    assert len(reviewed.sink.messages) == 1
    assert "anna: Stopped all sending (A wrong link)" in log_of(reviewed)


@pytest.mark.parametrize(
    "path",
    ["stop", "resume", *(f"1/{name}" for name in ("approve", "hold", "drop", "note", "test"))],
)
def test_no_form_does_anything_without_its_token(reviewed, anna, path):
    answer = anna.send(f"/operator/digests/{path}", {"token": "0" * 64, "because": "x"})
    assert answer.status_code == 403
    assert log_of(reviewed) == []
    assert {*statuses(reviewed).values()} == {"draft"}


def test_the_results_say_what_servers_said_and_name_nobody(any_installation):
    due = any_installation.discover(6)
    run_once(any_installation.at(due))
    add_operator(any_installation)
    with any_installation.at(due).writing() as session:
        ids = session.scalars(
            select(Delivery.id).where(Delivery.digest_id.is_not(None)).order_by(Delivery.id)
        ).all()
        for number, values in zip(
            ids,
            (
                {"status": DeliveryStatus.FAILED, "error": "550 5.1.1 <x@example.org> unknown"},
                {"status": DeliveryStatus.FAILED, "error": "550 5.1.1 <y@example.org> unknown"},
                {"status": DeliveryStatus.PENDING, "error": "451 4.7.1 later", "attempts": 1},
                {"status": DeliveryStatus.UNCERTAIN},
                {"status": DeliveryStatus.SUPPRESSED, "ended_because": "left"},
            ),
            strict=False,
        ):
            changed = update(Delivery).where(Delivery.id == number)
            session.execute(changed.values(sent_at=None, **values))
    with logged_in(any_installation, due, "anna") as (anna,):
        page = anna.get("/operator/digests/1").text
    rows = [" ".join(part.split()) for part in page.split("<tr>")]
    counts = {
        "Accepted by the mail server": 1,
        "Not sent yet": 0,
        "Put off by a server; tried again by itself": 1,
        "Refused for good, or came back": 2,
        "Uncertain: the connection ended before the answer": 1,
        "Not sent, because the readers left before it was sent": 1,
        "Together": 6,
    }
    for name, count in counts.items():
        assert any(
            row.startswith(f'<th scope="row">{name}</th><td class="number">{count}</td>')
            for row in rows
        ), name
    assert "550 5.1.1 " in page
    assert "@example.org" not in page
    assert "Accepted over time" in page


def test_a_get_changes_nothing(reviewed, anna):
    before = digests_of(reviewed)
    for path in (
        "",
        "?show=next",
        "/1",
        "/1/mail",
        "/2?view=text",
        "/next?profile=frexalimab&every=daily",
    ):
        assert anna.get(f"/operator/digests{path}").status_code == 200
    assert [vars(each)["status"] for each in digests_of(reviewed)] == [
        each.status for each in before
    ]
    assert anna.get("/operator/digests/1/approve").status_code == 405
    assert log_of(reviewed) == []


@pytest.mark.parametrize("role", ["anna", "ben"])
def test_few_readers_are_shown_without_their_exact_number(reviewed, role):
    english = numbers(reviewed)[2]
    review.approve(reviewed.at(NOW), english)
    run_once(reviewed.at(DUE))
    for number in range(5):
        reviewed.subscribe(f"reader{number}@example.org", language="fr")
    following = "/operator/digests/next?profile=frexalimab&every=daily"
    with logged_in(reviewed, DUE + HOUR, role) as (browser,):
        page = words(browser.get(f"/operator/digests/{english}").text)
        ahead = words(browser.get(following).text)
        listed = words(browser.get("/operator/digests?show=next").text)
        profile = words(browser.get("/operator/profiles/frexalimab").text)
    assert "Readers fewer than 5 readers" in page
    assert "Accepted by the mail server fewer than 5 Not sent yet 0" in page
    assert "Together fewer than 5" in page
    assert "Accepted over time" not in page
    assert "Patients, English fewer than 5" in ahead
    assert "Patients, French 5" in ahead
    assert "Frexalimab: daily" in listed
    assert "Followers 8" in profile


def test_a_digest_of_five_readers_has_exact_numbers(installation):
    for number in range(5):
        installation.subscribe(f"reader{number}@example.org")
    run_once(installation.at(MONDAY))
    publish(installation, MONDAY + HOUR, LESIONS)
    run_once(installation.at(DUE))
    add_operator(installation)
    with logged_in(installation, DUE + HOUR, "anna") as (browser,):
        page = words(browser.get("/operator/digests/1").text)
        profiles = words(browser.get("/operator/profiles").text)
    assert "Readers 5 readers" in page
    assert "Accepted by the mail server 5" in page
    assert "Accepted over time" in page
    assert "5" in profiles


def words(page: str) -> str:
    """Return the text of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
