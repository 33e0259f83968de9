"""Resuming after a restore: what may have been sent already waits for a person's decision.

Between the backup and the restore digests went out that the database knows nothing of. So nothing
is composed or sent after a restore. Then the sources are polled, the replaced database is asked
what it had sent, and what is due is composed; each digest of it is one decision. When all are made,
mails go out.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.deliver.outbox import restored as outbox_restored
from notifier.deliver.outbox import stop
from notifier.deps import Deps
from notifier.digest import decisions, digests, told_before
from notifier.digest.decisions import Waiting
from notifier.enums import DeliveryStatus, PollStatus, SuppressionCause
from notifier.errors import NotFoundError, NotifierError
from notifier.pipeline import compose, match, poll, restored_evidence
from notifier.pipeline.poll_result import PollResult
from notifier.pipeline.problems import Problems
from notifier.store import backup_state, db
from notifier.store.backup_state import Restored
from notifier.store.models import Suppression


@dataclass(frozen=True)
class Prepared:
    """The state after the sources were polled, and what is due was composed.

    Attributes:
        restore: which waits.
        evidence: whether the replaced database could be read.
        already_sent: how many open mails it had sent.
        failed: the addresses of the sources that could not be polled. What the replaced database
            sent of them is not known to be the same when they work again.
        problems: what failed, a sentence each.
    """

    restore: Restored
    evidence: bool
    already_sent: int
    failed: Sequence[str]
    problems: Sequence[str]


def waiting_restore(deps: Deps) -> Restored | None:
    """Return the restore that waits for decisions; None if there is none."""
    with deps.reading() as session:
        return backup_state.restored(session)


def prepare(deps: Deps) -> Prepared | None:
    """Poll, ask the replaced database, and compose what is due; None if no restore waits.

    A step that fails stops no other, and is named.
    """
    restore = waiting_restore(deps)
    if restore is None:
        return None
    problems = Problems()
    polled: Sequence[PollResult] = ()
    with problems.contained("Polling"):
        polled = poll.run(deps, force=True)
    with problems.contained("Matching"):
        match.run(deps, problems)
    number = restored_evidence.apply(deps, restore)
    with problems.contained("Composing"):
        compose.run(deps, problems, after_restore=True)
    failed = tuple(each.url for each in polled if each.status == PollStatus.FAILED)
    return Prepared(restore, number is not None, number or 0, failed, tuple(problems.lines))


def waiting(deps: Deps, restore: Restored) -> list[Waiting]:
    """Return the digests that wait for a decision."""
    with deps.reading() as session:
        return decisions.waiting(session, restore.at)


def decide(
    deps: Deps, restore: Restored, *, send: bool, only: Collection[int] | None = None
) -> int:
    """Decide about digests; return how many.

    Args:
        deps: the installation.
        restore: which waits.
        send: True to send them; False if their readers have them already: then they count as told.
        only: the ids of the digests; None for all that wait.

    Raises:
        NotFoundError: a digest does not wait for a decision.
    """
    now = deps.now()
    with deps.writing() as session:
        open_ids = {each.digest_id for each in decisions.waiting(session, restore.at)}
        if unknown := sorted({*(only or ())} - open_ids):
            raise NotFoundError(
                f"Digest {unknown[0]} does not wait for a decision: nothing was changed.",
                "See which do: notifier db resume",
            )
        chosen_ids = open_ids if only is None else {*only}
        if send:
            decisions.release(session, chosen_ids, now)
        else:
            _skip(session, chosen_ids)
    return len(chosen_ids)


def _skip(session: Session, digest_ids: Collection[int]) -> None:
    """End the mails of digests whose readers have them: a later correction concerns them."""
    for chunk in db.in_chunks(outbox_restored.open_of(session, digest_ids)):
        told_before.keep(session, chunk, [*DeliveryStatus.OPEN])
        outbox_restored.skip(session, chunk)
    digests.finish(session)


def end(deps: Deps, restore: Restored) -> str:
    """Let mails go out again; return what became of the replaced database, or an empty text.

    An SQLite file is kept for a week more, and goes at once where somebody was erased.

    Raises:
        NotifierError: digests still wait for a decision.
    """
    with deps.writing() as session:
        if decisions.waiting(session, restore.at):
            raise NotifierError(
                "Digests still wait for a decision: nothing was changed.",
                "See which: notifier db resume",
            )
        erased_since = session.scalar(
            select(Suppression.at)
            .where(Suppression.cause == SuppressionCause.ERASED, Suppression.at >= restore.at)
            .limit(1)
        )
        backup_state.end_restore(session)
        stop.resume(session)
    name = db.kept_name(restore.at)
    if deps.engine.dialect.name == "postgresql":
        return (
            f"What was replaced is in the schema {name}. To remove it: DROP SCHEMA {name} CASCADE"
        )
    kept = restored_evidence.kept_file(deps, restore.at)
    if not kept.is_file():
        return ""
    copy = kept.with_name(f"{kept.name}.backup")
    kept.replace(copy)
    os.utime(copy)
    if erased_since is not None:
        copy.unlink()
        return "The replaced database was deleted: somebody was erased since."
    return f"The replaced database is kept for a week: {copy.name}"
