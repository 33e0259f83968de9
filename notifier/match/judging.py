"""Judging: decide for one text which profiles it concerns, in which tier, and why.

Reads what the judgement needs from the database and writes nothing. Whole batches are read and
judged in `match/batches.py`, and stored by `match/matches.py`. The rules are listed in
docs/matching.md, sections 1, 3 and 4.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, Tier
from notifier.match import profiles
from notifier.match.boilerplate import split_lead, without_boilerplate
from notifier.match.score import NAMING, Judgement, is_medical, judge, judge_pointer
from notifier.match.terms import Hit, TermSpec, Vocabulary
from notifier.store.db import in_chunks
from notifier.store.models import Article, Profile, Revision, SourceProfile

# In characters, of each place; the longest documents that are not made to cost time have fewer.
# Chosen by hand; not measured.
_MOST_READ = 500_000


@dataclass(frozen=True)
class Document:
    """A text for the matcher, by its places; plain text, and empty where there is none.

    Attributes:
        title: the headline.
        summary: the summary or teaser of the feed.
        body: the text, its paragraphs on lines of their own.
        categories: the tags that the site gave it, joined by " | ".
    """

    title: str = ""
    summary: str = ""
    body: str = ""
    categories: str = ""


def judge_document(
    vocabulary: Vocabulary[int], names: Mapping[int, str], document: Document
) -> dict[int, Judgement]:
    """Judge one text for every profile of the vocabulary.

    Args:
        vocabulary: the terms, by profile id.
        names: the therapies' names, by profile id.
        document: the text.

    Returns:
        The judgements by profile id; a profile without any hit is not among them.
    """
    hits_of: dict[int, dict[str, list[Hit]]] = {}
    own_summary, own_text = map(without_boilerplate, (document.summary, document.body))
    lead, body = split_lead(own_text)
    texts = {
        "title": document.title,
        "summary": own_summary,
        "lead": lead,
        "body": body,
        "categories": document.categories,
    }
    for place, text in texts.items():
        for profile_id, hits in vocabulary.find(text).items():
            hits_of.setdefault(profile_id, {})[place] = hits
    # Only words of capitals may mean something else; other hits are of medicine by themselves.
    medical = all(map(_has_more_than_acronyms, hits_of.values())) or any(
        map(is_medical, texts.values())
    )
    judgements = {
        profile_id: judge(names[profile_id], hits, medical=medical)
        for profile_id, hits in hits_of.items()
    }
    for whole, own in ((document.summary, own_summary), (document.body, own_text)):
        for profile_id in _named_in(vocabulary, whole) if len(own) < len(whole) else ():
            judgement = judgements.get(profile_id)
            if judgement is None or judgement.tier is Tier.NONE:
                judgements[profile_id] = judge_pointer(names[profile_id])
    return judgements


def _named_in(vocabulary: Vocabulary[int], text: str) -> list[int]:
    """Return the ids of the profiles whose therapy a text names."""
    return [
        profile_id
        for profile_id, all_hits in vocabulary.find(text).items()
        if any(hit.term.kind in NAMING for hit in all_hits)
    ]


def _has_more_than_acronyms(hits: Mapping[str, Sequence[Hit]]) -> bool:
    return not all(hit.acronym for place_hits in hits.values() for hit in place_hits)


def document_judge(profile: Profile) -> Callable[[Document], Judgement]:
    """Return a function that judges a text for one profile; without a hit the tier is none."""
    vocabulary = profiles.vocabulary([profile])
    names = {profile.id: profile.name}

    def judge_for_profile(document: Document) -> Judgement:
        judgements = judge_document(vocabulary, names, document)
        return judgements.get(profile.id) or judge(profile.name, {})

    return judge_for_profile


def revision_judge(session: Session, profile: Profile) -> Callable[[Revision], Judgement | None]:
    """Return a function that judges a stored revision for one profile, by its terms of today.

    It returns None for a revision without a hit, or of a source that feeds other profiles only.
    """
    vocabulary = profiles.vocabulary([profile])
    names = {profile.id: profile.name}
    fed_profiles = profiles_by_source(session)

    def judge_for_profile(revision: Revision) -> Judgement | None:
        if profile.id not in fed_profiles.get(revision.entry.source_id, {profile.id}):
            return None
        document = document_of(revision, articles_of(session, [revision]))
        return judge_document(vocabulary, names, document).get(profile.id)

    return judge_for_profile


def check_canaries(
    profile_document: Mapping[str, Any], terms: Sequence[TermSpec], name: str
) -> list[str]:
    """Return a sentence for each canary of a profile that does not get its tier.

    Arguments are those of `canary_tiers`.
    """
    tiers = canary_tiers(profile_document, terms, name)
    return [
        f"“{canary['title']}” is {tier}, and must be {canary['tier']}"
        for canary, tier in zip(profile_document.get("canaries", ()), tiers, strict=True)
        if tier != canary["tier"]
    ]


def canary_tiers(
    profile_document: Mapping[str, Any], terms: Sequence[TermSpec], name: str
) -> list[Tier]:
    """Return the tier that each canary of a profile gets, in their order.

    Args:
        profile_document: the profile file as a document.
        terms: of the profile.
        name: the therapy's name.
    """
    canaries = profile_document.get("canaries", ())
    vocabulary = Vocabulary({0: terms} if canaries else {})
    tiers = []
    for canary in canaries:
        document = Document(canary["title"], canary.get("summary", ""), canary.get("body", ""))
        judgement = judge_document(vocabulary, {0: name}, document).get(0) or judge(name, {})
        tiers.append(judgement.tier)
    return tiers


def profiles_by_source(
    session: Session, source_ids: Collection[int] | None = None
) -> dict[int, set[int]]:
    """Return the ids of the profiles that each source feeds.

    Args:
        session: a session of any kind.
        source_ids: only these sources; all if None.

    Returns:
        A source that is not among the keys feeds every profile.
    """
    query = select(SourceProfile.source_id, SourceProfile.profile_id)
    if source_ids is not None:
        query = query.where(SourceProfile.source_id.in_(source_ids))
    profile_ids: dict[int, set[int]] = {}
    for source_id, profile_id in session.execute(query):
        profile_ids.setdefault(source_id, set()).add(profile_id)
    return profile_ids


def document_of(revision: Revision, articles: Mapping[int, str]) -> Document:
    """Return the text of a revision; the body is the article's own page if that is longer.

    Args:
        revision: a revision, or a row with the same columns.
        articles: the texts of articles' own pages, by entry id.
    """
    body = max(revision.body, articles.get(revision.entry_id, ""), key=len)
    places = (revision.title, revision.summary, body, " | ".join(revision.categories))
    return Document(*(text[:_MOST_READ] for text in places))


def articles_of(session: Session, revisions: Sequence[Revision]) -> dict[int, str]:
    """Return the texts of the articles' own pages, by entry id, as far as they were fetched."""
    articles: dict[int, str] = {}
    for chunk in in_chunks(sorted({revision.entry_id for revision in revisions})):
        query = select(Article.entry_id, Article.text).where(Article.entry_id.in_(chunk))
        articles.update((row[0], row[1]) for row in session.execute(query))
    return articles


class News(NamedTuple):
    """The kind of news that a revision is to a profile, and the judgement that counts."""

    kind: NewsKind
    judgement: Judgement


def classify(revision: Any, judgement: Judgement | None, earlier: News | None) -> News | None:
    """Return the news that a revision is to a profile; None if it is none.

    Args:
        revision: a revision of an entry, or a row with the same columns.
        judgement: on this revision; None without a hit.
        earlier: the last revision of the entry that was news to the profile; None if none was.
    """
    concerns = judgement is not None and judgement.tier is not Tier.NONE
    if earlier is None:
        is_news = concerns and revision.kind is not NewsKind.WITHDRAWN
        return News(NewsKind.NEW, judgement) if is_news and judgement is not None else None
    if not revision.material:
        return None
    if is_shown_again(revision) and earlier.kind is not NewsKind.WITHDRAWN:
        return None  # its withdrawal was held, and told to nobody
    # If an edit removed the therapy's name, the readers of the earlier wording still get the
    # correction.
    counts = judgement if concerns and judgement is not None else earlier.judgement
    return News(revision.kind, counts)


def is_shown_again(revision: Any) -> bool:
    """Return whether a revision says that a withdrawn entry is published again."""
    return any(change["what"] == "availability" for change in revision.changes)
