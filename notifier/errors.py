"""The errors that are shown to a person: one tree, with `NotifierError` as its root.

It imports nothing, and it decides nothing about how an error is shown: the exit code of a command
is decided in `cli/`, the page in `web/`. A kind of error that only one package raises is a subclass
in that package. The expected failure of one source or of one recipient is not an exception: it is
stored beside the source or the delivery, where a person looks for it.
"""


class NotifierError(Exception):
    """A failure that a person can do something about.

    Args:
        problem: one plain English sentence that names the thing and what is wrong with it.
        fix: what to do about it; printed below the problem.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


class SettingsError(NotifierError):
    """A setting that cannot be used; nothing was done."""


class InputError(NotifierError):
    """An argument, a form or a file that cannot be used; nothing was done."""


class StoreError(NotifierError):
    """A database that cannot be used at this moment."""


class NotFoundError(NotifierError):
    """A requested thing that is not stored."""


class ProfileError(InputError):
    """A profile file that cannot be stored; the stored profile stays as it was."""


class AddressError(InputError):
    """An e-mail address to which no mail can be sent.

    Attributes:
        address: the text that was given.
        reason: why it is refused, in English; it does not name the address.
    """

    def __init__(self, address: str, reason: str, fix: str = "Check the spelling.") -> None:
        super().__init__(f"{address!r} is not a usable e-mail address: {reason}", fix)
        self.address, self.reason = address, reason


class LinkError(NotifierError):
    """A signed link that is forged, cut short, too old, or made for another purpose."""


class ChangedMeanwhileError(NotifierError):
    """A decision about something that is not any more what the person was shown."""

    def __init__(self) -> None:
        super().__init__(
            "This changed meanwhile: nothing was done.", "Look at what it is now, and decide again."
        )
