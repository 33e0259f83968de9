"""The presence of entries: which ones a feed lists, and whose pages are there.

Owns these marks of an entry (`left_at`, `checked_at`, `missing_since`). What they mean together is
decided in `watch/withdrawals.py`; the state that follows from it is stored by `watch/entries.py`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.i18n.messages import LazyMessage
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Source
from notifier.text.urls import without_fragment
from notifier.watch import entries, page_checks, withdrawals
from notifier.watch.page_checks import PageCheck, PageState
from notifier.watch.stored import Stored
from notifier.watch.withdrawals import Evidence, Verdict


def note_listed(
    session: Session, source: Source, listed: Collection[int], now: datetime
) -> list[int]:
    """Note which entries a feed no longer lists.

    Args:
        session: a writing session; the caller commits.
        source: a feed whose document was just stored.
        listed: the ids of the entries in it.
        now: when it was observed.

    Returns:
        The ids of the entries that left it with this document.
    """
    statement = select(Entry).where(Entry.source_id == source.id, Entry.left_at.is_(None))
    left = [entry for entry in session.scalars(statement) if entry.id not in listed]
    for entry in left:
        entry.left_at = now
    return [entry.id for entry in left]


def note_checked(
    session: Session,
    source_id: int,
    checks: Mapping[int, PageCheck],
    answers: page_checks.SiteAnswers,
    now: datetime,
) -> Stored:
    """Store the checks of a source's pages.

    Args:
        session: a writing session; the caller commits.
        source_id: the source.
        checks: the results, by the id of the entry whose page was checked.
        answers: what else was asked of the sites of pages that are missing.
        now: when they were checked.

    Returns:
        How many entries are withdrawn by this, without those that are held.
    """
    most_are_gone = page_checks.are_most_gone(session, source_id, checks, now)
    withdrawn = 0
    for entry in _of_ids(session, checks):
        check = checks[entry.id]
        entry.checked_at = now
        if check.state is PageState.MISSING:
            entry.missing_since = entry.missing_since or now
            site = answers.of(entry.url)
            withdrawn += _withdraw_on_evidence(
                session, entry, check, Evidence(site, most_are_gone=most_are_gone), now
            )
        elif check.state is not PageState.UNKNOWN:
            _note_not_missing(entry, check, now)
    return Stored(changed=withdrawn, withdrawn=withdrawn)


def _of_ids(session: Session, entry_ids: Collection[int]) -> Iterator[Entry]:
    """Yield these entries without their states: nearly all pages that are checked are there."""
    for chunk in in_chunks(entry_ids):
        yield from session.scalars(select(Entry).where(Entry.id.in_(chunk))).all()


def _note_not_missing(entry: Entry, check: PageCheck, now: datetime) -> None:
    if entry.missing_since is None:
        return
    newest = entry.revisions[-1]
    is_withdrawn = newest.kind is NewsKind.WITHDRAWN
    if is_withdrawn and check.state is not PageState.PRESENT:
        return
    entry.missing_since = None
    if is_withdrawn:
        entries.restore(entry, entries.observation_of(newest), now)


def _withdraw_on_evidence(
    session: Session, entry: Entry, check: PageCheck, evidence: Evidence, now: datetime
) -> bool:
    """Withdraw an entry whose page is missing, if the evidence suffices; hold it if it is weak."""
    newest = entry.revisions[-1]
    assert entry.missing_since is not None
    gone_for = withdrawals.gone_for(entry.missing_since, entry.left_at, now)
    verdict = withdrawals.judge(gone_for, evidence)
    if verdict is Verdict.WAIT or newest.kind is NewsKind.WITHDRAWN or _shares_page(session, entry):
        return False
    if _is_listed_under_its_title(session, entry):
        verdict = Verdict.HOLD
    reason = LazyMessage(
        "The publisher took the page down: since %(since)s it %(answer)s.",
        since=entry.missing_since.date(),
        answer=check.answer,
    )
    observation = entries.observation_of(newest, withdrawn=reason)
    entries.withdraw(entry, reason, now, observation, held=verdict is Verdict.HOLD)
    return verdict is Verdict.WITHDRAW


def _shares_page(session: Session, entry: Entry) -> bool:
    """Return whether other items of the source have the same page, which is then not its own."""
    page = without_fragment(entry.url)
    return _has_other(
        session, entry, (Entry.url == page) | Entry.url.startswith(f"{page}#", autoescape=True)
    )


def _is_listed_under_its_title(session: Session, entry: Entry) -> bool:
    """Return whether the source lists another item with its title: the article may have moved."""
    return bool(entry.title) and _has_other(
        session, entry, (Entry.title == entry.title) & Entry.left_at.is_(None)
    )


def _has_other(session: Session, entry: Entry, condition: ColumnElement[bool]) -> bool:
    others = select(func.count(Entry.id)).where(
        Entry.source_id == entry.source_id, Entry.id != entry.id, condition
    )
    return bool(session.scalar(others))
