"""How much a change of a trial record matters, and the rule in words.

Owns the order that the watcher sorts by and the digest shows. It knows no record and no mail.
"""

from notifier.i18n.messages import mark

# What stands earlier matters more; the groups are those that the rule names.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("Status", "Why stopped"),
    ("Results posted",),
    ("Primary completion", "Completion", "Start"),
    ("Participants", "Phase", "Arms", "Primary outcomes", "Secondary outcomes"),
    ("Countries", "Sites"),
    ("Sponsor", "Conditions"),
    ("Contacts",),
)
RULE = mark(
    "Most important first: whether the trial goes on, results, dates, size and design, places, sponsor and conditions, "
    "contacts."
)

# A change of these alone is kept, but is no news.
NO_NEWS_ALONE = frozenset({"Contacts"})

_ORDER = [name for names in GROUPS for name in names]


def weight(field: str) -> int:
    """The place of a field in the order, from 0; unknown ones come last."""
    return _ORDER.index(field) if field in _ORDER else len(_ORDER)
