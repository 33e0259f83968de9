"""DKIM: the signature by which a mail server sees that a message is ours and unchanged (RFC 6376, 8301, 8463).

Owns the keys, and the cryptography. What is signed, and what the header looks like, is `seal.py`'s.
"""

import base64
import hashlib
from dataclasses import dataclass
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

_SHORTEST_RSA = 2048
_PADDING, _SHA256 = padding.PKCS1v15(), SHA256()


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
            kind, octets = (
                "rsa",
                public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            )
        else:
            kind, octets = "ed25519", public.public_bytes_raw()
        return (
            f"{self.selector}._domainkey.{self.domain}",
            f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}",
        )


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
        raise SettingsError(
            f"{file} is no private key in PEM.", "Make one with: notifier dkim"
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA:
        return key
    raise SettingsError(
        f"The DKIM key {file} is too weak or of a kind that receivers do not verify.",
        f"Use RSA with at least {_SHORTEST_RSA} bits, or Ed25519: notifier dkim",
    )
