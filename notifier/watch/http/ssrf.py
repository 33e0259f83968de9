"""The check which addresses may be connected to (server-side request forgery, CWE-918).

A feed's address, and every redirect, comes from outside: without this check a poll could be sent to
the machine's own services or to a cloud's metadata. The IP address of the connection itself is
checked, so that a name that resolves differently the second time changes nothing.
"""

import ipaddress
import socket
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import AddrInfoType

# Networks that Python may count as public, and that are not: the anycast relays of 6to4 (RFC 7526),
# site-local addresses (RFC 3879), the 6bone (RFC 3701), deprecated forms of IPv4 addresses
# (RFC 4291, 2.5.5.1), local NAT64 (RFC 8215) and segment routing (RFC 9602).
_RETIRED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.88.99.0/24",
        "fec0::/10",
        "3ffe::/16",
        "::/96",
        "64:ff9b:1::/48",
        "5f00::/8",
    )
)
# Ends of names that only a private network resolves (RFC 6761, RFC 6762, RFC 8375, ICANN's
# `internal`, and common practice).
_PRIVATE_NAMES = (
    ".localhost", ".localdomain", ".local", ".internal", ".intranet", ".private", ".lan", ".corp",
    ".home", ".home.arpa", ".onion", ".test", ".invalid",
)  # fmt: skip
# The full stops of other scripts, which a name may have between its labels (UTS #46, 4.5; RFC 3490,
# 3.1).
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Metadata services of providers in ranges that count as global.
_NEVER = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192")))


class AddressRefusedError(OSError):
    """An address that is not public, or a name that leads to one."""


@lru_cache(maxsize=4096)
def is_public_ip(address: str) -> bool:
    """Return whether an IP address is global unicast.

    Of an IPv4 address inside an IPv6 address (mapped, 6to4, Teredo, NAT64) the IPv4 address counts.

    Args:
        address: an IPv4 or IPv6 address, which may have a zone (``fe80::1%eth0``).
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public_ip(str(inner))
    if any(ip in network for network in _RETIRED if network.version == ip.version):
        return False
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
        and ip not in _NEVER
    )


def refuse_private_name(url: str) -> None:
    """Refuse a URL whose host is not public by its form.

    For requests through a proxy: the proxy must judge what a name resolves to, and it cannot judge
    names that only its own network resolves.

    Raises:
        AddressRefusedError: an IP address that is not public, in any spelling, or a name of a
            private network.
    """
    host = _normalized_host(urlsplit(url).hostname or "")
    try:
        literal = str(ipaddress.ip_address(host))
    except ValueError:
        try:
            literal = socket.inet_ntoa(socket.inet_aton(host))  # 0x7f000001, 2130706433, 127.1
        except OSError:
            literal = ""
    if literal and not is_public_ip(literal):
        raise AddressRefusedError(f"the address {literal} is not a public one")
    if not literal and ("." not in host or f".{host}".endswith(_PRIVATE_NAMES)):
        raise AddressRefusedError(f"the name {host} is not a public one")


def _normalized_host(host: str) -> str:
    """Return the host as clients and proxies may interpret it.

    It is percent-decoded, normalised (NFKC), in lower case, in IDNA and without a dot at its end.

    Raises:
        AddressRefusedError: a name that cannot be looked up; a proxy might change it into another.
    """
    # Decoded twice, because a proxy may decode once more.
    host = (
        unicodedata.normalize("NFKC", unquote(unquote(host)).translate(_DOTS))
        .translate(_DOTS)
        .lower()
        .rstrip(".")
    )
    host = "".join(char for char in host if unicodedata.category(char) != "Cf")
    if any(char.isspace() or char in "/\\@#?%" or not char.isprintable() for char in host):
        raise AddressRefusedError("the name of the host cannot be looked up")
    if host.isascii() or ":" in host:
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressRefusedError("the name of the host cannot be looked up") from error


def connector(*, allow_private: bool, limit: int) -> aiohttp.TCPConnector:
    """Return a connector that connects to public addresses only.

    Args:
        allow_private: whether all addresses are allowed (intranets, tests).
        limit: the number of connections at the same time.
    """

    def guarded(address_info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = address_info
        if not allow_private and not is_public_ip(str(target[0])):
            raise AddressRefusedError(f"the address {target[0]} is not a public one")
        return socket.socket(family, kind, protocol)

    # A connection is used for one request: bytes that a server sends after its answer would be
    # taken for the answer to the next one, which may be another source's.
    return aiohttp.TCPConnector(
        limit=limit, socket_factory=guarded, ttl_dns_cache=60, force_close=True
    )
