"""The news in public digests, each once: for the list of the archive.

A news item may be in many digests (of each cadence, edition and language), and several outlets may
report it. Reads what is stored; writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.digest.archive import PUBLISHED, has_begun, public_profiles
from notifier.digest.changes import ChangeView, describe_changes
from notifier.digest.items import spoken
from notifier.enums import Authority, Edition, NewsKind
from notifier.i18n.catalog import SOURCE, Language
from notifier.store.models import Digest, DigestItem, Entry, Match, Profile, Revision, Source
from notifier.text.cleaning import shorten
from notifier.text.languages import foreign
from notifier.text.urls import web_address

# The newest digests that are read, the most items of them, the most news that is listed, and how
# many changes of each are told. Chosen by hand; not measured.
_MOST_DIGESTS, _MOST_ITEMS, _MOST_NEWS, _MOST_CHANGES = 400, 10_000, 100, 3
# The most characters of a headline. Chosen by hand; not measured.
_LONGEST_TITLE = 200

# Kinds of which each match is news of its own; of the others an entry is.
_CHANGES = (NewsKind.TRIAL_CHANGE, NewsKind.PAGE_CHANGE)
_AUTHORITIES = list(Authority)


@dataclass(frozen=True)
class ArchivedDigest:
    """A public digest.

    Attributes:
        key: part of the address of its page.
        therapy: the profile's name.
        edition: for whom it is worded.
        language: the code of its language.
        on: the day on which it was composed, UTC.
        subject: its subject line.
    """

    key: str
    therapy: str
    edition: Edition
    language: str
    on: date
    subject: str


@dataclass(frozen=True)
class ArchivedNews:
    """A news item that public digests told.

    Attributes:
        title: its newest headline.
        url: its address, else its source's; empty where neither is a web address.
        source: the name of the most authoritative source.
        others: the names of other sources that reported it.
        therapy: the profile's name.
        kind: the kind of news that was told last.
        on: the day of the newest digest with it, UTC; of a change of it, the day of that.
        changes: what changed, for a correction or a change.
        key: part of the address of that digest's page.
    """

    title: str
    url: str
    source: str
    others: tuple[str, ...]
    therapy: str
    kind: NewsKind
    on: date
    changes: tuple[ChangeView, ...]
    key: str


@dataclass(frozen=True)
class _Told:
    """An item of a digest: what was told, where, and in which words."""

    digest: ArchivedDigest
    digest_id: int
    composed_at: datetime
    profile_id: int
    match_id: int
    entry_id: int
    revision_id: int
    kind: NewsKind
    story: int | None
    authority: Authority

    @property
    def news(self) -> tuple[int, str, int]:
        """The key of the news: equal for all items that tell the same."""
        if self.kind in _CHANGES:
            return self.profile_id, "match", self.match_id
        if self.story:
            return self.profile_id, "story", self.story
        return self.profile_id, "entry", self.entry_id


def listed(
    session: Session, language: Language
) -> tuple[tuple[ArchivedNews, ...], tuple[ArchivedDigest, ...]]:
    """Return the newest news of public digests, newest first, and these digests.

    Args:
        session: a reading session.
        language: the visitor's; of several digests with an item the one in it is linked.
    """
    items_told = _items(session)
    by_news: dict[tuple[int, str, int], list[_Told]] = {}
    for item in items_told:
        by_news.setdefault(item.news, []).append(item)
    latest = [_latest(items, language) for items in by_news.values()]
    order = sorted(
        zip(latest, by_news.values(), strict=True),
        key=lambda pair: (pair[0].composed_at, pair[0].digest_id),
        reverse=True,
    )[:_MOST_NEWS]
    states = _states(session, [item.revision_id for item, _ in order])
    names = _source_names(session, [item.entry_id for _, items in order for item in items])
    news = tuple(_news(item, items, states, names, language) for item, items in order)
    return news, tuple(dict.fromkeys(item.digest for item in items_told))


def _items(session: Session) -> list[_Told]:
    """Return what the newest public digests told, newest first; what was dropped is left out."""
    profile_ids = [profile.id for profile in public_profiles(session)]
    newest = (
        select(Digest.id)
        .where(Digest.profile_id.in_(profile_ids), Digest.status.in_(PUBLISHED), has_begun())
        .order_by(Digest.id.desc())
        .limit(_MOST_DIGESTS)
    )
    statement = (
        select(
            Digest.id, Digest.key, Digest.edition, Digest.language, Digest.composed_at,
            Digest.subject, Profile.id, Profile.name, DigestItem.match_id, DigestItem.revision_id,
            DigestItem.kind, Match.entry_id, Match.story, Source.authority,
        )
        .join(DigestItem, DigestItem.digest_id == Digest.id)
        .join(Match, Match.id == DigestItem.match_id)
        .join(Entry, Entry.id == Match.entry_id)
        .join(Source, Source.id == Entry.source_id)
        .join(Profile, Profile.id == Digest.profile_id)
        .where(Digest.id.in_(newest), Match.dropped_because == "")
        .order_by(Digest.id.desc(), DigestItem.rank)
        .limit(_MOST_ITEMS)
    )  # fmt: skip
    return [_told(*row) for row in session.execute(statement)]


def _told(*row: Any) -> _Told:
    digest_id, key, edition, language, composed_at, subject, profile_id, therapy = row[:8]
    match_id, revision_id, kind, entry_id, story, authority = row[8:]
    digest = ArchivedDigest(key, therapy, edition, language, composed_at.date(), subject)
    return _Told(
        digest, digest_id, composed_at, profile_id, match_id, entry_id, revision_id, kind, story,
        authority,
    )  # fmt: skip


def _latest(items: Sequence[_Told], language: Language) -> _Told:
    """Return the item to show: the newest state, of the best source, in the best digest.

    Of the digests that tell that state, one in the visitor's language is better than one in
    English, and that better than another; one for patients is better than one for clinicians; then
    the earliest, which told it first.
    """
    changed = [item.revision_id for item in items if item.kind is not NewsKind.NEW]
    shown = [item for item in items if not changed or item.revision_id == max(changed)]
    return min(
        shown,
        key=lambda item: (
            _AUTHORITIES.index(item.authority),
            item.digest.language != language.code,
            item.digest.language != SOURCE,
            item.digest.edition is not Edition.PATIENT,
            item.digest_id,
        ),
    )


def _states(session: Session, revision_ids: Iterable[int]) -> dict[int, Revision]:
    wanted = select(Revision).where(Revision.id.in_(set(revision_ids)))
    return {revision.id: revision for revision in session.scalars(wanted)}


def _source_names(session: Session, entry_ids: Iterable[int]) -> dict[int, str]:
    rows = (
        select(Entry.id, Source.name)
        .join(Source, Source.id == Entry.source_id)
        .where(Entry.id.in_(set(entry_ids)))
    )
    return dict(session.execute(rows).all())


def _news(
    item: _Told,
    items: Sequence[_Told],
    states: dict[int, Revision],
    names: dict[int, str],
    language: Language,
) -> ArchivedNews:
    revision, source = states[item.revision_id], names[item.entry_id]
    entry, lang = revision.entry, spoken(revision)
    changes: tuple[ChangeView, ...] = ()
    if item.kind is not NewsKind.NEW:
        kind, edition = entry.source.kind, item.digest.edition
        changes = describe_changes(revision.changes, kind, edition, language, lang)[:_MOST_CHANGES]
    title = foreign(shorten(revision.title or entry.title, _LONGEST_TITLE), lang, language.code)
    return ArchivedNews(
        title=title or language.gettext("Without a title"),
        url=web_address(entry.url) or web_address(entry.source.url),
        source=source,
        others=tuple(dict.fromkeys(name for name in _names(items, names) if name != source)),
        therapy=item.digest.therapy,
        kind=item.kind,
        on=item.digest.on,
        changes=changes,
        key=item.digest.key,
    )


def _names(items: Sequence[_Told], names: dict[int, str]) -> list[str]:
    return [names[item.entry_id] for item in items]
