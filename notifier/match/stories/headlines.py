"""Headlines: decide whether two headlines report the same news in the same words.

Owns the outlet's name behind a headline ("… - The Example Herald"), the form in which headlines are
compared, and which differing words make another piece of news. It knows nothing of bodies but what
tells a copy of a news search from an article. Pure functions.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from notifier.match.stories import event_names, event_words, events
from notifier.match.stories.events import Event
from notifier.match.stories.word_lists import Words, plain, words

# Of 100, by edits of the sorted words. On the labelled set 84 to 100 find the same two pairs, both
# right; 80 adds a wrong pair.
SAME_HEADLINE = 88
# Same result from 2 to 8 on the labelled set. A copy of a news search has two words less at least:
# its outlet is named, so that it is no heading of a column.
FEWEST_WORDS, FEWEST_WORDS_OF_COPY = 5, 3
# In characters. Chosen by hand; not measured.
_TITLE_READ = 600
# In words. Chosen by hand: "The American Journal of Managed Care" has six.
_LONGEST_OUTLET = 8
# Of the words: if more are capitalised, capitals say nothing. Chosen by hand.
_MOSTLY_NAMES = 0.7
# Of 100: a headline that was turned into its opposite is so similar to the other. Chosen by hand.
_NEARLY_SAME = 70
# In words that one headline has and the other lacks. Chosen by hand; not measured.
_MOST_ADDED, _MOST_DIFFERENT = 2, 8

# In letters: in languages without a list here, a negation is not longer. Chosen by hand.
_SHORT_WORD = 3
# In letters: two forms of a word begin alike and differ in their endings. Chosen by hand.
_SHORTEST_STEM, _LONGEST_ENDING = 4, 3
_TURNING_ENDINGS = words("less los lose ful")

_SEPARATOR = re.compile(r"\s+[-–—|·•»«/]+\s+|\s*[|｜]\s*|\s::\s")
# What agencies put before a headline that they print once more.
_LABEL = re.compile(
    r"(?:(?:UPDATE|WRAPUP) \d{1,2}|RPT|REFILE|CORRECTED|EXCLUSIVE)[-–](?!YEAR|MONTH|WEEK|DAY|HOUR)"
    r"(?=[A-Z])"
)
_CUT = re.compile(r"\s*(?:\.{3}|…)\s*$")
_DOMAIN = re.compile(r"(?i)[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}")
# Words of outlets' names. Collected by hand.
_OUTLET: Words[bool] = Words(
    [
        (
            True,
            (
                "news* herald times post journal today daily weekly reuters yahoo magazine press "
                "network tribune gazette wire* newswire* telegraph guardian chronicle observer "
                "review bulletin media msn bloomberg forbes cnbc bbc medscape healio biospace "
                "zeitung anzeiger blatt tagblatt tageblatt kurier presse nachrichten spiegel "
                "rundschau online portal arzteblatt monde figaro parisien diario periodico gaceta "
                "noticias mundo pais prensa correo jornal folha gazzetta corriere today finance "
                "investing markets insider society foundation pharma* health* medical"
            ),
        )
    ]
)
# Words that say nothing by themselves. Negations, "with" and "without" are not among them.
_FUNCTION_WORDS = words(
    "the a an of in for to by at and its as is are was were be been has have had from this that it "
    "their his her our on into der die das ein eine einer einem einen im in ins von vom zu zum zur "
    "mit fur bei beim und den dem des als an am auf ist sind hat haben sein seine le la les l un "
    "une de du des d en et a au aux pour dans sur par son sa ses est a ont el los las una del y "
    "con por al su sus es se il lo gli di della do da dos das com um uma os as e o s with does do "
    "did t not so "
)
# Words that say the same in a headline about medicine.
_SAME_MEANING = {
    word: group.split()[0]
    for group in (
        "trial study studie essai etude ensayo estudio",
        "people patients participants persons adults volunteers",
        "trials studies studien essais etudes ensayos estudios",
        "patienten menschen teilnehmer",
        "pacientes personas participantes",
        "says said",
        "meet met meets",
        "drug medicine treatment therapy",
        "medikament arzneimittel",
        "reveals shows finds",
    )
    for word in group.split()
}


@dataclass(frozen=True)
class Headline:
    """A headline as it is compared.

    Attributes:
        full: folded, as the publisher wrote it, without numbers, names of several words as one.
        core: without the outlet's name behind it; as `full` if it has none.
        length: the number of words and numbers of its core, as they are written.
        outlet: the folded name of the outlet; empty if it has none.
        known_outlet: True if more than its form says that it is one.
        copied: True if it came with no text but itself and the outlet, as a news search lists it.
        cut: True if it ends in an ellipsis.
        written: the headline without the outlet's name, in its own letters.
    """

    full: str
    core: str
    length: int
    outlet: str
    known_outlet: bool
    copied: bool
    cut: bool
    written: str

    @cached_property
    def event(self) -> Event:
        """The facts that it states."""
        return events.read(self.written)

    @cached_property
    def names(self) -> frozenset[str]:
        """Its capitalised words, where not nearly all words are."""
        long_words = [token for token in self.event.tokens[1:] if len(token.word) > 3]
        names = frozenset(token.word for token in long_words if token.written[0].isupper())
        return names if len(names) < _MOSTLY_NAMES * len(long_words) else frozenset()

    @property
    def forms(self) -> tuple[str, ...]:
        """The texts under which it is found; none if it is too short."""
        if self.length < FEWEST_WORDS:
            return ()
        return (self.full, self.core) if self.core != self.full else (self.full,)

    @property
    def opening(self) -> str:
        """Its first words, for headlines that are cut or short; empty if it has fewer."""
        first = self.core.split()[:FEWEST_WORDS_OF_COPY]
        return " ".join(first) if len(first) == FEWEST_WORDS_OF_COPY else ""


def read(title: str, text: str, host: str) -> Headline:
    """Return a headline.

    Args:
        title: as the publisher gives it.
        text: the beginning of its text.
        host: of the page.
    """
    title = _LABEL.sub("", title[:_TITLE_READ].strip(), count=1)
    copied, known, head, outlet = _without_outlet(title, plain(text[: 2 * _TITLE_READ]), host)
    return Headline(
        full=_form(title),
        core=_form(head),
        length=len(plain(head).split()),
        outlet=outlet,
        known_outlet=known,
        copied=copied,
        cut=bool(_CUT.search(head)),
        written=head,
    )


def _form(title: str) -> str:
    spoken = [word for word in plain(title).split() if not _is_number(word)]
    return " ".join(event_names.joined(spoken))


def _is_number(word: str) -> bool:
    """Return True for ``12`` and ``12mg``, and not for ``1a``, which is part of a name."""
    letters = word.lstrip("0123456789")
    return letters != word and (not letters or bool(event_words.UNITS.of(letters)))


def _without_outlet(title: str, text: str, host: str) -> tuple[bool, bool, str, str]:
    """Return whether it is a copy, whether the outlet is known, the headline, and the outlet."""
    separators = list(_SEPARATOR.finditer(title))
    if not separators:
        return False, False, title, ""
    separator = separators[-1]
    head, outlet = title[: separator.start()], title[separator.end() :]
    core, name = plain(head), plain(outlet)
    if not core or not name or len(name.split()) > _LONGEST_OUTLET:
        return False, False, title, ""
    copied = _is_copy(core, name, text)
    known = copied or _is_known_outlet(outlet, name, host)
    if known or _may_be_outlet(outlet, name):
        return copied, known, head, name
    return False, False, title, ""


def _is_copy(core: str, outlet: str, text: str) -> bool:
    """Return True if the text is the headline and the outlet again, as news searches have it."""
    return text.startswith(core) and text[len(core) :].lstrip().startswith(outlet)


def _is_known_outlet(written: str, name: str, host: str) -> bool:
    if any(map(events.is_decisive, name.split())):
        return False
    if _DOMAIN.fullmatch(written.strip()) or any(map(_OUTLET.of, name.split())):
        return True
    squeezed, site = name.replace(" ", ""), re.sub(r"[^a-z0-9]", "", host.lower())
    return len(squeezed) > 4 and squeezed in site


def _may_be_outlet(written: str, name: str) -> bool:
    """Return True if the words behind a dash look like a name and state nothing."""
    event = events.read(written)
    if event.numbers or event.sides or event.names.keys() - {"country", "regulator"}:
        return False
    long_words = [word for word in written.split() if len(word) > 3] or written.split()
    is_name = all(not word[0].islower() for word in long_words)
    place_only = all(event_names.COUNTRIES.of(word) for word in name.split())
    decisive = [word for word in name.split() if events.is_decisive(word)]
    named = [word for word in decisive if event_names.COUNTRIES.of(word)]
    return is_name and not place_only and decisive == named


def is_same_headline(first: Headline, second: Headline) -> bool:
    """Return True if two headlines say the same in nearly the same words."""
    if events.contradict(first.event, second.event) or _other_company(first, second):
        return False
    if not _numbers_agree(first.event, second.event):
        return False
    fewest = FEWEST_WORDS_OF_COPY if first.copied or second.copied else FEWEST_WORDS
    if min(first.length, second.length) < fewest:
        return False
    if first.core == second.core and (first.copied or second.copied):
        return True
    if (first.cut or second.cut) and _continues(first, second):
        return True
    pairs = [(first.full, second.full)]
    known = first.known_outlet or second.known_outlet or first.outlet == second.outlet
    if known or not (first.outlet and second.outlet):
        pairs.append((first.core, second.core))
    nowhere: frozenset[str] = frozenset()
    places = first.event.names.get("country", nowhere) & second.event.names.get("country", nowhere)
    return any(_same_words(ours, theirs, places) for ours, theirs in pairs)


def _other_company(first: Headline, second: Headline) -> bool:
    ours, theirs = (
        event_names.COMPANIES & set(headline.outlet.split()) for headline in (first, second)
    )
    return bool(ours and theirs and ours.isdisjoint(theirs))


def _continues(first: Headline, second: Headline) -> bool:
    """Return True if one headline is the beginning of the other, cut at an ellipsis."""
    shorter, longer = sorted((first, second), key=lambda headline: len(headline.core))
    return shorter.cut and longer.core.startswith(shorter.core)


def sorted_words(title: str) -> str:
    """Return the words of a folded headline in the order of the alphabet."""
    return " ".join(sorted(title.split()))


def _same_words(first: str, second: str, places: frozenset[str]) -> bool:
    """Return True for the same words, but for a few that decide nothing, as the places of both."""
    if fuzz.ratio(sorted_words(first), sorted_words(second)) < SAME_HEADLINE:
        return False
    if first == second:
        return True
    ours, theirs = first.split(), second.split()
    if _is_swapped(first, second):
        return False
    left, right = _differing(ours, theirs)
    added = [word for word in left or right if not _is_place(word, places)]
    return not (left and right) and len(added) <= _MOST_ADDED and not any(map(_is_decisive, added))


def _is_place(word: str, places: frozenset[str]) -> bool:
    countries = event_names.COUNTRIES.of(word)
    return bool(countries) and places >= set(countries)


def _is_decisive(word: str) -> bool:
    """Return True for a word that makes another event; short words may be negations."""
    return events.is_decisive(word) or (len(word) <= _SHORT_WORD and not word.isascii())


def _is_swapped(first: str, second: str) -> bool:
    """Return True for the same words in another order where the order counts: A beats B."""
    if event_words.COMPARING.isdisjoint(first.split()):
        return False
    return (
        fuzz.ratio(first, second)
        < SAME_HEADLINE
        <= fuzz.ratio(sorted_words(first), sorted_words(second))
    )


def is_turned(first: Headline, second: Headline) -> bool:
    """Return True if one headline is the other one with a few words that make another event.

    Such words are a negation, an opposite, a name in the place of another one, or any word in the
    place of another one in headlines that are otherwise the same.
    """
    core, other_core = first.core, second.core
    if fuzz.ratio(sorted_words(core), sorted_words(other_core)) < _NEARLY_SAME:
        return False
    if _is_swapped(core, other_core):
        return True
    left, right = _differing(core.split(), other_core.split())
    if left and right and fuzz.ratio(core, other_core) >= SAME_HEADLINE:
        return True
    if len(left) == len(right) == 1 and left[0] in first.names and right[0] in second.names:
        return True
    if sum(map(_turns, left)) % 2 != sum(map(_turns, right)) % 2:
        return True
    ours = {side for word in left for side in event_words.axes_of(word)}
    theirs = {side for word in right for side in event_words.axes_of(word)}
    return bool(ours and theirs and ours.isdisjoint(theirs))


def _turns(word: str) -> bool:
    return bool(
        event_words.NEGATORS.of(word)
        or word in event_words.TWO_SIDED_NEGATORS
        or word in event_words.TURNING
    )


def _numbers_agree(first: Event, second: Event) -> bool:
    """Return True if one headline names no number that matters and the other lacks.

    A headline may leave out the number of people or a percentage, but "Part 2" is not "Part".
    """
    ours = events.unmatched_numbers(first.numbers, second.numbers)
    theirs = events.unmatched_numbers(second.numbers, first.numbers)
    bare = any(number.unit in ("", "calendar") for number in (*ours, *theirs))
    return not bare and not (ours and theirs)


def _differing(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words that say something and of which only one headline has a form."""
    counts, other_counts = _content(ours), _content(theirs)
    left = list((counts - other_counts).elements())
    right = list((other_counts - counts).elements())
    for word in left[:_MOST_DIFFERENT]:
        twin = next((other for other in right if is_same_word(word, other)), None)
        if twin is not None:
            left.remove(word)
            right.remove(twin)
    return left, right


def _content(title: Sequence[str]) -> Counter[str]:
    """Return the words of a headline that say something, without numbers."""
    joined = [word for word in title if word not in event_words.PHASES]
    negating = [
        word
        for place, word in enumerate(joined)
        if (word == "not" and joined[place + 1 : place + 2] != ["only"])
        or (word == "t" and place and joined[place - 1].endswith("n"))
    ]
    content = [_SAME_MEANING.get(word, word) for word in joined if word not in _FUNCTION_WORDS]
    return Counter([*content, *("not" for _ in negating)])


def is_same_word(word: str, other: str) -> bool:
    """Return True if two words are forms of one word, or one is a slip of the pen.

    They begin alike and differ in an ending of at most three letters, or in one letter; or they
    state the same side, as "lowers" and "cuts" do. Other words that make another event are never
    the same.
    """
    sides = event_words.axes_of(word)
    if word == other or (sides and sides == event_words.axes_of(other)):
        return True
    return _may_be_forms(word, other) and _alike(word, other)


def _may_be_forms(word: str, other: str) -> bool:
    """Return False for codes, short words, and words that make another event."""
    if any(char.isdigit() for char in word + other) or min(len(word), len(other)) < 4:
        return False
    countries = event_names.COUNTRIES.of(word), event_names.COUNTRIES.of(other)
    if any(countries):
        return countries[0] == countries[1]
    return not (events.is_decisive(word) or events.is_decisive(other))


def _alike(word: str, other: str) -> bool:
    shared = next(
        (place for place, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        min(len(word), len(other)),
    )
    endings = word[shared:], other[shared:]
    if not _TURNING_ENDINGS.isdisjoint(endings):
        return False
    if shared >= _SHORTEST_STEM and max(map(len, endings)) <= _LONGEST_ENDING:
        return True
    return shared > 0 and len(word) > 5 and Levenshtein.distance(word, other, score_cutoff=1) == 1
