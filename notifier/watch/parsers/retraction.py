"""Retraction marks: how publishers and indexes say, in a title or beside it, that an article is not to be relied on.

Pure. Forms: the labels that ICMJE and COPE ask for at the head of a title, and PubMed's publication
types. A notice that tells of another article's retraction is news of its own and is not marked by
this.
"""

import re
from collections.abc import Iterable

from notifier.i18n.messages import LazyMessage
from notifier.text.cleaning import fold

_LABELS = (
    (re.compile(r"(?i)^\W*(?:retracted(?:\s+article|\s+paper)?|retraction|rétracté|zurückgezogen|retractado)\s*[:\])|–—-]"),
     LazyMessage("The publisher retracted it.")),
    (re.compile(r"(?i)^\W*(?:withdrawn(?:\s+article|\s+paper)?|withdrawal|retiré|retirado)\s*[:\])|–—-]"),
     LazyMessage("The publisher withdrew it.")),
    (re.compile(r"(?i)^\W*(?:editorial\s+)?expression of concern\s*[:\])|–—-]"),
     LazyMessage("The publisher expresses concern about it.")),
    (re.compile(r"(?i)[(\[]\s*(?:retracted|withdrawn|retraction)\s*[)\]]\W*$"),
     LazyMessage("The publisher retracted it.")),
)  # fmt: skip
_TYPES = {
    "retracted publication": LazyMessage("The index marks it as retracted."),
    "retracted": LazyMessage("The publisher retracted it."),
    "retracted article": LazyMessage("The publisher retracted it."),
    "withdrawn": LazyMessage("The publisher withdrew it."),
    "withdrawn article": LazyMessage("The publisher withdrew it."),
    "expression of concern": LazyMessage("The publisher expresses concern about it."),
}


def retraction_reason(title: str, categories: Iterable[str] = ()) -> str:
    """Why an article is withdrawn, in a sentence; empty where nothing marks it so.

    Args:
        title: its headline.
        categories: what it is filed under, and its publication types.
    """
    for label, reason in _LABELS:
        if label.search(title):
            return reason
    return next((_TYPES[kind] for one in categories if (kind := fold(one)) in _TYPES), "")
