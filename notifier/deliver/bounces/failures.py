"""The statement of a report about one recipient, and what all readers of reports have in common.

Pure. Owns the form in which the readers of standards, of services' notifications and of prose say
what they found. It knows no format.
"""

import re
from dataclasses import dataclass

from notifier.deliver.bounces.diagnostics import find_reply_code
from notifier.deliver.bounces.policy import Evidence
from notifier.deliver.bounces.subjects import Subject
from notifier.enums import BounceKind

_LOCAL = r"[A-Za-z0-9_.+=/&'#$%!*?^`{|}~-]"
ADDRESS = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,20}}"
)
# The most recipients, tokens and identifiers of one mail that are read. Chosen by hand; not
# measured.
MOST_NAMED = 100
# The most lines of a group of fields, and the longest field in characters. Chosen by hand; not
# measured.
_MOST_LINES, _LONGEST_FIELD = 200, 2_000


@dataclass(frozen=True)
class Failure:
    """The statement of a report about one recipient.

    Attributes:
        kind: the verdict.
        recipient: the address, in lower case; empty where the report names nobody.
        status: the enhanced status code (RFC 3463), for example ``5.1.1``; empty if there is none.
        text: the diagnostic text; empty if there is none.
        still_tried: True if the mail system goes on with its attempts, although it says what is
            wrong with the mailbox: nothing needs to be sent again.
        subject: whom or what it is about.
    """

    kind: BounceKind
    recipient: str = ""
    status: str = ""
    text: str = ""
    still_tried: bool = False
    subject: Subject = Subject.UNKNOWN

    @property
    def evidence(self) -> Evidence:
        """The data of the failure for the bounce policy."""
        code = find_reply_code(self.text)
        return Evidence(self.kind, self.status, code, reported=True, subject=self.subject)


def fields_of(block: str) -> dict[str, str]:
    """Return header fields by their names in lower case, unfolded and cut to a limited length."""
    lines = re.sub(r"\r?\n[ \t]+", " ", block).splitlines()
    pairs = (line[:_LONGEST_FIELD].partition(":") for line in lines[:_MOST_LINES] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
