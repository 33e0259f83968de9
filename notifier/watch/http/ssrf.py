"""Which addresses may be dialled.

A feed's address, and every redirect, comes from outside: without this check a reader could be sent
to the machine's own services or to a cloud's metadata (CWE-918). The check is made on the very
address that is dialled, so a name that resolves differently the second time gains nothing.
"""

import ipaddress
import socket
import unicodedata
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import AddrInfoType

# What Python counts as public, and nobody routes any more: the anycast relays of 6to4 (RFC 7526),
# site-local addresses (RFC 3879), the 6bone (RFC 3701), and addresses of IPv4 in a form that was
# given up (RFC 4291, 2.5.5.1).
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
# Names that only a network of one's own knows (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`,
# and custom).
_PRIVATE_NAMES = (
    ".localhost", ".localdomain", ".local", ".internal", ".intranet", ".private", ".lan", ".corp", ".home",
    ".home.arpa", ".onion", ".test", ".invalid",
)  # fmt: skip
# The full stops of other scripts, which a name may have instead (UTS #46, 4.5; RFC 3490, 3.1).
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Metadata services of providers in ranges that count as global.
_NEVER = frozenset(ipaddress.ip_address(one) for one in ("168.63.129.16", "192.0.0.192"))


class AddressRefusedError(OSError):
    """The name leads to an address that is not public."""


def is_public_ip(address: str) -> bool:
    """Whether an IP address is public: global unicast, after unwrapping IPv6-mapped, 6to4, Teredo and NAT64."""
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
    """Refuse an address that names a place that is not public by its very form.

    For requests that a proxy dials: what a name resolves to is then the proxy's to judge, and it
    cannot judge names that only its own network knows.

    Raises:
        AddressRefusedError: a literal address that is not public, in any spelling, or a name
            without a public suffix.
    """
    host = _as_dialled(urlsplit(url).hostname or "")
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


def _as_dialled(host: str) -> str:
    """The host as clients and proxies come to understand it: decoded, NFKC, in lower case, IDNA, no dot at its end.

    Raises:
        AddressRefusedError: no name that can be looked up; a proxy might make another one of it.
    """
    # Decoded twice, because a proxy may decode what we decoded already.
    host = (
        unicodedata.normalize("NFKC", unquote(unquote(host)).translate(_DOTS))
        .translate(_DOTS)
        .lower()
        .rstrip(".")
    )
    host = "".join(char for char in host if unicodedata.category(char) != "Cf")
    if any(char.isspace() or char in "/\\@#?%" or not char.isprintable() for char in host):
        raise AddressRefusedError("the name of the host is none that can be looked up")
    if host.isascii() or ":" in host:
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressRefusedError("the name of the host is none that can be looked up") from error


def connector(*, allow_private: bool, limit: int) -> aiohttp.TCPConnector:
    """A connector that dials only permitted addresses; `allow_private` permits all (tests, intranets)."""

    def guarded(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = info
        if not allow_private and not is_public_ip(str(target[0])):
            raise AddressRefusedError(f"the address {target[0]} is not a public one")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(limit=limit, socket_factory=guarded, ttl_dns_cache=60)
