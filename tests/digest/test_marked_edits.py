"""A correction shows the words that changed once, marked, and not the same for two parts."""

import pytest

from notifier.digest.changes import describe_changes
from notifier.digest.marked_edits import excerpt, marked
from notifier.enums import Edition, SourceKind
from notifier.i18n.catalog import language_of
from notifier.i18n.messages import LazyMessage
from notifier.render import Templates

HEADLINE = (
    "Madeupimab slows relapses by 41% in a year",
    "Madeupimab slows relapses by 37% in a year",
)
SENTENCE = (
    "It slowed relapses by 41% beside placebo.",
    "It slowed relapses by 37% beside placebo.",
)


def change(what: str, before: str, after: str, note: str = "") -> dict:
    return {"what": what, "before": before, "after": after, "note": note}


def described(
    *changes: dict, kind: SourceKind = SourceKind.FEED, code: str = "en"
) -> list[tuple[str, str]]:
    views = describe_changes(changes, kind, Edition.PATIENT, language_of(code), "en")
    return [(view.what, view.marked) for view in views]


def in_html(*changes: dict, kind: SourceKind = SourceKind.FEED, code: str = "en") -> str:
    views = describe_changes(changes, kind, Edition.PATIENT, language_of(code), "en")
    item = {
        "title": "t", "url": "u", "source": "s", "authority": "a", "published_on": None,
        "summary": "", "changes": views, "more_changes": 0, "details": (), "aside": "",
        "others": (), "more_others": 0, "reasons": ("r",),
    }  # fmt: skip
    return Templates().render("email/item.html.j2", {"item": item}, code)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param(*HEADLINE, "Madeupimab slows relapses by [41% → 37%] in a year", id="number"),
        pytest.param(
            "It is given as 1,240 mg once a month.",
            "It is given as 1,840 mg once a month.",
            "It is given as [1,240 mg → 1,840 mg] once a month.",
            id="number with its unit",
        ),
        pytest.param(
            "The panel of the trial has 47 members",
            "The panel of the trial has 49 members",
            "The panel of the trial has [47 members → 49 members]",
            id="number with a unit at the end",
        ),
        pytest.param(
            "It was given to 12, 14 and 16 people in all.",
            "It was given to 12, 15 and 16 people in all.",
            "It was given to 12, [14 → 15] and 16 people in all.",
            id="number before a word that counts nothing",
        ),
        pytest.param(
            "Madeupimab slowed it in 2019, said the trial.",
            "Madeupimab slowed it in 2021, said the trial.",
            "Madeupimab slowed it in [2019, → 2021,] said the trial.",
            id="number before a comma",
        ),
        pytest.param(
            "It did not harm the liver of 12 people.",
            "It did harm the liver of 12 people.",
            "It did [removed: “not”] harm the liver of 12 people.",
            id="word removed",
        ),
        pytest.param(
            "It did harm the liver of 12 people.",
            "It did not harm the liver of 12 people.",
            "It did [new: “not”] harm the liver of 12 people.",
            id="word added",
        ),
        pytest.param(
            "The trial will end", "Nobody knows anything", "was “The trial will end”, "
            "now “Nobody knows anything”", id="nothing in common",
        ),
        pytest.param(
            "薬は41%減", "薬は37%減", "was “薬は41%減”, now “薬は37%減”", id="no spaces"
        ),
        pytest.param("5 mg", "6 mg", "was “5 mg”, now “6 mg”", id="two words"),
        pytest.param("", "A new one.", "new: “A new one.”", id="sentence added"),
    ],
)  # fmt: skip
def test_the_changed_words_are_shown_once(before: str, after: str, shown: str):
    assert described(change("text", before, after)) == [("The text", shown)]


def test_the_numbers_that_the_marks_show_are_not_repeated_behind_them():
    (view,) = describe_changes(
        [change("text", *SENTENCE, "41% → 37%")],
        SourceKind.FEED,
        Edition.PATIENT,
        language_of("en"),
    )
    assert view.note == ""
    assert view.marked.count("41%") == view.marked.count("37%") == 1


def test_a_note_that_says_more_than_the_marks_stays():
    later = LazyMessage("section removed")
    changes = [{**change("Dose", "It is 5 mg a day.", "It is 6 mg a day."), "note": later}]
    (view,) = describe_changes(changes, SourceKind.PAGE, Edition.PATIENT, language_of("de"), "en")
    assert (view.what, view.note) == ("Abschnitt „Dose“", "Abschnitt entfernt")


def test_the_same_change_is_not_told_for_the_headline_and_for_the_text():
    assert described(change("headline", *HEADLINE), change("text", *SENTENCE)) == [
        ("The headline and the text", "Madeupimab slows relapses by [41% → 37%] in a year")
    ]


def test_what_only_the_text_changed_is_told_without_what_the_headline_told():
    other = ("Of 41% of 310 people it is unknown.", "Of 37% of 290 people it is unknown.")
    assert described(change("headline", *HEADLINE), change("text", *other)) == [
        ("The headline", "Madeupimab slows relapses by [41% → 37%] in a year"),
        ("The text", "Of 37% of [310 people → 290 people] it is unknown."),
    ]


def test_what_the_headline_told_is_not_where_a_text_is_cut():
    before = "It slowed relapses by 41% beside placebo in the trial of one year and of 310 people."
    after = before.replace("41%", "37%").replace("310", "290")
    _, text = described(change("headline", *HEADLINE), change("text", before, after))
    assert text[1] == "… in the trial of one year and of [310 people. → 290 people.]"


def test_a_negation_in_the_text_is_told_although_the_headline_lost_one_too():
    changes = (
        change("headline", "Madeupimab does not harm the liver", "Madeupimab does harm the liver"),
        change("text", "The liver was not harmed by it.", "The liver was harmed by it."),
    )
    assert [what for what, _ in described(*changes)] == ["The headline", "The text"]


def test_two_sections_with_the_same_change_are_both_told():
    changes = [
        change(name, f"{name} in 3 of 50 people.", f"{name} in 4 of 50 people.")
        for name in ("Headache", "Fever")
    ]
    assert len(described(*changes, kind=SourceKind.PAGE)) == 2


@pytest.mark.parametrize(
    ("code", "label"), [("en", "introduction"), ("de", "Einleitung"), ("es", "introducción")]
)
def test_what_stands_before_the_first_heading_has_a_name_in_the_readers_language(
    code: str, label: str
):
    edit = change("introduction", "It is given once in a month.", "It is given twice in a month.")
    ((what, _),) = described(edit, kind=SourceKind.PAGE, code=code)
    assert label in what
    assert f'<span lang="en">{label}' not in in_html(edit, kind=SourceKind.PAGE, code=code)


def test_the_html_marks_old_and_new_words_and_names_their_language():
    html = in_html(change("text", *SENTENCE), code="de")
    assert (
        '<strong>Der Text</strong>: <span lang="en">It slowed relapses by '
        "<del>41%</del> → <ins>37%</ins> beside placebo.</span>" in html
    )


def test_values_of_ours_are_in_the_readers_language_and_the_registrys_words_are_marked():
    html = in_html(
        change("Status", "Recruiting", "Terminated"),
        change("Why stopped", "", "Sponsor <decision>"),
        kind=SourceKind.REGISTRY,
        code="fr",
    )
    assert "était « Recrutement en cours », maintenant « Arrêté »" in html
    assert 'nouveau : « <span lang="en">Sponsor &lt;decision&gt;</span> »' in html


def test_markup_in_a_change_is_shown_as_text():
    html = in_html(change("text", "It is <b>5</b> mg a day.", "It is <i>6</i> mg a day."))
    assert "<del>&lt;b&gt;5&lt;/b&gt;</del> → <ins>&lt;i&gt;6&lt;/i&gt;</ins>" in html


def test_of_a_long_sentence_only_the_surroundings_of_an_edit_are_shown():
    words = [f"word{number}" for number in range(40)]
    after = [*words[:20], "other", *words[21:]]
    parts = excerpt(marked(" ".join(words), " ".join(after)))
    assert [part.text for part in parts] == [
        "… " + " ".join(words[12:20]),
        "",
        " ".join(words[21:29]) + " …",
    ]
    assert (parts[1].removed, parts[1].added) == ("word20", "other")


def test_where_a_text_was_cut_is_no_edit():
    before = "It was 41% in a year, as they said in the…"
    after = "It was 37% in a year, as they said in…"
    (text,) = (shown for _, shown in described(change("text", before, after)))
    assert text == "It was [41% → 37%] in a year, as they said …"


def test_a_change_of_ten_thousand_words_takes_no_time_and_little_room():
    before = " ".join(f"{number} and" for number in range(200))
    after = " ".join(f"{number + 1000} and" for number in range(200))
    ((_, shown),) = described(change("text", before, after))
    assert len(shown) < 1_000
