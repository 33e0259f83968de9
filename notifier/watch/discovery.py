"""The feeds that a page names.

Pure: bytes in, addresses out. Form: the HTML standard's `link rel=alternate` with a feed's type
(https://html.spec.whatwg.org/#rel-alternate), as browsers and feed readers use it.
"""

from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from notifier.text.cleaning import clean
from notifier.text.urls import web_address

_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/json",
)


def feeds(body: bytes, url: str) -> list[tuple[str, str]]:
    """Return the address and the title of each feed that a page names, those of comments last.

    Args:
        body: an HTML page.
        url: the address it came from; relative addresses are resolved against it.
    """
    try:
        root: Any = html.document_fromstring(body)
    except (etree.ParserError, ValueError):
        return []
    base = root.xpath("string((//base/@href)[1])")
    titles: dict[str, str] = {}
    for link in root.xpath("//link[@href] | //a[@href and @type]"):
        rel = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if kind not in _TYPES or ("alternate" not in rel and link.tag == "link"):
            continue
        if kind == "application/json" and "wp-json" in link.get("href"):
            continue  # WordPress names its interface in the same way
        try:
            address = web_address(urljoin(urljoin(url, base), link.get("href")))
        except ValueError:
            continue
        if address:
            titles.setdefault(address, clean(link.get("title") or ""))
    return sorted(titles.items(), key=_is_of_comments)


def _is_of_comments(feed: tuple[str, str]) -> bool:
    address, title = feed
    return "/comments/" in address or "comment" in title.lower() or "oembed" in address
