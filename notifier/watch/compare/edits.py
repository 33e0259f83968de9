"""Edits: which observations are another state of a known entry, and how the two states differ.

Owns the choice of the known state that an observation is compared with: states of different origins
(a feed's teaser, the whole post) are not compared with each other. Comparing may take long, so it
is planned while a session is open, and done when it is closed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Revision, Source
from notifier.watch.compare import excerpts, mass_edits
from notifier.watch.compare.damage import is_repair
from notifier.watch.compare.diff import Difference, State, comparable, compare, contains_changes
from notifier.watch.first_sight import has_backlog
from notifier.watch.identity import Aliases, NewestState
from notifier.watch.keys import Identified, identified
from notifier.watch.parsers.clinicaltrials import without_escapes_in
from notifier.watch.parsers.observation import READING, Observation, Origin
from notifier.watch.withdrawals import is_marked_now

# Characters of two texts together that are compared inside a transaction, too. Chosen by hand; not
# measured.
_SHORT = 20_000
# Entries that are stored in one transaction: others wait for one part, about a third of a second,
# not for the whole document. Measured with `bench/feeds.py`.
_PART = 400

# The hashes and the origins of the states that were compared.
Compared = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Known:
    """The stored states that an observation is compared with.

    Attributes:
        newest: the entry's newest state.
        same_origin: its newest state of the observation's origin; the newest of all if there is
            none.
        sites: the names of the site, which may stand in a headline.
    """

    newest: Revision
    same_origin: Revision
    sites: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Entry, observation: Observation) -> "Known":
        """Return the states of an entry that an observation is compared with."""
        newest = entry.revisions[-1]
        same_origin = (
            revision
            for revision in reversed(entry.revisions)
            if revision.origin == observation.origin
        )
        return cls(newest, next(same_origin, newest), _sites(entry.source))

    def state_of(self, observation: Observation) -> State:
        """Return an observation as a state to be compared."""
        state = _state(observation)
        state["sites"] = self.sites
        return state

    def is_short_beside(self, observation: Observation) -> bool:
        """Return whether the two are compared so fast that a transaction may wait for it."""
        return len(_state(self.same_origin)["text"]) + len(_state(observation)["text"]) <= _SHORT


class Plan:
    """The observations of one document in parts, and their differences from the known states.

    Attributes:
        parts: the observations with their keys; each part is stored in a transaction of its own.
        unchanged: the entries that are as they were; nothing of them is stored.
        differences: the results of `compare`, by the states that were compared.
        backlog: whether the document lists many items without a date.
        pairs: the known states and the changed observations that are compared.
    """

    def __init__(
        self,
        items: Sequence[Identified],
        pairs: Sequence[tuple[Known, Observation]],
        unchanged: Mapping[int, int],
    ) -> None:
        rest = [item for place, item in enumerate(items) if place not in unchanged]
        self.parts = list(in_chunks(rest, _PART)) or [[]]
        self.unchanged = frozenset(unchanged.values())
        self.differences: dict[Compared, Difference | None] = {}
        self.backlog = has_backlog([observation for observation, _ in items])
        self._listed = len(items)
        self.pairs = list(pairs)

    def leave_out(self, entry_ids: Collection[int]) -> None:
        """Leave out the changed observations of these entries: nothing of them is stored."""
        if not entry_ids:
            return
        unwanted = {
            id(observation)
            for known, observation in self.pairs
            if known.newest.entry_id in entry_ids
        }
        items = [item for part in self.parts for item in part if id(item[0]) not in unwanted]
        self.parts = list(in_chunks(items, _PART)) or [[]]
        self.pairs = [pair for pair in self.pairs if id(pair[1]) not in unwanted]

    def compare(self) -> None:
        """Compare every changed state with the known one, without the edit that most share.

        It may take long, so no session may be open.
        """
        compared = []
        for known, observation in self.pairs:
            edit = difference(known, observation)
            self.differences[compared_states(known, observation)] = edit
            if edit is not None and not (edit.keeps_text or edit.reread):
                compared.append((known, observation, edit))
        rest = mass_edits.judged(
            [(_state(known.same_origin), known.state_of(later)) for known, later, _ in compared],
            [edit for _, _, edit in compared],
            self._listed,
        )
        for (known, observation, _), edit in zip(compared, rest, strict=True):
            self.differences[compared_states(known, observation)] = edit
        self.pairs = []


def plan(session: Session, source: Source, observations: Sequence[Observation]) -> Plan:
    """Look up the known states of a document's observations.

    Args:
        session: a reading session.
        source: the source of the document.
        observations: all of one document.
    """
    aliases = Aliases(session, source, identified(observations), load_unchanged=False)
    items = aliases.settle()
    pairs, unchanged = [], {}
    for place, (observation, its_keys) in enumerate(items):
        entry, state = aliases.entry_of(its_keys), aliases.state_of(its_keys)
        if entry is not None and is_edit(entry, observation):
            pairs.append((Known.of(entry, observation), observation))
        elif (
            state is not None
            and _is_unchanged(state, observation)
            and aliases.are_known(state.entry_id, its_keys)
        ):
            unchanged[place] = state.entry_id
    return Plan(items, pairs, unchanged)


def _is_unchanged(newest: NewestState, observation: Observation) -> bool:
    """Return whether storing an observation would change nothing of its entry."""
    return (
        newest.hash == observation.hash
        and newest.reading == READING
        and observation.url in ("", newest.url)
        and (newest.published_at is not None or observation.published_at is None)
        and (newest.left_at is None or observation.origin is not Origin.DOCUMENT)
    )


def is_edit(entry: Entry, observation: Observation) -> bool:
    """Return whether an observation must be compared with the known states of its entry."""
    newest = entry.revisions[-1]
    return (
        newest.hash != observation.hash
        and newest.kind is not NewsKind.WITHDRAWN
        and not is_marked_now(newest, observation)
    )


def compared_states(known: Known, observation: Observation) -> Compared:
    """Return the identity of a comparison, the key of `Plan.differences`."""
    return (
        known.same_origin.hash,
        known.newest.hash,
        known.same_origin.origin,
        observation.hash,
        observation.origin,
    )


def difference(known: Known, observation: Observation) -> Difference | None:
    """Return the difference between a known state and an observation; None if it is no new state.

    The first observation of another origin is a new state only if it is the whole text of what was
    a teaser, or if it shows an edit; it is news only if it shows an edit. An edit that the entry's
    newest state shows already is not news, nor is the return of lost characters. A part of the
    known text is no new state. A state that another version of the parsers read is replaced
    silently.
    """
    newest, earlier = known.newest, known.same_origin
    if earlier.hash == observation.hash:
        return None
    if _is_reread(earlier, observation):
        return Difference((), material=False, reread=True)
    old, new = _state(earlier), known.state_of(observation)
    if earlier.origin != observation.origin and not comparable(old["text"], new["text"]):
        return Difference((), material=False) if len(new["text"]) > len(old["text"]) else None
    changes = _compared_with_parts(earlier, observation, old, new) or compare(old, new)
    if not changes.material and (changes.keeps_text or earlier.origin != observation.origin):
        return None
    is_known = newest is not earlier and contains_changes(changes, _state(newest))
    if is_known or is_repair(earlier, observation):
        return Difference(changes.changes, material=False)
    return changes


def _is_reread(earlier: Revision, observation: Observation) -> bool:
    """Return whether a difference may come from our own parsers.

    A post in a site's list was edited, or it would not be listed, and the texts of trial records
    are made comparable; both are compared as ever.
    """
    return (
        earlier.reading != READING
        and observation.origin is not Origin.POSTS
        and "fields" not in observation.content
    )


def whole(observation: Observation, known: Known) -> Observation:
    """Return an observation of a part of the known text with the whole text."""
    return replace(observation, summary=known.same_origin.summary, body=known.same_origin.body)


def _compared_with_parts(
    earlier: Revision, observation: Observation, old: State, new: State
) -> Difference | None:
    """Compare two states of which one shows only a part of the text; None if both are whole.

    Only their headlines are compared, and their summaries where both have one.
    """
    if observation.content or earlier.content:
        return None
    if _is_part(observation, earlier):
        summaries = compare(old | {"text": earlier.summary}, new | {"text": observation.summary})
        is_other = comparable(earlier.summary, observation.summary)
        headline = compare(old, new | {"text": old["text"]})
        return replace(summaries if is_other else headline, keeps_text=True)
    if _is_part(earlier, observation) and (
        not earlier.body
        or excerpts.is_marked(earlier.body)
        or excerpts.is_closed(old["text"], new["text"])
    ):
        return compare(old | {"text": new["text"]}, new)
    return None


def _is_part(state: Revision | Observation, other: Revision | Observation) -> bool:
    """Return whether a state shows a part of another one, or only a summary of it."""
    text, other_text = state.body or state.summary, other.body or other.summary
    if excerpts.is_part(text, other_text):
        return True
    return not state.body and bool(other.body) and not comparable(text, other_text)


def _state(state: Revision | Observation) -> State:
    content = state.content
    if isinstance(state, Revision) and state.reading != READING and "fields" in content:
        content = without_escapes_in(content)
    return State(title=state.title, text=state.body or state.summary, content=content)


def _sites(source: Source) -> tuple[str, ...]:
    """Return the names of a site, as they may stand in its headlines."""
    host = (urlsplit(source.url).hostname or "").removeprefix("www.")
    return source.name, max(host.split(".")[:-1] or [host], key=len)
