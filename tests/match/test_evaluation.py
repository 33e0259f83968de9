"""Evaluation: labelled texts are counted by label and tier, and the labelled sets stay right."""

import json
from pathlib import Path

import pytest

from notifier.enums import Tier
from notifier.errors import InputError
from notifier.match import evaluation
from notifier.match.evaluation import LabelledDocument, Measure
from tests.support.matching import CORPORA, SAMPLES, judge_by_bundled, needs_corpora


def lines(*items: dict) -> str:
    return "\n".join(json.dumps(item) for item in items)


def read(folder: Path, name: str) -> list[LabelledDocument]:
    return evaluation.read((folder / f"{name}.jsonl").read_text(encoding="utf-8"), name)


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
        "a test",
    )
    result = evaluation.evaluate(items, judge_by_bundled)
    assert result.items == 6
    assert result.confusion["about"] == {"about": 1, "mention": 1, "related": 0, "none": 0}
    assert result.confusion["none"] == {"about": 1, "mention": 0, "related": 0, "none": 1}
    assert result.alert == Measure(precision=2 / 3, recall=2 / 3)
    assert result.tiers["related"] == Measure(1.0, 1.0)
    assert result.tiers["mention"] == Measure(0.0, 0.0)
    assert [(mistake.title, mistake.label, mistake.tier) for mistake in result.mistakes] == [
        ("Roundup", Tier.ABOUT, Tier.MENTION),
        ("Frexalimab in the garden", Tier.NONE, Tier.ABOUT),
        ("Weather and more", Tier.MENTION, Tier.NONE),
    ]


def test_without_texts_nothing_is_measured():
    result = evaluation.evaluate([], judge_by_bundled)
    assert result.alert == Measure(None, None)
    assert result.confusion == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 has no title"),
        ('{"label": "about"}', "line 1 has no title"),
        ('\n{"title": "x", "label": "great"}', "line 2 has the label 'great'"),
        ('{"title": "x"}', "the label None"),
    ],
)
def test_a_line_that_is_not_a_labelled_text_is_refused_with_its_number(text: str, problem: str):
    with pytest.raises(InputError, match=problem):
        evaluation.read(text, "wrong.jsonl")


def test_each_text_of_the_made_up_sample_gets_the_tier_of_its_label():
    result = evaluation.evaluate(read(SAMPLES, "labelled"), judge_by_bundled)
    assert result.mistakes == ()
    assert result.alert == Measure(1.0, 1.0)
    assert {label: sum(row.values()) for label, row in result.confusion.items()} == {
        "about": 20,
        "mention": 5,
        "related": 9,
        "none": 18,
    }


def test_each_hard_case_but_one_gets_the_tier_of_its_label():
    result = evaluation.evaluate(read(SAMPLES, "hard_cases"), judge_by_bundled)
    assert result.items == 36
    assert [(mistake.title, mistake.label, mistake.tier) for mistake in result.mistakes] == [
        # The matcher does not understand negation.
        ("Not frexalimab: why this study tests another antibody", Tier.MENTION, Tier.ABOUT)
    ]


@pytest.mark.parametrize("name", ["labelled", "hard_cases"])
def test_each_text_of_the_samples_gets_a_reason(name: str):
    assert all(judge_by_bundled(item.document).reasons for item in read(SAMPLES, name))


@needs_corpora
@pytest.mark.parametrize(
    ("name", "precision", "recall", "related"),
    [("dev", 1.0, 1.0, 0.9), ("synthetic", 0.97, 0.96, 0.9)],
)
def test_the_labelled_sets_keep_their_precision_and_recall(
    name: str, precision: float, recall: float, related: float
):
    items = read(CORPORA, name)
    result = evaluation.evaluate(items, judge_by_bundled)
    assert result.alert.precision >= precision
    assert result.alert.recall >= recall
    assert result.tiers["related"].recall >= related
    assert all(judge_by_bundled(item.document).reasons for item in items)
