"""The text of `notifier.toml` as `init` writes it: a fresh one, or one that is completed and otherwise left alone.

Owns the comments and the fresh keys. What a setting means is `settings.py`'s.
"""

import re
import secrets
import tomllib
from collections.abc import Iterator

from notifier.errors import InputError

_EMPTY_KEY = re.compile(r"(?m)^[ \t]*suppression_key[ \t]*=[ \t]*(?:\"\"|'')[^\r\n]*")


def suppression_key_line() -> str:
    """The line of `notifier.toml` that holds a fresh `suppression_key`."""
    key = secrets.token_urlsafe(32)
    return f'suppression_key = "{key}"   # keys what is known of addresses: never change it, keep it in your backups'


def with_suppression_key(text: str) -> str:
    """The text of a settings file with a fresh `suppression_key`, and nothing else of it changed.

    Args:
        text: a valid settings file without such a key, or with an empty one.

    Returns:
        The key before the first table, or, where what looks like a table is part of a text, at the
        top; line ends are those that the file has.
    """
    wanted = tomllib.loads(text)
    wanted.pop("suppression_key", None)
    line = suppression_key_line()
    for candidate in _with_line(text, line):
        try:
            given = tomllib.loads(candidate)
        except tomllib.TOMLDecodeError:
            continue
        if given.pop("suppression_key", "") in line and given == wanted:
            return candidate
    raise InputError(
        "suppression_key cannot be added to the settings file.",
        "Set the variable NOTIFIER_SUPPRESSION_KEY, or put the key into the file yourself, before its first [section].",
    )


def _with_line(text: str, line: str) -> Iterator[str]:
    """The text with a line in the places where it may belong, the best one first."""
    end = "\r\n" if "\r\n" in text else "\n"
    if _EMPTY_KEY.search(text):
        yield _EMPTY_KEY.sub(lambda _: line, text, count=1)
        return
    lines = text.splitlines(keepends=True)
    at = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1  # what stands right above a table speaks of it
    before = "".join(lines[:at])
    yield f"{before}{'' if not before or before.endswith(end) else end}{line}{end}{''.join(lines[at:])}"
    yield f"{line}{end}{text}"


def starter_file() -> str:
    """The text of a fresh `notifier.toml`, with a secret of its own."""
    return f"""\
# Settings of notifier. What is left out has its default; `notifier --help` and docs/settings.md list them all.

database_url = "sqlite:///subscribers.db"
public_url = "http://127.0.0.1:8000"     # where readers reach `notifier serve`; links in mails start with it
secret_key = "{secrets.token_urlsafe(32)}"   # signs those links: keep it secret, keep it in your backups
{suppression_key_line()}

[sender]                                 # needed before the first mail
name = "News digest"                     # seen in inboxes and on lock screens: name no illness here
# address = "digest@example.org"
# reply_to = "office@example.org"
# postal_address = "Example Society, 1 Example Street, Example Town"

[smtp]
host = "127.0.0.1"
port = 25
security = "starttls"                    # none, starttls or tls
# username = ""
# password = ""                          # or set NOTIFIER_SMTP__PASSWORD in the environment

[operator]                               # is mailed when a source turns bad, and when it works again
# address = "office@example.org"

[schedule]
time_zone = "UTC"                        # for subscribers who named none
"""
