"""An operator's decisions about the digests of an issue, bound to what they were shown.

Opens the transactions; each decision is one, with its entry in the operators' log. Each locks the
digests, so that of two at once the second is told what the first one did. `review.py` does the same
for the command line, where nobody is logged in.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from notifier.admin import review
from notifier.deps import Deps
from notifier.digest import archive, digests, drafts, editing, issues
from notifier.digest.editing import Edit, Edited, NothingLeftError
from notifier.enums import DigestStatus
from notifier.errors import InputError, NotFoundError, NotifierError
from notifier.match import dropping
from notifier.messages import digest_body
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store.models import Digest
from notifier.text.cleaning import shorten

# Characters of a headline in the log.
_LONGEST_TITLE = 120

Shown = Mapping[int, str]


class ChangedError(NotifierError):
    """A digest is not what the operator was shown any more; nothing was done."""


def approve(deps: Deps, shown: Shown, actor: Actor) -> int:
    """Approve drafts, or release held digests, all of them or none.

    Args:
        deps: the installation.
        shown: the state of each that was looked at (`issues.state_of`), by its id.
        actor: who decides.

    Returns:
        The id of the entry in the log.

    Raises:
        NotFoundError: there is no such digest.
        ChangedError: one of them is not what was shown, or is not true any more.
        NotifierError: one of them is neither held nor a draft.
    """
    with deps.writing() as session:
        action_id = 0
        for digest in _locked(session, shown):
            was_held = digest.status is DigestStatus.HELD
            _require_true(session, digest)
            if not drafts.approve(session, digest, actor.now):
                raise NotifierError(f"No approval is waited for: {issues.title_of(digest)}.")
            because = review.resume(session, digest, actor.now)
            done = "Released" if was_held else "Approved"
            action_id = _record(session, actor, "approved", done, digest, because=because)
        return action_id


def hold(deps: Deps, digest_id: int, because: str, actor: Actor) -> int:
    """Keep back a draft, or stop a digest that is being sent, until it is approved.

    It is done whatever else changed meanwhile: nobody is sent anything by it.

    Returns:
        The id of the entry in the log.

    Raises:
        NotFoundError: there is no such digest.
        ChangedError: it neither goes out nor is a draft.
    """
    with deps.writing() as session:
        digest = drafts.lock(session, digest_id)
        was_approved = digest.status is DigestStatus.APPROVED
        if not drafts.hold(session, digest):
            raise ChangedError("This digest neither waits nor is being sent: nothing was changed.")
        done = "Stopped" if was_approved else "Held"
        return _record(session, actor, "held", done, digest, reason=because)


def drop(
    deps: Deps, digest_id: int, shown: str, because: str, actor: Actor, *, with_items: bool
) -> int:
    """Let the readers of a draft get nothing this time.

    Args:
        deps: the installation.
        digest_id: of the draft.
        shown: its state that was looked at.
        because: the reason, not empty.
        actor: who decides.
        with_items: keep its items out of all further digests, too.

    Returns:
        The id of the entry in the log.

    Raises:
        NotFoundError: there is no such digest.
        InputError: the reason is empty.
        ChangedError: it is not what was shown.
        NotifierError: it is no draft, or somebody is being sent it.
    """
    reason = _required(because)
    with deps.writing() as session:
        (digest,) = _locked(session, {digest_id: shown})
        items = [(item.match_id, item.kind) for item in digest.items]
        if not drafts.drop(session, digest, reason):
            raise NotifierError("This digest is no draft that waits: nothing was changed.")
        for match_id, kind in items if with_items else ():
            dropping.drop_item(session, match_id, kind, reason)
        if with_items:
            drafts.end_changed(session, digest.profile_id)
        return _record(session, actor, "dropped", "Dropped", digest, reason=reason)


def change(deps: Deps, changes: Mapping[int, Edit], shown: Shown, what: str, actor: Actor) -> int:
    """Change notes and orders of digests, all of them or none.

    Args:
        deps: the installation.
        changes: by the digest's id.
        shown: the state of each digest that was looked at; those that are changed, and others.
        what: what is done, for the log: "Wrote the editor's note of".
        actor: who does it.

    Returns:
        The id of the entry in the log.

    Raises:
        NotFoundError: there is no such digest.
        InputError: a digest has no such item, or a note is too long.
        ChangedError: one of them is not what was shown.
        NotifierError: one of them cannot be changed.
    """
    with deps.reading() as session:
        edited = [editing.read(session, digest_id, edit) for digest_id, edit in changes.items()]
    rendered = [digest_body.renderer(deps)(each.view) for each in edited]
    with deps.writing() as session:
        _locked(session, shown)
        action_id = 0
        for each, body in zip(edited, rendered, strict=True):
            digest = editing.store(session, each, body)
            action_id = _record(session, actor, "edited", what, digest)
        return action_id


def leave_out(
    deps: Deps, digest_id: int, match_id: int, because: str, shown: Shown, actor: Actor
) -> int:
    """Leave an item out of a digest, of the others of its issue, and of all further digests.

    A draft of another issue that has it is void and composed anew; so is one of this issue of which
    nothing else would be left.

    Args:
        deps: the installation.
        digest_id: the digest that was looked at.
        match_id: of the item.
        because: the reason, not empty.
        shown: the state of each digest of the issue, by its id.
        actor: who does it.

    Returns:
        The id of the entry in the log.

    Raises:
        NotFoundError: there is no such digest, or no such item in it.
        InputError: the reason is empty.
        ChangedError: one of them is not what was shown.
        NotifierError: it is the only item, or the digest cannot be changed.
    """
    reason = _required(because)
    with deps.reading() as session:
        title = _title_of(session, digest_id, match_id)
        # Those that were sent stay as they are; the digest itself is refused below.
        bound = {digest_id: shown.get(digest_id, "")} | {
            other_id: state
            for other_id, state in shown.items()
            if editing.may_change(session, digests.find(session, other_id))
        }
        edited = _without(session, digest_id, match_id, bound)
    rendered = [digest_body.renderer(deps)(each.view) for each in edited]
    with deps.writing() as session:
        _locked(session, bound)
        action_id = 0
        for each, body in zip(edited, rendered, strict=True):
            digest = editing.store(session, each, body)
            for dropped, kind in each.dropped:
                dropping.drop_item(session, dropped, kind, reason)
            done = f"Left “{title}” out of"
            number = _record(session, actor, "left_out", done, digest, reason=reason)
            action_id = number if digest.id == digest_id else action_id
        drafts.end_changed(session, digest.profile_id)
        return action_id


def _without(session: Session, digest_id: int, match_id: int, shown: Shown) -> list[Edited]:
    """Return the digests of an issue without an item, those of which something is left."""
    edited = [editing.read(session, digest_id, Edit(dropped=(match_id,)))]
    for other_id in shown:
        other = digests.find(session, other_id)
        has_item = any(item.match_id == match_id for item in other.items)
        if other_id == digest_id or not has_item:
            continue
        try:
            edited.append(editing.read(session, other_id, Edit(dropped=(match_id,))))
        except NothingLeftError:
            continue
    return edited


def _title_of(session: Session, digest_id: int, match_id: int) -> str:
    """Return the headline of an item as a digest shows it.

    Raises:
        NotFoundError: the digest has no such item.
    """
    for item in archive.items_of(session, digests.find(session, digest_id)):
        if item.match_id == match_id:
            return shorten(item.revision.title or item.match.entry.title, _LONGEST_TITLE)
    raise NotFoundError("This digest has no such item: nothing was changed.")


def _locked(session: Session, shown: Shown) -> Sequence[Digest]:
    """Return digests, locked, in the order of their ids.

    Raises:
        NotFoundError: there is no such digest.
        ChangedError: one of them is not what was shown.
    """
    locked = [drafts.lock(session, digest_id) for digest_id in sorted(shown)]
    for digest in locked:
        if issues.state_of(digest) != shown[digest.id]:
            raise ChangedError(
                "This was changed since you were shown it, and nothing was done now:"
                f" {issues.title_of(digest)}."
            )
    return locked


def _require_true(session: Session, digest: Digest) -> None:
    """Require that no item of a draft changed since it was composed.

    Raises:
        ChangedError: one did.
    """
    if digest.open_until is None:
        return
    if because := drafts.changed(session, [digest.id]).get(digest.id):
        raise ChangedError(
            f"This draft is not true any more: {because}. It was not approved. The next run"
            " composes it anew; you will find the new draft in the list."
        )


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    done: str,
    digest: Digest,
    *,
    reason: str = "",
    because: str = "",
) -> int:
    text = f"{done} digest {digest.id}: {issues.title_of(digest)}"
    if because:
        text += f". {because}: {review.INSTEAD}"
    return actions.record(session, actor, kind, text, about=f"digest {digest.id}", reason=reason)


def _required(because: str) -> str:
    """Return a reason.

    Raises:
        InputError: it is empty.
    """
    if not because.strip():
        raise InputError("Say why, in a few words.")
    return because.strip()
