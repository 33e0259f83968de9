"""Addresses of web pages: a canonical form to compare, and a check that one can be opened."""

import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from notifier.text.cleaning import clean

# No browser, mail program or reader needs a longer address; many cut one that is.
LONGEST_ADDRESS = 2_000


_TRACKING = re.compile(r"(?i)^(utm_\w+|fbclid|gclid|mc_[ce]id|mkt_tok|cmpid|_hsenc|_hsmi)$")


def canonical_url(url: str) -> str:
    """The address by which two links are told to be the same page: no scheme, ``www.``, fragment or tracking words."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").removeprefix("www.")
    if parts.port and parts.port not in (80, 443):
        host = f"{host}:{parts.port}"
    query = urlencode(
        [
            pair
            for pair in parse_qsl(parts.query, keep_blank_values=True)
            if not _TRACKING.match(pair[0])
        ]
    )
    return urlunsplit(("", host, parts.path.rstrip("/"), query, "")).removeprefix("//")


def web_address(url: str) -> str:
    """The address if it is an http or https one that may stand in a mail, else an empty text.

    One of more than 2,000 characters (`LONGEST_ADDRESS`) is none either.
    """
    if len(url) > 2 * LONGEST_ADDRESS:
        return ""
    url = clean(url)
    try:
        parts: SplitResult = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        )
    except ValueError:
        return ""
    url = url.replace(" ", "%20").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
    return url if usable and len(url) <= LONGEST_ADDRESS else ""
