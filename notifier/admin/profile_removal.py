"""Removal of a profile: nothing is matched for it any more, and its readers are told.

Owns the order: first the profile, so that nobody subscribes meanwhile; then the subscriptions in
parts, each with its mails in one transaction. A removal that was interrupted is completed by
another call.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.enums import DeliveryKind
from notifier.errors import NotFoundError
from notifier.match import removed_profiles
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store.models import Profile
from notifier.subscribers import profile_endings
from notifier.watch import edited_sources


@dataclass(frozen=True)
class Removal:
    """The result of a removal.

    Attributes:
        ended: how many subscriptions ended whose owners get a mail.
        unconfirmed: how many sign-ups waited for their confirmation.
        sources: how many sources are not watched any more.
        action_id: the entry in the operators' log; 0 for a removal by a command.
    """

    ended: int
    unconfirmed: int
    sources: int
    action_id: int = 0


def remove(
    deps: Deps, slug: str, attested_by: str, actor: Actor | None = None, *, reason: str = ""
) -> Removal:
    """Remove a profile and end its subscriptions.

    Args:
        deps: the installation.
        slug: of the profile.
        attested_by: who removes it, as the consent ledger names them.
        actor: the operator who removes it, for the operators' log; None for a command.
        reason: for the log.

    Raises:
        NotFoundError: there is no such profile, or it is removed with everything already.
    """
    now = deps.now()
    with deps.writing() as session:
        profile = removed_profiles.find_any(session, slug)
        is_new, profile_id = profile.removed_at is None, profile.id
        removed_profiles.remove(session, profile, now)
        sources = edited_sources.leave_profile(session, profile, now)
        action_id = _record(session, profile, actor, reason) if actor else 0
    ended = unconfirmed = 0
    while True:
        with deps.writing() as session:
            part = profile_endings.end_some(session, profile_id, attested_by, now)
            if part is None:
                break
            outbox.enqueue_own(session, DeliveryKind.CLOSED, part.ended_ids, deps.mail_domain, now)
        ended, unconfirmed = ended + len(part.ended_ids), unconfirmed + part.others
    if not (is_new or ended or unconfirmed):
        raise NotFoundError(
            f"The profile {slug} is removed already.", "See: notifier profiles list"
        )
    return Removal(ended, unconfirmed, sources, action_id)


def _record(session: Session, profile: Profile, actor: Actor, reason: str) -> int:
    """Write the removal into the operators' log; it tells how many readers hear of it."""
    readers = profile_endings.count_running(session, profile.id)
    text = f"Removed the profile {profile.name}: subscriptions that end, {readers:,}"
    about = f"profile {profile.slug}"[:60]
    return actions.record(session, actor, "removed_profile", text, about=about, reason=reason)
