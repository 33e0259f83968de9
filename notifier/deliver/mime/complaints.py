"""The address for complaints in a mail: the header CFBL-Address (RFC 9477).

A provider that supports it sends a report to this address when a reader says that a mail is spam,
without any agreement before. `deliver/bounces/` reads these reports with the other ones. It must
not know who gets the mail.
"""

from notifier.email_addresses import domain_of, to_ascii_domain
from notifier.settings import Sender


def complaints_field(sender: Sender) -> str:
    """Return the header, which counts only if it is signed by the domain of `sender.address`.

    Args:
        sender: its address must be set.

    Returns:
        One ASCII line that ends with CRLF. Empty where bounces return to another domain: only the
        domain of From, or one below it, may be named without a signature of its own (RFC 9477,
        3.1.2).
    """
    assert sender.address is not None
    own_domain = domain_of(sender.address)
    address = to_ascii_domain(sender.bounce_address or f"bounce@{own_domain}")
    domain = domain_of(address)
    if domain != own_domain and not domain.endswith(f".{own_domain}"):
        return ""
    return f"CFBL-Address: {address}; report=arf\r\n"
