"""Editing: what a person changes in a digest before anybody was sent it.

Owns the note above the items, their order, and which of them are left out. The new body is rendered
between reading and storing, so storing refuses a digest that changed meanwhile. That a dropped item
is not sent later either is stored in `match/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from notifier.digest import archive, digests, drafts, item_rows
from notifier.digest.digests import Rendered
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import Group, stored
from notifier.digest.item_rows import ItemRow
from notifier.digest.selection import Candidate, Section, in_order, section_of
from notifier.digest.view import DigestView, Variant, digest_view, note_paragraphs
from notifier.enums import DeliveryStatus, DigestStatus, NewsKind
from notifier.errors import InputError, NotifierError
from notifier.store.models import Delivery, Digest, DigestItem
from notifier.text.cleaning import clean

# Characters; a note must leave room for the items. Chosen by hand; not measured.
LONGEST_NOTE = 2000


class NothingLeftError(NotifierError):
    """Items that cannot be left out, because no digest would be sent for what is left."""


@dataclass(frozen=True)
class Edit:
    """The changes that a person wants.

    Attributes:
        note: the text above the items; empty to remove it, None to leave it as it is.
        first: the ids of the matches that come first in their sections, in this order.
        dropped: the ids of the matches to leave out.
    """

    note: str | None = None
    first: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True)
class Edited:
    """A digest with its changes, to be rendered and stored.

    Attributes:
        digest_id: its id.
        content: the name of its content before.
        note: the text above its items.
        view: its new texts.
        items: in their order.
        dropped: match id and kind of each item that is left out.
        group_key: what its readers are owed now.
    """

    digest_id: int
    content: str
    note: str
    view: DigestView
    items: tuple[ItemRow, ...]
    dropped: tuple[tuple[int, NewsKind], ...]
    group_key: str


def read(session: Session, digest_id: int, edit: Edit) -> Edited:
    """Return a digest with changes.

    Raises:
        NotFoundError: there is no such digest.
        NotifierError: it cannot be changed any more, or nothing would be left of it.
        InputError: it has no such item, or the note is too long.
    """
    digest = digests.find(session, digest_id)
    _require_editable(session, digest)
    items = stored(session, archive.items_of(session, digest))
    _require_items(digest, items, (*edit.first, *edit.dropped))
    kept = [item for item in items if item.match_id not in edit.dropped]
    if all(section_of(item) is Section.RELATED for item in kept):
        raise NothingLeftError(
            f"Nothing of digest {digest_id} would be left that a digest is sent for.",
            "To send nothing this time: "
            f"notifier digests drop {digest_id} --because TEXT. To keep an item out for good: "
            "notifier matches drop ID --because TEXT",
        )
    places = {match_id: place for place, match_id in enumerate(edit.first)}
    ordered = sorted(kept, key=lambda item: places.get(item.match_id, len(places)))
    states = digests.states(session, ordered)
    seen = digest.seen_snapshot
    variant = Variant(
        digest.cadence,
        digest.edition,
        digest.language,
        snapshot_key(digest.profile.document) if seen is None else seen,
    )
    note = digest.editors_note if edit.note is None else tidy(edit.note)
    view = digest_view(
        digest.profile, ordered, states.matches, states.revisions, variant, digest.composed_at
    )
    return Edited(
        digest_id,
        drafts.content_of(digest),
        note,
        replace(view, note=note_paragraphs(note)),
        item_rows.rows(ordered, states.revisions),
        tuple((each.match_id, each.kind) for each in items if each.match_id in edit.dropped),
        digests.group_key(Group(tuple(in_order(kept)), variant)),
    )


def store(session: Session, edited: Edited, rendered: Rendered) -> Digest:
    """Store a changed digest, and return it; an approval of what it was does not count any more.

    Args:
        session: a writing session.
        edited: as `read` returned it.
        rendered: its new subject and bodies.

    Raises:
        NotifierError: it was changed, sent or decided about meanwhile.
    """
    digest = drafts.lock(session, edited.digest_id)
    _require_editable(session, digest)
    if drafts.content_of(digest) != edited.content:
        raise NotifierError(
            f"Digest {digest.id} was changed meanwhile: nothing was changed now.",
            f"See what it is now: notifier digests show {digest.id}",
        )
    digest.subject, digest.headline = rendered.subject, rendered.headline
    digest.body_html, digest.body_text = rendered.html, rendered.text
    digest.page_html, digest.left_out = rendered.page, rendered.left_out
    digest.editors_note = edited.note
    if drafts.is_for_review(digest):
        digest.group_key = edited.group_key
    digest.reviewed_at = digest.approved_at = None
    if digest.status is DigestStatus.APPROVED:
        digest.status = DigestStatus.DRAFT
    session.execute(delete(DigestItem).where(DigestItem.digest_id == digest.id))
    item_rows.store(session, digest.id, edited.items)
    session.flush()
    session.expire(digest, ["items"])
    return digest


def may_change(session: Session, digest: Digest) -> bool:
    """Return whether a digest can be changed still."""
    try:
        _require_editable(session, digest)
    except NotifierError:
        return False
    return True


def tidy(text: str) -> str:
    """Return the text of a note: printable paragraphs with an empty line between them.

    Raises:
        InputError: it is too long.
    """
    blocks = "\n".join(line.strip() for line in text.splitlines()).split("\n\n")
    note = "\n\n".join(paragraph for block in blocks if (paragraph := clean(block)))
    if len(note) > LONGEST_NOTE:
        raise InputError(
            f"The note has {len(note)} characters; at most {LONGEST_NOTE} are allowed.",
            "Shorten it, or put the details on a web page and name its address.",
        )
    return note


def _require_items(digest: Digest, items: Sequence[Candidate], named: Sequence[int]) -> None:
    known = [item.match_id for item in items]
    if unknown := [match_id for match_id in named if match_id not in known]:
        raise InputError(
            f"Digest {digest.id} has no item {unknown[0]}.",
            f"Its items: {', '.join(map(str, known))}. See: notifier digests show {digest.id}",
        )


def _require_editable(session: Session, digest: Digest) -> None:
    """Require that nobody was sent a digest, and that nobody is about to be.

    Raises:
        NotifierError: somebody was or is, or it ended.
    """
    begun = exists().where(
        Delivery.digest_id == digest.id,
        (Delivery.status != DeliveryStatus.PENDING) | (Delivery.attempts > 0),
    )
    planned = exists().where(Delivery.digest_id == digest.id)
    number = digest.id
    if digest.status in (DigestStatus.VOID, DigestStatus.DROPPED):
        raise NotifierError(
            f"Draft {number} is {digest.status}: {digest.ended_because}.",
            "See what waits: notifier digests list",
        )
    if session.scalar(select(begun)):
        raise NotifierError(
            f"Digest {number} was sent to somebody already: it cannot be changed.",
            f"To write to those who got it: notifier digests note {number} --text TEXT",
        )
    waits = digest.status in (DigestStatus.DRAFT, DigestStatus.HELD)
    is_early = digest.status is DigestStatus.APPROVED and not session.scalar(select(planned))
    if not (waits or is_early):
        raise NotifierError(
            f"Digest {number} is {digest.status}: it cannot be changed.",
            f"If it is not sent yet, hold it first: notifier digests hold {number}",
        )
