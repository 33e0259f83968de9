"""Atom: the news of a profile as a feed document (RFC 4287).

Pure. An entry keeps its id through its corrections and says when it last changed, so that a feed
reader shows it again.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from notifier.digest.archive import News
from notifier.store.models import Profile
from notifier.text.cleaning import xml_text

_NAMESPACE = "http://www.w3.org/2005/Atom"


def feed(profile: Profile, news: Sequence[News], address: str) -> ET.Element:
    """Build the feed document of a profile.

    Args:
        profile: the profile that the news is about.
        news: the newest first.
        address: the URL of the feed itself.
    """
    ET.register_namespace("", _NAMESPACE)
    updated = max((item.updated for item in news), default=profile.imported_at)
    root = ET.Element(_tag("feed"))
    _add_text(root, "id", _urn(address))
    _add_text(root, "title", f"{profile.name}: what is new")
    _add_text(root, "updated", _timestamp(updated))
    _add_text(root, "generator", "notifier")
    ET.SubElement(root, _tag("link"), rel="self", type="application/atom+xml", href=address)
    for item in news:
        root.append(_entry(item, address))
    return root


def _entry(item: News, address: str) -> ET.Element:
    entry = ET.Element(_tag("entry"))
    _add_text(entry, "id", _urn(f"{address}#{item.entry_id}"))
    _add_text(entry, "title", item.title)
    _add_text(entry, "updated", _timestamp(item.updated))
    if item.published is not None:
        _add_text(entry, "published", _timestamp(item.published))
    _add_text(ET.SubElement(entry, _tag("author")), "name", item.source)
    ET.SubElement(entry, _tag("link"), rel="alternate", href=item.url)
    ET.SubElement(entry, _tag("category"), term=item.tier)
    _add_text(entry, "summary", item.summary)
    return entry


def _tag(name: str) -> str:
    """Return a tag as ElementTree writes it: ``{namespace}name``."""
    return f"{{{_NAMESPACE}}}{name}"


def _add_text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _tag(name)).text = xml_text(text)


def _urn(name: str) -> str:
    """Return a ``urn:uuid:`` that is always the same for a name (RFC 9562, 5.5)."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _timestamp(value: datetime) -> str:
    """Return a time as Atom writes it (RFC 3339), to the second."""
    return value.isoformat(timespec="seconds")
