"""URLs of web pages: a canonical form to compare, repaired links, and a check that one can open."""

import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from notifier.text.cleaning import clean

# In characters. Chosen by hand: many mail programs cut longer URLs.
LONGEST_ADDRESS = 2_000

# Parameters that only tell a site where its visitors come from.
_TRACKING = re.compile(r"(?i)^(utm_\w+|fbclid|gclid|mc_[ce]id|mkt_tok|cmpid|_hsenc|_hsmi)$")

# Most addresses: the canonical form is read off, without taking them apart.
_PLAIN = re.compile(r"https?://(?:www\.)?+([a-z0-9.-]+)((?:/[A-Za-z0-9._~%-]*)*)")
# Characters that no host has (WHATWG URL, 3.1).
_NOT_IN_HOST = re.compile(r"""[\s<>"%\\^`{|}]""")
# A scheme with a slip in it: "http:/host", "http//host", "http://http://host", "ttp://host".
_SLIPPED_SCHEME = re.compile(r"(?i)(?:h?ttps?(?::/*|/{2,})|feed:/*){1,3}")
_HOST = r"(?:[\w-]+\.)+(?P<end>[^\W\d_]{2,24}|xn--[\w-]+)\.?(?::\d{1,5})?(?=[/?#]|$)"
_STARTS_WITH_HOST = re.compile(rf"(?i){_HOST}|localhost(?::\d+)?(?=[/?#]|$)|\d+(?:\.\d+){{3}}\b")
# A host without a scheme before it. These endings of the first part are those of files instead.
_BARE_HOST = re.compile(rf"(?i){_HOST}")
_FILES = frozenset(("php", "html", "htm", "shtml", "xhtml", "asp", "aspx", "jsp", "cfm", "cgi",
                    "xml", "rss", "atom", "pdf", "json", "do", "py", "pl"))  # fmt: skip


def canonical_url(url: str) -> str:
    """Return a form that is equal for two URLs of the same page.

    It has no scheme, no ``www.``, no fragment and no tracking parameters.
    """
    if plain := _PLAIN.fullmatch(url):
        return plain[1] + plain[2].rstrip("/")
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").removeprefix("www.")
    if (port := parts.port) and port not in (80, 443):
        host = f"{host}:{port}"
    pairs = parse_qsl(parts.query, keep_blank_values=True) if parts.query else ()
    query = urlencode([pair for pair in pairs if not _TRACKING.match(pair[0])])
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
            parts.scheme in ("http", "https")
            and parts.username is None
            and bool(parts.hostname)
            and not _NOT_IN_HOST.search(parts.hostname or "")
            and parts.port != 0  # reading it refuses ports that are no numbers
        )
    except ValueError:
        return ""
    url = url.replace(" ", "%20").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
    return url if usable and len(url) <= LONGEST_ADDRESS else ""


def linked_address(base: str, link: str) -> str:
    """Return the address to which a link leads, as its author meant it; empty if to no web page.

    Slips that feeds have are repaired: no scheme (``www.host/path``), one slash, a scheme twice,
    backslashes, line breaks (WHATWG URL, 4.4).

    Args:
        base: the address of the document.
        link: an absolute or relative address.
    """
    if len(link) > 2 * LONGEST_ADDRESS:
        return ""
    link = re.sub(r"[\t\r\n]+", "", link.strip())
    end = re.search(r"[?#]|$", link)
    assert end is not None
    link = link[: end.start()].replace("\\", "/") + link[end.start() :]
    link = re.sub(r"^/{3,}", "//", link)
    try:
        return web_address(_repaired(base, link)) if link else ""
    except ValueError:
        return ""


def _repaired(base: str, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https") and parts.hostname not in (None, "http", "https"):
        return link
    slip = _SLIPPED_SCHEME.match(link)
    if slip:
        scheme = "https" if "s" in slip[0].lower() else "http"
        has_host = _STARTS_WITH_HOST.match(link, slip.end())
        if has_host:
            return f"{scheme}://{link[slip.end() :]}"
        one_slash = re.match(r"(?i)https?:(?=/[^/])", link)
        return urljoin(base, link[one_slash.end() :]) if one_slash else ""
    return f"{urlsplit(base).scheme}://{link}" if _is_bare_host(base, link) else urljoin(base, link)


def _is_bare_host(base: str, link: str) -> bool:
    """Return whether a link is an address without its scheme, and no relative one."""
    bare = _BARE_HOST.match(link)
    if bare is None:
        return False
    host = bare[0].lower()
    same_site = host.removeprefix("www.") == urlsplit(base).netloc.lower().removeprefix("www.")
    has_path = link[bare.end() : bare.end() + 1] == "/"
    is_file = bare["end"].lower() in _FILES
    return same_site or host.startswith("www.") or (has_path and not is_file)


def without_fragment(url: str) -> str:
    """Return the URL of the page, without the place in it."""
    return url.partition("#")[0]
