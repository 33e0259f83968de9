"""Checks of entries' own pages: which are due, and whether a page is still there.

Also looks at the rest of a site whose page stays away: its front page, and other articles. Reads
only; `presence.py` stores the results.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urljoin, urlsplit

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind
from notifier.i18n.messages import LazyMessage
from notifier.store.db import in_chunks
from notifier.store.models import Entry, Match, Revision
from notifier.text.urls import canonical_url, without_fragment
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.withdrawals import Site, gone_for, is_to_be_judged

# All values were chosen by hand; not measured.

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# An entry is checked while it is younger than the oldest entry of its feed's window, and so much
# longer, but never longer than a year.
_AFTER_THE_WINDOW, _LONGEST = timedelta(days=7), timedelta(days=365)
# Checks of one source at once, of its newest entries.
_MOST_CHECKS = 50
# Other articles of a site that are requested when a page of it stays away, and the newest entries
# of the source among which they are chosen.
_MOST_OTHERS, _MOST_CONSIDERED = 3, 200
# Checks of one source that are so close to each other that they are counted together.
_TOGETHER = timedelta(hours=26)
# Words in the addresses of pages that stand in the way of an article.
_ELSEWHERE = re.compile(
    r"(?i)\b(?:log[-_]?[io]n|sign[-_]?(?:in|up)|sso|oauth\d?|auth|account|register|registration"
    r"|consent|cookies?|gdpr|privacy|pay[-_]?wall|subscribe|subscriptions?|abo|anmelden|connexion"
    r"|captcha|challenge|error|404|410|not[-_]?found|maintenance)\b"
)
# Digits of a number that programs put into a name, and the ending of a name.
_LONG_NUMBER, _DIGITS, _ENDING = 5, re.compile(r"\d+"), re.compile(r"\.[a-z]{2,5}$")
# A page that is gone (RFC 9110, 15.5.5 and 15.5.11).
_MISSING_STATUSES = (404, 410)


class PageState(StrEnum):
    """The result of a check of an entry's page.

    `elsewhere`: the address leads to another page, such as a log-in, a pay wall or the front page.
    `unknown`: an outage or a refusal.
    """

    PRESENT = "present"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PageCheck:
    """The result of a check, and how the site says that the page is missing.

    Attributes:
        state: whether the page is there.
        answer: a clause such as ``answers that there is no such page (404)``; empty unless it is
            missing.
    """

    state: PageState
    answer: str = ""


PRESENT, ELSEWHERE = PageCheck(PageState.PRESENT), PageCheck(PageState.ELSEWHERE)
UNKNOWN, _MISSING = PageCheck(PageState.UNKNOWN), PageCheck(PageState.MISSING)


def judge_response(response: Response) -> PageCheck:
    """Return whether the requested page is there, as the response says.

    Only the page's own host can say that it is missing, and only the page's own address that it is
    there.
    """
    if response.error or _is_challenge(response):
        return UNKNOWN
    is_own_host = site_of(response.url) == site_of(response.request.url)
    is_elsewhere = not is_own_host or _leads_elsewhere(response)
    if response.status in _MISSING_STATUSES:
        if is_elsewhere or not _is_own_address(response):
            return UNKNOWN
        answer = LazyMessage(
            "answers that there is no such page (%(status)s)", status=response.status
        )
        return PageCheck(PageState.MISSING, answer)
    if response.status != 200:
        return UNKNOWN
    return ELSEWHERE if is_elsewhere else PRESENT


def _leads_elsewhere(response: Response) -> bool:
    """Return whether a page of the same host answered that is hardly the requested one.

    The front page, the section that the page was in, and pages with a telling name are not; another
    form of the same address is.
    """
    asked, landed = canonical_url(response.request.url), canonical_url(response.url)
    if asked == landed:
        return False
    is_section = asked.startswith(f"{landed.partition('?')[0]}/")
    return _is_front_page(response.url) or is_section or bool(_ELSEWHERE.search(landed))


def _is_own_address(response: Response) -> bool:
    """Return whether a page's own address answered, or the one that a number (``/?p=12``) is for.

    A redirect to some other address that is missing says nothing of the page.
    """
    asked = response.request.url
    is_number = urlsplit(asked).path in ("", "/") and bool(urlsplit(asked).query)
    return is_number or canonical_url(asked) == canonical_url(response.url)


def note(response: Response, checks: Mapping[int, dict[int, PageCheck]]) -> bool:
    """Note whether an entry's page is there; return whether it is missing.

    Args:
        response: to a `CHECK`.
        checks: the results of the poll, by source id and entry id; they are updated.
    """
    request, check = response.request, judge_response(response)
    checks[request.source_id][request.entry_id] = check
    return check.state is PageState.MISSING


def _is_challenge(response: Response) -> bool:
    """Return whether a guard in front of the site answered, as Cloudflare's says in a header."""
    return "cf-mitigated" in response.headers


def site_of(url: str) -> str:
    """Return the host of a URL, with its port and without ``www.``."""
    return canonical_url(url).partition("/")[0].partition("?")[0]


def _are_related(site: str, other: str) -> bool:
    """Return whether two hosts are the same one, or one is within the other's name."""
    return site == other or site.endswith(f".{other}") or other.endswith(f".{site}")


@dataclass
class SiteAnswers:
    """Requests to the sites of missing pages in one poll, and what they answered.

    Attributes:
        asked: the sites that were asked for their front page.
        others: the other articles that were requested, by the form of the missing page's address.
        present: the articles among them that are there.
        failing: the sites whose front page fails.
    """

    asked: set[str] = field(default_factory=set)
    others: dict[str, Collection[int]] = field(default_factory=dict)
    present: set[int] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    def note(self, response: Response) -> None:
        """Note the answer to a request of `requests_to_site`.

        A front page that does not exist (404) does not fail: some sites have none.
        """
        site = site_of(response.request.url)
        if entry_id := response.request.entry_id:
            if judge_response(response) == PRESENT:
                self.present.add(entry_id)
            return
        leads_away = not _are_related(site, site_of(response.url))
        is_there = response.status == 200 and not leads_away and not _is_challenge(response)
        if not is_there and (leads_away or response.status not in _MISSING_STATUSES):
            self.failing.add(site)

    def of(self, url: str) -> Site:
        """Return the state of the site of a missing page."""
        others = self.others.get(form_of(url))
        if not others:
            return Site.ALONE
        is_failing = site_of(url) in self.failing
        return Site.UNWELL if is_failing or self.present.isdisjoint(others) else Site.WELL


def requests_to_site(
    session: Session, entry_id: int, answers: SiteAnswers, now: datetime
) -> list[Request]:
    """Return the requests to the site of a missing page, once a poll, if it must be judged.

    Args:
        session: any session.
        entry_id: the entry whose page was found missing in this poll.
        answers: of this poll; it is updated.
        now: the time of the poll.
    """
    entry = session.get_one(Entry, entry_id)
    site, form = site_of(entry.url), form_of(entry.url)
    missing_since = entry.missing_since or now
    if form in answers.others or not is_to_be_judged(gone_for(missing_since, entry.left_at, now)):
        return []
    others = _other_articles(session, entry, site)
    answers.others[form] = [other.id for other in others]
    requests = [replace(_check(other), purpose=Purpose.SITE) for other in others]
    if site not in answers.asked:
        answers.asked.add(site)
        requests.insert(0, Request(entry.source_id, urljoin(entry.url, "/"), purpose=Purpose.SITE))
    return requests


def _other_articles(session: Session, entry: Entry, site: str) -> list[Entry]:
    """Return the newest other articles of a site, those that its feed lists first.

    If there are some whose addresses have the form of the entry's, it is they: a site that changed
    its addresses shows its articles under the new ones alone.
    """
    statement = (
        select(Entry)
        .where(Entry.source_id == entry.source_id, Entry.id != entry.id, Entry.url != "")
        .where(Entry.missing_since.is_(None))
        .order_by(Entry.left_at.is_not(None), Entry.id.desc())
        .limit(_MOST_CONSIDERED)
    )
    pages = {without_fragment(entry.url): entry}
    for other in session.scalars(statement):
        if site_of(other.url) == site and not _is_front_page(other.url):
            pages.setdefault(without_fragment(other.url), other)
    others = [other for other in pages.values() if other is not entry]
    alike = [other for other in others if form_of(other.url) == form_of(entry.url)]
    return (alike or others)[:_MOST_OTHERS]


def form_of(url: str) -> str:
    """Return what the addresses of one sort of articles have in common: ``host/news/#/words.html``.

    That is the host, the folders with their numbers left out, whether the name is a number, begins
    or ends with a long one, its ending, and the names of the parameters.
    """
    parts = urlsplit(url)
    folders, _, name = parts.path.strip("/").rpartition("/")
    ending = _ENDING.search(name)
    stem = name[: ending.start()] if ending else name
    long_numbers = (stem[:_LONG_NUMBER].isdecimal(), stem[-_LONG_NUMBER:].isdecimal())
    shape = (
        "#" if stem.isdecimal() else "{}words{}".format(*("#" * is_one for is_one in long_numbers))
    )
    names = sorted({key for key, _ in parse_qsl(parts.query, keep_blank_values=True)})
    shown = _DIGITS.sub("#", folders), shape + (ending[0] if ending else ""), "&".join(names)
    return "/".join((site_of(url), *shown))


def _is_front_page(url: str) -> bool:
    return urlsplit(url).path in ("", "/") and not urlsplit(url).query


def are_most_gone(
    session: Session, source_id: int, checks: Mapping[int, PageCheck], now: datetime
) -> bool:
    """Return whether more than one page, and more than half of those checked, are missing.

    Checks of the last day count, too. A page that readers were told of as withdrawn does not.

    Args:
        session: any session.
        source_id: the source.
        checks: those of this poll, by entry id.
        now: the time of the poll.
    """
    if all(check.state is not PageState.MISSING for check in checks.values()):
        return False
    told_withdrawals = select(Revision.id).where(
        Revision.entry_id == Entry.id,
        Revision.kind == NewsKind.WITHDRAWN,
        Revision.held_because == "",
    )
    checked = (Entry.checked_at > now - _TOGETHER) | Entry.id.in_(list(checks))
    statement = select(Entry.id, Entry.missing_since).where(
        Entry.source_id == source_id, checked, ~told_withdrawals.exists()
    )
    states = [
        checks.get(entry_id, PRESENT if missing_since is None else _MISSING).state
        for entry_id, missing_since in session.execute(statement)
    ]
    missing = states.count(PageState.MISSING)
    return missing > 1 and missing * 2 > len(states) - states.count(PageState.UNKNOWN)


def of_entries(session: Session, entry_ids: Collection[int], now: datetime) -> list[Request]:
    """Return the checks of entries that a feed no longer lists: of the newest fifty of them.

    Entries that were checked within the last hour, or match no profile, are left out.
    """
    newest = sorted(entry_ids)[-_MOST_CHECKS:]
    if not newest:
        return []
    statement = _checkable(now).where(Entry.id.in_(newest), ~_checked_within(now, _HOUR))
    return [_check(entry) for entry in session.scalars(statement)]


def due(session: Session, source_ids: Sequence[int], now: datetime) -> list[Request]:
    """Return the daily checks that are due for these sources.

    An entry that matches a profile is checked once a day while it is younger than its feed's window
    and a week more: the newest fifty of each source.
    """
    checks = []
    for chunk in in_chunks(source_ids):
        candidates = _unchecked_today(session, chunk, now)
        windows = _oldest_listed(session, candidates)
        for source_id in chunk:
            since = windows.get(source_id, now) - _AFTER_THE_WINDOW
            young = [
                entry for entry in candidates.get(source_id, ()) if _is_followed(entry, since, now)
            ]
            checks += [_check(entry) for entry in young[:_MOST_CHECKS]]
    return checks


def _is_followed(entry: Entry, since: datetime, now: datetime) -> bool:
    """Return whether an entry is younger than its feed's window, or has lately gone missing."""
    if entry.missing_since is not None and entry.missing_since > now - _AFTER_THE_WINDOW:
        return True
    return (entry.published_at or entry.first_seen_at) > since


def _unchecked_today(
    session: Session, source_ids: Sequence[int], now: datetime
) -> dict[int, list[Entry]]:
    """Return the entries of the last year that were not checked today, by source, newest first."""
    statement = _checkable(now).where(
        Entry.source_id.in_(source_ids),
        Entry.first_seen_at.between(now - _LONGEST, now - _DAY),
        ~_checked_within(now, _DAY),
    )
    by_source: dict[int, list[Entry]] = {}
    for entry in session.scalars(statement.order_by(Entry.id.desc())):
        by_source.setdefault(entry.source_id, []).append(entry)
    return by_source


def _oldest_listed(session: Session, source_ids: Mapping[int, object]) -> dict[int, datetime]:
    """Return the date of the oldest entry that each source still lists: where its window begins."""
    if not source_ids:
        return {}
    dated = func.coalesce(Entry.published_at, Entry.first_seen_at)
    statement = (
        select(Entry.source_id, func.min(dated))
        .where(Entry.source_id.in_(source_ids), Entry.left_at.is_(None))
        .group_by(Entry.source_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def _checkable(now: datetime) -> Select[Entry]:
    """Select the entries whose pages may be checked; an entry of the future has none yet."""
    matches_a_profile = select(Match.id).where(Match.entry_id == Entry.id).exists()
    is_published = Entry.published_at.is_(None) | (Entry.published_at <= now)
    return select(Entry).where(Entry.url != "", is_published, matches_a_profile)


def _checked_within(now: datetime, span: timedelta) -> ColumnElement[bool]:
    return and_(Entry.checked_at.is_not(None), Entry.checked_at > now - span)


def _check(entry: Entry) -> Request:
    return Request(entry.source_id, entry.url, purpose=Purpose.CHECK, entry_id=entry.id)
