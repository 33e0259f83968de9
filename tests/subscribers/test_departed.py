"""What a line of the journal does to the people of an older database."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from notifier.enums import SuppressionCause
from notifier.store import departures
from notifier.store.departures import Departure, Kind, Line
from notifier.store.models import Subscriber, Subscription, Suppression
from notifier.subscribers import departed, subscriptions
from tests.support.installation import MONDAY, Installation

OLD, NEW = "old@example.org", "new@example.org"
HOUR = timedelta(hours=1)


class Lines:
    """Lines about an address that was moved from `OLD` to `NEW`."""

    def __init__(self, session) -> None:
        self._session = session
        self.old, self.new = (subscriptions.hash_of(session, each) for each in (OLD, NEW))
        self.profile_id = session.scalar(select(Subscription.profile_id).limit(1))
        self.lines: list[Line] = []

    def add(self, kind: Kind, address: str, *, subscribed: bool = False, **details: str) -> None:
        name = departures.installation_name(self._session)
        if subscribed:
            details["subscription"] = departures.subscription_name(
                self._session, address, self.profile_id
            )
        at = MONDAY + len(self.lines) * HOUR
        self.lines.append(Line(at, Departure(kind, address, name, **details)))

    def moved(self) -> None:
        self.add(Kind.MOVED, self.old, to=self.new)

    def moved_and_left(self) -> None:
        self.moved()
        self.add(Kind.LEFT, self.new, subscribed=True)

    def left_and_came_back(self) -> None:
        self.add(Kind.LEFT, self.old, subscribed=True)
        self.add(Kind.RETURNED, self.old, subscribed=True)

    def moved_and_erased(self) -> None:
        self.moved()
        self.add(Kind.ERASED, self.new, cause="erased")

    def moved_and_complained(self) -> None:
        self.moved()
        self.add(Kind.SUPPRESSED, self.new, cause="complained")

    def moved_and_bounced(self) -> None:
        self.moved()
        self.add(Kind.SUPPRESSED, self.new, cause="bounced")

    def suppressed_for_a_reason_of_a_newer_version(self) -> None:
        self.add(Kind.SUPPRESSED, self.old, cause="by the moon")

    def suppressed_and_lifted(self) -> None:
        self.add(Kind.SUPPRESSED, self.old, cause="bounced")
        self.add(Kind.LIFTED, self.old)

    def moved_in_a_circle(self) -> None:
        self.moved()
        self.add(Kind.MOVED, self.new, to=self.old)


def state(session) -> tuple[list[str], dict[str, str]]:
    """The statuses of all subscriptions, and the suppressions of the two addresses."""
    names = {subscriptions.hash_of(session, each): each[:3] for each in (OLD, NEW)}
    statuses = session.scalars(select(Subscription.status).join(Subscriber))
    causes = session.execute(select(Suppression.address_hash, Suppression.cause))
    return [*map(str, statuses)], {names[address]: str(cause) for address, cause in causes}


@pytest.mark.parametrize(
    ("act", "statuses", "suppressed"),
    [
        (Lines.moved, ["paused"], {}),
        (Lines.moved_and_left, ["ended"], {}),
        (Lines.left_and_came_back, ["confirmed"], {}),
        (Lines.moved_and_erased, [], {"old": "erased"}),
        (Lines.moved_and_complained, ["paused"], {"old": "complained", "new": "complained"}),
        (Lines.moved_and_bounced, ["paused"], {"new": "bounced"}),
        (
            Lines.suppressed_for_a_reason_of_a_newer_version,
            ["confirmed"],
            {"old": str(SuppressionCause.ASKED)},
        ),
        (Lines.suppressed_and_lifted, ["confirmed"], {}),
        (Lines.moved_in_a_circle, ["paused"], {}),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_departure_is_repeated_and_a_second_time_changes_nothing(
    any_installation: Installation, act, statuses: list[str], suppressed: dict[str, str]
):
    any_installation.subscribe(OLD)
    for _ in range(2):
        with any_installation.at(MONDAY).writing() as session:
            lines = Lines(session)
            act(lines)
            departed.repeat(session, lines.lines, MONDAY)
        with any_installation.at(MONDAY).reading() as session:
            assert state(session) == (statuses, suppressed)


@pytest.mark.parametrize(
    ("act", "status"),
    [(Lines.moved, "confirmed"), (Lines.moved_and_left, "ended"), (Lines.moved_and_erased, None)],
)
def test_a_row_that_cannot_be_read_keeps_no_departure_from_being_repeated(
    installation: Installation, act, status: str | None
):
    installation.subscribe(OLD)
    with installation.at(MONDAY).writing() as session:
        session.execute(text("UPDATE subscription SET cadence='hourly'"))
    for _ in range(2):
        with installation.at(MONDAY).writing() as session:
            lines = Lines(session)
            act(lines)
            departed.repeat(session, lines.lines, MONDAY)
            assert session.scalar(text("SELECT status FROM subscription")) == status


def test_what_the_database_knows_repeats_itself(any_installation: Installation):
    any_installation.subscribe(OLD)
    any_installation.subscribe(NEW)
    deps = any_installation.at(MONDAY)
    with deps.writing() as session:
        subscriptions.unsubscribe(session, OLD, None, "operator test", MONDAY)
        subscriptions.never_again(session, subscriptions.hash_of(session, NEW), MONDAY)
    with deps.reading() as session:
        kinds = sorted(str(line.departure.kind) for line in departed.since(session, MONDAY))
        assert departed.since(session, MONDAY + HOUR) == []
    assert kinds == ["left", "left", "suppressed"]
