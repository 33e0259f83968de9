"""Classes: what their members are owed, and in which words.

Joins the values by which `subscribers/` groups subscriptions with those by which `digest/` selects
items and words them.
"""

from notifier.digest.groups import Owed
from notifier.digest.view import Variant
from notifier.enums import Cadence, Edition
from notifier.subscribers.due_classes import DueClass, History

# Stored with a subscription whose digest could not be composed.
NOT_COMPOSED = (
    "The digest could not be composed because of an unexpected error; its trace is in the log."
)


def owed(due_class: DueClass, history: History) -> Owed:
    """Return everything that decides which items a class is owed.

    Raises:
        ValueError: the stored list of hidden sections cannot be read.
    """
    return Owed(
        due_class.position,
        due_class.entries_of(history),
        due_class.digests_of(history),
        due_class.sections,
    )


def variant(due_class: DueClass) -> Variant:
    """Return the words in which a class reads its digests."""
    return Variant(
        Cadence(due_class.cadence), Edition(due_class.edition), due_class.language, due_class.seen
    )
