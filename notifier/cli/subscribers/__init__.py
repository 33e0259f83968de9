"""`notifier subscribers`: people one by one (`people.py`), and lists of them (`lists.py`)."""

from notifier.cli import shared
from notifier.cli.subscribers import lists, people

app = shared.group("subscribers", "People: their subscriptions and their consent.")
people.register(app)
lists.register(app)
