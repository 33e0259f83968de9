"""Which addresses may be dialled.

A feed's address, and every redirect, comes from outside: without this check a reader could be sent to the machine's own
services or to a cloud's metadata (CWE-918). The check is made on the very address that is dialled, so a name that
resolves differently the second time gains nothing.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

import aiohttp
from aiohttp import AddrInfoType

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Metadata services of providers in ranges that count as global.
_NEVER = frozenset(ipaddress.ip_address(one) for one in ("168.63.129.16", "192.0.0.192"))


class AddressRefusedError(OSError):
    """The name leads to an address that is not public."""


def permitted(address: str) -> bool:
    """Whether an IP address is public: global unicast, after unwrapping IPv6-mapped, 6to4, Teredo and NAT64."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return permitted(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified) and ip not in _NEVER


def refuse_private_name(url: str) -> None:
    """Refuse an address that names a place that is not public by its very form.

    For requests that a proxy dials: what a name resolves to is then the proxy's to judge, and it cannot judge names
    that only its own network knows.

    Raises:
        AddressRefusedError: a literal address that is not public, in any spelling, or a name without a public suffix.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        literal = str(ipaddress.ip_address(host))
    except ValueError:
        try:
            literal = socket.inet_ntoa(socket.inet_aton(host))  # 0x7f000001, 2130706433, 127.1
        except OSError:
            literal = ""
    if literal and not permitted(literal):
        raise AddressRefusedError(f"the address {literal} is not a public one")
    if not literal and ("." not in host or host.endswith((".localhost", ".local", ".internal"))):
        raise AddressRefusedError(f"the name {host} is not a public one")


def connector(*, allow_private: bool, limit: int) -> aiohttp.TCPConnector:
    """A connector that dials only permitted addresses; `allow_private` permits all (tests, intranets)."""

    def guarded(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = info
        if not allow_private and not permitted(str(target[0])):
            raise AddressRefusedError(f"the address {target[0]} is not a public one")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(limit=limit, socket_factory=guarded, ttl_dns_cache=60)
