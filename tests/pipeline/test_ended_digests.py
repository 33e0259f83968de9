"""Ended digests: none ends while a mail of it is owed, whoever works on it at the same time."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.digest import digests
from notifier.enums import DeliveryStatus, DigestStatus
from notifier.pipeline import compose, deliver, unsent
from notifier.store.models import Delivery, Digest
from tests.support.installation import MONDAY, Installation

TUESDAY = MONDAY + timedelta(days=1)
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
def one_failed(any_installation: Installation) -> Installation:
    """An installation with an approved digest that one of two people got; the other one failed."""
    any_installation.prepare(fail_one)
    return any_installation


def fail_one(installation: Installation) -> None:
    compose.run(installation.at(installation.discover(2)))
    with installation.at(TUESDAY).writing() as session:
        session.execute(update(Delivery).values(status=DeliveryStatus.SENT, sent_at=TUESDAY))
        failed = update(Delivery).where(Delivery.id == 1)
        session.execute(failed.values(status=DeliveryStatus.FAILED, sent_at=None))


def status(installation: Installation) -> DigestStatus:
    with installation.at(TUESDAY).reading() as session:
        return session.scalars(select(Digest.status)).one()


def finish(installation: Installation) -> None:
    with installation.at(TUESDAY).writing() as session:
        digests.finish(session)


def retry(session: Session) -> None:
    outbox.retry(session, TUESDAY, [1])
    assert digests.go_on(session, [1])


def in_background(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    thread.join(1)
    return thread


def test_a_digest_to_which_another_transaction_gives_a_mail_does_not_end(one_failed: Installation):
    with one_failed.at(TUESDAY).writing() as session:
        retry(session)
        finishing = in_background(lambda: finish(one_failed))
    finishing.join()
    assert status(one_failed) is DigestStatus.APPROVED
    deliver.run(one_failed.at(TUESDAY))
    assert len(one_failed.sink.messages) == 1
    assert status(one_failed) is DigestStatus.SENT


@on_postgresql
def test_a_digest_that_got_a_mail_while_it_was_to_be_ended_does_not_end(one_failed: Installation):
    """The mail is stored between the question which digests are over and their end."""
    deps, asked = one_failed.at(TUESDAY), []

    def give_a_mail(_connection, _cursor, statement: str, *_rest) -> None:
        is_question = statement.startswith("SELECT digest.") and "FOR " not in statement
        if is_question and not asked:
            asked.append(statement)
            in_background(lambda: unsent.retry(deps, [1])).join()

    event.listen(deps.engine, "after_cursor_execute", give_a_mail)
    finish(one_failed)
    event.remove(deps.engine, "after_cursor_execute", give_a_mail)
    assert asked
    assert status(one_failed) is DigestStatus.APPROVED


@on_postgresql
def test_a_digest_that_is_being_ended_is_reopened_for_a_mail(one_failed: Installation):
    with one_failed.at(TUESDAY).writing() as session:
        digests.finish(session)
        session.flush()
        retrying = in_background(lambda: unsent.retry(one_failed.at(TUESDAY), [1]))
    retrying.join()
    assert status(one_failed) is DigestStatus.APPROVED
    deliver.run(one_failed.at(TUESDAY))
    assert len(one_failed.sink.messages) == 1


@pytest.mark.parametrize("ended", [DigestStatus.SENT, DigestStatus.FAILED])
def test_a_mail_that_waits_of_a_digest_that_ended_is_sent_all_the_same(
    one_failed: Installation, ended: DigestStatus
):
    with one_failed.at(TUESDAY).writing() as session:
        outbox.retry(session, TUESDAY, [1])
        session.execute(update(Digest).values(status=ended))
    deliver.run(one_failed.at(TUESDAY))
    assert len(one_failed.sink.messages) == 1
    assert status(one_failed) is DigestStatus.SENT


@pytest.mark.parametrize(
    "stopped",
    [DigestStatus.HELD, DigestStatus.DRAFT, DigestStatus.VOID, DigestStatus.DROPPED],
)
def test_a_mail_of_a_digest_that_may_not_go_out_waits(
    one_failed: Installation, stopped: DigestStatus
):
    with one_failed.at(TUESDAY).writing() as session:
        outbox.retry(session, TUESDAY, [1])
        session.execute(update(Digest).values(status=stopped))
    deliver.run(one_failed.at(TUESDAY))
    assert one_failed.sink.messages == []
    assert status(one_failed) is stopped
