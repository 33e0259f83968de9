"""The seal: the DKIM-Signature header of a message (RFC 6376).

Owns canonical forms and the header. Header and body are signed `relaxed/relaxed`; each header of
ours is named once more than it stands there, so that nobody can add another (RFC 6376, 8.15), the
unsubscribe headers included (RFC 8058, 4). What many mails share is brought into its canonical form
once. It knows no cryptography: keys sign.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer

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

_WIDTH = 76
_SPACES = re.compile(r"[ \t]+")
_SPACES_IN_BODY = re.compile(rb"[ \t]+")
# How long the two values of a signature are that differ from message to message.
_MOMENT, _HASH = 10, 44


class DkimSigner:
    """The signing of messages that have the same headers: what of a signature is not one message's is laid out once.

    Args:
        signers: the keys.
        shared: the headers that all have alike, of those in `SIGNED`: their names, and their
            canonical forms.
        own: the names of those that each has its own.
    """

    def __init__(
        self, signers: "Sequence[Signer]", shared: Sequence[tuple[str, bytes]], own: Sequence[str]
    ) -> None:
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
        return b"".join(
            [one.header(self._shared + own, moment, body_hash) for one in self._layouts]
        )


@dataclass(frozen=True)
class _Layout:
    """The DKIM header of one key, cut where a message's own values stand: the time, and the hash of the body."""

    signer: "Signer"
    signed: tuple[bytes, bytes, bytes]
    shown: tuple[bytes, bytes, bytes]
    room: int

    @classmethod
    def of(cls, signer: "Signer", names: str) -> "_Layout":
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
        lines += [
            signature[at : at + _WIDTH - 1] for at in range(self.room, len(signature), _WIDTH - 1)
        ]
        return b"".join((before, moment, between, body_hash, after, b"\r\n ".join(lines), b"\r\n"))


def canonical_header(name: str, value: str) -> bytes:
    """A header in the relaxed form (RFC 6376, 3.4.2)."""
    unfolded = _SPACES.sub(" ", value.replace("\r\n", "")).strip()
    return f"{name.lower()}:{unfolded}\r\n".encode()


def canonical_body(octets: bytes) -> bytes:
    """A piece of a body in the relaxed form (RFC 6376, 3.4.4); the empty lines at its very end are the caller's."""
    return _SPACES_IN_BODY.sub(b" ", octets).replace(b" \r\n", b"\r\n")


@cache
def _names(present: tuple[str, ...]) -> str:
    """The names of the signed headers with colons between, and a space wherever a line may end."""
    text = line = ""
    for name in (*present, *SIGNED):
        if len(line) + len(name) > _WIDTH - 8:
            text, line = f"{text}{line} ", ""
        line += f"{name.lower()}:"
    return f"{text}{line}".removesuffix(":")
