"""Operator access: who may see pages that show counts.

Owns that decision. With `web.metrics_token` an operator may ask from anywhere. Without it only
requests from this machine itself are an operator's; those that a proxy on this machine passes on
are not, because they come from strangers.
"""

import hmac
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

# Headers that proxies add (RFC 7239; RFC 9110, 7.6.3; and the names in common use).
_PROXY_HEADERS = (
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


def is_operator(request: Request, token: str | None) -> bool:
    """Return whether an operator sent a request.

    Args:
        request: it may have a header ``Authorization: Bearer TOKEN`` (RFC 6750).
        token: `web.metrics_token`; None allows requests from this machine only.
    """
    return (token is not None and _has_token(request, token)) or is_from_this_machine(request)


def _has_token(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # In constant time: the time of an answer must not show how many letters were right.
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode(), token.encode()
    )


def is_from_this_machine(request: Request) -> bool:
    """Return whether a request comes from the machine itself, and not by way of a proxy on it."""
    names = request.headers.keys()
    if any(name in _PROXY_HEADERS or name.startswith("x-forwarded") for name in names):
        return False
    client = request.client.host if request.client else ""
    # The host, too: under DNS rebinding another site's name points to loopback, and the browser
    # sends that name.
    return _is_loopback(client) and _is_loopback(_host(request))


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
