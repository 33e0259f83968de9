"""The own text of a feed's item: without the links back to it that programs add at its end.

Pure. WordPress ends each item with “The post … appeared first on …”, and shortened items end with
“Continue reading”. What an author wrote stays, whatever it links to.
"""

import re
from collections.abc import Callable

from notifier.text.cleaning import fold, plain
from notifier.text.pointers import without_end_pointer

# Characters of a closing paragraph, and words of it outside links: in no language that WordPress
# has does it have more. Chosen by hand; not measured.
_LONGEST_CLOSING, _MOST_WORDS = 6_000, 12
_LINK = re.compile(r"(?is)<a\b([^<>]{0,4000})>(.{0,1000}?)</a\s*>")
_FRONT_PAGE = re.compile(r"(?i)href\s*=\s*[\"']?https?://[^/\"'\s>]+/?[\"'\s]")


def own_text(markup: str, title: str, link: str, to_text: Callable[[str], str]) -> str:
    """Return the text of an item's content without the links back to the item.

    Args:
        markup: the content, HTML.
        title: the item's headline, plain text.
        link: the item's address, as the feed gives it.
        to_text: makes text of markup: `plain` or `paragraphs`.
    """
    return without_end_pointer(to_text(_without_backlink(markup, title, link)), title)


def _without_backlink(markup: str, title: str, link: str) -> str:
    """Return markup without a closing paragraph that says where the item appeared first.

    It is told by its shape in every language: it links the headline to the item (or its beginning,
    if it also links to the site's front page), and has few words beside its links.
    """
    start = markup.rfind("<p")
    closing = markup[start:] if start > 0 else ""
    if not link or not title or len(closing) > _LONGEST_CLOSING or link not in closing:
        return markup
    links = _LINK.findall(closing)
    names = [fold(plain(text)) for attributes, text in links if link in attributes]
    leads_home = any(_FRONT_PAGE.search(attributes) for attributes, _ in links)
    names_item = fold(title) in names or (
        leads_home and any(name and fold(title).startswith(name) for name in names)
    )
    beside = plain(_LINK.sub(" ", closing)).split()
    return markup[:start] if names_item and len(beside) <= _MOST_WORDS else markup
