"""Score: the hits in a text, by where they stand, become a tier, a score and the reasons.

Pure. The rules, in order: what names the therapy (a name or a code) decides `about` or `mention`; a
headline about one of its trials is about it, too; its target, its class, or one of its trials
further down decides `related`; a sponsor, an indication or a comparator never decides anything and
only adds to the score; an excluded term outside a headline that names the therapy ends it. An
acronym counts only where something else says that medicine is spoken of.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from notifier.enums import TermKind, Tier
from notifier.i18n.messages import LazyMessage, mark
from notifier.match.terms import Hit, TermSpec

NAMING = (TermKind.NAME, TermKind.CODE)
RELATING = (TermKind.TARGET, TermKind.CLASS, TermKind.TRIAL)
ADDING = (TermKind.SPONSOR, TermKind.INDICATION, TermKind.COMPARATOR)

PLACES = {
    "title": LazyMessage("the headline"),
    "summary": LazyMessage("the summary"),
    "lead": LazyMessage("the first sentence"),
    "body": LazyMessage("the text"),
    "categories": LazyMessage("the site's own tags"),
}

_OFTEN = 3
_LATIN = re.compile(r"[a-z]")
_WHAT = {
    TermKind.CODE: mark("%(place)s names %(term)s, a code name of %(name)s"),
    TermKind.TRIAL: mark("%(place)s names %(term)s, a trial of %(name)s"),
    TermKind.TARGET: mark("%(place)s names %(term)s, the target of %(name)s"),
    TermKind.CLASS: mark("%(place)s names %(term)s, the class of %(name)s"),
}


@dataclass(frozen=True)
class Judgement:
    """How much a text concerns a profile, from 0 to 1, and why, in sentences fit to print.

    `held` is the tier that a near miss would have had, for a person who finds that it was wrongly
    held back.
    """

    tier: Tier
    score: float
    reasons: tuple[str, ...]
    held: Tier | None = None


def judge(name: str, hits: Mapping[str, Sequence[Hit]], *, medical: bool = True) -> Judgement:
    """Judge a text.

    Args:
        name: the therapy's name, as the reasons shall call it.
        hits: what was found at each place of `PLACES`.
        medical: whether the text speaks of medicine at all.
    """
    if not medical and hits and all(hit.acronym for found in hits.values() for hit in found):
        spelling = next(hit.spelling for found in hits.values() for hit in found)
        reason = LazyMessage("it names %(term)s, but speaks of no medicine", term=spelling)
        return Judgement(
            Tier.NONE, 0.0, (reason,), held=_or_none(_tier({}, _by_place(hits, RELATING))[0])
        )
    naming = _by_place(hits, NAMING)
    relating = _by_place(hits, RELATING)
    excluded = _by_place(hits, (TermKind.EXCLUDE,))
    if excluded and "title" not in naming:
        place, found = next(iter(excluded.items()))
        reason = LazyMessage(
            "%(place)s names %(term)s, which the profile excludes",
            place=PLACES[place],
            term=found[0].spelling,
        )
        return Judgement(Tier.NONE, 0.0, (reason,), held=_or_none(_tier(naming, relating)[0]))
    tier, score = _tier(naming, relating)
    reasons = _sentences(name, naming) + _sentences(name, relating)
    if tier is Tier.NONE:
        # Sponsor and illness together, without the name: mostly other news, now and then a slip of
        # the matcher.
        beside = {
            hit.term.kind for place in ("title", "summary", "lead") for hit in hits.get(place, ())
        }
        near = {TermKind.SPONSOR, TermKind.INDICATION} <= beside
        return Judgement(tier, 0.0, (_why_not(name, hits),), held=Tier.RELATED if near else None)
    adding = {
        hit.term.kind
        for found in hits.values()
        for hit in found
        if hit.term.kind in (*ADDING, *RELATING)
    }
    return Judgement(tier, round(min(1.0, score + 0.02 * len(adding)), 2), reasons)


def only_pointed_to(name: str) -> Judgement:
    """The judgement on a text that names the therapy only where it points to other articles."""
    reason = LazyMessage("only a pointer to another article names %(name)s", name=name.lower())
    return Judgement(Tier.NONE, 0.0, (reason,), held=Tier.MENTION)


def _or_none(tier: Tier) -> Tier | None:
    return None if tier is Tier.NONE else tier


_MEDICINE = re.compile(
    r"(?i)\b(?:trials?|stud(?:y|ies)|phase|patients?|placebo|disease|drug|therap\w+|treatments?|dos(?:e|es|ing)|clinical|"
    r"medic\w+|sclerosis|diabetes|fda|ema|studien?|phase|krank\w+|arznei\w+|essais?|étude|maladie|médica\w+|"
    r"ensayos?|estudios?|pacientes?|fármacos?|enferme\w+|sperimentazione|farmac\w+|enrol\w*|recruit\w*)\b|試験|治験|임상|"
    r"исследован|препарат"
)


def speaks_of_medicine(text: str) -> bool:
    """Whether a text uses a word that only medicine, or hardly anything else, uses; in the commoner languages."""
    return bool(_MEDICINE.search(text))


def _by_place(hits: Mapping[str, Sequence[Hit]], kinds: Sequence[TermKind]) -> dict[str, list[Hit]]:
    chosen = {
        place: [hit for hit in hits.get(place, ()) if hit.term.kind in kinds] for place in PLACES
    }
    return {place: found for place, found in chosen.items() if found}


def _tier(
    naming: Mapping[str, Sequence[Hit]], relating: Mapping[str, Sequence[Hit]]
) -> tuple[Tier, float]:
    times = sum(hit.count for found in naming.values() for hit in found)
    # What a headline or a lead calls "a CD40L antibody" and the text then names is the article's
    # subject.
    introduced = "body" in naming and any(place in relating for place in ("title", "summary"))
    on_a_trial = any(hit.term.kind is TermKind.TRIAL for hit in relating.get("title", ()))
    for holds, score in (
        ("title" in naming, 0.9),
        (on_a_trial, 0.8),
        ("summary" in naming, 0.7),
        ("lead" in naming, 0.65),
        (introduced or times >= _OFTEN, 0.6),
    ):
        if holds:
            return Tier.ABOUT, score
    if naming:
        return Tier.MENTION, 0.5
    if "title" in relating:
        return Tier.RELATED, 0.35
    return (Tier.RELATED, 0.25) if relating else (Tier.NONE, 0.0)


def _sentences(name: str, found: Mapping[str, Sequence[Hit]]) -> tuple[str, ...]:
    """One sentence a term, for the first place it stands in."""
    sentences: dict[TermSpec, str] = {}
    for place, hits in found.items():
        for hit in hits:
            sentences.setdefault(hit.term, _sentence(name, place, hit))
    return tuple(sentences.values())


def _sentence(name: str, place: str, hit: Hit) -> str:
    where = PLACES[place]
    if hit.written:
        slip = (
            mark("%(place)s names %(written)s, a misspelling of %(term)s")
            if _LATIN.search(hit.written)
            else mark("%(place)s names %(written)s, %(term)s in another script")
        )
        return LazyMessage(slip, place=where, written=hit.written, term=hit.spelling)
    if hit.term.kind in _WHAT:
        said = LazyMessage(_WHAT[hit.term.kind], place=where, term=hit.spelling, name=name.lower())
    else:
        said = LazyMessage("%(place)s names %(term)s", place=where, term=hit.spelling)
    often = place == "body" and hit.count >= _OFTEN
    return LazyMessage("%(what)s, %(count)s times", what=said, count=hit.count) if often else said


def _why_not(name: str, hits: Mapping[str, Sequence[Hit]]) -> str:
    found = _by_place(hits, ADDING)
    if not found:
        return LazyMessage(
            "nothing in it names %(name)s, its target, its class or its trials", name=name.lower()
        )
    place, first = next(iter(found.items()))
    return LazyMessage(
        "%(place)s names %(term)s, which alone does not concern %(name)s",
        place=PLACES[place],
        term=first[0].spelling,
        name=name.lower(),
    )
