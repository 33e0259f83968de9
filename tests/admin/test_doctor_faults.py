"""Seeded faults of installation, content, web pages and flow: each is named with its fix."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import String, text, update
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from notifier.admin.doctor import flow
from notifier.admin.doctor.findings import Status
from notifier.deliver import alerts
from notifier.deliver.outbox import warm_up
from notifier.pipeline import compose, deliver
from notifier.store.models import (
    Delivery,
    HeldSuppression,
    Profile,
    Source,
    Subscriber,
)
from notifier.store.models import (
    Installation as InstallationRow,
)
from tests.support import certificates
from tests.support.examined_world import Fault, Servers, World, around, expect, settings
from tests.support.installation import MONDAY, Installation

OK, WARNING, FAILED, NOT_CHECKED = Status
DUE = MONDAY + timedelta(days=1)


@pytest.fixture
def world(
    running: Servers,
    installation: Installation,
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return around(running, installation, tmp_path, certificate, monkeypatch)


def changed(model: type, **values: object) -> Callable[[World], object]:
    """Change all rows of a table."""

    def change(world: World) -> None:
        with world.installation.at(MONDAY).writing() as session:
            session.execute(update(model).values(**values))

    return change


def schema(number: str) -> Callable[[World], object]:
    def change(world: World) -> None:
        with world.installation.at(MONDAY).writing() as session:
            session.execute(text(f"UPDATE alembic_version SET version_num = '{number}'"))

    return change


def at(moment: datetime) -> Callable[[World], object]:
    return lambda world: setattr(world, "moment", moment)


def a_full_disk(free: int) -> Callable[[World], object]:
    usage = shutil._ntuple_diskusage(10**12, 10**12 - free, free)
    return lambda world: world.patch.setattr(shutil, "disk_usage", lambda _: usage)


def an_unknown_zone(world: World) -> None:
    world.installation.subscribe("anna@example.org")
    changed(Subscriber, time_zone="Atlantis/Capital")(world)


def a_canary_of_another_tier(world: World) -> None:
    with world.installation.at(MONDAY).writing() as session:
        profile = session.query(Profile).one()
        canaries = [{"title": "A walk in the park", "tier": "about"}]
        profile.document = {**profile.document, "canaries": canaries}


def a_held_suppression(world: World) -> None:
    world.installation.subscribe("anna@example.org")
    with world.installation.at(MONDAY).writing() as session:
        person = session.query(Subscriber).one()
        values = {"address_hash": "a" * 64, "provider": "example.org", "at": MONDAY}
        session.add(HeldSuppression(subscriber=person, held_at=MONDAY, **values))


def a_digest_that_waits(world: World, **values: object) -> None:
    """Compose a digest that is due for two hours."""
    world.installation.discover(2, "A trial of frexalimab begins")
    compose.run(world.installation.at(DUE))
    world.moment = DUE + timedelta(hours=2)
    if values:
        changed(Delivery, **values)(world)


def refused(world: World) -> None:
    answer = "550 to RCPT TO: 5.7.1 Client host [192.0.2.7] blocked using zen.example.net"
    a_digest_that_waits(world, waits_because="ours", attempts=1, error=answer)


def many_mails_to_a_provider(world: World) -> None:
    """Send mails to one provider, near the threshold of bulk senders, without DMARC."""
    world.installation.discover(3, "A trial of frexalimab begins")
    changed(Subscriber, email=Subscriber.id.cast(String) + "@gmail.com")(world)
    compose.run(world.installation.at(DUE))
    deliver.run(world.installation.at(DUE))
    world.moment = DUE + timedelta(minutes=1)
    world.patch.setattr(flow, "_NEAR_BULK", 3)
    world.texts("_dmarc.example.org")


def a_journal(place: str) -> Callable[[World], object]:
    return lambda world: world.set("backup.journal_file", str(world.folder / place))


def a_folder_as_journal(world: World) -> None:
    (world.folder / "left").mkdir()
    a_journal("left")(world)


def a_journal_that_could_not_be_written(world: World) -> None:
    with world.installation.at(MONDAY).writing() as session:
        alerts.note_journal(session, "No space left on device", MONDAY)


def many_new_readers(world: World) -> None:
    world.installation.discover(3)
    world.patch.setattr(warm_up, "FIRST_DAY", 2)


INSTALLATION = {
    "there is no database": Fault(
        settings(database_url="sqlite:///gone.db"), "installation.database", FAILED, "notifier init"
    ),
    "the address of the database is none": Fault(
        settings(database_url="mysql://localhost/x"), "installation.database", FAILED, "sqlite:///"
    ),
    "the schema is older": Fault(schema("0003"), "installation.schema", FAILED, "db upgrade"),
    "the schema is newer": Fault(schema("9999"), "installation.schema", FAILED, "Install that"),
    "the suppression key is another one": Fault(
        changed(InstallationRow, key_fingerprint="0123456789abcdef"),
        "installation.suppression_key",
        FAILED,
        "Put the old key back",
    ),
    "the suppression key is missing": Fault(
        settings(suppression_key=""), "installation.suppression_key", FAILED, "notifier init"
    ),
    "the disk is nearly full": Fault(
        a_full_disk(10**11), "installation.disk", WARNING, "Make room"
    ),
    "the disk is full": Fault(a_full_disk(10**6), "installation.disk", FAILED, "Make room"),
    "a restore waits for a decision": Fault(
        changed(InstallationRow, restored_at=MONDAY, restored_from=MONDAY),
        "installation.restore",
        FAILED,
        "notifier db resume",
    ),
    "the journal of departures has no folder": Fault(
        a_journal("gone/left"), "installation.journal", WARNING, "Make the folder"
    ),
    "the journal of departures is a folder": Fault(
        a_folder_as_journal, "installation.journal", WARNING, "backup.journal_file"
    ),
    "the journal of departures could not be written": Fault(
        a_journal_that_could_not_be_written, "installation.journal", WARNING, "appended by itself"
    ),
    "the clock was ahead": Fault(
        changed(InstallationRow, newest_time=MONDAY + timedelta(days=2)),
        "installation.clock",
        WARNING,
        "notifier clock --accept",
    ),
    "the clock is behind everything": Fault(
        at(MONDAY - timedelta(days=900)), "installation.clock", FAILED, "Set the clock"
    ),
    "a time zone is unknown": Fault(
        an_unknown_zone, "installation.zones", WARNING, "--time-zone ZONE"
    ),
    "the rules of zones are old": Fault(
        at(datetime(2032, 3, 1, tzinfo=UTC)), "installation.zones", WARNING, "upgrade tzdata"
    ),
}

CONTENT = {
    "a source fails": Fault(
        changed(Source, failures=3, last_error="it answered 503"),
        "content.sources",
        WARNING,
        "notifier sources check",
    ),
    "a source is silent": Fault(
        changed(Source, expected_by=MONDAY - timedelta(days=1)),
        "content.sources",
        WARNING,
        "notifier sources check",
    ),
    "a source was never polled": Fault(
        changed(Source, last_success_at=None), "content.sources", WARNING, "notifier poll"
    ),
    "no source is watched": Fault(
        changed(Source, removed_at=MONDAY), "content.sources", WARNING, "sources add"
    ),
    "a canary gets another tier": Fault(
        a_canary_of_another_tier, "content.canaries", WARNING, "profiles import"
    ),
    "a stage is older than a year": Fault(
        at(datetime(2027, 3, 1, tzinfo=UTC)), "content.stages", WARNING, "stage_as_of"
    ),
    "a suppression waits": Fault(
        a_held_suppression, "content.held", WARNING, "notifier bounces held"
    ),
    "the sender's name tells the illness": Fault(
        settings(sender__name="Multiple-Sclerosis News"),
        "content.discreet",
        WARNING,
        "Give sender.name",
    ),
    "the address of the pages tells the therapy": Fault(
        settings(public_url="https://frexalimab.example.org"),
        "content.discreet",
        WARNING,
        "Give public_url",
    ),
}

FLOW = {
    "notifier does not run": Fault(
        changed(InstallationRow, ran_at=MONDAY - timedelta(days=1)),
        "flow.runs",
        FAILED,
        "notifier run --once",
    ),
    "a person stopped the sending": Fault(
        changed(InstallationRow, stopped_at=MONDAY), "flow.sending", FAILED, "deliveries resume"
    ),
    "a lane waits for too long": Fault(
        a_digest_that_waits, "flow.lanes", WARNING, "deliveries list --status pending"
    ),
    "nothing of a digest is accepted": Fault(
        a_digest_that_waits, "flow.backlog", FAILED, "deliveries list --status pending"
    ),
    "servers refuse us": Fault(refused, "flow.refusals", FAILED, "smtp.helo_name"),
    "a bulk sender without DMARC": Fault(
        many_mails_to_a_provider, "flow.volume", WARNING, "Mend dns.dmarc"
    ),
    "a new sender with many readers": Fault(
        many_new_readers, "flow.warm_up", WARNING, "smtp.warm_up"
    ),
}


@pytest.mark.parametrize("fault", INSTALLATION.values(), ids=INSTALLATION.keys())
def test_a_fault_of_the_installation_is_named_with_its_fix(world: World, fault: Fault):
    expect(world, fault)


@pytest.mark.parametrize("fault", CONTENT.values(), ids=CONTENT.keys())
def test_a_fault_of_the_content_is_named_with_its_fix(world: World, fault: Fault):
    expect(world, fault)


@pytest.mark.parametrize("fault", FLOW.values(), ids=FLOW.keys())
def test_a_fault_of_the_flow_is_named_with_its_fix(world: World, fault: Fault):
    expect(world, fault)


def cut_in_half(file: Path) -> None:
    octets = file.read_bytes()
    file.write_bytes(octets[: len(octets) // 2])


@pytest.mark.parametrize(
    ("spoil", "status", "fix"),
    [
        (cut_in_half, WARNING, "notifier db backup FILE"),
        (Path.unlink, NOT_CHECKED, "safe place"),
    ],
    ids=["damaged", "moved away"],
)
def test_a_backup_that_cannot_be_opened_is_named_with_its_fix(
    world: World, spoil: Callable[[Path], object], status: Status, fix: str
):
    spoil(world.back_up())
    finding = world.find("installation.backup")
    assert finding.status is status, finding.result
    assert fix in finding.result.fix


def test_a_missing_and_an_old_backup_are_named_with_their_fix(world: World):
    assert world.find("installation.backup").status is WARNING
    world.back_up()
    assert world.find("installation.backup").status is OK
    world.moment = MONDAY + timedelta(days=8)
    finding = world.find("installation.backup")
    assert finding.status is WARNING
    assert "notifier db backup FILE" in finding.result.fix


def another_program(_application: ASGIApp) -> ASGIApp:
    return PlainTextResponse("It works!")


def a_redirect(_application: ASGIApp) -> ASGIApp:
    return RedirectResponse("https://www.example.org/")


def a_redirect_of_posts(application: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        posted = scope["method"] == "POST"
        await (RedirectResponse("/") if posted else application)(scope, receive, send)

    return answer


def posts_that_all_succeed(application: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        posted = scope["method"] == "POST"
        await (PlainTextResponse("ok") if posted else application)(scope, receive, send)

    return answer


def front(application: Callable[[ASGIApp], ASGIApp]) -> Callable[[World], object]:
    return lambda world: setattr(world, "front", application)


WEB = {
    "another program answers": Fault(
        front(another_program), "web.instance", FAILED, "notifier serve"
    ),
    "the address redirects": Fault(front(a_redirect), "web.instance", FAILED, "without a redirect"),
    "one click is redirected": Fault(
        front(a_redirect_of_posts), "web.one_click", FAILED, "no redirect"
    ),
    "a forged link is accepted": Fault(
        front(posts_that_all_succeed), "web.one_click", FAILED, "notifier serve"
    ),
    "the proxy is not listed": Fault(
        lambda world: setattr(world, "trusted", "192.0.2.1"),
        "web.proxy",
        WARNING,
        "web.trusted_proxies",
    ),
    "the proxy names nobody": Fault(
        lambda world: setattr(world, "forwarded_for", ""), "web.proxy", WARNING, "X-Forwarded-For"
    ),
}


@pytest.mark.parametrize("fault", WEB.values(), ids=WEB.keys())
def test_a_fault_of_the_pages_is_named_with_its_fix(world: World, fault: Fault):
    fault.plant(world)
    with world.pages():
        finding = world.find(fault.check)
    assert finding.status is fault.status, finding.result
    assert fault.fix in finding.result.fix


def test_pages_with_another_key_are_not_this_installation(world: World):
    with world.pages():
        world.set("secret_key", "k5-Wq0zXr8TnB2vLpYe")
        finding = world.find("web.instance")
    assert finding.status is FAILED
    assert "Restart `notifier serve`" in finding.result.fix


def test_pages_that_do_not_answer_are_named_with_the_fix(world: World):
    with world.pages():
        pass
    finding = world.find("web.reachable")
    assert finding.status is FAILED
    assert "notifier serve" in finding.result.fix


def test_a_certificate_of_the_pages_that_ends_soon_is_named_with_the_fix(world: World):
    with world.pages():
        assert world.find("web.certificate").status is OK
        world.moment = datetime(2119, 12, 1, tzinfo=UTC)
        finding = world.find("web.certificate")
    assert finding.status is WARNING
    assert "Renew the certificate" in finding.result.fix


def test_a_certificate_of_the_pages_that_is_not_valid_is_named_with_the_fix(world: World):
    strange = certificates.write(world.folder / "strange.pem")
    with world.pages():
        world.patch.setenv("SSL_CERT_FILE", str(strange))
        finding = world.find("web.reachable")
    assert finding.status is FAILED
    assert "Renew the certificate" in finding.result.fix


def test_waiting_mails_of_each_lane_are_counted(world: World):
    a_digest_that_waits(world)
    actual = world.find("flow.lanes").result.actual
    assert actual.startswith("others: 2 since 2026-03-03")
