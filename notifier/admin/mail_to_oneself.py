"""A test mail of a stored digest to an address that an operator names, at most ten an hour.

Opens the transactions. That it was asked for is recorded before it is sent, so that it counts
whatever the server says; the answer is an entry of its own. Neither names the address.
"""

from dataclasses import replace
from datetime import timedelta

from notifier.admin import preview
from notifier.deliver.bounces.advice import advice_for_test
from notifier.deliver.outbox import SendResult
from notifier.deliver.redaction import safe
from notifier.deps import Deps
from notifier.digest import digests, issues
from notifier.email_addresses import normalize
from notifier.errors import NotifierError
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.store import db

MOST, PERIOD = 10, timedelta(hours=1)
_ASKED = "test_mail"


class TooManyTestsError(NotifierError):
    """A test mail more than may be sent in an hour."""


class RefusedTestError(NotifierError):
    """A test mail that the mail server did not take; the problem has its words."""


def send(deps: Deps, digest_id: int, recipient: str, actor: Actor) -> int:
    """Send a digest as its readers get it, with links that belong to nobody.

    Args:
        deps: the installation.
        digest_id: of the digest.
        recipient: the address, as it was typed.
        actor: who asks for it.

    Returns:
        The id of the entry in the log that says that the server accepted it.

    Raises:
        AddressError: the recipient is not an e-mail address.
        NotFoundError: there is no such digest.
        SettingsError: the sender's address is not set.
        TooManyTestsError: ten were asked for within an hour.
        RefusedTestError: the server did not take it.
    """
    deps.require_sender()
    address = normalize(recipient)
    about = f"digest {digest_id}"
    with deps.writing() as session:
        title = issues.title_of(digests.find(session, digest_id))
        db.take_turns(session, _ASKED)
        if actions.number_since(session, _ASKED, actor.now - PERIOD) >= MOST:
            raise TooManyTestsError(
                f"{MOST} test mails were sent within an hour, and more are not sent.",
                "Try again in an hour.",
            )
        text = f"Asked for a test mail of digest {digest_id}: {title}"
        actions.record(session, actor, _ASKED, text, about=about)
    # The connection is this mail's own: others may be sending at the same time.
    outcome = preview.send_stored(replace(deps), digest_id, address).outcome
    words = safe(outcome.text, address)
    accepted = outcome.answer is SendResult.ACCEPTED
    text = f"The mail server {'accepted' if accepted else 'did not take'} the test mail of {about}"
    if words:
        text = f"{text}: {words}"
    with deps.writing() as session:
        action_id = actions.record(session, actor, "test_answer", text, about=about)
    if not accepted:
        is_put_off = outcome.answer is SendResult.DEFERRED and outcome.waits_because is None
        raise RefusedTestError(
            f"The mail server did not take the mail: {(words or outcome.answer).rstrip('.')}.",
            advice_for_test(outcome.text, is_put_off=is_put_off),
        )
    return action_id
