"""Import and export of lists: each line is reported, and nobody who left is subscribed again."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.deliver import outbox
from notifier.enums import Cadence, DeliveryKind, SubscriptionStatus, SuppressionCause
from notifier.errors import InputError
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.store import keys
from notifier.store.models import Consent, Delivery, Subscriber, Subscription
from notifier.subscribers import (
    deletion,
    import_export,
    list_export,
    list_files,
    subscriptions,
    suppressions,
)
from notifier.subscribers.choices import default_choice
from notifier.subscribers.import_export import ImportOptions, Report, RowResult
from tests.support.command_line import run_command
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.paths import SHARED


def take(
    installation: Installation,
    text: str,
    *,
    confirmed: bool = True,
    dry: bool = False,
    json_lines: bool = False,
) -> Report:
    with installation.at(MONDAY).writing() as session:
        profiles_by_slug = {profile.slug: profile for profile in profiles.listed(session)}
        options = ImportOptions(
            profiles_by_slug, "Europe/Berlin", "operator test" if confirmed else None, dry
        )
        return import_export.import_rows(
            session, list_files.read(io.StringIO(text), json_lines=json_lines), options, MONDAY
        )


def fates(report: Report) -> list[RowResult]:
    return [fate for _, fate, _ in report.lines]


def test_a_list_is_imported_with_all_choices_in_it(any_installation: Installation):
    report = take(
        any_installation,
        "email,every,at,on,time_zone,edition,language\n"
        "anna@example.org,weekly,7:30,friday,America/New_York,clinician,fr\n"
        "ben@example.org,,,,,,\n",
    )
    assert fates(report) == [RowResult.ADDED, RowResult.ADDED]
    with any_installation.at(MONDAY).reading() as session:
        anna, ben = session.query(Subscription).order_by(Subscription.id)
        assert (anna.cadence, anna.at, anna.on, anna.subscriber.language) == (
            Cadence.WEEKLY,
            "07:30",
            4,
            "fr",
        )
        assert (ben.cadence, ben.at, ben.on, ben.subscriber.time_zone) == (
            Cadence.WEEKLY,
            "08:00",
            0,
            "Europe/Berlin",
        )
        assert {subscription.status for subscription in (anna, ben)} == {
            SubscriptionStatus.CONFIRMED
        }
        assert anna.next_due_at.isoformat() == "2026-03-06T12:30:00+00:00"
        assert [(entry.method, entry.attested_by) for entry in session.query(Consent)] == [
            ("import", "operator test")
        ] * 2


def test_people_whose_consent_is_not_attested_are_asked(installation: Installation):
    report = take(installation, "email\nanna@example.org\n", confirmed=False)
    with installation.at(MONDAY).writing() as session:
        outbox.enqueue_own(
            session, DeliveryKind.CONFIRMATION, report.unasked, "example.org", MONDAY
        )
    run_once(installation.at(MONDAY))
    assert [mail["Subject"] for mail in installation.sink.messages] == [
        "Please confirm your subscription"
    ]


def test_the_report_gives_the_result_of_each_line(installation: Installation):
    installation.subscribe("known@example.org")
    installation.subscribe("left@example.org")
    with installation.at(MONDAY).writing() as session:
        left = subscriptions.find_subscriber(session, "left@example.org")
        subscriptions.end(session, left.subscriptions[0], "link", "subscriber", MONDAY)
        key = subscriptions.hash_of(session, "bounced@example.org")
        suppressions.add(session, key, SuppressionCause.BOUNCED, "no such user", MONDAY)
    text = (
        "email;every;time_zone\r\n"
        "known@example.org;daily;UTC\r\n"
        "LEFT@example.org;daily;UTC\r\n"
        "bounced@example.org;;\r\n"
        "\r\n"
        "new@example.org;daily;UTC\r\n"
        "New@EXAMPLE.org;weekly;UTC\r\n"
        "nobody;daily;UTC\r\n"
        "x@example.org;hourly;UTC\r\n"
        "y@example.org;daily;Mars/Olympus\r\n"
    )
    report = take(installation, text)
    assert [(line, fate) for line, fate, _ in report.lines] == [
        (2, RowResult.KNOWN),
        (3, RowResult.LEFT),
        (4, RowResult.SUPPRESSED),
        (6, RowResult.ADDED),
        (7, RowResult.DUPLICATE),
        (8, RowResult.INVALID),
        (9, RowResult.INVALID),
        (10, RowResult.INVALID),
    ]
    assert Counter(fates(report)) == {
        RowResult.KNOWN: 1,
        RowResult.LEFT: 1,
        RowResult.SUPPRESSED: 1,
        RowResult.ADDED: 1,
        RowResult.DUPLICATE: 1,
        RowResult.INVALID: 3,
    }
    assert "every is 'hourly'; it can be immediate, daily, weekly, monthly" in [
        why for _, _, why in report.lines
    ]
    assert not any("example.org" in why for _, _, why in report.lines), (
        "a report names lines, not people"
    )
    assert set(fates(take(installation, text))) == {
        RowResult.KNOWN,
        RowResult.LEFT,
        RowResult.SUPPRESSED,
        RowResult.DUPLICATE,
        RowResult.INVALID,
    }


def test_a_dry_run_reports_the_same_and_stores_nothing(installation: Installation):
    text = "email\nanna@example.org\nanna@example.org\nwrong\n"
    dry = take(installation, text, dry=True)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscriber).count() == session.query(Delivery).count() == 0
    assert dry.lines == take(installation, text).lines


@pytest.mark.parametrize(
    "text",
    ["", "name\nanna\n", "anna@example.org\nben@example.org\n"],
    ids=["empty", "no email", "no headings"],
)
def test_a_file_that_is_not_a_list_is_refused_as_a_whole(installation: Installation, text: str):
    with pytest.raises(InputError):
        take(installation, text)


def test_json_lines_are_read_and_a_broken_line_is_reported(installation: Installation):
    text = '{"email": "anna@example.org", "on": 31, "every": "monthly"}\n{broken\n[1]\n'
    report = take(installation, text, json_lines=True)
    assert fates(report) == [RowResult.ADDED, RowResult.INVALID, RowResult.INVALID]
    with installation.at(MONDAY).reading() as session:
        assert session.query(Subscription).one().on == 31


def test_an_export_can_be_imported_except_for_people_who_left(installation: Installation):
    take(
        installation,
        "email,every,on\n"
        "+anna@example.org,monthly,31\n"
        "=ben@example.org,weekly,sunday\n"
        "carla@example.org,,\n",
    )
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        carla = subscriptions.find_subscriber(session, "carla@example.org")
        subscriptions.end(session, carla.subscriptions[0], "link", "subscriber", MONDAY)
    for json_lines in (False, True):
        with deps.reading() as session:
            text = "".join(
                list_files.write(list_export.export_rows(session), json_lines=json_lines)
            )
        with deps.writing() as session:
            deletion.delete_subscribers(
                session, [subscriber.id for subscriber in session.query(Subscriber)]
            )
        assert Counter(fates(take(installation, text, json_lines=json_lines))) == {
            RowResult.ADDED: 2,
            RowResult.LEFT: 1,
        }
        with deps.reading() as session:
            imported = {
                subscription.subscriber.email: (subscription.cadence, subscription.on)
                for subscription in session.query(Subscription)
                if subscription.status is SubscriptionStatus.CONFIRMED
            }
        assert imported == {
            "+anna@example.org": (Cadence.MONTHLY, 31),
            "=ben@example.org": (Cadence.WEEKLY, 6),
        }
        with deps.writing() as session:
            choice = default_choice(Cadence.WEEKLY, "UTC")
            subscription = subscriptions.subscribe(
                session, "carla@example.org", profiles.find(session, None), choice, MONDAY
            )
            subscriptions.end(session, subscription, "link", "subscriber", MONDAY)


def test_an_export_does_not_wait_for_a_write_transaction(any_installation: Installation):
    """A command that wanted the write lock would wait here until it fails."""
    installation = any_installation
    keys.adopt(installation.at(MONDAY).engine, SUPPRESSION_KEY)
    installation.subscribe("anna@example.org")
    with installation.at(MONDAY).writing() as session:
        subscription = session.query(Subscription).one()
        subscriptions.end(session, subscription, "link", "subscriber", MONDAY)
        exported = run_command(installation, "subscribers", "export")
        session.flush()
    assert exported.code == 0
    assert "anna@example.org,frexalimab,daily" in exported.out
    assert ",confirmed," in exported.out


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_no_cell_of_an_export_is_a_formula(cells: list[str]):
    text = "".join(list_files.write([dict(enumerate(cells))], json_lines=False))
    for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=200), st.booleans())
def test_any_text_is_imported_or_refused(installation: Installation, text: str, json_lines: bool):
    try:
        report = take(
            installation,
            text if json_lines else f"email,on,every\n{text}",
            json_lines=json_lines,
            dry=True,
        )
    except InputError:
        return
    assert all(isinstance(line, int) for line, _, _ in report.lines)


def test_no_csv_injection_of_the_corpus_is_exported_as_a_formula():
    file = SHARED / "corpora" / "hostile"
    files = sorted(file.glob("*csv*")) if file.is_dir() else []
    if not files:
        pytest.skip("the corpus of hostile input is not here")
    payloads = [
        line
        for path in files
        if path.is_file()
        for line in path.read_text("utf-8", "replace").splitlines()
    ]
    text = "".join(list_files.write([{"x": payload} for payload in payloads], json_lines=False))
    for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
