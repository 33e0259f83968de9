"""Stories: decide whether two texts report the same news, as several outlets do. Pure functions.

The signs, from the surest: the record of the same trial, the same page, the same paper, the same
headline (`headlines.py`), the same text, such as a press release that others print (`passages.py`).
No sign counts where the texts say that they are about two events (`events.py`): approved and
rejected, two agencies, two trials. Of papers and pages, other numbers are no such contradiction.

`StoryIndex` finds the first report of the same news among many without comparing all with all.
Pages, papers and headlines are found exactly as `is_same_news` finds them. Texts are compared only
if they share a tenth of their runs of four words, and of those only the few that share most: a text
in which nearly every fourth word was changed is not found. A report joins a story only if it
contradicts no report of it.

What each threshold was checked on is in docs/matching.md, section 5.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice
from typing import NamedTuple

from rapidfuzz import fuzz, process

from notifier.match.stories import events, headlines, passages
from notifier.match.stories.events import Event
from notifier.match.stories.fingerprint import NO_URL, Fingerprint, Keys, keys_of

# The values below were chosen by hand for speed; not measured.
_MOST_TEXTS = 4
# If this many texts share a run, further ones are not indexed under it: the indexed ones report the
# same news, or the run is a common phrase.
_MOST_HOLDERS = 30
# Reports of one story that a further one is checked against, and reports that begin with the same
# words and are compared with one that is cut or a copy.
_MOST_MEMBERS, _MOST_OPENINGS = 50, 200

# What the first sentences below equal headlines must agree on.
_LEAD_NAMES = ("regulator", "trial", "registered")
_LEAD_UNITS = ("%", "people", "mg", "phase")
_LEAD_AXES = ("goal", "hold", "decision")


def is_same_news(first: Fingerprint, second: Fingerprint) -> bool:
    """Return True if two texts report the same news."""
    if first.trial and second.trial:
        return first.trial == second.trial
    if (first.url != NO_URL and first.url == second.url) or first.papers & second.papers:
        return not events.contradict(first.event, second.event, numbers=False)
    if events.contradict(first.event, second.event):
        return False
    if headlines.is_same_headline(first.headline, second.headline):
        return not _leads_contradict(first, second)
    if headlines.is_turned(first.headline, second.headline):
        return False
    return passages.is_same_text(first.report, second.report)


def _leads_contradict(first: Fingerprint, second: Fingerprint) -> bool:
    """Return True if the first sentences below equal headlines name other facts."""
    if not first.written or not second.written:
        return False
    lead, other_lead = (events.read(passages.lead(report.written)) for report in (first, second))
    return (
        any(_disjoint(lead.names.get(kind), other_lead.names.get(kind)) for kind in _LEAD_NAMES)
        or any(_disjoint(lead.sides.get(axis), other_lead.sides.get(axis)) for axis in _LEAD_AXES)
        or events.contradict(_only_numbers(lead), _only_numbers(other_lead))
    )


def _disjoint(first: frozenset[str] | None, second: frozenset[str] | None) -> bool:
    return bool(first and second and first.isdisjoint(second))


def _only_numbers(event: Event) -> Event:
    return Event((), {}, tuple(number for number in event.numbers if number.unit in _LEAD_UNITS))


class _Place(NamedTuple):
    """A report in the index.

    Attributes:
        key: the number that the caller chose for it.
        entry_id: its entry.
        story: the key of the first report of its story.
        read: returns its fingerprint.
    """

    key: int
    entry_id: int
    story: int
    read: Callable[[], Fingerprint]


class StoryIndex:
    """Recent reports in their order, searched for the first one of the same news.

    It holds the keys of the reports. Whole fingerprints are read only of those that may be of the
    same news.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._stories: dict[int, int] = {}
        self._members: dict[int, list[int]] = defaultdict(list)
        self._by_sign: dict[str, list[int]] = defaultdict(list)
        self._by_numbers: dict[str, _Headlines] = defaultdict(_Headlines)
        self._texts = _Texts()

    def add(self, key: int, entry_id: int, report: Fingerprint, first: int | None = None) -> None:
        """Add the newest report; the arguments are those of `add_keys`."""
        self.add_keys(key, entry_id, keys_of(report), lambda: report, first)

    def add_keys(
        self,
        key: int,
        entry_id: int,
        keys: Keys,
        read: Callable[[], Fingerprint],
        first: int | None = None,
        wanted_runs: Collection[int] | None = None,
    ) -> None:
        """Add the newest report by its keys.

        Args:
            key: a number that the caller chooses for it.
            entry_id: its entry.
            keys: of its text.
            read: returns its fingerprint.
            first: the key of another report of its story, or the number that all reports of the
                story share; None if it begins one.
            wanted_runs: the runs of all texts that are going to be searched for; all if None.
        """
        place = len(self._places)
        story = key if first is None else self._stories.get(first, first)
        self._stories[key] = story
        self._places.append(_Place(key, entry_id, story, read))
        self._members[story].append(place)
        for sign in keys.signs:
            self._by_sign[sign].append(place)
        self._by_numbers[keys.numbers].add(place, keys)
        self._texts.add(place, keys, wanted_runs)

    def find_first(
        self, entry_id: int, report: Fingerprint, keys: Keys | None = None
    ) -> int | None:
        """Return the key of the first report of the same news by another entry, or None.

        Args:
            entry_id: the entry of the report.
            report: a new one.
            keys: of it, if they are known.
        """
        for place in self._candidates(report, keys or keys_of(report)):
            other = self._places[place]
            if (
                other.entry_id != entry_id
                and is_same_news(other.read(), report)
                and self._fits(other.story, report)
            ):
                return other.key
        return None

    def _candidates(self, report: Fingerprint, keys: Keys) -> list[int]:
        """Return the places of reports that may be of the same news, in their order."""
        places = set(chain.from_iterable(self._by_sign.get(sign, ()) for sign in keys.signs))
        group = self._by_numbers.get(keys.numbers)
        if group is not None:
            places.update(group.similar(keys))
        places.update(islice(self._similar_texts(report), _MOST_TEXTS))
        return sorted(places)

    def _similar_texts(self, report: Fingerprint) -> Iterator[int]:
        event, places = report.event, self._places
        for place in self._texts.similar(report.text):
            if not events.contradict(places[place].read().event, event):
                yield place

    def _fits(self, story: int, report: Fingerprint) -> bool:
        """Return True if a report contradicts none of a story."""
        members = (self._places[place].read() for place in self._members[story][:_MOST_MEMBERS])
        return not any(
            events.contradict(member.event, report.event, numbers=False)
            or (member.trial and report.trial and member.trial != report.trial)
            for member in members
        )


class _Headlines:
    """Headlines that name the same numbers without a unit."""

    def __init__(self) -> None:
        self._sorted: list[str] = []
        self._places: list[int] = []
        self._openings: dict[str, list[int]] = defaultdict(list)
        self._short_openings: dict[str, list[int]] = defaultdict(list)

    def add(self, place: int, keys: Keys) -> None:
        """Add a headline at its place in the whole order."""
        for form in keys.forms:
            self._sorted.append(form)
            self._places.append(place)
        if keys.opening:
            self._openings[keys.opening].append(place)
            if keys.short:
                self._short_openings[keys.opening].append(place)

    def similar(self, keys: Keys) -> set[int]:
        """Return the places of headlines of nearly the same words or the same beginning."""
        openings = (self._openings if keys.short else self._short_openings).get(keys.opening, ())
        places = set(openings[:_MOST_OPENINGS])
        for form in keys.forms:
            similar = process.extract_iter(
                form,
                self._sorted,
                scorer=fuzz.ratio,
                processor=None,
                score_cutoff=headlines.SAME_HEADLINE,
            )
            places.update(self._places[index] for _, _, index in similar)
        return places


class _Texts:
    """Texts, found by the runs of words that they share."""

    def __init__(self) -> None:
        self._holders: dict[int, list[int]] = defaultdict(list)
        self._run_counts: dict[int, int] = {}

    def add(self, place: int, keys: Keys, wanted_runs: Collection[int] | None) -> None:
        """Add a text at its place in the whole order, under the wanted ones of its runs."""
        if keys.run_count:
            self._run_counts[place] = keys.run_count
            for run in keys.run_hashes():
                if wanted_runs is None or run in wanted_runs:
                    holders = self._holders[run]
                    if len(holders) < _MOST_HOLDERS:
                        holders.append(place)

    def similar(self, text: str) -> list[int]:
        """Return the places of the texts that share runs with this one, the most similar first."""
        if len(text) < passages.SHORTEST_TEXT or not self._holders:
            return []
        runs = passages.runs(text)
        shared = Counter(chain.from_iterable(self._holders.get(run, ()) for run in runs))
        similar = [
            (place, count)
            for place, count in shared.items()
            if passages.share_enough(count, len(runs), self._run_counts[place])
        ]
        return [place for place, _ in sorted(similar, key=lambda item: (-item[1], item[0]))]
