"""Mails to the operator: one for each call, and none without an address in the settings."""

from notifier.pipeline.notices import enqueue_for_operator
from notifier.settings import Operator
from notifier.store.models import Delivery, Notice
from tests.support.installation import MONDAY, Installation


def test_a_mail_to_the_operator_is_enqueued_once(installation: Installation):
    installation.change(operator=Operator(address="operator@example.org"))
    deps = installation.at(MONDAY)
    with deps.writing() as session:
        enqueue_for_operator(deps, session, "notifier: a subject", "First.\n\nSecond.", MONDAY)
    with deps.reading() as session:
        (notice,) = session.query(Notice)
        assert (notice.to, notice.subject, notice.text, notice.created_at) == (
            "operator@example.org",
            "notifier: a subject",
            "First.\n\nSecond.",
            MONDAY,
        )
        assert session.query(Delivery).one().notice_id == notice.id


def test_without_an_address_of_the_operator_nothing_is_enqueued(installation: Installation):
    deps = installation.at(MONDAY)
    assert deps.settings.operator.address is None
    with deps.writing() as session:
        enqueue_for_operator(deps, session, "notifier: a subject", "A text.", MONDAY)
    with deps.reading() as session:
        assert session.query(Notice).count() == session.query(Delivery).count() == 0
