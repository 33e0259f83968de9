"""Signed links, each for one purpose, that contain nothing readable about a person.

Owns the signing (itsdangerous, with one salt for each purpose, so that a link for one purpose does
not work for another), the paths of the links, and how long they are valid. A link contains a random
id or a keyed hash, never an address or a therapy.
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

# In characters. Chosen by hand: `notifier init` makes keys of 43.
_SHORTEST_KEY = 16
# The length of a bounce token, and how many of its characters are the random part of a Message-ID.
TOKEN_LENGTH = 38
_RANDOM_LENGTH = 26
# The length of a signature in a link: SHA-1 in base64, without padding.
SIGNATURE_LENGTH = 27
# The random part of our Message-IDs.
_RANDOM_PART = re.compile(r"[0-9a-f]{32}")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """The purpose of a link, which is also its path."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    ARCHIVE = "archive"
    RENEW = "renew"
    ADDRESS = "address"
    NEVER = "never"


# Links of these purposes contain the time at which they were made, and expire. The messages below
# and the mails name the periods.
VALID_FOR = {Purpose.CONFIRM: timedelta(hours=48), Purpose.PREFERENCES: timedelta(days=400)}

# The default sentences for a link that is too old: the problem and the fix.
_EXPIRED = {
    Purpose.CONFIRM: (
        "This link is older than 48 hours.",
        "Subscribe once more to get a new one.",
    ),
    Purpose.PREFERENCES: (
        "This link is older than 400 days.",
        "Have a fresh one sent to you, then go on.",
    ),
}


class ExpiredLinkError(LinkError):
    """A genuine link that is too old.

    Args:
        purpose: its purpose, one of those that expire.
        link_id: the id that it contains.

    Attributes:
        valid_for: how long a link of this purpose is valid.
    """

    def __init__(self, purpose: Purpose, link_id: str) -> None:
        super().__init__(*_EXPIRED[purpose])
        self.purpose = purpose
        self.link_id = link_id
        self.valid_for = VALID_FOR[purpose]


@dataclass(frozen=True)
class Links:
    """The links of one installation.

    Args:
        public_url: the URL of the web pages from outside, without a slash at its end.
        secret_key: the key that signs.
        previous_key: a key whose signatures are still accepted, so that a change of the key does
            not break the links in older mails.

    Raises:
        SettingsError: `secret_key` is missing or too short.
    """

    public_url: str
    secret_key: str
    previous_key: str | None = None

    def __post_init__(self) -> None:
        if len(self.secret_key) < _SHORTEST_KEY:
            raise SettingsError(
                f"secret_key is {'too short' if self.secret_key else 'not set'}:"
                " links could be forged.",
                "Set it, or NOTIFIER_SECRET_KEY, to 32 random characters; `notifier init` writes"
                " one into new settings.",
            )

    def url(self, purpose: Purpose, link_id: str, now: datetime) -> str:
        """Return the URL for a mail; arguments as for `token`."""
        return f"{self.public_url}/{purpose}/{self.token(purpose, link_id, now)}"

    def archive_url(self, key: str) -> str:
        """Return the URL of a digest's archive page.

        It needs no signature: the digest's key is random.
        """
        return f"{self.public_url}/{Purpose.ARCHIVE}/{key}"

    def token(self, purpose: Purpose, link_id: str, now: datetime) -> str:
        """Return the signed part of a URL.

        Args:
            purpose: the purpose of the link.
            link_id: letters, digits and ``:_-`` only: the random id of a subscription or of a
                change of address, or the keyed hash of an address (`NEVER`).
            now: the time at which the link is made; a link that expires contains it.
        """
        payload = (
            f'["{link_id}",{int(now.timestamp())}]' if purpose in VALID_FOR else f'"{link_id}"'
        )
        # The same as `URLSafeSerializer.dumps`, but the key is derived and prepared once: a digest
        # for many recipients needs many links.
        value = _base64(payload.encode())
        signature = _base64(_signed(self._macs[purpose], value))
        return f"{value.decode()}.{signature.decode()}"

    def bounce_token(self, message_id: str) -> str:
        """Return the token for the envelope sender by which a returned mail is identified.

        It tells nobody else anything.

        Args:
            message_id: of the delivery, ``<32 hexadecimal digits@domain>``.

        Returns:
            38 letters and digits whose case does not matter (RFC 4648, 6): the 128 random bits of
            the Message-ID, and 62 bits of their signature. Empty for a Message-ID of another form.
        """
        random_part = message_id.partition("@")[0].removeprefix("<")
        if not _RANDOM_PART.fullmatch(random_part):
            return ""
        return _bounce_token(self._bounce_macs[0], random_part)

    def parse_bounce_token(self, token: str) -> str | None:
        """Return the random part of the Message-ID that a token is for.

        Returns:
            The 32 hexadecimal digits at the start of the Message-ID; None for a token that was not
            signed here.
        """
        lower = token.lower().encode()
        try:
            random_part = b32decode(lower[:_RANDOM_LENGTH].upper() + b"======").hex()
        except ValueError:
            return None
        genuine = [
            hmac.compare_digest(lower, _bounce_token(mac, random_part).encode())
            for mac in self._bounce_macs
        ]
        return random_part if any(genuine) else None

    def proof(self, nonce: str) -> str:
        """Return what only an installation with this key can say about a nonce.

        It proves to `notifier doctor` that an address leads to this installation, and is good for
        nothing else.

        Returns:
            64 hexadecimal digits.
        """
        key = f"notifier.instance {self.secret_key}".encode()
        return hmac.new(key, nonce.encode(), "sha256").hexdigest()

    def read(self, purpose: Purpose, token: str, now: datetime) -> str:
        """Return the id that a link contains.

        Raises:
            LinkError: the link is forged, cut short, or made for another purpose.
            ExpiredLinkError: a link to confirm is older than 48 hours, or one to the preferences is
                older than 400 days. Links from before they contained a time have expired, too.
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
        valid_for = VALID_FOR.get(purpose)
        if valid_for is not None and not (
            isinstance(made_at, int) and now - valid_for <= datetime.fromtimestamp(made_at, UTC)
        ):
            raise ExpiredLinkError(purpose, link_id)
        return link_id

    def is_genuine(self, purpose: Purpose, token: str) -> bool:
        """Return whether a link was signed here for this purpose, however long ago."""
        try:
            self._serializers[purpose].loads(token)
        except BadData:
            return False
        return True

    @cached_property
    def _bounce_macs(self) -> list[hmac.HMAC]:
        keys = (self.secret_key, self.previous_key)
        return [hmac.new(f"notifier.bounce {key}".encode(), None, "sha256") for key in keys if key]

    @cached_property
    def _serializers(self) -> dict[Purpose, URLSafeSerializer]:
        keys = [key for key in (self.previous_key, self.secret_key) if key]
        return {purpose: URLSafeSerializer(keys, salt=f"notifier.{purpose}") for purpose in Purpose}

    @cached_property
    def _macs(self) -> dict[Purpose, hmac.HMAC]:
        return {
            purpose: hmac.new(
                serializer.make_signer(f"notifier.{purpose}").derive_key(), None, "sha1"
            )
            for purpose, serializer in self._serializers.items()
        }


def _incomplete() -> LinkError:
    return LinkError(
        "This link is not complete.",
        "Copy it whole from the mail, or use the button.",
    )


def _base64(octets: bytes) -> bytes:
    """Encode for a URL (RFC 4648, 5), without padding."""
    return b2a_base64(octets, newline=False).translate(_URL_SAFE, b"=")


def _bounce_token(mac: hmac.HMAC, random_part: str) -> str:
    signed = bytes.fromhex(random_part) + _signed(mac, random_part.encode())[:8]
    return b32encode(signed)[:TOKEN_LENGTH].decode().lower()


def _signed(mac: hmac.HMAC, octets: bytes) -> bytes:
    """Return the code of a text (RFC 2104); copying a prepared key takes half the time."""
    own = mac.copy()
    own.update(octets)
    return own.digest()
