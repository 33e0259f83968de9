"""Parser of therapy pages: one observation with the sections of the page's article.

Pure. Owns what a page says about itself (title, author, date of update) and the form of its
observation. Menus, related articles, advertisements and footers are removed by `page_frame.py`, so
that a redesign around the article is not a change; the article is read by `page_article.py`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree, html

from notifier.enums import NewsKind
from notifier.text import markup
from notifier.text.cleaning import clean, shorten
from notifier.text.tags import with_signs_escaped
from notifier.text.urls import web_address
from notifier.watch.parsers import page_article, page_frame, page_text
from notifier.watch.parsers.cut_off import page_ends_in_text, page_has_its_end
from notifier.watch.parsers.encoding import decoded
from notifier.watch.parsers.not_the_page.recognition import recognised
from notifier.watch.parsers.observation import ASIDE, Observation, ParsedDocument, ParseError
from notifier.watch.parsers.page_article import DATE

# Characters of a line that says when a page was updated, or by whom; of one that says nothing else
# and is left out; and of the summary. Chosen by hand; not measured.
_LONGEST_ASIDE, _LONGEST_DATELINE, _LONGEST_SUMMARY = 200, 160, 400
# Bytes at the beginning of a document in which spaces may stand. Chosen by hand; not measured.
_LONGEST_MARGIN = 1_000
# An element with so many children is not a line.
_MOST_CHILDREN = 8
_UPDATED = re.compile(
    r"(?i)(?:last\s+)?(?:updated|reviewed|modified|aktualisiert|mise à jour|actualizado)"
    rf"(?:\s+(?:on|am|le|el))?:?\s+({DATE})"
)
_NAME_PART = r"(?:(?:van|von|de|der|den|la|di)\s+)?[A-ZÀ-ÖØ-Þ][\w.'’-]*"
_NAME = rf"({_NAME_PART}(?:,?\s+{_NAME_PART}){{0,4}})"
_REVIEWED_BY = re.compile(
    r"(?i:(?:medically |scientifically |fact[- ])?(?:reviewed|checked)\s+by:?)"
    rf"\s+{_NAME}\s*(?:[|·•]|$)"
)
_WRITTEN_BY = re.compile(rf"(?i:(?:^|,\s)(?:written\s+)?by:?)\s+{_NAME}\s*(?:[|·•]|$)")


# First bytes of files that are no pages: PDF, PNG, GIF, JPEG, ZIP (also of word processors), older
# word processors, RTF.
_FILES = (
    b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf",
)  # fmt: skip
# Types of such files (RFC 6838); a document that begins as markup is a page whatever it is called.
_TYPES_OF_FILES = re.compile(
    r"(?i)(?:image|audio|video|font)/|application/(?!xhtml|xml|[\w.+-]+\+xml|octet-stream)"
)
_LONGEST_TYPE = 60


def file_instead_of_page(body: bytes, headers: Mapping[str, str]) -> str:
    """Return why a document is no page but a file, a clause; empty if it may be a page.

    Args:
        body: the document, as it came.
        headers: of the response, names in lower case.
    """
    start = body[:_LONGEST_MARGIN].removeprefix(b"\xef\xbb\xbf").lstrip()
    its_type = headers.get("content-type", "").partition(";")[0].strip()
    is_file = start.startswith(_FILES) or (
        _TYPES_OF_FILES.match(its_type) and start and not start.startswith(b"<")
    )
    if not is_file:
        return ""
    shown = f" ({clean(its_type)[:_LONGEST_TYPE]})" if its_type else ""
    return f"the address answered with a file, not a web page{shown}"


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
    page_text.prepare(root)
    title = next(map(page_text.text_of, root.iter("h1")), "") or page_text.as_text(
        root.findtext(".//title") or ""
    )
    aside = _aside(root)
    canonical = web_address(root.xpath("string((//link[@rel='canonical']/@href)[1])"))
    site = root.xpath("string((//meta[@property='og:site_name']/@content)[1])")
    page_frame.strip(root)
    sections = _sections(root, title)
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
    body = markup.with_few_attributes(with_signs_escaped(document)).encode()
    try:
        parser = html.HTMLParser(
            encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True
        )
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


def _sections(root: Any, title: str) -> list[dict[str, Any]]:
    """Return ``[{"heading": "…", "blocks": ["…"]}]``, without empty sections and datelines."""
    read = [
        {"heading": heading, "blocks": [block for block in blocks if not _is_dateline(block)]}
        for heading, blocks in page_article.sections(page_article.article_of(root), title)
    ]
    return [section for section in read if section["blocks"]]


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
