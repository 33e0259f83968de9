"""Therapy pages: bytes → one observation whose sections are the article's, without network or database.

Owns where an article begins and ends on a page. Menus, related articles, advertisements and footers
are no part of it, so a redesign around it is no change.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree, html

from notifier.enums import NewsKind
from notifier.text import markup
from notifier.text.cleaning import clean, fold, shorten
from notifier.text.urls import web_address
from notifier.watch.parsers.observation import ASIDE, Observation, ParsedDocument, ParseError

# The watched site's own class comes first: the general places hold more than the article there.
_ARTICLE = (
    "//div[contains(concat(' ', normalize-space(@class), ' '), ' bio-article-body ')]",
    "//article[not(ancestor::article)]",
    "//main",
    "//*[@role='main']",
)
_NOT_ARTICLE = (
    "//script|//style|//noscript|//template|//nav|//header[not(ancestor::article)]|//footer|//aside|//form|//iframe"
    "|//button|//svg|//dialog|//*[@hidden]|//*[@aria-hidden='true']"
    "|//*[@role='navigation' or @role='complementary' or @role='search' or @role='banner' or @role='contentinfo']"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of class names and ids by which sites mark what stands around an article.
_AROUND = _words(
    "ad ads advert advertisement adslot banner breadcrumb breadcrumbs comment comments cookie cookies consent "
    "footer menu modal nav navbar navigation newsletter pagination popup promo promoted promotion recent "
    "recirculation recommend recommended recommendations related share sharing sidebar signup social sponsored "
    "subscribe subscription teaser teasers toc trending widget"
)
_AROUND_HEADINGS = frozenset(
    {"about the author", "advertisement", "advertisements", "comments", "latest news", "latest posts",
     "leave a comment", "more from our news", "more news", "most popular", "most read", "newsletter", "popular",
     "read more", "recent articles", "recent news", "recent posts", "recommended", "recommended reading", "related",
     "related articles", "related news", "related posts", "related reading", "share this", "share this article",
     "subscribe", "table of contents", "trending", "you may also like"}
)  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5")
_BOXES = ("div", "section", "article", "main", "details", "summary", "body")
# How long a line may be that says when a page was updated, or by whom.
_LONGEST_ASIDE = 200
_INLINE = _words("a abbr b br cite code em i mark small span strong sub sup time u")
_BLOCKS = ("p", "li", "td", "th", "dd", "dt", "blockquote", "figcaption", "pre")

_MONTH = r"[^\W\d_]{3,9}\.?"
_DATE = (
    rf"(?:{_MONTH}\s+\d{{1,2}},?\s+\d{{4}}|\d{{1,2}}\.?\s+(?:de\s+)?{_MONTH}\s+(?:de\s+)?\d{{4}}"
    r"|\d{4}-\d{2}-\d{2})"
)
_UPDATED = re.compile(
    r"(?i)(?:last\s+)?(?:updated|reviewed|modified|aktualisiert|mise à jour|actualizado)"
    rf"(?:\s+(?:on|am|le|el))?:?\s+({_DATE})"
)
_NAME_PART = r"(?:(?:van|von|de|der|den|la|di)\s+)?[A-ZÀ-ÖØ-Þ][\w.'’-]*"
_NAME = rf"({_NAME_PART}(?:,?\s+{_NAME_PART}){{0,4}})"
_REVIEWED_BY = re.compile(
    rf"(?i:(?:medically |scientifically |fact[- ])?(?:reviewed|checked)\s+by:?)\s+{_NAME}\s*(?:[|·•]|$)"
)
_WRITTEN_BY = re.compile(rf"(?i:(?:^|,\s)(?:written\s+)?by:?)\s+{_NAME}\s*(?:[|·•]|$)")


def read(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Read a page down to its article.

    Raises:
        ReadError: empty, or nothing in it that reads as an article.
    """
    if not body.strip():
        raise ParseError("the address answered with nothing")
    root = _parsed(body, headers)
    title = clean(" ".join(root.xpath("(//h1)[1]//text()"))) or clean(
        root.findtext(".//title") or ""
    )
    aside = _aside(root)
    canonical = web_address(root.xpath("string((//link[@rel='canonical']/@href)[1])"))
    site = root.xpath("string((//meta[@property='og:site_name']/@content)[1])")
    _strip(root)
    sections = _sections(_article(root))
    if not sections:
        raise ParseError("the page holds no article text")
    lead = next((block for section in sections for block in section["blocks"]), "")
    observation = Observation(
        guid="page",
        url=canonical or web_address(url),
        title=title,
        summary=shorten(lead, 400),
        body="\n".join(
            line
            for section in sections
            for line in (section["heading"], *section["blocks"])
            if line
        ),
        author=aside.get("author", ""),
        content={"sections": sections} | ({ASIDE: aside} if aside else {}),
        change=NewsKind.PAGE_CHANGE,
    )
    return ParsedDocument(clean(site), (observation,))


def _parsed(body: bytes, headers: Mapping[str, str]) -> Any:
    charset = re.search(r"charset=[\"']?([\w-]+)", headers.get("content-type", ""))
    # As Latin-1 each byte is a character: enough to see the tags before any parser does.
    text = body.decode("latin-1")
    if markup.nests_too_deep(text):
        raise ParseError(f"the page nests its elements more than {markup.DEEPEST} deep")
    body = markup.with_few_attributes(text).encode("latin-1")
    try:
        parser = html.HTMLParser(encoding=charset.group(1) if charset else None, huge_tree=False)
        return html.document_fromstring(body, parser=parser)
    except (etree.ParserError, LookupError, ValueError) as error:
        raise ParseError(f"the page cannot be read as HTML: {error}") from error


def _aside(root: Any) -> dict[str, str]:
    """What the page says of itself: when it was last updated, who wrote it and who reviewed it."""
    elements = (
        element
        for element in root.iter("p", "span", "div", "time", "address", "li")
        if len(element) < 8
    )
    short = [line for element in elements if (line := _short_text(element))]
    updated = next((found for line in short if (found := _UPDATED.search(line))), None)
    meta = root.xpath("string((//meta[@property='article:modified_time']/@content)[1])")
    author = root.xpath(
        "string((//span[contains(@class, 'bio-avatar-author--name')]//a | //*[@rel='author'])[1])"
    )
    author = author or root.xpath("string((//meta[@name='author']/@content)[1])")
    written = next((found for line in short if (found := _WRITTEN_BY.search(line))), None)
    reviewed = next((found for line in short if (found := _REVIEWED_BY.search(line))), None)
    told = {
        "last_updated": updated.group(1) if updated else clean(meta)[:10],
        "author": clean(author) or (written.group(1) if written else ""),
        "reviewer": reviewed.group(1) if reviewed else "",
    }
    return {name: text for name, text in told.items() if text}


def _strip(root: Any) -> None:
    """Take away what is no article by its element, its role, or the name the site gave it."""
    for unwanted in root.xpath(_NOT_ARTICLE):
        unwanted.drop_tree()
    holders = _with_their_ancestors(root.iter("h1", "article", "main"))
    for element in root.xpath("//*[@class or @id]"):
        words = set(
            re.split(r"[^a-z0-9]+", f"{element.get('class', '')} {element.get('id', '')}".lower())
        )
        whole = element.tag in ("html", "body", "main", "article") or element.getparent() is None
        if words & _AROUND and not whole and element not in holders:
            element.drop_tree()


def _with_their_ancestors(elements: Iterable[Any]) -> set[Any]:
    """Everything that holds one of these elements."""
    holders: set[Any] = set()
    for element in elements:
        above = element.getparent()
        while above is not None and above not in holders:
            holders.add(above)
            above = above.getparent()
    return holders


def _article(root: Any) -> Any:
    for path in _ARTICLE:
        found = [
            element
            for element in root.xpath(path)
            if any(clean(text) for text in element.itertext())
        ]
        if len(found) == 1 or (found and path == _ARTICLE[0]):
            return found[0]
    return _found_by_reading(root)


def _found_by_reading(root: Any) -> Any:
    """The element that holds all paragraphs which the extractor takes for the article.

    The extractor finds the place and no more: its own cut drops short lists, and side effects stand
    in short lists.
    """
    from readability import Document
    from readability.readability import Unparseable

    try:
        cut = html.fromstring(
            Document(html.tostring(root, encoding="unicode")).summary(html_partial=True)
        )
    except (Unparseable, etree.ParserError, ValueError, TypeError):
        return root
    wanted = {text for block in cut.iter("p") if (text := _text(block))}
    held = [block for block in root.iter("p") if _text(block) in wanted]
    if not held:
        return root
    shared = [held[0], *held[0].iterancestors()]
    for parent in {block.getparent() for block in held[1:] if block.getparent() is not None}:
        above = {parent, *parent.iterancestors()}
        shared = [element for element in shared if element in above]
    return shared[0] if shared and len(held) > 1 else held[0].getparent()


def _sections(article: Any) -> list[dict[str, Any]]:
    """The article as ``[{"heading": "…", "blocks": ["…", …]}, …]``, without empty sections and its dateline."""
    sections: list[dict[str, Any]] = [{"heading": "", "blocks": []}]
    menus = {items for items in article.iter("ul", "ol", "menu") if _is_menu(items)}
    for element in article.iter():
        if element.tag in _HEADINGS:
            sections.append({"heading": _text(element), "blocks": []})
        elif element.tag in _BLOCKS and not any(
            parent.tag in _BLOCKS for parent in element.iterancestors()
        ):
            sections[-1]["blocks"] += [] if element.getparent() in menus else _blocks(element)
        elif element.tag in _BOXES:
            sections[-1]["blocks"].append(_loose_text(element))
    for section in sections:
        section["blocks"] = [
            block for block in section["blocks"] if block and not _is_dateline(block)
        ]
    return [
        section
        for section in sections
        if section["blocks"] and fold(section["heading"]) not in _AROUND_HEADINGS
    ]


def _blocks(element: Any) -> list[str]:
    """The text of a block; an item with a list inside it is a block each."""
    inside = list(element.iterdescendants("p", "li"))
    holders = _with_their_ancestors(inside)
    inner = [one for one in inside if one not in holders]
    if not inner:
        return [_text(element)]
    own = clean(" ".join(text for text in (element.text, *(one.tail for one in element)) if text))
    return [*([own] if own else []), *(_text(one) for one in inner)]


def _loose_text(box: Any) -> str:
    """The text that stands in a box itself, in no paragraph; a word or two, or a bare date, is a label."""
    inside_block = any(
        parent.tag in _BLOCKS or parent.tag in _HEADINGS for parent in box.iterancestors()
    )
    parts = [box.text or ""]
    for child in box:
        parts += [_text(child) if child.tag in _INLINE else "", child.tail or ""]
    text = clean(" ".join(parts))
    return "" if inside_block or len(text.split()) < 3 or re.fullmatch(_DATE, text) else text


def _is_menu(items: Any) -> bool:
    """A list of at least three items, each of which is nothing but a link."""
    found = [item for item in items if item.tag == "li"]
    return len(found) >= 3 and all(
        _text(item) == clean(" ".join(_text(link) for link in item.iter("a"))) for item in found
    )


def _text(element: Any) -> str:
    return clean(" ".join(element.itertext()))


def _short_text(element: Any) -> str:
    """The text of an element, empty where it is longer than a line: boxes in boxes are not read again and again."""
    parts: list[str] = []
    length = 0
    for text in element.itertext():
        words = clean(text)
        length += len(words)
        if length >= _LONGEST_ASIDE or len(parts) > _LONGEST_ASIDE:
            return ""
        parts.append(words)
    line = clean(" ".join(parts))
    return line if len(line) < _LONGEST_ASIDE else ""


def _is_dateline(block: str) -> bool:
    """A short line that says only when the page was written or updated, and by whom."""
    return len(block) < 160 and bool(
        _UPDATED.search(block) or _REVIEWED_BY.search(block) or _WRITTEN_BY.match(block)
    )
