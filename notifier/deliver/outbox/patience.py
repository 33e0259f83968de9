"""Patience: how long a delivery that servers put off is tried before it is given up.

Owns `Delivery.first_answer_at` and `Delivery.given_up_at`. Patience counts from the first answer of
a server: days without a server, without a running notifier, or of refusals for our fault are not
held against a mail.
"""

from datetime import datetime, timedelta

from notifier.store.models import Delivery

# A delivery that was not accepted is given up after this time. RFC 5321, 4.5.4.1 advises 4 to 5
# days for mail servers. Chosen by hand; not measured.
PATIENCE = timedelta(days=3)

# An attempt that comes so much later than planned: nothing was tried in between, and that time does
# not count. A cron job that runs once a day is no such gap. Chosen by hand; not measured.
_GAP = timedelta(days=1)


def is_over(delivery: Delivery, now: datetime) -> bool:
    """Count an answer that puts a delivery off; return whether it is to be given up.

    Args:
        delivery: with `waits_because` of this answer, and `next_attempt_at` as it was planned.
        now: the time of the answer.
    """
    if delivery.waits_because:
        delivery.first_answer_at, delivery.given_up_at = None, now + PATIENCE
        return False
    if delivery.first_answer_at is None:
        delivery.first_answer_at, delivery.given_up_at = now, now + PATIENCE
    late = now - delivery.next_attempt_at
    if late > _GAP:
        delivery.given_up_at += late
    return now >= delivery.given_up_at
