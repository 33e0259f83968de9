"""Reasons that operators give for what they decide: an address in one is stored nowhere."""

import pytest
from alembic import command
from sqlalchemy import text

from notifier.admin import issues as decisions
from notifier.admin import news_review, review, sending
from notifier.digest import issues
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.settings import Review
from notifier.store import db
from notifier.store.models import Digest, DigestItem, OperatorAction
from tests.support.installation import MONDAY, Installation
from tests.support.newsroom import DAY, HOUR, LESIONS, Newsroom

pytestmark = pytest.mark.postgresql_long

ANNA = Actor("anna", MONDAY)
REASON = "Anna@Example.org wrote that she gets nothing"
KEPT = "(an address) wrote that she gets nothing"
COLUMNS = {
    "operator_action": "reason",
    "match": "dropped_because",
    "near_miss": "dropped_because",
    "digest": "ended_because",
}


@pytest.fixture
def desk(any_installation: Installation) -> Installation:
    """An installation with a draft of the matches 1 and 2, a held match, and later a match 3."""
    any_installation.subscribe("reader@example.org")
    any_installation.change(review=Review(required=True))
    room = Newsroom(any_installation)
    room.run(MONDAY)
    for title in (LESIONS, "Frexalimab and sleep", "FREXALT, the album"):
        room.see(title)
    room.run(MONDAY + DAY - 2 * HOUR)
    room.see("Frexalimab trial is full", after=DAY)
    return any_installation


def drop_draft_on_its_page(desk: Installation, reason: str) -> None:
    with desk.at(MONDAY).reading() as session:
        state = issues.state_of(session.get_one(Digest, 1))
    decisions.drop(desk.at(MONDAY), 1, state, reason, ANNA, with_items=True)


def leave_out(desk: Installation, reason: str) -> None:
    with desk.at(MONDAY).reading() as session:
        state = issues.state_of(session.get_one(Digest, 1))
        match_id = session.query(DigestItem.match_id).order_by(DigestItem.rank).first()[0]
    decisions.leave_out(desk.at(MONDAY), 1, match_id, reason, {1: state}, ANNA)


DECISIONS = {
    "a draft on its page": drop_draft_on_its_page,
    "a draft in the terminal": lambda desk, reason: review.drop(
        desk.at(MONDAY), 1, reason, with_items=True
    ),
    "an item of a draft": leave_out,
    "a draft is held": lambda desk, reason: decisions.hold(desk.at(MONDAY), 1, reason, ANNA),
    "a match": lambda desk, reason: review.drop_match(desk.at(MONDAY), 1, reason, actor=ANNA),
    "a match in the terminal": lambda desk, reason: review.drop_match(desk.at(MONDAY), 1, reason),
    "a held match": lambda desk, reason: review.drop_held_match(
        desk.at(MONDAY), 1, reason, actor=ANNA
    ),
    "a held match is released": lambda desk, reason: news_review.release(
        desk.at(MONDAY), 1, because=reason, actor=ANNA
    ),
    "two reports are joined": lambda desk, reason: news_review.join(
        desk.at(MONDAY), 1, 2, because=reason, actor=ANNA
    ),
    "sending is stopped": lambda desk, reason: sending.stop(desk.at(MONDAY), ANNA, reason),
}


def reasons(made: Installation) -> list[str]:
    """Return all reasons that are stored."""
    with made.at(MONDAY).reading() as session:
        return [
            reason
            for table, column in COLUMNS.items()
            for reason in session.scalars(text(f'SELECT {column} FROM "{table}"'))
            if reason
        ]


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_an_address_in_a_reason_is_not_stored(desk, decide):
    decide(desk, REASON)
    stored = reasons(desk)
    assert KEPT in stored
    assert "example" not in " ".join(stored).lower()


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("Anna <anna@example.org>, twice", "Anna (an address) twice"),
        ("see mailto:anna%40example.org", "see (an address)"),
        ("anna\uff20example.org", "(an address)"),
        ("anna@example.org" + " and more" * 200, "(an address) and more"),
        ("40 % of them, at 8", "40 % of them, at 8"),
    ],
)
def test_an_address_in_another_form_is_not_stored(any_installation, reason, kept):
    with any_installation.at(MONDAY).writing() as session:
        actions.record(session, ANNA, "held", "Held digest 1", reason=reason)
    with any_installation.at(MONDAY).reading() as session:
        assert session.query(OperatorAction).one().reason.startswith(kept)


def test_an_upgrade_removes_the_addresses_from_old_reasons(desk):
    written = f"{REASON}, \uff20home, <b@x.test>: 50 % of ben%40example.org"
    review.drop_held_match(desk.at(MONDAY), 1, "x", actor=ANNA)
    engine = desk.at(MONDAY).engine
    with engine.connect() as connection:
        for table, column in COLUMNS.items():
            connection.execute(text(f'UPDATE "{table}" SET {column} = :it'), {"it": written})
        config = db.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0020")
        connection.commit()
        connection.invalidate()
    assert db.upgrade(engine) is True
    assert {*reasons(desk)} == {f"{KEPT}, (an address) (an address) 50 % of (an address)"}
