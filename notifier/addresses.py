"""E-mail addresses, told apart from what only looks like one.

Owns the one form in which an address is stored and the one in which two are compared. It asks no name server: whether
mail arrives is learnt from the server that takes it.
"""

import hashlib
import hmac

from email_validator import EmailNotValidError, validate_email

from notifier.errors import AddressError


def normal_address(text: str) -> str:
    """The address in the form it is stored and written to (RFC 5321, 5890, 6531).

    Raises:
        AddressError: with the reason in words.
    """
    try:
        # The "test environment" of the library allows names under .test (RFC 6761), which never reach a stranger.
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise AddressError(f"{text.strip()!r} is no e-mail address: {error}", "Check the spelling.") from error
    if found.ascii_email is None:
        raise AddressError(
            f"{text.strip()!r} has letters before the @ that many mail servers refuse.",
            "Give an address whose part before the @ is plain ASCII.",
        )
    return found.normalized


def address_hash(address: str, salt: str) -> str:
    """The key by which an address is recognised, even after it was erased: HMAC-SHA256 of its case-folded form."""
    return hmac.new(salt.encode(), address.casefold().encode(), hashlib.sha256).hexdigest()


def wire_address(address: str) -> str:
    """The address with its domain as SMTP wants it, in A-labels (RFC 5890)."""
    if address.isascii():  # a stored one is normal already, and this is asked for every mail
        return address
    return validate_email(address, check_deliverability=False, test_environment=True).ascii_email or address


def domain_of(address: str) -> str:
    """The A-label domain of an address."""
    return wire_address(address).rpartition("@")[2]
