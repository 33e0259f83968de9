"""Judging by the bundled profile, and the sets of labelled texts.

The made-up samples in `tests/data/matching/` are always there; the larger sets of real headlines
lie beside a developer's checkout and may be absent.
"""

import json
from pathlib import Path

import pytest

from notifier.match import profiles
from notifier.match.judging import Document, judge_document
from notifier.match.score import Judgement, judge
from notifier.match.terms import Vocabulary
from tests.support.paths import DATA, SHARED

BUNDLED = profiles.parse(profiles.bundled_file(), "the bundled profile")
VOCABULARY = Vocabulary({1: profiles.term_specs(BUNDLED)})

SAMPLES = DATA / "matching"
CORPORA = SHARED / "corpora" / "relevance"
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the sets of real headlines are not beside this checkout"
)


def judge_by_bundled(document: Document) -> Judgement:
    judgements = judge_document(VOCABULARY, {1: BUNDLED.name}, document)
    return judgements.get(1) or judge(BUNDLED.name, {})


def judge_text(
    title: str = "", summary: str = "", body: str = "", categories: str = ""
) -> Judgement:
    return judge_by_bundled(Document(title, summary, body, categories))


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
