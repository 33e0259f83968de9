"""The brake: too many suppressions at once wait for a person, and then follow the decision."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from notifier.enums import DeliveryStatus, DigestStatus, SuppressionCause
from notifier.errors import InputError
from notifier.pipeline import bounces, brake, deliver, monitoring, unsent
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Delivery, Digest, HeldSuppression, Notice, Suppression
from notifier.subscribers import held_suppressions, suppressions
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.reports import a_report, envelope_sender

TUESDAY = MONDAY + timedelta(days=1)
GONE = "550 5.1.1 The account does not exist"


def readers(domain: str, number: int) -> list[str]:
    return [f"r{index:03}@{domain}" for index in range(number)]


def news_for(installation: Installation, people: Sequence[str], refused: Sequence[str]) -> None:
    """Send a digest to people, some of whom the server calls unknown."""
    installation.change(operator=Operator(address="office@example.net"))
    for email in people:
        installation.subscribe(email)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    installation.sink.refuse_recipient.update(dict.fromkeys(refused, GONE))
    run_once(installation.at(TUESDAY))


OTHERS = 113


def subscribe_the_others(installation: Installation) -> None:
    """Subscribe as many readers of one provider as three tests begin with."""
    for email in readers("other.example.org", OTHERS):
        installation.subscribe(email)


def suppressed_and_held(installation: Installation) -> tuple[int, int]:
    with installation.at(TUESDAY).reading() as session:
        held = len(held_suppressions.listed(session))
        return session.query(Suppression).count(), held


def notices(installation: Installation) -> list[str]:
    with installation.at(TUESDAY).reading() as session:
        return [notice.text for notice in session.query(Notice) if "too many" in notice.subject]


@pytest.mark.parametrize(
    ("others", "refused", "held"),
    [
        (0, 5, False),  # not more than 5
        (OTHERS + 1, 6, False),  # not more than 5 %
        (OTHERS, 6, True),
        (0, 6, True),
    ],
)
def test_more_than_five_and_five_percent_are_held_and_fewer_are_suppressed(
    installation: Installation, others: int, refused: int, held: bool
):
    gone = [f"a{index}@site{index}.example.org" for index in range(refused)]
    if others:
        installation.prepare(subscribe_the_others)
    news_for(installation, [*gone, *readers("other.example.org", others)[OTHERS:]], gone)
    assert suppressed_and_held(installation) == ((0, refused) if held else (refused, 0))
    assert len(notices(installation)) == held


def test_at_one_provider_only_its_own_are_held(installation: Installation):
    installation.prepare(subscribe_the_others)
    failing, fine = readers("googlemail.com", 6), readers("other.example.org", 140)[OTHERS:]
    gone = ["old@other.example.org"]
    news_for(installation, [*failing, *fine, *gone], [*failing, *gone])
    assert suppressed_and_held(installation) == (1, 6)
    (text,) = notices(installation)
    assert "gmail.com: 6 (code 5.1.1)" in text


@pytest.mark.postgresql_long
def test_a_dismissed_fault_of_a_provider_leaves_no_trace_and_everybody_gets_the_digest_once(
    any_installation: Installation,
):
    installation = any_installation
    people = [*readers("gmail.com", 12), *readers("other.example.org", 8)]
    news_for(installation, people, people[:12])
    with installation.at(TUESDAY).reading() as session:
        assert session.query(Digest).one().status is not DigestStatus.HELD
    assert sum(to in people[12:] for _, to in installation.sink.envelopes) == 8
    tried = len(installation.sink.messages)
    run_once(installation.at(TUESDAY + timedelta(hours=3)))
    assert len(installation.sink.messages) == tried

    installation.sink.refuse_recipient.clear()
    wednesday = TUESDAY + timedelta(days=1)
    installation.publish([Article("Frexalimab slows lesions"), Article("Frexalimab, a day later")])
    run_once(installation.at(wednesday))
    assert installation.sink.to(people[0]) == []
    later = wednesday + timedelta(hours=1)
    assert brake.dismiss(installation.at(later), ()) == 12
    run_once(installation.at(later + timedelta(minutes=1)))
    assert suppressed_and_held(installation) == (0, 0)
    for email in people:
        texts = [mail.as_string() for mail in installation.sink.to(email)]
        assert sum("a day later" in text for text in texts) == 1, email
        assert sum("slows lesions" in text for text in texts) == 1, email


def test_accepted_addresses_are_suppressed_and_are_not_held_again(installation: Installation):
    gone = readers("gmail.com", 7)
    news_for(installation, gone, gone)
    with installation.at(TUESDAY).reading() as session:
        first = held_suppressions.listed(session)[0].id
    assert brake.accept(installation.at(TUESDAY), [first]) == 1
    assert suppressed_and_held(installation) == (1, 6)
    assert brake.accept(installation.at(TUESDAY), ()) == 6
    deliver.run(installation.at(TUESDAY + timedelta(hours=1)))
    assert suppressed_and_held(installation) == (7, 0)
    assert len(notices(installation)) == 1


def test_what_bounced_more_than_a_day_ago_counts_no_more(installation: Installation):
    people = readers("example.org", 12)
    news_for(installation, people, people[:5])
    wednesday = TUESDAY + timedelta(days=1, minutes=1)
    installation.publish([Article("Frexalimab slows lesions"), Article("Frexalimab once more")])
    installation.sink.refuse_recipient.update(dict.fromkeys(people[5:8], GONE))
    run_once(installation.at(wednesday))
    assert suppressed_and_held(installation) == (8, 0)
    with installation.at(wednesday).reading() as session:
        assert session.query(HeldSuppression).count() == 3


def test_reports_are_braked_like_answers_and_a_dismissed_one_is_sent_again(
    installation: Installation,
):
    people = readers("gmail.com", 6)
    news_for(installation, people, [])
    mails = [
        a_report(envelope_sender(installation, email), "5.1.1", GONE, recipient=email)
        for email in people
    ]
    bounces.read(installation.at(TUESDAY), mails)
    assert suppressed_and_held(installation) == (0, 6)
    again = a_report(envelope_sender(installation, people[0]), "5.1.1", "550 unknown user")
    assert bounces.read(installation.at(TUESDAY), [again]).suppressed == 0
    assert suppressed_and_held(installation) == (0, 6)
    brake.dismiss(installation.at(TUESDAY), ())
    run_once(installation.at(TUESDAY + timedelta(minutes=1)))
    assert [len(installation.sink.to(email)) for email in people] == [2] * 6


def test_a_suppression_for_another_reason_stays_when_the_held_one_is_dismissed(
    installation: Installation,
):
    people = readers("gmail.com", 7)
    news_for(installation, people, people)
    with installation.at(TUESDAY).writing() as session:
        key = held_suppressions.listed(session)[0].address_hash
        suppressions.add(session, key, SuppressionCause.ASKED, "they wrote to us", TUESDAY)
    brake.dismiss(installation.at(TUESDAY), ())
    assert suppressed_and_held(installation) == (1, 0)


def test_an_unknown_number_changes_nothing(installation: Installation):
    gone = readers("gmail.com", 6)
    news_for(installation, gone, gone)
    with installation.at(TUESDAY).reading() as session:
        first = held_suppressions.listed(session)[0].id
    with pytest.raises(InputError, match="999"):
        brake.dismiss(installation.at(TUESDAY), [first, 999])
    assert suppressed_and_held(installation) == (0, 6)


def test_a_held_address_is_put_off_and_not_given_up(installation: Installation):
    gone = readers("gmail.com", 6)
    news_for(installation, gone, gone)
    assert unsent.retry(installation.at(TUESDAY + timedelta(hours=1))) == 6
    installation.sink.refuse_recipient.clear()
    for days in (1, 3, 9):
        run_once(installation.at(TUESDAY + timedelta(days=days)))
    assert not any(to in gone for _, to in installation.sink.envelopes)
    with installation.at(TUESDAY).reading() as session:
        waiting = session.query(Delivery).filter(Delivery.status == DeliveryStatus.PENDING)
        assert waiting.count() == 6


def test_held_suppressions_make_healthz_unwell_until_a_person_decides(installation: Installation):
    def check() -> monitoring.Check:
        with installation.at(TUESDAY).reading() as session:
            return monitoring.checks(session, TUESDAY)[-1]

    gone = readers("gmail.com", 6)
    news_for(installation, gone, gone)
    assert check().ok is False
    assert check().finding == "6 held suppressions wait: notifier bounces held"
    brake.accept(installation.at(TUESDAY), ())
    assert check() == monitoring.Check("suppressions", ok=True, finding="")


def test_the_commands_show_and_decide(installation: Installation, tmp_path, monkeypatch, capsys):
    from notifier.cli.main import run

    gone = readers("gmail.com", 6)
    news_for(installation, gone, gone)
    deps = installation.at(TUESDAY)
    config = tmp_path / "notifier.toml"
    keys = {key: getattr(deps.settings, key) for key in ("secret_key", "suppression_key")}
    lines = {"database_url": deps.engine.url, **keys, "public_url": "https://example.org"}
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in lines.items()))
    monkeypatch.setenv("NOTIFIER_CONFIG", str(config))
    assert run(["bounces", "held", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {row["email"] for row in shown} == set(gone)
    assert {(row["provider"], row["code"]) for row in shown} == {("gmail.com", "5.1.1")}
    assert run(["bounces", "accept"]) == 2
    assert run(["bounces", "accept", str(shown[0]["id"]), "--all"]) == 2
    assert run(["bounces", "accept", str(shown[0]["id"])]) == 0
    assert run(["bounces", "dismiss", "--all"]) == 0
    assert suppressed_and_held(installation) == (1, 0)
    capsys.readouterr()
    for decision in ("accept", "dismiss"):
        assert run(["bounces", decision, "--all"]) == 0
        assert "nothing was changed" in "".join(capsys.readouterr())
