"""Why: one account of an entry and a person, from the watched source to the inbox.

`accounts.py` finds the person and the entry and gives an account for each of the person's
subscriptions; `facts.py` reads what is stored; `verdict.py` decides what became of the entry, by
`composed.py` where a digest with it exists for the subscription, else by `uncomposed.py`;
`steps.py` tells it in the order of time. It reads, and changes and logs nothing.
"""

from notifier.admin.why.accounts import Account, Answer, answer
from notifier.admin.why.steps import Step
from notifier.admin.why.verdict import Outcome, Verdict

__all__ = ["Account", "Answer", "Outcome", "Step", "Verdict", "answer"]
