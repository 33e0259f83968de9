"""The tree of errors that a person may be shown.

Owns what an error says: what is wrong, what to do about it, and the exit code that goes with it. It
knows no other room. An expected failure of one source or of one recipient is no exception at all:
it is a value, stored beside the source or the delivery where a person looks for it.
"""


class NotifierError(Exception):
    """Something a person can mend.

    Args:
        problem: one plain sentence that names the thing and what is wrong with it.
        fix: what to do about it; printed below the problem.
    """

    exit_code = 1

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


class SettingsError(NotifierError):
    """A setting or a call that cannot be meant that way; nothing was done."""

    exit_code = 2


class StoreError(NotifierError):
    """The database cannot be used as it is now."""


class NotFoundError(NotifierError):
    """What was asked for is not stored."""


class ProfileError(SettingsError):
    """A profile file that cannot be taken; the stored profile stays as it was."""


class AddressError(SettingsError):
    """An e-mail address that no mail can be sent to."""


class LinkError(NotifierError):
    """A signed link that is forged, cut short, too old, or made for something else."""
