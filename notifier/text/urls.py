"""URLs of web pages: a canonical form to compare, and a check that a URL can be opened."""

import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from notifier.text.cleaning import clean

# In characters. Chosen by hand: many mail programs cut longer URLs.
LONGEST_ADDRESS = 2_000

# Parameters that only tell a site where its visitors come from.
_TRACKING = re.compile(r"(?i)^(utm_\w+|fbclid|gclid|mc_[ce]id|mkt_tok|cmpid|_hsenc|_hsmi)$")


def canonical_url(url: str) -> str:
    """Return a form that is equal for two URLs of the same page.

    It has no scheme, no ``www.``, no fragment and no tracking parameters.
    """
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
    """Return the URL if it is http or https and can be a link in a mail, else an empty text.

    A URL of more than 2,000 characters (`LONGEST_ADDRESS`) cannot.
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
