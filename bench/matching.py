"""Measure how well and how fast texts are matched, compared with keyword alerts.

    python bench/matching.py [--rounds 5] [--profiles 1 100 1000 5000]
    python bench/matching.py FILE.jsonl ...

Without a file: the time for a growing number of profiles of 20 terms each, on the same texts, and
for 5,000 regular expressions, which must give the same answers.

Each file holds labelled texts, one JSON object per line: title, label, and optionally summary and
body. For each the confusion matrix is printed, then precision and recall of alerts by the bundled
profile and by three keyword alerts: the names in the title, the names in all text, and the names
and target words in all text.

Goals: precision and recall of alerts 1.00 and 1.00 on the labelled set (1.00 and 0.97 on the
made-up hard cases); 5,000 profiles take at most 2.5 times as long as one.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import Figure, alone, alternate, compared
from notifier.enums import TermKind, Tier
from notifier.match import evaluation, profiles
from notifier.match.evaluation import ALERTS, LabelledDocument
from notifier.match.judging import Document, judge_document
from notifier.match.names.spelling import normalize
from notifier.match.score import Judgement, judge
from notifier.match.terms import TermSpec, Vocabulary

PROFILE = profiles.parse(profiles.bundled_file(), "the bundled profile")
TERMS = profiles.term_specs(PROFILE)
NAMING = (TermKind.NAME, TermKind.CODE, TermKind.TRIAL)
TERMS_EACH, TEXTS, WORDS = 20, 40, 600
FEW_TEXTS = 4  # for the regular expressions, which take long


def keyword_alert(
    items: list[LabelledDocument], kinds: tuple[TermKind, ...], *, title_only: bool
) -> tuple[float, float]:
    """Return precision and recall of an alert on any spelling of the terms of these kinds."""
    spellings = [
        re.escape(text) for term in TERMS if term.kind in kinds for text in (term.text, *term.also)
    ]
    keyword = re.compile(rf"(?i)\b(?:{'|'.join(spellings)})\b")
    alerted, labelled = [], []
    for item in items:
        document = item.document
        all_text = f"{document.title} {document.summary} {document.body}"
        alerted.append(bool(keyword.search(document.title if title_only else all_text)))
        labelled.append(item.label in ALERTS)
    right = sum(a and b for a, b in zip(alerted, labelled, strict=True))
    return right / max(sum(alerted), 1), right / max(sum(labelled), 1)


def print_quality(path: Path) -> None:
    """Print the confusion matrix and the measures of one set of labelled texts."""
    items = evaluation.read(path.read_text(encoding="utf-8"), path.name)
    vocabulary = Vocabulary({1: TERMS})

    def judge_by_profile(document: Document) -> Judgement:
        judgements = judge_document(vocabulary, {1: PROFILE.name}, document)
        return judgements.get(1) or judge(PROFILE.name, {})

    result = evaluation.evaluate(items, judge_by_profile)
    header = "".join(f"{tier:>9}" for tier in Tier)
    print(f"\n{path.name}: {result.items} texts\n{'label':<10}{header}")
    for label, row in result.confusion.items():
        print(f"{label:<10}" + "".join(f"{row[tier]:>9}" for tier in Tier))
    print(f"{'alerts by':<34}{'precision':>10}{'recall':>8}")
    rows = {
        "notifier": (result.alert.precision, result.alert.recall),
        "names in the title": keyword_alert(items, NAMING, title_only=True),
        "names in all text": keyword_alert(items, NAMING, title_only=False),
        "names and target words in all text": keyword_alert(
            items, (*NAMING, TermKind.TARGET, TermKind.CLASS), title_only=False
        ),
    }
    for name, (precision, recall) in rows.items():
        print(f"{name:<34}{precision:>10.2f}{recall:>8.2f}")


def random_word(chance: random.Random) -> str:
    return "".join(
        chance.choice("bcdfglmnprstvz") + chance.choice("aeiou")
        for _ in range(chance.randint(2, 5))
    )


def random_terms(chance: random.Random) -> list[TermSpec]:
    """Return half terms of two words and half long words."""
    kinds = [TermKind.NAME, TermKind.CODE, TermKind.TARGET, TermKind.SPONSOR]
    separators = [" "] * (TERMS_EACH // 2) + [""] * (TERMS_EACH // 2)
    return [
        TermSpec(chance.choice(kinds), random_word(chance) + separator + random_word(chance))
        for separator in separators
    ]


def random_texts(chance: random.Random, terms: dict[int, list[TermSpec]]) -> list[str]:
    """Return texts of random words, each with one of the terms."""
    texts = []
    for _ in range(TEXTS):
        words = [random_word(chance) for _ in range(WORDS)]
        words[50] = chance.choice(terms[chance.randrange(len(terms))]).text
        texts.append(" ".join(words))
    return texts


def by_expressions(terms: dict[int, list[TermSpec]]) -> Callable[[list[str]], list[set[int]]]:
    """Return a search for the profiles of texts with a regular expression for each profile."""
    expressions = {
        key: re.compile(
            "|".join(f" {re.escape(normalize(spec.text).strip())}(?= )" for spec in own)
        )
        for key, own in terms.items()
    }

    def search(texts: list[str]) -> list[set[int]]:
        return [
            {key for key, each in expressions.items() if each.search(f" {normalize(text)} ")}
            for text in texts
        ]

    return search


def speed(counts: list[int], rounds: int) -> list[Figure]:
    """Measure the search for terms by the number of profiles, and beside regular expressions."""
    chance = random.Random(7)
    terms = {key: random_terms(chance) for key in range(max(counts))}
    texts = random_texts(chance, terms)
    vocabularies = {count: Vocabulary({k: terms[k] for k in range(count)}) for count in counts}
    search = by_expressions(terms)
    # A regular expression knows no misspellings: they are no part of the comparison.
    answers = [
        {key for key, hits in vocabularies[max(counts)].find(text).items()
         if not all(hit.written for hit in hits)}
        for text in texts[:FEW_TEXTS]
    ]  # fmt: skip
    assert answers == search(texts[:FEW_TEXTS]), "the same answers as a regex per profile"

    def milliseconds(work: Callable[[], object]) -> float:
        return figures.seconds(work) * 1000

    cases: dict[str, Callable[[], float]] = {
        f"{count}": lambda own=own: milliseconds(lambda: [own.find(text) for text in texts])
        for count, own in vocabularies.items()
    }
    cases["expressions"] = lambda: (
        milliseconds(lambda: search(texts[:FEW_TEXTS])) * TEXTS / FEW_TEXTS
    )
    return speed_figures(alternate(cases, rounds), counts)


def speed_figures(times: dict[str, list[float]], counts: list[int]) -> list[Figure]:
    """Return a figure for each number of profiles, and those with a goal."""
    least, most = min(counts), max(counts)
    many, unit = times[f"{most}"], f"{TEXTS} texts of {WORDS} words"
    return [
        compared(
            f"P5 {most:,} profiles of {TERMS_EACH} terms",
            many,
            times[f"{least}"],
            against="one profile" if least == 1 else f"{least} profiles",
            goal="ratio <= 2.5" if most >= 5_000 else "",
            unit="ms",
            note=unit,
        ),
        compared(
            f"A regular expression for each of {most:,} profiles",
            times["expressions"],
            many,
            against="notifier",
            unit="ms",
            note=f"Measured with {FEW_TEXTS} of the texts; the answers are the same.",
        ),
        *(
            alone(
                f"Terms of {count:,} profile{'s' * (count > 1)}",
                times[f"{count}"],
                unit="ms",
                at={"profiles": count},
            )
            for count in counts
        ),
    ]


def main() -> None:
    """Print figures, or the quality on labelled texts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profiles", type=int, nargs="+", default=[1, 100, 1_000, 5_000])
    options = parser.parse_args()
    for file in options.files:
        print_quality(file)
    if not options.files:
        figures.show(speed(options.profiles, options.rounds))


if __name__ == "__main__":
    main()
