"""The doctor as a whole: a healthy installation, causes, errors, changes, what it leaves alone."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.admin.doctor import checks, examination
from notifier.admin.doctor.findings import Status
from notifier.pipeline import compose
from notifier.store.models import Delivery
from tests.support.examined_world import Servers, World, around
from tests.support.installation import MONDAY, Installation


@pytest.fixture
def world(
    running: Servers,
    installation: Installation,
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return around(running, installation, tmp_path, certificate, monkeypatch)


def test_a_healthy_installation_passes_every_check(world: World):
    world.back_up()
    with world.pages():
        result = world.examine()
    bad = {
        finding.name: (finding.status, finding.result.actual, finding.result.fix)
        for finding in result.findings
        if finding.status is not Status.OK
    }
    assert bad == {}
    assert result.ok
    assert [finding.name for finding in result.findings] == [
        check.name for check in checks.CHECKS if check.only_if is None
    ]


@pytest.mark.postgresql_long
def test_the_checks_of_the_database_pass_on_both_kinds(
    running: Servers,
    any_installation: Installation,
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    made = around(running, any_installation, tmp_path, certificate, monkeypatch)
    made.back_up()
    result = made.examine()
    statuses = {
        finding.name: finding.status
        for finding in result.findings
        if finding.area in ("installation", "content", "flow")
    }
    is_sqlite = any_installation.at(MONDAY).engine.dialect.name == "sqlite"
    disk = Status.OK if is_sqlite else Status.NOT_CHECKED
    assert statuses == {**dict.fromkeys(statuses, Status.OK), "installation.disk": disk}


def test_it_changes_nothing_and_sends_nothing(world: World):
    engine = world.installation.at(MONDAY).engine
    with engine.connect() as connection:
        before = [*connection.connection.driver_connection.iterdump()]
    with world.pages():
        world.examine()
    with engine.connect() as connection:
        assert [*connection.connection.driver_connection.iterdump()] == before
    assert world.mail.mails + world.mx.mails == []
    assert not any(command.startswith(("MAIL", "DATA")) for command in world.mail.commands)
    assert not any(command.startswith("DATA") for command in world.mx.commands)


def test_every_check_needs_and_reads_what_stands_before_it():
    before: set[str] = set()
    for check in checks.CHECKS:
        assert {*check.needs, *check.reads} <= before, check.name
        assert check.name not in before
        before.add(check.name)


def test_a_check_whose_cause_failed_names_it_and_asks_nobody(world: World):
    world.unset("sender.address")
    result = world.examine("dns.dkim_signature", "dns.authentication")
    causes = {finding.name: finding.cause for finding in result.findings if finding.cause}
    names = ("spf", "spf_covers", "dkim", "dkim_signature", "authentication")
    assert causes == {f"dns.{name}": "installation.sender" for name in names}
    assert [name for name, _ in world.zone.asked] == ["."]
    assert result.stopping == ["installation.sender"]


def test_a_check_that_ends_in_an_error_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    def break_down(_examined) -> None:
        raise RuntimeError("a fault of ours")

    broken = [
        replace(check, run=break_down) if check.name == "content.held" else check
        for check in checks.CHECKS
    ]
    monkeypatch.setattr(examination, "CHECKS", tuple(broken))
    result = world.examine("content.held", "flow.runs")
    statuses = {finding.name: finding.status for finding in result.findings}
    assert statuses["content.held"] is Status.NOT_CHECKED
    assert statuses["flow.runs"] is Status.OK


def test_a_warning_does_not_stop_what_needs_the_check(world: World):
    world.texts("notifier._domainkey.example.org", *_as_a_test(world))
    assert world.find("dns.dkim_signature").status is Status.OK


def _as_a_test(world: World) -> list[str]:
    (record,) = world.zone.records["notifier._domainkey.example.org", "TXT"]
    return [record.replace("p=", "t=y; p=")]


def test_changes_since_the_last_examination_are_told_once(world: World):
    first = world.examine().comparison
    world.texts("_dmarc.example.org")
    second = world.examine().comparison
    third = world.examine().comparison
    assert (first.since, list(first.changes)) == ("", [])
    assert second.since == third.since == MONDAY.isoformat(timespec="seconds")
    told = [(change.name, change.before, change.after) for change in second.changes]
    assert told == [("dns.dmarc", "ok", "warning")]
    assert list(third.changes) == []


def test_another_trouble_of_the_same_check_is_a_change(world: World):
    world.texts("_dmarc.example.org")
    world.examine()
    world.texts("_dmarc.example.org", "v=DMARC1; p=reject; pct=20")
    changes = world.examine().comparison.changes
    assert [(change.before, change.after) for change in changes] == [("warning", "warning")]


def test_another_number_of_waiting_mails_is_no_change(world: World):
    due = world.installation.discover(3, "A trial of frexalimab begins")
    compose.run(world.installation.at(due))
    world.moment = due + timedelta(hours=2)
    world.examine()
    with world.installation.at(due).writing() as session:
        session.delete(session.query(Delivery).first())
    world.moment += timedelta(minutes=5)
    assert world.find("flow.lanes").result.actual.startswith("others: 2")
    assert list(world.examine().comparison.changes) == []


def test_an_examination_that_cannot_be_kept_says_so(world: World):
    (world.folder / "doctor.json").mkdir()
    comparison = world.examine().comparison
    assert "it is a folder" in comparison.problem


def test_what_is_kept_for_the_comparison_names_nobody(world: World):
    world.options = {"send_to": "anna@example.org"}
    world.examine()
    kept = (world.folder / "doctor.json").read_text()
    assert "@" not in kept
    assert "round_trip" not in kept
    assert set(json.loads(kept)) == {"form", "at", "checks"}
    assert (world.folder / "doctor.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"[]", b'{"form": 1, "at": 5}', b"\xff", b"{" * 9999])
def test_a_damaged_record_of_the_last_examination_is_replaced(world: World, content: bytes):
    (world.folder / "doctor.json").write_bytes(content)
    comparison = world.examine().comparison
    assert (comparison.since, list(comparison.changes), comparison.problem) == ("", [], "")
