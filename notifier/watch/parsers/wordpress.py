"""Parser of a WordPress site's list of posts, and the addresses at which the site serves it.

Pure. A feed shows the ten newest articles; a correction of an older one is seen only in this list.
Interface: https://developer.wordpress.org/rest-api/reference/posts/ (`modified_after`, since
WordPress 5.7).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from notifier.text.cleaning import paragraphs, plain
from notifier.text.pointers import without_end_pointer
from notifier.text.published_dates import published_date
from notifier.text.urls import web_address
from notifier.watch.parsers.observation import (
    Observation,
    Origin,
    ParsedDocument,
    ParseError,
)
from notifier.watch.parsers.retraction import retraction_reason

# All values were chosen by hand; not measured.

# The first request asks for the edits of so many days: a younger post that it does not show was
# published later (`watch/first_sight.py`). Each later request overlaps the one before it, because
# a site's clock may be wrong.
FIRST_REQUEST = timedelta(days=91)
OVERLAP = timedelta(minutes=15)
# The next request after a success, after a failure, and after an answer that the site has no list.
PAUSE = timedelta(hours=1)
PAUSE_AFTER_FAILURE = timedelta(days=1)
PAUSE_AFTER_REFUSAL = timedelta(days=30)
# Pages that are read in one poll; the next poll goes on from the last edit.
MOST_PAGES = 5

_API_LINK = re.compile(r"<([^<>]+)>\s*;\s*rel=[\"']?https://api\.w\.org/")
_ROOT_FEED = re.compile(r"/(feed(/(rss2?|atom|rdf))?/?)?")
_FIELDS = "id,guid,link,title,excerpt,content,date_gmt,modified_gmt"
_PER_PAGE = 100  # the most that WordPress allows
# Query parameters by which a feed shows a part of the site, or posts of another type
# (https://developer.wordpress.org/reference/classes/wp_query/).
_PARTIAL = (
    "cat", "category_name", "tag", "tag_id", "taxonomy", "term", "author", "author_name", "s", "p",
    "name", "page_id", "post_type", "year", "monthnum", "day", "m", "w", "lang",
)  # fmt: skip


def posts_url(headers: Mapping[str, str], generator: str, site: str, feed_url: str) -> str:
    """Return the address of a site's list of posts; empty if the site does not use WordPress.

    Args:
        headers: of the feed's answer, names in lower case; WordPress names its interface in `Link`.
        generator: the program that made the feed, as the feed names it.
        site: the feed's own link.
        feed_url: the feed's address; a list on another host is not used.
    """
    named = _API_LINK.search(headers.get("link", ""))
    made_by_wordpress = (urlsplit(generator).hostname or "").removeprefix("www.") == "wordpress.org"
    if not named and not made_by_wordpress:
        return ""
    root = named.group(1) if named else urljoin(f"{site.rstrip('/')}/", "wp-json/")
    address = web_address(urljoin(feed_url, f"{root.rstrip('/')}/wp/v2/posts"))
    return address if urlsplit(address).netloc == urlsplit(feed_url).netloc else ""


def request_url(posts: str, since: datetime, page: int = 1) -> str:
    """Return the address of a page of the posts edited since then, the oldest edit first.

    Args:
        posts: the address of the list, as `posts_url` gives it.
        since: an aware time.
        page: from 1.
    """
    query = {
        "modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "orderby": "modified",
        "order": "asc",
        "per_page": _PER_PAGE,
        "page": page,
        "_fields": _FIELDS,
    }
    # A site without permalinks names its interface in the query: ``/?rest_route=/wp/v2/posts``.
    return f"{posts}{'&' if urlsplit(posts).query else '?'}{urlencode(query)}"


def is_whole_site(feed_url: str) -> bool:
    """Return whether a feed shows the whole site; a category's feed shows fewer posts.

    The feed of comments shows none.
    """
    parts = urlsplit(feed_url)
    query = parse_qsl(parts.query)
    is_partial = any(name in _PARTIAL or text.startswith("comments") for name, text in query)
    return bool(_ROOT_FEED.fullmatch(parts.path)) and not is_partial


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedDocument:
    """Parse a page of the list; `next_url` of the result is its next page.

    Args:
        body: a JSON array.
        headers: names in lower case; `x-wp-totalpages` is the number of pages.
        url: the requested address, with the number of the page.

    Raises:
        ParseError: not a list of posts.
    """
    try:
        posts = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("the site's list of posts is not JSON") from error
    if not isinstance(posts, list):
        raise ParseError("the site's list of posts is not a list")
    query = dict(parse_qsl(urlsplit(url).query))
    page, pages = _number(query.get("page")), _number(headers.get("x-wp-totalpages"))
    next_url = ""
    if posts and page < min(pages, MOST_PAGES):
        next_url = urlsplit(url)._replace(query=urlencode(query | {"page": page + 1})).geturl()
    observations = tuple(_observation(post) for post in posts if isinstance(post, dict))
    return ParsedDocument("", observations, next_url=next_url)


def parse_until(body: bytes, headers: Mapping[str, str], url: str, now: datetime) -> datetime:
    """Return the time from which the next request should ask for edits.

    That is now, less an overlap; if the list has further pages, the last edit of this page, less an
    overlap. An edit dated in the future counts as one of now, because else nothing that is edited
    until then would be seen.

    Args:
        body: a page that `parse` accepted.
        headers: as for `parse`.
        url: as for `parse`.
        now: an aware time.
    """
    page = _number(dict(parse_qsl(urlsplit(url).query)).get("page"))
    if _number(headers.get("x-wp-totalpages")) <= page:
        return now - OVERLAP
    posts = [post for post in json.loads(body) if isinstance(post, dict)]
    edits = [_moment(post.get("modified_gmt")) for post in posts]
    return min(max((edit for edit in edits if edit), default=now), now) - OVERLAP


def _observation(post: dict[str, Any]) -> Observation:
    title = _rendered(post, "title")
    guid = post.get("guid")
    return Observation(
        guid=plain(str(guid.get("rendered", ""))) if isinstance(guid, dict) else "",
        url=web_address(str(post.get("link") or "")),
        title=title,
        summary=without_end_pointer(_rendered(post, "excerpt"), title),
        body=without_end_pointer(_rendered(post, "content", paragraphs), title),
        published_at=_moment(post.get("date_gmt")),
        withdrawn=retraction_reason(title),
        origin=Origin.POSTS,
    )


def _rendered(post: Mapping[str, Any], name: str, to_text: Callable[[str], str] = plain) -> str:
    part = post.get(name)
    return to_text(str(part.get("rendered") or "")) if isinstance(part, dict) else ""


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 9 else 1


def _moment(text: Any) -> datetime | None:
    """Return the moment of a time in UTC, which WordPress writes without saying so."""
    return published_date(text) if isinstance(text, str) else None
