"""Parser of therapy pages: one observation with the sections of the page's article.

Pure. Owns where an article begins and ends on a page. Menus, related articles, advertisements and
footers are not part of it, so that a redesign around it is not a change.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree, html

from notifier.enums import NewsKind
from notifier.text import markup
from notifier.text.cleaning import clean, fold, shorten
from notifier.text.urls import web_address
from notifier.text.visible import unescaped_again
from notifier.watch.parsers.cut_off import page_ends_in_text, page_has_its_end
from notifier.watch.parsers.encoding import decoded
from notifier.watch.parsers.not_the_page.recognition import recognised
from notifier.watch.parsers.observation import ASIDE, Observation, ParsedDocument, ParseError

# Tried in this order. The class of the site that the bundled profile watches is first, because the
# general elements hold more than the article there.
_ARTICLE = (
    "//div[contains(concat(' ', normalize-space(@class), ' '), ' bio-article-body ')]",
    "//article[not(ancestor::article)]",
    "//main",
    "//*[@role='main']",
)
_NOT_ARTICLE = (
    "//script|//style|//noscript|//template|//nav|//header[not(ancestor::article)]|//footer"
    "|//aside|//form|//iframe|//button|//svg|//dialog|//*[@hidden]|//*[@aria-hidden='true']"
    "|//*[@role='navigation' or @role='complementary' or @role='search' or @role='banner'"
    " or @role='contentinfo']"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words in class names and ids by which sites mark what is around an article. Chosen by hand; not
# measured.
_AROUND = _words(
    "ad ads advert advertisement adslot banner breadcrumb breadcrumbs comment comments cookie "
    "cookies consent footer menu modal nav navbar navigation newsletter pagination popup promo "
    "promoted promotion recent recirculation recommend recommended recommendations related share "
    "sharing sidebar signup social sponsored subscribe subscription teaser teasers toc trending "
    "widget"
)
_AROUND_HEADINGS = frozenset(
    (
        "about the author", "advertisement", "advertisements", "comments", "latest news",
        "latest posts", "leave a comment", "more from our news", "more news", "most popular",
        "most read", "newsletter", "popular", "read more", "recent articles", "recent news",
        "recent posts", "recommended", "recommended reading", "related", "related articles",
        "related news", "related posts", "related reading", "share this", "share this article",
        "subscribe", "table of contents", "trending", "you may also like",
    )
)  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5")
_BOXES = ("div", "section", "article", "main", "details", "summary", "body")
# Characters of a line that says when a page was updated, or by whom; of one that says nothing else
# and is left out; and of the summary. Chosen by hand; not measured.
_LONGEST_ASIDE, _LONGEST_DATELINE, _LONGEST_SUMMARY = 200, 160, 400
# Fewer words beside the paragraphs of a box are a label; a list with fewer links is not a menu.
_FEWEST_LOOSE_WORDS, _FEWEST_LINKS = 3, 3
# An element with so many children is not a line.
_MOST_CHILDREN = 8
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
    r"(?i:(?:medically |scientifically |fact[- ])?(?:reviewed|checked)\s+by:?)"
    rf"\s+{_NAME}\s*(?:[|·•]|$)"
)
_WRITTEN_BY = re.compile(rf"(?i:(?:^|,\s)(?:written\s+)?by:?)\s+{_NAME}\s*(?:[|·•]|$)")


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Parse a page into one observation of its article.

    Args:
        body: HTML.
        headers: of the response, names in lower case; `content-type` may name the encoding.
        url: the address it came from.

    Raises:
        ParseError: empty, not HTML, or without an article.
    """
    if not body.strip():
        raise ParseError("the address answered with nothing")
    document, encoding = decoded(body, headers)
    root = _parsed(document)
    title = clean(" ".join(root.xpath("(//h1)[1]//text()"))) or clean(
        root.findtext(".//title") or ""
    )
    aside = _aside(root)
    canonical = web_address(root.xpath("string((//link[@rel='canonical']/@href)[1])"))
    site = root.xpath("string((//meta[@property='og:site_name']/@content)[1])")
    _strip(root)
    sections = _sections(_article(root))
    text = "\n".join(
        line for section in sections for line in (section["heading"], *section["blocks"]) if line
    )
    doubt = _doubt(document, text, url)
    lead = next((block for section in sections for block in section["blocks"]), "")
    observation = Observation(
        guid="page",
        url=canonical or web_address(url),
        title=title,
        summary=shorten(lead, _LONGEST_SUMMARY),
        body=text,
        author=aside.get("author", ""),
        content={"sections": sections} | ({ASIDE: aside} if aside else {}),
        change=NewsKind.PAGE_CHANGE,
    )
    return ParsedDocument(
        clean(site),
        (observation,),
        encoding=encoding,
        whole=page_has_its_end(document),
        doubt=doubt,
    )


def _doubt(document: str, article: str, url: str) -> str:
    """Return why the page may not be the document, or not all of it: a clause; empty if it may.

    Raises:
        ParseError: it is surely another page, or without an article.
    """
    finding = recognised(document, article, url)
    if finding is not None and (finding.certain or not article):
        raise ParseError(f"the address answered with {finding.reason}")
    if not article:
        raise ParseError("the page holds no article text")
    if finding is not None:
        return f"the address answered with {finding.reason}"
    return "the page ends in the middle of its text" if page_ends_in_text(document) else ""


def _parsed(document: str) -> Any:
    if markup.nests_too_deep(document):
        raise ParseError(f"the page nests its elements more than {markup.DEEPEST} deep")
    body = markup.with_few_attributes(document).encode()
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=False)
        return html.document_fromstring(body, parser=parser)
    except (etree.ParserError, LookupError, ValueError) as error:
        raise ParseError(f"the page cannot be read as HTML: {error}") from error


def _aside(root: Any) -> dict[str, str]:
    """Return the date of the last update, the author and the reviewer, as far as they are given."""
    elements = (
        element
        for element in root.iter("p", "span", "div", "time", "address", "li")
        if len(element) < _MOST_CHILDREN
    )
    lines = [line for element in elements if (line := _short_text(element))]
    updated = _first_match(_UPDATED, lines)
    meta = root.xpath("string((//meta[@property='article:modified_time']/@content)[1])")
    author = root.xpath(
        "string((//span[contains(@class, 'bio-avatar-author--name')]//a | //*[@rel='author'])[1])"
    )
    author = author or root.xpath("string((//meta[@name='author']/@content)[1])")
    aside = {
        "last_updated": updated or clean(meta)[: len("2026-03-02")],
        "author": clean(author) or _first_match(_WRITTEN_BY, lines),
        "reviewer": _first_match(_REVIEWED_BY, lines),
    }
    return {name: text for name, text in aside.items() if text}


def _first_match(pattern: re.Pattern[str], lines: Iterable[str]) -> str:
    matches = (pattern.search(line) for line in lines)
    return next((match.group(1) for match in matches if match), "")


def _strip(root: Any) -> None:
    """Remove what cannot be the article by its element, its role, its class or its id."""
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
    """Return all elements that contain one of these elements."""
    holders: set[Any] = set()
    for element in elements:
        above = element.getparent()
        while above is not None and above not in holders:
            holders.add(above)
            above = above.getparent()
    return holders


def _article(root: Any) -> Any:
    for path in _ARTICLE:
        candidates = [
            element
            for element in root.xpath(path)
            if any(clean(text) for text in element.itertext())
        ]
        if len(candidates) == 1 or (candidates and path == _ARTICLE[0]):
            return candidates[0]
    return _extracted_article(root)


def _extracted_article(root: Any) -> Any:
    """Return the element that contains all paragraphs of the article that readability extracts.

    Its own extract is not used, because it drops short lists, and side effects are often in short
    lists.
    """
    from readability import Document
    from readability.readability import Unparseable

    try:
        extract = html.fromstring(
            Document(html.tostring(root, encoding="unicode")).summary(html_partial=True)
        )
    except (Unparseable, etree.ParserError, ValueError, TypeError):
        return root
    texts = {text for block in extract.iter("p") if (text := _text(block))}
    blocks = [block for block in root.iter("p") if _text(block) in texts]
    if not blocks:
        return root
    shared = [blocks[0], *blocks[0].iterancestors()]
    for parent in {block.getparent() for block in blocks[1:] if block.getparent() is not None}:
        above = {parent, *parent.iterancestors()}
        shared = [element for element in shared if element in above]
    return shared[0] if shared and len(blocks) > 1 else blocks[0].getparent()


def _sections(article: Any) -> list[dict[str, Any]]:
    """Return ``[{"heading": "…", "blocks": ["…"]}]``, without empty sections and datelines."""
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
    """Return the text of a block; the innermost blocks inside it are blocks of their own."""
    inside = list(element.iterdescendants("p", "li"))
    holders = _with_their_ancestors(inside)
    innermost = [block for block in inside if block not in holders]
    if not innermost:
        return [_text(element)]
    texts = (element.text, *(child.tail for child in element))
    own = clean(" ".join(text for text in texts if text))
    return [*([own] if own else []), *(_text(block) for block in innermost)]


def _loose_text(box: Any) -> str:
    """Return the text directly in a box, outside its paragraphs; empty if it is only a label."""
    inside_block = any(
        parent.tag in _BLOCKS or parent.tag in _HEADINGS for parent in box.iterancestors()
    )
    parts = [box.text or ""]
    for child in box:
        parts += [_text(child) if child.tag in _INLINE else "", child.tail or ""]
    text = clean(" ".join(parts))
    is_label = len(text.split()) < _FEWEST_LOOSE_WORDS or re.fullmatch(_DATE, text)
    return "" if inside_block or is_label else text


def _is_menu(items: Any) -> bool:
    """Return whether a list has at least three items, each of which is nothing but links."""
    entries = [item for item in items if item.tag == "li"]
    return len(entries) >= _FEWEST_LINKS and all(
        _text(entry) == clean(" ".join(_text(link) for link in entry.iter("a")))
        for entry in entries
    )


def _text(element: Any) -> str:
    return clean(unescaped_again(" ".join(element.itertext())))


def _short_text(element: Any) -> str:
    """Return the text of an element that is at most a line long; empty for a longer one.

    Longer ones are left early, so that nested boxes are not read again for each level.
    """
    parts: list[str] = []
    length = 0
    for text in element.itertext():
        part = clean(text)
        length += len(part)
        if length >= _LONGEST_ASIDE or len(parts) > _LONGEST_ASIDE:
            return ""
        parts.append(part)
    line = clean(" ".join(parts))
    return line if len(line) < _LONGEST_ASIDE else ""


def _is_dateline(block: str) -> bool:
    """Return whether a block says only when the page was written or updated, or by whom."""
    return len(block) < _LONGEST_DATELINE and bool(
        _UPDATED.search(block) or _REVIEWED_BY.search(block) or _WRITTEN_BY.match(block)
    )
