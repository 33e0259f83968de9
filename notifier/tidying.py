"""Tidying: what time does to subscriptions, and what is kept no longer than it is needed.

Run before digests are composed, as often as anybody likes: pauses end, unconfirmed sign-ups vanish, renewals are asked
for, who left long ago is forgotten, and so is what the operator was told.
"""

import logging

from notifier.deliver import notices, outbox
from notifier.deps import Deps
from notifier.errors import StoreError
from notifier.store import db
from notifier.store.statuses import DeliveryKind, SuppressionCause
from notifier.subscribers import enquiries, moving, privacy, standing

log = logging.getLogger("notifier")


def tidy(deps: Deps) -> None:
    """Do what is due."""
    now = deps.now()
    with deps.writing() as session:
        standing.wake(session, now)
        standing.forget_unconfirmed(session, now)
        enquiries.forget(session, now)
        moving.forget(session, now)
        notices.forget(session, now)
        forgotten = standing.long_gone(session, now)
        for person in forgotten:
            privacy.erase(session, person, SuppressionCause.LEFT, "left more than a year ago", now)
    if forgotten:
        try:
            db.scrub(deps.engine)
        except StoreError as error:
            log.warning("%s %s", error.problem, error.fix)
    months = deps.settings.subscriptions.renewal_months
    if months:
        with deps.writing() as session:
            found = standing.renewals(session, months, now)
            for kind, ones in ((DeliveryKind.RENEWAL, found.asked), (DeliveryKind.REMINDER, found.reminded)):
                outbox.enqueue_own(session, kind, [one.id for one in ones], deps.mail_domain, now)
