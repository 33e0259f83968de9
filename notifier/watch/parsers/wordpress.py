"""WordPress posts: where a site lists them with their edits, and bytes → observations, without network or database.

A feed shows the ten newest articles; a correction of the eleventh is seen only here. Interface:
https://developer.wordpress.org/rest-api/reference/posts/ (`modified_after`, since WordPress 5.7).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from notifier.text.cleaning import paragraphs, plain
from notifier.text.urls import web_address
from notifier.watch.parsers.observation import (
    POSTS,
    Observation,
    ParsedDocument,
    ParseError,
    published_moment,
)
from notifier.watch.parsers.retraction import retraction_reason

# How far back the first look goes, and by how much each look overlaps the one before it: a site's
# clock may be off.
FIRST_LOOK = timedelta(days=30)
OVERLAP = timedelta(minutes=15)
# How long to leave the list alone after it was read, after a failure, and where the site does not
# offer it.
PAUSE, PAUSE_AFTER_FAILURE, PAUSE_AFTER_REFUSAL = (
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=30),
)
MOST_PAGES = 5

_API_LINK = re.compile(r"<([^<>]+)>\s*;\s*rel=[\"']?https://api\.w\.org/")
_ROOT_FEED = re.compile(r"/(feed(/(rss2?|atom|rdf))?/?)?")
_FIELDS = "id,guid,link,title,excerpt,content,date_gmt,modified_gmt"
_PER_PAGE = 100


def posts_url(headers: Mapping[str, str], generator: str, site: str, feed_url: str) -> str:
    """Where the site of a feed lists its posts; empty where it is no WordPress or lies elsewhere.

    Args:
        headers: of the feed's answer, names in lower case; WordPress names its interface in `Link`.
        generator: what the feed says it was made by.
        site: the feed's own link.
        feed_url: where the feed came from; another host is not asked.
    """
    named = _API_LINK.search(headers.get("link", ""))
    made_by_wordpress = (urlsplit(generator).hostname or "").removeprefix("www.") == "wordpress.org"
    if not named and not made_by_wordpress:
        return ""
    root = named.group(1) if named else urljoin(f"{site.rstrip('/')}/", "wp-json/")
    found = web_address(urljoin(feed_url, f"{root.rstrip('/')}/wp/v2/posts"))
    return found if urlsplit(found).netloc == urlsplit(feed_url).netloc else ""


def request_url(posts: str, since: datetime, page: int = 1) -> str:
    """The address of a page of the posts that were edited since then, the oldest edit first."""
    wanted = {
        "modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "orderby": "modified",
        "order": "asc",
        "per_page": _PER_PAGE,
        "page": page,
        "_fields": _FIELDS,
    }
    return f"{posts}?{urlencode(wanted)}"


def is_whole_site(feed_url: str) -> bool:
    """Whether a feed is of the whole site; one of a category shows fewer posts than the site lists."""
    parts = urlsplit(feed_url)
    return bool(_ROOT_FEED.fullmatch(parts.path)) and not set(dict(parse_qsl(parts.query))) & {
        "cat",
        "tag",
        "s",
    }


def read(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Read a page of the list; `next_url` of the answer is its next page.

    Raises:
        ReadError: no list of posts.
    """
    try:
        posts = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("the site's list of posts is not JSON") from error
    if not isinstance(posts, list):
        raise ParseError("the site's list of posts is none")
    query = dict(parse_qsl(urlsplit(url).query))
    page, pages = _number(query.get("page")), _number(headers.get("x-wp-totalpages"))
    following = ""
    if posts and page < min(pages, MOST_PAGES):
        following = urlsplit(url)._replace(query=urlencode(query | {"page": page + 1})).geturl()
    return ParsedDocument(
        "", tuple(_observation(one) for one in posts if isinstance(one, dict)), next_url=following
    )


def read_until(body: bytes, headers: Mapping[str, str], url: str, now: datetime) -> datetime:
    """From when the next look should ask: now, less an overlap; where the list went on, from its last edit.

    An edit that is dated ahead is taken as one of now: else nothing that was edited until then
    would be seen.
    """
    if _number(headers.get("x-wp-totalpages")) <= _number(
        dict(parse_qsl(urlsplit(url).query)).get("page")
    ):
        return now - OVERLAP
    edits = [_moment(one.get("modified_gmt")) for one in json.loads(body) if isinstance(one, dict)]
    return min(max((edit for edit in edits if edit), default=now), now) - OVERLAP


def _observation(post: dict[str, Any]) -> Observation:
    title = _rendered(post, "title")
    guid = post.get("guid")
    return Observation(
        guid=plain(str(guid.get("rendered", ""))) if isinstance(guid, dict) else "",
        url=web_address(str(post.get("link") or "")),
        title=title,
        summary=_rendered(post, "excerpt"),
        body=_rendered(post, "content", paragraphs),
        published_at=_moment(post.get("date_gmt")),
        withdrawn=retraction_reason(title),
        origin=POSTS,
    )


def _rendered(post: Mapping[str, Any], name: str, words: Callable[[str], str] = plain) -> str:
    part = post.get(name)
    return words(str(part.get("rendered") or "")) if isinstance(part, dict) else ""


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 9 else 1


def _moment(text: Any) -> datetime | None:
    try:
        return published_moment(datetime.fromisoformat(str(text)).replace(tzinfo=UTC))
    except ValueError:
        return None
