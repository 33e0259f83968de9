"""A change as it is stored and shown: the text before and after, cut so that the change is seen.

Pure. It knows nothing of what matters.
"""

from notifier.store.models.sources import Change
from notifier.text.cleaning import shorten
from notifier.watch.compare.edit_distance import common_start

# Characters that are stored of each side of a change; of a longer text, those around the first
# difference, beginning so many characters before it. Mails show 240. Chosen by hand; not measured.
_LENGTH, _SHOWN, _BEFORE = 400, 240, 100


def changed(what: str, before: str, after: str, note: str = "") -> Change:
    """Return a change.

    Args:
        what: see `Change`.
        before: the earlier text; empty for something that was added.
        after: the text of today; empty for something that was removed.
        note: see `Change`.
    """
    if before and after:
        same = common_start(before, after)
        before, after = (_from_difference(text, same) for text in (before, after))
    return Change(
        what=what, before=shorten(before, _LENGTH), after=shorten(after, _LENGTH), note=note
    )


def _from_difference(text: str, same: int) -> str:
    """Return the text from a word before the difference on, if a mail would end before it."""
    if same <= _BEFORE or len(text) <= _SHOWN:
        return text
    start = text.rfind(" ", 0, max(same - _BEFORE, 1)) + 1
    return f"…{text[start:]}" if start else text
