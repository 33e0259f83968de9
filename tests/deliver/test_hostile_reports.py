"""Mails that are built to break a parser: each takes little time and memory."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.deliver.bounces import incoming_mail, parser
from notifier.deliver.bounces.incoming_mail import UnreadableMailError
from notifier.enums import BounceKind
from tests.support.effort import measured
from tests.support.reports import HEAD, nested_parts

REPORT = HEAD + b"Content-Type: multipart/report; boundary=b\n\n"
SIZES = (80_000, 900_000)
# Processor time for one mail, in seconds. The slowest took half a second; one that is read in the
# square of its length takes minutes.
LIMIT = 2.0

UNITS = {
    "spaces": b" ",
    "tabs": b"\t",
    "empty lines": b"\n",
    "lines of blanks": b"\r\n \r\n",
    "letters": b"a",
    "letters and dots": b"a.",
    "dashes": b"-",
    "words of a host": b"a-b.",
    "colons": b":",
    "dots": b".",
    "digits": b"5",
    "status codes": b"5.1.1 ",
    "ats": b"a@",
    "addresses": b"a@b.c ",
    "lines of addresses": b"a@b.c:\n",
    "user": b"user ",
    "recipient": b"recipient ",
    "recipient address rejected": b"recipient address rejected   ",
    "domain": b"domain ",
    "host": b"host ",
    "exceeded": b"exceeded ",
    "adresse": b" adresse ",
    "not": b"not ",
    "quotes": b'"',
    "brackets": b"<",
    "tokens": b"+" + b"a" * 38 + b"@x ",
    "identifiers": b"<" + b"0" * 32 + b"@a>",
    "open identifiers": b"<" + b"0" * 32 + b"@a",
    "fields": b"Final-Recipient: rfc822; a@b.c\n",
    "identifier fields": b"Message-ID:\n",
    "received fields": b"Received: from x\n",
    "a notification": b'"notificationType" : "Bounce" "emailAddress":"a',
    "8-bit": b"\xe9\xff",
    "zero bytes": b"\x00",
}


def plain(text: bytes) -> bytes:
    return HEAD + b"\n" + text


def status(text: bytes) -> bytes:
    fields = (
        b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.c\nAction: failed\n"
        b"Diagnostic-Code: smtp; " + text
    )
    return (
        REPORT
        + b"--b\n\n"
        + text
        + b"\n--b\nContent-Type: message/delivery-status\n\n"
        + fields
        + b"\n--b--\n"
    )


def feedback(text: bytes) -> bytes:
    complaint = b"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n"
    return (
        REPORT + complaint + b"--b\nContent-Type: message/rfc822\n\nTo: " + text + b"\n\nx\n--b--\n"
    )


def subject(text: bytes) -> bytes:
    return b"From: a@b.c\nSubject: " + text.replace(b"\n", b"\n ") + b"\n\nx"


def to(text: bytes) -> bytes:
    return b"From: postmaster@b.c\nTo: " + text.replace(b"\n", b"\n ") + b"\n\nx"


def boundary(text: bytes) -> bytes:
    return b"Content-Type: multipart/report; boundary=" + text.replace(b"\n", b"") + b"\n\nx"


def encoded(encoding: bytes) -> object:
    fields = (
        b"Content-Type: text/plain; charset=punycode\nContent-Transfer-Encoding: "
        + encoding
        + b"\n\n"
    )
    return lambda text: HEAD + fields + text


PLACES = {
    "body": plain,
    "status": status,
    "complaint": feedback,
    "subject": subject,
    "recipient": to,
    "boundary": boundary,
    "base64": encoded(b"base64"),
    "quoted-printable": encoded(b"quoted-printable"),
    "uuencode": encoded(b"x-uuencode"),
}


def nested_digests(levels: int) -> bytes:
    inner = (
        b'Content-Type: multipart/digest; boundary="b%d"\n\n--b%d\n\n' % (n, n)
        for n in range(levels)
    )
    return HEAD + b"".join(inner)


def recipients(number: int) -> bytes:
    blocks = (
        b"Final-Recipient: rfc822; a%d@b.c\nAction: failed\nDiagnostic-Code: x; x\n\n" % n
        for n in range(number)
    )
    head = (
        REPORT
        + b"--b\n\n"
        + b"user " * 20_000
        + b"\n--b\nContent-Type: message/delivery-status\n\n"
    )
    return head + b"".join(blocks) + b"\n--b--\n"


def text_in(charset: bytes) -> bytes:
    return HEAD + b"Content-Type: text/plain; charset=" + charset + b"\n\n\xff\xe9" + b"a-" * 40_000


ODD = {
    "a field of a megabyte": b"X: " + b"a" * 1_000_000 + b"\n\nx",
    "a field of many lines": b"X: " + b"\n a" * 300_000 + b"\n\nx",
    "50,000 Received fields": b"Received: from a by b; x\n" * 50_000 + b"\n\nx",
    "100,000 names": b"".join(b"X%d: x\n" % number for number in range(100_000)) + b"\n\nx",
    "5,000 recipients": recipients(5_000),
    "20,000 lines that name somebody": plain(
        b"".join(b"<a%d@b.c>: x\n" % number for number in range(20_000))
    ),
    "200,000 parts": REPORT + b"--b\n\n" * 200_000,
    "18 levels of empty lines": nested_parts(18) + b"\n" * 900_000,
    "18 levels of boundaries": nested_parts(18) + b"--b\n" * 220_000,
    "60,000 encoded words": b"Subject: " + b"=?utf-8?b?4pyT?= " * 60_000 + b"\n\nx",
    "open encoded words": b"Subject: " + b"=?a?q?" * 60_000 + b"\n\nx",
    "encoded words in punycode": b"Subject: =?punycode?q?" + b"a-b" * 600 + b"?=\n\nx",
    "broken base64 in a subject": b"Subject: =?utf-8?b?abcde?=\n\nx",
    "punycode": text_in(b"punycode"),
    "idna": text_in(b"idna"),
    "zip": text_in(b"zip"),
    "unicode_escape": text_in(b"unicode_escape"),
    "an unknown charset": text_in(b"x-nonsense"),
    "a charset in pieces": text_in(b"x; charset*=utf-8''x%ff; charset*0*=a"),
    "many parameters": b"Content-Type: text/plain; " + b"a*0*=x;" * 100_000 + b"\n\nx",
    "open parameters": b"Content-Type: text/plain; " + b'a="' * 100_000 + b"\n\nx",
    "8-bit fields": b"Subject: \xff\xe9\nFrom: \xe9@x\nTo: \xff\n\nx",
    "zero bytes in fields": b"Subject: \x00\nFrom\x00: x\n\n\x00",
    "no boundary": HEAD + b"Content-Type: multipart/report\n\nx",
    "an empty kind": b"Content-Type: \n\nx",
    "nothing": b"",
    "every byte": bytes(range(256)) * 3_000,
    "comments in comments": b"To: " + b"(" * 500_000 + b"\n\nx",
}

TOO_DEEP = {
    "parts in parts": nested_parts(4_000),
    "just too many": nested_parts(30),
    "digests": nested_digests(4_000),
    "mails in mails": HEAD + b"Content-Type: message/rfc822\n\n" * 6_000,
}


def seconds(mail: bytes) -> float:
    with measured() as effort:
        assert parser.read(mail).failures
    return effort.processor


def hostile(place: str) -> Iterator[tuple[str, bytes]]:
    for unit, octets in UNITS.items():
        for size in SIZES:
            content = octets * (size // len(octets))
            yield f"{size} bytes of {unit}", PLACES[place](content)  # type: ignore[operator]


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_no_text_anywhere_in_a_mail_takes_long(place: str):
    slow = {name: took for name, mail in hostile(place) if (took := seconds(mail)) > LIMIT}
    assert slow == {}


@pytest.mark.parametrize("form", ODD)
def test_an_odd_mail_is_parsed_in_time(form: str):
    assert seconds(ODD[form]) < LIMIT


@pytest.mark.parametrize("form", TOO_DEEP)
def test_a_mail_with_too_deeply_nested_parts_is_refused_at_once(form: str):
    with measured() as effort, pytest.raises(UnreadableMailError, match="20 levels"):
        parser.read(TOO_DEEP[form])
    assert effort.processor < LIMIT


def test_at_most_a_hundred_recipients_of_a_report_are_read():
    failures = parser.read(recipients(5_000)).failures
    assert len(failures) == 100
    assert {failure.recipient for failure in failures} == {
        f"a{number}@b.c" for number in range(100)
    }


@pytest.mark.parametrize(
    "form", ["200,000 parts", "a field of a megabyte", "50,000 Received fields", "100,000 names"]
)
def test_the_tree_of_a_mail_is_small_whatever_it_holds(form: str):
    message = incoming_mail.parse_mail(ODD[form])
    tree = list(incoming_mail.parts_of(message))
    assert len(tree) <= 200
    for part in tree:
        fields = list(part.raw_items())
        assert len(fields) <= 200
        assert all(len(value) <= 2_000 for _, value in fields)
        assert len(incoming_mail.text_of(part)) <= 100_000


@pytest.mark.parametrize(
    "mail", [nested_parts(4_000), b"x" * 5_000_000, REPORT + b"--b\n\n" * 1_000_000]
)
def test_the_largest_mail_takes_little_memory(mail: bytes):
    tracemalloc.start()
    with suppress(UnreadableMailError):
        parser.read(mail)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


FIELDS = st.sampled_from(
    [
        b"Subject: ",
        b"To: ",
        b"From: mailer-daemon",
        b"Content-Type: multipart/report; boundary=b",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/feedback-report",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"Final-Recipient: rfc822; a@b.c",
        b"Action: failed",
        b"Status: 5.1.1",
        b"Diagnostic-Code: smtp; 550 user unknown",
        b"Message-ID: <" + b"0" * 32 + b"@x>",
        b"--b",
        b"--b--",
        b"",
        b" ",
        b"=?utf-8?b?",
        b"charset=punycode",
    ]
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(st.one_of(FIELDS, st.binary(max_size=40)), max_size=60))
def test_any_order_of_the_elements_of_reports_can_be_parsed(lines: list[bytes]):
    try:
        report = parser.read(b"\n".join(lines))
    except UnreadableMailError:
        return
    assert all(failure.kind in BounceKind for failure in report.failures)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "us-ascii", "windows-1252", "UTF-8"])
def test_ordinary_encoded_subjects_are_decoded(charset: str):
    mail = f"Subject: =?{charset}?q?unsubscribe_{'x' * 22}?=\n\n".encode()
    assert parser.read(mail).unsubscribe_tokens == ("x" * 22,)
