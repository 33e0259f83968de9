"""Items: one piece of news as its reader sees it.

Owns the words between a match and the templates: the source's tier, the date, the reasons, and what
a clinician wants beside it. Everything here is text; the templates escape it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from notifier import trial_fields
from notifier.digest import changes
from notifier.digest.changes import ChangeView
from notifier.digest.selection import Candidate
from notifier.enums import Authority, Edition, NewsKind, SourceKind
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.store.models import Match, Revision
from notifier.text.cleaning import paper_ids, shorten
from notifier.text.urls import web_address

# What no item may be longer than, for one of them alone must never make a mail too large.
_TITLE, _SUMMARY, _OTHER_TITLE, _NAME, _SENTENCE = 200, 280, 140, 120, 300
_MOST_ENDPOINTS, _MOST_REASONS, _MOST_OUTLETS, _MOST_TRIALS = 2, 8, 8, 6
# A longer address is replaced by its source's: mail programs and proxies cut it.
_ADDRESS, _PAPER = 2000, 200
_TRIAL = re.compile(r"\bNCT[0-9]{8}\b")

_AUTHORITIES = {
    Authority.REGISTRY: mark("trial registry"),
    Authority.REGULATOR: mark("regulator"),
    Authority.PEER_REVIEWED: mark("peer-reviewed"),
    Authority.SPONSOR: mark("sponsor"),
    Authority.NEWS: mark("news"),
    Authority.OPINION: mark("opinion"),
}
_PLAIN_AUTHORITIES = {
    Authority.REGULATOR: mark("medicines authority"),
    Authority.PEER_REVIEWED: mark("journal, checked by experts"),
    Authority.SPONSOR: mark("from the company"),
}


@dataclass(frozen=True)
class OutletView:
    """Another outlet that tells the same news."""

    source: str
    authority: str
    title: str
    url: str


@dataclass(frozen=True)
class DetailView:
    """What a clinician wants beside an item: a trial's number and phase, its endpoints, a paper's DOI."""

    label: str
    text: str
    url: str = ""


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
    details: tuple[DetailView, ...] = ()
    more_others: int = 0

    def in_short(self) -> "ItemView":
        """The same with nothing but what it is, where it stands and why it is here."""
        url = self.url if len(self.url) <= _PAPER * 2 else ""
        bare = replace(
            self, url=url, summary="", aside="", others=(), details=(), reasons=self.reasons[:1]
        )
        return replace(
            bare,
            more_others=0,
            changes=self.changes[:1],
            more_changes=max(len(self.changes) - 1, 0),
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The publisher's words and the changes: where words stand that may need to be explained."""
        return (self.title, self.summary, *(change.words for change in self.changes))


def item(
    chosen: Candidate,
    match: Match,
    revision: Revision,
    others: Sequence[Match],
    trials: Sequence[Mapping[str, Any]],
    edition: Edition,
    language: Language,
) -> ItemView:
    """A chosen match in words.

    Args:
        chosen: as what it goes out.
        match: with its entry and its source.
        revision: the state of the entry that is told.
        others: matches that tell the same news.
        trials: the trials of the profile's document.
        edition: for whom it is worded.
        language: whose words are used around the publisher's.
    """
    entry = match.entry
    fresh = chosen.kind is NewsKind.NEW
    kind = entry.source.kind
    return ItemView(
        kind=chosen.kind,
        tier=str(chosen.tier),
        title=shorten(revision.title or entry.title, _TITLE) or language.gettext("Without a title"),
        url=_url(match),
        source=shorten(entry.source.name, _NAME),
        authority=_authority(entry.source.authority, edition, language),
        published_on=_shown_date(revision, entry.published_at, fresh=fresh),
        summary=_summary(revision, kind, edition, language) if fresh else "",
        changes=() if fresh else changes.in_words(revision.changes, kind, edition, language),
        more_changes=0 if fresh else max(len(revision.changes) - changes.MOST, 0),
        aside=_aside(revision, kind, language, fresh=fresh),
        reasons=_reasons(chosen.kind, match.reasons, language),
        others=tuple(_outlet(one, edition, language) for one in others[:_MOST_OUTLETS]),
        more_others=max(len(others) - _MOST_OUTLETS, 0),
        details=_details(revision, match, trials, language) if edition is Edition.CLINICIAN else (),
    )


def _url(match: Match) -> str:
    addresses = (web_address(match.entry.url), web_address(match.entry.source.url))
    return next((address for address in addresses if 0 < len(address) <= _ADDRESS), "")


def _authority(authority: Authority, edition: Edition, language: Language) -> str:
    plain = _PLAIN_AUTHORITIES.get(authority) if edition is Edition.PATIENT else None
    return language.gettext(plain or _AUTHORITIES[authority])


def _outlet(match: Match, edition: Edition, language: Language) -> OutletView:
    source = match.entry.source
    title = shorten(match.entry.title, _OTHER_TITLE) or language.gettext("Without a title")
    return OutletView(
        shorten(source.name, _NAME),
        _authority(source.authority, edition, language),
        title,
        _url(match),
    )


def _summary(revision: Revision, kind: SourceKind, edition: Edition, language: Language) -> str:
    if kind is SourceKind.REGISTRY and revision.content.get("fields"):
        return changes.trial_in_words(revision.content["fields"], edition, language)
    return shorten(revision.summary or revision.body, _SUMMARY)


def _reasons(kind: NewsKind, stored: Sequence[str], language: Language) -> tuple[str, ...]:
    said = tuple(
        shorten(language.translate(reason), _SENTENCE) for reason in stored[:_MOST_REASONS]
    )
    if kind in (NewsKind.CORRECTED, NewsKind.WITHDRAWN):
        return (language.gettext("you were sent the earlier version"), *said)
    return said


def _shown_date(revision: Revision, published_at: datetime | None, *, fresh: bool) -> date | None:
    """When the news is from: the publisher's date, else the day we saw it; a change is dated by the day we saw it."""
    return (published_at or revision.observed_at).date() if fresh else revision.observed_at.date()


def _aside(revision: Revision, kind: SourceKind, language: Language, *, fresh: bool) -> str:
    """What a reader should know of a trial's data: by which rule changes are ordered, and of what date they are."""
    if kind is not SourceKind.REGISTRY:
        return ""
    said = [language.gettext(trial_fields.RULE)] if not fresh and len(revision.changes) > 1 else []
    if revision.as_of:
        said.append(language.gettext("Registry data as of %(date)s.", date=revision.as_of.date()))
    return " ".join(said)


def _details(
    revision: Revision, match: Match, trials: Sequence[Mapping[str, Any]], language: Language
) -> tuple[DetailView, ...]:
    text = f"{revision.title} {revision.summary} {revision.body} {match.entry.url}"
    own = revision.content.get("trial", "")
    numbers = [own] if own else sorted(set(_TRIAL.findall(text)))
    numbers += [
        one["id"] for one in trials if _named(one, text) and one["id"] not in numbers and not own
    ]
    found = [_trial(number, trials, language) for number in numbers[:_MOST_TRIALS]]
    for field in trial_fields.TRIAL_FIELDS:
        items = revision.content.get("lists", {}).get(field.name) if field.detail_label else None
        if items:
            text_of_items = "; ".join(shorten(item, 160) for item in items[:_MOST_ENDPOINTS])
            found.append(DetailView(language.gettext(field.detail_label), text_of_items))
    for paper in paper_ids(text)[:2]:
        doi = paper.startswith("10.")
        base = "https://doi.org/" if doi else "https://pubmed.ncbi.nlm.nih.gov/"
        if len(paper) <= _PAPER:
            found.append(DetailView("DOI" if doi else "PubMed", paper, web_address(base + paper)))
    return tuple(found)


def _named(trial: Mapping[str, Any], text: str) -> bool:
    acronym = trial.get("acronym")
    return bool(acronym and re.search(rf"(?<!\w){re.escape(acronym)}(?!\w)", text))


def _trial(number: str, trials: Sequence[Mapping[str, Any]], language: Language) -> DetailView:
    known: Mapping[str, Any] = next((one for one in trials if one["id"] == number), {})
    parts = [number, known.get("acronym", "")]
    parts += (
        [language.gettext("phase %(phase)s", phase=known["phase"])] if known.get("phase") else []
    )
    return DetailView(
        language.gettext("Trial"), shorten(", ".join(part for part in parts if part), _SENTENCE)
    )
