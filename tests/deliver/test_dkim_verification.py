"""Verification of signatures: of ours and of another program's, and of mails that were changed."""

import base64
import hashlib
import re
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from notifier.admin.doctor.dkim_records import judge, key_tags
from notifier.admin.doctor.findings import Status
from notifier.deliver.mime import dkim_keys as keys
from notifier.deliver.mime.dkim_keys import Signer
from notifier.deliver.mime.dkim_verification import Verification, verify
from notifier.deliver.mime.message import compile_message
from tests.support.installation import MONDAY
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_digest_spec, an_item

PEM = {algorithm: keys.new_key(algorithm) for algorithm in ("rsa", "ed25519")}

# The hash of an empty body.
EMPTY = base64.b64encode(hashlib.sha256().digest())


@pytest.fixture(params=PEM)
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    (tmp_path / "key.pem").write_bytes(PEM[request.param])
    return Signer("example.org", "news", keys.read_key(tmp_path / "key.pem"))


def published(signer: Signer, **changed: str):
    """Return the look-up of a key in a DNS that publishes this one."""
    tags = {**key_tags(signer.record()[1]), **changed}
    place = (signer.domain, signer.selector)
    return lambda domain, selector: tags if (domain, selector) == place else {}


def signed(signer: Signer) -> bytes:
    spec = a_digest_spec(
        a_digest(an_item(title="Ünïcödé 🧠 " * 20, summary="two  spaces\t. " * 40))
    )
    return compile_message(spec, SENDER, TEMPLATES.mail_page, TEMPLATES.render, [signer]).render(
        spec.recipient, MONDAY
    )


def problem_of(message: bytes, signer: Signer, **changed: str) -> str:
    (verification,) = verify(message, published(signer, **changed))
    assert (verification.domain, verification.selector) == ("example.org", "news")
    return verification.problem


def test_what_we_sign_verifies_and_covers_both_unsubscribe_headers(signer: Signer):
    verifications = verify(signed(signer), published(signer))
    assert judge(verifications, 1, "").status is Status.OK


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_headers_that_were_added_on_the_way_change_nothing(signer: Signer, line_end: bytes):
    message = b"Received: from a by b\r\n\tfor you\r\nX-Spam: no\r\n" + signed(signer)
    assert problem_of(message.replace(b"\r\n", line_end), signer) == ""


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (b"Subject: ", b"Subject: [list] ", "a signed header was changed"),
        (b"List-Unsubscribe: <https", b"List-Unsubscribe: <http", "a signed header was changed"),
        (b"List-Unsubscribe-Post: ", b"X-Removed: ", "a signed header was changed"),
        (b"From: ", b"From: x@example.net\r\nFrom: ", "a signed header was changed"),
        (b"bh=", b"bh=A", "the body was changed"),
        (b"Subject", b"Subject", ""),
    ],
)
def test_a_change_on_the_way_is_noticed(signer: Signer, before: bytes, after: bytes, problem: str):
    message = signed(signer)
    assert before in message
    assert problem_of(message.replace(before, after, 1), signer).startswith(problem)


def test_a_footer_is_noticed(signer: Signer):
    assert "body was changed" in problem_of(signed(signer) + b"A footer.\r\n", signer)
    assert problem_of(signed(signer) + b"\r\n\r\n", signer) == "", "empty lines do not count"


def test_another_key_and_no_key_are_told_apart(signer: Signer):
    other = Signer("example.org", "news", keys.load_key(keys.new_key("ed25519")))
    changed = key_tags(other.record()[1])
    assert "another key" in problem_of(signed(signer), signer, k=changed["k"], p=changed["p"])
    assert "not published" in problem_of(signed(signer), signer, p="")
    assert "cannot be read" in problem_of(signed(signer), signer, p="!!!")
    assert "cannot be read" in problem_of(signed(signer), signer, k="other")


def test_a_signature_of_another_program_verifies(signer: Signer):
    message = re.sub(rb"DKIM-Signature:.*?\r\n(?![ \t])", b"", signed(signer), flags=re.DOTALL)
    is_rsa = signer.algorithm == "rsa-sha256"
    key = load_pem_private_key(signer.pem, None)
    secret = (
        signer.pem
        if is_rsa
        else base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    )
    header = dkim.sign(
        message,
        b"news",
        b"example.org",
        secret,
        canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=signer.algorithm.encode(),
    )
    assert problem_of(header + message, signer) == ""


def test_a_signature_without_the_unsubscribe_headers_is_named_with_the_fix():
    verification = Verification("example.org", "news", ("from", "list-unsubscribe"), "")
    result = judge([verification], 1, "")
    assert result.status is Status.FAILED
    assert "list-unsubscribe-post" in result.actual
    assert "notifier dkim" in result.fix


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"DKIM-Signature:",
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; bh=; b=;;;\r\n\r\n",
        b"DKIM-Signature: a=x-sha256; c=relaxed/relaxed; d=; s=; h=::; bh=%s; b=%%\r\n\r\n" % EMPTY,
        b"DKIM-Signature: c=simple/simple; a=rsa-sha256\r\n\r\nx",
        b"\xff\xfe: \r\n \r\n",
        b"DKIM-Signature: " + b"a=" * 50_000,
    ],
)
def test_damaged_signatures_are_no_crash(mail: bytes):
    for verification in verify(mail, lambda *_: {"p": "AAAA"}):
        assert verification.problem


def test_many_signatures_are_not_all_read(signer: Signer):
    message = b"DKIM-Signature: v=1\r\n" * 1000 + signed(signer)
    assert len(verify(message, published(signer))) == 10
