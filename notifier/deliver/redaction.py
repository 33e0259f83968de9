"""Redaction: the words of a mail server or a report, made safe to store, to log and to show.

Owns the forms in which others repeat what they were given: the recipient, other people's addresses,
a password. Words of strangers pass through here before they reach a table, a mail, a log or a
terminal.
"""

import base64
import re
from functools import lru_cache

from notifier.text.cleaning import clean, redacted, shorten

# The characters that are kept of a text, and those that are read of it. Chosen by hand; not
# measured.
_LONGEST = 300
_SEARCHED = 2_000
_RECIPIENT = "(the recipient)"
_SECRET = "(a secret)"  # noqa: S105 - replaces a secret
# A word that looks like the encoded credentials of a log-in (RFC 4954), by any mechanism.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_SHORTEST_SECRET = 8
# Shorter local parts, and these words, are usual in answers ("user unknown"): they name nobody.
# Chosen by hand; not measured.
_SHORTEST_NAME = 3
_COMMON = frozenset(
    [
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
        "spam",
        "support",
        "team",
        "unknown",
        "user",
        "webmaster",
    ]
)


def safe(text: str, recipient: str = "", limit: int = _LONGEST) -> str:
    """Return a text as one printable line without addresses.

    Args:
        text: the words of somebody else.
        recipient: the address that the text is about. It is removed in every spelling, and so is
            its local part alone.
        limit: the most characters that are kept.
    """
    text = _beginning(text)
    if recipient:
        for form in _forms(recipient):
            text = form.sub(_RECIPIENT, text)
    return shorten(redacted(text), limit)


def _beginning(text: str) -> str:
    """Return the part of a text that is read, on one line.

    A word at the cut is removed whole, because half an address still names somebody.
    """
    return clean(text if len(text) <= _SEARCHED else text[:_SEARCHED].rpartition(" ")[0])


@lru_cache(maxsize=16)
def _forms(recipient: str) -> tuple[re.Pattern[str], ...]:
    """Return expressions for an address and for its local part alone.

    The address may hold blanks where a server broke its line.
    """
    local = recipient.rpartition("@")[0]
    whole = r"\s?".join(re.escape(character) for character in recipient)
    names = sorted({local, local.partition("+")[0]}, key=len, reverse=True)
    identifying = [
        name for name in names if len(name) >= _SHORTEST_NAME and name.lower() not in _COMMON
    ]
    alone = [rf"(?i)(?<![\w.+-]){re.escape(name)}(?![\w-])" for name in identifying]
    return tuple(re.compile(form) for form in (f"(?i)<?{whole}>?", *alone))


def without_secrets(text: str, *secrets: str | None) -> str:
    """Return a text as one printable line without secrets and encoded credentials.

    Args:
        text: the answer of a server to a log-in.
        secrets: user name and password. They are removed as they are and in base64. A short one of
            letters alone stays, because it may be a word of the server's.
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
    return shorten(redacted(_ENCODED.sub(_hide_unless_word, text)), _LONGEST)


def _hide_unless_word(match: re.Match[str]) -> str:
    """Return a natural word as it is, and the replacement for an encoded one.

    A natural word has one case and no digits; an encoded one has both cases, or digits.
    """
    word = match[0]
    mixed = word[1:] not in (word[1:].lower(), word[1:].upper())
    return _SECRET if mixed or any(character.isdigit() for character in word) else word
