"""Marks by which publishers and indexes say that an article was retracted or withdrawn.

Pure. Forms: the labels that ICMJE and COPE ask for at the head of a title, and PubMed's publication
types. A notice about another article's retraction is news of its own; it is not marked by these.
"""

import re
from collections.abc import Iterable

from notifier.i18n.messages import LazyMessage
from notifier.text.cleaning import fold

_RETRACTED = LazyMessage("The publisher retracted it.")
_WITHDRAWN = LazyMessage("The publisher withdrew it.")
_CONCERN = LazyMessage("The publisher expresses concern about it.")
# In English, German, French and Spanish.
_LABELS = (
    (
        re.compile(
            r"(?i)^\W*(?:retracted(?:\s+article|\s+paper)?|retraction|rétracté|zurückgezogen"
            r"|retractado)\s*[:\])|–—-]"
        ),
        _RETRACTED,
    ),
    (
        re.compile(
            r"(?i)^\W*(?:withdrawn(?:\s+article|\s+paper)?|withdrawal|retiré|retirado)"
            r"\s*[:\])|–—-]"
        ),
        _WITHDRAWN,
    ),
    (re.compile(r"(?i)^\W*(?:editorial\s+)?expression of concern\s*[:\])|–—-]"), _CONCERN),
    (re.compile(r"(?i)[(\[]\s*(?:retracted|withdrawn|retraction)\s*[)\]]\W*$"), _RETRACTED),
)
_TYPES = {
    "retracted publication": LazyMessage("The index marks it as retracted."),
    "retracted": _RETRACTED,
    "retracted article": _RETRACTED,
    "withdrawn": _WITHDRAWN,
    "withdrawn article": _WITHDRAWN,
    "expression of concern": _CONCERN,
}


def retraction_reason(title: str, categories: Iterable[str] = ()) -> str:
    """Return the reason why an article is withdrawn, a sentence; empty if it is not marked.

    Args:
        title: its headline.
        categories: the publisher's categories and the index's publication types.
    """
    for label, reason in _LABELS:
        if label.search(title):
            return reason
    types = map(fold, categories)
    return next(
        (_TYPES[publication_type] for publication_type in types if publication_type in _TYPES), ""
    )
