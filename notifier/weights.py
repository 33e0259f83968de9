"""How much a change of a trial record matters, and the rule in words.

Owns the order that the watcher sorts by and the digest shows. It knows no record and no mail.
"""

# What stands earlier matters more; each group with the fields it holds.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("whether the trial goes on", ("Status", "Why stopped")),
    ("results", ("Results posted",)),
    ("dates", ("Primary completion", "Completion", "Start")),
    ("size and design", ("Participants", "Phase", "Arms", "Primary outcomes", "Secondary outcomes")),
    ("places", ("Countries", "Sites")),
    ("sponsor and conditions", ("Sponsor", "Conditions")),
    ("contacts", ("Contacts",)),
)
RULE = "Most important first: " + ", ".join(group for group, _ in GROUPS) + "."

# A change of these alone is kept, but is no news.
NO_NEWS_ALONE = frozenset({"Contacts"})

_ORDER = [name for _, names in GROUPS for name in names]


def weight(field: str) -> int:
    """The place of a field in the order, from 0; unknown ones come last."""
    return _ORDER.index(field) if field in _ORDER else len(_ORDER)
