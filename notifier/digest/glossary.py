"""The explanation of medical terms that a patient may not know, one plain sentence each.

Owns the spellings of each term, in the languages that sources write, and its explanation. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark
from notifier.text.cleaning import shorten
from notifier.text.languages import foreign

# How many terms a digest explains, and the most characters of a term as it is shown. Chosen by
# hand; not measured.
_MOST, _LONGEST = 4, 60


@dataclass(frozen=True)
class Explained:
    """A term as the digest spells it, and its explanation."""

    word: str
    meaning: str


# A regular expression for a term's spellings (whole words, upper or lower case but where only one
# of them is the term: the NFL and 24 hr are others), and its explanation.
_TERMS = (
    (r"placebos?", mark("a copy of the treatment without the drug in it, to compare with")),
    (r"open[- ]label|offen\w* Verlängerungs\w*", mark("everybody knows which treatment is given")),
    (r"double[- ]blind|doppelblind\w*|double insu|doble ciego",
     mark("neither the people in the trial nor their doctors know who gets which treatment")),
    (r"randomi[sz]ed|randomisiert\w*|randomisée?s?|aleatorizad[oa]s?",
     mark("chance decides who gets which treatment")),
    (r"phase[- ]?(?:1|I)(?:[ab])?\b(?!I)", mark("a first test in few people, mainly of safety")),
    (r"phase[- ]?(?:2|II)(?:[ab])?\b(?!I)",
     mark("a test in some hundred people: does it work, in which dose?")),
    (r"phase[- ]?(?:3|III)(?:[ab])?\b",
     mark("a large test, the last one before approval is asked for")),
    ((r"primary (?:endpoints?|outcomes?)|primäre\w* Endpunkt\w*|critères? princip\w+"
      r"|criterios? principal\w*"),
     mark("what a trial is mainly meant to find out, fixed before it starts")),
    (r"lesions?|läsion\w*|lésions?|lesi(?:ón|ones)",
     mark("a damaged spot in the brain or spinal cord")),
    (r"relapses?|relapsing|schüb\w*|poussées?|brotes?",
     mark("new or worse symptoms that last at least a day")),
    (r"SPMS|secondary progressive",
     mark("the form of MS that gets steadily worse after years with relapses")),
    (r"PPMS|primary progressive", mark("the form of MS that gets steadily worse from the start")),
    (r"RRMS|relapsing[- ]remitting", mark("the form of MS with relapses and recovery in between")),
    (r"EDSS", mark("a scale of disability in MS from 0 (none) to 10")),
    (r"biomarkers?|biomarqueurs?|biomarcador\w*",
     mark("what can be measured in the body to see how an illness goes")),
    (r"neurofilaments?|(?-i:[sp]?NfL)",
     mark("a protein that damaged nerves set free into the blood")),
    (r"monoclonal|monoklonal\w*", mark("an antibody made to fit one target only")),
    (r"CD40L|CD40 ligand|CD154", mark("a signal on immune cells by which they wake each other")),
    (r"subcutaneous\w*|subkutan\w*|sous-cutanée?s?|subcutáne[oa]s?",
     mark("injected under the skin")),
    (r"intravenous\w*|intravenös\w*|intraveineu\w+|intravenos[oa]s?", mark("given into a vein")),
    ((r"adverse events?|unerwünschte\w* Ereignis\w*|événements? indésirables?"
      r"|acontecimientos? adversos?"),
     mark("anything unwanted that happens during a trial, caused by the drug or not")),
    (r"hazard ratios?|(?-i:HR)(?=[ :=,]{1,3}(?:of )?\d)",
     mark("below 1: it happened less often with the treatment; above 1: more often")),
    (r"orphan drug", mark("a drug for a rare disease, whose makers get help with its development")),
    (r"immunogenicity|anti-drug antibod\w+",
     mark("whether the body makes antibodies against the drug")),
)  # fmt: skip
_COMPILED = [
    (re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE), meaning)
    for pattern, meaning in _TERMS
]


def explain(texts: Iterable[str], language: Language) -> tuple[Explained, ...]:
    """Explain the first terms that occur in these texts, at most four, in their order."""
    read = list(texts)
    explained = []
    for pattern, meaning in _COMPILED:
        for place, text in enumerate(read):
            if match := pattern.search(text):
                word = shorten(match.group(), _LONGEST)
                word = foreign(word, getattr(text, "lang", language.code), language.code)
                term = Explained(word, language.gettext(meaning))
                explained.append((place, match.start(), term))
                break
    explained.sort(key=lambda placed: placed[:2])
    return tuple(term for *_, term in explained[:_MOST])
