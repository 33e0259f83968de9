"""Looks: what a process remembers of profiles whose drafts only wait for a person.

Finding the draft of each reader reads all readers who are due soon. While a draft waits, that need
not be done at every tick: only when something that is cheap to read has changed, or after a while.
What is forgotten is looked at again, so nothing depends on it.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifier.digest.drafts import OpenDraft

# After this time a profile is looked at whatever was remembered: a reader may have chosen another
# language, and the counts do not show it. Chosen by hand; not measured.
_REMEMBERED_FOR = timedelta(minutes=10)


@dataclass
class Looks:
    """The last look at each profile that found nothing to do, by the profile's id.

    Attributes:
        seen: what was cheap to read then.
        until: the time at which there may be something to do whatever is read.
    """

    seen: dict[int, Hashable] = field(default_factory=dict)
    until: dict[int, datetime] = field(default_factory=dict)

    def is_idle(self, profile_id: int, seen: Hashable, now: datetime) -> bool:
        """Return whether a look at a profile would find nothing to do."""
        return self.seen.get(profile_id) == seen and now < self.until.get(profile_id, now)

    def note(
        self, profile_id: int, seen: Hashable, drafts: Iterable[OpenDraft], now: datetime
    ) -> None:
        """Remember that there was nothing to do, until something is to be done with a draft."""
        times = [time for draft in drafts for time in (draft.remind_at, draft.open_until) if time]
        ahead = [time for time in times if time > now]
        self.seen[profile_id] = seen
        self.until[profile_id] = min([now + _REMEMBERED_FOR, *ahead])
