"""A visit: the request of an operator who is logged in, and what a page needs to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request

from notifier.deps import Deps
from notifier.enums import Role
from notifier.operators import actions
from notifier.web.forms import cleaned
from notifier.web.operator.words import Clock

# Digits of the largest id that each database holds.
_MOST_DIGITS = 9


@dataclass(frozen=True)
class Visit:
    """A request of an operator who is logged in.

    Attributes:
        request: as it came.
        deps: the installation.
        name: of the operator.
        role: what they may do.
        form_token: what each form on the page carries.
        now: when.
    """

    request: Request
    deps: Deps
    name: str
    role: Role
    form_token: str
    now: datetime

    @property
    def is_owner(self) -> bool:
        """True for those who may see people and the operators' log."""
        return self.role is Role.OWNER

    @property
    def actor(self) -> actions.Actor:
        """The operator whom an entry of the log names, and the time."""
        return actions.Actor(self.name, self.now)

    @property
    def clock(self) -> Clock:
        """Times in words, in the time zone of the installation."""
        return Clock(self.deps.settings.schedule.time_zone, self.now)

    @property
    def query(self) -> Mapping[str, str]:
        """The fields behind the question mark of the address, as `forms.cleaned` makes them."""
        return {name: cleaned(text) for name, text in self.request.query_params.items()}

    def word(self, name: str) -> str:
        """Return the text in the path, such as the slug of a profile, likewise."""
        return cleaned(self.request.path_params[name])

    def number(self, name: str) -> int:
        """Return the number in the path, such as the id of a digest.

        Raises:
            HTTPException: 404, it is none that a database can hold.
        """
        number = number_of(self.request.path_params[name])
        if not number:
            raise HTTPException(404)
        return number


def number_of(text: str) -> int:
    """Return the id that a text from outside names, 1 to 999,999,999; 0 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
