"""OPML: the form in which feed readers exchange lists of sources (http://opml.org/spec2.opml).

Pure: bytes in, addresses out, and back. The kind and the tier of a source are in attributes of our
own, `notifierKind` and `notifierAuthority`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from notifier.enums import SourceKind
from notifier.errors import InputError
from notifier.store.models import Source
from notifier.text.cleaning import clean, xml_text
from notifier.text.urls import web_address


@dataclass(frozen=True)
class Outline:
    """One source of a list; `kind` and `authority` are empty if the list does not give them."""

    url: str
    name: str
    kind: str = ""
    authority: str = ""


def read(body: bytes, name: str) -> list[Outline]:
    """Return the sources of an OPML document in its order, those in folders too, each once.

    Args:
        body: the document, XML.
        name: its name in an error.

    Raises:
        InputError: not an OPML document.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(
            f"{name} is not XML: {error}", "Export the list from your feed reader as OPML."
        ) from error
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise InputError(
            f"{name} is not an OPML document.", "Export the list from your feed reader as OPML."
        )
    by_address: dict[str, Outline] = {}
    for outline in _outlines(root):
        by_address.setdefault(outline.url, outline)
    return list(by_address.values())


def _outlines(root: Any) -> Iterator[Outline]:
    for element in root.iter("outline"):
        attributes = {key.lower(): clean(str(text)) for key, text in element.attrib.items()}
        if url := web_address(attributes.get("xmlurl", "")):
            yield Outline(
                url,
                name=attributes.get("text") or attributes.get("title") or "",
                kind=attributes.get("notifierkind", ""),
                authority=attributes.get("notifierauthority", ""),
            )


def write(sources: Iterable[Source]) -> bytes:
    """Return the sources as an OPML document for `read` and for every feed reader."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Sources of notifier"
    body = etree.SubElement(root, "body")
    for source in sources:
        own = {"notifierKind": str(source.kind), "notifierAuthority": str(source.authority)}
        kind = {"type": "rss"} if source.kind is SourceKind.FEED else {}
        etree.SubElement(
            body,
            "outline",
            {"text": clean(source.name), **kind, "xmlUrl": xml_text(source.url), **own},
        )
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
