"""Atom: the news of a profile as a feed document (RFC 4287).

Pure. An entry keeps its id through its corrections and says when it last changed, so that a reader
shows it anew.
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
    """The feed document.

    Args:
        profile: whose news it is.
        news: newest first.
        address: where the feed itself stands.
    """
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(_tag("feed"))
    _text(root, "id", _urn(address))
    _text(root, "title", f"{profile.name}: what is new")
    _text(root, "updated", _moment(max((one.updated for one in news), default=profile.imported_at)))
    _text(root, "generator", "notifier")
    ET.SubElement(root, _tag("link"), rel="self", type="application/atom+xml", href=address)
    for one in news:
        root.append(_entry(one, address))
    return root


def _entry(news: News, address: str) -> ET.Element:
    entry = ET.Element(_tag("entry"))
    _text(entry, "id", _urn(f"{address}#{news.entry_id}"))
    _text(entry, "title", news.title)
    _text(entry, "updated", _moment(news.updated))
    if news.published is not None:
        _text(entry, "published", _moment(news.published))
    _text(ET.SubElement(entry, _tag("author")), "name", news.source)
    ET.SubElement(entry, _tag("link"), rel="alternate", href=news.url)
    ET.SubElement(entry, _tag("category"), term=news.tier)
    _text(entry, "summary", news.summary)
    return entry


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _tag(name)).text = xml_text(text)


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="seconds")
