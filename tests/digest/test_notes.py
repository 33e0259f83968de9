"""Notes: what follows a digest goes to exactly those who got it, once."""

from collections import Counter
from datetime import timedelta

import pytest

from notifier.admin.digest_note import send_note
from notifier.digest import notes
from notifier.enums import DeliveryKind, DeliveryStatus, Lane, SuppressionCause
from notifier.errors import InputError, NotFoundError
from notifier.pipeline import compose, deliver
from notifier.store.models import Delivery, Note, Subscription
from notifier.subscribers import subscriptions, suppressions
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of

pytestmark = pytest.mark.postgresql_long

TUESDAY = MONDAY + timedelta(days=1)
LATER = TUESDAY + timedelta(hours=2)
TEXT = "The dose in the second item was wrong.\n\nIt is 5 mg, not 50 mg."


@pytest.fixture
def sent(any_installation: Installation) -> Installation:
    """An installation with a digest that three of five people got."""
    due = any_installation.discover(5)
    for number, answer in ((3, "550 5.1.1 no such user"), (4, "451 4.7.1 later")):
        any_installation.sink.refuse_recipient[f"person{number}@example.org"] = answer
    compose.run(any_installation.at(due))
    deliver.run(any_installation.at(TUESDAY))
    assert len(any_installation.sink.messages) == 3
    any_installation.sink.messages.clear()
    return any_installation


def notes_sent(installation: Installation) -> Counter[str]:
    mails = [m for m in installation.sink.messages if "digest of" in m["Subject"]]
    return Counter(str(mail["To"]) for mail in mails)


def test_a_note_goes_to_exactly_those_who_got_the_digest(sent: Installation):
    assert send_note(sent.at(LATER), 1, TEXT) == 3
    deliver.run(sent.at(LATER))
    assert notes_sent(sent) == {f"person{number}@example.org": 1 for number in range(3)}
    mail = sent.sink.to("person0@example.org")[0]
    assert mail["Subject"] == "About the digest of 3 March 2026"
    text = text_of(mail)
    assert text.index("This is a note about the digest") < text.index("The dose in the second")
    assert "It is 5 mg, not 50 mg." in text
    assert "It is 5 mg, not 50 mg." in html_of(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/archive/" in text


def test_the_same_note_again_goes_only_to_those_who_got_the_digest_since(sent: Installation):
    assert send_note(sent.at(LATER), 1, TEXT) == 3
    assert send_note(sent.at(LATER), 1, f"  {TEXT}\n") == 0
    sent.sink.refuse_recipient.clear()
    deliver.run(sent.at(LATER))
    assert send_note(sent.at(LATER), 1, TEXT) == 1
    deliver.run(sent.at(LATER))
    assert notes_sent(sent) == {f"person{number}@example.org": 1 for number in (0, 1, 2, 4)}
    with sent.at(LATER).reading() as session:
        assert session.query(Note).count() == 1


def test_another_note_about_the_same_digest_is_another_mail(sent: Installation):
    assert send_note(sent.at(LATER), 1, TEXT) == 3
    assert send_note(sent.at(LATER), 1, "The trial is over.") == 3
    deliver.run(sent.at(LATER))
    assert set(notes_sent(sent).values()) == {2}


@pytest.mark.parametrize("moment", ["before the note", "after it"])
def test_who_left_or_is_suppressed_gets_no_note(sent: Installation, moment: str):
    if moment == "after it":
        send_note(sent.at(LATER), 1, TEXT)
    with sent.at(LATER).writing() as session:
        first, second, *_ = session.query(Subscription).order_by(Subscription.id)
        subscriptions.end(session, first, "link", "subscriber", LATER)
        key = second.subscriber.address_hash
        suppressions.add(session, key, SuppressionCause.ASKED, "", LATER)
    if moment == "before the note":
        send_note(sent.at(LATER), 1, TEXT)
    deliver.run(sent.at(LATER))
    assert notes_sent(sent) == {"person2@example.org": 1}


def test_a_note_is_in_the_language_of_its_reader_and_goes_before_other_digests(
    installation: Installation,
):
    installation.subscribe("anna@example.org", language="fr")
    compose.run(installation.at(installation.discover(0)))
    deliver.run(installation.at(TUESDAY))
    send_note(installation.at(LATER), 1, "Une erreur.")
    with installation.at(LATER).reading() as session:
        note = session.query(Delivery).filter_by(kind=DeliveryKind.NOTE).one()
        assert (note.lane, note.status) == (Lane.URGENT, DeliveryStatus.PENDING)
    deliver.run(installation.at(LATER))
    assert "À propos de la lettre du 3 mars 2026" in {
        mail["Subject"] for mail in installation.sink.messages
    }


@pytest.mark.parametrize("text", ["", " \n\n ", "\x00\x07", "x" * (notes.LONGEST_TEXT + 1)])
def test_a_note_without_text_or_with_too_much_is_refused(sent: Installation, text: str):
    with pytest.raises(InputError):
        send_note(sent.at(LATER), 1, text)


def test_a_note_about_an_unknown_digest_is_refused(sent: Installation):
    with pytest.raises(NotFoundError):
        send_note(sent.at(LATER), 77, TEXT)


@pytest.mark.parametrize(
    ("given", "tidied"),
    [
        ("one\ntwo\n\n\nthree", "one two\n\nthree"),
        ("a\x00b \u202e c", "a b c"),
        ("one\r\n\r\ntwo", "one\n\ntwo"),
    ],
)
def test_the_text_of_a_note_is_made_printable(given: str, tidied: str):
    assert notes.tidy(given) == tidied
