"""Moving to another machine: an export that is imported there gives everybody the same standing."""

import csv
import io
from datetime import timedelta

import pytest

from notifier.enums import Cadence, SubscriptionStatus, SuppressionCause
from notifier.errors import InputError
from notifier.match import profiles
from notifier.store import keys
from notifier.store.models import Installation as InstallationRow
from notifier.store.models import Subscriber, Subscription, Suppression
from notifier.subscribers import (
    deletion,
    import_export,
    lifecycle,
    list_export,
    list_files,
    privacy,
    subscriptions,
    suppressions,
)
from notifier.subscribers.choices import default_choice
from notifier.subscribers.import_export import ImportOptions, Report, RowResult
from tests.support.installation import MONDAY, Installation

LATER = MONDAY + timedelta(days=3)
NEXT_MONTH = MONDAY + timedelta(days=30)


def exported(installation: Installation, *, json_lines: bool = False) -> str:
    with installation.at(LATER).reading() as session:
        return "".join(list_files.write(list_export.export_rows(session), json_lines=json_lines))


def imported(
    installation: Installation,
    text: str,
    *,
    confirmed: bool = True,
    dry: bool = False,
    without_erased: bool = False,
    json_lines: bool = False,
) -> Report:
    deps = installation.at(LATER)
    with deps.reading() if dry else deps.writing() as session:
        options = ImportOptions(
            {profile.slug: profile for profile in profiles.listed(session)},
            "UTC",
            "a test" if confirmed else None,
            dry,
            without_erased=without_erased,
        )
        lines = list_files.read(io.StringIO(text, newline=""), json_lines=json_lines)
        return import_export.import_rows(session, lines, options, LATER)


def emptied(installation: Installation, *, salt: str = "") -> None:
    """Make a new machine of this one: without people, with the same or another salt."""
    with installation.at(LATER).writing() as session:
        ids = [person.id for person in session.query(Subscriber)]
        deletion.delete_subscribers(session, ids)
        session.query(Suppression).delete()
        if salt:
            session.query(InstallationRow).one().salt = salt


def everybody(installation: Installation) -> None:
    """One person in each standing."""
    for name in ("fine", "paused", "resting", "left", "bounced", "spam", "stop", "erased"):
        installation.subscribe(f"{name}@people.example")
    with installation.at(MONDAY).writing() as session:
        choice = default_choice(Cadence.DAILY, "Europe/Berlin")
        profile = profiles.find(session, None)
        subscriptions.subscribe(session, "pending@people.example", profile, choice, MONDAY)

        def of(name: str) -> Subscription:
            person = subscriptions.find_subscriber(session, f"{name}@people.example")
            return person.subscriptions[0]

        of("fine").hidden, of("fine").urgent = ["page", "related"], True
        of("paused").hidden = ["trials"]
        lifecycle.pause(of("paused"), NEXT_MONTH, MONDAY)
        lifecycle.pause(of("resting"), None, MONDAY)
        subscriptions.end(session, of("left"), "link", "subscriber", MONDAY)
        for name, cause, reason in (
            ("bounced", SuppressionCause.BOUNCED, "5.1.1"),
            ("spam", SuppressionCause.COMPLAINED, ""),
            ("stop", SuppressionCause.ASKED, "by letter"),
            ("stranger", SuppressionCause.NEVER, ""),
        ):
            key = subscriptions.hash_of(session, f"{name}@people.example")
            suppressions.add(session, key, cause, reason, MONDAY)
        subscriptions.end(session, of("spam"), "complaint", "a provider", MONDAY)
        privacy.erase(session, of("erased").subscriber, SuppressionCause.ERASED, "erased", MONDAY)


def standings(installation: Installation) -> dict[str, tuple[object, ...]]:
    """What is stored of everybody, as far as it decides who gets what."""
    with installation.at(LATER).reading() as session:
        suppressed = {
            each.address_hash: (each.cause, each.reason, each.at)
            for each in session.query(Suppression)
        }
        people = {
            each.subscriber.email: (
                each.status,
                each.cadence,
                each.paused_until,
                each.ended_at,
                tuple(each.hidden),
                each.urgent,
                suppressed.pop(each.subscriber.address_hash, None),
            )
            for each in session.query(Subscription)
        }
        for name in ("erased", "stranger"):
            key = subscriptions.hash_of(session, f"{name}@people.example")
            people[name] = suppressed.pop(key, ())
    assert suppressed == {}
    return people


@pytest.mark.parametrize("json_lines", [False, True])
@pytest.mark.parametrize("salt", ["", "ab" * 32])
def test_an_export_imported_elsewhere_gives_everybody_the_same_standing(
    any_installation: Installation, salt: str, *, json_lines: bool
):
    everybody(any_installation)
    before = standings(any_installation)
    text = exported(any_installation, json_lines=json_lines)
    emptied(any_installation, salt=salt)
    imported(any_installation, text, json_lines=json_lines)
    assert standings(any_installation) == before
    assert before["erased"][0] is SuppressionCause.ERASED
    assert before["paused@people.example"][:3] == (
        SubscriptionStatus.PAUSED,
        Cadence.DAILY,
        NEXT_MONTH,
    )


@pytest.mark.parametrize(
    ("cells", "hidden", "urgent"),
    [
        ("page;Yes", ["page"], True),
        ("trials, related;no", ["trials", "related"], False),
        (";", [], False),
        ("=1+1;1", [], False),
        ("x" * 5000 + ";2026-01-01", [], False),
    ],
    ids=["yes", "no", "empty", "not words", "very long"],
)
def test_cells_about_sections_and_urgent_news_are_read_leniently(
    installation: Installation, cells: str, hidden: list[str], urgent: bool
):
    imported(installation, f"email;hidden_sections;urgent\nnew@people.example;{cells}\n")
    with installation.at(LATER).reading() as session:
        person = subscriptions.find_subscriber(session, "new@people.example")
        assert person.subscriptions[0].hidden == hidden
        assert person.subscriptions[0].urgent is urgent


def test_the_export_of_a_moved_list_is_the_same_file(installation: Installation):
    everybody(installation)
    text = exported(installation)
    emptied(installation)
    imported(installation, text)
    before, after = (
        sorted(
            [cell for name, cell in row.items() if name != "confirmed_at"]
            for row in csv.DictReader(io.StringIO(each, newline=""))
        )
        for each in (text, exported(installation))
    )
    assert before == after


def test_a_second_import_of_the_same_export_changes_nothing(installation: Installation):
    everybody(installation)
    before = standings(installation)
    report = imported(installation, exported(installation))
    assert standings(installation) == before
    assert not report.count()[RowResult.ADDED]
    assert report.unasked == []


def test_without_a_person_who_vouches_nobody_is_confirmed_by_an_export(
    installation: Installation,
):
    everybody(installation)
    text = exported(installation)
    emptied(installation)
    report = imported(installation, text, confirmed=False)
    with installation.at(LATER).reading() as session:
        statuses = {each.status for each in session.query(Subscription)}
    assert statuses == {SubscriptionStatus.PENDING, SubscriptionStatus.ENDED}
    assert len(report.unasked) == 1, "only the one who was confirmed is asked"


def test_people_who_were_erased_are_not_subscribed_on_the_new_machine(
    installation: Installation,
):
    everybody(installation)
    text = exported(installation)
    assert "erased@people.example" not in text
    assert "stranger@people.example" not in text
    emptied(installation, salt="cd" * 32)
    imported(installation, text)
    report = imported(installation, "email\nerased@people.example\nstranger@people.example\n")
    assert [result for _, result, _ in report.lines] == [RowResult.SUPPRESSED] * 2


@pytest.mark.parametrize("other", ["key", "salt"])
@pytest.mark.parametrize("dry", [False, True])
def test_hashes_of_another_installation_are_refused_unless_they_are_left_out(
    installation: Installation, other: str, *, dry: bool
):
    everybody(installation)
    text = exported(installation)
    with installation.at(LATER).reading() as session:
        name = keys.name_of_key(session)
    key, salt = name.split(".")
    foreign = f"{'0' * 16}.{salt}" if other == "key" else f"{key}.{'0' * 64}"
    emptied(installation)
    if other == "salt":  # this database has hashes of its own already
        installation.subscribe("here@people.example")
    text = text.replace(name, foreign)
    with pytest.raises(InputError) as refused:
        imported(installation, text, dry=dry)
    assert "--without-erased" in refused.value.fix
    with installation.at(LATER).reading() as session:
        assert session.query(Suppression).count() == 0
    report = imported(installation, text, dry=dry, without_erased=True)
    assert report.forgotten == 2
    with installation.at(LATER).reading() as session:
        assert session.query(Suppression).count() == (0 if dry else 3)


@pytest.mark.parametrize(
    "line",
    [
        ",suppressed,erased,abc,0.0",
        f",suppressed,erased,{'g' * 64},0.0",
        f",suppressed,erased,{'a' * 63},0.0",
    ],
)
def test_a_hash_that_is_none_makes_its_line_invalid(installation: Installation, line: str):
    report = imported(installation, f"email,status,cause,address_hash,key\n{line}\n")
    assert [result for _, result, _ in report.lines] == [RowResult.INVALID]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-05-01", "2026-05-01T00:00:00+00:00"),
        ("1.5.2026", "2026-05-01T00:00:00+00:00"),
        ("2026-05-01T08:00:00+02:00", "2026-05-01T06:00:00+00:00"),
        ("", ""),
    ],
)
def test_a_pause_is_taken_over_with_its_end(installation: Installation, until: str, expected: str):
    imported(installation, f"email,status,paused_until\npaused@people.example,paused,{until}\n")
    with installation.at(LATER).reading() as session:
        paused = session.query(Subscription).one()
    assert paused.status is SubscriptionStatus.PAUSED
    assert (paused.paused_until.isoformat() if paused.paused_until else "") == expected


def test_a_pause_whose_end_cannot_be_read_makes_its_line_invalid(installation: Installation):
    report = imported(
        installation, "email,status,paused_until\npaused@people.example,paused,soon\n"
    )
    assert [result for _, result, _ in report.lines] == [RowResult.INVALID]


def test_a_time_that_lies_ahead_counts_as_now(installation: Installation):
    imported(
        installation,
        "email,status,cause,ended_at,suppressed_at\n"
        "left@people.example,ended,,2099-01-01T00:00:00+00:00,\n"
        "gone@people.example,suppressed,bounced,,2099-01-01T00:00:00+00:00\n",
    )
    with installation.at(LATER).reading() as session:
        assert session.query(Subscription).one().ended_at == LATER
        assert session.query(Suppression).one().at == LATER
