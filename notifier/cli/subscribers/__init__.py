"""`notifier subscribers`: people one by one (`people.py`, `edit.py`), and lists (`lists.py`)."""

from notifier.cli import shared
from notifier.cli.subscribers import edit, lists, people

app = shared.group("subscribers", "People: their subscriptions and their consent.")
people.register(app)
edit.register(app)
lists.register(app)
