"""Links: signed addresses with one purpose each, that hold nothing readable about a person.

Owns the signing (itsdangerous, one salt a purpose, so that a link made for one thing can do no
other), the paths in which links stand, and how long they work. A link carries a random id or a
keyed hash, never an address or a therapy.
"""

import hmac
import re
from base64 import b32decode, b32encode
from binascii import b2a_base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from itsdangerous import BadData, URLSafeSerializer

from notifier.errors import LinkError, SettingsError
from notifier.i18n.messages import LazyMessage

CONFIRM_FOR = timedelta(hours=48)
PREFERENCES_FOR = timedelta(days=400)

_SHORTEST_KEY = 16
# How long a word in an envelope sender is, and how many of its letters name the delivery.
TOKEN_LENGTH = 38
_NAME_LETTERS = 26
# The random part of our Message-IDs.
_NAME = re.compile(r"[0-9a-f]{32}")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """What a link is for; also its path."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    ARCHIVE = "archive"
    RENEW = "renew"
    ADDRESS = "address"
    NEVER = "never"


# Links of these purposes say when they were made, and work only so long.
_HOLDS = {Purpose.CONFIRM: CONFIRM_FOR, Purpose.PREFERENCES: PREFERENCES_FOR}


class ExpiredLinkError(LinkError):
    """A link of ours that is too old; `link_id` is what it once opened."""

    def __init__(self, problem: str, fix: str, link_id: str) -> None:
        super().__init__(problem, fix)
        self.link_id = link_id


@dataclass(frozen=True)
class Links:
    """The links of one installation.

    Args:
        public_url: where the pages are reached from outside.
        secret_key: signs.
        previous_key: still accepted, so that a key can be changed without breaking the links in old
            mails.
    """

    public_url: str
    secret_key: str
    previous_key: str | None = None

    def __post_init__(self) -> None:
        if len(self.secret_key) < _SHORTEST_KEY:
            raise SettingsError(
                f"secret_key is {'too short' if self.secret_key else 'not set'}: links could be forged.",
                "Set it, or NOTIFIER_SECRET_KEY, to 32 random characters; `notifier init` makes one at the start.",
            )

    def url(self, purpose: Purpose, link_id: str, now: datetime) -> str:
        """The address to put into a mail."""
        return f"{self.public_url}/{purpose}/{self.token(purpose, link_id, now)}"

    def archived(self, key: str) -> str:
        """Where a digest can be read; its random key stands in for a signature, and counts nothing."""
        return f"{self.public_url}/{Purpose.ARCHIVE}/{key}"

    def token(self, purpose: Purpose, link_id: str, now: datetime) -> str:
        """The signed part of the address.

        Args:
            purpose: what the link is for.
            link_id: letters, digits and ``:_-`` alone: the random id of a subscription or a change
                of address, or the keyed hash of an address (`NEVER`).
            now: when it is made; a link that expires says so.
        """
        payload = f'["{link_id}",{int(now.timestamp())}]' if purpose in _HOLDS else f'"{link_id}"'
        # What the serializer would do, with the key derived once: a digest for many asks for many
        # links.
        value = _base64(payload.encode())
        return f"{value.decode()}.{_base64(hmac.digest(self._derived[purpose], value, 'sha1')).decode()}"

    def bounce_token(self, message_id: str) -> str:
        """The word in an envelope sender by which a returned mail is known again; it says nothing to others.

        Args:
            message_id: of the delivery, ``<32 hexadecimal digits@domain>``.

        Returns:
            38 letters and digits of which the case does not count (RFC 4648, 6): the 128 random
            bits of the Message-ID, and 62 bits of their signature. Empty for an identifier that is
            not of our form.
        """
        name = message_id.partition("@")[0].removeprefix("<")
        return _bounce_word(self._bounce_keys[0], name) if _NAME.fullmatch(name) else ""

    def parse_bounce_token(self, token: str) -> str | None:
        """The 32 hexadecimal digits that begin the Message-ID which such a word means; None for a word not of ours."""
        word = token.lower().encode()
        try:
            name = b32decode(word[:_NAME_LETTERS].upper() + b"======").hex()
        except ValueError:
            return None
        ours = [
            hmac.compare_digest(word, _bounce_word(key, name).encode()) for key in self._bounce_keys
        ]
        return name if any(ours) else None

    def read(self, purpose: Purpose, token: str, now: datetime) -> str:
        """The id of what a link means.

        Raises:
            LinkError: forged, cut short, or made for something else.
            ExpiredLinkError: a link to confirm after 48 hours, or to preferences after 400 days.
                One that does not say when it was made is from before links said so, and has
                expired, too.
        """
        try:
            payload = self._serializers[purpose].loads(token)
        except BadData as error:
            raise _incomplete() from error
        link_id, made_at = (
            payload if isinstance(payload, list) and len(payload) == 2 else (payload, None)
        )
        if not isinstance(link_id, str):
            raise _incomplete()
        holds = _HOLDS.get(purpose)
        if holds is not None and not (
            isinstance(made_at, int) and now - holds <= datetime.fromtimestamp(made_at, UTC)
        ):
            raise _expired(purpose, link_id)
        return link_id

    @cached_property
    def _bounce_keys(self) -> list[bytes]:
        keys = (self.secret_key, self.previous_key)
        return [f"notifier.bounce {key}".encode() for key in keys if key]

    @cached_property
    def _serializers(self) -> dict[Purpose, URLSafeSerializer]:
        keys = [key for key in (self.previous_key, self.secret_key) if key]
        return {purpose: URLSafeSerializer(keys, salt=f"notifier.{purpose}") for purpose in Purpose}

    @cached_property
    def _derived(self) -> dict[Purpose, bytes]:
        return {
            purpose: serializer.make_signer(f"notifier.{purpose}").derive_key()
            for purpose, serializer in self._serializers.items()
        }


def _incomplete() -> LinkError:
    return LinkError(
        LazyMessage("This link is not complete."),
        LazyMessage("Copy it whole from the mail, or use the button."),
    )


def _expired(purpose: Purpose, link_id: str) -> ExpiredLinkError:
    if purpose is Purpose.CONFIRM:
        return ExpiredLinkError(
            LazyMessage("This link is older than 48 hours."),
            LazyMessage("Subscribe once more to get a new one."),
            link_id,
        )
    return ExpiredLinkError(
        LazyMessage("This link is older than 400 days."),
        LazyMessage("Have a fresh one sent to you, then go on."),
        link_id,
    )


def _base64(octets: bytes) -> bytes:
    """The form for addresses (RFC 4648, 5), without padding."""
    return b2a_base64(octets, newline=False).translate(_URL_SAFE, b"=")


def _bounce_word(key: bytes, name: str) -> str:
    signed = bytes.fromhex(name) + hmac.digest(key, name.encode(), "sha256")[:8]
    return b32encode(signed)[:TOKEN_LENGTH].decode().lower()
