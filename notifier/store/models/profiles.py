"""Profiles of therapies, their terms, and every imported state of a profile."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notifier.enums import TermKind
from notifier.store.models.base import Base


class Profile(Base):
    """A therapy profile.

    Writer: `match/profiles.py`, `match/removed_profiles.py`, and `match/matches.py` for the
    position.

    Attributes:
        slug: its name in commands and URLs.
        stage_as_of: the day from which `stage` is.
        document: the profile file as JSON.
        position: the last number given in its sequence of matches; 0 before the first.
        removed_at: when a person removed it; None while it is in use.
    """

    __tablename__ = "profile"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    stage_as_of: Mapped[date | None]
    document: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(default=0)
    removed_at: Mapped[datetime | None]

    terms: Mapped[list["Term"]] = relationship(
        back_populates="profile", cascade="all, delete-orphan", order_by="Term.id"
    )


class ProfileRevision(Base):
    """An imported state of a profile. Writer: `match/profiles.py`.

    `number` counts from 1 within the profile; `document` is the profile file as JSON.
    """

    __tablename__ = "profile_revision"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]


class Term(Base):
    """A term that is searched for. Writer: `match/profiles.py`.

    `kind` decides how it counts; `also` are its other spellings.
    """

    __tablename__ = "term"
    __table_args__ = (UniqueConstraint("profile_id", "kind", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"))
    kind: Mapped[TermKind]
    text: Mapped[str] = mapped_column(Text)
    also: Mapped[list[str]]

    profile: Mapped[Profile] = relationship(back_populates="terms")
