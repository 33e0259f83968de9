"""Evaluation: labelled texts, what becomes of them, and the sets that lie beside the project."""

import json

import pytest

from notifier.enums import Tier
from notifier.errors import InputError
from notifier.match import evaluation, profiles
from notifier.match.evaluation import Measure
from notifier.match.judging import Document, judge_document
from notifier.match.score import Judgement, judge
from notifier.match.terms import Vocabulary
from tests.support.paths import SHARED

BUNDLED = profiles.parse(profiles.bundled_file(), "the bundled profile")
VOCABULARY = Vocabulary({1: profiles.term_specs(BUNDLED)})
SETS = SHARED / "corpora" / "relevance"


def judged(words: Document) -> Judgement:
    return judge_document(VOCABULARY, {1: BUNDLED.name}, words).get(1) or judge(BUNDLED.name, {})


def lines(*items: dict) -> str:
    return "\n".join(json.dumps(item) for item in items)


def test_a_confusion_matrix_and_its_measures():
    items = evaluation.read(
        lines(
            {"title": "Frexalimab", "label": "about"},
            {"title": "Roundup", "body": "One. Then frexalimab.", "label": "about"},
            {"title": "A CD40L antibody", "label": "related"},
            {"title": "Frexalimab in the garden", "label": "unrelated"},
            {"title": "Weather", "label": "none"},
            {"title": "Weather and more", "label": "mention"},
        ),
        "it",
    )
    found = evaluation.evaluate(items, judged)
    assert found.items == 6
    assert found.confusion["about"] == {"about": 1, "mention": 1, "related": 0, "none": 0}
    assert found.confusion["none"] == {"about": 1, "mention": 0, "related": 0, "none": 1}
    assert found.alert == Measure(precision=2 / 3, recall=2 / 3)
    assert found.tiers["related"] == Measure(1.0, 1.0)
    assert found.tiers["mention"] == Measure(0.0, 0.0)
    assert [(one.title, one.label, one.tier) for one in found.mistakes] == [
        ("Roundup", Tier.ABOUT, Tier.MENTION),
        ("Frexalimab in the garden", Tier.NONE, Tier.ABOUT),
        ("Weather and more", Tier.MENTION, Tier.NONE),
    ]


def test_where_nothing_is_there_nothing_is_measured():
    found = evaluation.evaluate([], judged)
    assert found.alert == Measure(None, None)
    assert found.confusion == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "line 1 is not JSON"), ("[]", "line 1 has no title"), ('{"label": "about"}', "line 1 has no title"),
     ('\n{"title": "x", "label": "great"}', "line 2 has the label 'great'"), ('{"title": "x"}', "the label None")],
)  # fmt: skip
def test_a_line_that_is_none_is_told_with_its_number(text: str, said: str):
    with pytest.raises(InputError, match=said):
        evaluation.read(text, "it.jsonl")


@pytest.mark.skipif(not SETS.is_dir(), reason="the labelled sets do not lie beside this checkout")
@pytest.mark.parametrize(
    ("name", "precision", "recall", "related"),
    [("dev", 1.0, 1.0, 0.9), ("synthetic", 0.97, 0.96, 0.9)],
)
def test_the_labelled_sets_are_told_apart(
    name: str, precision: float, recall: float, related: float
):
    items = evaluation.read((SETS / f"{name}.jsonl").read_text(encoding="utf-8"), name)
    found = evaluation.evaluate(items, judged)
    assert found.alert.precision >= precision
    assert found.alert.recall >= recall
    assert found.tiers["related"].recall >= related
    assert all(judged(item.document).reasons for item in items)
