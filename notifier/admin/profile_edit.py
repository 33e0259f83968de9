"""Edits of a stored profile by a person: checked, estimated, and stored if it is what they saw.

Owns the order: first everything that takes long, in reading sessions; then one transaction that
looks once more whether somebody else changed the profile meanwhile, stores it, and writes the
operators' log. The import by commands is in `admin/profile_import.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from notifier.admin.profile_import import ImportResult, import_all
from notifier.deps import Deps
from notifier.enums import Tier
from notifier.errors import InputError, NotifierError
from notifier.match import (
    estimates,
    judging,
    matches,
    past_entries,
    profile_changes,
    profile_states,
    profiles,
    unjudged,
)
from notifier.match.estimates import Comparison
from notifier.match.past_entries import Candidate, PastMatches
from notifier.match.profile_file import ProfileFile
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.watch import sources

# Older entries that are judged when a profile is saved, the newest ones: a person waits for it. It
# takes about 2 ms for each. Chosen by hand.
_MOST_PAST = 5_000


class ChangedMeanwhileError(NotifierError):
    """The profile is not as it was when the edit began; nothing was stored."""


@dataclass(frozen=True)
class State:
    """A profile as it is stored.

    Attributes:
        profile_id: its id.
        number: of its newest state in the history.
        candidate: what it is judged by.
        document: its file.
    """

    profile_id: int
    number: int
    candidate: Candidate
    document: dict[str, Any]

    @property
    def slug(self) -> str:
        """Its name in commands."""
        return self.candidate.slug

    @property
    def name(self) -> str:
        """The therapy's name."""
        return self.candidate.name


def about(slug: str) -> str:
    """Return how the operators' log names a profile; a longer name than it holds is cut."""
    return f"profile {slug}"[:60]


def state_of(session: Session, slug: str) -> State:
    """Return a stored profile as it is now.

    Raises:
        NotFoundError: there is none.
    """
    profile = profiles.find(session, slug)
    document = profile.document
    addresses = *document.get("sources", ()), *document.get("pages", ())
    terms = profiles.stored_specs(profile)
    candidate = Candidate(profile.slug, profile.name, tuple(terms), addresses)
    return State(profile.id, profile_states.newest_number(session, profile.id), candidate, document)


def new_state(slug: str, name: str) -> State:
    """Return the state of a profile that is not stored: an edit of it adds the profile."""
    return State(0, 0, Candidate(slug, name, ()), {})


def document_of(file: ProfileFile) -> dict[str, Any]:
    """Return a profile file as it is stored."""
    return file.model_dump(mode="json", exclude_defaults=True)


def candidate_of(file: ProfileFile) -> Candidate:
    """Return the profile that a file describes, to be judged by."""
    terms = tuple(profiles.term_specs(file))
    return Candidate(file.slug, file.name, terms, (*file.sources, *file.pages))


def canary_failures(file: ProfileFile) -> list[str]:
    """Return a sentence for each canary of a file that does not get its tier."""
    return judging.check_canaries(document_of(file), profiles.term_specs(file), file.name)


def canary_tiers(file: ProfileFile) -> list[Tier]:
    """Return the tier that each canary of a file gets."""
    return judging.canary_tiers(document_of(file), profiles.term_specs(file), file.name)


def stored_canary_tiers(state: State) -> list[Tier]:
    """Return the tier that each canary of a stored profile gets in this version."""
    return judging.canary_tiers(state.document, state.candidate.terms, state.name)


def unwatchable(urls: Sequence[str]) -> list[str]:
    """Return the addresses that cannot be watched."""
    return [url for url in urls if not sources.watchable(url)]


def estimate(
    deps: Deps, state: State, file: ProfileFile, seconds: float = estimates.MOST_SECONDS
) -> Comparison:
    """Estimate what an edited profile would have matched; nothing is written.

    Args:
        deps: the installation.
        state: the profile as it is stored.
        file: the profile as it would be.
        seconds: after which no further entries are looked at.
    """
    with deps.reading() as session:
        return estimates.compare(
            session,
            state.candidate,
            candidate_of(file),
            deps.now(),
            seconds,
        )


def save(
    deps: Deps,
    state: State,
    file: ProfileFile,
    actor: Actor,
    *,
    include_past: bool = False,
    verb: str = "Changed",
    reason: str = "",
) -> int:
    """Store an edited profile, and return the id of the entry in the operators' log.

    Args:
        deps: the installation.
        state: the profile as it was when the edit began.
        file: a checked file whose canaries get their tiers.
        actor: who saves it, and the time.
        include_past: True if older entries that match now go into the next digests; else they are
            filed.
        verb: how the log's sentence begins.
        reason: for the log.

    Raises:
        ChangedMeanwhileError: somebody else stored another state.
        NotFoundError: it was removed meanwhile.
        InputError: an address cannot be watched, or a profile that is added is stored already.
    """
    with deps.reading() as session:
        _require_unchanged(session, state)
        past, is_whole = _judged_past(session, state, file, actor, include_past=include_past)
    with deps.writing() as session:
        matches.take_turn(session)
        _require_unchanged(session, state)
        (result,) = import_all(session, [file], past, actor.now)
        differing = profile_changes.differences(state.document, document_of(file))
        changes = f": {profile_changes.counts(differing)}" if state.profile_id else ""
        text = (
            f"{verb} the profile {file.name}{changes}."
            f"{_said_of_past(result, is_whole=is_whole, include_past=include_past)}"
        )
        return actions.record(
            session, actor, "changed_profile", text, about=about(file.slug), reason=reason
        )


def _require_unchanged(session: Session, state: State) -> None:
    if not state.profile_id:
        if profiles.is_stored(session, state.slug):
            raise InputError(
                f"There is a profile with the slug “{state.slug}” already.",
                "Edit that one, or choose another slug.",
            )
        return
    if state_of(session, state.slug).number != state.number:
        raise ChangedMeanwhileError(
            "Somebody else changed this profile while you edited it: nothing was saved.",
            "Look at what changed, and save again.",
        )


def _judged_past(
    session: Session, state: State, file: ProfileFile, actor: Actor, *, include_past: bool
) -> tuple[PastMatches, bool]:
    """Judge older entries by the edited profile, and return whether all were judged.

    An edit that changes neither what is looked for nor where needs no judgement.
    """
    candidate = candidate_of(file)
    if candidate == state.candidate:
        return PastMatches((), (), unjudged.newest_id(session), frozenset()), True
    entry_ids = estimates.newest_entries(session, candidate, _MOST_PAST + 1)
    past = past_entries.judge_past(
        session, [candidate], actor.now, include=include_past, entry_ids=entry_ids[:_MOST_PAST]
    )
    return past, len(entry_ids) <= _MOST_PAST


def _said_of_past(result: ImportResult, *, is_whole: bool, include_past: bool) -> str:
    """Return what an edit brought besides, in sentences that each begin with a space."""
    text = ""
    if result.older_matches:
        fate = "for the next digests" if include_past else "mailed to nobody"
        text += f" Older articles that match now: {result.older_matches:,} ({fate})."
    if not is_whole:
        text += f" Only the newest {_MOST_PAST:,} articles were looked at."
    if result.new_sources:
        text += f" New sources to watch: {result.new_sources}."
    return text
