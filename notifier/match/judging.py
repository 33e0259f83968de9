"""The judgement on one text: which profiles it concerns, in which tier, and why. Pure, but for reading what was stored.

Whole batches are read and judged in `match/batches.py`; what comes of them is stored in
`match/matches.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.enums import NewsKind, Tier
from notifier.match import profiles as stored_profiles
from notifier.match.boilerplate import split_lead, without_boilerplate
from notifier.match.score import NAMING, Judgement, judge, only_pointed_to, speaks_of_medicine
from notifier.match.terms import Hit, TermSpec, Vocabulary
from notifier.store.db import in_chunks
from notifier.store.models import Article, Profile, Revision, SourceProfile

# How many characters of each place are read: the longest honest documents have fewer.
_MOST_READ = 500_000


@dataclass(frozen=True)
class Document:
    """A text as the matcher sees it: what stands at each place."""

    title: str = ""
    summary: str = ""
    body: str = ""
    categories: str = ""


def judge_document(
    vocabulary: Vocabulary[int], names: Mapping[int, str], words: Document
) -> dict[int, Judgement]:
    """Judge one text for every profile of the vocabulary; those in which nothing was found are not in the answer."""
    found: dict[int, dict[str, list[Hit]]] = {}
    own_text = without_boilerplate(words.body)
    lead, body = split_lead(own_text)
    texts = {
        "title": words.title,
        "summary": words.summary,
        "lead": lead,
        "body": body,
        "categories": words.categories,
    }
    for place, text in texts.items():
        for profile_id, hits in vocabulary.find(text).items():
            found.setdefault(profile_id, {})[place] = hits
    medical = bool(found) and any(map(speaks_of_medicine, texts.values()))
    judged = {
        profile_id: judge(names[profile_id], hits, medical=medical)
        for profile_id, hits in found.items()
    }
    if len(own_text) < len(words.body):
        for profile_id, hits in vocabulary.find(words.body).items():
            named = any(hit.term.kind in NAMING for hit in hits)
            if named and (profile_id not in judged or judged[profile_id].tier is Tier.NONE):
                judged[profile_id] = only_pointed_to(names[profile_id])
    return judged


def judge_of(profile: Profile) -> Callable[[Document], Judgement]:
    """What judges texts that are not stored for one profile; where nothing is found it says so."""
    vocabulary = stored_profiles.vocabulary([profile])
    names = {profile.id: profile.name}

    def judge_one(words: Document) -> Judgement:
        return judge_document(vocabulary, names, words).get(profile.id) or judge(profile.name, {})

    return judge_one


def judge_stored(session: Session, profile: Profile) -> Callable[[Revision], Judgement | None]:
    """What judges stored revisions for one profile by its terms of now; None for those that its sources do not feed."""
    vocabulary = stored_profiles.vocabulary([profile])
    names = {profile.id: profile.name}
    fed = select(SourceProfile.source_id, SourceProfile.profile_id)
    feeds: dict[int, set[int]] = {}
    for source_id, profile_id in session.execute(fed):
        feeds.setdefault(source_id, set()).add(profile_id)

    def judge_one(revision: Revision) -> Judgement | None:
        if profile.id not in feeds.get(revision.entry.source_id, {profile.id}):
            return None
        return judge_document(
            vocabulary, names, document_of(revision, articles_of(session, [revision]))
        ).get(profile.id)

    return judge_one


def check_canaries(document: Mapping[str, Any], terms: Sequence[TermSpec], name: str) -> list[str]:
    """The canaries of a profile that do not get their tier, a sentence each; none where all is well."""
    vocabulary = Vocabulary({0: terms})
    failed = []
    for one in document.get("canaries", ()):
        words = Document(one["title"], one.get("summary", ""), one.get("body", ""))
        tier = (judge_document(vocabulary, {0: name}, words).get(0) or judge(name, {})).tier
        if tier != one["tier"]:
            failed.append(f"“{one['title']}” is {tier}, and must be {one['tier']}")
    return failed


def feeds_of(session: Session, revisions: Sequence[Revision]) -> dict[int, set[int]]:
    """The profiles that a source feeds; a source that is not in the answer feeds all."""
    wanted = {revision.entry.source_id for revision in revisions}
    rows = session.execute(
        select(SourceProfile.source_id, SourceProfile.profile_id).where(
            SourceProfile.source_id.in_(wanted)
        )
    )
    found: dict[int, set[int]] = {}
    for source_id, profile_id in rows:
        found.setdefault(source_id, set()).add(profile_id)
    return found


def document_of(revision: Revision, articles: Mapping[int, str]) -> Document:
    """What a revision says, as far as it is read; where its feed shows a teaser, with the text of its page."""
    body = max(revision.body, articles.get(revision.entry_id, ""), key=len)
    places = (revision.title, revision.summary, body, " | ".join(revision.categories))
    return Document(*(text[:_MOST_READ] for text in places))


def articles_of(session: Session, revisions: Sequence[Revision]) -> dict[int, str]:
    """The texts that were fetched for these entries."""
    wanted = sorted({revision.entry_id for revision in revisions})
    found: dict[int, str] = {}
    for chunk in in_chunks(wanted):
        chosen = select(Article.entry_id, Article.text).where(Article.entry_id.in_(chunk))
        found.update((row[0], row[1]) for row in session.execute(chosen))
    return found


def classify(
    revision: Revision, judgement: Judgement | None, earlier: Judgement | None
) -> tuple[NewsKind, Judgement] | None:
    """What kind of news a revision is to a profile, and how much it concerns it; None where it is none.

    Args:
        revision: a state of an entry.
        judgement: on this state.
        earlier: on the last state of the entry that was news to the profile, if there was one.
    """
    concerns = judgement is not None and judgement.tier is not Tier.NONE
    if earlier is None:
        is_news = concerns and revision.kind is not NewsKind.WITHDRAWN
        return (NewsKind.NEW, judgement) if is_news and judgement is not None else None
    if not revision.material:
        return None
    # Where an edit took the therapy's name out, those who read the earlier wording are still owed
    # the correction.
    return revision.kind, judgement if concerns and judgement is not None else earlier
