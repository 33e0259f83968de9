"""Articles: the whole texts of entries that a feed shows as teasers.

Owns the text that was fetched from an entry's own page, for the matcher, and the list of the pages
that are still wanted. The text is never compared with another one, and no reader is shown it: a
page that reads otherwise tomorrow is not a correction. How a host is treated is owned by
`hosts.py`.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from notifier.store.db import in_chunks
from notifier.store.models import Article, ArticleRequest, Entry, Source
from notifier.text.cleaning import fold
from notifier.watch.http.types import Purpose, Request, Response

# All values were chosen by hand; not measured.

# Pages of one source that are requested in a poll, of the newest entries, and of all sources.
MOST_AT_ONCE, _MOST_OF_ALL = 20, 1_000
# New entries of a document whose texts are read to find the teasers among them, the newest.
_MOST_CANDIDATES = 500
# Characters of a teaser, and of the text that is stored.
_LONGEST_TEASER, _LONGEST_TEXT = 600, 50_000
# A page is wanted for so long; the pause after its first failure, which doubles, and the longest.
WANTED_FOR = timedelta(days=3)
# So often a page without its end is requested again; many leave out the tags that end it. Chosen
# by hand.
_MOST_DOUBTED = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=12)
# A site's list of posts gets so much time to show the whole text.
TIME_FOR_POSTS = timedelta(hours=1)
# Characters of a text that is compared with its teaser, and the part of the teaser's words that
# it must share.
_LONGEST_DOUBTED, _SHARED = 1_500, 0.2

# Words that point to the rest of a text, at its end, in the languages of the sites that are read.
_POINTERS = (
    r"read (?:more|on|the (?:full|whole|rest)[\w ]{0,20})|continue reading|keep reading|learn more",
    r"full (?:story|article|text)|weiter ?lesen|mehr (?:lesen|erfahren)|zum artikel|ganzer artikel",
    r"lire (?:la suite|plus|l['’]article)|en savoir plus|(?:leer|ver) más|(?:seguir|sigue) leyendo",
    r"continúa leyendo|leggi (?:tutto|di più)|continua a leggere|lees (?:verder|meer)|verder lezen",
    r"(?:leia|ler) mais|continu(?:ar|e) lendo|l(?:äs|es) mer|læs mere|lue lisää|olvass tovább",
    r"czytaj (?:więcej|dalej)|číst (?:dál|více)|devamını oku|citește mai mult",
    r"читать (?:далее|дальше)|читати далі",
)
# The same in scripts that put no space before a word.
_JOINED_POINTERS = "続きを読む|もっと見る|阅读全文|閱讀全文|查看全文|더 ?보기|اقرأ المزيد|קרא עוד"
# Ends of texts that are cut off.
_CUT_OFF = re.compile(
    rf"(?:…|\.\.\.|&hellip;|\[\+\d+ chars|\b(?:{'|'.join(_POINTERS)})|{_JOINED_POINTERS})"
    r"[\s»›→>.…)\]]{0,10}$",
    re.IGNORECASE,
)
# Characters at the end of a text in which these are looked for.
_END = 80
# Statuses by which a site says that there is no such page for us (RFC 9110, 15.5.11; RFC 7725).
_FINAL = (410, 451)


def is_teaser(summary: str, body: str) -> bool:
    """Return whether a feed shows only the beginning of a text."""
    text = (body or summary).rstrip()
    return len(text) < _LONGEST_TEASER or bool(_CUT_OFF.search(text[-_END:]))


def want(
    session: Session,
    entry_ids: Collection[int],
    now: datetime,
    *,
    after: timedelta = timedelta(0),
) -> None:
    """Store that the pages of new entries are wanted, as far as these are teasers.

    Of a baseline, which is mailed to nobody, only those of the newest entries are.

    Args:
        session: the writing session in which the entries were stored; the caller commits.
        entry_ids: the new entries of one document.
        now: the time of the poll.
        after: the time from now until they are requested.
    """
    newest_ids = sorted(entry_ids)[-_MOST_CANDIDATES:]
    teasers = [entry for entry in _with_links(session, newest_ids) if _is_shown_in_part(entry)]
    of_baseline = [entry for entry in teasers if entry.revisions[0].baseline]
    unwanted = {entry.id for entry in of_baseline[MOST_AT_ONCE:]}
    session.add_all(
        ArticleRequest(entry_id=entry.id, wanted_since=now, next_at=now + after, tries=0)
        for entry in teasers
        if entry.id not in unwanted
    )
    session.flush()


def of_document(
    session: Session, source: Source, new_ids: Collection[int], now: datetime
) -> list[Request]:
    """Return the requests for the pages of a document's new teasers, up to twenty.

    Args:
        session: the writing session in which the entries were stored; the caller commits.
        source: a feed.
        new_ids: the new entries of its document.
        now: the time of the poll.
    """
    # A list of posts holds the whole texts.
    after = TIME_FOR_POSTS if source.posts_url else timedelta(0)
    want(session, new_ids, now, after=after)
    return due(session, [source.id], now) if new_ids else []


def _with_links(session: Session, entry_ids: Sequence[int]) -> list[Entry]:
    """Return the entries that have a link, the newest first, their revisions loaded."""
    entries: list[Entry] = []
    for chunk in in_chunks(sorted(entry_ids, reverse=True)):
        statement = (
            select(Entry)
            .where(Entry.id.in_(chunk), Entry.url != "")
            .order_by(Entry.id.desc())
            .options(selectinload(Entry.revisions))
        )
        entries += session.scalars(statement)
    return entries


def _is_shown_in_part(entry: Entry) -> bool:
    return all(is_teaser(state.summary, state.body) for state in entry.revisions)


def due_sources(session: Session, now: datetime) -> set[int]:
    """Return the ids of the sources with pages that are due."""
    wanted = select(ArticleRequest.entry_id).where(ArticleRequest.next_at <= now)
    return {*session.scalars(select(Entry.source_id).where(Entry.id.in_(wanted)))}


def due(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """Return the requests for the pages that are due: up to twenty of each source.

    Those that were requested less often come first, then those of the newest entries.
    """
    requests: list[Request] = []
    for chunk in in_chunks(source_ids):
        statement = (
            select(Entry.source_id, Entry.id, Entry.url)
            .join(ArticleRequest, ArticleRequest.entry_id == Entry.id)
            .join(Source, Source.id == Entry.source_id)
            .where(
                ArticleRequest.next_at <= now,
                Entry.source_id.in_(chunk),
                Source.removed_at.is_(None),
                Source.paused_at.is_(None),
            )
            .order_by(ArticleRequest.tries, Entry.id.desc())
            .limit(_MOST_OF_ALL)
        )
        of_source: Counter[int] = Counter()
        for source_id, entry_id, url in session.execute(statement):
            of_source[source_id] += 1
            if of_source[source_id] <= MOST_AT_ONCE:
                requests.append(Request(source_id, url, purpose=Purpose.ARTICLE, entry_id=entry_id))
    return requests


def drop_known(session: Session, entry_ids: Sequence[int]) -> set[int]:
    """Return which of these entries are shown in part yet; the pages of the others are unwanted."""
    shown_in_part = {
        entry.id for entry in _with_links(session, entry_ids) if _is_shown_in_part(entry)
    }
    unwant(session, [entry_id for entry_id in entry_ids if entry_id not in shown_in_part])
    return shown_in_part


def store(session: Session, entry_id: int, text: str, now: datetime) -> bool:
    """Store the text of an entry's page, unless a longer one is known or the entry was removed.

    Returns:
        Whether it was stored: the entry must be judged again.
    """
    text = text[:_LONGEST_TEXT]
    known = session.get(Article, entry_id)
    if session.get(Entry, entry_id) is None or (known and len(known.text) >= len(text)):
        return False
    session.merge(Article(entry_id=entry_id, text=text, fetched_at=now))
    return True


def unwant(session: Session, entry_ids: Sequence[int]) -> None:
    """Remove the requests for the pages of these entries."""
    for chunk in in_chunks(entry_ids):
        session.execute(delete(ArticleRequest).where(ArticleRequest.entry_id.in_(chunk)))


def note_failure(session: Session, response: Response, now: datetime) -> None:
    """Store that a page could not be read; it is requested again after a pause that grows.

    After three days, or if the site says that there will be no such page, it is wanted no more.
    """
    wanted = session.get(ArticleRequest, response.request.entry_id)
    if wanted is None:
        return
    pause = min(FIRST_PAUSE * 2 ** min(wanted.tries, 20), LONGEST_PAUSE)
    wanted.tries += 1
    if response.status in _FINAL or response.refused or _is_no_text(response):
        session.delete(wanted)
    else:
        _move_to(session, wanted, now + pause, now)


def is_read_often(session: Session, entry_id: int) -> bool:
    """Return whether a page without its end was requested so often that it must be its whole."""
    wanted = session.get(ArticleRequest, entry_id)
    return wanted is None or wanted.tries >= _MOST_DOUBTED


def postpone(session: Session, entry_ids: Sequence[int], until: datetime, now: datetime) -> None:
    """Store that pages are not requested before a time, because their host is left alone."""
    for chunk in in_chunks(entry_ids):
        statement = select(ArticleRequest).where(ArticleRequest.entry_id.in_(chunk))
        for wanted in session.scalars(statement).all():
            _move_to(session, wanted, until, now)


def _move_to(session: Session, wanted: ArticleRequest, until: datetime, now: datetime) -> None:
    """Move a request; the last one is made when its time ends."""
    end = wanted.wanted_since + WANTED_FOR
    if now >= end:
        session.delete(wanted)
    else:
        wanted.next_at = min(until, end)


def _is_no_text(response: Response) -> bool:
    """Return whether an answer is a file that holds no page: a PDF, an image, a film."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_text = not kind or kind.startswith("text/") or kind.endswith(("xml", "html", "json"))
    return response.status == 200 and not has_text


def is_about(entry: Entry, title: str, text: str) -> bool:
    """Return whether a page reads like the article of an entry.

    A short page that shares hardly a word with the headline and the teaser is a consent wall, a
    check of the browser, or a note that the article is not there yet.

    Args:
        entry: the entry, its revisions loaded.
        title: of the page.
        text: of the page.
    """
    newest = entry.revisions[-1]
    wanted = _units(f"{newest.title} {(newest.summary or newest.body)[:_LONGEST_TEASER]}")
    if not wanted or len(text) > _LONGEST_DOUBTED:
        return True
    return len(wanted & _units(f"{title} {text}")) >= _SHARED * len(wanted)


def _units(text: str) -> set[str]:
    """Return the words of a text; of scripts without spaces, each pair of letters."""
    units: set[str] = set()
    for word in fold(text).split():
        if word[0] >= "\u0e00" and not "\uac00" <= word[0] <= "\ud7a3":
            units |= {word[place : place + 2] for place in range(max(len(word) - 1, 1))}
        elif len(word) > 4:
            units.add(word)
    return units
