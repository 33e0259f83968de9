"""Who leaves stands in the journal; a journal that cannot be written keeps nobody from leaving."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from notifier import deps as composition_root
from notifier.deliver import alerts
from notifier.enums import SubscriptionStatus, SuppressionCause
from notifier.match import profiles
from notifier.pipeline import departures as step
from notifier.settings import Backup, Operator
from notifier.store import departures
from notifier.store.models import Notice, Subscription
from notifier.subscribers import lifecycle, privacy, subscriptions, suppressions
from tests.support.installation import MONDAY, Installation

ANNA = "anna@example.org"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outside" / "notifier.departures"


@pytest.fixture
def journaled(any_installation: Installation, path: Path) -> Installation:
    """An installation whose journal can be written, and Anna."""
    path.parent.mkdir()
    any_installation.change(
        backup=Backup(journal_file=path), operator=Operator(address="office@example.org")
    )
    any_installation.subscribe(ANNA)
    return any_installation


def lines(installation: Installation, path: Path) -> list[departures.Departure]:
    with installation.at(MONDAY).reading() as session:
        name = departures.installation_name(session)
    return [line.departure for line in departures.read([path], name).lines[1:]]


def hash_of(installation: Installation, email: str) -> str:
    with installation.at(MONDAY).reading() as session:
        return subscriptions.hash_of(session, email)


def leave(installation: Installation, email: str = ANNA) -> None:
    with installation.at(MONDAY).writing() as session:
        assert subscriptions.unsubscribe(session, email, None, "operator test", MONDAY) == 1


def never(session) -> None:
    subscriptions.never_again(session, subscriptions.hash_of(session, ANNA), MONDAY)


def erase(session) -> None:
    person = subscriptions.find_subscriber(session, ANNA)
    privacy.erase(session, person, SuppressionCause.ERASED, "erased", MONDAY)


def suppress(session) -> None:
    key = subscriptions.hash_of(session, ANNA)
    suppressions.add(session, key, SuppressionCause.ASKED, "a letter", MONDAY)


def undo(session) -> None:
    subscription = subscriptions.find_subscriber(session, ANNA).subscriptions[0]
    subscriptions.end(session, subscription, "link", "subscriber", MONDAY)
    lifecycle.undo(session, subscription, MONDAY)


@pytest.mark.parametrize(
    ("act", "kinds"),
    [
        (never, ["suppressed", "left"]),
        (erase, ["erased", "suppressed"]),
        (suppress, ["suppressed"]),
        (undo, ["left", "returned"]),
    ],
    ids=["never again", "erased", "suppressed by the operator", "left and undone"],
)
def test_each_departure_is_in_the_journal(journaled: Installation, path: Path, act, kinds):
    path.unlink()
    with journaled.at(MONDAY).writing() as session:
        act(session)
    written = lines(journaled, path)
    assert [str(each.kind) for each in written] == kinds
    assert {each.address for each in written} == {hash_of(journaled, ANNA)}
    assert ANNA.encode() not in path.read_bytes()
    assert b"frexalimab" not in path.read_bytes()


def test_what_is_rolled_back_is_not_in_the_journal(journaled: Installation, path: Path):
    before = path.read_bytes()

    def fails() -> None:
        with journaled.at(MONDAY).writing() as session:
            never(session)
            raise ValueError("the end")

    with pytest.raises(ValueError, match="the end"):
        fails()
    assert path.read_bytes() == before


def test_a_journal_that_cannot_be_written_is_reported_once_and_completed_later(
    journaled: Installation, path: Path
):
    shutil.rmtree(path.parent)
    leave(journaled)
    with journaled.at(MONDAY).reading() as session:
        assert session.scalars(select(Subscription.status)).all() == [SubscriptionStatus.ENDED]
    for minutes in (1, 2, 3):
        step.run(journaled.at(MONDAY + timedelta(minutes=minutes)))
    with journaled.at(MONDAY).reading() as session:
        (notice,) = session.scalars(select(Notice))
    assert "journal of departures cannot be written" in notice.subject
    assert str(path) in notice.text
    assert ANNA not in notice.text
    path.parent.mkdir()
    step.run(journaled.at(MONDAY + timedelta(minutes=4)))
    (written,) = lines(journaled, path)
    assert (written.kind, written.address) == ("left", hash_of(journaled, ANNA))
    with journaled.at(MONDAY).reading() as session:
        subjects = session.scalars(select(Notice.subject).order_by(Notice.id)).all()
    assert "is written again" in subjects[1]
    step.run(journaled.at(MONDAY + timedelta(minutes=5)))
    assert len(lines(journaled, path)) == 1


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), PermissionError(13, "Not allowed"), MemoryError()],
    ids=repr,
)
def test_no_trouble_with_the_journal_stops_a_leave(
    journaled: Installation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
):
    def fails(*_args) -> None:
        raise error

    monkeypatch.setattr(composition_root.departures, "append", fails)
    leave(journaled)
    assert "cannot be written" in caplog.text
    assert ANNA not in caplog.text
    with journaled.at(MONDAY).reading() as session:
        assert alerts.since(session, alerts.JOURNAL) == MONDAY


def test_what_a_killed_process_did_not_append_is_appended_a_day_later(
    journaled: Installation, path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as killed:
        killed.setattr(composition_root.departures, "append", lambda *_args: None)
        leave(journaled)
        with journaled.at(MONDAY).writing() as session:
            suppress(session)
    assert step.complete(journaled.at(MONDAY), MONDAY - timedelta(days=1)) == 2
    assert step.complete(journaled.at(MONDAY), MONDAY - timedelta(days=1)) == 0
    kinds = sorted(str(each.kind) for each in lines(journaled, path))
    assert kinds == ["left", "returned", "suppressed"]


def test_profiles_are_told_apart_only_with_the_key(journaled: Installation):
    with journaled.at(MONDAY).reading() as session:
        profile = profiles.find(session, None)
        key = subscriptions.hash_of(session, ANNA)
        names = {
            departures.subscription_name(session, key, number)
            for number in (profile.id, profile.id + 1)
        }
    assert len(names) == 2
