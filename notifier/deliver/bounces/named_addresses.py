"""Addresses that a mail names anywhere: in its headers, its parts, or what it quotes.

For mails that no parser can read: their bytes are searched as they are, and as the usual encodings
would decode them. Nothing is known here of what an address means.
"""

import binascii
import quopri
import re

from notifier.email_addresses import normalize
from notifier.errors import AddressError

# Every quantifier has a limit, and an address begins where no character of one stands before.
_ADDRESS = re.compile(
    rb"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])"
    rb"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
)
# Lines of base64 (RFC 2045, 6.8), of any length.
_BASE64 = re.compile(
    rb"(?m)^[A-Za-z0-9+/]{16,1000}={0,2}\r?$(?:\n[A-Za-z0-9+/]{1,1000}={0,2}\r?$)*"
)
# Marks before an address that belong to a form of report, not to the address.
_BEFORE = b"=\"'"
_MOST = 10_000


def in_mail(octets: bytes) -> set[str]:
    """Return the addresses in a mail, in their normal form.

    Args:
        octets: the mail as it came.
    """
    texts = [octets, quopri.decodestring(octets), *_decoded(octets)]
    addresses: set[str] = set()
    for text in texts:
        for match in _ADDRESS.finditer(text):
            local_part, domain = match[1].lstrip(_BEFORE), match[2]
            # A form such as ``rfc822;name`` or ``to=name`` stands before the address itself.
            for part in {local_part, local_part.rpartition(b"=")[2]}:
                if (address := _normal(part, domain)) and len(addresses) < _MOST:
                    addresses.add(address)
    return addresses


def _decoded(octets: bytes) -> list[bytes]:
    decoded = []
    for block in _BASE64.findall(octets):
        text = b"".join(block.split())
        try:
            decoded.append(binascii.a2b_base64(text + b"=" * (-len(text) % 4)))
        except binascii.Error:
            continue
    return decoded


def _normal(local_part: bytes, domain: bytes) -> str:
    try:
        return normalize(f"{local_part.decode()}@{domain.decode()}") if local_part else ""
    except AddressError:
        return ""
