"""Mails that came back and were kept in a mailbox: those about erased people are deleted.

A mail that cannot be read is moved to a folder, where it would outlast the person it names. Whose
address is suppressed and not stored any more is erased. `deliver/bounces/mailbox.py` opens the
mailbox; a mail of other people's correspondence is never touched.
"""

from collections.abc import Iterable

from notifier.deliver.bounces import named_addresses, reports
from notifier.deliver.bounces.mailbox import Handling, Mail
from notifier.deps import Deps
from notifier.enums import BounceKind
from notifier.store import keys
from notifier.subscribers import bulk, suppressions

# The kinds of mails that may be somebody's own correspondence.
_CORRESPONDENCE = frozenset((BounceKind.NONE, BounceKind.AUTOREPLY))


def delete_about_erased(deps: Deps, mails: Iterable[Mail]) -> int:
    """Delete the mails that name somebody who was erased; return how many.

    Args:
        deps: the installation.
        mails: kept mails of a mailbox; each is given its handling.
    """
    number = 0
    for mail in mails:
        if _is_ours(deps, mail) and _names_erased(deps, named_addresses.in_mail(mail)):
            mail.handling = Handling.DELETED
            number += 1
    return number


def _is_ours(deps: Deps, mail: Mail) -> bool:
    with deps.reading() as session:
        kind = reports.known_kind(session, reports.hash_of(mail))
    return kind is not None and kind not in _CORRESPONDENCE


def _names_erased(deps: Deps, addresses: set[str]) -> bool:
    with deps.reading() as session:
        hash_of = keys.hasher(session)
        hashes = {hash_of(address) for address in addresses}
        suppressed = suppressions.among(session, hashes)
        return bool(set(suppressed) - set(bulk.ids_by_hash(session, suppressed)))
