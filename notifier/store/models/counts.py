"""Counts of past weeks, which stay when the rows that were counted are removed."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from notifier.store.models.base import Base


class WeeklyCount(Base):
    """The number of times that something happened in a week. Writer: `pipeline/weekly_counts.py`.

    It says nothing about a person.

    Attributes:
        week: the Monday with which the week begins, UTC: ``2026-03-02``.
        name: what was counted, for example ``sent`` (`pipeline/weekly_counts.py` has the list).
    """

    __tablename__ = "weekly_count"

    week: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int]
