"""Entries and their revisions: what is new, what changed, what was withdrawn.

Owns the states of an entry over time, and whether a state is news. It knows no profile: whether a
revision concerns anybody is for the matcher to say.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session, selectinload

from notifier.enums import NewsKind
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Match, Revision, Source
from notifier.watch.diff import Change, Difference
from notifier.watch.edits import Compared, Known, difference_of, is_edit, states_of
from notifier.watch.http.types import Purpose, Request
from notifier.watch.identity import Aliases, Identified, identified
from notifier.watch.parsers.observation import DOCUMENT, POSTS, Observation

# An entry that changes at every fetch is not followed into every change: so many states a day are
# stored, and after so many corrections in a month only its headline still makes one.
MOST_REVISIONS_A_DAY = 3
MOST_CORRECTIONS_A_MONTH = 5

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_AFTER_THE_WINDOW = timedelta(days=7)
_MOST_CHECKS = 50
# So many entries are stored in one transaction: whoever writes meanwhile waits for one, not for the
# whole document.
_AT_ONCE = 100
# How many trials that left a search are asked for in one poll.
_MOST_UNLISTED = 200
# So many ids may stand in one statement of every database.
_FEW = 500


@dataclass(frozen=True)
class Stored:
    """What came of the observations of one document.

    Attributes:
        seen: how many there were.
        new: how many of them are new entries.
        changed: how many are known entries in a new state.
        withdrawn: how many of those are now marked as withdrawn.
        postponed: how many changed too often today and are looked at again later.
        entry_ids: the entries that were seen.
        new_ids: those of them that are new.
    """

    seen: int
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    postponed: int = 0
    entry_ids: frozenset[int] = frozenset()
    new_ids: frozenset[int] = frozenset()

    def plus(self, other: "Stored") -> "Stored":
        """With what came of another part of the same document."""
        return Stored(
            seen=self.seen + other.seen,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            withdrawn=self.withdrawn + other.withdrawn,
            postponed=self.postponed + other.postponed,
            entry_ids=self.entry_ids | other.entry_ids,
            new_ids=self.new_ids | other.new_ids,
        )


def store(
    session: Session,
    source: Source,
    observations: Sequence[Observation],
    now: datetime,
    *,
    known_only: bool = False,
) -> Stored:
    """Store what was observed; what is known and unchanged stays as it is, and nothing is ever forgotten.

    Args:
        session: a writing session; the caller commits.
        source: its first successful poll (``baselined_at`` unset, or this moment: the list went on)
            makes a baseline that is owed to nobody.
        observations: all of one document; an empty sequence changes nothing.
        now: when they were observed.
        known_only: leave alone what is no known entry.
    """
    items = Aliases(session, source, identified(observations)).settle()
    return store_part(session, source, items, None, now, known_only=known_only)


class Plan:
    """What is to be done with the observations of one document: in which parts, and how they differ from what is known.

    Attributes:
        parts: the observations with their keys, in parts of which each is stored in a transaction
            of its own.
        differences: what `compare` worked out, by the two states that were compared.
    """

    def __init__(
        self, items: Sequence[Identified], pairs: Sequence[tuple[Known, Observation]]
    ) -> None:
        self.parts = list(in_chunks(items, _AT_ONCE)) or [[]]
        self.differences: dict[Compared, Difference | None] = {}
        self._pairs = pairs

    def compare(self) -> None:
        """Compare every changed state with the known one. To be called while no session is open: it may take long."""
        for known, observation in self._pairs:
            self.differences[states_of(known, observation)] = difference_of(known, observation)
        self._pairs = ()


def plan(session: Session, source: Source, observations: Sequence[Observation]) -> Plan:
    """Look up what is known of a document's observations.

    Args:
        session: a reading session.
        source: the source of the document.
        observations: all of one document.
    """
    aliases = Aliases(session, source, identified(observations))
    items = aliases.settle()
    pairs = []
    for observation, its_keys in items:
        entry = aliases.entry_of(its_keys)
        if entry is not None and is_edit(entry, observation):
            pairs.append((Known.of(entry, observation), observation))
    return Plan(items, pairs)


def store_part(
    session: Session,
    source: Source,
    items: Sequence[Identified],
    differences: Mapping[Compared, Difference | None] | None,
    now: datetime,
    *,
    known_only: bool = False,
) -> Stored:
    """Store a part of a document's observations, as `store` does with all of them.

    Args:
        session: a writing session; the caller commits.
        source: the source of the document.
        items: a part of a `Plan`.
        differences: what was compared before; a state that is not among them, because its entry was
            changed by another process meanwhile, is postponed unless it is short. None compares
            everything here.
        now: when they were observed.
        known_only: leave alone what is no known entry.
    """
    aliases = Aliases(session, source, items)
    outcomes: Counter[str] = Counter()
    seen, created = [], []
    for observation, its_keys in items:
        entry = aliases.entry_of(its_keys)
        if entry is None and known_only:
            continue
        if entry is None:
            entry = _create(session, source, observation, its_keys[0], now)
            created.append(entry)
        else:
            outcomes[_revise(entry, observation, now, differences)] += 1
        if observation.origin == DOCUMENT:
            entry.left_at = None
        seen.append(entry)
        aliases.learn(entry, its_keys)
    session.flush()
    aliases.write()
    withdrawn = outcomes["withdrawn"]
    return Stored(
        seen=len(items),
        new=len(created),
        changed=outcomes["changed"] + withdrawn,
        withdrawn=withdrawn,
        postponed=outcomes["postponed"],
        entry_ids=frozenset(entry.id for entry in seen),
        new_ids=frozenset(entry.id for entry in created),
    )


def _create(
    session: Session, source: Source, observation: Observation, key: str, now: datetime
) -> Entry:
    entry = Entry(
        source_id=source.id,
        key=key,
        url=observation.url,
        title=observation.title,
        published_at=observation.published_at,
        first_seen_at=now,
    )
    session.add(entry)
    # What a site's list of posts shows of the time before its first poll belongs to the baseline,
    # too.
    before = observation.origin == POSTS and _is_before(
        observation.published_at, source.baselined_at
    )
    baseline = source.baselined_at in (None, now) or before
    entry.revisions.append(_revision(observation, 1, NewsKind.NEW, now, baseline=baseline))
    return entry


def _is_before(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment < other


def _revise(
    entry: Entry,
    observation: Observation,
    now: datetime,
    differences: Mapping[Compared, Difference | None] | None,
) -> str:
    """Store a new state of a known entry, if it is one: ``changed``, ``withdrawn``, ``postponed``, or nothing."""
    newest = entry.revisions[-1]
    entry.url = observation.url or entry.url
    entry.published_at = entry.published_at or observation.published_at
    if newest.hash == observation.hash:
        return ""
    if newest.kind is NewsKind.WITHDRAWN:
        return _return(entry, observation, now)
    if observation.withdrawn:
        return _withdraw(entry, observation.withdrawn, now, observation)
    known = Known.of(entry, observation)
    compared = states_of(known, observation)
    if (
        differences is not None
        and compared not in differences
        and not known.is_short_beside(observation)
    ):
        return "postponed"
    difference = (
        differences[compared]
        if differences and compared in differences
        else difference_of(known, observation)
    )
    return _follow(entry, observation, difference, now) if difference is not None else ""


def _follow(entry: Entry, observation: Observation, difference: Difference, now: datetime) -> str:
    """Store an edit, unless the entry is edited too often: ``changed`` or ``postponed``."""
    if "fields" not in observation.content:
        recent = [one for one in entry.revisions[1:] if now - one.observed_at < _DAY]
        if len(recent) >= MOST_REVISIONS_A_DAY:
            return "postponed"
        difference = _restrained(difference, entry, now)
    _append(entry, observation, difference, observation.change, now)
    return "changed"


def _restrained(found: Difference, entry: Entry, now: datetime) -> Difference:
    """The difference, without being news where the entry was corrected too often of late."""
    month = [
        one
        for one in entry.revisions[1:]
        if one.material and now - one.observed_at < timedelta(days=30)
    ]
    headline = any(change["what"] == "headline" for change in found.changes)
    return Difference(
        found.changes, found.material and (headline or len(month) < MOST_CORRECTIONS_A_MONTH)
    )


def _return(entry: Entry, observation: Observation, now: datetime) -> str:
    """A withdrawn entry that is published again, unmarked and with its page there, is told to be back."""
    if (
        observation.withdrawn
        or entry.missing_since is not None
        or observation.origin != entry.revisions[-1].origin
    ):
        return ""
    reason = entry.revisions[-1].changes[0]["after"]
    back = Change(
        what="availability",
        before=reason,
        after=LazyMessage("The publisher shows it again."),
        note="",
    )
    _append(entry, observation, Difference((back,), material=True), observation.change, now)
    return "changed"


def _withdraw(entry: Entry, reason: str, now: datetime, observation: Observation) -> str:
    change = Change(what="withdrawn", before="", after=reason, note="")
    _append(entry, observation, Difference((change,), material=True), NewsKind.WITHDRAWN, now)
    return "withdrawn"


def _append(
    entry: Entry, observation: Observation, found: Difference, kind: NewsKind, now: datetime
) -> None:
    latest = entry.revisions[-1]
    # The whole text of what a baseline knew as a teaser is no news either.
    baseline = latest.baseline and not found.material
    revision = _revision(observation, latest.number + 1, kind, now, baseline=baseline)
    revision.changes = [dict(change) for change in found.changes]
    revision.material = found.material
    entry.title = observation.title or entry.title
    entry.revisions.append(revision)


def _revision(
    observation: Observation, number: int, kind: NewsKind, now: datetime, *, baseline: bool
) -> Revision:
    return Revision(
        number=number,
        hash=observation.hash,
        kind=kind,
        material=True,
        baseline=baseline,
        observed_at=now,
        published_at=observation.published_at,
        url=observation.url,
        title=observation.title,
        summary=observation.summary,
        body=observation.body,
        author=observation.author,
        categories=list(observation.categories),
        content=observation.content,
        changes=[],
        origin=observation.origin,
    )


def note_listed(
    session: Session, source: Source, listed: Collection[int], now: datetime
) -> list[Request]:
    """Note which entries a feed no longer lists, and give the checks whether their pages are still there.

    Args:
        session: a writing session.
        source: a feed whose document was just stored.
        listed: the entries that stand in it; none at all says nothing.
        now: when it was read.
    """
    if not listed:
        return []
    shown = select(Entry).where(Entry.source_id == source.id, Entry.left_at.is_(None))
    left = [entry for entry in session.scalars(shown) if entry.id not in listed]
    for entry in left:
        entry.left_at = now
    if not left:
        return []
    newest = sorted(entry.id for entry in left)[-_MOST_CHECKS:]
    wanted = _checkable().where(Entry.id.in_(newest), ~_checked_within(now, _HOUR))
    return [_check(entry) for entry in session.scalars(wanted)]


def due_checks(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """The entries whose own pages are to be asked today whether they are still there.

    Those that concern a profile, once a day, while they are younger than their feed's window and a
    week more: the newest fifty of each feed.
    """
    dated = func.coalesce(Entry.published_at, Entry.first_seen_at)
    of_the_last_year = Entry.first_seen_at.between(now - timedelta(days=365), now - _DAY)
    chosen = (
        _checkable().where(of_the_last_year, ~_checked_within(now, _DAY)).order_by(Entry.id.desc())
    )
    if len(source_ids) <= _FEW:
        chosen = chosen.where(Entry.source_id.in_(source_ids))
    by_source: dict[int, list[Entry]] = {}
    for entry in session.scalars(chosen):
        by_source.setdefault(entry.source_id, []).append(entry)
    listed = Entry.source_id.in_(by_source), Entry.left_at.is_(None)
    oldest = select(Entry.source_id, func.min(dated)).where(*listed).group_by(Entry.source_id)
    windows = {row[0]: row[1] for row in session.execute(oldest)} if by_source else {}
    checks = []
    for source_id in source_ids:
        since = windows.get(source_id, now) - _AFTER_THE_WINDOW
        young = [
            one
            for one in by_source.get(source_id, ())
            if (one.published_at or one.first_seen_at) > since
        ]
        checks += [_check(entry) for entry in young[:_MOST_CHECKS]]
    return checks


def _checkable() -> Select[Entry]:
    concerns_somebody = select(Match.id).where(Match.entry_id == Entry.id).exists()
    return select(Entry).where(Entry.url != "", concerns_somebody)


def _checked_within(now: datetime, span: timedelta) -> ColumnElement[bool]:
    return and_(Entry.checked_at.is_not(None), Entry.checked_at > now - span)


def _check(entry: Entry) -> Request:
    return Request(entry.source_id, entry.url, purpose=Purpose.CHECK, entry_id=entry.id)


def note_checked(session: Session, entry_id: int, missing: str | None, now: datetime) -> bool:
    """Note whether an entry's page is there; it is withdrawn when it is missing on two checks a day apart.

    Args:
        session: a writing session.
        entry_id: the entry whose page was asked.
        missing: how the page said that it is not there; empty where it is, None where nobody can
            say.
        now: when it was asked.

    Returns:
        Whether the entry is withdrawn by this.
    """
    entry = find(session, entry_id)
    entry.checked_at = now
    newest = entry.revisions[-1]
    if missing is None:
        return False
    if not missing:
        was_missing, entry.missing_since = entry.missing_since is not None, None
        if was_missing and newest.kind is NewsKind.WITHDRAWN:
            _return(entry, _as_observed(newest), now)
        return False
    if entry.missing_since is None:
        entry.missing_since = now
        return False
    if newest.kind is NewsKind.WITHDRAWN or now - entry.missing_since < _DAY:
        return False
    since = entry.missing_since.date()
    reason = LazyMessage(
        "The publisher took the page down: since %(since)s it %(answer)s.",
        since=since,
        answer=missing,
    )
    _withdraw(entry, reason, now, _as_observed(newest, withdrawn=reason))
    return True


def _as_observed(revision: Revision, withdrawn: str = "") -> Observation:
    """What a revision was made of, for the next one that says no more than that it is gone, or back."""
    return Observation(
        guid="",
        url=revision.url,
        title=revision.title,
        summary=revision.summary,
        body=revision.body,
        author=revision.author,
        published_at=revision.published_at,
        categories=tuple(revision.categories),
        content=revision.content,
        withdrawn=withdrawn,
        origin=revision.origin,
    )


def unlisted(session: Session, source: Source, listed: Collection[int]) -> list[Entry]:
    """The entries of a source that its search no longer finds: the newest two hundred of them."""
    known = session.scalars(
        select(Entry.id).where(Entry.source_id == source.id).order_by(Entry.id.desc())
    )
    left = [entry_id for entry_id in known if entry_id not in listed][:_MOST_UNLISTED]
    return list(session.scalars(select(Entry).where(Entry.id.in_(left)).order_by(Entry.id)))


def date_revisions(session: Session, source: Source, as_of: datetime, now: datetime) -> None:
    """Note of what date the registry's data were when these revisions were observed."""
    its_own = select(Entry.id).where(Entry.source_id == source.id)
    fresh = Revision.entry_id.in_(its_own), Revision.observed_at == now, Revision.as_of.is_(None)
    session.execute(update(Revision).where(*fresh).values(as_of=as_of))


def listed(session: Session) -> list[tuple[Entry, int]]:
    """All entries, newest first, each with the number of its revisions."""
    chosen = (
        select(Entry, func.count(Revision.id))
        .join(Revision, Revision.entry_id == Entry.id)
        .group_by(Entry.id)
        .order_by(Entry.id.desc())
    )
    return [(entry, count) for entry, count in session.execute(chosen)]


def find(session: Session, entry_id: int) -> Entry:
    """The entry with this id, its revisions loaded.

    Raises:
        NotFoundError: there is none.
    """
    entry = session.get(Entry, entry_id, options=[selectinload(Entry.revisions)])
    if entry is None:
        raise NotFoundError(
            f"There is no entry {entry_id}.", "See them with: notifier entries list"
        )
    return entry
