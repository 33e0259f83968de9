"""What changed between two states of an entry, and whether a reader needs to know.

Pure: two states in, the changes in words out. An edit of an article or of a page is material when
its headline, its numbers, names, dates, negations or stated outcomes change, or when a section
comes or goes; a trial record's when a followed field changes. All else is cosmetic: stored, but no
news.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from rapidfuzz.distance import Indel

from notifier.i18n.messages import LazyMessage, mark_number, plural
from notifier.text.cleaning import fold, shorten
from notifier.trial_fields import NO_NEWS_ALONE, weight
from notifier.watch.facts import facts, numbers, sentences

_LENGTH = 400
_MOST_CHANGES = 40
_ALIKE = 0.5
# How much is compared word by word: of each sentence so many words, and no more than so many pairs
# of sentences or of sections. What is longer was written anew.
_MOST_WORDS, _MOST_PAIRS, _MOST_RENAMED = 1_000, 2_500, 400
# What is told of a change is cut to a few hundred characters; its numbers are looked for in so
# many.
_LONGEST_NOTE = 20_000


class Change(TypedDict):
    """One difference.

    Attributes:
        what: what it concerns: a field of a record, a section of a page, ``headline`` or ``text``.
        before: how it read; empty where it was not there.
        after: how it reads now; empty where it is there no more.
        note: what the eye should catch: the old and the new numbers, how far a date moved; may be
            empty.
    """

    what: str
    before: str
    after: str
    note: str


class State(TypedDict):
    """What is compared: the title, all text, and the structured content of an observation or a revision."""

    title: str
    text: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """The changes from one state to another, the weightiest first, and whether they are news."""

    changes: tuple[Change, ...]
    material: bool


def compare(old: State, new: State) -> Difference:
    """What changed from `old` to `new`."""
    if "fields" in new["content"]:
        return _fields(old["content"], new["content"])
    headline = []
    if fold(old["title"]) != fold(new["title"]):
        headline = [
            _change(
                "headline", old["title"], new["title"], _numbers_moved(old["title"], new["title"])
            )
        ]
    if "sections" in new["content"]:
        changes, material = _sections(
            old["content"].get("sections", []), new["content"]["sections"]
        )
    else:
        changes, _ = _passages("text", old["text"], new["text"])
        material = facts(old["text"]) != facts(new["text"])
    return Difference((*headline, *changes[:_MOST_CHANGES]), bool(headline) or material)


def comparable(old: str, new: str) -> bool:
    """Whether two texts can be two states of one: a teaser and the whole article cannot."""
    before, after = {fold(one) for one in sentences(old)}, {fold(one) for one in sentences(new)}
    if not before or not after:
        return before == after
    return (
        len(before & after) * 2 >= max(len(before), len(after))
        or _alike(fold(old)[:2000], fold(new)[:2000]) > 0.8
    )


def contains_changes(difference: Difference, state: State) -> bool:
    """Whether a state that was seen before holds all these changes: another reading of the same edit."""
    title, lines = fold(state["title"]), {fold(one) for one in sentences(state["text"])}
    return bool(difference.changes) and all(
        _told(change, title, lines) for change in difference.changes
    )


def _told(change: Change, title: str, lines: Collection[str]) -> bool:
    if change["what"] == "headline":
        return fold(change["after"]) == title
    come, gone = (
        [fold(one) for one in sentences(text) if not one.endswith("…")]
        for text in (change["after"], change["before"])
    )
    return all(one in lines for one in come) and not any(one in lines for one in gone)


def _change(what: str, before: str, after: str, note: str = "") -> Change:
    return Change(
        what=what, before=shorten(before, _LENGTH), after=shorten(after, _LENGTH), note=note
    )


def _passages(what: str, old: str, new: str) -> tuple[list[Change], bool]:
    """The sentences that changed, each beside what it became; those that only came or went are told together.

    Returns:
        The changes, and whether a sentence came or went.
    """
    before, after = (
        _only_in(sentences(old), sentences(new)),
        _only_in(sentences(new), sentences(old)),
    )
    pairs = _pairs(before, after)
    changes = [_change(what, was, now, _numbers_moved(was, now)) for was, now in pairs]
    paired_before, paired_after = {was for was, _ in pairs}, {now for _, now in pairs}
    gone = [one for one in before if one not in paired_before]
    come = [one for one in after if one not in paired_after]
    if gone or come:
        changes.append(_change(what, " ".join(gone), " ".join(come)))
    return changes, bool(gone or come)


def _only_in(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """What stands in the one and not in the other, however it is capitalised or punctuated."""
    known = Counter(fold(one) for one in others)
    found = []
    for one in some:
        if known[fold(one)]:
            known[fold(one)] -= 1
        else:
            found.append(one)
    return found


def _pairs(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """Which sentence became which, by how alike they are; each is taken once."""
    if (
        len(before) * len(after) > _MOST_PAIRS
    ):  # rewritten from end to end: no sentence has a counterpart
        return []
    likeness = sorted(
        ((_alike(was, now), i, j) for i, was in enumerate(before) for j, now in enumerate(after)),
        key=lambda found: -found[0],
    )
    taken: dict[int, int] = {}
    partners: set[int] = set()
    for ratio, i, j in likeness:
        if ratio >= _ALIKE and i not in taken and j not in partners:
            taken[i] = j
            partners.add(j)
    return [(before[i], after[j]) for i, j in sorted(taken.items())]


def _alike(one: str, other: str) -> float:
    """From 0 to 1: how many of their words two sentences share in the same order (the longest common subsequence)."""
    some, others = (
        one.split(None, _MOST_WORDS)[:_MOST_WORDS],
        other.split(None, _MOST_WORDS)[:_MOST_WORDS],
    )
    return Indel.normalized_similarity(some, others, score_cutoff=_ALIKE)


def _numbers_moved(before: str, after: str) -> str:
    """``1200 mg → 1800 mg``: the numbers that went and those that came."""
    was, now = Counter(numbers(before[:_LONGEST_NOTE])), Counter(numbers(after[:_LONGEST_NOTE]))
    gone, come = list((was - now).elements()), list((now - was).elements())
    return f"{', '.join(gone)} → {', '.join(come)}" if gone and come else ""


def _sections(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> tuple[list[Change], bool]:
    """Section by section; one that only has another heading is the same section, and its heading changed."""
    before, after = _by_heading(old), _by_heading(new)
    changes: list[Change] = []
    material = False
    renamed = _renamed(before, after)
    for heading, text in after.items():
        name = heading.partition("\0")[0] or "introduction"
        earlier = renamed.get(heading, heading)
        if earlier not in before:
            changes.append(_change(name, "", text, LazyMessage("new section")))
            material = True
            continue
        if earlier != heading:
            changes.append(_change("heading", earlier.partition("\0")[0], name))
            material = material or facts(earlier.partition("\0")[0]) != facts(
                heading.partition("\0")[0]
            )
        if before[earlier] != text:
            # On a page that people look things up in, a side effect that is struck off is news
            # without any number.
            found, came_or_went = _passages(name, before[earlier], text)
            changes += found
            material = material or came_or_went or facts(before[earlier]) != facts(text)
    twins = set(renamed.values())
    for heading, text in before.items():
        if heading not in after and heading not in twins:
            changes.append(
                _change(
                    heading.partition("\0")[0] or "introduction",
                    text,
                    "",
                    LazyMessage("section removed"),
                )
            )
            material = True
    return changes, material


def _by_heading(sections: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The text by heading; a heading that stands twice is told apart by its number."""
    found: dict[str, str] = {}
    times: Counter[str] = Counter()
    for section in sections:
        heading = section["heading"]
        times[heading] += 1
        if times[heading] > 1:
            heading = f"{heading}\0{times[heading]}"
        found[heading] = " ".join(_ended(block) for block in section["blocks"])
    return found


def _ended(block: str) -> str:
    return block if block.endswith((".", "!", "?", "…", ":", ";")) else f"{block}."


def _renamed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    gone = [heading for heading in before if heading not in after]
    come = [heading for heading in after if heading not in before]
    if (
        len(gone) * len(come) > _MOST_RENAMED
    ):  # so many at once: a section is known again by its very text
        by_text = {before[heading]: heading for heading in gone}
        return {
            heading: by_text.pop(after[heading]) for heading in come if after[heading] in by_text
        }
    renamed: dict[str, str] = {}
    for heading in come:
        twin = next(
            (earlier for earlier in gone if comparable(before[earlier], after[heading])), ""
        )
        if twin:
            renamed[heading] = twin
            gone.remove(twin)
    return renamed


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    was, now = dict(old.get("fields", {})), new["fields"]
    if "lists" not in old:  # stored before lists were followed: it says nothing of them
        was = {
            name: text for name, text in was.items() if name not in ("Countries", "Primary outcome")
        }
    changes = [
        _change(
            name, was.get(name, ""), now.get(name, ""), _moved(was.get(name, ""), now.get(name, ""))
        )
        for name in {**now, **was}
        if was.get(name, "") != now.get(name, "")
    ]
    if "lists" in old:
        for name in {**new.get("lists", {}), **old["lists"]}:
            changes += _list_changes(
                name, old["lists"].get(name, []), new.get("lists", {}).get(name, [])
            )
    changes.sort(key=lambda change: weight(change["what"]))
    return Difference(
        tuple(changes), any(change["what"] not in NO_NEWS_ALONE for change in changes)
    )


def _list_changes(name: str, old: Sequence[str], new: Sequence[str]) -> list[Change]:
    were, are = set(old), set(new)
    gone, come = [one for one in old if one not in are], [one for one in new if one not in were]
    if not gone and not come:
        return []
    return [
        _change(
            name, _some(gone), _some(come), _counted(len(come), len(gone), sites=name == "Sites")
        )
    ]


def _counted(come: int, gone: int, *, sites: bool) -> str:
    added = (
        plural("%(n)s opened", "%(n)s opened", come)
        if sites
        else plural("%(n)s added", "%(n)s added", come)
    )
    removed = (
        plural("%(n)s closed", "%(n)s closed", gone)
        if sites
        else plural("%(n)s removed", "%(n)s removed", gone)
    )
    if come and gone:
        return LazyMessage("%(come)s, %(gone)s", come=added, gone=removed)
    return added if come else removed


def _some(items: Sequence[str], most: int = 5) -> str:
    named = "; ".join(items[:most])
    return (
        LazyMessage("%(items)s; and %(n)s more", items=named, n=len(items) - most)
        if len(items) > most
        else named
    )


def _moved(before: str, after: str) -> str:
    """``7 months later``: how far a date moved; empty for what is no date."""
    was, now = _day(before), _day(after)
    if was is None or now is None or was == now:
        return ""
    days = abs((now - was).days)
    size, later, earlier = next(span for span in _SPANS if days >= span[0] * 0.95)
    return plural(*(later if now > was else earlier), round(days / size))


_SPANS = (
    (
        30.44,
        mark_number("%(n)s month later", "%(n)s months later"),
        mark_number("%(n)s month earlier", "%(n)s months earlier"),
    ),
    (
        7,
        mark_number("%(n)s week later", "%(n)s weeks later"),
        mark_number("%(n)s week earlier", "%(n)s weeks earlier"),
    ),
    (
        1,
        mark_number("%(n)s day later", "%(n)s days later"),
        mark_number("%(n)s day earlier", "%(n)s days earlier"),
    ),
)


def _day(text: str) -> date | None:
    """The day of ``2027-06 (estimated)`` or ``2027-06-15``; a month counts from its first day."""
    day = text.partition(" ")[0]
    try:
        return date.fromisoformat(day if len(day) > len("2027-06") else f"{day}-01")
    except ValueError:
        return None
