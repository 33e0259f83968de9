"""DKIM: an independent verifier accepts what we sign, and nothing that was changed on the way."""

import re
from datetime import timedelta
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from notifier.deliver.mime import dkim_keys as keys
from notifier.deliver.mime.dkim_keys import Signer
from notifier.deliver.mime.dkim_signature import SIGNED
from notifier.deliver.mime.message import compile_message
from notifier.errors import SettingsError
from notifier.pipeline.run import run_once
from notifier.settings import Dkim, SigningKey, load
from tests.support.installation import MONDAY, Installation
from tests.support.mails import SENDER, TEMPLATES, a_digest, a_digest_spec, an_item, parsed
from tests.support.news_site import Article


def signer(tmp_path: Path, algorithm: str) -> Signer:
    file = tmp_path / f"{algorithm}.pem"
    file.write_bytes(keys.new_key(algorithm))
    return Signer("example.org", f"key-{algorithm}", keys.read_key(file))


def signed(*signers: Signer, **item: str) -> bytes:

    spec = a_digest_spec(a_digest(an_item(**item)))
    return compile_message(spec, SENDER, TEMPLATES.mail_page, TEMPLATES.render, signers).render(
        spec.recipient, MONDAY
    )


def verifies(message: bytes, *signers: Signer) -> bool:
    """Return whether dkimpy accepts every signature of the message."""
    zone = {
        f"{name}.".encode(): text.encode() for name, text in (signer.record() for signer in signers)
    }

    def look_up(name, **_):
        return zone.get(name.encode() if isinstance(name, str) else name)

    try:
        return all(
            dkim.DKIM(message).verify(idx=number, dnsfunc=look_up) for number in range(len(signers))
        )
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("algorithms", [("rsa",), ("ed25519",), ("rsa", "ed25519")], ids="+".join)
def test_an_independent_verifier_accepts_the_signature(tmp_path: Path, algorithms: tuple[str, ...]):
    signers = [signer(tmp_path, algorithm) for algorithm in algorithms]
    message = signed(*signers, title="Ünïcödé 🧠 " * 20, summary="two  spaces   and a tab\t. " * 40)
    assert message.count(b"DKIM-Signature:") == len(signers)
    assert verifies(message, *signers)
    assert max(map(len, message.split(b"\r\n"))) <= 998
    head = message.partition(b"\r\nFrom:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Your", b"Subject: My"),
        (b"A made-up headline", b"Another headline"),
        (
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            b"List-Unsubscribe-Post: List-Unsubscribe=Two-Clicks",
        ),
        (b"\r\nList-Unsubscribe: <https://news", b"\r\nList-Unsubscribe: <https://evil"),
        (b"To: anna@", b"To: ben@"),
        (b"\r\nMIME-Version", b"\r\nSubject: a second one\r\nMIME-Version"),
        (b"\r\nMIME-Version", b"\r\nReply-To: evil@example.com\r\nMIME-Version"),
    ],
)
def test_a_message_that_was_changed_on_the_way_does_not_verify(
    tmp_path: Path, old: bytes, new: bytes
):
    key = signer(tmp_path, "rsa")
    message = signed(key)
    assert old in message
    assert not verifies(message.replace(old, new, 1), key)


def test_every_header_is_named_once_more_than_it_occurs(tmp_path: Path):
    message = signed(signer(tmp_path, "ed25519"))
    named = re.sub(r"\s", "", re.search(rb"h=([^;]+);", message)[1].decode()).split(":")
    for name in SIGNED:
        stands = len(re.findall(rf"(?m)^{name}:".encode(), message.partition(b"\r\n\r\n")[0]))
        assert named.count(name.lower()) == stands + 1, name


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, "bounce@example.org; report=arf"),
        ({"bounce_address": "back@example.org"}, "back@example.org; report=arf"),
        ({"bounce_address": "back@mail.example.org"}, "back@mail.example.org; report=arf"),
        ({"bounce_address": "back@müll.example.org"}, "back@xn--mll-hoa.example.org; report=arf"),
        ({"bounce_address": "back@example.com"}, None),
        ({"bounce_address": "back@notexample.org"}, None),
        ({"bounce_address": "back@org"}, None),
        ({"address": "digest@news.example.org"}, "bounce@news.example.org; report=arf"),
        ({"address": "digest@news.example.org", "bounce_address": "back@example.org"}, None),
    ],
    ids=str,
)
def test_a_signed_digest_names_the_address_for_complaints_if_it_is_of_our_domain(
    tmp_path: Path, changes: dict[str, str], named: str | None
):
    key = signer(tmp_path, "ed25519")
    spec, sender = a_digest_spec(a_digest()), SENDER.model_copy(update=changes)
    template = compile_message(spec, sender, TEMPLATES.mail_page, TEMPLATES.render, [key])
    message = template.render(spec.recipient, MONDAY)
    assert parsed(message)["CFBL-Address"] == named
    assert verifies(message, key)
    assert verifies(message.replace(b"report=arf", b"report=xarf"), key) is (named is None)
    unsigned = compile_message(spec, sender, TEMPLATES.mail_page, TEMPLATES.render)
    assert parsed(unsigned.render(spec.recipient, MONDAY))["CFBL-Address"] is None


def test_sent_mails_are_signed_and_verify(installation: Installation, tmp_path: Path):
    files = {}
    for algorithm in ("rsa", "ed25519"):
        files[algorithm] = tmp_path / f"{algorithm}.pem"
        files[algorithm].write_bytes(keys.new_key(algorithm))
    also = (SigningKey(selector="second", private_key_file=files["ed25519"]),)
    installation.change(
        dkim=Dkim(domain="example.org", selector="first", private_key_file=files["rsa"], also=also)
    )
    installation.subscribe("anna@example.org", zone="Europe/Berlin")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions", "Größer ist nicht besser.")])
    run_once(installation.at(MONDAY + timedelta(days=1)))
    octets = installation.sink.raw[-1]
    signers = [Signer("example.org", "first", keys.read_key(files["rsa"]))]
    signers.append(Signer("example.org", "second", keys.read_key(files["ed25519"])))
    assert verifies(octets, *signers)


@pytest.mark.parametrize("content", [None, b"nonsense", "weak"])
def test_a_key_that_cannot_sign_is_refused_with_the_fix(
    tmp_path: Path, content: bytes | str | None
):
    file = tmp_path / "key.pem"
    if content == "weak":
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        keys.read_key(file)
    assert "notifier dkim" in refused.value.fix


def test_a_key_file_is_relative_to_the_settings_file_and_must_be_named(tmp_path: Path):
    config = tmp_path / "notifier.toml"
    config.write_text('[dkim]\ndomain = "example.org"\nprivate_key_file = "key.pem"\n')
    assert load(config, {}).dkim.private_key_file == tmp_path / "key.pem"
    config.write_text('[dkim]\ndomain = "example.org"\n')
    with pytest.raises(SettingsError, match="private_key_file is missing"):
        load(config, {})
