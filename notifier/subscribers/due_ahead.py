"""Due soon: the subscriptions for which a draft is composed before their due time.

Owns what "soon" means for each kind: the scheduled ones are due within the lead; the immediate
ones, and those that want urgent news at once, have no due time that anybody could wait for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, case, literal
from sqlalchemy.orm import Session

from notifier.store.models import Subscription, UTCDateTime
from notifier.subscribers import due_profiles
from notifier.subscribers.due_profiles import Due

# The due time of those who are due as soon as their digest is approved: before every other.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ahead(Due):
    """The subscriptions of a profile that are due until `now`, a time ahead of the present."""

    def due_at(self) -> ColumnElement[datetime]:
        """Return the SQL expression of the time at which a digest is due; see `AT_ONCE`."""
        scheduled: ColumnElement[bool] = Subscription.next_due_at <= self.now
        return case((scheduled, Subscription.next_due_at), else_=literal(AT_ONCE, UTCDateTime()))


def work(session: Session, now: datetime, quiet: timedelta, lead: timedelta) -> dict[int, Ahead]:
    """Return who is due soon, by profile.

    Args:
        session: a reading session.
        now: the present.
        quiet: how long an immediate digest waits for further matches.
        lead: how long before its due time a digest is composed.
    """
    ahead = due_profiles.work(session, now + lead, quiet + lead)
    return {due.profile_id: Ahead(**vars(due)) for due in ahead}
