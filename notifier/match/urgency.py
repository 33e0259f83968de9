"""Urgency: what cannot wait for anybody's hour: a safety alert, a trial that was halted, news that was withdrawn.

Pure, and deliberately narrow: what breaks a schedule for nothing will not be believed when it
counts.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifier.enums import NewsKind, Tier
from notifier.trial_fields import field_named

_ALERT = re.compile(
    r"(?i)\b(?:safety (?:alert|warning|signal|communication|concern)|clinical hold|partial hold|recall(?:ed|s)?|"
    r"boxed warning|black[- ]box warning|rote[- ]hand[- ]brief|dear (?:doctor|healthcare professional)|"
    r"(?:trial|study|dosing|enrol?lment|recruitment)\b[^.]{0,40}\b(?:halted|suspended|paused|stopped|terminated)|"
    r"(?:halts?|suspends?|pauses?|stops?|terminates?)\b[^.]{0,40}\b(?:trial|study|dosing|enrol?lment|recruitment))\b"
)


def urgent(kind: NewsKind, tier: Tier, title: str, changes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether news breaks the schedule of who asked for that.

    Args:
        kind: what kind of news it is.
        tier: only what is about the therapy itself can be urgent, or what names it and was
            withdrawn.
        title: the headline; what stands further down decides nothing.
        changes: of a trial record, field by field.
    """
    if kind is NewsKind.WITHDRAWN:
        return tier in (Tier.ABOUT, Tier.MENTION)
    if kind is NewsKind.TRIAL_CHANGE:
        return any(map(_is_urgent, changes))
    return tier is Tier.ABOUT and bool(_ALERT.search(title))


def _is_urgent(change: Mapping[str, Any]) -> bool:
    field = field_named(str(change.get("what")))
    return field is not None and str(change.get("after")) in field.urgent_values
