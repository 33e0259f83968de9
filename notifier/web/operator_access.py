"""Operators: whether a request comes from who runs this installation, for pages that show counts.

Owns that decision. Who knows `web.metrics_token` may ask from anywhere; without it only this
machine itself may, and a proxy on this machine speaks for strangers.
"""

import hmac
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

# What proxies add (RFC 7239, RFC 9110 7.6.3, and the usual names besides).
_ADDED_BY_PROXIES = (
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "cdn-loop",
)


def asks(request: Request, token: str | None) -> bool:
    """Whether an operator asks.

    Args:
        request: its header may say ``Authorization: Bearer TOKEN`` (RFC 6750).
        token: `web.metrics_token`; None lets only this machine ask.
    """
    return (token is not None and _has_token(request, token)) or _is_from_this_machine(request)


def _has_token(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # In constant time: the time of an answer must not tell how many letters were right.
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode(), token.encode()
    )


def _is_from_this_machine(request: Request) -> bool:
    names = request.headers.keys()
    if any(name in _ADDED_BY_PROXIES or name.startswith("x-forwarded") for name in names):
        return False
    # A page elsewhere whose name was made to point to loopback (DNS rebinding) is asked for by that
    # name.
    return _is_loopback(request.client.host if request.client else "") and _is_loopback(
        _host(request)
    )


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
