"""The view of a digest: its texts as plain values, ready to be rendered.

Owns the sections with their titles, the grouping of articles about the same news, the subject and
the first visible line. The other files of this package word the parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from notifier.digest import glossary
from notifier.digest.evidence import (
    EvidenceView,
    SnapshotView,
    evidence_view,
    snapshot_key,
    snapshot_view,
)
from notifier.digest.glossary import Explained
from notifier.digest.items import ItemView, item_view
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
# The most characters of a subject line, of the headline in the first visible line, and of a
# therapy's name in a mail. Chosen by hand; not measured.
_LONGEST_SUBJECT, _LONGEST_HEADLINE = 70, 120
LONGEST_NAME = 120


@dataclass(frozen=True)
class Variant:
    """The choices that all subscriptions of a group share.

    Attributes:
        cadence: how often digests are sent.
        edition: for patients or for clinicians.
        language: the code of the language: "de".
        seen_snapshot: the key of the profile's snapshot that they have seen, or "earlier" for any
            but the current one; empty for none.
    """

    cadence: Cadence
    edition: Edition
    language: str
    seen_snapshot: str = ""


@dataclass(frozen=True)
class SectionView:
    """A section of a digest with at least one item.

    Attributes:
        key: the value of its `Section`.
        title: its heading.
        items: its items, most important first.
    """

    key: str
    title: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class DigestView:
    """A digest as all subscriptions of a group read it.

    Attributes:
        therapy: the profile's name, shortened.
        variant: for whom it is worded.
        composed_on: the day, UTC.
        sections: those that hold items, in their order.
        evidence: the evidence box; None where the profile has none.
        snapshot: the profile in short; None for readers who have seen it.
        left_out: how many items did not fit into the mail.
        bare: true if no terms are explained, to save space.
        note: the paragraphs that a person put above the items; none for none.
    """

    therapy: str
    variant: Variant
    composed_on: date
    sections: tuple[SectionView, ...]
    evidence: EvidenceView | None = None
    snapshot: SnapshotView | None = None
    left_out: int = 0
    bare: bool = False
    note: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number of items, including those left out."""
        return sum(len(section.items) for section in self.sections) + self.left_out

    @property
    def lead(self) -> ItemView:
        """The first item."""
        return self.sections[0].items[0]

    @property
    def glossary(self) -> tuple[Explained, ...]:
        """The medical terms that the patients' edition explains."""
        if self.variant.edition is not Edition.PATIENT or self.bare:
            return ()
        items = (item for section in self.sections for item in section.items)
        texts = (text for item in items for text in item.texts)
        return glossary.explain(texts, language_of(self.variant.language))

    def first(self, number: int) -> "DigestView":
        """Return the digest with its first items only."""
        kept, left = [], number
        for section in self.sections:
            if left > 0:
                kept.append(replace(section, items=section.items[:left]))
                left -= len(section.items)
        return replace(self, sections=tuple(kept), left_out=self.count - number)

    def in_short(self) -> "DigestView":
        """Return the digest with its first item in short only, which fits into any mail."""
        first = self.first(1)
        (section,) = first.sections
        items = tuple(item.in_short() for item in section.items)
        sections = (replace(section, items=items),)
        return replace(first, sections=sections, evidence=None, snapshot=None, bare=True)


def note_paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a stored note, which have an empty line between them."""
    return tuple(filter(None, text.split("\n\n")))


def digest_view(
    profile: Profile,
    candidates: Sequence[Candidate],
    matches: Mapping[int, Match],
    revisions: Mapping[int, Revision],
    variant: Variant,
    now: datetime,
) -> DigestView:
    """Word a digest.

    Args:
        profile: the profile whose news it contains.
        candidates: the selected items, in their order.
        matches: by match id, with their entry and its source.
        revisions: by match id, the state of the entry that is shown.
        variant: for whom it is worded.
        now: when it is composed.
    """
    language = language_of(variant.language)
    trials = profile.document.get("trials", [])
    stories = _stories(candidates, matches)
    sections = []
    for section in Section:
        items = tuple(
            item_view(
                lead,
                matches[lead.match_id],
                revisions[lead.match_id],
                [matches[other.match_id] for other in others],
                trials,
                variant.edition,
                language,
            )
            for story_section, lead, others in stories
            if story_section is section
        )
        if items:
            sections.append(SectionView(str(section), _title(section, profile, language), items))
    return DigestView(
        therapy=shorten(profile.name, LONGEST_NAME),
        variant=variant,
        composed_on=now.date(),
        sections=tuple(sections),
        evidence=evidence_view(profile, language),
        snapshot=_snapshot(profile, variant, language),
    )


def _title(section: Section, profile: Profile, language: Language) -> str:
    if section is Section.ABOUT:
        return language.gettext(TITLES[section], therapy=shorten(profile.name, LONGEST_NAME))
    return language.gettext(TITLES[section])


def _snapshot(profile: Profile, variant: Variant, language: Language) -> SnapshotView | None:
    """Return the profile in short; None for readers who have seen the current one."""
    if variant.seen_snapshot == snapshot_key(profile.document):
        return None
    return snapshot_view(profile, variant.edition, language, changed=bool(variant.seen_snapshot))


def _stories(
    candidates: Sequence[Candidate], matches: Mapping[int, Match]
) -> list[tuple[Section, Candidate, list[Candidate]]]:
    """Group the items that report the same news.

    Returns:
        For each story the first section that one of its items belongs to, the item of the most
        authoritative source, and the other items.
    """
    stories: dict[tuple[str, int], list[Candidate]] = {}
    for item in candidates:
        story = matches[item.match_id].story if item.kind is NewsKind.NEW else None
        key = ("story", story) if story else ("match", item.match_id)
        stories.setdefault(key, []).append(item)
    authorities, sections = list(Authority), list(Section)

    def authority_rank(item: Candidate) -> int:
        return authorities.index(matches[item.match_id].entry.source.authority)

    grouped = []
    for items in stories.values():
        lead, *others = sorted(items, key=authority_rank)
        first_section = min((section_of(item) for item in items), key=sections.index)
        grouped.append((first_section, lead, others))
    return grouped


def subject(digest: DigestView, *, discreet: bool) -> str:
    """Return the subject line.

    A discreet one names neither the therapy nor the illness, because lock screens show it.
    """
    if not discreet:
        return shorten(f"{digest.therapy}: {digest.lead.title}", _LONGEST_SUBJECT)
    return language_of(digest.variant.language).ngettext(
        *_SUBJECTS[digest.variant.cadence], digest.count
    )


def headline(digest: DigestView, *, discreet: bool) -> str:
    """Return the first visible line, which inboxes and lock screens show beside the subject.

    A discreet one is so long that they show nothing of what follows it.
    """
    language = language_of(digest.variant.language)
    if not discreet:
        title = shorten(digest.lead.title, _LONGEST_HEADLINE)
        return language.ngettext(
            "%(n)s item: %(title)s", "%(n)s items: %(title)s", digest.count, title=title
        )
    return language.ngettext(
        "%(n)s item in this digest, chosen from the sources we watch for you. It says where it "
        "comes from and why it was chosen, with a link to the original.",
        "%(n)s items in this digest, chosen from the sources we watch for you. Each one says where "
        "it comes from and why it was chosen, with a link to the original.",
        digest.count,
    )
