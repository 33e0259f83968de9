"""The text of `notifier.toml` as `init` writes it: a new one, or an old one with a key added.

Owns the comments and the new keys. What a setting means is in `settings.py`.
"""

import re
import secrets
import tomllib
from collections.abc import Iterator

from notifier.errors import InputError

_EMPTY_KEY = re.compile(r"(?m)^[ \t]*suppression_key[ \t]*=[ \t]*(?:\"\"|'')[^\r\n]*")


def suppression_key_line() -> str:
    """Return the line of `notifier.toml` that sets a new `suppression_key` of 256 random bits."""
    key = secrets.token_urlsafe(32)
    return f'suppression_key = "{key}"   # never change it, and keep it in your backups'


def with_suppression_key(text: str) -> str:
    """Add a new `suppression_key` to the text of a settings file, and change nothing else.

    Args:
        text: a valid settings file (TOML) without such a key, or with an empty one.

    Returns:
        The text with the key before the first table, or at its top if what looks like a table is
        inside a string. The line ends are those of the file.

    Raises:
        InputError: no place was found where the key changes nothing else.
    """
    others = tomllib.loads(text)
    others.pop("suppression_key", None)
    line = suppression_key_line()
    for candidate in _with_line(text, line):
        try:
            settings = tomllib.loads(candidate)
        except tomllib.TOMLDecodeError:
            continue
        if settings.pop("suppression_key", "") in line and settings == others:
            return candidate
    raise InputError(
        "suppression_key cannot be added to the settings file.",
        "Put a key of 32 random characters into the file yourself, before its first [section], or "
        "into the environment variable NOTIFIER_SUPPRESSION_KEY.",
    )


def _with_line(text: str, line: str) -> Iterator[str]:
    """Yield the text with a line added at each possible place, the best one first."""
    end = "\r\n" if "\r\n" in text else "\n"
    if _EMPTY_KEY.search(text):
        yield _EMPTY_KEY.sub(lambda _: line, text, count=1)
        return
    lines = text.splitlines(keepends=True)
    at = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1  # a comment right above a table belongs to the table
    before = "".join(lines[:at])
    gap = "" if not before or before.endswith(end) else end
    yield f"{before}{gap}{line}{end}{''.join(lines[at:])}"
    yield f"{line}{end}{text}"


def starter_file() -> str:
    """Return the text of a new `notifier.toml`, with keys of its own."""
    return f"""\
# Settings of notifier. What is left out has its default; docs/settings.md lists all settings.

database_url = "sqlite:///subscribers.db"
public_url = "http://127.0.0.1:8000"     # where readers reach `notifier serve`; links start with it
secret_key = "{secrets.token_urlsafe(32)}"   # signs links: keep it secret, keep it in backups
{suppression_key_line()}

[sender]                                 # required before the first mail
name = "News digest"                     # shown in inboxes and on lock screens: name no illness
# address = "digest@example.org"
# reply_to = "office@example.org"
# postal_address = "Example Society, 1 Example Street, Example Town"

[smtp]
host = "127.0.0.1"
port = 25
security = "starttls"                    # none, starttls or tls
# username = ""
# password = ""                          # or set NOTIFIER_SMTP__PASSWORD in the environment

[operator]                               # is mailed when a source fails, and when it works again
# address = "office@example.org"

[schedule]
time_zone = "UTC"                        # for subscribers who chose none
"""
