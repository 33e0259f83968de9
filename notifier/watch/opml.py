"""OPML: a list of sources in the form that feed readers exchange (http://opml.org/spec2.opml).

Pure: bytes in, addresses out, and back. What is not a feed keeps its kind and its tier in
attributes of our own.
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
    """One source of a list; `kind` and `authority` are empty where the list does not say."""

    url: str
    name: str
    kind: str = ""
    authority: str = ""


def read(body: bytes, name: str) -> list[Outline]:
    """The sources of an OPML document, in its order, folders opened, each address once.

    Args:
        body: the document.
        name: what to call it in an error.

    Raises:
        InputError: no OPML.
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
            f"{name} is no OPML document.", "Export the list from your feed reader as OPML."
        )
    found: dict[str, Outline] = {}
    for outline in _outlines(root):
        found.setdefault(outline.url, outline)
    return list(found.values())


def _outlines(root: Any) -> Iterator[Outline]:
    for element in root.iter("outline"):
        given = {key.lower(): clean(str(text)) for key, text in element.attrib.items()}
        if url := web_address(given.get("xmlurl", "")):
            name = given.get("text") or given.get("title") or ""
            yield Outline(
                url, name, given.get("notifierkind", ""), given.get("notifierauthority", "")
            )


def write(sources: Iterable[Source]) -> bytes:
    """The sources as an OPML document that `read` and every feed reader takes."""
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
