"""E-mail addresses, told apart from what only looks like one.

Owns the one form in which an address is stored and the one in which two are compared. It asks no
name server: whether mail arrives is learnt from the server that takes it.
"""

import hashlib
import hmac
import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from notifier.errors import AddressError

# What stands before the @ in nearly every address, and needs no closer look (RFC 5322, dot-atom).
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)
# RFC 5321, 4.5.3.1: 64 octets before the @, and 254 for the whole.
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 180


def normalize(text: str) -> str:
    """The address in the form it is stored and written to (RFC 5321, 5890, 6531).

    Raises:
        AddressError: with the reason in words.
    """
    local, at, domain = text.strip().rpartition("@")
    if (
        at
        and len(local) <= _LONGEST_LOCAL
        and _PLAIN.fullmatch(local)
        and len(domain) < _LONGEST_DOMAIN
        and (known := _plain_domain(domain))
    ):
        return f"{local}@{known}"
    return _checked(text)


@lru_cache(maxsize=4096)
def _plain_domain(domain: str) -> str:
    """The normal form of a domain; empty where only the whole address can be judged. Lists name few of them, often."""
    try:
        return _checked(f"x@{domain}").removeprefix("x@")
    except AddressError:
        return ""


def _checked(text: str) -> str:
    try:
        # The "test environment" of the library allows names under .test (RFC 6761), which never
        # reach a stranger.
        found = validate_email(
            text.strip(), check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise AddressError(text.strip(), str(error)) from error
    if found.ascii_email is None:
        raise AddressError(
            text.strip(),
            "It has letters before the @ that many mail servers refuse.",
            "Give an address whose part before the @ is plain ASCII.",
        )
    return found.normalized


def address_hash(address: str, salt: str, key: str) -> str:
    """By what an address is recognised, even after it was erased: HMAC-SHA256, 64 hexadecimal digits.

    Args:
        address: in its normal form; capitals do not count.
        salt: the installation's own, from its database.
        key: `suppression_key`, from its settings: without it the database alone gives no address
            away.
    """
    return rekeyed(
        hmac.new(salt.encode(), address.casefold().encode(), hashlib.sha256).hexdigest(), key
    )


def rekeyed(salted_hash: str, key: str) -> str:
    """The hash under `suppression_key` of an address that is known only by its salted hash."""
    return hmac.new(key.encode(), salted_hash.encode(), hashlib.sha256).hexdigest()


def mailbox_of(address: str) -> str:
    """The form in which addresses of one mailbox are alike: case folded, without a ``+tag`` and without dots.

    For limits alone: providers differ in what they fold, so nothing is ever written to this form.
    """
    local, _, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"


def to_ascii_domain(address: str) -> str:
    """The address with its domain as SMTP wants it, in A-labels (RFC 5890)."""
    if address.isascii():  # a stored one is normal already, and this is asked for every mail
        return address
    return (
        validate_email(address, check_deliverability=False, test_environment=True).ascii_email
        or address
    )


def domain_of(address: str) -> str:
    """The A-label domain of an address."""
    return to_ascii_domain(address).rpartition("@")[2]
