"""Time zones: those of this machine are taken, retired ones replaced, lost ones stop nobody."""

import struct
import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from notifier.errors import InputError
from notifier.pipeline import housekeeping
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Subscriber
from notifier.subscribers.schedule import parse_zone
from notifier.text import times
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article

DAY = timedelta(days=1)


def forget_zones() -> None:
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()
    times._is_known_here.cache_clear()


@pytest.fixture
def machine_zones(tmp_path: Path) -> Iterator[Path]:
    """A folder of the time zone data of this machine that only the test knows."""
    zoneinfo.reset_tzpath([str(tmp_path / "zones")])
    times._is_known_here.cache_clear()
    (tmp_path / "zones").mkdir()
    yield tmp_path / "zones"
    forget_zones()


def add_zone(folder: Path, name: str, hours: int = 1) -> None:
    """Write a zone that never changes (RFC 8536, version 2)."""
    block = (
        b"TZif2"
        + b"\0" * 15
        + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
        + struct.pack(">lbb", hours * 3600, 0, 0)
        + b"XST\0"
    )
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(block * 2 + b"\nXST-%d\n" % hours)


@pytest.mark.parametrize("name", ["Europe/Newtown", "Mars/Olympus", "America/Argentina/Puerto"])
def test_a_zone_that_only_this_machine_knows_is_taken(machine_zones: Path, name: str):
    with pytest.raises(InputError):
        parse_zone(name)
    forget_zones()
    zoneinfo.reset_tzpath([str(machine_zones)])
    add_zone(machine_zones, name)
    assert parse_zone(name) == name
    assert times.zone(name).utcoffset(MONDAY.replace(tzinfo=None)) == timedelta(hours=1)


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "right/Mars/Base", "europe/newtown", "../up"]
)
def test_names_that_mean_another_thing_elsewhere_are_refused(machine_zones: Path, name: str):
    add_zone(machine_zones, "Europe/Newtown")
    if not name.startswith(".."):
        add_zone(machine_zones, name) if name != "europe/newtown" else None
    with pytest.raises(InputError):
        parse_zone(name)


def test_a_file_that_is_no_zone_is_refused(machine_zones: Path):
    (machine_zones / "leapseconds").write_text("# no zone\n")
    (machine_zones / "Europe").mkdir()
    for name in ("leapseconds", "Europe"):
        with pytest.raises(InputError):
            parse_zone(name)


RETIRED = {
    "US/Pacific-New": "America/Los_Angeles",
    "Canada/East-Saskatchewan": "America/Regina",
    "Mideast/Riyadh88": "Asia/Riyadh",
    "SystemV/EST5EDT": "America/New_York",
    "SystemV/HST10": "Pacific/Honolulu",
    "posix/Europe/Berlin": "Europe/Berlin",
    "right/Asia/Tokyo": "Asia/Tokyo",
    "right/US/Pacific-New": "America/Los_Angeles",
    "Europe/Kiev": "Europe/Kiev",
    "US/Eastern": "US/Eastern",
}


@pytest.mark.parametrize(("name", "taken"), RETIRED.items())
def test_a_retired_name_is_read_as_its_successor(name: str, taken: str):
    assert parse_zone(name) == taken


def test_every_successor_exists():
    assert set(times._SUCCESSORS.values()) <= times.zone_names()
    assert not set(times._SUCCESSORS) & times.zone_names()


UNKNOWN = ["", "Berlin", "Europe/Berln", "GMT+25", "W. Europe Standard Time", "CEST", "UTC\n", "Z"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_zone_is_refused(name: str):
    with pytest.raises(InputError):
        parse_zone(name)


def store_zone(made: Installation, email: str, zone: str) -> None:
    with made.at(MONDAY).writing() as session:
        statement = update(Subscriber).where(Subscriber.email == email)
        session.execute(statement.values(time_zone=zone))


def zone_of(made: Installation, email: str) -> str:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscriber.time_zone).filter(Subscriber.email == email).scalar()


def test_somebody_whose_zone_is_gone_gets_the_digest_and_the_operator_is_told_once(
    any_installation: Installation,
):
    made = any_installation
    made.change(operator=Operator(address="ops@example.org"))
    made.adopt()
    due = made.discover(2)
    made.subscribe("bob@example.org")
    for email in ("person1@example.org", "bob@example.org"):
        store_zone(made, email, "Europe/Nowhere")
    for moment in (due, due + DAY):
        run_once(made.at(moment))
    mails = made.sink.messages
    digests = [mail["To"] for mail in mails if "Frexalimab slows lesions" in text_of(mail)]
    assert sorted(digests) == ["person0@example.org", "person1@example.org"]
    notices = [text_of(mail) for mail in mails if "time zone" in mail["Subject"]]
    assert len(notices) == 1
    assert "Europe/Nowhere: subscriber 2, 3" in notices[0]
    assert "person1@" not in notices[0]
    assert zone_of(made, "person1@example.org") == "UTC"


def test_a_retired_zone_gets_its_successor_and_nobody_is_told(installation: Installation):
    installation.change(operator=Operator(address="ops@example.org"))
    installation.adopt()
    installation.subscribe("anna@example.org")
    store_zone(installation, "anna@example.org", "SystemV/PST8PDT")
    housekeeping.run(installation.at(MONDAY))
    run_once(installation.at(MONDAY))
    assert zone_of(installation, "anna@example.org") == "America/Los_Angeles"
    assert not installation.sink.messages


@pytest.mark.parametrize("zone", ["", "Nowhere", "../../etc/passwd", "Europe/Berlin\0", "é" * 60])
def test_any_text_in_place_of_a_zone_is_replaced(installation: Installation, zone: str):
    installation.adopt()
    installation.subscribe("anna@example.org")
    installation.publish([Article("Frexalimab slows lesions")])
    store_zone(installation, "anna@example.org", zone)
    housekeeping.run(installation.at(MONDAY))
    assert zone_of(installation, "anna@example.org") == "UTC"
