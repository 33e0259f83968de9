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

_TRIAL = r"(?:trials?|stud(?:y|ies)|dosing|enrol?lment|recruitment)"
# At most 40 characters between "halts" and "trial": chosen by hand; not measured.
_ALERT = re.compile(
    rf"(?i)\b(?:safety (?:alert|warning|signal|communication|concern)s?|"
    rf"(?:clinical|partial) holds?|boxed warning|black[- ]box warning|rote[- ]hand[- ]brief|"
    rf"dear (?:doctor|healthcare professional)|(?P<recall>recall(?:ed|s)?)|"
    rf"(?P<trial>{_TRIAL}\b[^.?!]{{0,40}}\b"
    rf"(?:halted|suspended|paused|stopped|terminated|discontinued))|"
    rf"(?P<end>(?:halts?|suspends?|pauses?|stops?|terminates?|discontinues?)\b"
    rf"[^.?!]{{0,40}}\b{_TRIAL}))\b"
)
# Characters that are read before an alert, and behind it. Chosen by hand; not measured.
_BESIDE = 40
# There is none, or it is over: up to three words before an alert, or behind it. What happened by it
# or after it is told of one that there is.
_CAUSED = r"(?:after|amid|as|because|by|despite|due|following|over)\b"
_NONE = re.compile(
    rf"(?i)\b(?:(?:(?:not|never)(?: {_CAUSED}(?: of| to)?)?"
    r"|no|without|free of|lift(?:s|ing)?|remov(?:es|ing)|keine?)"
    rf"(?: (?!{_CAUSED})(?:(?:\w\.)+|[\w’'-]+)){{0,3}}|resum(?:es|ing)(?: [\w-]+){{0,3}}) $"
)
_OVER = re.compile(r"(?i)\b(?:lifted|removed|ends|ended)\b")
_NOT = re.compile(r"(?i)\b(?:not|never|no longer)\b|n['’]t\b")
# People recall, too, and so do those whose memory is tested.
_MEMORY = re.compile(
    r"(?i)\b(?:patients?|participants?|people|women|men|families|parents|volunteers|they|who|"
    r"memory|memory and|free|delayed|word|verbal) $"
)
# What a medicine stops is no trial: "stops relapses in a study", "study: lesions stopped". But a
# trial may have its name from it: "trial in progression halted", "halts relapse prevention study".
_ILLNESS = (
    r"\b(?:relapses?|lesions?|progression|disability|attacks?|flares?|inflammation|symptoms?|"
    r"atrophy|worsening|decline|damage|degeneration|activity|nausea|headaches?|pain|fatigue|"
    r"bleeding|(?:MS|multiple sclerosis|disease)(?=,| (?:in|during)\b))\b"
)
_ILLNESS_ENDS = re.compile(rf"(?i){_ILLNESS}")
_NAMES_TRIAL = re.compile(rf"(?i){_TRIAL} (?:against|for|in|into|of|on|with) ")
_CLAUSE = re.compile(
    r"(?i)[:;,]|\b(?:shows?|finds?|found|says?|suggests?|sees|saw|reports?|reported|reveals?|"
    r"confirms?|that|where|whose)\b"
)
_STOPS_ILLNESS = re.compile(
    rf"(?i)[\w-]+(?: [\w-]+){{0,2}}? {_ILLNESS}(?:[ -]{_ILLNESS})*+"
    rf"(?! (?:(?!(?:in|during|across|over)\b)[\w-]+ )?{_TRIAL}\b"
    r"| (?:prevention|treatment|reduction)\b)"
)
_ENDS_ILLNESS = re.compile(
    r"(?i)^(?: (?!(?:after|over|due|for|in|because|amid|following|by|as)\b)[\w-]+){0,2} "
    rf"{_ILLNESS}"
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
    return tier is Tier.ABOUT and any(_is_alert(title, words) for words in _ALERT.finditer(title))


def _is_alert(title: str, words: re.Match[str]) -> bool:
    """Return False for words of an alert in a headline that says that there is none."""
    before = title[max(words.start() - _BESIDE, 0) : words.start()]
    behind = title[words.end() : words.end() + _BESIDE]
    if _NONE.search(before):
        return False
    if words["recall"]:
        return not _MEMORY.search(before)
    if words["trial"] or words["end"]:
        is_illness = _is_of_illness(words) or (words["trial"] and _ENDS_ILLNESS.search(behind))
        return not (is_illness or _NOT.search(words[0]))
    return not _OVER.search(behind)


def _is_of_illness(words: re.Match[str]) -> bool:
    """Return whether an illness ends, or something of it, and not the trial."""
    if words["end"]:
        return _STOPS_ILLNESS.match(words.string, words.start()) is not None
    illness = _ILLNESS_ENDS.search(words[0])
    if illness is None:
        return False
    before = words[0][: illness.start()]
    return bool(_CLAUSE.search(before)) or not _NAMES_TRIAL.match(before)


def _is_urgent(change: Mapping[str, Any]) -> bool:
    field = field_named(str(change.get("what")))
    return field is not None and str(change.get("after")) in field.urgent_values
