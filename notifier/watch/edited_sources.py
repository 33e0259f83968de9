"""Changes of sources by a person: address, name, tier, profiles, rest, and the end of a profile.

Owns what of a source's state stays when it is changed: the entries do, and no baseline is made
again, so that an edit neither sends old news nor loses new ones.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import Authority, SourceKind
from notifier.errors import InputError, NotFoundError
from notifier.store.models import Profile, Source
from notifier.text.cleaning import shorten
from notifier.watch import sources


def edit(
    session: Session,
    source: Source,
    now: datetime,
    *,
    url: str | None = None,
    name: str | None = None,
    authority: Authority | None = None,
    profiles: Sequence[Profile] | None = None,
) -> list[str]:
    """Change what is named, and keep what is None; the entries stay.

    Args:
        session: a writing session; the caller commits.
        source: the source.
        now: a new address is due from this time, as the same source: no baseline is made again.
        url: its new address.
        name: the name that readers see.
        authority: its tier.
        profiles: the profiles that it is watched for; an empty list for every profile.

    Returns:
        The names of the fields that differ now.

    Raises:
        InputError: the address cannot be watched, or is that of another source.
    """
    changed = []
    if url is not None and (address := _free_address(session, source, url)) != source.url:
        source.url, source.next_poll_at = address, now
        source.etag = source.last_modified = source.body_hash = source.requested_whole_at = None
        source.moved_to = source.moved_seen_at = source.gone_at = None
        source.failures, source.last_error = 0, None
        changed.append("address")
    if name is not None and name != source.name:
        source.name = name
        changed.append("name")
    if authority is not None and authority is not source.authority:
        source.authority = authority
        changed.append("authority")
    if profiles is not None and {*profiles} != {*source.profiles}:
        source.profiles = [*profiles]
        changed.append("profile")
    session.flush()
    return changed


def locked(session: Session, source_id: int) -> Source:
    """Return a watched source that nobody else changes until the end of the transaction.

    Raises:
        NotFoundError: there is none, or it was removed.
    """
    source = session.get(Source, source_id, with_for_update=True)
    if source is None or source.removed_at is not None:
        raise NotFoundError("This source is not watched any more.", "")
    return source


def _free_address(session: Session, source: Source, url: str) -> str:
    """Return the address in the form in which it is stored.

    Raises:
        InputError: it cannot be watched, or is that of another source.
    """
    address = sources.watchable(url)
    if not address:
        raise InputError(
            f"{shorten(url, sources.LONGEST_SHOWN_ADDRESS)!r} cannot be watched.",
            "Give an address that begins with https:// or http://.",
        )
    if sources.kind_of(address) is SourceKind.REGISTRY and source.kind is not SourceKind.REGISTRY:
        raise InputError(
            f"{address} is a registry record, and source {source.id} is a {source.kind}.",
            "Add it as a source of its own: notifier sources add URL",
        )
    other = session.scalar(select(Source).where(Source.url == address, Source.id != source.id))
    if other is not None:
        state = "is" if other.removed_at is None else "was"
        raise InputError(
            f"{address} {state} watched as another source ({other.id}).",
            "Remove this one instead, and watch that: notifier sources add URL",
        )
    return address


def leave_profile(session: Session, profile: Profile, now: datetime) -> int:
    """Watch nothing for a profile any more; return the number of sources that are not watched now.

    A source of other profiles stays theirs. One that was for this profile alone is removed: without
    a profile it would be for every one.
    """
    removed = 0
    query = select(Source).where(Source.profiles.any(Profile.id == profile.id))
    for source in session.scalars(query).all():
        if source.removed_at is None and len(source.profiles) == 1:
            source.removed_at = now
            removed += 1
        elif len(source.profiles) > 1:
            source.profiles.remove(profile)
    session.flush()
    return removed


def pause(source: Source, now: datetime, by: str = "") -> bool:
    """Let a source rest: it is not polled, and its state alarms nobody.

    Args:
        source: the source, in a writing session.
        now: the time from which it rests.
        by: the operator; empty on the command line.

    Returns:
        False if it rested already, and nothing changed.
    """
    if source.paused_at is not None:
        return False
    source.paused_at, source.paused_by = now, by
    return True


def go_on(source: Source, now: datetime) -> bool:
    """Poll a source again after its rest, at once; return False if it did not rest.

    The time by which it should publish something moves by the length of the rest, so that it is not
    called silent for having been left alone.
    """
    if source.paused_at is None:
        return False
    if source.expected_by is not None:
        source.expected_by += now - source.paused_at
    source.paused_at, source.paused_by = None, ""
    source.next_poll_at = now
    return True
