"""Sending, stopped and let go on by an operator of the pages; it is recorded in their log."""

from notifier.deliver.outbox import stop as outbox_stop
from notifier.deps import Deps
from notifier.errors import ChangedMeanwhileError, NotifierError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store import backup_state

ABOUT = "sending"


def stop(deps: Deps, actor: Actor, reason: str = "") -> int:
    """Stop all sending at once; return the id of the entry in the operators' log.

    Raises:
        ChangedMeanwhileError: it was stopped already.
    """
    with deps.writing() as session:
        if not outbox_stop.stop(session, actor.now):
            raise ChangedMeanwhileError
        text = "Stopped all sending"
        return actions.record(session, actor, "sending_stopped", text, about=ABOUT, reason=reason)


def go_on(deps: Deps, actor: Actor, reason: str = "") -> int:
    """Let mails go out again; return the id of the entry in the operators' log.

    Raises:
        NotifierError: a backup was restored: what is sent is decided on the server first.
        ChangedMeanwhileError: it was not stopped any more.
    """
    with deps.writing() as session:
        if backup_state.restored(session) is not None:
            raise NotifierError(
                "A backup was restored: it is decided first what readers have already.",
                "The person who runs the server does that.",
            )
        if not outbox_stop.resume(session):
            raise ChangedMeanwhileError
        text = "Let mails go out again"
        return actions.record(session, actor, "sending_resumed", text, about=ABOUT, reason=reason)
