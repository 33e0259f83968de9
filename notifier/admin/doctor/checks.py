"""All checks, in the order in which they run and are shown: what others need comes first."""

from notifier.admin.doctor import (
    content,
    flow,
    installation,
    mail_server,
    returns,
    round_trip,
    sender_dns,
    web,
)
from notifier.admin.doctor.check import Check

CHECKS: tuple[Check, ...] = (
    *installation.CHECKS,
    *content.CHECKS,
    *mail_server.CHECKS,
    *sender_dns.CHECKS,
    *web.CHECKS,
    *returns.CHECKS,
    *flow.CHECKS,
    *round_trip.CHECKS,
)
