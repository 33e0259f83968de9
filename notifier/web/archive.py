"""What anybody may read: the archive of public digests, and a feed for each public profile.

Nothing here knows a reader. A digest of a profile that is not public is shown only to who holds its
link.
"""

import hashlib
import re
from xml.etree import ElementTree as ET

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from notifier.digest import archive, digests
from notifier.i18n.catalog import LANGUAGES, language_of
from notifier.links import Purpose
from notifier.messages import digest_body
from notifier.store.models import Digest
from notifier.web import atom
from notifier.web.responses import deps_of, page, spoken_by

# How long a page that anybody may read may be kept by browsers and proxies, in seconds.
_FRESH_FOR = 300
# A digest's number in older mails; longer ones than databases count are nobody's.
_NUMBER = re.compile(r"[0-9]{1,9}")


def index(request: Request) -> Response:
    """The public digests, newest first."""
    deps = deps_of(request)
    spoken = spoken_by(request)
    with deps.reading() as session:
        shown = [
            {
                "key": digest.key,
                "therapy": digest.profile.name,
                "edition": str(digest.edition),
                "language": LANGUAGES.get(digest.language, digest.language),
                "on": digest.composed_at.date(),
                "subject": digest.subject,
            }
            for digest in archive.listed(session)
        ]
        feeds = [(profile.slug, profile.name) for profile in archive.public_profiles(session)]
    return _cached(request, page(request, "archive", {"digests": shown, "feeds": feeds}, spoken))


def _cached(request: Request, answer: Response) -> Response:
    """The answer, to be kept for some minutes; 304 where the visitor has it already (RFC 9110, 13.1.2)."""
    etag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    kept = {"ETag": etag, "Cache-Control": f"public, max-age={_FRESH_FOR}"}
    if etag in request.headers.get("if-none-match", ""):
        answer = Response(status_code=304, headers={"Vary": answer.headers["Vary"]})
    answer.headers.update(kept)
    return answer


def digest(request: Request) -> Response:
    """One digest as it was sent, with what was corrected since."""
    deps = deps_of(request)
    key = request.path_params["key"]
    with deps.reading() as session:
        found = _digest(request, session, key)
        spoken = language_of(found.language)
        body = found.page_html or found.body_html
        if found.left_out and found.page_html is None:  # composed before pages were stored
            body = digest_body.full_body(deps, archive.sent_view(session, found))
        values = {
            "therapy": found.profile.name,
            "issue": digest_body.digest_title(found.cadence, spoken),
            "on": found.composed_at.date(),
            "body": _for_a_page(body),
            "since": archive.corrected_since(session, found),
        }
        public = archive.is_public(found)
    answer = page(request, "digest", values, spoken)
    return _cached(request, answer) if public else answer


def _for_a_page(body: str) -> str:
    """A mail's body without the attributes that only mail programs need, and HTML's rules for pages forbid."""
    return re.sub(r' (?:width|cellpadding|cellspacing|border|align)="[^"<>]*"(?=[^<>]*>)', "", body)


def _digest(request: Request, session: Session, key: str) -> Digest:
    """The digest that an address means: by its key, or as older mails have it.

    Those name a public digest by its number, and any other by a signed one.

    Raises:
        NotFoundError: there is none, or it is not public and its number was guessed.
        LinkError: a signed number that is forged or cut short.
    """
    deps = deps_of(request)
    if _NUMBER.fullmatch(key):
        return archive.public(session, int(key))
    if "." in key:
        signed = deps.links.read(Purpose.ARCHIVE, key, deps.now())
        return digests.find(session, int(signed) if _NUMBER.fullmatch(signed) else 0)
    return archive.by_key(session, key)


def feed(request: Request) -> Response:
    """The news of a public profile as Atom (RFC 4287)."""
    deps = deps_of(request)
    with deps.reading() as session:
        profile = archive.public_profile(session, request.path_params["slug"])
        entries = archive.news(session, profile)
        document = atom.feed(
            profile, entries, f"{deps.settings.public_url}/feeds/{profile.slug}.atom"
        )
    body = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=900"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/atom+xml; charset=utf-8")
