"""View: what a digest says, as plain values ready to be rendered.

Owns the words between matches and templates: section titles, reasons, what a change is called. Everything here is text;
the templates escape it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from notifier.digest.select import Candidate, Section, section_of
from notifier.store.models import Match, Profile, Revision
from notifier.store.statuses import Authority, Cadence, NewsKind, SourceKind
from notifier.text import shorten, web_address
from notifier.weights import RULE

_SUMMARY = 320
_CHANGES = 6

TITLES = {
    Section.CORRECTED: "Corrected since we wrote",
    Section.ABOUT: "About {name}",
    Section.TRIALS: "Trials",
    Section.PAGE: "The therapy page changed",
    Section.MENTION: "Also mentioned",
    Section.RELATED: "Related: same target, class or trials",
}


@dataclass(frozen=True)
class ChangeView:
    """One difference: what it concerns, how it read and reads now, and what the eye should catch in it."""

    what: str
    words: str
    note: str


@dataclass(frozen=True)
class OutletView:
    """Another outlet that tells the same news."""

    source: str
    authority: str
    title: str
    url: str


@dataclass(frozen=True)
class ItemView:
    """One item of a digest."""

    kind: NewsKind
    tier: str
    title: str
    url: str
    source: str
    authority: str
    published_on: date | None
    summary: str
    changes: tuple[ChangeView, ...]
    more_changes: int
    aside: str
    reasons: tuple[str, ...]
    others: tuple[OutletView, ...] = ()


@dataclass(frozen=True)
class SectionView:
    """A part of a digest that holds something."""

    key: str
    title: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class DigestView:
    """A whole digest, the same for everyone in its group."""

    therapy: str
    stage: str
    stage_as_of: date | None
    composed_on: date
    sections: tuple[SectionView, ...]

    @property
    def count(self) -> int:
        """How many items there are."""
        return sum(len(section.items) for section in self.sections)


def view(
    profile: Profile,
    chosen: Sequence[Candidate],
    matches: Mapping[int, Match],
    revisions: Mapping[int, Revision],
    now: datetime,
) -> DigestView:
    """Put a digest into words.

    Args:
        profile: whose digest it is.
        chosen: the items in their order.
        matches: by match id, with their entry and its source.
        revisions: by match id, the state of the entry that is told.
        now: when it is composed.
    """
    sections = []
    stories = _stories(chosen, matches)
    for section in Section:
        items = tuple(
            _item(lead, matches[lead.match_id], revisions[lead.match_id], [matches[one.match_id] for one in others])
            for place, lead, others in stories
            if place is section
        )
        if items:
            sections.append(SectionView(str(section), TITLES[section].format(name=profile.name), items))
    return DigestView(
        therapy=profile.name,
        stage=profile.stage,
        stage_as_of=profile.stage_as_of,
        composed_on=now.date(),
        sections=tuple(sections),
    )


def _stories(
    chosen: Sequence[Candidate], matches: Mapping[int, Match]
) -> list[tuple[Section, Candidate, list[Candidate]]]:
    """The items with those that tell the same news put together.

    Returns:
        Where each story stands (the best place of its tellings), its most authoritative telling, and the others.
    """
    tellings: dict[tuple[str, int], list[Candidate]] = {}
    for one in chosen:
        story = matches[one.match_id].story if one.kind is NewsKind.NEW else None
        tellings.setdefault(("story", story) if story else ("match", one.match_id), []).append(one)
    ranks, places = list(Authority), list(Section)
    found = []
    for members in tellings.values():
        lead, *others = sorted(members, key=lambda one: ranks.index(matches[one.match_id].entry.source.authority))
        found.append((min((section_of(one) for one in members), key=places.index), lead, others))
    return found


def subject(digest: DigestView, cadence: Cadence, *, discreet: bool) -> str:
    """The subject line; a discreet one names neither the therapy nor what it treats, for lock screens show it."""
    if not discreet:
        return shorten(f"{digest.therapy}: {digest.sections[0].items[0].title}", 70)
    number = "1 item" if digest.count == 1 else f"{digest.count} items"
    return f"Your digest: {number}" if cadence is Cadence.IMMEDIATE else f"Your {cadence} digest: {number}"


def headline(digest: DigestView, *, discreet: bool) -> str:
    """The first visible line, which inboxes and lock screens show beside the subject.

    A discreet one is long enough that nothing of what follows is shown there too.
    """
    number = "One item" if digest.count == 1 else f"{digest.count} items"
    if discreet:
        return (
            f"{number} in this digest, chosen from the sources we watch for you. Each one says where it comes from "
            "and why it was chosen, with a link to the original."
        )
    return f"{number}: {shorten(digest.sections[0].items[0].title, 120)}"


def _item(chosen: Candidate, match: Match, revision: Revision, others: Sequence[Match]) -> ItemView:
    entry = match.entry
    fresh = chosen.kind is NewsKind.NEW
    return ItemView(
        kind=chosen.kind,
        tier=str(chosen.tier),
        title=shorten(revision.title or entry.title or "Without a title", 220),
        url=web_address(entry.url) or web_address(entry.source.url),
        source=entry.source.name,
        authority=str(entry.source.authority),
        published_on=_shown_date(revision, entry.published_at, fresh=fresh),
        summary=shorten(revision.summary or revision.body, _SUMMARY) if fresh else "",
        changes=() if fresh else _changes(revision.changes, entry.source.kind),
        more_changes=0 if fresh else max(len(revision.changes) - _CHANGES, 0),
        aside=_aside(revision, entry.source.kind, fresh=fresh),
        reasons=_reasons(chosen.kind, match.reasons),
        others=tuple(_outlet(one) for one in others),
    )


def _outlet(match: Match) -> OutletView:
    entry = match.entry
    url = web_address(entry.url) or web_address(entry.source.url)
    return OutletView(
        entry.source.name, str(entry.source.authority), shorten(entry.title or "Without a title", 160), url
    )


def _reasons(kind: NewsKind, stored: Sequence[str]) -> tuple[str, ...]:
    if kind in (NewsKind.CORRECTED, NewsKind.WITHDRAWN):
        return ("you were sent the earlier version", *stored)
    return tuple(stored)


def _shown_date(revision: Revision, published_at: datetime | None, *, fresh: bool) -> date | None:
    """When the news is from: the publisher's date, else the day we saw it; a change is dated by the day we saw it."""
    return (published_at or revision.observed_at).date() if fresh else revision.observed_at.date()


def _aside(revision: Revision, kind: SourceKind, *, fresh: bool) -> str:
    """What a reader should know of a trial's data: by which rule changes are ordered, and of what date they are."""
    if kind is not SourceKind.REGISTRY:
        return ""
    said = [RULE] if not fresh and len(revision.changes) > 1 else []
    said += [f"Registry data as of {revision.as_of.day} {revision.as_of:%B %Y}."] if revision.as_of else []
    return " ".join(said)


def _changes(stored: Sequence[Mapping[str, Any]], kind: SourceKind) -> tuple[ChangeView, ...]:
    return tuple(ChangeView(_named(one["what"], kind), _words(one), one.get("note", "")) for one in stored[:_CHANGES])


def _words(change: Mapping[str, Any]) -> str:
    before, after = shorten(change["before"], 240), shorten(change["after"], 240)
    if change["what"] in ("withdrawn", "availability"):
        return after
    if change["what"] in ("Sites", "Countries", "Contacts", "Arms", "Primary outcomes", "Secondary outcomes"):
        parts = (f"added “{after}”" if after else "", f"removed “{before}”" if before else "")
        return "; ".join(part for part in parts if part)
    if before and after:
        return f"was “{before}”, now “{after}”"
    return f"new: “{after}”" if after else f"removed: “{before}”"


def _named(what: str, kind: SourceKind) -> str:
    if what in ("headline", "text", "availability", "withdrawn", "heading"):
        return {"withdrawn": "Withdrawn", "availability": "Available again"}.get(what, f"The {what}")
    return f"Section “{what}”" if kind is SourceKind.PAGE else what
