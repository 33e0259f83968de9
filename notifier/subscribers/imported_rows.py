"""Imported lines: the cells of a list become the person, the choice and the standing they mean.

Owns what a line has to hold. Nothing is looked up or stored here; `import_export` does that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from notifier.email_addresses import normalize
from notifier.enums import Cadence, Edition, SubscriptionStatus, SuppressionCause
from notifier.errors import AddressError, InputError
from notifier.i18n.catalog import LANGUAGES, SOURCE
from notifier.store.models import Profile
from notifier.subscribers import list_words
from notifier.subscribers.choices import Choice, default_choice
from notifier.subscribers.list_headings import SAID, SAID_CAUSE, STANDING
from notifier.subscribers.list_words import Standing
from notifier.subscribers.schedule import Schedule, parse_at, parse_on, parse_zone
from notifier.text import times
from notifier.text.cleaning import redacted

_CHOICE = ("every", "at", "on", "time_zone", "edition", "language")
_LONGEST_CELL = 80  # characters
_LONGEST_REASON = 200
# The name of a section of a digest; one that does not exist hides nothing.
_SECTION, _LONGEST_SECTIONS = re.compile(r"\b[a-z_]{1,20}\b"), 200
_HASH = re.compile(r"[0-9a-f]{64}")
# An address as mail programs copy it: ``Anna <anna@example.org>``.
_WITH_NAME = re.compile(r"[^<>]*<([^<>]+)>\s*")
_DOTTED_DAY = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", re.ASCII)


@dataclass(frozen=True)
class Row:
    """A valid line about a person.

    Attributes:
        line: its number in the file.
        email: the address in its normal form.
        profile: None if only the address is suppressed.
        standing: None if the file says nothing of it.
        word: the word of the file for it.
        cause: of the suppression.
        until: the end of the pause.
        beside: the status of a suppressed person's subscription; None if there is none.
        since: when the subscription ended or the address was suppressed; None if that is not told.
        reason: of the suppression.
    """

    line: int
    email: str
    profile: Profile | None
    choice: Choice
    standing: Standing | None = None
    word: str = ""
    cause: SuppressionCause = SuppressionCause.ASKED
    until: datetime | None = None
    beside: SubscriptionStatus | None = None
    since: datetime | None = None
    reason: str = ""

    @property
    def is_suppression(self) -> bool:
        """True if the address must not be mailed at all."""
        return self.standing is Standing.SUPPRESSED

    @property
    def is_no(self) -> bool:
        """True if the file says that this person gets nothing any more."""
        return self.standing in (Standing.ENDED, Standing.SUPPRESSED)


@dataclass(frozen=True)
class HashRow:
    """A valid line about a suppressed address that is known by its hash only.

    Attributes:
        line: its number in the file.
        address_hash: of the address.
        key: the name of the key that the hash was made with (`store.keys.name_of_key`).
        cause: of the suppression.
        reason: of the suppression.
        since: when the address was suppressed; None if that is not told.
    """

    line: int
    address_hash: str
    key: str
    cause: SuppressionCause
    reason: str
    since: datetime | None


def parse(
    line: int, cells: Mapping[str, str], profiles: Mapping[str, Profile], time_zone: str
) -> Row | HashRow:
    """Return what a line says.

    Args:
        line: its number.
        cells: as `list_files.read` yields them.
        profiles: the stored ones by slug; a line without a profile means the only one.
        time_zone: for lines without one.

    Raises:
        InputError: a cell is not valid.
        ValueError: a cell holds what cannot be stored.
    """
    if not cells.get("email", "").strip() and cells.get("address_hash", "").strip():
        return _hash_row(line, cells)
    email = _address(cells.get("email", ""))
    standing = _standing(cells)
    is_no = standing in (Standing.ENDED, Standing.SUPPRESSED)
    try:
        choice = _choice(cells, time_zone)
    except (InputError, ValueError):
        # A no counts whatever else is wrong with the line.
        if not is_no:
            raise
        choice = default_choice(Cadence.WEEKLY, time_zone)
    profile = _profile(cells, profiles, needed=standing is not Standing.SUPPRESSED)
    is_suppressed = standing is Standing.SUPPRESSED
    return Row(
        line,
        email,
        profile,
        choice,
        standing,
        cells.get(SAID, ""),
        _cause(cells),
        _until(cells, choice.schedule.time_zone)
        if standing is Standing.PAUSED or is_suppressed
        else None,
        _beside(cells) if is_suppressed and profile is not None else None,
        _moment(cells.get("suppressed_at" if is_suppressed else "ended_at", "")),
        cells.get("reason", "")[:_LONGEST_REASON],
    )


def reason_of(error: Exception) -> str:
    """Return why a line is invalid, without the address: the report may be kept or passed on."""
    if isinstance(error, AddressError):
        return error.reason
    if isinstance(error, InputError):
        return redacted(error.problem)
    # Half of a surrogate pair, for example.
    return "it holds characters that cannot be stored"


def other_key() -> InputError:
    """Return the refusal of hashes that were made with another key."""
    return InputError(
        "The list has people who must not be mailed and whose addresses are not stored any more:"
        " they are known by hashes that were made with another suppression_key, or for another"
        " database, and cannot be recognised here. Nothing was stored.",
        "Import it into a new, empty database: write the suppression_key of the old notifier.toml"
        " into the new one before `notifier init` makes that database. Or add --without-erased:"
        " then these people could be mailed again if a list names them.",
    )


def _hash_row(line: int, cells: Mapping[str, str]) -> HashRow:
    address_hash = cells["address_hash"].strip()
    if not _HASH.fullmatch(address_hash):
        raise InputError("address_hash is not a hash of 64 hexadecimal digits")
    return HashRow(
        line,
        address_hash,
        cells.get("key", "").strip()[:_LONGEST_REASON],
        _cause(cells),
        cells.get("reason", "")[:_LONGEST_REASON],
        _moment(cells.get("suppressed_at", "")),
    )


def _address(text: str) -> str:
    # Longer cells are never valid; cutting them keeps the messages short.
    text = text[:400]
    named = _WITH_NAME.fullmatch(text)
    return normalize(named[1] if named else text)


def _standing(cells: Mapping[str, str]) -> Standing | None:
    if STANDING not in cells:
        return None
    if not cells[STANDING]:
        words = ", ".join(list_words.known_standings())
        raise InputError(
            f"status is {cells.get(SAID, '')[:_LONGEST_CELL]!r}; it can be {words}, or a word of"
            " other systems for one of them"
        )
    return Standing(int(cells[STANDING]))


def _cause(cells: Mapping[str, str]) -> SuppressionCause:
    cause = list_words.cause_of(cells.get("cause", "")[:_LONGEST_CELL])
    return cause or SuppressionCause(cells.get(SAID_CAUSE) or SuppressionCause.ASKED)


def _beside(cells: Mapping[str, str]) -> SubscriptionStatus | None:
    text = cells.get("subscription", "").strip()
    return SubscriptionStatus(text) if text in list(SubscriptionStatus) else None


def _until(cells: Mapping[str, str], time_zone: str) -> datetime | None:
    """Return the end of a pause; a day alone ends it with its first minute in the time zone."""
    text = cells.get("paused_until", "").strip()[:_LONGEST_CELL]
    until = _moment(text)
    if text and until is None:
        raise InputError(f"paused_until is {text!r}; it looks like 2026-03-01")
    is_day = until is not None and ":" not in text
    return times.beginning(until.date(), time_zone) if until and is_day else until


def _moment(text: str) -> datetime | None:
    """Return a moment or a day (``2026-03-01``, ``1.3.2026``) in UTC; None if it is none."""
    text = text.strip()[:_LONGEST_CELL]
    if day := _DOTTED_DAY.fullmatch(text):
        text = f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}"
    try:
        return times.moment(text)
    except (ValueError, OverflowError):
        return None


def _profile(
    cells: Mapping[str, str], profiles: Mapping[str, Profile], *, needed: bool
) -> Profile | None:
    slug = cells.get("profile", "").strip()
    if not slug and len(profiles) == 1:
        return next(iter(profiles.values()))
    profile = profiles.get(slug) or profiles.get(slug.casefold())
    if profile is None and needed:
        problem = (
            f"There is no profile {slug[:_LONGEST_CELL]!r}."
            if slug
            else "The profile is missing, and several are stored."
        )
        raise InputError(problem)
    return profile


def _choice(cells: Mapping[str, str], time_zone: str) -> Choice:
    texts = (cells.get(name, "").strip()[:_LONGEST_CELL] for name in _CHOICE)
    choice = _parse_choice(*texts, time_zone)
    hidden = _SECTION.findall(cells.get("hidden_sections", "")[:_LONGEST_SECTIONS])
    urgent = cells.get("urgent", "").strip().lower() == "yes"
    return replace(choice, hidden=tuple(hidden), urgent=urgent) if hidden or urgent else choice


@lru_cache(maxsize=4096)
def _parse_choice(
    every: str, at: str, on: str, zone: str, edition: str, language: str, default_zone: str
) -> Choice:
    """Return the choice in a line's cells; cached, because most lines share a few choices.

    Raises:
        InputError: a cell is not valid.
    """
    every, edition = list_words.cadence(every), list_words.edition(edition)
    for name, text, known in (("every", every, Cadence), ("edition", edition, Edition)):
        if text and text not in list(known):
            raise InputError(f"{name} is {text!r}; it can be {', '.join(known)}")
    language = list_words.language(language)
    if language and language not in LANGUAGES:
        raise InputError(f"language is {language!r}; it can be {', '.join(LANGUAGES)}")
    cadence = Cadence(every or "weekly")
    on = list_words.weekday(on)
    day = parse_on(on or None, cadence) if cadence in (Cadence.WEEKLY, Cadence.MONTHLY) else None
    at = list_words.time_of_day(at)
    zone = list_words.time_zone(zone) or default_zone
    schedule = Schedule(cadence, parse_at(at or "08:00"), day, parse_zone(zone))
    return Choice(schedule, Edition(edition or "patient"), language or SOURCE)
