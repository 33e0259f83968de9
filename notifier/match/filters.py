"""Filters: which matches, held or not, a listing shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from notifier.enums import Tier
from notifier.store.models import Entry, Profile


@dataclass(frozen=True)
class Filter:
    """The conditions of a listing; what is None selects nothing out.

    Attributes:
        profile: only of this profile.
        tier: only of this tier.
        source_id: only of entries of this source.
        since: only those that are not older.
    """

    profile: Profile | None = None
    tier: Tier | None = None
    source_id: int | None = None
    since: datetime | None = None

    def conditions(self, table: Any, moment: Any) -> list[ColumnElement[bool]]:
        """Return the SQL conditions for a table with these columns.

        Args:
            table: `Match` or `NearMiss`.
            moment: the column of the time by which `since` judges.
        """
        conditions: list[ColumnElement[bool]] = []
        if self.profile is not None:
            conditions.append(table.profile_id == self.profile.id)
        if self.tier is not None:
            conditions.append(table.tier == self.tier)
        if self.source_id is not None:
            of_source = select(Entry.id).where(Entry.source_id == self.source_id)
            conditions.append(table.entry_id.in_(of_source))
        if self.since is not None:
            conditions.append(moment >= self.since)
        return conditions


ALL = Filter()
