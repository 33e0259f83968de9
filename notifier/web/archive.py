"""Public pages: the archive of digests, and a feed for each public profile.

Nothing here knows a reader. The digest of a profile that is not public is shown only to those who
hold its link.
"""

import hashlib
import re
from xml.etree import ElementTree as ET

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from notifier.digest import archive, archived_news, digests
from notifier.errors import NotFoundError
from notifier.i18n.catalog import LANGUAGES, language_of
from notifier.i18n.messages import LazyMessage
from notifier.links import Purpose
from notifier.messages import digest_body
from notifier.store.models import Digest
from notifier.web import atom
from notifier.web.responses import browser_language, deps_of, render_message, render_page

# Seconds for which browsers and proxies may keep a public page, and a feed. Chosen by hand; not
# measured.
_PAGE_MAX_AGE = 300
_FEED_MAX_AGE = 900
# The number of a digest, in the links of older mails. A longer number is not looked up: databases
# do not count so far.
_NUMBER = re.compile(r"[0-9]{1,9}")

_NO_DIGEST = LazyMessage("There is no such digest.")
_NO_FEED = LazyMessage("There is no such feed.")


def show_index(request: Request) -> Response:
    """Show the news of the public digests, each item once, newest first."""
    deps = deps_of(request)
    language = browser_language(request)
    with deps.reading() as session:
        news = archived_news.listed(session, language)
        public_digests = archived_news.digests(session)
        feeds = [(profile.slug, profile.name) for profile in archive.public_profiles(session)]
    values = {
        "news": news,
        "digests": [_listed(digest) for digest in public_digests],
        "feeds": feeds,
    }
    return cached(request, render_page(request, "archive", values, language))


def _listed(digest: archived_news.ArchivedDigest) -> dict[str, object]:
    """Return the values of a digest for a template of the operator's own that lists digests."""
    return {
        "key": digest.key,
        "therapy": digest.therapy,
        "edition": str(digest.edition),
        "language": LANGUAGES.get(digest.language, digest.language),
        "on": digest.on,
        "subject": digest.subject,
    }


def cached(request: Request, page: Response) -> Response:
    """Let a public page be kept for some minutes; who has it gets a 304 (RFC 9110, 13.1.2)."""
    etag = _etag(bytes(page.body))
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={_PAGE_MAX_AGE}"}
    if etag in request.headers.get("if-none-match", ""):
        kept = {name: page.headers[name] for name in ("Vary",) if name in page.headers}
        page = Response(status_code=304, headers=kept)
    page.headers.update(headers)
    return page


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def show_digest(request: Request) -> Response:
    """Show one digest as it was sent, with the corrections since then."""
    try:
        return _digest_page(request, request.path_params["key"])
    except NotFoundError:
        return render_message(request, _NO_DIGEST, status=404)


def _digest_page(request: Request, key: str) -> Response:
    deps = deps_of(request)
    with deps.reading() as session:
        digest = _find_digest(request, session, key)
        language = language_of(digest.language)
        body = digest.page_html or digest.body_html
        # Digests from before the whole page was stored, of which the mail had room for a part.
        if digest.left_out and digest.page_html is None:
            body = digest_body.full_body(deps, archive.sent_view(session, digest))
        values = {
            "therapy": digest.profile.name,
            "issue": digest_body.digest_title(digest.cadence, language),
            "on": digest.composed_at.date(),
            "body": page_body(body),
            "since": archive.corrected_since(session, digest),
        }
        public = archive.is_public(session, digest)
    page = render_page(request, "digest", values, language)
    return cached(request, page) if public else page


def page_body(body: str) -> str:
    """Return the body of a mail for a page, without attributes that HTML forbids in pages."""
    return re.sub(r' (?:width|cellpadding|cellspacing|border|align)="[^"<>]*"(?=[^<>]*>)', "", body)


def _find_digest(request: Request, session: Session, key: str) -> Digest:
    """Return the digest of an address: by its key, or by its number, as older mails have it.

    Older mails name a public digest by its number, and any other by a signed number.

    Raises:
        NotFoundError: there is no such digest, or it is not public and its number is not signed.
        LinkError: the signed number is forged or cut short.
    """
    deps = deps_of(request)
    if _NUMBER.fullmatch(key):
        return archive.public(session, int(key))
    if "." in key:
        signed = deps.links.read(Purpose.ARCHIVE, key, deps.now())
        return digests.find(session, int(signed) if _NUMBER.fullmatch(signed) else 0)
    return archive.by_key(session, key)


def show_feed(request: Request) -> Response:
    """Show the news of a public profile as Atom (RFC 4287)."""
    try:
        body = _feed(request, request.path_params["slug"])
    except NotFoundError:
        return render_message(request, _NO_FEED, status=404)
    headers = {"ETag": _etag(body), "Cache-Control": f"public, max-age={_FEED_MAX_AGE}"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/atom+xml; charset=utf-8")


def _feed(request: Request, slug: str) -> bytes:
    deps = deps_of(request)
    with deps.reading() as session:
        profile = archive.public_profile(session, slug)
        news = archive.news(session, profile)
        feed = atom.feed(profile, news, f"{deps.settings.public_url}/feeds/{profile.slug}.atom")
    document: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document
