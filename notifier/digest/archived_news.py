"""The news in public digests, each once: for the list of the archive.

A news item may be in many digests (of each cadence, edition and language), and several outlets may
report it. Reads what is stored; writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from notifier.digest.archive import PUBLISHED, has_begun, public_profiles
from notifier.digest.changes import ChangeView, describe_changes
from notifier.digest.folding import Change
from notifier.digest.groups import stored
from notifier.digest.items import spoken
from notifier.enums import Authority, Edition, NewsKind
from notifier.i18n.catalog import SOURCE, Language
from notifier.store.db import in_chunks
from notifier.store.models import Digest, DigestItem, Entry, Match, Profile, Revision, Source
from notifier.text.cleaning import shorten
from notifier.text.languages import foreign
from notifier.text.urls import web_address

# The newest digests that are read, the most that are listed, the most news that is listed, and how
# many changes of each are told. Measured: 400 digests of 25 items take 50 ms of processor time.
_MOST_DIGESTS, _MOST_LISTED, _MOST_NEWS, _MOST_CHANGES = 400, 200, 100, 3
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
    """A state of an entry as the digests of one language and edition told it.

    Attributes:
        profile_id: of the digests.
        language: of the digests.
        edition: of the digests.
        digest_id: the first of these digests.
        match_id: the match that they told.
        revision_id: the state that they told.
        earlier: the states whose changes they told with it.
        kind: the kind of news that it was.
        entry_id: of the match.
        story: of the match; None for none.
        authority: of the entry's source.
    """

    profile_id: int
    language: str
    edition: Edition
    digest_id: int
    match_id: int
    revision_id: int
    earlier: tuple[int, ...]
    kind: NewsKind
    entry_id: int
    story: int | None
    authority: Authority

    @property
    def news(self) -> tuple[int, str, int]:
        """The key of the news: equal for all that tell the same."""
        if self.kind in _CHANGES:
            return self.profile_id, "match", self.match_id
        if self.story:
            return self.profile_id, "story", self.story
        return self.profile_id, "entry", self.entry_id


def listed(session: Session, language: Language) -> tuple[ArchivedNews, ...]:
    """Return the newest news of public digests, newest first.

    Args:
        session: a reading session.
        language: the visitor's; of several digests with an item the one in it is linked.
    """
    by_news: dict[tuple[int, str, int], list[_Told]] = {}
    for item in _items(session):
        by_news.setdefault(item.news, []).append(item)
    shown = sorted(
        ((_latest(items, language), items) for items in by_news.values()),
        key=lambda pair: pair[0].digest_id,
        reverse=True,
    )[:_MOST_NEWS]
    states = _states(session, [item.revision_id for item, _ in shown])
    changes = _changes(session, [item for item, _ in shown])
    names = _source_names(session, [item.entry_id for _, items in shown for item in items])
    told_by = dict(_digests(session, [item.digest_id for item, _ in shown]))
    return tuple(
        _news(
            item,
            told_by[item.digest_id],
            states[item.revision_id],
            changes.get((item.digest_id, item.match_id), ()),
            _names(items, names),
            language,
        )
        for item, items in shown
    )


def digests(session: Session) -> tuple[ArchivedDigest, ...]:
    """Return the newest public digests with items, newest first."""
    newest = session.scalars(_public(session).where(Digest.items.any()).limit(_MOST_LISTED)).all()
    return tuple(digest for _, digest in _digests(session, newest))


def _public(session: Session) -> Select[int]:
    """Select the ids of the public digests, the newest first."""
    profile_ids = [profile.id for profile in public_profiles(session)]
    return (
        select(Digest.id)
        .where(Digest.profile_id.in_(profile_ids), Digest.status.in_(PUBLISHED), has_begun())
        .order_by(Digest.id.desc())
    )


def _items(session: Session) -> list[_Told]:
    """Return what the newest public digests told, but what a person dropped.

    Small statements by keys: for a join of all these tables SQLite, which has no statistics, reads
    every match for every digest.
    """
    newest = (
        select(Digest.id, Digest.profile_id, Digest.language, Digest.edition)
        .where(Digest.id.in_(session.scalars(_public(session).limit(_MOST_DIGESTS)).all()))
        .order_by(Digest.id)
    )
    digests_by_id = {row.id: row for row in session.execute(newest)}
    in_digests = select(
        DigestItem.digest_id, DigestItem.match_id, DigestItem.revision_id, DigestItem.earlier,
        DigestItem.kind,
    ).where(DigestItem.digest_id.in_(digests_by_id))  # fmt: skip
    rows = sorted(
        (row.digest_id, row.match_id, row.revision_id, tuple(row.earlier or ()), row.kind)
        for row in session.execute(in_digests)
    )
    matches = _matches(session, {row[1] for row in rows})
    items: dict[tuple[Any, ...], _Told] = {}
    for digest_id, match_id, revision_id, earlier, kind in rows:
        digest = digests_by_id[digest_id]
        key = (digest.language, digest.edition, match_id, revision_id, earlier, kind)
        if key not in items and match_id in matches:
            items[key] = _Told(
                digest.profile_id, digest.language, digest.edition, digest_id,
                match_id, revision_id, earlier, kind, *matches[match_id],
            )  # fmt: skip
    return list(items.values())


def _matches(session: Session, ids: Iterable[int]) -> dict[int, tuple[int, int | None, Authority]]:
    """Return entry, story and authority of the matches with these ids that nobody dropped."""
    matches = {}
    for part in in_chunks(sorted(ids)):
        statement = (
            select(Match.id, Match.entry_id, Match.story, Source.authority)
            .join(Entry, Entry.id == Match.entry_id)
            .join(Source, Source.id == Entry.source_id)
            .where(Match.id.in_(part), Match.dropped_because == "")
        )
        for match_id, entry_id, story, authority in session.execute(statement):
            matches[match_id] = (entry_id, story, authority)
    return matches


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
            item.language != language.code,
            item.language != SOURCE,
            item.edition is not Edition.PATIENT,
            item.digest_id,
        ),
    )


def _states(session: Session, revision_ids: Iterable[int]) -> dict[int, Revision]:
    wanted = select(Revision).where(Revision.id.in_(set(revision_ids)))
    loaded = wanted.options(joinedload(Revision.entry).joinedload(Entry.source))
    return {revision.id: revision for revision in session.scalars(loaded)}


def _changes(session: Session, items: Iterable[_Told]) -> dict[tuple[int, int], tuple[Change, ...]]:
    """Return what digests told of several states as one, by digest and match."""
    keys = {(item.digest_id, item.match_id) for item in items if item.earlier}
    wanted = (
        select(DigestItem)
        .where(
            DigestItem.digest_id.in_({digest_id for digest_id, _ in keys}),
            DigestItem.match_id.in_({match_id for _, match_id in keys}),
        )
        .options(
            joinedload(DigestItem.match),
            joinedload(DigestItem.revision).load_only(Revision.changes),
        )
    )
    together = session.scalars(wanted).all() if keys else ()
    return {
        (item.digest_id, item.match_id): candidate.changes
        for item, candidate in zip(together, stored(session, together), strict=True)
    }


def _source_names(session: Session, entry_ids: Iterable[int]) -> dict[int, str]:
    rows = (
        select(Entry.id, Source.name)
        .join(Source, Source.id == Entry.source_id)
        .where(Entry.id.in_(set(entry_ids)))
    )
    return dict(session.execute(rows).all())


def _digests(session: Session, ids: Iterable[int]) -> list[tuple[int, ArchivedDigest]]:
    """Return digests by id, newest first, without their bodies."""
    rows = (
        select(
            Digest.id, Digest.key, Profile.name, Digest.edition, Digest.language,
            Digest.composed_at, Digest.subject,
        )
        .join(Profile, Profile.id == Digest.profile_id)
        .where(Digest.id.in_(set(ids)))
        .order_by(Digest.id.desc())
    )  # fmt: skip
    return [
        (
            digest_id,
            ArchivedDigest(key, therapy, edition, language, composed_at.date(), subject),
        )
        for digest_id, key, therapy, edition, language, composed_at, subject in session.execute(
            rows
        )
    ]


def _names(items: Sequence[_Told], names: dict[int, str]) -> list[str]:
    """Return the names of the sources of some items, each once."""
    return list(dict.fromkeys(names[item.entry_id] for item in items))


def _news(
    item: _Told,
    digest: ArchivedDigest,
    revision: Revision,
    together: Sequence[Change],
    names: Sequence[str],
    language: Language,
) -> ArchivedNews:
    entry, lang = revision.entry, spoken(revision)
    changes: tuple[ChangeView, ...] = ()
    if item.kind is not NewsKind.NEW:
        stored_changes, kind = together or revision.changes, entry.source.kind
        changes = describe_changes(stored_changes, kind, item.edition, language, lang)
    title = foreign(shorten(revision.title or entry.title, _LONGEST_TITLE), lang, language.code)
    source = entry.source.name
    return ArchivedNews(
        title=title or language.gettext("Without a title"),
        url=web_address(entry.url) or web_address(entry.source.url),
        source=source,
        others=tuple(name for name in names if name != source),
        therapy=digest.therapy,
        kind=item.kind,
        on=digest.on,
        changes=changes[:_MOST_CHANGES],
        key=digest.key,
    )
