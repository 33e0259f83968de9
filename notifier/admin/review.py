"""The operator's decisions about digests and matches, for the command line and for pages.

Opens the transactions. Each decision locks the digest, so of two at once the second is told that it
came too late. What follows from a decision (deliveries, new drafts) is done by the next run.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.admin import match_log
from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests, drafts, editing, outdated
from notifier.digest.drafts import FEWEST_DIGITS, Ended
from notifier.digest.editing import Edit
from notifier.enums import DigestStatus
from notifier.errors import InputError, NotifierError
from notifier.match import dropping, held, shown_state
from notifier.messages import digest_body
from notifier.operators.actions import Actor
from notifier.store.models import Digest

# What happens to the unsent rest of a digest of which an item changed.
INSTEAD = "who has not got it is sent a new digest with what is left of its news, as it is now"
_TOO_LATE = {
    DigestStatus.APPROVED: "is approved already",
    DigestStatus.SENT: "was sent already",
}


@dataclass(frozen=True)
class Dropped:
    """A match that was dropped or restored.

    Attributes:
        title: of its entry.
        drafts: the drafts that ended because of it.
        action_id: of the entry in the operators' log; 0 if nobody was named.
    """

    title: str
    drafts: tuple[Ended, ...] = ()
    action_id: int = 0


def approve(deps: Deps, digest_id: int, content: str = "") -> datetime | None:
    """Approve a draft, or release a held digest.

    Args:
        deps: the installation.
        digest_id: its id.
        content: the name of the content that was looked at (`drafts.content_of`), or the first 8
            or more of its digits; empty to approve whatever the digest is now.

    Returns:
        The time before which nobody is sent it; None if it goes out with the next run.

    Raises:
        NotFoundError: there is no such digest.
        InputError: `content` is no name of a content.
        NotifierError: it is neither held nor a draft, or it is not what was looked at.
    """
    now = deps.now()
    with deps.writing() as session:
        digest = drafts.lock(session, digest_id)
        if digest.status in (DigestStatus.HELD, DigestStatus.DRAFT):
            _require_unchanged(session, digest, content)
        if not drafts.approve(session, digest, now):
            raise _refusal(digest)
        resume(session, digest, now)
        waits = digest.due_at is not None and digest.due_at > now and digest.open_until is not None
        return digest.due_at if waits else None


def resume(session: Session, digest: Digest, now: datetime) -> str:
    """Let a digest go out that was approved; return why it does not as it is, a clause, or nothing.

    Where an item changed since it was composed, the mails wait until a run has merged them into a
    digest with its news as it is now.
    """
    because = outdated.reason(session, digest)
    outbox.resume(session, digest, now + outbox.SOON if because else now)
    return because


def what_changed(deps: Deps, digest_id: int) -> str:
    """Return why a digest is not sent as it is, a clause: an item changed; else nothing."""
    with deps.reading() as session:
        return outdated.reason(session, digests.find(session, digest_id))


def hold(deps: Deps, digest_id: int) -> None:
    """Stop a digest, or keep back a draft, until it is approved.

    Raises:
        NotFoundError: there is no such digest.
        NotifierError: it neither goes out nor is a draft.
    """
    with deps.writing() as session:
        digest = drafts.lock(session, digest_id)
        if not drafts.hold(session, digest):
            raise NotifierError(f"Digest {digest_id} is not being sent: nothing was changed.")


def drop(deps: Deps, digest_id: int, because: str, *, with_items: bool = False) -> None:
    """Let the readers of a draft get nothing this time.

    Args:
        deps: the installation.
        digest_id: of the draft.
        because: the reason, not empty.
        with_items: keep its items out of all further digests, too.

    Raises:
        NotFoundError: there is no such digest.
        InputError: the reason is empty.
        NotifierError: it is no draft, or somebody is being sent it.
    """
    reason = _required(because)
    with deps.writing() as session:
        digest = drafts.lock(session, digest_id)
        items = [(item.match_id, item.kind) for item in digest.items]
        if not drafts.drop(session, digest, reason):
            raise NotifierError(
                f"Digest {digest_id} is {digest.status} and no draft that waits: nothing was"
                " changed.",
                "To end single mails: notifier deliveries drop ID",
            )
        for match_id, kind in items if with_items else ():
            dropping.drop_item(session, match_id, kind, reason)
        if with_items:
            drafts.end_changed(session, digest.profile_id)


def edit(deps: Deps, digest_id: int, changes: Edit, because: str = "") -> tuple[str, DigestStatus]:
    """Change a digest that nobody was sent yet; an approval of it does not count any more.

    Args:
        deps: the installation.
        digest_id: its id.
        changes: the changes.
        because: why items are dropped; needed if any are.

    Returns:
        The name of its new content, and its status.

    Raises:
        NotFoundError: there is no such digest.
        InputError: it has no such item, the note is too long, or the reason is missing.
        NotifierError: it cannot be changed, or was changed meanwhile.
    """
    reason = _required(because) if changes.dropped else ""
    with deps.reading() as session:
        edited = editing.read(session, digest_id, changes)
    rendered = digest_body.renderer(deps)(edited.view)
    with deps.writing() as session:
        digest = editing.store(session, edited, rendered)
        for match_id, kind in edited.dropped:
            dropping.drop_item(session, match_id, kind, reason)
        if edited.dropped:
            drafts.end_changed(session, digest.profile_id)
        return drafts.content_of(digest), digest.status


def drop_match(
    deps: Deps, match_id: int, because: str, *, seen: str = "", actor: Actor | None = None
) -> Dropped:
    """Keep a match out of all further digests; the drafts that contain it are void.

    Args:
        deps: the installation.
        match_id: its id.
        because: the reason, not empty.
        seen: the state that the person was shown (`shown_state.of_matches`); empty for any.
        actor: whom the operators' log names; nothing is written into it without one.

    Raises:
        NotFoundError: there is no match with this id.
        InputError: the reason is empty.
        ChangedMeanwhileError: it is not what the person was shown.
    """
    reason = _required(because)
    with deps.writing() as session:
        shown_state.require_match(session, match_id, seen)
        match = dropping.drop(session, match_id, reason)
        session.flush()
        ended = tuple(drafts.end_changed(session, match.profile_id))
        action = match_log.record(session, actor, "dropped", "Dropped", match, reason)
        return Dropped(match.entry.title, ended, action)


def drop_held_match(
    deps: Deps, near_miss_id: int, because: str, *, seen: str = "", actor: Actor | None = None
) -> Dropped:
    """Drop a held match: it never becomes one. Arguments and errors are those of `drop_match`.

    Raises:
        NotFoundError: there is none with this id, or it was released or dropped already.
    """
    reason = _required(because)
    with deps.writing() as session:
        shown_state.require_held(session, near_miss_id, seen)
        near_miss = held.drop(session, near_miss_id, reason)
        action = match_log.record(session, actor, "dismissed", "Dismissed", near_miss, reason)
        return Dropped(near_miss.entry.title, action_id=action)


def restore_match(
    deps: Deps,
    match_id: int,
    *,
    because: str = "",
    seen: str = "",
    actor: Actor | None = None,
) -> Dropped:
    """Take back the dropping of a match: it is owed to those who were not sent it.

    Arguments are those of `drop_match`; a reason is not needed.

    Raises:
        NotFoundError: there is no match with this id.
        NotifierError: it was not dropped.
        ChangedMeanwhileError: it is not what the person was shown.
    """
    with deps.writing() as session:
        shown_state.require_match(session, match_id, seen)
        match = dropping.restore(session, match_id, deps.now())
        action = match_log.record(session, actor, "restored", "Restored", match, because)
        return Dropped(match.entry.title, action_id=action)


def _require_unchanged(session: Session, digest: Digest, content: str) -> None:
    """Require that a digest is what the operator looked at, and is true still.

    Raises:
        InputError: `content` is no name of a content.
        NotifierError: it is not.
    """
    named = content.strip().lower()
    if named and (len(named) < FEWEST_DIGITS or not _is_hexadecimal(named)):
        raise InputError(
            f"--content {content!r} is no name of a content.",
            f"Copy it from the mail, or from: notifier digests show {digest.id}",
        )
    if named and not drafts.content_of(digest).startswith(named):
        raise NotifierError(
            f"Digest {digest.id} was changed since you were shown it: it is not approved.",
            f"See what it is now: notifier digests show {digest.id}",
        )
    if digest.open_until is None:
        return
    if because := drafts.changed(session, [digest.id]).get(digest.id):
        raise NotifierError(
            f"Draft {digest.id} is not true any more: {because}. It is not approved.",
            "The next `notifier run` composes it anew, and mails you what it is then.",
        )


def _refusal(digest: Digest) -> NotifierError:
    if digest.ended_because:
        return NotifierError(
            f"Draft {digest.id} is {digest.status}: {digest.ended_because}. Nothing was changed.",
            "See what waits: notifier digests list",
        )
    why = _TOO_LATE.get(digest.status, "is not held")
    return NotifierError(f"Digest {digest.id} {why}: nothing was changed.")


def _required(because: str) -> str:
    """Return a reason.

    Raises:
        InputError: it is empty.
    """
    if not because.strip():
        raise InputError("--because is empty.", "Say why, in a few words.")
    return because.strip()


def _is_hexadecimal(text: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in text)
