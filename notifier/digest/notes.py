"""Notes: what a person tells those who got a digest, because something in it was wrong.

Owns the table of notes. The same text about the same digest is one note, however often it is given.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import DeliveryKind, DeliveryStatus, SubscriptionStatus
from notifier.errors import InputError
from notifier.store.models import Delivery, Digest, Note, Subscription
from notifier.text.cleaning import clean

# Characters. Chosen by hand: about a page.
LONGEST_TEXT = 4000


def tidy(text: str) -> str:
    """Return the text of a note: printable paragraphs with an empty line between them.

    Raises:
        InputError: there is no text, or it is too long.
    """
    blocks = "\n".join(line.strip() for line in text.splitlines()).split("\n\n")
    paragraphs = [paragraph for block in blocks if (paragraph := clean(block))]
    tidied = "\n\n".join(paragraphs)
    if not tidied:
        raise InputError("The note has no text.", "Give it with --text or --file.")
    if len(tidied) > LONGEST_TEXT:
        raise InputError(
            f"The note has {len(tidied)} characters; at most {LONGEST_TEXT} are allowed.",
            "Shorten it, or put the details on a web page and name its address.",
        )
    return tidied


def find_or_store(session: Session, digest: Digest, text: str, now: datetime) -> Note:
    """Return the note with this text about a digest, stored if it is new."""
    session.get_one(Digest, digest.id, with_for_update=True)  # two commands make one note
    text_hash = hashlib.sha256(text.encode()).hexdigest()
    known = select(Note).where(Note.digest_id == digest.id, Note.text_hash == text_hash)
    note = session.scalars(known).first()
    if note is None:
        note = Note(digest_id=digest.id, text=text, text_hash=text_hash, created_at=now)
        session.add(note)
        session.flush()
    return note


def readers_without(session: Session, note: Note) -> Sequence[int]:
    """Return the subscriptions that got the note's digest, still run and have no note yet."""
    has_note = select(Delivery.subscription_id).where(
        Delivery.note_id == note.id, Delivery.subscription_id.is_not(None)
    )
    got = (
        select(Subscription.id)
        .join(Delivery, Delivery.subscription_id == Subscription.id)
        .where(
            Delivery.digest_id == note.digest_id,
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.status == DeliveryStatus.SENT,
            Subscription.status.in_(SubscriptionStatus.RUNNING),
            Subscription.id.not_in(has_note),
        )
        .order_by(Subscription.id)
    )
    return session.scalars(got).all()
