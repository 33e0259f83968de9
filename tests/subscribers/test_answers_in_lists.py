"""What cells say in columns of yes and no, and which columns and words are about mails at all."""

import pytest

from notifier.enums import ConsentEvent
from notifier.store.models import Consent
from notifier.subscribers import list_words
from tests.subscribers.test_lists_of_other_systems import imported, standings
from tests.support.installation import MONDAY, Installation

CHECKS = ["✓", "✔", "☑", "✅", "+", "✔️", "✓✓", "√", "x", "X", "✓ ", "'+", "✓ yes", "1"]
CROSSES, NOES = ["✗", "✘", "❌", "✖️", "🚫"], ["☐", "□", "no", "0", "0.0"]
DASHES = ["-", "—", "–", "--", ".", "/", "n/a", "NaN", "NULL", "\u200b"]
UNCLEAR = ["?", "☒", "*", "2"]
ASSERTING = ["Newsletter abonniert", "Subscribed", "Opt in", "Receives emails", "Newsletter"]
DENYING = ["Unsubscribed", "Abgemeldet", "Opted out", "unsubscribed_at"]


def withdrawn(installation: Installation) -> int:
    with installation.at(MONDAY).reading() as session:
        return session.query(Consent).filter_by(event=ConsentEvent.WITHDRAWN).count()


@pytest.mark.parametrize("heading", ASSERTING)
@pytest.mark.parametrize(
    ("cells", "standing"),
    [
        (CHECKS, "confirmed"),
        (CROSSES, "ended"),
        (NOES, "ended"),
        (DASHES, "pending"),
        (UNCLEAR, "pending"),
    ],
    ids=["check marks", "crosses", "noes", "dashes", "unclear signs"],
)
def test_a_sign_in_a_column_that_asks_who_subscribed_is_read_as_people_mean_it(
    installation: Installation, heading: str, cells: list[str], standing: str
):
    lines = [f'p{number}@people.example,"{cell}"\n' for number, cell in enumerate(cells)]
    imported(installation, f"email,{heading}\n" + "".join(lines))
    assert {cells[int(name[1:])]: each for name, each in standings(installation).items()} == (
        dict.fromkeys(cells, standing)
    )
    assert withdrawn(installation) == (len(cells) if standing == "ended" else 0)


@pytest.mark.parametrize("heading", DENYING)
@pytest.mark.parametrize(
    ("cells", "standing"),
    [
        (CHECKS, "ended"),
        (CROSSES, "pending"),
        (NOES, "confirmed"),
        (DASHES, "confirmed"),
        (UNCLEAR, "pending"),
    ],
    ids=["check marks", "crosses", "noes", "dashes", "unclear signs"],
)
def test_a_sign_in_a_column_that_asks_who_left_is_read_as_people_mean_it(
    installation: Installation, heading: str, cells: list[str], standing: str
):
    lines = [f'p{number}@people.example,"{cell}"\n' for number, cell in enumerate(cells)]
    imported(installation, f"email,{heading}\n" + "".join(lines))
    assert {cells[int(name[1:])]: each for name, each in standings(installation).items()} == (
        dict.fromkeys(cells, standing)
    )


@pytest.mark.parametrize("cell", ["NaT", "undefined", "0000-00-00", "00.00.0000"])
def test_a_missing_date_of_the_end_ends_nothing(installation: Installation, cell: str):
    imported(installation, f"email,unsubscribed_at\nyes@people.example,{cell}\n")
    assert standings(installation) == {"yes": "confirmed"}


@pytest.mark.parametrize(
    ("heading", "cell", "standing"),
    [
        ("Blacklisted", "✓", "asked"),
        ("Hard bounced", "✔", "bounced"),
        ("Hard bounced", "-", "confirmed"),
        ("On hold", "2", "pending"),
        ("Active", "✗", "paused"),
        ("Active", "✓", "confirmed"),
        ("Confirmed", "☐", "pending"),
    ],
)
def test_signs_are_read_in_every_column_about_mails(
    installation: Installation, heading: str, cell: str, standing: str
):
    imported(installation, f"email,{heading}\nstop@people.example,{cell}\n")
    assert standings(installation)["stop"] == standing


def test_a_dash_is_no_yes_beside_another_column_that_says_yes(installation: Installation):
    imported(installation, "email,Status,Newsletter\nwait@people.example,active,-\n")
    assert standings(installation) == {"wait": "pending"}


def test_zeros_are_an_answer_only_where_there_is_one():
    answers = [
        list_words.answer_of(text).name for text in ("0", "00", "0 0", "0000-00-00", "", " ")
    ]
    assert answers == ["NO"] * 4 + ["NOTHING"] * 2


GENERAL = [
    *("Customer status", "Type", "State", "Zustand", "Account status", "Contact status"),
    *("Marketing status", "Status (of the customer)", "Typ", "Estado"),
]


@pytest.mark.parametrize("heading", GENERAL)
@pytest.mark.parametrize("letter", ["p", "B", "S", "u", "P."])
def test_a_letter_in_a_general_column_says_nothing_about_mails(
    installation: Installation, heading: str, letter: str
):
    imported(installation, f"email,{heading}\nyes@people.example,{letter}\n")
    assert standings(installation) in ({"yes": "confirmed"}, {})


@pytest.mark.parametrize("heading", ["Subscriber status", "Statut", "List status", "Member status"])
@pytest.mark.parametrize("letter", ["p", "b", "u", "c"])
def test_a_letter_in_another_column_of_a_status_is_an_unknown_word(
    installation: Installation, heading: str, letter: str
):
    imported(installation, f"email,{heading}\nyes@people.example,{letter}\n")
    assert standings(installation) == {}


@pytest.mark.parametrize("heading", ["Bounced", "Confirmed", "Newsletter", "Email suppressions"])
def test_a_letter_gives_no_cause_and_no_standing_in_a_column_of_yes_and_no(
    installation: Installation, heading: str
):
    imported(installation, f"email,{heading}\nspam@people.example,p\n")
    assert standings(installation)["spam"] in ("pending", "bounced", "asked")


def test_a_letter_under_a_heading_that_the_caller_names_is_refused(installation: Installation):
    text = "email,Customer status\nyes@people.example,P\nno@people.example,unsubscribed\n"
    imported(installation, text, renamed={"status": "Customer status"})
    assert standings(installation) == {"no": "ended"}


@pytest.mark.parametrize("heading", ["Status", "STATUS", " status "])
def test_the_letters_of_the_plugin_are_heard_in_its_own_column(
    installation: Installation, heading: str
):
    imported(installation, f"email,{heading}\nno@people.example,U\ngone@people.example,B\n")
    assert standings(installation) == {"no": "ended", "gone": "bounced"}


ABOUT_PEOPLE = [
    *[("Disabled", "yes"), ("is_disabled", "true"), ("Person disabled", "1"), ("Disabled", "x")],
    *[("Member disabled", "ja"), ("Disabled since", "2020-01-01"), ("Disabled (%)", "50")],
    *[("Diagnosis", "unconfirmed"), ("Diagnose", "nicht bestätigt"), ("MS", "unbestätigt")],
    *[("Study consent", "no consent"), ("Befund", "not confirmed"), ("Symptoms", "complained")],
    *[("Study", "opted out"), ("Research data", "Opted out"), ("Kurs am Montag", "abgemeldet")],
    *[("Opted out of research", "yes"), ("Opt out (study)", "yes"), ("Consent (study)", "no")],
    *[("Complaint", "back pain"), ("Complaint", "dizzy, tired"), ("Complained", "of a headache")],
    *[("Type", "disabled"), ("Type", "invalide"), ("Typ", "left"), ("Type", "former")],
]


@pytest.mark.parametrize(("heading", "cell"), ABOUT_PEOPLE)
@pytest.mark.parametrize("confirmed", [True, False])
def test_what_a_column_says_of_a_person_says_nothing_of_mails(
    installation: Installation, heading: str, cell: str, *, confirmed: bool
):
    text = f'email,{heading}\nyes@people.example,"{cell}"\n'
    report = imported(installation, text, confirmed=confirmed)
    assert standings(installation) == {"yes": "confirmed" if confirmed else "pending"}
    assert len(report.unasked) == (not confirmed)


ABOUT_MAILS = [
    *[("Account disabled", "yes", "paused"), ("user_disabled", "1", "paused")],
    *[("Subscriber disabled", "true", "paused"), ("disabled_at", "2024-01-01", "paused")],
    *[
        ("Email disabled", "yes", "ended"),
        ("Emails disabled", "1", "ended"),
        ("E-Mail disabled", "1", "ended"),
    ],
    *[("Disabled (e-mail)", "yes", "paused"), ("userDisabled", "true", "paused")],
    *[("Newsletter sign-up", "unconfirmed", "pending"), ("Mailing", "no consent", "pending")],
    *[("Confirmation", "unconfirmed", "pending"), ("Anmeldung", "unbestätigt", "pending")],
    *[("GDPR consent", "no consent", "pending"), ("Permission", "no consent", "pending")],
    *[("DSGVO", "nicht bestätigt", "pending"), ("Notes", "unconfirmed", "pending")],
    *[("Event", "complained", "complained"), ("Event", "opted out", "ended")],
    ("Email feedback", "complained", "complained"),
    *[("Study newsletter", "opted out", "ended"), ("Study", "unsubscribed", "ended")],
    *[("Preferences", "opted out", "ended"), ("Verteiler", "abgemeldet", "ended")],
    *[("Complaint", "yes", "complained"), ("Complained", "3", "complained")],
    *[("complained_at", "2024-01-01", "complained"), ("Complaint", "abuse", "complained")],
    *[("Email complaint", "they wrote", "complained"), ("Type", "unsubscribed", "ended")],
    *[("Type", "complained", "complained"), ("Opted out of research news", "yes", "ended")],
    *[
        ("Opted out of study updates", "yes", "ended"),
        ("Event communication", "opted out", "ended"),
    ],
]


@pytest.mark.parametrize(("heading", "cell", "standing"), ABOUT_MAILS)
def test_what_a_column_says_of_mails_is_heard(
    installation: Installation, heading: str, cell: str, standing: str
):
    imported(installation, f"email,{heading}\nstop@people.example,{cell}\n")
    assert standings(installation) == {"stop": standing}


@pytest.mark.parametrize("other", ["htmlemail", "bouncecount", "blacklisted"])
def test_the_column_disabled_is_heard_in_a_list_of_phplist(installation: Installation, other: str):
    imported(installation, f"email,disabled,{other}\nrest@people.example,1,0\n")
    assert standings(installation) == {"rest": "paused"}


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        *[("Subscription", "unsubscribed"), ("Reason", "Opted out"), ("Cause", "unsubscribed")],
        *[
            ("Unsub\u00adscribed", "yes"),
            ("Unsubscribed\u200b", "yes"),
            ("Tags", "unsubscribed\u200b"),
        ],
        *[("De\u0301sabonne\u0301", "oui"), ("Note", "de\u0301sabonne\u0301e")],
        *[("Status", "unsubscribed\u200b"), ("Status", "de\u0301sabonne\u0301")],
    ],
)
def test_a_no_is_heard_under_headings_of_ours_and_however_its_letters_are_written(
    installation: Installation, heading: str, cell: str
):
    imported(installation, f"email,{heading}\nno@people.example,{cell}\n")
    assert standings(installation) == {"no": "ended"}


def test_of_mails_and_letters_the_column_about_mails_counts(installation: Installation):
    imported(
        installation,
        "email,Do Not Email,Do Not Mail\nyes@people.example,No,Yes\nstop@people.example,Yes,No\n",
    )
    assert standings(installation) == {"yes": "confirmed", "stop": "asked"}


def test_a_list_that_knows_no_other_word_for_mails_is_believed(installation: Installation):
    imported(installation, "email,Do Not Mail\nstop@people.example,Yes\n")
    assert standings(installation) == {"stop": "asked"}


def test_of_two_columns_of_one_name_both_are_heard(installation: Installation):
    imported(
        installation,
        "email,Status,,Status,,Unsubscribed,Unsubscribed\n"
        "yes@people.example,active,,active,,,\nno@people.example,active,a,unsubscribed,,,\n"
        "stop@people.example,active,,active,,,yes\n",
    )
    assert standings(installation) == {"yes": "confirmed", "no": "ended", "stop": "ended"}
