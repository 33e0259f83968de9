"""Therapy pages: bytes → one observation whose sections are the article's, without network or database.

Owns where an article begins and ends on a page. Menus, related articles and footers are no part of it, so a redesign
around it is no change.
"""

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree, html

from notifier.store.statuses import NewsKind
from notifier.text import clean, shorten, web_address
from notifier.watch.observation import Observation, ReadError, Reading

_ARTICLE = (
    "//div[contains(concat(' ', normalize-space(@class), ' '), ' bio-article-body ')]",
    "//article",
    "//main",
    "//*[@role='main']",
    "//body",
)
_NOT_ARTICLE = (
    "//script|//style|//noscript|//template|//nav|//header[not(ancestor::article)]|//footer|//aside|//form|//iframe"
    "|//*[@hidden]|//*[@aria-hidden='true']"
)
_BLOCKS = ("p", "li", "td", "th", "dd", "dt", "blockquote", "figcaption", "pre")
_UPDATED = re.compile(
    r"(?i)last updated:?\s+([A-Z][a-z]{2,8}\.?\s+\d{1,2},\s+\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2} \w+ \d{4})"
)


def read(body: bytes, headers: Mapping[str, str], url: str) -> Reading:
    """Read a page down to its article.

    Raises:
        ReadError: empty, or nothing in it that reads as an article.
    """
    if not body.strip():
        raise ReadError("the address answered with nothing")
    charset = re.search(r"charset=[\"']?([\w-]+)", headers.get("content-type", ""))
    try:
        parser = html.HTMLParser(encoding=charset.group(1) if charset else None)
        root: Any = html.document_fromstring(body, parser=parser)
    except (etree.ParserError, LookupError, ValueError) as error:
        raise ReadError(f"the page cannot be read as HTML: {error}") from error
    title = clean(" ".join(root.xpath("(//h1)[1]//text()"))) or clean(root.findtext(".//title") or "")
    updated = _UPDATED.search(clean(" ".join(root.itertext())))
    for unwanted in root.xpath(_NOT_ARTICLE):
        unwanted.drop_tree()
    sections = _sections(_article(root))
    if not sections:
        raise ReadError("the page holds no article text")
    lead = next((block for section in sections for block in section["blocks"]), "")
    observation = Observation(
        guid="page",
        url=_canonical(root) or web_address(url),
        title=title,
        summary=shorten(lead, 400),
        body="\n".join(line for section in sections for line in (section["heading"], *section["blocks"]) if line),
        content={"sections": sections} | ({"last_updated": updated.group(1)} if updated else {}),
        change=NewsKind.PAGE_CHANGE,
    )
    site = root.xpath("string((//meta[@property='og:site_name']/@content)[1])")
    return Reading(clean(site), (observation,))


def _article(root: Any) -> Any:
    for path in _ARTICLE:
        found = root.xpath(path)
        if found and clean(" ".join(found[0].itertext())):
            return found[0]
    return root


def _canonical(root: Any) -> str:
    return web_address(root.xpath("string((//link[@rel='canonical']/@href)[1])"))


def _sections(article: Any) -> list[dict[str, Any]]:
    """The article as ``[{"heading": "…", "blocks": ["…", …]}, …]``, without empty sections and its dateline."""
    sections: list[dict[str, Any]] = [{"heading": "", "blocks": []}]
    for element in article.iter():
        if element.tag in ("h2", "h3", "h4"):
            sections.append({"heading": clean(" ".join(element.itertext())), "blocks": []})
        elif element.tag in _BLOCKS and not any(parent.tag in _BLOCKS for parent in element.iterancestors()):
            sections[-1]["blocks"].append(clean(" ".join(element.itertext())))
    for section in sections:
        section["blocks"] = [block for block in section["blocks"] if block and not _UPDATED.search(block)]
    return [section for section in sections if section["blocks"]]
