"""New sources: the addresses of many profiles, watched in few statements.

Owns which of them can be stored at once: addresses that were never watched. All others are left to
`watch/sources.py`, which knows what becomes of a source that is watched again or for a further
profile.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from notifier.enums import SourceKind
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Source, SourceProfile
from notifier.watch import sources


class Wanted(NamedTuple):
    """An address that a profile wants to watch; `kind` is None where the address shows it."""

    profile_id: int
    url: str
    kind: SourceKind | None = None


def add_all(session: Session, wanted: Sequence[Wanted], now: datetime) -> Counter[int]:
    """Watch addresses; return by profile id how many were not watched before.

    Args:
        session: a writing session; the caller commits.
        wanted: the addresses, in the order in which they are added.
        now: the sources are due from this time.

    Raises:
        InputError: an address that cannot be watched.
    """
    named = Counter(each.url for each in wanted)
    known = {
        url
        for chunk in in_chunks(named)
        for url in session.scalars(select(Source.url).where(Source.url.in_(chunk)))
    }
    new = [
        each
        for each in wanted
        if named[each.url] == 1 and each.url not in known and sources.is_plain(each.url)
    ]
    for chunk in in_chunks(new):
        rows = [sources.new_row(each.url, now, kind=each.kind) for each in chunk]
        # By the connection: the session would make an object of each.
        added = insert(Source).returning(Source.id, sort_by_parameter_order=True)
        ids = session.connection().execute(added, rows).scalars().all()
        links = [
            {"source_id": source_id, "profile_id": each.profile_id}
            for source_id, each in zip(ids, chunk, strict=True)
        ]
        session.connection().execute(insert(SourceProfile), links)
    counts = Counter(each.profile_id for each in new)
    at_once = {each.url for each in new}
    for each in wanted:
        if each.url not in at_once:
            profile = session.get_one(Profile, each.profile_id)
            added_one = sources.add(session, each.url, now, kind=each.kind, profile=profile)[1]
            counts[each.profile_id] += added_one
    return counts
