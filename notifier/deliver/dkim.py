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
_SPACES = re.compile(rb"[ \t]+")
_PADDING = padding.PKCS1v15()


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

    def header(self, signed: bytes, names: str, body_hash: str, now: datetime) -> bytes:
        """The header that goes on top of a message.

        Args:
            signed: the canonical headers, in the order of `names`, each ended by CRLF.
            names: their names as `h=` has them.
            body_hash: base64 of the SHA-256 of the canonical body.
            now: when it is signed.
        """
        fields = (
            f"v=1; a={self.algorithm}; c=relaxed/relaxed; d={self.domain}; s={self.selector}; "
            f"t={int(now.timestamp())}; h={names}; bh={body_hash}; b="
        )
        signature = base64.b64encode(self._sign(signed + b"dkim-signature:" + fields.encode())).decode()
        return _folded(fields, signature)

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, _PADDING, SHA256())
        return self.key.sign(hashlib.sha256(octets).digest())

    def record(self) -> tuple[str, str]:
        """What has to stand in the DNS: the name of the TXT record, and its text."""
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes_raw()
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"


def _folded(fields: str, signature: str) -> bytes:
    """The header in lines of less than 78 characters: breaks stand where the relaxed form does not see them."""
    lines, line = [], "DKIM-Signature:"
    for word in fields.split(" "):
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    room = _WIDTH - len(line)
    lines[-1] += signature[:room]
    lines += [f" {signature[at : at + _WIDTH - 1]}" for at in range(room, len(signature), _WIDTH - 1)]
    return "\r\n".join(lines).encode() + b"\r\n"


def canonical_header(name: str, value: str) -> bytes:
    """A header in the relaxed form (RFC 6376, 3.4.2)."""
    unfolded = _SPACES.sub(b" ", value.replace("\r\n", "").encode()).strip()
    return name.lower().encode() + b":" + unfolded + b"\r\n"


def canonical_body(octets: bytes) -> bytes:
    """A piece of a body in the relaxed form (RFC 6376, 3.4.4); the empty lines at its very end are the caller's."""
    return _SPACES.sub(b" ", octets).replace(b" \r\n", b"\r\n")


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


def signatures(
    signers: Sequence[Signer], headers: Sequence[tuple[str, bytes]], body_hash: str, now: datetime
) -> list[bytes]:
    """The DKIM headers of a message, one for each key.

    Args:
        signers: the keys.
        headers: those of `SIGNED` that the message has, canonical, in its order.
        body_hash: base64 of the SHA-256 of the canonical body.
        now: when.
    """
    signed = b"".join(octets for _, octets in headers)
    names = _names(tuple(name for name, _ in headers))
    return [one.header(signed, names, body_hash, now) for one in signers]


@cache
def _names(present: tuple[str, ...]) -> str:
    """The names of the signed headers with colons between, and a space wherever a line may end."""
    text = line = ""
    for name in (*present, *SIGNED):
        if len(line) + len(name) > _WIDTH - 8:
            text, line = f"{text}{line} ", ""
        line += f"{name.lower()}:"
    return f"{text}{line}".removesuffix(":")
