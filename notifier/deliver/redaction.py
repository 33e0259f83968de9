"""Redaction: what a mail server or a report says, made safe to store, to log and to show.

Owns the forms in which others repeat what they were given: the recipient, other people's addresses,
a password. Words of strangers pass through here before they stand in a table, a mail, a log or on a
terminal.
"""

import base64
import re
from functools import lru_cache

from notifier.text.cleaning import clean, redacted, shorten

_LONGEST = 300
# So much of an answer is looked at.
_SEARCHED = 2_000
_RECIPIENT = "(the recipient)"
_SECRET = "(a secret)"  # noqa: S105 - stands in the place of one
# What looks like the encoded words of a log-in (RFC 4954), whatever mechanism made them.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_SHORTEST_SECRET = 8
# Local parts that are words of their own in what servers say ("user unknown"): they name nobody.
_SHORTEST_NAME = 3
_COMMON = frozenset(
    {
        "abuse",
        "account",
        "address",
        "admin",
        "box",
        "contact",
        "domain",
        "email",
        "hello",
        "host",
        "hostmaster",
        "info",
    }
    | {
        "local",
        "mail",
        "mailbox",
        "message",
        "name",
        "not",
        "office",
        "postmaster",
        "recipient",
        "server",
        "smtp",
    }
    | {"spam", "support", "team", "unknown", "user", "webmaster"}
)


def safe(text: str, recipient: str = "", limit: int = _LONGEST) -> str:
    """One printable line without addresses.

    Args:
        text: what somebody else said.
        recipient: the address that it is about: it goes however it is written, its name alone, too.
        limit: the most characters that are kept.
    """
    text = _beginning(text)
    if recipient:
        for form in _forms(recipient):
            text = form.sub(_RECIPIENT, text)
    return shorten(redacted(text), limit)


def _beginning(text: str) -> str:
    """So much as is looked at, on one line; a word that is cut off goes whole, for half an address is one still."""
    return clean(text if len(text) <= _SEARCHED else text[:_SEARCHED].rpartition(" ")[0])


@lru_cache(maxsize=16)
def _forms(recipient: str) -> tuple[re.Pattern[str], ...]:
    """Expressions for an address: whole, with blanks where a server broke its line, and what stands before its @."""
    local = recipient.rpartition("@")[0]
    whole = r"\s?".join(re.escape(letter) for letter in recipient)
    names = sorted({local, local.partition("+")[0]}, key=len, reverse=True)
    telling = [
        name for name in names if len(name) >= _SHORTEST_NAME and name.lower() not in _COMMON
    ]
    alone = [rf"(?i)(?<![\w.+-]){re.escape(name)}(?![\w-])" for name in telling]
    return tuple(re.compile(form) for form in (f"(?i)<?{whole}>?", *alone))


def without_secrets(text: str, *secrets: str | None) -> str:
    """One printable line in which neither these secrets stand nor anything that looks like an encoded log-in.

    Args:
        text: what a server said to a log-in.
        secrets: user name and password; they go as they are and in base64. A short one of letters
            alone stays, because it may as well be a word of the server's.
    """
    text = _beginning(text)
    given = [secret for secret in secrets if secret]
    for secret in (
        secret for secret in given if len(secret) >= _SHORTEST_SECRET or not secret.isalpha()
    ):
        for form in filter(
            None, (secret, clean(secret), base64.b64encode(secret.encode()).decode())
        ):
            text = text.replace(form, _SECRET)
    return shorten(redacted(_ENCODED.sub(_unless_a_word, text)), _LONGEST)


def _unless_a_word(match: re.Match[str]) -> str:
    """Words have one case and no digits; what is encoded has both cases, or digits."""
    word = match[0]
    mixed = word[1:] not in (word[1:].lower(), word[1:].upper())
    return _SECRET if mixed or any(letter.isdigit() for letter in word) else word
