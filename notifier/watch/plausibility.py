"""The plausibility of an answer: is it the document that is known?

Pure. Owns when a document is doubted: a page or a trial record that lacks most of what it held, a
page that shows something else, and a list with hardly any of its items. It knows no database;
`watch/doubts.py` keeps the doubts and decides when a second look removes them.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from notifier import trial_fields
from notifier.text.cleaning import fold, shorten
from notifier.trial_fields import FieldForm

# All values were chosen by hand; not measured.

# What is doubted is believed when it is observed again so much later; most faults of servers are
# mended on the same day. Until then it is requested so often.
SECOND_LOOK, NEXT_LOOK = timedelta(hours=12), timedelta(hours=1)
# A section is still there if at least this part of its longer words is anywhere on the page.
_KEPT = 0.5
# Letters of words that say what a text is about, how many such words of a page are looked at, and
# how many there must be for a judgement.
_LETTERS, _MOST_KEY_WORDS, _FEWEST_KEY_WORDS = 5, 12, 6
# A page about the same thing has at least so many of them, or this part of the words of its title.
_FEWEST_SHARED, _SHARED_OF_TITLE = 2, 0.5
# Letters of a word that counts in a section or a title.
_LETTERS_COUNTED = 4
# So many modules of a record do not vanish at one time; nor do most of them.
_MODULES_LOST = 2
# A list with fewer than this part of its usual items is doubted.
_USUAL_PARTS = 10
_LONGEST_TITLE = 80

# A host's name, as challenge pages show it as a headline.
_HOST = re.compile(r"\S+\.[a-z]{2,24}\b", re.IGNORECASE)
_WITHOUT_SPACES = re.compile("[\u2e80-\u9fff]")


@dataclass(frozen=True)
class Doubt:
    """The reason why a state is not believed.

    Attributes:
        reason: a clause without a full stop.
        hash: SHA-256 of what is missing, or of what is there instead; a second look with the same
            hash says the same.
        is_other: whether it is surely another document, so that no second look can confirm it.
    """

    reason: str
    hash: str = ""
    is_other: bool = False


@dataclass(frozen=True)
class State:
    """A state of a page or of a trial record.

    Attributes:
        title: its title.
        content: as `Observation.content`.
        whole: whether the page has its end; None if that is not known.
        sign: what the page may be instead, as `ParsedDocument.doubt`; empty if nothing shows it.
    """

    title: str
    content: Mapping[str, Any]
    whole: bool | None = None
    sign: str = ""


def doubt(known: State, today: State) -> Doubt | None:
    """Return why a state is not believed to be the known page's or record's; None if it is.

    Args:
        known: the newest stored state.
        today: what was observed now.
    """
    if "sections" in known.content and "sections" in today.content:
        return _doubt_of_page(known, today)
    if "fields" in known.content and "fields" in today.content:
        return _doubt_of_record(known.content, today.content)
    return None


def lists_too_few(listed: int, usual: int) -> bool:
    """Return whether a feed lists nothing, or fewer than a tenth of its usual items.

    Args:
        listed: the number of items in its document.
        usual: the number that it listed before.
    """
    return listed * _USUAL_PARTS < usual


def _doubt_of_page(known: State, today: State) -> Doubt | None:
    known_sections, sections = known.content["sections"], today.content["sections"]
    if cut := _cut_off(known, today):
        return cut
    words = _words(today.title, *_lines(sections))
    lost = [section for section in known_sections if not _is_kept(section, words)]
    if len(lost) * 2 <= len(known_sections):
        return None
    if today.sign:
        return Doubt(today.sign, is_other=True)
    if _is_about_something_else(known, today):
        shown = f' ("{shorten(today.title, _LONGEST_TITLE)}")' if today.title else ""
        return Doubt(
            f"the page shows something else{shown}, and nothing of its text", is_other=True
        )
    if len(lost) == len(known_sections):
        reason, difference = "the page has a wholly different text", sections
    else:
        reason = f"the page lacks {len(lost)} of its {len(known_sections)} sections"
        difference = lost
    return Doubt(reason, _hash(difference))


def _cut_off(known: State, today: State) -> Doubt | None:
    """Return a doubt if a page without its end holds the beginning of the known text."""
    if today.whole is not False:
        return None
    blocks = [fold(block) for block in _blocks(known.content["sections"])]
    now = [fold(block) for block in _blocks(today.content["sections"])]
    if not blocks or not now or blocks[-1] in now or not set(now[:-1]) <= set(blocks):
        return None
    in_block = now[-1] not in blocks and any(block.startswith(now[-1]) for block in blocks)
    if in_block:
        return Doubt("the page ends in the middle of its text", is_other=True)
    if now[-1] not in blocks:
        return None
    reason = "the page ends before the end of its text"
    return Doubt(reason, _hash(now), is_other=known.whole is True)


def _is_kept(section: Mapping[str, Any], words: frozenset[str]) -> bool:
    own = _words(*_lines([section]))
    return not own or len(own & words) >= _KEPT * len(own)


def _is_about_something_else(known: State, today: State) -> bool:
    """Return whether neither the text nor the title of a page is about what it was about."""
    key_words = _key_words(known)
    if len(key_words) < _FEWEST_KEY_WORDS:
        return False
    if len(key_words & _words(*_lines(today.content["sections"]))) >= _FEWEST_SHARED:
        return False
    title = _words(_HOST.sub(" ", today.title))
    return len(title & _words(known.title)) < max(1, _SHARED_OF_TITLE * len(title))


def _key_words(state: State) -> frozenset[str]:
    """Return the longer words that a page uses most."""
    counts = Counter(
        word
        for line in (state.title, *_lines(state.content["sections"]))
        for word in _tokens(line)
        if len(word) >= _LETTERS or _WITHOUT_SPACES.search(word)
    )
    return frozenset(word for word, _ in counts.most_common(_MOST_KEY_WORDS))


def _words(*texts: str) -> frozenset[str]:
    """Return the words of texts that are long enough to count; all of them if none is."""
    all_words = [word for text in texts for word in _tokens(text)]
    counted = [
        word for word in all_words if len(word) >= _LETTERS_COUNTED or _WITHOUT_SPACES.search(word)
    ]
    return frozenset(counted or all_words)


def _tokens(text: str) -> Iterable[str]:
    """Yield folded words; where none are set apart by spaces, pairs of characters."""
    for word in fold(text).split():
        if _WITHOUT_SPACES.search(word):
            yield from (word[at : at + 2] for at in range(max(len(word) - 1, 1)))
        else:
            yield word


def _blocks(sections: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(block) for section in sections for block in section["blocks"]]


def _lines(sections: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(line) for section in sections for line in (section["heading"], *section["blocks"])]


def _doubt_of_record(known: Mapping[str, Any], today: Mapping[str, Any]) -> Doubt | None:
    before, now = _modules(known), _modules(today)
    lost = sorted(before - now)
    if len(lost) < _MODULES_LOST and len(lost) * 2 <= len(before):
        return None
    return Doubt(f"the record lacks {len(lost)} of its {len(before)} modules", _hash(lost))


def _modules(content: Mapping[str, Any]) -> frozenset[str]:
    """Return the modules of a record that hold anything."""
    modules = _module_of_fields()
    names = [
        name
        for kind in ("fields", "lists")
        for name, value in content.get(kind, {}).items()
        if value
    ]
    return frozenset(modules[name] for name in names if name in modules)


@cache
def _module_of_fields() -> dict[str, str]:
    """Return the module of each followed field; one that is always "yes" or "no" shows nothing."""
    return {
        field.name: field.paths[0].split(".")[1]
        for field in trial_fields.TRIAL_FIELDS
        if field.form is not FieldForm.YES_NO
    }


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
