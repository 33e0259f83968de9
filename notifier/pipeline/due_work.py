"""Due work: what the rows say is to be done now, cut into jobs that workers can share.

Reads only. It decides nothing that the steps do not decide again: a job for which nothing is due
does nothing, so one too many costs a query, and one too few waits for the next look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from notifier.deliver.outbox import waiting
from notifier.deps import Deps
from notifier.enums import Lane
from notifier.subscribers import due_subscriptions
from notifier.watch import due_requests


@dataclass(frozen=True)
class DueWork:
    """Everything that is due at one moment.

    Attributes:
        hosts: the ids of the sources to poll, by host.
        profiles: the ids of the profiles to compose for.
        asked: whether a mail waits that somebody just asked for.
        mails: whether any mail waits.
    """

    hosts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    profiles: Sequence[int] = ()
    asked: bool = False
    mails: bool = False


def find(deps: Deps) -> DueWork:
    """Return what is due now."""
    now = deps.now()
    quiet_time = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    with deps.reading() as session:
        return DueWork(
            due_requests.sources_by_host(session, now),
            due_subscriptions.due_profiles(session, now, quiet_time),
            waiting.anything_due(session, now, before=Lane.URGENT),
            waiting.anything_due(session, now),
        )
