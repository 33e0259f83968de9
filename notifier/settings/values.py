"""Types of settings that need a check of their own: addresses, URLs, names of mail and DNS.

No check repeats the value that it refuses: it may be a password, or have been put into the wrong
line.
"""

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import AfterValidator

from notifier.email_addresses import domain_of, normalize
from notifier.errors import AddressError
from notifier.text import times

# 64 octets are allowed before the @ (RFC 5321, 4.5.3.1.1); the plus sign and the token of each mail
# take 39 of them.
_LONGEST_BOUNCE_LOCAL_PART = 25
# Octets of a host's name (RFC 1035, 2.3.4).
_LONGEST_HOST_NAME = 253
# The characters that stand in the path of a URL as they are (RFC 3986, 3.3), "%" among them.
_IN_PATHS = "/%:@!$&'()*+,;="
_DNS_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def _time_zone(name: str) -> str:
    try:
        return times.zone(times.successor(name)).key
    except ValueError as error:
        raise ValueError("there is no such time zone; names look like Europe/Berlin") from error


def _web_url(text: str) -> str:
    url = text.strip()
    try:
        parts = urlsplit(url)
        is_usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and " " not in parts.netloc
            and parts.port != 0
            and url.isprintable()
        )
    except ValueError:  # its message repeats the URL, which may contain a password
        is_usable = False
    if not is_usable or parts.query or parts.fragment:
        raise ValueError(
            "must look like https://news.example.org, without a question mark or a hash"
        )
    return url.rstrip("/")


def _public_url(url: str) -> str:
    """Check the address of our pages, and return it in the ASCII that mail headers need."""
    parts = urlsplit(_web_url(url))
    if "@" in parts.netloc:
        raise ValueError("must have no user name and no password: it is part of every mail")
    return f"{parts.scheme}://{_ascii_host(parts)}{quote(parts.path, _IN_PATHS)}".rstrip("/")


def _ascii_host(parts: SplitResult) -> str:
    """Return the host of a URL with its port, its name in A-labels (RFC 5890)."""
    if parts.netloc.isascii():
        return parts.netloc
    try:
        host = domain_of(f"x@{parts.hostname}")
    except ValueError as error:  # its message repeats the name
        raise ValueError("has a name that no domain can have") from error
    return host if parts.port is None else f"{host}:{parts.port}"


# Control characters, halves of characters, and ends of lines and paragraphs.
_NOT_IN_A_LINE = ("Cc", "Cs", "Zl", "Zp")


def _credential(text: str) -> str:
    if any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text):
        raise ValueError("must be one line without control characters")
    return text


def _proxies(text: str) -> str:
    for part in text.split(","):
        try:
            ip_network(part.strip())
        except ValueError as error:
            if part.strip() in ("*", ""):
                continue
            raise ValueError(
                "must be IP addresses or networks with commas between them, such as"
                " 127.0.0.1, 10.0.0.0/8"
            ) from error
    return text


def _origin(text: str) -> str:
    origin = text.lower().removesuffix("/").removesuffix(":443")
    if not re.fullmatch(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", origin):
        raise ValueError(
            "must look like https://www.example.org, without a path; names beyond ASCII as xn--…"
        )
    return origin


def _token(text: str) -> str:
    if not re.fullmatch(r"[!-~]{16,200}", text):
        raise ValueError("must be 16 to 200 letters, digits and signs without a space")
    return text


def _email_address(address: str) -> str:
    try:
        return normalize(address)
    except AddressError as error:
        raise ValueError(
            "is not an e-mail address that mail can be sent to; it looks like digest@example.org"
        ) from error


def check_bounce_local_part(address: str) -> None:
    """Check that a bounce address has room for the token of a mail.

    Raises:
        ValueError: it has not, with the reason.
    """
    local_part = address.rpartition("@")[0]
    octets = len(local_part.encode())
    if octets > _LONGEST_BOUNCE_LOCAL_PART:
        raise ValueError(
            f"may have {_LONGEST_BOUNCE_LOCAL_PART} characters before the @, not"
            f" {octets}: a plus sign and a token of 38 characters are added there, by"
            " which mails that come back are recognised, and 64 are allowed; set"
            " sender.bounce_tags to false to add none"
        )


def _helo_name(name: str) -> str:
    """Check a name for EHLO (RFC 5321, 4.1.1.1 and 4.1.3): of a host, or an address in brackets."""
    if name.startswith("[") and name.endswith("]"):
        is_usable = _is_address(name[1:-1])
    else:
        labels = name.split(".")
        is_usable = (
            len(name) <= _LONGEST_HOST_NAME
            and len(labels) > 1
            and all(map(_DNS_LABEL.fullmatch, labels))
            and not labels[-1].isdigit()
        )
    if not is_usable:
        raise ValueError(
            "must be the full name of the sending machine, such as mail.example.org, or its address"
            " in brackets, such as [192.0.2.1]; names beyond ASCII as xn--…"
        )
    return name


def _is_address(text: str) -> bool:
    try:
        if text.lower().startswith("ipv6:"):
            IPv6Address(text[len("ipv6:") :])
        else:
            IPv4Address(text)
    except ValueError:
        return False
    return True


def _contact(text: str) -> str:
    if text.startswith("https://"):
        return _web_url(text)
    try:
        return normalize(text)
    except AddressError as error:
        raise ValueError(
            "must be an e-mail address or look like https://www.example.org/contact"
        ) from error


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def dotted_name(name: str) -> str:
    """Return a domain or List-Id if it is one.

    Raises:
        ValueError: it is not, with the reason.
    """
    if (
        not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name)
        or name.rpartition(".")[2].isdigit()
    ):
        raise ValueError("must look like digest.example.org")
    return name


def dns_label(label: str) -> str:
    """Return a DKIM selector if it is one.

    Raises:
        ValueError: it is not, with the reason.
    """
    if not _DNS_LABEL.fullmatch(label):
        raise ValueError("must be a DNS label, such as notifier or key-2026")
    return label


# The encoded form of the reference implementation: version, parameters, salt and hash.
_ARGON2_HASH = re.compile(
    r"\$argon2(?:id|i|d)\$v=\d{1,3}\$m=\d{1,8},t=\d{1,4},p=\d{1,3}"
    r"\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,200}"
)


def _password_hash(text: str) -> str:
    if not _ARGON2_HASH.fullmatch(text):
        raise ValueError(
            "must be a hash of argon2; to make one: notifier operators password operator --print"
        )
    return text


TimeZone = Annotated[str, AfterValidator(_time_zone)]
EmailAddress = Annotated[str, AfterValidator(_email_address)]
# The name by which a mail server is greeted.
HeloName = Annotated[str, AfterValidator(_helo_name)]
# What is sent to a mail server as user name or password, in UTF-8 (RFC 4616, 2).
Credential = Annotated[str, AfterValidator(_credential)]
Line = Annotated[str, AfterValidator(_line)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
# The origin of a page as browsers send it (RFC 6454).
Origin = Annotated[str, AfterValidator(_origin)]
# The machines whose X-Forwarded-* headers count.
Proxies = Annotated[str, AfterValidator(_proxies)]
Token = Annotated[str, AfterValidator(_token)]
# A password as argon2 stores it (RFC 9106).
PasswordHash = Annotated[str, AfterValidator(_password_hash)]
# An e-mail address or an https URL.
Contact = Annotated[str, AfterValidator(_contact)]
# A domain, or a List-Id (RFC 2919).
DottedName = Annotated[str, AfterValidator(dotted_name)]
# A DKIM selector (RFC 6376, 3.1).
DnsLabel = Annotated[str, AfterValidator(dns_label)]
