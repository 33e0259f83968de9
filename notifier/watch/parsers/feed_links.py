"""Links in feeds that have a slip, repaired before the feed is parsed.

Pure. The parser of feeds resolves every link against the feed's address, so that
``www.host/path`` becomes a path of the feed's own host; only the text shows what was meant.
"""

import html
import re
from urllib.parse import urljoin

from notifier.text.urls import linked_address
from notifier.watch.parsers.observation import MOST_ITEMS

# The text of a link element (RSS), or its attribute (Atom, RFC 4287, 4.2.7); the lengths are
# limited because feeds may be hostile.
_LINK = re.compile(
    r"(?i)(<link(?:>\s*(?:<!\[CDATA\[)?\s*|\s[^<>]{0,300}?\bhref\s*=\s*[\"']))([^<>\"'\]]{1,2000})"
)
# A link that needs no repair.
_WELL_FORMED = re.compile(r"(?i)https?://(?!https?[:/])[^\s/\\][^\s\\]*\s*$")

# Links that are tried in one document, as many as items are read of it.
_MOST_TRIED = MOST_ITEMS


def with_repaired_links(text: str, base: str) -> str:
    """Return a feed in which links with a slip lead where their author meant.

    Args:
        text: the document.
        base: the address that it came from.
    """
    left = _MOST_TRIED

    def repaired(link: re.Match[str]) -> str:
        nonlocal left
        start, written = link[1], link[2]
        if left <= 0 or _WELL_FORMED.match(written):
            return link[0]
        left -= 1
        is_escaped = not start.rstrip().endswith("[")
        meant = html.unescape(written) if is_escaped else written
        address = linked_address(base, meant)
        if not address or address == _resolved(base, meant.strip()):
            return link[0]
        return start + (html.escape(address) if is_escaped else address)

    return _LINK.sub(repaired, text)


def _resolved(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""
