"""Urgency: news that does not wait for a schedule.

A safety alert, a trial that was halted, or news that was withdrawn. The rules are few on purpose:
readers stop trusting alerts that come for nothing. Pure functions.

The words were collected by hand and are not measured (docs/matching.md, section 6).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifier.enums import NewsKind, Tier
from notifier.trial_fields import field_named

# At most 40 characters between "halts" and "trial": chosen by hand; not measured.
_ALERT = re.compile(
    r"(?i)\b(?:safety (?:alert|warning|signal|communication|concern)|clinical hold|partial hold|"
    r"recall(?:ed|s)?|boxed warning|black[- ]box warning|rote[- ]hand[- ]brief|"
    r"dear (?:doctor|healthcare professional)|"
    r"(?:trial|study|dosing|enrol?lment|recruitment)\b[^.]{0,40}\b"
    r"(?:halted|suspended|paused|stopped|terminated)|"
    r"(?:halts?|suspends?|pauses?|stops?|terminates?)\b[^.]{0,40}\b"
    r"(?:trial|study|dosing|enrol?lment|recruitment))\b"
)


def is_urgent(kind: NewsKind, tier: Tier, title: str, changes: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if news is sent at once to the people who asked for urgent news.

    Args:
        kind: the kind of news.
        tier: only news about the therapy itself can be urgent; a withdrawal also if the news
            only mentioned the therapy.
        title: the headline; the text below it decides nothing.
        changes: of a trial record, one mapping per field, with the keys ``what`` and ``after``.
    """
    if kind is NewsKind.WITHDRAWN:
        return tier in (Tier.ABOUT, Tier.MENTION)
    if kind is NewsKind.TRIAL_CHANGE:
        return any(map(_is_urgent, changes))
    return tier is Tier.ABOUT and bool(_ALERT.search(title))


def _is_urgent(change: Mapping[str, Any]) -> bool:
    field = field_named(str(change.get("what")))
    return field is not None and str(change.get("after")) in field.urgent_values
