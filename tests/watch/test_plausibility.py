"""Documents that are doubted: what lacks most, what shows something else, what is cut off."""

import pytest

from notifier import trial_fields
from notifier.trial_fields import FieldForm
from notifier.watch.plausibility import State, doubt, lists_too_few

TITLE = "Frexalimab explained by the Example Clinic"
SECTIONS = [
    {
        "heading": "How it works",
        "blocks": [
            "Frexalimab is an antibody that blocks a signal between immune cells.",
            "Doctors of the Example Clinic give it as an infusion of 1,200 mg every four weeks.",
        ],
    },
    {
        "heading": "Side effects",
        "blocks": [
            "Most people who had frexalimab for a year told of tiredness or headache.",
            "one in nine had a cold",
        ],
    },
    {
        "heading": "Trials",
        "blocks": ["Two late trials in multiple sclerosis are under way in about 2,500 people."],
    },
    {
        "heading": "What comes next",
        "blocks": ["The first results of both trials are awaited in 2028, the clinic says."],
    },
]


def page(sections: list, title: str = TITLE, **values) -> State:
    return State(title, {"sections": sections}, **values)


KNOWN = page(SECTIONS, whole=True)


def text(*blocks: str, heading: str = "") -> list:
    return [{"heading": heading, "blocks": list(blocks)}]


def edited(was: str, becomes: str) -> list:
    return [
        {
            "heading": section["heading"].replace(was, becomes),
            "blocks": [block.replace(was, becomes) for block in section["blocks"]],
        }
        for section in SECTIONS
    ]


BELIEVED = {
    "the same": SECTIONS,
    "another dose": edited("1,200 mg", "1,800 mg"),
    "another drug's name throughout": edited("rexalimab", "rexalimab (SAR441344)"),
    "a section less": SECTIONS[1:],
    "half of the sections": SECTIONS[:2],
    "a section more": [*SECTIONS, *text("Newly approved in one country.", heading="News")],
    "another order": SECTIONS[::-1],
    "without its headings": text(*(block for part in SECTIONS for block in part["blocks"])),
    "other headings": [
        {"heading": f"Part {number}", "blocks": section["blocks"]}
        for number, section in enumerate(SECTIONS)
    ],
}


@pytest.mark.parametrize("name", BELIEVED)
def test_an_edit_of_a_page_is_believed(name: str):
    assert doubt(KNOWN, page(BELIEVED[name])) is None


DOUBTED = {
    "one section left": SECTIONS[:1],
    "a wholly new text about the same": text(
        "The development of frexalimab was given up.",
        "Both trials in people with multiple sclerosis were ended by the sponsor.",
    ),
    "only the start of a section": text("Frexalimab is an antibody for multiple sclerosis."),
}


@pytest.mark.parametrize("name", DOUBTED)
def test_a_page_that_lacks_most_waits_for_a_second_look(name: str):
    found = doubt(KNOWN, page(DOUBTED[name]))
    assert found is not None
    assert (found.is_other, len(found.hash)) == (False, 64)


def test_a_second_look_says_the_same_if_it_lacks_the_same():
    first = doubt(KNOWN, page([*SECTIONS[:1], *text("Tip of the day: rest often.")]))
    second = doubt(KNOWN, page([*SECTIONS[:1], *text("Tip of the day: drink water.")]))
    other = doubt(KNOWN, page(SECTIONS[1:2]))
    assert first is not None
    assert second is not None
    assert other is not None
    assert first.hash == second.hash != other.hash


OTHER = {
    "a check in no known words": ("Hold on", "Our gate examines whoever arrives by bicycle."),
    "a host's name as headline": ("clinic.example.org", "Gates open when whistles have blown."),
    "in Finnish": ("Hetkinen", "Selaimesi tarkistetaan ennen kuin sivu avautuu."),
    "in Hungarian": ("Karbantartás", "Hamarosan visszatérünk, köszönjük a türelmet."),
    "in Greek": ("Συντήρηση", "Η ιστοσελίδα βρίσκεται σε συντήρηση, επιστρέφουμε σύντομα."),
    "in Chinese": ("提示", "网站暂时无法访问，请稍后再试。"),
    "a new owner of the domain": ("Roulette and slots", "Play now and win a bonus of 500 coins."),
    "the clinic's front page": (
        "Welcome to the town of Example",
        "Opening hours, parking, and how to reach us by tram.",
    ),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_page_about_something_else_is_never_believed(name: str):
    title, block = OTHER[name]
    found = doubt(KNOWN, page(text(block), title))
    assert found is not None
    assert found.is_other


@pytest.mark.parametrize("sections", [SECTIONS, SECTIONS[1:]], ids=["all", "most"])
def test_a_sign_is_no_evidence_while_most_of_the_page_is_there(sections: list):
    assert doubt(KNOWN, page(sections, sign="the address answered with a log-in page")) is None


def test_a_sign_and_a_lost_text_are_evidence_together():
    found = doubt(
        KNOWN, page(text("Log in to read about frexalimab trials."), sign="a log-in page")
    )
    assert found is not None
    assert (found.reason, found.is_other) == ("a log-in page", True)


def cut(sections: int, block: str = "") -> list:
    kept = [dict(section) for section in SECTIONS[:sections]]
    return [*kept, *text(block, heading=SECTIONS[sections]["heading"])] if block else kept


@pytest.mark.parametrize(
    "sections",
    [
        cut(3, "The first results of both tri"),
        cut(1, "Most people who had frexa"),
        cut(0, "Frexal"),
    ],
    ids=["at the end", "in the middle", "at the beginning"],
)
def test_a_page_that_ends_in_a_sentence_is_cut_off(sections: list):
    found = doubt(KNOWN, page(sections, whole=False))
    assert found is not None
    assert (found.reason, found.is_other) == ("the page ends in the middle of its text", True)


def test_a_page_that_lost_its_end_and_its_last_section_is_cut_off():
    found = doubt(KNOWN, page(cut(3), whole=False))
    assert found is not None
    assert found.is_other


def test_a_page_that_never_has_an_end_may_lose_its_last_section():
    found = doubt(page(SECTIONS, whole=False), page(cut(3), whole=False))
    assert found is not None
    assert not found.is_other


@pytest.mark.parametrize(
    "sections",
    [SECTIONS, edited("1,200 mg", "1,800 mg"), [*SECTIONS, *text("Another part of the text.")]],
    ids=["the same", "another dose", "longer"],
)
def test_a_page_without_an_end_is_believed_if_its_last_words_are_there(sections: list):
    assert doubt(page(SECTIONS, whole=False), page(sections, whole=False)) is None


def test_a_shortened_last_sentence_of_a_whole_page_is_believed():
    shorter = edited(", the clinic says.", "")
    assert doubt(KNOWN, page(shorter, whole=True)) is None


def test_a_tiny_page_is_never_taken_for_something_else():
    found = doubt(
        page(text("The dose is 1,200 mg."), "Dose"), page(text("A trial ended."), "Trial")
    )
    assert found is not None
    assert not found.is_other


def test_a_page_in_japanese_is_compared_too():
    known = page(
        [
            {"heading": "作用", "blocks": ["この抗体は免疫細胞の間の信号を遮断する。"]},
            {"heading": "副作用", "blocks": ["多くの人が疲労や頭痛を訴えた。"]},
            {"heading": "試験", "blocks": ["多発性硬化症の後期試験が二つ行われている。"]},
        ],
        "フレキサリマブの解説",
    )
    assert doubt(known, page(known.content["sections"][:2], known.title)) is None
    found = doubt(known, page(text("ただいま混み合っております。"), "お知らせ"))
    assert found is not None
    assert found.is_other


RECORD = {
    "trial": "NCT00000001",
    "fields": {
        field.name: "yes" if field.form is FieldForm.YES_NO else "a value"
        for field in trial_fields.TRIAL_FIELDS
        if not field.is_list
    },
    "lists": {field.name: ["an item"] for field in trial_fields.TRIAL_FIELDS if field.is_list},
}


def record(*without: str) -> State:
    fields = {name: value for name, value in RECORD["fields"].items() if name not in without}
    lists = {name: [] if name in without else value for name, value in RECORD["lists"].items()}
    return State("A trial", {"trial": RECORD["trial"], "fields": fields, "lists": lists})


@pytest.mark.parametrize(
    "without",
    [
        (),
        ("Why stopped",),
        ("Start", "Completion"),
        ("Countries", "Sites", "Contacts"),
        ("Participants", "Phase"),
        ("Secondary outcomes",),
    ],
    ids=" ".join,
)
def test_a_record_that_loses_a_field_or_a_module_is_believed(without: tuple[str, ...]):
    assert doubt(record(), record(*without)) is None


@pytest.mark.parametrize(
    "without",
    [
        ("Countries", "Sites", "Contacts", "Participants", "Phase", "Sponsor", "Conditions"),
        ("Sponsor", "Conditions"),
        ("Arms", "Primary outcomes", "Secondary outcomes"),
    ],
    ids=" ".join,
)
def test_a_record_that_loses_several_modules_waits_for_a_second_look(without: tuple[str, ...]):
    found = doubt(record(), record(*without))
    assert found is not None
    assert not found.is_other
    assert found == doubt(record(), record(*without))


def test_a_record_that_gets_its_modules_back_is_believed():
    assert doubt(record("Sponsor", "Conditions", "Arms"), record()) is None


def test_articles_of_feeds_are_not_judged_here():
    assert doubt(State("A", {}), State("B", {})) is None


@pytest.mark.parametrize(
    ("listed", "usual", "too_few"),
    [(0, 1, True), (0, 0, False), (1, 10, False), (1, 11, True), (9, 10, False), (30, 20, False)],
)
def test_a_list_with_less_than_a_tenth_is_doubted(listed: int, usual: int, too_few: bool):
    assert lists_too_few(listed, usual) is too_few
