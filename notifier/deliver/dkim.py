"""DKIM: the signature by which a mail server sees that a message is ours and unchanged (RFC 6376, 8301, 8463).

Owns keys, canonical forms and the header. Header and body are signed `relaxed/relaxed`; each header of ours is named
once more than it stands there, so that nobody can add another (RFC 6376, 8.15), the unsubscribe headers included
(RFC 8058, 4). What many mails share is brought into its canonical form once.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from notifier.errors import SettingsError

# What is protected; each is named once more than it occurs.
SIGNED = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "List-Help",
    "Auto-Submitted",
    "Precedence",
    "Feedback-ID",
)

_SHORTEST_RSA = 2048
_WIDTH = 76
_SPACES = re.compile(r"[ \t]+")
_SPACES_IN_BODY = re.compile(rb"[ \t]+")
_PADDING, _SHA256 = padding.PKCS1v15(), SHA256()
# How long the two values of a signature are that differ from message to message.
_MOMENT, _HASH = 10, 44


@dataclass(frozen=True)
class Signer:
    """One key under one selector.

    Args:
        domain: the signing domain (`d=`), that of the From address for DMARC to align.
        selector: under which the public key stands in the DNS (`s=`).
        key: the private key.
    """

    domain: str
    selector: str
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """As the header names it."""
        return "rsa-sha256" if isinstance(self.key, rsa.RSAPrivateKey) else "ed25519-sha256"

    @property
    def slow(self) -> bool:
        """Whether a signature takes longer than all else about a mail (RSA: ten times an Ed25519 one)."""
        return isinstance(self.key, rsa.RSAPrivateKey)

    def sign(self, octets: bytes) -> bytes:
        """The signature of these octets, in base64."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return base64.b64encode(self.key.sign(octets, _PADDING, _SHA256))
        return base64.b64encode(self.key.sign(hashlib.sha256(octets).digest()))

    def record(self) -> tuple[str, str]:
        """What has to stand in the DNS: the name of the TXT record, and its text."""
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes_raw()
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"


class Seal:
    """The signing of messages that have the same headers: what of a signature is not one message's is laid out once.

    Args:
        signers: the keys.
        shared: the headers that all have alike, of those in `SIGNED`: their names, and their canonical forms.
        own: the names of those that each has its own.
    """

    def __init__(self, signers: Sequence[Signer], shared: Sequence[tuple[str, bytes]], own: Sequence[str]) -> None:
        self._shared = b"".join(octets for _, octets in shared)
        names = _names((*(name for name, _ in shared), *own))
        self._layouts = [_Layout.of(one, names) for one in signers]

    def headers(self, own: bytes, body: bytes, now: datetime) -> bytes:
        """The DKIM headers that go on top of a message, one for each key.

        Args:
            own: the message's own headers, canonical.
            body: the SHA-256 of the canonical body.
            now: when it is signed.
        """
        moment, body_hash = b"%d" % now.timestamp(), base64.b64encode(body)
        return b"".join([one.header(self._shared + own, moment, body_hash) for one in self._layouts])


@dataclass(frozen=True)
class _Layout:
    """The DKIM header of one key, cut where a message's own values stand: the time, and the hash of the body."""

    signer: Signer
    signed: tuple[bytes, bytes, bytes]
    shown: tuple[bytes, bytes, bytes]
    room: int

    @classmethod
    def of(cls, signer: Signer, names: str) -> "_Layout":
        """The header with room for a time of ten digits (until the year 2286) and a hash of 44 letters."""
        moment, body_hash = "0" * _MOMENT, "=" * _HASH
        fields = (
            f"v=1; a={signer.algorithm}; c=relaxed/relaxed; d={signer.domain}; s={signer.selector}; "
            f"t={moment}; h={names}; bh={body_hash}; b="
        )
        # Lines of less than 78 characters, broken where the relaxed form does not see it.
        lines, line = [], "DKIM-Signature:"
        for word in fields.split(" "):
            if len(line) + 1 + len(word) > _WIDTH:
                lines.append(line)
                line = ""
            line += f" {word}"
        text = "\r\n".join([*lines, line])

        def cut(whole: str) -> tuple[bytes, bytes, bytes]:
            before, _, rest = whole.partition(f"t={moment}")
            between, _, after = rest.partition(f"bh={body_hash}")
            return f"{before}t=".encode(), f"{between}bh=".encode(), after.encode()

        return cls(signer, cut(f"dkim-signature:{fields}"), cut(text), _WIDTH - len(line))

    def header(self, headers: bytes, moment: bytes, body_hash: bytes) -> bytes:
        """The header of a message with these canonical headers."""
        before, between, after = self.signed
        signature = self.signer.sign(b"".join((headers, before, moment, between, body_hash, after)))
        before, between, after = self.shown
        lines = [signature[: self.room]]
        lines += [signature[at : at + _WIDTH - 1] for at in range(self.room, len(signature), _WIDTH - 1)]
        return b"".join((before, moment, between, body_hash, after, b"\r\n ".join(lines), b"\r\n"))


def canonical_header(name: str, value: str) -> bytes:
    """A header in the relaxed form (RFC 6376, 3.4.2)."""
    unfolded = _SPACES.sub(" ", value.replace("\r\n", "")).strip()
    return f"{name.lower()}:{unfolded}\r\n".encode()


def canonical_body(octets: bytes) -> bytes:
    """A piece of a body in the relaxed form (RFC 6376, 3.4.4); the empty lines at its very end are the caller's."""
    return _SPACES_IN_BODY.sub(b" ", octets).replace(b" \r\n", b"\r\n")


def new_key(algorithm: str) -> bytes:
    """A fresh private key as PEM (PKCS #8): RSA with 2048 bits, which everybody verifies, or Ed25519."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=_SHORTEST_RSA)
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(file: Path) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    """The private key in a PEM file.

    Raises:
        SettingsError: it cannot be read, or is no key that receivers accept (RFC 8301).
    """
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise SettingsError(
            f"The DKIM key {file} cannot be read: {error.strerror}.", "Make one with: notifier dkim"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{file} is no private key in PEM.", "Make one with: notifier dkim") from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA:
        return key
    raise SettingsError(
        f"The DKIM key {file} is too weak or of a kind that receivers do not verify.",
        f"Use RSA with at least {_SHORTEST_RSA} bits, or Ed25519: notifier dkim",
    )


@cache
def _names(present: tuple[str, ...]) -> str:
    """The names of the signed headers with colons between, and a space wherever a line may end."""
    text = line = ""
    for name in (*present, *SIGNED):
        if len(line) + len(name) > _WIDTH - 8:
            text, line = f"{text}{line} ", ""
        line += f"{name.lower()}:"
    return f"{text}{line}".removesuffix(":")
