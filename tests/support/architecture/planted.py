"""A small package in which violations are planted.

Lines that end with `# here` must be named by the rule, and no other line of the same file.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.support.architecture.package import Package

# A package with the tables and functions that the planted violations need.
SMALL = {
    "__init__.py": '"""A package."""\n',
    "deps.py": '''"""Deps."""
from contextlib import AbstractContextManager
from sqlalchemy.orm import Session

class Deps:
    """The settings and the database of a step."""
    def writing(self) -> "AbstractContextManager[Session]":
        """Open a transaction."""
        return db.writing()
''',
    "store/__init__.py": '"""Store."""\n',
    "store/db.py": '''"""Database."""
from sqlalchemy.dialects import postgresql, sqlite

def insert_missing(session, table, values):
    """Add a row."""
    insert = sqlite.insert if session.lite else postgresql.insert
    session.execute(insert(table).values(**values))

def insert_all(session, table, rows):
    """Add rows."""
    for row in rows:
        insert_missing(session, table, row)
''',
    "store/models/__init__.py": '''"""Tables."""
from notifier.store.models.base import Base
from notifier.store.models.subscribers import Profile, Source, SourceProfile
from notifier.store.models.subscribers import Subscriber, Subscription
''',
    "store/models/base.py": '''"""Base."""
from sqlalchemy.orm import DeclarativeBase

class Base(DeclarativeBase):
    """Base of the tables."""
''',
    "store/models/subscribers.py": '''"""Subscribers."""
from typing import Any
from sqlalchemy.orm import Mapped, relationship
from notifier.store.models.base import Base

class Profile(Base):
    """A profile."""
    __tablename__ = "profile"
    name: Mapped[str]
    document: Mapped[dict[str, Any]]

class Source(Base):
    """A source."""
    __tablename__ = "source"
    url: Mapped[str]
    profiles: Mapped[list[Profile]] = relationship(secondary="source_profile")

class SourceProfile(Base):
    """A source's profile."""
    __tablename__ = "source_profile"
    source_id: Mapped[int]

class Subscriber(Base):
    """A person."""
    __tablename__ = "subscriber"
    email: Mapped[str]
    subscriptions: Mapped[list["Subscription"]] = relationship()

class Subscription(Base):
    """A person's profile."""
    __tablename__ = "subscription"
    status: Mapped[str]
    hidden: Mapped[list[str]]
    subscriber: Mapped[Subscriber] = relationship()
    profile: Mapped[Profile] = relationship()
''',
    "subscribers/__init__.py": '"""Subscribers."""\n',
    "subscribers/reading.py": '''"""Reading."""
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from notifier.store.models import Subscriber, Subscription

@dataclass(frozen=True)
class Found:
    """A result with a field of the same name as a column."""
    subscription: Subscription
    others: tuple[Subscription, ...]
    status: str = ""

def by_link(session, link: str) -> Subscription | None:
    """Read one."""

def due(session) -> Sequence[Subscription]:
    """Read all that are due."""

def by_id(session) -> Mapping[int, "Subscription"]:
    """Read by id."""

def result(session) -> Found:
    """Read a result."""

@contextmanager
def locked(session) -> Iterator[Subscriber]:
    """Lock a person."""
    yield session.first()
''',
    "watch/__init__.py": '"""Watch."""\n',
    "web/__init__.py": '"""Web."""\n',
}


def samples(text: str) -> Iterator[tuple[str, str]]:
    """Split a text into its samples: each begins with a heading in a line of its own."""
    for part in text.split("\n### ")[1:]:
        heading, _, code = part.partition("\n")
        yield heading, code


def planted(folder: Path, files: dict[str, str]) -> Package:
    """Write the small package with some files more."""
    for place, code in (SMALL | files).items():
        path = folder / "notifier" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return Package(folder / "notifier")


def marked(place: str, code: str) -> set[str]:
    """Return the lines of a file that a rule must name."""
    lines = code.splitlines()
    return {f"{place}:{number}" for number, line in enumerate(lines, 1) if line.endswith("# here")}


def named(violations: list[str], place: str) -> set[str]:
    """Return the lines of a file that violations name."""
    pairs = (violation.split(":")[:2] for violation in violations)
    return {f"{place}:{line}" for file, line in pairs if file.removeprefix("notifier/") == place}
