"""The form of a check: its name, what it needs, and the function that examines."""

from collections.abc import Callable
from dataclasses import dataclass

from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result


@dataclass(frozen=True)
class Check:
    """A check.

    Attributes:
        name: the area and the thing that is checked: ``dns.spf``.
        run: examines it.
        needs: the names of earlier checks without which this one can tell nothing.
        reads: the names of earlier checks whose findings it takes into account, whatever they are.
        stops_mail: no mail could be delivered today if it fails.
        only_if: tells whether it is asked for at all; one that is not does not appear.
    """

    name: str
    run: Callable[[Examined], Result]
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    stops_mail: bool = False
    only_if: Callable[[Examined], bool] | None = None
