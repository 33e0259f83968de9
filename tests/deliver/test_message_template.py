"""A mail is cast once and filled for each recipient: the same bytes as if it had been rendered for them alone."""

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.deliver.mime.message import compile_message
from notifier.text.cleaning import clean
from tests.support.installation import MONDAY
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_letter, an_item


def parsed(message: bytes):
    return message_from_bytes(message, policy=policy.default)


def mould(letter):
    return compile_message(letter, SENDER, TEMPLATES.mail_page, TEMPLATES.render)


def test_each_recipient_finds_their_own_links_and_nobody_elses():
    first = a_letter(a_digest())
    made = mould(first)
    for number in range(3):
        url = f"https://news.example.org/unsubscribe/token-{number}"
        list_headers = replace(first.list_headers, leave_url=url, unsubscribe_token=f"word-{number}")
        personal = {**first.personal, "leave_url": url, "schedule": f"weekly, at 0{number}:00"}
        letter = replace(
            first,
            to=f"p{number}@example.org",
            message_id=f"<{number}@x>",
            personal=personal,
            list_headers=list_headers,
        )
        mail = parsed(made.render(letter.recipient, MONDAY))
        assert mail["To"] == f"p{number}@example.org"
        assert mail["Message-ID"] == f"<{number}@x>"
        assert (
            mail["List-Unsubscribe"]
            == f"<{url}>, <mailto:office@example.org?subject=unsubscribe%20word-{number}>"
        )
        for part in (text_of(mail), html_of(mail)):
            assert set(re.findall(r"/unsubscribe/([\w.-]+)", part)) == {f"token-{number}"}
            assert f"weekly, at 0{number}:00." in part


WORDS = st.text(st.characters(codec="utf-8"), max_size=300)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(WORDS, WORDS)
def test_whatever_is_filled_in_is_read_back_and_no_line_grows_too_long(schedule: str, title: str):
    letter = a_letter(
        a_digest(an_item(title=clean(title) or "x", summary=title)), schedule=schedule
    )
    message = mould(letter).render(letter.recipient, MONDAY)
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert b"\n." not in message
    body = message.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    mail = parsed(message)
    assert not mail.defects
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    if clean(schedule).strip():
        assert clean(schedule) in text_of(mail)
    assert "<script" not in html_of(mail)


@pytest.mark.parametrize(
    "schedule",
    ["<b>now</b>", "a & b", '"quoted"', "=?utf-8?q?x?=", "=41", "x" * 500, "ünïcödé " * 30],
)
def test_a_personal_text_is_escaped_in_html_and_plain_in_text(schedule: str):
    letter = a_letter(a_digest(), schedule=schedule)
    mail = parsed(mould(letter).render(letter.recipient, MONDAY))
    assert clean(schedule) in text_of(mail)
    assert "<b>now" not in html_of(mail)


@pytest.mark.parametrize(
    "schedule", [".", "...", ".x" * 100, "x" * 72 + ".y", " .", "é" * 12 + "." * 90]
)
def test_no_line_begins_with_a_dot_and_the_dots_are_read_back(schedule: str):
    dotted = ".first\n.second\n" + "a" * 70 + "....." + "é" * 9 + "." * 200
    letter = a_letter(a_digest(an_item(title=".NET", summary=dotted)), schedule=schedule)
    message = mould(letter).render(letter.recipient, MONDAY)
    assert b"\n." not in message
    assert max(map(len, message.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    text = text_of(parsed(message))
    assert clean(schedule) in text
    assert ".NET" in text
    assert "." * 200 in text.replace("\n", "").replace(" ", "")


def test_a_text_from_outside_cannot_name_a_slot():
    letter = a_letter(
        a_digest(an_item(title="leave_url {{ leave_url }} @@leave_url@@", summary="x0x"))
    )
    html = html_of(parsed(mould(letter).render(letter.recipient, MONDAY)))
    assert "leave_url {{ leave_url }} @@leave_url@@" in html
    assert html.count(letter.personal["leave_url"]) == 2


def test_a_letter_without_slots_is_cast_too():
    letter = replace(
        a_letter(a_digest()),
        template="operator_alert",
        values={"paragraphs": [["one", "two"]]},
        personal={},
        list_headers=None,
    )
    mail = parsed(mould(letter).render(letter.recipient, MONDAY))
    assert "one" in text_of(mail)
    assert mail["List-Unsubscribe"] is None
