"""Requests to our own web pages, over the public address, as readers and mail programs send them.

The only file that imports the standard HTTP client: polling has another one, which follows
redirects and cannot post. Here a redirect is an answer. Certificates are verified; addresses of
private networks are allowed, because the address is the operator's own.
"""

import http.client
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from notifier.text.cleaning import clean, shorten

# Seconds for an answer, and the bytes of it that are read. Chosen by hand; not measured.
_PATIENCE, _LARGEST = 15.0, 100_000
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Visit:
    """The answer to a request.

    Attributes:
        status: of the answer; 0 if there is none.
        headers: by their names in lower case.
        body: the beginning of its text.
        error: the reason why there is no answer; else empty.
        is_untrusted: whether the reason is the certificate.
        expires: the time until which the certificate is valid; None without one.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""
    is_untrusted: bool = False
    expires: datetime | None = None


def visit(method: str, url: str, body: str = "") -> Visit:
    """Send one request, and follow no redirect.

    Args:
        method: ``GET`` or ``POST``.
        url: http or https.
        body: of a POST, in the form of a web form.
    """
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    headers = {"User-Agent": "notifier-doctor", "Accept": "*/*"}
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=_PATIENCE)
        try:
            connection.request(method, parts.path or "/", body.encode() or None, headers)
            expires = _expires(connection.sock)
            answer = connection.getresponse()
            text = answer.read(_LARGEST).decode("utf-8", "replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = f"{parts.hostname}: {_reason(error)}"
        return Visit(error=reason, is_untrusted=hasattr(error, "verify_message"))
    names = {name.lower(): clean(value) for name, value in answer.getheaders()}
    return Visit(answer.status, names, text, expires=expires)


def _expires(sock: Any) -> datetime | None:
    """Return the time until which the certificate of a connection is valid; None without one."""
    certificate = sock.getpeercert() if hasattr(sock, "getpeercert") else None
    until = certificate.get("notAfter") if certificate else None
    if not until:
        return None
    return datetime.strptime(until, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_PATIENCE:g} seconds"
    if verdict := getattr(error, "verify_message", ""):
        return f"the certificate is not valid: {clean(verdict)}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return shorten(clean(text), _LONGEST_REASON)
