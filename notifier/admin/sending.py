"""The stop of all sending, for the command line and for pages. Opens the transactions."""

from notifier.deliver.outbox import stop as outbox_stop
from notifier.deps import Deps
from notifier.errors import NotifierError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store import backup_state


def stop(deps: Deps, actor: Actor | None = None, because: str = "") -> int:
    """Let no further mail start.

    Args:
        deps: the installation.
        actor: the operator who does it on a page; None on the command line.
        because: why, for the operators' log.

    Returns:
        The id of the entry in the log; 0 without an actor.

    Raises:
        NotifierError: none could already.
    """
    with deps.writing() as session:
        if not outbox_stop.stop(session, deps.now()):
            raise NotifierError("Sending was stopped already: nothing was changed.")
        if actor is None:
            return 0
        return actions.record(
            session, actor, "stopped", "Stopped all sending", about="sending", reason=because
        )


def resume(deps: Deps, actor: Actor | None = None) -> int:
    """Let mails go out again. Arguments and result are those of `stop`.

    Raises:
        NotifierError: nothing had stopped them, or a backup was restored and nobody has decided yet
            what is sent.
    """
    with deps.writing() as session:
        if backup_state.restored(session) is not None:
            raise NotifierError(
                "A backup was restored: decide first what is sent. Nothing was changed.",
                "See what waits: notifier db resume",
            )
        if not outbox_stop.resume(session):
            raise NotifierError("Sending is not stopped: nothing was changed.")
        if actor is None:
            return 0
        return actions.record(session, actor, "resumed", "Let mails go out again", about="sending")
