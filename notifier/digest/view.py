"""View: what a digest says, as plain values ready to be rendered.

Owns which parts a digest has and what stands in each; the words of the parts are made by the rooms
beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from notifier.digest import evidence, glossary
from notifier.digest.evidence import EvidenceView, SnapshotView
from notifier.digest.glossary import Explained
from notifier.digest.items import ItemView, item
from notifier.digest.selection import Candidate, Section, section_of
from notifier.enums import Authority, Cadence, Edition, NewsKind
from notifier.i18n.catalog import Language, language_of
from notifier.i18n.messages import mark, mark_number
from notifier.store.models import Match, Profile, Revision
from notifier.text.cleaning import shorten

TITLES = {
    Section.CORRECTED: mark("Corrected since we wrote"),
    Section.ABOUT: mark("About %(therapy)s"),
    Section.TRIALS: mark("Trials"),
    Section.PAGE: mark("The therapy page changed"),
    Section.MENTION: mark("Also mentioned"),
    Section.RELATED: mark("Related: same target, class or trials"),
}
_SUBJECTS = {
    Cadence.IMMEDIATE: mark_number("Your digest: %(n)s item", "Your digest: %(n)s items"),
    Cadence.DAILY: mark_number("Your daily digest: %(n)s item", "Your daily digest: %(n)s items"),
    Cadence.WEEKLY: mark_number(
        "Your weekly digest: %(n)s item", "Your weekly digest: %(n)s items"
    ),
    Cadence.MONTHLY: mark_number(
        "Your monthly digest: %(n)s item", "Your monthly digest: %(n)s items"
    ),
}
_SUBJECT = 70
# How much of a therapy's name a mail shows.
LONGEST_NAME = 120


@dataclass(frozen=True)
class Variant:
    """For whom a digest is made: what like subscriptions have in common.

    Attributes:
        cadence: how often they are written to.
        edition: for patients or for clinicians.
        language: the code of the language.
        seen_snapshot: the key of the profile's snapshot that they have seen; empty for none.
    """

    cadence: Cadence
    edition: Edition
    language: str
    seen_snapshot: str = ""


@dataclass(frozen=True)
class SectionView:
    """A part of a digest that holds something."""

    key: str
    title: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class DigestView:
    """A whole digest, the same for everyone in its group.

    `left_out` of its items did not fit; a `bare` one explains no words.
    """

    therapy: str
    variant: Variant
    composed_on: date
    sections: tuple[SectionView, ...]
    evidence: EvidenceView | None = None
    snapshot: SnapshotView | None = None
    left_out: int = 0
    bare: bool = False

    @property
    def count(self) -> int:
        """How many items there are, those left out included."""
        return sum(len(section.items) for section in self.sections) + self.left_out

    @property
    def lead(self) -> ItemView:
        """The first item."""
        return self.sections[0].items[0]

    @property
    def glossary(self) -> tuple[Explained, ...]:
        """The words of its items that a patient's edition explains."""
        if self.variant.edition is not Edition.PATIENT or self.bare:
            return ()
        texts = (text for section in self.sections for one in section.items for text in one.texts)
        return glossary.explain(texts, language_of(self.variant.language))

    def first(self, number: int) -> "DigestView":
        """The same with its first items only."""
        kept, left = [], number
        for section in self.sections:
            if left > 0:
                kept.append(replace(section, items=section.items[:left]))
                left -= len(section.items)
        return replace(self, sections=tuple(kept), left_out=self.count - number)

    def in_short(self) -> "DigestView":
        """The first item alone, with nothing but what it is: what fits into any mail."""
        first = self.first(1)
        (section,) = first.sections
        items = tuple(item.in_short() for item in section.items)
        sections = (replace(section, items=items),)
        return replace(first, sections=sections, evidence=None, snapshot=None, bare=True)


def view(
    profile: Profile,
    chosen: Sequence[Candidate],
    matches: Mapping[int, Match],
    revisions: Mapping[int, Revision],
    variant: Variant,
    now: datetime,
) -> DigestView:
    """Put a digest into words.

    Args:
        profile: whose digest it is.
        chosen: the items in their order.
        matches: by match id, with their entry and its source.
        revisions: by match id, the state of the entry that is told.
        variant: for whom.
        now: when it is composed.
    """
    spoken = language_of(variant.language)
    trials = profile.document.get("trials", [])
    stories = _stories(chosen, matches)
    sections = []
    for section in Section:
        items = tuple(
            item(
                lead,
                matches[lead.match_id],
                revisions[lead.match_id],
                [matches[one.match_id] for one in others],
                trials,
                variant.edition,
                spoken,
            )
            for place, lead, others in stories
            if place is section
        )
        if items:
            sections.append(SectionView(str(section), _title(section, profile, spoken), items))
    return DigestView(
        therapy=shorten(profile.name, LONGEST_NAME),
        variant=variant,
        composed_on=now.date(),
        sections=tuple(sections),
        evidence=evidence.evidence(profile, spoken),
        snapshot=_snapshot(profile, variant, spoken),
    )


def _title(section: Section, profile: Profile, spoken: Language) -> str:
    if section is Section.ABOUT:
        return spoken.gettext(TITLES[section], therapy=shorten(profile.name, LONGEST_NAME))
    return spoken.gettext(TITLES[section])


def _snapshot(profile: Profile, variant: Variant, spoken: Language) -> SnapshotView | None:
    """The profile in short, for those who have not seen it as it stands."""
    if variant.seen_snapshot == evidence.snapshot_key(profile.document):
        return None
    return evidence.snapshot(profile, variant.edition, spoken, changed=bool(variant.seen_snapshot))


def _stories(
    chosen: Sequence[Candidate], matches: Mapping[int, Match]
) -> list[tuple[Section, Candidate, list[Candidate]]]:
    """The items with those that tell the same news put together.

    Returns:
        Where each story stands (the best place of its tellings), its most authoritative telling,
        and the others.
    """
    tellings: dict[tuple[str, int], list[Candidate]] = {}
    for one in chosen:
        story = matches[one.match_id].story if one.kind is NewsKind.NEW else None
        tellings.setdefault(("story", story) if story else ("match", one.match_id), []).append(one)
    ranks, places = list(Authority), list(Section)
    found = []
    for members in tellings.values():
        lead, *others = sorted(
            members, key=lambda one: ranks.index(matches[one.match_id].entry.source.authority)
        )
        found.append((min((section_of(one) for one in members), key=places.index), lead, others))
    return found


def subject(digest: DigestView, *, discreet: bool) -> str:
    """The subject line; a discreet one names neither the therapy nor what it treats, for lock screens show it."""
    if not discreet:
        return shorten(f"{digest.therapy}: {digest.lead.title}", _SUBJECT)
    return language_of(digest.variant.language).ngettext(
        *_SUBJECTS[digest.variant.cadence], digest.count
    )


def headline(digest: DigestView, *, discreet: bool) -> str:
    """The first visible line, which inboxes and lock screens show beside the subject.

    A discreet one is long enough that nothing of what follows is shown there too.
    """
    spoken = language_of(digest.variant.language)
    if not discreet:
        title = shorten(digest.lead.title, 120)
        return spoken.ngettext(
            "%(n)s item: %(title)s", "%(n)s items: %(title)s", digest.count, title=title
        )
    return spoken.ngettext(
        "%(n)s item in this digest, chosen from the sources we watch for you. It says where it comes from and why "
        "it was chosen, with a link to the original.",
        "%(n)s items in this digest, chosen from the sources we watch for you. Each one says where it comes from "
        "and why it was chosen, with a link to the original.",
        digest.count,
    )
