"""E-mail addresses: checked, normalized, hashed.

Owns the one form in which an address is stored and the one in which two are compared. It does not
ask DNS: whether mail arrives is known from the server that accepts or refuses it.
"""

import hashlib
import hmac
import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from notifier.errors import AddressError

# The part before the @ of nearly every address, which needs no further check (RFC 5322, dot-atom).
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)
# RFC 5321, 4.5.3.1: 64 octets before the @, and 254 in all; a longer domain gets the full check.
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN = 64, 180

# Characters that nobody sees: pages break long addresses with them, and phones and address books
# put marks of the direction of writing around what is copied. No address has them. The mark that
# reverses the letters (U+202E) is not among them: an address with it is not what people see.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202d\u2060-\u2064\u2066-\u2069\ufeff]")
# Joiners, which mean something within some names of domains (RFC 5892, A.1 and A.2), not at an end.
_JOINERS = "\u200c\u200d"

# Of a shorter part before the @ a hint leaves the first letter only. Chosen by hand.
_SHORTEST_WITH_LAST = 4

# The domains of large providers that have several.
PROVIDERS = {
    "googlemail.com": "gmail.com",
    "hotmail.com": "outlook.com",
    "live.com": "outlook.com",
    "msn.com": "outlook.com",
    "ymail.com": "yahoo.com",
    "rocketmail.com": "yahoo.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "web.de": "gmx.net",
    "gmx.de": "gmx.net",
    "gmx.at": "gmx.net",
    "gmx.ch": "gmx.net",
}


def normalize(text: str) -> str:
    """Return an address in the form in which it is stored and written to (RFC 5321, 5890, 6531).

    Characters that nobody sees are left out: who pasted one cannot find what is wrong.

    Raises:
        AddressError: no mail can be sent to it.
    """
    if not text.isascii():
        text = _UNSEEN.sub("", text).strip().strip(_JOINERS)
    local_part, at, domain = text.strip().rpartition("@")
    if (
        at
        and len(local_part) <= _LONGEST_LOCAL_PART
        and _PLAIN_LOCAL_PART.fullmatch(local_part)
        and len(domain) < _LONGEST_DOMAIN
        and (normal_domain := _normal_domain(domain))
    ):
        return f"{local_part}@{normal_domain}"
    return _check(text)


@lru_cache(maxsize=4096)
def _normal_domain(domain: str) -> str:
    """Return the normal form of a domain; empty if only the whole address can be checked.

    A list has few domains, each of them many times.
    """
    try:
        return _check(f"x@{domain}").removeprefix("x@")
    except AddressError:
        return ""


def _check(text: str) -> str:
    try:
        # The "test environment" of the library allows names under .test (RFC 6761), which do not
        # exist outside of tests.
        valid = validate_email(
            text.strip(), check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise AddressError(text.strip(), str(error)) from error
    if valid.ascii_email is None:
        raise AddressError(
            text.strip(),
            "It has letters before the @ that many mail servers refuse.",
            "Give an address whose part before the @ is plain ASCII.",
        )
    return valid.normalized


def address_hash(address: str, salt: str, key: str) -> str:
    """Return the hash that recognises an address even after it was erased.

    Args:
        address: in its normal form; upper and lower case are the same.
        salt: the installation's own, from its database.
        key: `suppression_key`, from its settings: the database alone does not give an address away.

    Returns:
        HMAC-SHA256, 64 hexadecimal digits.
    """
    return rekeyed(
        hmac.new(salt.encode(), address.casefold().encode(), hashlib.sha256).hexdigest(), key
    )


def rekeyed(salted_hash: str, key: str) -> str:
    """Return the hash under `suppression_key` of an address, from its salted hash."""
    return hmac.new(key.encode(), salted_hash.encode(), hashlib.sha256).hexdigest()


def mailbox_of(address: str) -> str:
    """Return a form in which addresses of one mailbox are equal: lower case, no ``+tag``, no dots.

    For limits only: providers differ in what they ignore, so no mail is ever sent to this form.
    """
    local_part, _, domain = address.casefold().rpartition("@")
    return f"{local_part.partition('+')[0].replace('.', '') or local_part}@{domain}"


def hint_of(address: str) -> str:
    """Return an address by which its owner knows it and nobody else learns it.

    Returns:
        ``a…a@example.org``; of a short part before the @ only its first letter is left.
    """
    local_part, _, domain = address.rpartition("@")
    last = local_part[-1] if len(local_part) >= _SHORTEST_WITH_LAST else ""
    return f"{local_part[:1]}…{last}@{domain}"


def to_ascii_domain(address: str) -> str:
    """Return the address with its domain in A-labels (RFC 5890), as SMTP needs it."""
    if address.isascii():  # fast, because it is called for every mail
        return address
    return (
        validate_email(address, check_deliverability=False, test_environment=True).ascii_email
        or address
    )


def domain_of(address: str) -> str:
    """Return the domain of an address in A-labels."""
    return to_ascii_domain(address).rpartition("@")[2]


def provider_of(email: str) -> str:
    """Return the provider of an address: its domain, or the main one of a large provider."""
    domain = email.rpartition("@")[2].lower()
    return PROVIDERS.get(domain, domain)
