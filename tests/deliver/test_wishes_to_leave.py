"""Wishes to leave, and what is ours in a mail that came back, in whatever dress they come."""

import base64
from email import message_from_bytes
from urllib.parse import quote

import pytest

from notifier.deliver.bounces import other_mails, parser
from notifier.enums import BounceKind
from tests.support.effort import measured
from tests.support.returned_mails import (
    BOUNCE,
    GONE,
    PERSON,
    SYSTEM,
    away,
    complaint,
    event,
    group,
    mail,
    page,
    parts,
    text,
)

WISH = "A08Qv1l1SAUGuG0WsMx-_w"
WISHES = (
    "unsubscribe {}",
    "Unsubscribe {}",
    "UNSUBSCRIBE {}",
    "unsubscribe   {}  ",
    "Re: unsubscribe {}",
    "RE: AW: unsubscribe {}",
    "[EXTERN] unsubscribe {}",
    "[EXT] Fwd: unsubscribe {}",
    "***SPAM*** unsubscribe {}",
    "{{Spam?}} unsubscribe {}",
    "(no subject) unsubscribe {}",
    "unsubscribe {} [EXTERN]",
    "unsubscribe%20{}",
    "unsubscribe%2520{}",
    "unsubscribe+{}",
    "unsubscribe_{}",
    "unsubscribe: {}",
    "unsubscribe={}",
    '"unsubscribe {}"',
    "<unsubscribe {}>",
    "unsubscribe {}.",
    "mailto:office@example.org?subject=unsubscribe%20{}",
    "unsubscribe\n {}",
    "unsubscribe\u00a0{}",
    "unsubscribe \u200b{}\u200b",
    "unsubscribe=20{}",
    "unsubscribe {}--",
)


@pytest.mark.parametrize("subject", WISHES)
def test_a_wish_to_leave_is_read_whatever_stands_around_it(subject: str):
    wish = mail("", subject=subject.format(WISH), sender=PERSON, return_path=f"<{PERSON}>")
    assert WISH in parser.read(wish).unsubscribe_tokens


@pytest.mark.parametrize(
    "subject",
    [
        f"=?utf-8?q?unsubscribe_{WISH.replace('_', '=5F')}?=",
        "=?utf-8?b?" + base64.b64encode(f"unsubscribe {WISH}".encode()).decode() + "?=",
        (
            f"[EXTERN] =?iso-8859-1?Q?unsubscribe=20{WISH[:9]}?=\n"
            f" =?iso-8859-1?Q?{WISH[9:].replace('_', '=5F')}?="
        ),
    ],
)
def test_a_wish_to_leave_is_read_from_an_encoded_subject(subject: str):
    assert WISH in parser.read(mail("", subject=subject, sender=PERSON)).unsubscribe_tokens


BODIES = {
    "the word alone": mail(f"unsubscribe {WISH}", subject="", sender=PERSON),
    "after empty lines": mail(f"\n\n  unsubscribe {WISH}  \n--\nAnna", subject="Hi", sender=PERSON),
    "with percent signs": mail(f"unsubscribe%20{WISH}", subject="", sender=PERSON),
    "with its name": mail(f"Subject: unsubscribe {WISH}", subject="", sender=PERSON),
    "as the whole address": mail(
        f"mailto:office@example.org?subject=unsubscribe%20{WISH}", subject="", sender=PERSON
    ),
    "before our repeated mail": mail(
        f"unsubscribe {WISH}\n\nMessage-ID: <x@example.org>\n", subject="", sender=PERSON
    ),
    "as the address in brackets": mail(
        f"<mailto:office@example.org?subject=unsubscribe%20{WISH}>", subject="", sender=PERSON
    ),
    "on two lines": mail(f"unsubscribe\n{WISH}\n", subject="", sender=PERSON),
    "HTML": page(f"<div>unsubscribe&nbsp;{WISH}</div>", subject="(kein Betreff)", sender=PERSON),
    "both": parts(
        text(f"unsubscribe {WISH}"),
        f"Content-Type: text/html\n\n<p>unsubscribe {WISH}</p>",
        kind="alternative",
        subject="",
        sender=PERSON,
    ),
}


@pytest.mark.parametrize("form", BODIES)
def test_a_wish_to_leave_is_read_from_the_text_where_the_subject_got_lost(form: str):
    assert WISH in parser.read(BODIES[form]).unsubscribe_tokens


NO_WISHES = {
    "quoted": away("Re: News", f"Thanks!\n> unsubscribe {WISH}\n| unsubscribe {WISH}\n"),
    "inside a sentence": away("Re: News", f"I did not mean to unsubscribe {WISH} at all."),
    "the fields of our mail in a reply": away(
        "Re: News", f"List-Unsubscribe: <mailto:office@example.org?subject=unsubscribe%20{WISH}>"
    ),
    "the fields of our mail in a report": parts(
        text(f"Failed.\n\nunsubscribe {WISH}"),
        f"Content-Type: message/delivery-status\n\n{group('failed', '5.1.1', GONE)}",
        "Content-Type: text/rfc822-headers\n\n"
        f"List-Unsubscribe: <mailto:o@example.org?subject=unsubscribe%20{WISH}>",
        kind="report",
    ),
    "an automatic reply that repeats our text": away(
        "Out of office", f"unsubscribe {WISH}", "Auto-Submitted: auto-replied"
    ),
    "the word without a token": away("unsubscribe", "Please!"),
    "far below": away("Re: News", "\n".join(["text"] * 40 + [f"unsubscribe {WISH}"])),
}


LEAVE = (
    "List-Unsubscribe: <https://alerts.example.org/unsubscribe/IkEwOFF2MWwxU0FV.qqqqqqqqqqqqqq>,\n"
    f" <mailto:office@example.org?subject=unsubscribe%20{WISH}>\n"
)
REPEATED = f"From: digest@example.org\nTo: {PERSON}\nSubject: News\n{LEAVE}\nThe news.\n"
NO_WISHES |= {
    "a reply that repeats our whole mail": away(
        "Re: News", f"Why me?\n\n-------- Original Message --------\n{REPEATED}"
    ),
    "a ticket about our mail": away("[Ticket 55] News", f"We answer soon.\n\n{REPEATED}"),
    "a forwarded mail": away("Fwd: News", f"---- Forwarded message ----\n{REPEATED}"),
    "a note that our mail is quarantined": away("Message held", f"Headers:\n{REPEATED}"),
    "a report that our mail arrived": mail(
        f"Your message was successfully delivered to <{PERSON}>.\n\n{REPEATED}",
        subject="Successful Mail Delivery Report",
    ),
    "the field alone, indented": away("Re: News", f"What is this?\n    {LEAVE}"),
    "the field on lines of its own": away(
        "Re: News", f"List-Unsubscribe:\n <mailto:o@example.org?subject=unsubscribe%20{WISH}>"
    ),
    "in HTML": page(
        "What is this?<br>" + LEAVE.replace("<", "&lt;").replace("\n", "<br>"),
        subject="Re: News",
        sender=PERSON,
    ),
}


@pytest.mark.parametrize("form", NO_WISHES)
def test_what_only_mentions_leaving_is_no_wish_to_leave(form: str):
    assert WISH not in parser.read(NO_WISHES[form]).unsubscribe_tokens


IN_WORDS = {
    "the word as the subject": away("unsubscribe", "Thank you.", return_path=f"<{PERSON}>"),
    "in capitals, with a mark": away("UNSUBSCRIBE!", "", return_path=""),
    "an answer": away("Re: [EXTERN] Unsubscribe", "", return_path=""),
    "in German": away("Bitte abmelden", "", return_path=f"<{PERSON}>"),
    "in French": away("Me désabonner", "", return_path=f"<{PERSON}>"),
    "in Spanish": away("Darme de baja", "", return_path=f"<{PERSON}>"),
    "the first line of an answer": away(
        "Re: News", f"Please unsubscribe me.\n\nOn Monday we wrote:\n> {WISH}", return_path=""
    ),
    "in HTML": page("<div>Unsubscribe</div><div>Anna</div>", subject="Re: News", sender=PERSON),
}


@pytest.mark.parametrize("form", IN_WORDS)
def test_a_wish_to_leave_in_words_alone_is_recognised(form: str):
    found = parser.read(IN_WORDS[form])
    assert found.leaves_in_words == PERSON
    assert found.unsubscribe_tokens == ()


NOT_IN_WORDS = {
    "an automatic reply": away("unsubscribe", "", "Auto-Submitted: auto-replied"),
    "a mail system": mail("x", subject="unsubscribe"),
    "the word in a sentence": away("How do I unsubscribe?", "I do not want to unsubscribe yet."),
    "an advertisement": away("Cheap", "Buy now\nUnsubscribe | Preferences"),
    "a later line": away("Re: News", "Thank you for the news.\nunsubscribe"),
    "quoted": away("Re: News", "> unsubscribe"),
    "nothing": away("", ""),
}


@pytest.mark.parametrize("form", NOT_IN_WORDS)
def test_other_mails_with_the_word_are_no_wish_in_words(form: str):
    assert not parser.read(NOT_IN_WORDS[form]).leaves_in_words


READER, STRANGER = "anna@reader.example", "bob@other.example"
SENDERS = {
    "an address as the name": (f'"{READER}" <{STRANGER}>', STRANGER),
    "an old address as the name": (f'"anna.old@web.example" <{READER}>', READER),
    "an address as the name, without quotation marks": (f"{READER} <{STRANGER}>", STRANGER),
    "the own address as the name": (f"{READER} <{READER}>", READER),
    "no name": (READER, READER),
    "in capitals": ("<Anna@Reader.EXAMPLE>", READER),
    "a comma in the name": (f'"Reader, Anna" <{READER}>', READER),
    "a comma, without quotation marks": (f"Reader, Anna <{READER}>", READER),
    "a quotation mark in the name": (f'"Anna \\"{STRANGER}\\" R" <{READER}>', READER),
    "a comment": (f"{STRANGER} ({READER})", STRANGER),
    "a comment before it": (f"({READER}) {STRANGER}", STRANGER),
    "a comment in a comment": (f"Anna (at (the) clinic) <{READER}>", READER),
    "an address in encoded words": (
        f"=?utf-8?q?anna=40reader=2Eexample_?= <{STRANGER}>",
        STRANGER,
    ),
    "an encoded name": (
        f"=?utf-8?b?{base64.b64encode('Änne, R'.encode()).decode()}?= <{READER}>",
        READER,
    ),
    "a folded field": (f'"Anna R"\n <{READER}>', READER),
    "a domain in its own letters": ("Anna <anna@lesér.example>", "anna@lesér.example"),
    "a plus": ("anna+news@reader.example", "anna+news@reader.example"),
}
UNCLEAR_SENDERS = {
    "two of them": f"{READER}, {STRANGER}",
    "two with names": f"Anna <{READER}>, Bob <{STRANGER}>",
    "one without brackets, and one with": f"{READER}, <{STRANGER}>",
    "two fields": f"{READER}\nFrom: {STRANGER}",
    "two fields with the same": f"{READER}\nFrom: {READER}",
    "a group": f"Friends: {READER};",
    "a group with a stranger": f"{READER}: {STRANGER};",
    "all in encoded words": "=?utf-8?q?Anna_=3Canna=40reader=2Eexample=3E?=",
    "a quotation mark that is not closed": f'"{READER} <{STRANGER}>',
    "a comment that is not closed": f"({READER} <{STRANGER}>",
    "a bracket that is not closed": f"{READER} <{STRANGER}",
    "text behind the brackets": f"<{STRANGER}> {READER}",
    "two in brackets": f"<{READER}> <{STRANGER}>",
    "a route": f"<@{READER.partition('@')[2]}:{STRANGER}>",
    "no address": "Anna",
    "nothing": "",
}


@pytest.mark.parametrize(("sender", "found"), SENDERS.values(), ids=SENDERS)
def test_the_one_address_of_the_sender_is_the_one_that_asks_to_leave(sender: str, found: str):
    assert parser.read(away("Abmelden", "", sender=sender)).leaves_in_words == found


@pytest.mark.parametrize("sender", UNCLEAR_SENDERS.values(), ids=UNCLEAR_SENDERS)
def test_nobody_asks_to_leave_where_the_sender_is_not_clear(sender: str):
    assert parser.read(away("Abmelden", "", sender=sender)).leaves_in_words == "unknown"


def test_nobody_asks_to_leave_where_no_sender_is_named():
    wish = away("Abmelden", "").replace(b"From: ", b"X-From: ")
    assert parser.read(wish).leaves_in_words == "unknown"


@pytest.mark.parametrize(
    "sender",
    [
        ", ".join(f"anna{number}@reader.example" for number in range(10_000)),
        '"' * 100_000,
        "(" * 100_000,
        '\\"(' * 50_000,
        "a" * 50_000 + f"<{READER}",
        f"{READER} " * 10_000,
        "<" * 100_000,
    ],
    ids=range(7),
)
def test_a_field_of_any_length_takes_little_time(sender: str):
    with measured() as effort:
        found = parser.read(away("Abmelden", "", sender=sender))
    assert found.leaves_in_words == "unknown"
    assert effort.processor < 2


LINK = f"https://alerts.example.org/unsubscribe/IkEwOFF2MWwxU0FVR3VHMFdzTXh3Y3ci.{'q' * 27}"
LEAVE_HEADER = f"List-Unsubscribe: <{LINK}>,\n <mailto:o@example.org?subject=unsubscribe%20{WISH}>"


@pytest.mark.parametrize(
    "returned",
    [
        f"To: redacted\n{LEAVE_HEADER}\n\nx",
        "To: redacted\n\nhttps://links.provider.test/?url=" + quote(LINK, safe="") + "&data=1",
        (
            "To: redacted\nContent-Transfer-Encoding: quoted-printable\n\n"
            f"Leave: {LINK[:50]}=\n{LINK[50:]}"
        ),
        "To: redacted\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(f"Leave: {LINK}".encode()).decode(),
        f"To: redacted\nList-Unsubscribe:\n <{LINK[:60]}\n {LINK[60:]}>\n\nx",
    ],
)
def test_our_link_to_leave_is_found_in_a_complaint(returned: str):
    assert LINK.rpartition("/")[2] in parser.read(complaint(returned=returned)).leave_links


def test_the_word_of_our_mail_address_to_leave_is_found_in_a_complaint():
    assert parser.read(complaint(returned=f"{LEAVE_HEADER}\n\nx")).leave_mails == (WISH,)


def test_links_to_leave_count_in_complaints_alone():
    report_with_link = mail(f"<{PERSON}>: {GONE}\n\n{LEAVE_HEADER}\n")
    found = parser.read(report_with_link)
    assert (found.leave_links, found.leave_mails) == ((), ())
    assert found.failures[0].kind is BounceKind.HARD


def test_a_service_quotes_our_message_id_without_its_brackets():
    identifier = "0123456789abcdef0123456789abcdef@example.org"
    value = {"event-data": {"event": "failed", "message": {"headers": {"message-id": identifier}}}}
    assert parser.read(event(value)).message_ids == (f"<{identifier}>",)


def test_the_envelope_token_is_found_in_the_address_at_which_a_report_arrived():
    token = "a" * 38
    returned = mail("x").replace(BOUNCE.encode(), f"bounce+{token}@example.org".encode())
    assert parser.read(returned).envelope_tokens == (token,)
    assert SYSTEM.encode() in returned


@pytest.mark.parametrize(
    "sender",
    ['"' + '\\"' * 20_000, '"a\\' * 10_000, "(" + "\\(" * 20_000, "(a" * 20_000, "a@" * 20_000],
    ids=["quotation marks", "open names", "brackets", "comments", "addresses"],
)
def test_a_sender_that_is_made_to_take_long_is_nobody_at_once(sender: str):
    message = message_from_bytes(f"From: {sender}\n\nx".encode())
    with measured() as effort:
        assert other_mails.sender_of(message) == ""
    assert effort.processor < 0.5
