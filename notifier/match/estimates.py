"""Estimates: what an edited profile would have matched of the last 90 days, beside the stored one.

Owns which entries are looked at: the newest ones of the sources that feed the profile, as many as a
person waits for. Both states are judged by the code that judges news (`match/judging.py`), on the
newest stored state of each entry; nothing is written.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from notifier.enums import Tier
from notifier.match import judging
from notifier.match.judging import Document
from notifier.match.past_entries import JUDGED_COLUMNS, Candidate
from notifier.match.profiles import FEWEST_ENTRIES_TO_ESTIMATE
from notifier.match.terms import Vocabulary
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Profile, Revision, Source, SourceProfile
from notifier.text.urls import web_address

DAYS = 90
# Entries that an estimate looks at, and the seconds that it takes: a text of 4,400 characters takes
# 2 ms, so 1,000 entries of that length take 4 s. Measured on one processor.
MOST_ENTRIES, MOST_SECONDS = 2_000, 5.0
# A profile is too broad if it would match more than half of what was looked at, and at least twice
# as much as now. Chosen by hand; not measured.
_TOO_BROAD_SHARE, _TOO_BROAD_GROWTH = 0.5, 2
# Entries that are read together. Chosen by hand; not measured.
_PART = 100
# Profiles whose judgements by the stored terms are kept in memory. Chosen by hand; not measured.
_MOST_KEPT = 8


class Verdict(NamedTuple):
    """The tier of a text, and the reasons in English."""

    tier: Tier
    reasons: tuple[str, ...] = ()


NO_MATCH = Verdict(Tier.NONE)


@dataclass(frozen=True)
class Differing:
    """An entry whose tier differs between the two states of a profile.

    Attributes:
        title: of its newest state.
        url: where it can be read; empty if no link can lead there.
        observed_at: when that state was seen.
        before: the verdict by the stored profile.
        after: the verdict by the edited one.
    """

    title: str
    url: str
    observed_at: datetime
    before: Verdict
    after: Verdict

    @property
    def way(self) -> str:
        """``in``, ``out``, or ``tier`` for an entry that matches by both states."""
        if self.before.tier is Tier.NONE:
            return "in"
        return "out" if self.after.tier is Tier.NONE else "tier"


@dataclass(frozen=True)
class Comparison:
    """The matches of two states of a profile among the same entries.

    Attributes:
        entries: how many were looked at.
        since: the time of the earliest one; None if none was.
        is_whole: whether all of the last 90 days were looked at.
        before: the matches of the stored state, by tier.
        after: those of the edited one.
        differing: the entries whose tier differs, the newest first.
    """

    entries: int
    since: datetime | None
    is_whole: bool
    before: Mapping[Tier, int]
    after: Mapping[Tier, int]
    differing: Sequence[Differing]

    @property
    def matched_before(self) -> int:
        """The number of entries that match by the stored state."""
        return sum(self.before.values())

    @property
    def matched_after(self) -> int:
        """The number of entries that match by the edited one."""
        return sum(self.after.values())

    @property
    def is_too_broad(self) -> bool:
        """True if the edited profile would match most of what its sources publish."""
        return (
            self.entries >= FEWEST_ENTRIES_TO_ESTIMATE
            and self.matched_after > self.entries * _TOO_BROAD_SHARE
            and self.matched_after >= self.matched_before * _TOO_BROAD_GROWTH
        )


class KeptVerdicts:
    """The verdicts of the stored states of a few profiles; several threads may share them.

    A person who edits a profile asks for one estimate after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._verdicts: OrderedDict[int, dict[int, Verdict]] = OrderedDict()

    def of(self, stored: Candidate) -> dict[int, Verdict]:
        """Return the verdicts by a state of a profile, to read and to add to.

        They are by the hash of the text that was judged.
        """
        key = hash((stored.name, tuple(stored.terms)))
        with self._lock:
            verdicts = self._verdicts.pop(key, {})
            self._verdicts[key] = verdicts
            while len(self._verdicts) > _MOST_KEPT:
                self._verdicts.popitem(last=False)
            return verdicts


_KEPT = KeptVerdicts()


class _Judges:
    """Judges entries by both states of a profile, and counts."""

    def __init__(self, stored: Candidate, edited: Candidate) -> None:
        self._judge_stored, self._judge_edited = _judge_of(stored), _judge_of(edited)
        self._kept = _KEPT.of(stored)
        self.before: Counter[Tier] = Counter()
        self.after: Counter[Tier] = Counter()
        self.differing: list[Differing] = []
        self.entries = 0

    def judge(self, row: Any, document: Document) -> None:
        """Judge an entry by its newest revision, a row of `JUDGED_COLUMNS`."""
        key = hash(document)
        if key not in self._kept:
            self._kept[key] = self._judge_stored(document)
        before, after = self._kept[key], self._judge_edited(document)
        self.entries += 1
        self.before[before.tier] += before.tier is not Tier.NONE
        self.after[after.tier] += after.tier is not Tier.NONE
        if before.tier is not after.tier:
            url = web_address(row.url)
            self.differing.append(Differing(row.title, url, row.observed_at, before, after))


def _judge_of(candidate: Candidate) -> Callable[[Document], Verdict]:
    vocabulary, names = Vocabulary({0: candidate.terms}), {0: candidate.name}

    def judge(document: Document) -> Verdict:
        judgement = judging.judge_document(vocabulary, names, document).get(0)
        if judgement is None:
            return NO_MATCH
        return Verdict(judgement.tier, tuple(map(str, judgement.reasons)))

    return judge


def compare(
    session: Session,
    stored: Candidate,
    edited: Candidate,
    now: datetime,
    seconds: float = MOST_SECONDS,
) -> Comparison:
    """Judge the newest entries by the stored and by the edited state of a profile.

    Args:
        session: a session of any kind; nothing is written.
        stored: the profile as it is stored; without terms for one that is not.
        edited: the same profile as it would be.
        now: the time; the 90 days before it count.
        seconds: after which no further entries are looked at.
    """
    deadline, since = time.monotonic() + seconds, now - timedelta(days=DAYS)
    judges = _Judges(stored, edited)
    entry_ids = newest_entries(session, edited, MOST_ENTRIES + 1)
    earliest, is_whole = None, True
    for row, document in _recent(session, entry_ids[:MOST_ENTRIES], since):
        if earliest and time.monotonic() > deadline:
            is_whole = False
            break
        judges.judge(row, document)
        earliest = min(earliest or row.observed_at, row.observed_at)
    for entry_id in entry_ids[MOST_ENTRIES:]:
        is_whole = is_whole and session.get_one(Entry, entry_id).first_seen_at <= since
    judges.differing.sort(key=lambda each: each.observed_at, reverse=True)
    return Comparison(
        judges.entries, earliest, is_whole, judges.before, judges.after, judges.differing
    )


def _recent(
    session: Session, entry_ids: Sequence[int], since: datetime
) -> Iterator[tuple[Any, Document]]:
    """Yield the newest revision of each entry that was observed since then, with its text."""
    for part in in_chunks(entry_ids, _PART):
        rows = _rows(session, part, since)
        articles = judging.articles_of(session, rows)
        for row in rows:
            yield row, judging.document_of(row, articles)


def newest_entries(session: Session, candidate: Candidate, limit: int) -> Sequence[int]:
    """Return the ids of the newest entries of the sources that feed a profile, the newest first.

    Args:
        session: a session of any kind.
        candidate: stored or not; its sources need not be linked with it yet.
        limit: at most so many.
    """
    fed = select(SourceProfile.source_id)
    own = fed.join(Profile, Profile.id == SourceProfile.profile_id)
    sources = select(Source.id).where(
        or_(
            Source.id.not_in(fed),
            Source.id.in_(own.where(Profile.slug == candidate.slug)),
            Source.url.in_(candidate.sources),
        )
    )
    query = select(Entry.id).where(Entry.source_id.in_(sources))
    return session.scalars(query.order_by(Entry.id.desc()).limit(limit)).all()


def _rows(session: Session, entry_ids: Sequence[int], since: datetime) -> Sequence[Any]:
    """Return the newest revision of each entry, if it was observed since then."""
    newest = select(func.max(Revision.id)).where(Revision.entry_id.in_(entry_ids))
    query = (
        select(*JUDGED_COLUMNS)
        .join(Entry, Entry.id == Revision.entry_id)
        .join(Source, Source.id == Entry.source_id)
        .where(Revision.id.in_(newest.group_by(Revision.entry_id)), Revision.observed_at > since)
        .order_by(Revision.id.desc())
    )
    return session.execute(query).all()
