"""Note mails: the operator's text about a digest, in a frame in the reader's language.

The frame comes first, so that a lock screen shows no word of the operator's that names a therapy.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.deliver.mime.message import ListHeaders, MessageSpec
from notifier.deps import Deps
from notifier.i18n.catalog import language_of
from notifier.links import Purpose
from notifier.store.models import Note, Subscription


def note_spec(
    deps: Deps, note: Note, subscription: Subscription, message_id: str, now: datetime
) -> MessageSpec:
    """Return the mail that brings a note to one reader.

    Args:
        deps: the installation.
        note: the note, with its digest.
        subscription: the reader's subscription, with its subscriber.
        message_id: the Message-ID of the delivery, with angle brackets.
        now: the time from which the links are valid.
    """
    subscriber, digest = subscription.subscriber, note.digest
    language = language_of(subscriber.language)
    composed_on = digest.composed_at.astimezone(ZoneInfo(subscriber.time_zone)).date()
    day = language.day(composed_on)
    opening = language.gettext(
        "This is a note about the digest that we sent you on %(day)s. It goes to everybody who got "
        "that digest, and it was written by a person.",
        day=day,
    )
    archive_url = deps.links.archive_url(digest.key)
    leave_url = deps.links.url(Purpose.UNSUBSCRIBE, subscription.link_id, now)
    values = {
        "paragraphs": [opening, *note.text.split("\n\n")],
        "actions": [(language.gettext("Open that digest"), archive_url)],
        "aside": "",
        "leave_url": leave_url,
        "never_url": "",
        "latest_html": "",
        "latest_text": "",
    }
    return MessageSpec(
        message_id,
        subscriber.email,
        language.gettext("About the digest of %(day)s", day=day),
        "account",
        values,
        language=language.code,
        list_headers=ListHeaders(
            leave_url, subscription.link_id, archive_url, f"{digest.cadence}:note:news"
        ),
    )
