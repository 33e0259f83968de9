"""The doctor's own mail: a list mail like a digest, whose links belong to nobody.

It carries the headers of a digest, so that signatures and receivers treat it as one.
"""

from datetime import datetime

from notifier.deliver.mime.message import ListHeaders, MessageSpec
from notifier.deps import Deps
from notifier.links import Purpose

# No subscription has this id: theirs are random and longer.
NOBODY = "doctor"


def one_click_url(deps: Deps, now: datetime) -> str:
    """Return a link to unsubscribe that is signed like those of mails, and belongs to nobody."""
    return deps.links.url(Purpose.UNSUBSCRIBE, NOBODY, now)


def spec(deps: Deps, to: str, message_id: str, now: datetime) -> MessageSpec:
    """Return the mail.

    Args:
        deps: the installation.
        to: the recipient's address.
        message_id: with angle brackets.
        now: its date.
    """
    paragraphs = [
        ["This mail was sent by `notifier doctor --send-to`. Nothing was stored."],
        ["It carries the headers and the signature of a digest. Its links belong to nobody."],
    ]
    headers = ListHeaders(
        one_click_url(deps, now),
        deps.links.token(Purpose.UNSUBSCRIBE, NOBODY, now),
        f"{deps.settings.public_url}/archive",
        "doctor:test:news",
    )
    return MessageSpec(
        message_id,
        to,
        "notifier doctor: a test mail",
        "operator_alert",
        {"paragraphs": paragraphs},
        list_headers=headers,
    )
