"""Compiled messages: rendering for each recipient gives the bytes of a mail rendered alone."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.deliver.mime.message import compile_message
from notifier.text.cleaning import clean
from tests.support.installation import MONDAY
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_digest_spec, an_item, parsed


def compiled(spec):
    return compile_message(spec, SENDER, TEMPLATES.mail_page, TEMPLATES.render)


def test_each_recipient_finds_their_own_links_and_nobody_elses():
    first = a_digest_spec(a_digest())
    template = compiled(first)
    for number in range(3):
        url = f"https://news.example.org/unsubscribe/token-{number}"
        list_headers = replace(
            first.list_headers, leave_url=url, unsubscribe_token=f"word-{number}"
        )
        personal = {**first.personal, "leave_url": url, "schedule": f"weekly, at 0{number}:00"}
        spec = replace(
            first,
            to=f"p{number}@example.org",
            message_id=f"<{number}@x>",
            personal=personal,
            list_headers=list_headers,
        )
        mail = parsed(template.render(spec.recipient, MONDAY))
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
def test_any_personal_text_is_read_back_and_no_line_is_too_long(schedule: str, title: str):
    spec = a_digest_spec(
        a_digest(an_item(title=clean(title) or "x", summary=title)), schedule=schedule
    )
    message = compiled(spec).render(spec.recipient, MONDAY)
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
    spec = a_digest_spec(a_digest(), schedule=schedule)
    mail = parsed(compiled(spec).render(spec.recipient, MONDAY))
    assert clean(schedule) in text_of(mail)
    assert "<b>now" not in html_of(mail)


@pytest.mark.parametrize(
    "schedule", [".", "...", ".x" * 100, "x" * 72 + ".y", " .", "é" * 12 + "." * 90]
)
def test_no_line_begins_with_a_dot_and_the_dots_are_read_back(schedule: str):
    dotted = ".first\n.second\n" + "a" * 70 + "....." + "é" * 9 + "." * 200
    spec = a_digest_spec(a_digest(an_item(title=".NET", summary=dotted)), schedule=schedule)
    message = compiled(spec).render(spec.recipient, MONDAY)
    assert b"\n." not in message
    assert max(map(len, message.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    text = text_of(parsed(message))
    assert clean(schedule) in text
    assert ".NET" in text
    assert "." * 200 in text.replace("\n", "").replace(" ", "")


def test_a_text_from_outside_cannot_name_a_slot():
    spec = a_digest_spec(
        a_digest(an_item(title="leave_url {{ leave_url }} @@leave_url@@", summary="x0x"))
    )
    html = html_of(parsed(compiled(spec).render(spec.recipient, MONDAY)))
    assert "leave_url {{ leave_url }} @@leave_url@@" in html
    assert html.count(spec.personal["leave_url"]) == 2


def test_a_mail_without_slots_is_compiled_too():
    spec = replace(
        a_digest_spec(a_digest()),
        template="operator_alert",
        values={"paragraphs": [["one", "two"]]},
        personal={},
        list_headers=None,
    )
    mail = parsed(compiled(spec).render(spec.recipient, MONDAY))
    assert "one" in text_of(mail)
    assert mail["List-Unsubscribe"] is None
