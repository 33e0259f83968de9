"""Due work: what the rows say is to be done now, cut into jobs that workers can share.

Reads only. It decides nothing that the steps do not decide again: a job for which nothing is due
does nothing, so one too many costs a query, and one too few waits for the next look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.deliver.outbox import waiting
from notifier.deps import Deps
from notifier.digest import digests
from notifier.enums import Lane
from notifier.pipeline import review_work
from notifier.settings import Settings
from notifier.subscribers import due_profiles
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
    holds = deps.settings.smtp.when_uncertain == "hold"
    with deps.reading() as session:
        return DueWork(
            due_requests.sources_by_host(session, now),
            _profiles(session, deps.settings, now),
            waiting.anything_due(session, now, before=Lane.URGENT),
            waiting.anything_due(session, now, hold_uncertain=holds),
        )


def _profiles(session: Session, settings: Settings, now: datetime) -> list[int]:
    """Return the profiles to compose for: something is due, or a digest is not released."""
    composing = {*digests.profiles_composing(session)}
    if settings.review.required:
        works = review_work.find(session, settings, now)
        return sorted(composing | {work.profile_id for work in works})
    quiet_time = timedelta(minutes=settings.schedule.quiet_minutes)
    due = {each.profile_id for each in due_profiles.work(session, now, quiet_time)}
    return sorted(composing | due)
