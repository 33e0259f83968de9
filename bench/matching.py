"""Measure how well and how fast texts are matched, compared with keyword alerts.

    python bench/matching.py [FILE.jsonl ...]

Each file holds labelled texts, one JSON object per line: title, label, and optionally summary and
body. For each it prints the confusion matrix, then precision and recall of alerts by the bundled
profile and by three keyword alerts: the names in the title, the names in all text, and the names
and target words in all text. Then it prints the time for 5,000 profiles of 20 terms as a multiple
of the time for one, on the same texts, and the time for a regular expression per profile.

Goals: precision and recall of alerts 1.00 and 1.00 on the labelled set (1.00 and 0.97 on the
made-up hard cases); 5,000 profiles take at most 2.5 times as long as one.
"""

import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

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
PROFILES, TERMS_EACH, TEXTS, WORDS = 5000, 20, 40, 600


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


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of five runs."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def print_speed() -> None:
    """Print the time for many profiles as a multiple of the time for one."""
    chance = random.Random(7)
    terms = {key: random_terms(chance) for key in range(PROFILES)}
    texts = []
    for _ in range(TEXTS):
        words = [random_word(chance) for _ in range(WORDS)]
        words[50] = chance.choice(terms[chance.randrange(PROFILES)]).text
        texts.append(" ".join(words))
    single, many = Vocabulary({0: terms[0]}), Vocabulary(terms)
    expressions = [
        re.compile("|".join(f" {re.escape(spec.text)}(?= )" for spec in specs))
        for specs in terms.values()
    ]
    single_seconds = median_seconds(lambda: [single.find(text) for text in texts])
    many_seconds = median_seconds(lambda: [many.find(text) for text in texts])
    began = time.perf_counter()
    for text in texts[:4]:
        normalized = normalize(text)
        for expression in expressions:
            expression.search(normalized)
    expression_seconds = (time.perf_counter() - began) * TEXTS / 4
    print(f"\n{TEXTS} texts of {WORDS} words: one profile {single_seconds * 1000:.0f} ms")
    ratio = many_seconds / single_seconds
    print(f"{PROFILES} profiles of {TERMS_EACH} terms: {ratio:.2f} x one profile")
    ratio = expression_seconds / many_seconds
    print(f"a regular expression for each of them: {ratio:.0f} x that")


def main() -> None:
    for name in sys.argv[1:]:
        print_quality(Path(name))
    print_speed()


if __name__ == "__main__":
    main()
