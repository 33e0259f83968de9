"""An edit that most entries of a document share is no correction; a real one among them is.

All texts are fictional.
"""

import json

import pytest
from sqlalchemy import Engine

from notifier.enums import HeldBecause, NewsKind
from notifier.store import db
from notifier.store.models import Entry, Source
from notifier.watch import entries
from notifier.watch.compare import edits, mass_edits
from notifier.watch.compare.diff import Difference, State, compare
from notifier.watch.parsers import clinicaltrials
from notifier.watch.parsers.observation import Observation
from tests.support.installation import MONDAY
from tests.watch.test_identity import LATER, a_source

TOWNS = ("Aldorf", "Bexheim", "Cullau", "Dreiburg", "Emslage", "Forstau", "Gelting", "Huglfing")
WHO = ("bakers", "singers", "divers", "weavers", "printers", "farmers", "clerks", "tailors")


def an_item(number: int, body: str = "", title: str = "") -> Observation:
    return Observation(
        guid=f"item-{number}",
        url=f"https://herald.example.org/{number}",
        title=title or f"Frexalimab and the {WHO[number]} of {TOWNS[number]}",
        body=body or a_text(number),
        published_at=MONDAY,
    )


def a_text(number: int) -> str:
    return (
        f"In {TOWNS[number]}, the {WHO[number]} heard of frexalimab from {number + 31} people.\n"
        f"Nearly all of the {WHO[number]} want to hear of it again next year."
    )


def judged(before: list[Observation], after: list[Observation]) -> list[Difference]:
    """Judge the entries that changed from one document to the next."""
    changed = [
        [State(title=one.title, text=one.body, content=one.content) for one in pair]
        for pair in zip(before, after, strict=True)
        if pair[0].hash != pair[1].hash
    ]
    return mass_edits.judged(changed, [compare(*pair) for pair in changed], len(after))


def news(found: list[Difference]) -> list[Difference]:
    return [one for one in found if one.material and not one.held_because]


def shown(difference: Difference) -> str:
    return " ".join(f"{change['before']} {change['after']}" for change in difference.changes)


THEMES = {
    "same sentence": lambda _, text: f"{text}\nThe Lindau Herald is a member of the Tern Press.",
    "sentence above": lambda _, text: f"Brought to you by Acme Media of Lindau since 1987.\n{text}",
    "numbers of their own": lambda n, text: f"{text}\nRead by {n + 40} people of Lindau today.",
    "titles of their own": lambda n, text: (
        f"{text}\nAus dem Archiv von Lindau:\nTern Park opens {n + 2} gates\n{WHO[-n]} in Bonn"
    ),
    "a word for another": lambda _, text: text.replace("frexalimab", "Frexalimab (SAR441344)"),
    "country behind a town": lambda n, text: text.replace(
        f"In {TOWNS[n]},", f"In {TOWNS[n]} (DE),"
    ),
    "two at once": lambda _, text: f"Lindau Herald, page 4.\n{text}\nCall 0800 for Acme vouchers.",
}


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_of_all_entries_is_held(theme: str):
    change = THEMES[theme]
    before = [an_item(number) for number in range(6)]
    after = [an_item(number, change(number, a_text(number))) for number in range(6)]
    found = judged(before, after)
    assert len(found) == 6
    assert {one.held_because for one in found} == {HeldBecause.MASS_EDIT}
    assert all(one.material and one.changes for one in found)


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_that_goes_again_is_held(theme: str):
    change = THEMES[theme]
    after = [an_item(number) for number in range(6)]
    before = [an_item(number, change(number, a_text(number))) for number in range(6)]
    assert news(judged(before, after)) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_real_change_amid_a_theme_is_news_without_the_theme(theme: str):
    change = THEMES[theme]
    before = [an_item(number) for number in range(6)]
    right = a_text(2).replace("33 people", "83 people")
    after = [
        an_item(number, change(number, right if number == 2 else a_text(number)))
        for number in range(6)
    ]
    (only,) = news(judged(before, after))
    assert "83 people" in shown(only)
    assert not any(word in shown(only) for word in ("Herald", "Acme", "Archiv", "Read by"))


@pytest.mark.parametrize(
    "correction",
    [
        "The {} do not want to hear of it again.",
        "Nearly all of the {} want to hear of it again next year. Two of them died.",
        "Correction: the {} were 12.",
    ],
)
def test_a_correction_below_a_theme_is_news(correction: str):
    before = [an_item(number) for number in range(6)]
    theme = "\nThe Lindau Herald is a member of the Tern Press."
    after = [an_item(number, a_text(number) + theme) for number in range(6)]
    after[4] = an_item(4, f"{a_text(4)}{theme}\n{correction.format(WHO[4])}")
    (only,) = news(judged(before, after))
    assert any(word in shown(only) for word in ("not", "died", "12"))


@pytest.mark.parametrize(
    "headline",
    ["{} | Acme Times", "{} – Acme Times", "Acme Times: {}", "{} (Acme wire)", "★ {} / Acme"],
)
def test_a_name_that_all_headlines_get_is_no_correction(headline: str):
    before = [an_item(number) for number in range(5)]
    after = [an_item(number, title=headline.format(before[number].title)) for number in range(5)]
    assert news(judged(before, after)) == []


def test_a_headline_put_right_while_all_get_a_name_is_news():
    before = [an_item(number) for number in range(6)]
    titles = [item.title for item in before]
    titles[1] = "Frexalimab harms the singers of Bexheim"
    after = [an_item(number, title=f"{titles[number]} / Acme wire") for number in range(6)]
    (only,) = news(judged(before, after))
    assert "harms the singers" in shown(only)


@pytest.mark.parametrize(
    ("listed", "changed", "told"),
    [(4, 4, 4), (5, 5, 0), (10, 5, 5), (10, 6, 0), (8, 4, 4)],
)
def test_at_least_five_entries_and_more_than_half_make_a_mass_edit(
    listed: int, changed: int, told: int
):
    items = [
        Observation(
            guid=f"g{number}", url="", title=f"Title of {number}", body=f"Text of {number}."
        )
        for number in range(listed)
    ]
    themed = [
        Observation(
            guid=f"g{number}", url="", title=f"Title of {number}",
            body=f"Text of {number}.\nMade by Acme of Lindau.",
        )
        if number < changed
        else items[number]
        for number in range(listed)
    ]  # fmt: skip
    assert len(news(judged(items, themed))) == told


def test_corrections_of_their_own_in_most_entries_are_all_news():
    before = [an_item(number) for number in range(6)]
    after = [
        an_item(number, a_text(number).replace(f"{number + 31} people", f"{word} died in May"))
        for number, word in enumerate(("12", "no man", "Acme staff", "5 of 9", "half", "Dr. Roe"))
    ]
    assert len(news(judged(before, after))) == 6


def a_trial(number: int, status: str = "RECRUITING", sponsor: str = "Acme", town: str = "Lindau"):
    record = {
        "protocolSection": {
            "identificationModule": {
                "nctId": f"NCT9998000{number}", "briefTitle": f"Trial {number}"
            },
            "statusModule": {"overallStatus": status},
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": sponsor}},
            "contactsLocationsModule": {
                "locations": [{"facility": f"Clinic {number}", "city": town, "country": "Germany"}]
            },
        }
    }  # fmt: skip
    url = f"https://clinicaltrials.gov/api/v2/studies/NCT9998000{number}"
    (found,) = clinicaltrials.parse(json.dumps(record).encode(), {}, url).observations
    return found


def test_a_sponsor_that_a_registry_renames_in_all_trials_is_held():
    before = [a_trial(number) for number in range(6)]
    after = [a_trial(number, sponsor="Acme Holding of Lindau") for number in range(6)]
    found = judged(before, after)
    assert len(found) == 6
    assert news(found) == []


def test_trials_that_all_end_on_one_day_are_news():
    before = [a_trial(number) for number in range(6)]
    after = [a_trial(number, status="TERMINATED", sponsor="Acme Holding") for number in range(6)]
    found = news(judged(before, after))
    assert len(found) == 6
    assert all([change["what"] for change in one.changes] == ["Status"] for one in found)


def test_a_held_edit_is_stored_with_its_reason_and_is_no_correction(engine: Engine):
    theme = "\nThe Lindau Herald is a member of the Tern Press."
    with db.writing(engine) as session:
        entries.store(session, a_source(session), [an_item(number) for number in range(6)], MONDAY)
    document = [an_item(number, a_text(number) + theme) for number in range(6)]
    document[3] = an_item(3, a_text(3).replace("34 people", "84 people") + theme)
    with db.reading(engine) as session:
        plan = edits.plan(session, session.query(Source).one(), document)
    plan.compare()
    with db.writing(engine) as session:
        entries.store_part(session, a_source(session), plan.parts[0], plan.differences, LATER)
    with db.reading(engine) as session:
        newest = [entry.revisions[-1] for entry in session.query(Entry).order_by(Entry.id)]
        assert [one.held_because for one in newest] == [
            *["mass_edit"] * 3, "", *["mass_edit"] * 2
        ]  # fmt: skip
        assert all(one.material and one.kind is NewsKind.CORRECTED for one in newest)
