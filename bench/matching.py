"""How well and how fast texts are matched, beside what a user would take instead.

    python bench/matching.py FILE.jsonl…        labelled texts: title, label, and optionally summary
    and body

First the confusion matrix, precision and recall of alerts for the bundled profile, and the same for
three keyword alerts: the names in the title, the names in all text, and those with the target's
words. Then the cost of 5,000 profiles of 20 terms in ratio to one, with the same texts, and of a
regular expression for each profile.

Goals: alert precision and recall 1.00 and 1.00 (0.97 on made-up hard cases); 5,000 profiles at most
2.5 times one.
"""

import random
import re
import statistics
import sys
import time
from pathlib import Path

from notifier.enums import TermKind, Tier
from notifier.match import evaluation, profiles
from notifier.match.evaluation import ALERTS, LabelledDocument
from notifier.match.judging import Document, judge_document
from notifier.match.score import judge
from notifier.match.spelling import normalize
from notifier.match.terms import TermSpec, Vocabulary

PROFILE = profiles.parse(profiles.bundled_file(), "the bundled profile")
TERMS = profiles.term_specs(PROFILE)
NAMING = (TermKind.NAME, TermKind.CODE, TermKind.TRIAL)
PROFILES, TERMS_EACH, TEXTS, WORDS = 5000, 20, 40, 600


def keyword_alert(
    items: list[LabelledDocument], kinds: tuple[TermKind, ...], *, title_only: bool
) -> tuple[float, float]:
    """Precision and recall of an alert that fires wherever one of the terms' spellings stands."""
    spellings = [
        re.escape(text) for term in TERMS if term.kind in kinds for text in (term.text, *term.also)
    ]
    found = re.compile(rf"(?i)\b(?:{'|'.join(spellings)})\b")
    fired, wanted = [], []
    for item in items:
        words = item.document
        text = words.title if title_only else f"{words.title} {words.summary} {words.body}"
        fired.append(bool(found.search(text)))
        wanted.append(item.label in ALERTS)
    right = sum(a and b for a, b in zip(fired, wanted, strict=True))
    return right / max(sum(fired), 1), right / max(sum(wanted), 1)


def quality(path: Path) -> None:
    """Print how one set of labelled texts is told apart."""
    items = evaluation.read(path.read_text(encoding="utf-8"), path.name)
    vocabulary = Vocabulary({1: TERMS})

    def judged(document: Document) -> object:
        return judge_document(vocabulary, {1: PROFILE.name}, words).get(1) or judge(
            PROFILE.name, {}
        )

    found = evaluation.evaluate(items, judged)
    print(
        f"\n{path.name}: {found.items} texts\n{'label':<10}"
        + "".join(f"{tier:>9}" for tier in Tier)
    )
    for label, row in found.confusion.items():
        print(f"{label:<10}" + "".join(f"{row[tier]:>9}" for tier in Tier))
    print(f"{'alerts by':<34}{'precision':>10}{'recall':>8}")
    rows = {
        "notifier": (found.alert.precision, found.alert.recall),
        "names in the title": keyword_alert(items, NAMING, title_only=True),
        "names in all text": keyword_alert(items, NAMING, title_only=False),
        "names and target words in all text": keyword_alert(
            items, (*NAMING, TermKind.TARGET, TermKind.CLASS), title_only=False
        ),
    }
    for name, (precision, recall) in rows.items():
        print(f"{name:<34}{precision:>10.2f}{recall:>8.2f}")


def word(chance: random.Random) -> str:
    """A made-up word."""
    return "".join(
        chance.choice("bcdfglmnprstvz") + chance.choice("aeiou")
        for _ in range(chance.randint(2, 5))
    )


def seconds(work: object) -> float:
    """The median of five runs."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def speed() -> None:
    """Print what many profiles cost in ratio to one."""
    chance = random.Random(7)
    kinds = [TermKind.NAME, TermKind.CODE, TermKind.TARGET, TermKind.SPONSOR]
    made = {
        key: [
            TermSpec(chance.choice(kinds), f"{word(chance)} {word(chance)}")
            for _ in range(TERMS_EACH // 2)
        ]
        + [
            TermSpec(chance.choice(kinds), word(chance) + word(chance))
            for _ in range(TERMS_EACH // 2)
        ]
        for key in range(PROFILES)
    }
    texts = []
    for _ in range(TEXTS):
        parts = [word(chance) for _ in range(WORDS)]
        parts[50] = chance.choice(made[chance.randrange(PROFILES)]).text
        texts.append(" ".join(parts))
    one, many = Vocabulary({0: made[0]}), Vocabulary(made)
    expressions = {
        key: re.compile("|".join(f" {re.escape(spec.text)}(?= )" for spec in specs))
        for key, specs in made.items()
    }
    single = seconds(lambda: [one.find(text) for text in texts])
    all_of_them = seconds(lambda: [many.find(text) for text in texts])
    began = time.perf_counter()
    for text in texts[:4]:
        laid_out = normalize(text)
        for expression in expressions.values():
            expression.search(laid_out)
    each = (time.perf_counter() - began) * TEXTS / 4
    print(f"\n{TEXTS} texts of {WORDS} words: one profile {single * 1000:.0f} ms")
    print(f"{PROFILES} profiles of {TERMS_EACH} terms: {all_of_them / single:.2f} x one profile")
    print(f"a regular expression for each of them: {each / all_of_them:.0f} x that")


def main() -> None:
    """Measure what is named, and the speed."""
    for name in sys.argv[1:]:
        quality(Path(name))
    speed()


if __name__ == "__main__":
    main()
