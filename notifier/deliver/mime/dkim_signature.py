"""DKIM signatures: the DKIM-Signature header of a message (RFC 6376).

Owns the canonical forms and the header. Header and body are signed `relaxed/relaxed`. Each of our
headers is named once more in `h=` than it occurs, so that nobody can add another one (RFC 6376,
8.15); so are the unsubscribe headers (RFC 8058, 4). The parts that many messages share are brought
into their canonical form once. The keys do the cryptography.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer

# The signed headers; each is named once more than it occurs.
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
    "CFBL-Address",
)

# The characters of a line of the header, without the line end.
_WIDTH = 76
_SPACES = re.compile(r"[ \t]+")
_SPACES_IN_BODY = re.compile(rb"[ \t]+")
# The lengths of the values that differ between messages: the time in seconds since 1970 (10 digits
# until the year 2286), and the SHA-256 of the body in base64.
_TIME, _HASH = 10, 44


class DkimSigner:
    """A signer of messages that share headers.

    Args:
        signers: the keys.
        shared: the names and canonical forms of the shared headers, of those in `SIGNED`.
        own_names: the names of the signed headers with a value per message.
    """

    def __init__(
        self,
        signers: "Sequence[Signer]",
        shared: Sequence[tuple[str, bytes]],
        own_names: Sequence[str],
    ) -> None:
        self._shared = b"".join(octets for _, octets in shared)
        names = _names((*(name for name, _ in shared), *own_names))
        self._layouts = [_Layout.of(signer, names) for signer in signers]

    def requests(
        self, own_headers: bytes, body_hash: bytes, now: datetime
    ) -> list["SigningRequest"]:
        """Return what is to be signed of a message, once for each key.

        Args:
            own_headers: the canonical form of the message's own headers.
            body_hash: the SHA-256 of the canonical body, 32 bytes.
            now: the time of signing.
        """
        signed_at, encoded_hash = b"%d" % now.timestamp(), base64.b64encode(body_hash)
        headers = self._shared + own_headers
        return [
            SigningRequest(
                layout,
                signed_at,
                encoded_hash,
                layout.signed_text(headers, signed_at, encoded_hash),
            )
            for layout in self._layouts
        ]


@dataclass(frozen=True)
class _Layout:
    """The DKIM header of one key, split at the values of a message: the time and the body's hash.

    Attributes:
        signer: the key.
        signed: the three pieces in the canonical form, which is signed.
        shown: the three pieces as they are sent.
        room: the characters of the signature that fit into the last line.
    """

    signer: "Signer"
    signed: tuple[bytes, bytes, bytes]
    shown: tuple[bytes, bytes, bytes]
    room: int

    @classmethod
    def of(cls, signer: "Signer", names: str) -> "_Layout":
        """Return the header of a key for these names of signed headers."""
        signed_at, body_hash = "0" * _TIME, "=" * _HASH
        fields = (
            f"v=1; a={signer.algorithm}; c=relaxed/relaxed; d={signer.domain}; "
            f"s={signer.selector}; t={signed_at}; h={names}; bh={body_hash}; b="
        )
        # Lines of less than 78 characters, broken only where the relaxed form ignores it.
        lines, line = [], "DKIM-Signature:"
        for word in fields.split(" "):
            if len(line) + 1 + len(word) > _WIDTH:
                lines.append(line)
                line = ""
            line += f" {word}"
        text = "\r\n".join([*lines, line])

        def split(header: str) -> tuple[bytes, bytes, bytes]:
            before, _, rest = header.partition(f"t={signed_at}")
            between, _, after = rest.partition(f"bh={body_hash}")
            return f"{before}t=".encode(), f"{between}bh=".encode(), after.encode()

        return cls(signer, split(f"dkim-signature:{fields}"), split(text), _WIDTH - len(line))

    def signed_text(self, headers: bytes, signed_at: bytes, body_hash: bytes) -> bytes:
        """Return the text that is signed.

        Args:
            headers: the canonical form of the message's signed headers.
            signed_at: the time, in seconds since 1970.
            body_hash: the hash of its canonical body, in base64.
        """
        before, between, after = self.signed
        return b"".join((headers, before, signed_at, between, body_hash, after))

    def header(self, signed_at: bytes, body_hash: bytes, signature: bytes) -> bytes:
        """Return the header of a message with a signature in base64."""
        before, between, after = self.shown
        width = _WIDTH - 1
        lines = [signature[: self.room]]
        lines += [
            signature[start : start + width] for start in range(self.room, len(signature), width)
        ]
        return b"".join(
            (before, signed_at, between, body_hash, after, b"\r\n ".join(lines), b"\r\n")
        )


class SigningRequest(NamedTuple):
    """A text that one key is to sign.

    Attributes:
        layout: the header that the signature completes.
        signed_at: the time in that header, in seconds since 1970.
        body_hash: the hash of the canonical body, in base64.
        octets: the text.
    """

    layout: _Layout
    signed_at: bytes
    body_hash: bytes
    octets: bytes

    @property
    def signer(self) -> "Signer":
        """The key."""
        return self.layout.signer

    def header(self, signature: bytes) -> bytes:
        """Return the DKIM header with this signature in base64."""
        return self.layout.header(self.signed_at, self.body_hash, signature)


class UnsignedMessage(NamedTuple):
    """A message without its signatures.

    Attributes:
        pieces: its bytes.
        requests: what is to be signed; empty for a mail without a signature.
    """

    pieces: list[bytes]
    requests: list[SigningRequest]

    def signed(self, signatures: Sequence[bytes]) -> bytes:
        """Return the whole message with its signatures, in base64 and in the order of requests."""
        headers = [
            request.header(signature)
            for request, signature in zip(self.requests, signatures, strict=True)
        ]
        return b"".join(headers + self.pieces)


def canonical_header(name: str, value: str) -> bytes:
    """Return a header in the relaxed form (RFC 6376, 3.4.2)."""
    unfolded = _SPACES.sub(" ", value.replace("\r\n", "")).strip()
    return f"{name.lower()}:{unfolded}\r\n".encode()


def canonical_body(octets: bytes) -> bytes:
    """Return a piece of a body in the relaxed form (RFC 6376, 3.4.4).

    The caller must not end a body with empty lines, which this form removes.
    """
    return _SPACES_IN_BODY.sub(b" ", octets).replace(b" \r\n", b"\r\n")


@cache
def _names(present: tuple[str, ...]) -> str:
    """Return the names of the signed headers for `h=`, with a space wherever a line may end."""
    text = line = ""
    for name in (*present, *SIGNED):
        if len(line) + len(name) > _WIDTH - 8:
            text, line = f"{text}{line} ", ""
        line += f"{name.lower()}:"
    return f"{text}{line}".removesuffix(":")
