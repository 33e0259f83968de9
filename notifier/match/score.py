"""Score: turn the hits in a text, by their places, into a tier, a score and the reasons.

The first rule that applies decides. A name or a code decides *about* or *mention*. A trial of the
therapy in the headline decides *about*. The target, the class, or a trial further down decides
*related*. A sponsor, an indication or a comparator decides nothing and only adds to the score. An
excluded term decides *none* unless the headline names the therapy. An acronym counts only if
another word of the text belongs to medicine. Pure functions.

Scores are from 0 to 1. They only order the items within a section of a digest, so only the order of
the values matters. They were chosen by hand; not measured (docs/matching.md, section 3).
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

# Occurrences of a name that make it the subject. Same result from 2 upwards on the labelled and the
# made-up set.
_OFTEN = 3
_ADDED_PER_KIND = 0.02
_LATIN = re.compile(r"[a-z]")
_RELATIONS = {
    TermKind.CODE: mark("%(place)s names %(term)s, a code name of %(name)s"),
    TermKind.TRIAL: mark("%(place)s names %(term)s, a trial of %(name)s"),
    TermKind.TARGET: mark("%(place)s names %(term)s, the target of %(name)s"),
    TermKind.CLASS: mark("%(place)s names %(term)s, the class of %(name)s"),
}


@dataclass(frozen=True)
class Judgement:
    """The tier and score of a text for one profile, and the reasons.

    Attributes:
        tier: how much the text concerns the therapy.
        score: from 0 to 1.
        reasons: sentences that are shown to readers.
        near_miss_tier: of a text that nearly matched, the tier it gets if a person releases it;
            None for any other text.
    """

    tier: Tier
    score: float
    reasons: tuple[str, ...]
    near_miss_tier: Tier | None = None


def judge(name: str, hits: Mapping[str, Sequence[Hit]], *, medical: bool = True) -> Judgement:
    """Judge a text by its hits.

    Args:
        name: the therapy's name, as the reasons give it.
        hits: the hits at each place of `PLACES`.
        medical: True if a word of the text belongs to medicine.
    """
    all_hits = [hit for place_hits in hits.values() for hit in place_hits]
    naming = _by_place(hits, NAMING)
    relating = _by_place(hits, RELATING)
    if not medical and all_hits and all(hit.acronym for hit in all_hits):
        reason = LazyMessage(
            "it names %(term)s, but speaks of no medicine", term=all_hits[0].spelling
        )
        return _no_match(reason, _tier({}, relating)[0])
    excluded = _by_place(hits, (TermKind.EXCLUDE,))
    if excluded and "title" not in naming:
        place, excluded_hits = next(iter(excluded.items()))
        reason = LazyMessage(
            "%(place)s names %(term)s, which the profile excludes",
            place=PLACES[place],
            term=excluded_hits[0].spelling,
        )
        return _no_match(reason, _tier(naming, relating)[0])
    tier, score = _tier(naming, relating)
    if tier is Tier.NONE:
        return _no_match(
            _why_not(name, hits), Tier.RELATED if _sponsor_and_illness(hits) else Tier.NONE
        )
    adding = {hit.term.kind for hit in all_hits if hit.term.kind in (*ADDING, *RELATING)}
    score = round(min(1.0, score + _ADDED_PER_KIND * len(adding)), 2)
    return Judgement(tier, score, _sentences(name, naming) + _sentences(name, relating))


def judge_pointer(name: str) -> Judgement:
    """Judge a text that names the therapy only in a pointer to another article."""
    reason = LazyMessage("only a pointer to another article names %(name)s", name=name.lower())
    return _no_match(reason, Tier.MENTION)


def _no_match(reason: str, tier: Tier) -> Judgement:
    """Return the judgement "none"; a near miss if the text would have had another tier."""
    return Judgement(Tier.NONE, 0.0, (reason,), None if tier is Tier.NONE else tier)


def _sponsor_and_illness(hits: Mapping[str, Sequence[Hit]]) -> bool:
    """Return True if the beginning of a text names both.

    Without the therapy's name that is mostly other news, and now and then an error of the matcher.
    """
    kinds = {hit.term.kind for place in ("title", "summary", "lead") for hit in hits.get(place, ())}
    return {TermKind.SPONSOR, TermKind.INDICATION} <= kinds


# English, German, French, Spanish, Italian, Dutch, Nordic and Slavic languages, Finnish, Hungarian,
# Portuguese, Turkish, Japanese, Chinese, Korean and Russian. Collected by hand; not measured.
_MEDICINE = re.compile(
    r"(?i)\b(?:trials?|stud(?:y|ies)|phase|patients?|placebo|disease|drug|therap\w+|treatments?|"
    r"dos(?:e|es|ing)|clinical|"
    r"medic\w+|sclerosis|diabetes|fda|ema|studien?|phase|krank\w+|arznei\w+|"
    r"essais?|étude|maladie|médica\w+|"
    r"ensayos?|estudios?|pacientes?|fármacos?|enferme\w+|sperimentazione|farmac\w+|"
    r"onderzoek|behandel\w+|behandling\w*|forskning\w*|tutkimu\w+|potila\w+|hoito\w*|"
    r"badani\w+|leczeni\w+|pacjen\w+|léčb\w+|pacient\w*|vizsgálat\w*|kezelés\w*|beteg\w*|"
    r"estudos?|ensaios?|doença\w*|pazienti|malattia|çalışma\w*|tedavi\w*|"
    r"enrol\w*|recruit\w*)\b|試験|治験|试验|临床|患者|임상|환자|"
    r"исследован|препарат|пациент"
)


def is_medical(text: str) -> bool:
    """Return True if a word of the text belongs to medicine."""
    return bool(_MEDICINE.search(text))


def _by_place(hits: Mapping[str, Sequence[Hit]], kinds: Sequence[TermKind]) -> dict[str, list[Hit]]:
    """Return the hits of some kinds, in the order of `PLACES`; a place without one is left out."""
    selected = {
        place: [hit for hit in hits.get(place, ()) if hit.term.kind in kinds] for place in PLACES
    }
    return {place: place_hits for place, place_hits in selected.items() if place_hits}


def _tier(
    naming: Mapping[str, Sequence[Hit]], relating: Mapping[str, Sequence[Hit]]
) -> tuple[Tier, float]:
    count = sum(hit.count for place_hits in naming.values() for hit in place_hits)
    # If a headline or summary says "a CD40L antibody" and the text then gives the name, the article
    # is about it.
    introduced = "body" in naming and any(place in relating for place in ("title", "summary"))
    on_a_trial = any(hit.term.kind is TermKind.TRIAL for hit in relating.get("title", ()))
    for holds, score in (
        ("title" in naming, 0.9),
        (on_a_trial, 0.8),
        ("summary" in naming, 0.7),
        ("lead" in naming, 0.65),
        (introduced or count >= _OFTEN, 0.6),
    ):
        if holds:
            return Tier.ABOUT, score
    if naming:
        return Tier.MENTION, 0.5
    if "title" in relating:
        return Tier.RELATED, 0.35
    return (Tier.RELATED, 0.25) if relating else (Tier.NONE, 0.0)


def _sentences(name: str, hits: Mapping[str, Sequence[Hit]]) -> tuple[str, ...]:
    """Return one sentence for each term, about the first place in which it occurs."""
    sentences: dict[TermSpec, str] = {}
    for place, place_hits in hits.items():
        for hit in place_hits:
            sentences.setdefault(hit.term, _sentence(name, place, hit))
    return tuple(sentences.values())


def _sentence(name: str, place: str, hit: Hit) -> str:
    place_name = PLACES[place]
    if hit.written:
        pattern = (
            mark("%(place)s names %(written)s, a misspelling of %(term)s")
            if _LATIN.search(hit.written)
            else mark("%(place)s names %(written)s, %(term)s in another script")
        )
        return LazyMessage(pattern, place=place_name, written=hit.written, term=hit.spelling)
    if hit.term.kind in _RELATIONS:
        sentence = LazyMessage(
            _RELATIONS[hit.term.kind], place=place_name, term=hit.spelling, name=name.lower()
        )
    else:
        sentence = LazyMessage("%(place)s names %(term)s", place=place_name, term=hit.spelling)
    if place == "body" and hit.count >= _OFTEN:
        return LazyMessage("%(what)s, %(count)s times", what=sentence, count=hit.count)
    return sentence


def _why_not(name: str, hits: Mapping[str, Sequence[Hit]]) -> str:
    adding = _by_place(hits, ADDING)
    if not adding:
        return LazyMessage(
            "nothing in it names %(name)s, its target, its class or its trials", name=name.lower()
        )
    place, place_hits = next(iter(adding.items()))
    return LazyMessage(
        "%(place)s names %(term)s, which alone does not concern %(name)s",
        place=PLACES[place],
        term=place_hits[0].spelling,
        name=name.lower(),
    )
