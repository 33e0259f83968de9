"""The journal of departures: private lines on the disk that name nobody and are never lost."""

import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.store import departures
from notifier.store.departures import Departure, Kind
from tests.support.installation import MONDAY

OF = "0123456789abcdef"


def left(number: int = 1) -> Departure:
    return Departure(Kind.LEFT, f"{number:064x}", OF, subscription=f"{number + 1:064x}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subscribers.db.departures"


def kinds(path: Path, name: str = OF) -> list[str]:
    return [str(line.departure.kind) for line in departures.read([path], name).lines]


def test_a_line_is_json_for_its_owner_alone(path: Path):
    departures.append(path, [left()], MONDAY, 400)
    begun, line = map(json.loads, path.read_text().splitlines())
    assert (begun["kind"], begun["of"]) == ("begun", OF)
    assert line["kind"] == "left"
    assert line["at"] == "2026-03-02T09:00:00+00:00"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_appended_is_read(path: Path):
    erased = Departure(Kind.ERASED, "a" * 64, OF, cause="erased")
    moved = Departure(Kind.MOVED, "b" * 64, OF, to="c" * 64)
    departures.append(path, [left(), erased], MONDAY, 400)
    departures.append(path, [moved], MONDAY + timedelta(hours=1), 400)
    journal = departures.read([path], OF)
    assert [line.departure for line in journal.lines[1:]] == [left(), erased, moved]
    assert journal.begins_at == MONDAY
    assert journal.unreadable == 0


def test_lines_are_on_the_disk_when_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(departures.os, "fsync", lambda number: synced.append(fsync(number)))
    departures.append(path, [left()], MONDAY, 400)
    assert len(synced) == 2, "the file and, because it is new, its folder"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00\x00\x00",
        b"not a line\n",
        b"[1, 2]\n",
        b'{"kind": "left"}\n',
        b'{"at": "2026-03-02", "kind": "left", "of": "0123456789abcdef"}\n',
        b'{"at": "2026-03-02", "kind": "left", "address": "x", "of": "0123456789abcdef"}\n',
        b'{"at": 7, "kind": "left", "address": "", "of": 7}\n',
        b'{"at": "2026-03-02", "kind": "flown", "of": "0123456789abcdef"}\n',
        b"[" * 5000 + b"\n",
    ],
    ids=repr,
)
def test_a_damaged_line_takes_no_other_with_it(path: Path, damage: bytes):
    departures.append(path, [left(1)], MONDAY, 400)
    whole = path.read_bytes()
    path.write_bytes(whole + damage)
    departures.append(path, [left(2)], MONDAY, 400)
    journal = departures.read([path], OF)
    assert [line.departure for line in journal.lines[1:]] == [left(1), left(2)]
    assert bool(journal.unreadable) is bool(damage)


def test_a_line_that_a_full_disk_cut_off_takes_no_other_with_it(path: Path):
    departures.append(path, [left(1)], MONDAY, 400)
    path.write_bytes(path.read_bytes()[:-20])
    departures.append(path, [left(2)], MONDAY, 400)
    assert [line.departure for line in departures.read([path], OF).lines[1:]] == [left(2)]


def test_lines_of_another_installation_are_counted_and_not_read(path: Path):
    departures.append(path, [left()], MONDAY, 400)
    journal = departures.read([path], "f" * 16)
    assert (journal.lines, journal.begins_at, journal.unreadable) == ([], None, 2)


def test_a_journal_that_does_not_exist_begins_never(path: Path):
    assert departures.read([path], OF).begins_at is None


def test_lines_of_several_machines_are_in_the_order_of_time(path: Path, tmp_path: Path):
    other = tmp_path / "other.departures"
    departures.append(path, [left(3)], MONDAY + timedelta(hours=2), 400)
    departures.append(other, [left(1)], MONDAY, 400)
    departures.append(other, [left(4)], MONDAY + timedelta(hours=3), 400)
    journal = departures.read([path, other], OF)
    addresses = [line.departure.address for line in journal.lines if line.departure.address]
    assert addresses == [left(number).address for number in (1, 3, 4)]
    assert journal.begins_at == MONDAY + timedelta(hours=2), "from when all of them are there"


def test_a_line_is_kept_as_long_as_a_backup_and_goes_after_twice_the_time(path: Path):
    for days in (0, 100, 399, 401, 500, 801, 802):
        departures.append(path, [left(days)], MONDAY + timedelta(days=days), 400)
    kept = {int(line.departure.address or "0", 16) for line in departures.read([path], OF).lines}
    assert {401, 500, 801, 802} <= kept
    assert 0 not in kept - {0}
    departures.append(path, [left(1300)], MONDAY + timedelta(days=1300), 400)
    assert 399 not in {
        int(line.departure.address or "0", 16) for line in departures.read([path], OF).lines
    }


def test_a_period_of_0_keeps_every_line(path: Path):
    for days in (0, 5000):
        departures.append(path, [left()], MONDAY + timedelta(days=days), 0)
    assert not departures.old_path(path).exists()


def test_processes_that_append_at_once_lose_no_line(path: Path):
    """Threads stand for processes: each opens the file by itself."""
    writers = 8

    def write(first: int) -> None:
        for number in range(first, first + 20):
            departures.append(path, [left(number)], MONDAY + timedelta(days=number), 90)

    threads = [threading.Thread(target=write, args=(1 + 20 * each,)) for each in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = departures.read([path], OF)
    assert journal.unreadable == 0


@pytest.mark.parametrize("made", ["folder", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(path: Path, made: str):
    path.mkdir() if made == "folder" else os.mkfifo(path)
    with pytest.raises(OSError, match=r"directory|regular"):
        departures.append(path, [left()], MONDAY, 400)
