"""Marks of retraction: publishers' labels in many languages, and no word inside a headline."""

import pytest

from notifier.watch.parsers.retraction import is_newly_marked, retraction_reason
from tests.support.effort import measured

TITLE = "Frexalimab and sleep in 89 people: a study"


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Retracted: {}", "retracted"),
        ("RETRACTED: {}", "retracted"),
        ("[Retracted] {}", "retracted"),
        ("(Retracted) {}", "retracted"),
        ("RETRACTED ARTICLE: {}", "retracted"),
        ("*Retracted* {}", "retracted"),
        ("Retracted Paper – {}", "retracted"),
        ("Retraction: {}", "retracted"),
        ("Retraction notice: {}", "retracted"),
        ("[Retracted and republished] {}", "retracted"),
        ("{} (retracted)", "retracted"),
        ("Withdrawn: {}", "withdrew"),
        ("WITHDRAWAL: {}", "withdrew"),
        ("[Withdrawal] {}", "withdrew"),
        ("Withdrawn article | {}", "withdrew"),
        ("REMOVED: {}", "withdrew"),
        ("TEMPORARY REMOVAL: {}", "withdrew"),
        ("Retraction note to: {}", "retracted"),
        ("Statement of retraction: {}", "retracted"),
        ("Notice of Retraction: {}", "retracted"),
        ("Notice of Retraction and Replacement: {}", "retracted"),
        ("Retraction to: {}", "retracted"),
        ("WITHDRAWN AS DUPLICATE: {}", "withdrew"),
        ("Notice of withdrawal: {}", "withdrew"),
        ("STORY WITHDRAWN: {}", "withdrew"),
        ("RETRACTED CHAPTER: {}", "retracted"),
        ("!! WITHDRAWN: {}", "withdrew"),
        ("[Retraktiert] {}", "retracted"),
        ("{} [Withdrawn]", "withdrew"),
        ("{} – RETRACTED", "retracted"),
        ("{} - WITHDRAWN ARTICLE", "withdrew"),
        ("Zurückgezogen: {}", "withdrew"),
        ("[Zurückgezogen] {}", "withdrew"),
        ("Zurückgezogener Artikel: {}", "withdrew"),
        ("Studie zurückgezogen: {}", "withdrew"),
        ("Widerrufen – {}", "retracted"),
        ("Rétracté : {}", "retracted"),
        ("Re\u0301tracte\u0301 : {}", "retracted"),
        ("Article rétracté\u00a0: {}", "retracted"),
        ("[Retiré] {}", "withdrew"),
        ("Artículo retractado: {}", "retracted"),
        ("Retirado: {}", "withdrew"),
        ("Ritrattato: {}", "retracted"),
        ("Articolo ritirato: {}", "withdrew"),
        ("Retratado: {}", "retracted"),
        ("Ingetrokken: {}", "withdrew"),
        ("Tillbakadragen: {}", "withdrew"),
        ("Trukket tilbake: {}", "withdrew"),
        ("Vedetty pois: {}", "withdrew"),
        ("Wycofano: {}", "withdrew"),
        ("Staženo: {}", "withdrew"),
        ("Geri çekildi: {}", "withdrew"),
        ("ОТОЗВАНО: {}", "withdrew"),
        ("Відкликано: {}", "withdrew"),
        ("【撤回】{}", "retracted"),
        ("[撤稿]{}", "retracted"),
        ("撤稿：{}", "retracted"),
        ("[철회] {}", "retracted"),
        ("Retracted", "retracted"),
        ("This article has been withdrawn.", "withdrew"),
        ("Dieser Artikel wurde zurückgezogen", "withdrew"),
        ("Cet article a été rétracté.", "withdrew"),
    ],
)
def test_a_publishers_mark_on_a_known_headline_withdraws_it(title: str, reason: str):
    marked = title.format(TITLE)
    assert reason in retraction_reason(marked)
    assert is_newly_marked(marked, (), TITLE, ())
    assert not is_newly_marked(marked, (), marked, ())


@pytest.mark.parametrize(
    "title",
    [
        "Retraction of consent is a right",
        "A withdrawn drug returns",
        "Drug withdrawn: what now?",
        "Concern grows over prices",
        "Frexalimab trial retracted its claim",
        "Withdrawal-associated relapses after frexalimab: what doctors saw",
        "Withdrawal: how to stop frexalimab",
        "Withdrawal of frexalimab: a review",
        "Retraction of a frexalimab paper, explained",
        "Retractions: a list",
        "Retracted papers on MS: a count",
        "Removed from the market: frexalimab",
        "Removal of lesions: a study",
        "Withdrawn-drug list",
        "Withdrawn drugs: frexalimab is not among them",
        "Rückzug der Firma: Frexalimab wird verkauft",
        "Zurückgezogene Anträge der Behörde",
        "Retrait du marché : frexalimab",
        "Expression of Concern: Frexalimab",
        "Application for frexalimab (withdrawn by the company)",
        "撤回した申請について",
        "Retractable needles: a test",
        "The application for frexalimab – withdrawn",
        "THE APPLICATION – withdrawn",
        "Study of withdrawn consent [comment]",
        "",
        "::",
        "[ ]",
    ],
)
def test_a_word_in_a_headline_is_not_a_mark(title: str):
    assert retraction_reason(title) == ""


@pytest.mark.parametrize(
    "title",
    [
        "Withdrawn: the story of a drug that nobody missed",
        "Retraction: what it means for patients",
        "Removed: all the old signs at the clinic",
        "Zurückgezogen: Warum die Firma aufgibt",
    ],
)
def test_another_headline_that_begins_with_such_a_word_is_no_mark_on_the_known_one(title: str):
    assert not is_newly_marked(title, (), TITLE, ())


@pytest.mark.parametrize(
    ("categories", "is_marked"),
    [
        (["Journal Article", "Retracted Publication"], True),
        (["retracted-article"], True),
        (["Withdrawn Article"], True),
        (["Withdrawn"], False),
        (["Retracted"], False),
        (["Withdrawal"], False),
        (["Retraction of Publication"], False),
        (["Expression of Concern"], False),
        (["Applications", "Withdrawn applications"], False),
        ([], False),
    ],
)
def test_a_publication_type_is_a_mark_and_another_category_is_not(
    categories: list[str], is_marked: bool
):
    assert bool(retraction_reason(TITLE, categories)) is is_marked
    assert is_newly_marked(TITLE, categories, TITLE, ["Journal Article"]) is is_marked


def test_a_hostile_headline_costs_no_time():
    for title in ("[" * 50_000, "retracted " * 20_000, "(retracted" * 9_000, "a-" * 90_000):
        with measured() as effort:
            is_newly_marked(title, (), title[::-1], ())
        assert effort.processor < 0.5


@pytest.mark.parametrize(
    ("earlier", "title"),
    [
        (
            "The firm withdraws its filing for frexalimab",
            "Withdrawn: the firm's filing for frexalimab",
        ),
        (
            "Zurückgezogen lebt sie mit Frexalimab in Lindau",
            "Zurückgezogen: Wie sie mit Frexalimab in Lindau lebt",
        ),
    ],
)
def test_a_headline_that_told_of_a_withdrawal_before_is_not_marked_by_new_words(
    earlier: str, title: str
):
    assert not is_newly_marked(title, (), earlier, ())
