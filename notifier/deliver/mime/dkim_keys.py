"""DKIM keys: reading, generating and signing with them (RFC 6376, 8301, 8463).

The only file that does cryptography. Which text is signed, and the header around the signature, is
in `dkim_signature.py`.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from notifier.errors import SettingsError

# In bits (RFC 8301, 3.2).
_SHORTEST_RSA = 2048
_PADDING, _HASHED = padding.PKCS1v15(), Prehashed(SHA256())

Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True)
class Signer:
    """One key under one selector.

    Args:
        domain: the signing domain (`d=`); for DMARC it is the domain of the From address.
        selector: the name of the public key in the DNS (`s=`).
        key: the private key.
    """

    domain: str
    selector: str
    key: Key

    @property
    def algorithm(self) -> str:
        """The algorithm by its name in the header (`a=`)."""
        return "rsa-sha256" if isinstance(self.key, rsa.RSAPrivateKey) else "ed25519-sha256"

    @property
    def pem(self) -> bytes:
        """The private key in PEM (PKCS #8), for the processes that sign."""
        return _pem(self.key)

    def sign(self, octets: bytes) -> bytes:
        """Return the signature of these bytes, in base64."""
        return base64.b64encode(sign_hash(self.key, hashlib.sha256(octets).digest()))

    def record(self) -> tuple[str, str]:
        """Return the name and the text of the TXT record that the DNS must have."""
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
    """Return a new private key in PEM (PKCS #8).

    Args:
        algorithm: ``ed25519``, or ``rsa`` for 2048 bits, which every receiver verifies.
    """
    key: Key = (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=_SHORTEST_RSA)
    )
    return _pem(key)


def _pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def sign_hash(key: Key, sha256: bytes) -> bytes:
    """Return the signature of a text by its SHA-256 (RFC 6376, 3.3; RFC 8463, 3).

    It holds Python's interpreter lock: threads do not sign at the same time.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(sha256, _PADDING, _HASHED)
    return key.sign(sha256)


def read_public_key(kind: str, encoded: str) -> PublicKey:
    """Return the public key of a DNS record.

    Args:
        kind: its `k=`, ``rsa`` or ``ed25519``.
        encoded: its `p=`, base64.

    Raises:
        ValueError: it is no key of that kind.
    """
    octets = base64.b64decode("".join(encoded.split()), validate=True)
    if kind == "ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(octets)
    try:
        key = load_der_public_key(octets)
    except UnsupportedAlgorithm as error:
        raise ValueError("a kind of key that is not known") from error
    if kind != "rsa" or not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"no key of the kind {kind}")
    return key


def is_signature(key: PublicKey, signature: bytes, sha256: bytes) -> bool:
    """Return whether a key made this signature of a text, which is given by its SHA-256."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, sha256, _PADDING, _HASHED)
        else:
            key.verify(signature, sha256)
    except InvalidSignature:
        return False
    return True


def load_key(pem: bytes) -> Key:
    """Return a key that `Signer.pem` wrote."""
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
    return key


def read_key(file: Path) -> Key:
    """Return the private key in a PEM file.

    Raises:
        SettingsError: the file cannot be read, or receivers do not accept the key (RFC 8301).
    """
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise SettingsError(
            f"The DKIM key {file} cannot be read: {error.strerror}.",
            "Create a key with: notifier dkim",
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"{file} is not a private key in PEM.", "Create a key with: notifier dkim"
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA:
        return key
    raise SettingsError(
        f"The DKIM key {file} is too weak, or receivers do not verify its kind.",
        f"Use RSA with at least {_SHORTEST_RSA} bits, or Ed25519: notifier dkim",
    )
