"""The items of a digest: a match, worded for its reader.

Owns the wording of the source's authority, the date, the reasons, and the details for clinicians.
All values are plain text; the templates escape them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from notifier import trial_fields
from notifier.digest import changes
from notifier.digest.changes import ChangeView, describe_changes, describe_trial
from notifier.digest.folding import Change
from notifier.digest.selection import Candidate
from notifier.enums import Authority, Edition, NewsKind, SourceKind
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.store.models import Match, Revision
from notifier.text.cleaning import paper_ids, shorten
from notifier.text.languages import foreign, guess
from notifier.text.urls import web_address

# The most characters of each text, and the most parts of each list, so that one item alone never
# makes a mail too large. Chosen by hand; not measured.
_LONGEST_TITLE, _LONGEST_SUMMARY, _LONGEST_OTHER_TITLE = 200, 280, 140
_LONGEST_NAME, _LONGEST_SENTENCE, _LONGEST_ENDPOINT = 120, 300, 160
# Characters of a text in which its language is looked for. Chosen by hand; not measured.
_READ_OF_BODY = 600
_MOST_ENDPOINTS, _MOST_REASONS, _MOST_OUTLETS, _MOST_TRIALS, _MOST_PAPERS = 2, 8, 8, 6, 2
# A longer address is replaced by its source's: mail programs and proxies cut it. The second limit
# is for items in short, the third for the DOI or PubMed id of a paper. In characters. Chosen by
# hand; not measured.
_LONGEST_ADDRESS, _LONGEST_SHORT_ADDRESS, _LONGEST_PAPER_ID = 2000, 400, 200
# The number of a trial at ClinicalTrials.gov.
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
    """An article of another outlet about the same news."""

    source: str
    authority: str
    title: str
    url: str


@dataclass(frozen=True)
class DetailView:
    """A detail for clinicians: a trial's number and phase, its endpoints, a paper's DOI.

    Attributes:
        label: the kind of the detail: "Trial".
        text: the detail.
        url: a link to it; empty for none.
    """

    label: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class ItemView:
    """An item of a digest, worded for its reader.

    Attributes:
        kind: news, or which kind of change.
        tier: how closely it concerns the therapy: `about`, `mention` or `related`.
        title: the headline.
        url: the entry's address, else its source's; empty where neither can be used.
        source: the source's name.
        authority: the kind of the source in words: "peer-reviewed".
        published_on: the publisher's date of news, else the day of observation, UTC.
        summary: the publisher's summary of news; empty for a change.
        changes: the first changes; none for news.
        more_changes: how many changes are left out.
        aside: remarks about a trial's data; empty for other sources.
        reasons: why it was chosen, a clause each.
        others: articles of other outlets about the same news.
        details: for clinicians; none for patients.
        more_others: how many other articles are left out.
    """

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
        """Return the item with its headline, source, first change and first reason only."""
        return replace(
            self,
            url=self.url if len(self.url) <= _LONGEST_SHORT_ADDRESS else "",
            summary="",
            aside="",
            others=(),
            details=(),
            reasons=self.reasons[:1],
            more_others=0,
            changes=self.changes[:1],
            more_changes=max(len(self.changes) - 1, 0),
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts whose medical terms may need an explanation: title, summary and changes."""
        return (self.title, self.summary, *(change.words for change in self.changes))


def item_view(
    candidate: Candidate,
    match: Match,
    revision: Revision,
    others: Sequence[Match],
    trials: Sequence[Mapping[str, Any]],
    edition: Edition,
    language: Language,
) -> ItemView:
    """Word a selected match.

    Args:
        candidate: the match as it was selected; its kind decides whether it is worded as news.
        match: with its entry and its source.
        revision: the state of the entry that is shown.
        others: matches of other outlets' articles about the same news.
        trials: the trials of the profile's document.
        edition: for patients or for clinicians.
        language: of everything but the publisher's words.
    """
    entry = match.entry
    is_news = candidate.kind is NewsKind.NEW
    kind = entry.source.kind
    lang = spoken(revision)
    stored_changes = () if is_news else told_changes(candidate, revision)
    described = describe_changes(stored_changes, kind, edition, language, lang)
    return ItemView(
        kind=candidate.kind,
        tier=str(candidate.tier),
        title=foreign(shorten(revision.title or entry.title, _LONGEST_TITLE), lang, language.code)
        or language.gettext("Without a title"),
        url=_url(match),
        source=shorten(entry.source.name, _LONGEST_NAME),
        authority=_authority(entry.source.authority, edition, language),
        published_on=_shown_date(revision, entry.published_at, is_news=is_news),
        summary=_summary(revision, kind, edition, language, lang) if is_news else "",
        changes=described[: changes.MOST],
        more_changes=max(len(described) - changes.MOST, 0),
        aside=_aside(revision, kind, language, has_several=len(stored_changes) > 1),
        reasons=_reasons(candidate.kind, match.reasons, language),
        others=tuple(_outlet(other, edition, language) for other in others[:_MOST_OUTLETS]),
        more_others=max(len(others) - _MOST_OUTLETS, 0),
        details=_details(revision, match, trials, language) if edition is Edition.CLINICIAN else (),
    )


def told_changes(candidate: Candidate, revision: Revision) -> Sequence[Change]:
    """Return what a digest tells of a change: those of the state, or of several states as one."""
    return candidate.changes if candidate.earlier else revision.changes


def _url(match: Match) -> str:
    addresses = (web_address(match.entry.url), web_address(match.entry.source.url))
    return next((address for address in addresses if 0 < len(address) <= _LONGEST_ADDRESS), "")


def _authority(authority: Authority, edition: Edition, language: Language) -> str:
    plain = _PLAIN_AUTHORITIES.get(authority) if edition is Edition.PATIENT else None
    return language.gettext(plain or _AUTHORITIES[authority])


def _outlet(match: Match, edition: Edition, language: Language) -> OutletView:
    source = match.entry.source
    title = shorten(match.entry.title, _LONGEST_OTHER_TITLE)
    return OutletView(
        shorten(source.name, _LONGEST_NAME),
        _authority(source.authority, edition, language),
        foreign(title, guess(title), language.code) or language.gettext("Without a title"),
        _url(match),
    )


def spoken(revision: Revision) -> str:
    """Return the code of the language in which a publisher wrote a state of an entry."""
    return guess(f"{revision.title} {revision.summary} {revision.body[:_READ_OF_BODY]}")


def _summary(
    revision: Revision, kind: SourceKind, edition: Edition, language: Language, lang: str
) -> str:
    if kind is SourceKind.REGISTRY and revision.content.get("fields"):
        return describe_trial(revision.content["fields"], edition, language)
    summary = shorten(revision.summary or revision.body, _LONGEST_SUMMARY)
    return foreign(summary, lang, language.code)


def _reasons(kind: NewsKind, stored: Sequence[str], language: Language) -> tuple[str, ...]:
    reasons = tuple(
        shorten(language.translate(reason), _LONGEST_SENTENCE) for reason in stored[:_MOST_REASONS]
    )
    if kind in (NewsKind.CORRECTED, NewsKind.WITHDRAWN):
        return (language.gettext("the older version was in an earlier digest"), *reasons)
    return reasons


def _shown_date(revision: Revision, published_at: datetime | None, *, is_news: bool) -> date:
    """Return the publisher's date of news; for a change and for undated news, the day we saw it."""
    return ((published_at if is_news else None) or revision.observed_at).date()


def _aside(revision: Revision, kind: SourceKind, language: Language, *, has_several: bool) -> str:
    """Return remarks about a trial's data: the order of several changes, and the data's date."""
    if kind is not SourceKind.REGISTRY:
        return ""
    remarks = [language.gettext(trial_fields.RULE)] if has_several else []
    if revision.as_of:
        remarks.append(
            language.gettext("Registry data as of %(date)s.", date=revision.as_of.date())
        )
    return " ".join(remarks)


def _details(
    revision: Revision, match: Match, trials: Sequence[Mapping[str, Any]], language: Language
) -> tuple[DetailView, ...]:
    text = f"{revision.title} {revision.summary} {revision.body} {match.entry.url}"
    numbers = _trial_numbers(revision, text, trials)
    details = [_trial(number, trials, language) for number in numbers[:_MOST_TRIALS]]
    for field in trial_fields.TRIAL_FIELDS:
        listed = revision.content.get("lists", {}).get(field.name) if field.detail_label else None
        if listed:
            shown = (shorten(part, _LONGEST_ENDPOINT) for part in listed[:_MOST_ENDPOINTS])
            endpoints = foreign("; ".join(shown), spoken(revision), language.code)
            details.append(DetailView(language.gettext(field.detail_label), endpoints))
    for paper in paper_ids(text)[:_MOST_PAPERS]:
        doi = paper.startswith("10.")
        base = "https://doi.org/" if doi else "https://pubmed.ncbi.nlm.nih.gov/"
        if len(paper) <= _LONGEST_PAPER_ID:
            details.append(DetailView("DOI" if doi else "PubMed", paper, web_address(base + paper)))
    return tuple(details)


def _trial_numbers(revision: Revision, text: str, trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the record's own number; for other entries, the numbers of the trials in the text."""
    if own_number := revision.content.get("trial", ""):
        return [own_number]
    numbers = sorted(set(_TRIAL.findall(text)))
    named = [trial["id"] for trial in trials if _is_named(trial, text)]
    return numbers + [number for number in named if number not in numbers]


def _is_named(trial: Mapping[str, Any], text: str) -> bool:
    acronym = trial.get("acronym")
    return bool(acronym and re.search(rf"(?<!\w){re.escape(acronym)}(?!\w)", text))


def _trial(number: str, trials: Sequence[Mapping[str, Any]], language: Language) -> DetailView:
    known: Mapping[str, Any] = next((trial for trial in trials if trial["id"] == number), {})
    parts = [number, known.get("acronym", "")]
    parts += (
        [language.gettext("phase %(phase)s", phase=known["phase"])] if known.get("phase") else []
    )
    return DetailView(
        language.gettext("Trial"),
        shorten(", ".join(part for part in parts if part), _LONGEST_SENTENCE),
    )
