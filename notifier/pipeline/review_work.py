"""The work under review: which profiles have readers who are due soon, or drafts.

A few reads of an index for all of them; what is to be done is found by `pipeline/review.py`.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.digest import drafts
from notifier.settings import Settings
from notifier.store.models import Profile
from notifier.subscribers import due_ahead, due_profiles
from notifier.subscribers.due_ahead import Ahead
from notifier.subscribers.due_profiles import Due


@dataclass(frozen=True)
class Work:
    """A profile to look at.

    Attributes:
        profile_id: of the profile.
        ahead: who is due soon.
        due: who is due.
    """

    profile_id: int
    ahead: Ahead
    due: Due

    def seen(self, session: Session) -> Hashable:
        """Return what is cheap to read and changes when there is something to do."""
        profile = session.get(Profile, self.profile_id)
        position = profile.position if profile is not None else None
        counts = [
            (each.scheduled, each.news_before, each.urgent_before)
            for each in (self.ahead, self.due)
        ]
        return (position, *counts, *drafts.open_of(session, self.profile_id))


def find(session: Session, settings: Settings, now: datetime) -> list[Work]:
    """Return the profiles with readers who are due or soon will be, or with open drafts, by id."""
    quiet = timedelta(minutes=settings.schedule.quiet_minutes)
    lead = timedelta(hours=settings.review.lead_hours)
    ahead = due_ahead.work(session, now, quiet, lead)
    due = {each.profile_id: each for each in due_profiles.work(session, now, quiet)}
    with_drafts = drafts.profiles_with_open(session)
    return [
        Work(
            profile_id,
            ahead.get(profile_id, Ahead(profile_id, now + lead)),
            due.get(profile_id, Due(profile_id, now)),
        )
        for profile_id in sorted(ahead.keys() | due.keys() | {*with_drafts})
    ]
