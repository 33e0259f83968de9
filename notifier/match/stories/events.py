"""Events: the facts by which one piece of news differs from another that looks like it.

Owns what a short text (a headline, a first sentence, a few words) says of: the agency, the country,
the trial, the month, first or last, numbers with their units, and the sides that it takes, such as
approved or rejected. It knows no profile and no layout. Pure functions; linear in the text.

A fact that only one of two texts states contradicts nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from notifier.match.stories import event_names, event_words
from notifier.match.stories.event_names import joined
from notifier.match.stories.word_lists import without_accents

_TOKEN = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*|[^\W\d_][^\W_]*|[%µ]")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,\u00a0\u202f]\d{3})+")
_TRIAL_NUMBER = re.compile(
    r"\b(?:NCT\s?0?\d{7,8}|ISRCTN\s?\d{8}|jRCT[s\d]\d{9,10}|20\d\d-\d{6}-\d\d(?:-\d\d)?)\b",
    re.IGNORECASE,
)
_PHASE = re.compile(r"phase([1-4])")
# Words in capitals that are no trials.
_NO_TRIAL = frozenset(
    "rrms spms ppms nrspms ectrims actrims edss news update phase".split()  # noqa: SIM905
)
# The words between a negation and what it negates, and between a number and the people it counts.
# Chosen by hand; not measured.
_NEGATION_REACHES, _NEGATION_REACHES_BACK, _PEOPLE_WITHIN = 4, 6, 3
# Of the value: a rounded number behind "about" may be so far from the exact one. Chosen by hand.
_ABOUT = 0.07
_OPPOSITE = {"+": "-", "-": "+"}
# Axes that are each other's opposite: "lowers" and "raises".
_OPPOSED = {"lowering": "raising", "raising": "lowering"}


class Token(NamedTuple):
    """A word or number of a text: in small letters without accents, and as it is written."""

    word: str
    written: str


class Number(NamedTuple):
    """A number of a text.

    Attributes:
        unit: ``%``, ``mg``, ``people``, ``week``, ``phase``, ``calendar`` (a year), ``date`` (a day
            of a month) …; empty if it has none.
        value: in this unit.
        decimals: how many are written.
        about: True behind "about", "more than" and the like.
    """

    unit: str
    value: float
    decimals: int = 0
    about: bool = False


# Facts of one kind are known by names: regulator, country, trial, registered, month, order.
Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Event:
    """The facts that a short text states.

    Attributes:
        tokens: its words and numbers.
        names: by kind, without kinds of which it states nothing.
        numbers: in their order.
    """

    tokens: tuple[Token, ...]
    names: Names
    numbers: tuple[Number, ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words without the numbers; names of several words are one."""
        return tuple(joined([token.word for token in self.tokens if not token.word[0].isdigit()]))

    @cached_property
    def sides(self) -> Mapping[str, frozenset[str]]:
        """The sides that it takes, by axis."""
        return _sides(self.words)

    @cached_property
    def numbers_by_unit(self) -> Mapping[str, Sequence[Number]]:
        """Its numbers, by their units."""
        by_unit: dict[str, list[Number]] = {}
        for number in self.numbers:
            by_unit.setdefault(number.unit, []).append(number)
        return by_unit

    @cached_property
    def negations(self) -> int:
        """The number of its negations."""
        return len(list(_negators(self.words)))


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the words and numbers of a text."""
    normal = unicodedata.normalize("NFKC", text)
    return tuple(
        Token(without_accents(written.casefold()), written) for written in _TOKEN.findall(normal)
    )


def read(text: str) -> Event:
    """Return what a short text says."""
    tokens = tokens_of(text)
    names = _names(tokens)
    registered = {re.sub(r"\s", "", number).upper() for number in _TRIAL_NUMBER.findall(text)}
    if registered:
        names["registered"] = frozenset(registered)
    return Event(tokens, names, tuple(_numbers(tokens)))


def read_tokens(tokens: Sequence[Token]) -> Event:
    """Return what a few words of a text say."""
    return Event(tuple(tokens), _names(tokens), tuple(_numbers(tokens)))


def contradict(first: Event, second: Event, *, numbers: bool = True) -> bool:
    """Return True if two texts cannot be about one event.

    Args:
        first: what one text says.
        second: what the other text says.
        numbers: False to compare no numbers but those of phases.
    """
    # Written without generators: an index of reports compares thousands.
    for facts, others in ((first.names, second.names), (first.sides, second.sides)):
        for kind, ours in facts.items():
            if kind in others and ours.isdisjoint(others[kind]):
                return True
    others_by_unit = second.numbers_by_unit
    for unit, its_numbers in first.numbers_by_unit.items():
        if unit in others_by_unit and (numbers or unit == "phase"):
            for number in its_numbers:
                if not _is_unmatched(number, others_by_unit[unit]):
                    break
            else:
                return True
    return False


def is_same_number(first: Number, second: Number) -> bool:
    """Return True if two numbers are equal or one is the other rounded.

    A decimal may be rounded (89.1 % to 89 %), but never a dose; a whole number only where the text
    says so ("nearly 1,400" for 1,395).
    """
    if first.unit != second.unit:
        return False
    if first.value == second.value:
        return True
    if first.unit in ("mg", "phase", "calendar", "date"):
        return False
    if first.decimals != second.decimals:
        exact, rounded = (first, second) if first.decimals > second.decimals else (second, first)
        if rounded.decimals or rounded.value >= 10:
            return abs(exact.value - rounded.value) <= 0.5 * 0.1**rounded.decimals + 1e-9
    return (first.about and _is_near(first, second)) or (second.about and _is_near(second, first))


def _is_near(rounded: Number, exact: Number) -> bool:
    """Return True if a number may be rounded to another one behind "about"."""
    return rounded.value % 10 == 0 and abs(rounded.value - exact.value) <= _ABOUT * rounded.value


def unmatched_numbers(first: Sequence[Number], second: Sequence[Number]) -> list[Number]:
    """Return the numbers of the first text that the second does not name."""
    return [number for number in first if _is_unmatched(number, second)]


def _is_unmatched(number: Number, others: Sequence[Number]) -> bool:
    for other in others:  # noqa: SIM110 - faster than a generator
        if is_same_number(number, other):
            return False
    return True


def opposed_axes(first: Event, second: Event) -> bool:
    """Return True if one text says that something was lowered, and the other that it was raised."""
    return any(
        axis in first.sides and first.sides[axis] == second.sides.get(opposite)
        for axis, opposite in _OPPOSED.items()
    )


def is_decisive(word: str) -> bool:
    """Return True for a word that makes another event of a headline that is otherwise the same."""
    return bool(
        event_words.axes_of(word)
        or event_words.order_of(word)
        or event_words.NEGATORS.of(word)
        or event_words.EXPECTATIONS.of(word)
        or event_words.MONTHS.of(word)
        or word in event_words.TWO_SIDED_NEGATORS
        or word in event_words.NUMBER_WORDS
        or word in event_words.TURNING
        or word in event_names.REGULATORS
        or event_names.COUNTRIES.of(word)
    )


def _names(tokens: Sequence[Token]) -> dict[str, frozenset[str]]:
    names_by_kind: dict[str, set[str]] = {}
    words = [token.word for token in tokens]
    capitals = {token.word for token in tokens if token.written.isupper()}
    for word in joined(words):
        agency = event_names.REGULATORS.get(word)
        if agency and (word not in event_names.CAPITALS_ONLY or word in capitals):
            names_by_kind.setdefault("regulator", set()).update(agency[0])
            names_by_kind.setdefault("country", set()).add(agency[1])
        else:
            countries = event_names.COUNTRIES.of(word)
            if countries:
                names_by_kind.setdefault("country", set()).update(countries)
    for place, word in enumerate(words):
        order = event_words.order_of(word)
        if order and any(map(event_words.COUNTED.of, words[place + 1 : place + 4])):
            names_by_kind.setdefault("order", set()).add(order)
        month = _month(words, place)
        if month:
            names_by_kind.setdefault("month", set()).add(month)
    forms = {form for word in words for form in event_names.FORMS.of(word)}
    if forms:
        names_by_kind["form"] = forms
    acronyms = _trial_acronyms(tokens)
    if acronyms:
        names_by_kind["trial"] = acronyms
    return {kind: frozenset(names) for kind, names in names_by_kind.items()}


def _month(words: Sequence[str], place: int) -> str:
    word = words[place]
    if word in event_words.UNSURE_MONTHS:
        beside = (*words[max(place - 1, 0) : place], *words[place + 1 : place + 2])
        sure = any(other.isdigit() or other in event_words.BEFORE_MONTHS for other in beside)
        return event_words.UNSURE_MONTHS[word] if sure else ""
    return next(iter(event_words.MONTHS.of(word)), "")


def _trial_acronyms(tokens: Sequence[Token]) -> set[str]:
    """Return the words in capitals that stand beside a word for a trial."""
    long_words = [token for token in tokens if len(token.written) > 3 and token.written.isalpha()]
    capitals = [token for token in long_words if token.written.isupper()]
    if 2 * len(capitals) > len(long_words):
        return set()
    acronyms = set()
    for place, token in enumerate(tokens):
        if token not in capitals or token.word in _NO_TRIAL or is_decisive(token.word):
            continue
        near = [other.word for other in tokens[max(place - 2, 0) : place + 3]]
        if any(
            event_words.TRIAL_WORDS.of(word) or word in event_words.PHASE_WORDS for word in near
        ):
            acronyms.add(token.word)
    return acronyms


def _numbers(tokens: Sequence[Token]) -> Iterable[Number]:
    words = [token.word for token in tokens]
    in_phase = -2
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        phase = _phase(word, before, follows=in_phase == place - 1)
        if phase:
            in_phase = place
            yield Number("phase", phase)
        elif word[0].isdigit():
            yield _number(words, place)
        elif word in event_words.NUMBER_WORDS:
            unit = _unit(words, place)
            if unit and not (word in event_words.AMBIGUOUS_NUMBERS and unit == "times"):
                yield Number(unit, event_words.NUMBER_WORDS[word])


def _phase(word: str, before: str, *, follows: bool) -> int:
    """Return the phase that a word names behind "phase", else 0."""
    one_word = _PHASE.fullmatch(word)
    if one_word:
        return int(one_word[1])
    if before in event_words.PHASE_WORDS or follows:
        digit = int(word) if len(word) == 1 and word in "1234" else 0
        return digit or event_words.PHASES.get(word, 0)
    return 0


def _number(words: Sequence[str], place: int) -> Number:
    text = words[place]
    if _GROUPED.fullmatch(text):
        value, decimals = float(re.sub(r"\D", "", text)[:15]), 0
    else:
        whole, *parts = re.split(r"\D", text)
        decimals = len(parts[0][:6]) if len(parts) == 1 else 0
        value = float(f"{whole[:15]}.{parts[0][:6]}") if decimals else float(whole[:15])
    unit = _unit(words, place)
    if not unit and len(text) == 4 and 1900 <= value <= 2100:
        unit = "calendar"
    if unit == "g":
        unit, value = "mg", value * 1000
    before = words[max(place - 2, 0) : place]
    about = bool(before) and before[0 if before[-1] == "de" else -1] in event_words.ABOUT
    return Number(unit, value, decimals, about)


def _unit(words: Sequence[str], place: int) -> str:
    following = words[place + 1 : place + 1 + _PEOPLE_WITHIN]
    if following:
        near = following[0]
        if near == "%" or (
            near in ("per", "pour", "por") and following[1:2] in (["cent"], ["ciento"])
        ):
            return "%"
        units = event_words.UNITS.of(near)
        if units:
            return units[0]
        if _month(words, place + 1):
            return "date"
    if place and _month(words, place - 1):
        return "" if len(words[place]) == 4 else "date"
    for word in following[1:]:
        if word[0].isdigit():
            break
        if event_words.UNITS.of(word) == ["people"]:
            return "people"
    before = event_words.UNITS.of(words[place - 1]) if place else []
    return before[0] if before in (["week"], ["month"], ["day"], ["year"]) else ""


def _negators(words: Sequence[str]) -> Iterable[int]:
    """Yield the places of the negations that negate: "not only" does not."""
    for place, word in enumerate(words):
        if (
            event_words.NEGATORS.of(word)
            or word in event_words.TWO_SIDED_NEGATORS
            or (word == "t" and place and words[place - 1].endswith("n"))
        ) and not (place + 1 < len(words) and words[place + 1] in event_words.UNNEGATING):
            yield place


def _sides(words: Sequence[str]) -> dict[str, frozenset[str]]:
    stated = [
        (place, axis, side)
        for place, word in enumerate(words)
        for axis, side in event_words.axes_of(word)
        if not (word in event_words.EFFECTS and _is_side_effect(words, place))
    ]
    if not stated:
        return {}
    negators = list(_negators(words))
    verbs = [place for place, word in enumerate(words) if event_words.NEGATING_VERBS.of(word)]
    sides_by_axis: dict[str, set[str]] = {}
    for place, axis, side in stated:
        turns = sum(_negates(words, negator, place) for negator in negators)
        turns += sum(verb < place <= verb + _NEGATION_REACHES for verb in verbs)
        turned = side if turns % 2 == 0 else _OPPOSITE.get(side, f"no {side}")
        sides_by_axis.setdefault(axis, set()).add(turned)
    return {
        axis: frozenset(
            {stronger} if (stronger := event_words.STRONGER.get(axis)) in sides else sides
        )
        for axis, sides in sides_by_axis.items()
    }


def _negates(words: Sequence[str], negator: int, place: int) -> bool:
    word = words[negator]
    if word in event_words.TWO_SIDED_NEGATORS:
        return -_NEGATION_REACHES_BACK <= place - negator <= _NEGATION_REACHES
    if negator < place <= negator + _NEGATION_REACHES:
        return True
    return place == negator - 1 and bool(event_words.QUANTIFIERS.of(word))


def _is_side_effect(words: Sequence[str], place: int) -> bool:
    beside = (*words[max(place - 1, 0) : place], *words[place + 1 : place + 2])
    return any(word.startswith(event_words.SIDE) for word in beside)
