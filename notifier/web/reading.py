"""What anybody may read: the archive of public digests, and a feed for each public profile.

Nothing here knows a reader. A digest of a profile that is not public is shown only to who holds its link.
"""

import hashlib
import re
from dataclasses import asdict
from xml.etree import ElementTree as ET

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifier import letters, watchman
from notifier.digest import archive, digests
from notifier.errors import NotFoundError
from notifier.language import LANGUAGES, language
from notifier.links import Purpose
from notifier.said import Said
from notifier.store.models import Digest
from notifier.web import atom
from notifier.web.page import deps_of, page, spoken_by


def index(request: Request) -> Response:
    """The public digests, newest first."""
    deps = deps_of(request)
    spoken = spoken_by(request)
    with deps.reading() as session:
        shown = [
            {
                "id": digest.id,
                "therapy": digest.profile.name,
                "edition": str(digest.edition),
                "language": LANGUAGES.get(digest.language, digest.language),
                "on": digest.composed_at.date(),
                "subject": digest.subject,
            }
            for digest in archive.listed(session)
        ]
        feeds = [(profile.slug, profile.name) for profile in archive.public_profiles(session)]
    return page(request, "archive", {"digests": shown, "feeds": feeds}, spoken)


def digest(request: Request) -> Response:
    """One digest as it was sent, with what was corrected since."""
    deps = deps_of(request)
    key = request.path_params["key"]
    with deps.reading() as session:
        found = archive.public(session, _number(key)) if key.isdecimal() else _linked(request, session, key)
        spoken = language(found.language)
        body = found.page_html or found.body_html
        if found.left_out and found.page_html is None:  # composed before pages were stored
            body = letters.whole(deps, archive.told(session, found))
        values = {
            "therapy": found.profile.name,
            "issue": letters.issue(found.cadence, spoken),
            "on": found.composed_at.date(),
            "body": _for_a_page(body),
            "since": archive.corrected_since(session, found),
        }
    return page(request, "digest", values, spoken)


def _for_a_page(body: str) -> str:
    """A mail's body without the attributes that only mail programs need, and HTML's rules for pages forbid."""
    return re.sub(r' (?:width|cellpadding|cellspacing|border|align)="[^"<>]*"(?=[^<>]*>)', "", body)


def _linked(request: Request, session: Session, key: str) -> Digest:
    """The digest that a signed link means."""
    deps = deps_of(request)
    return digests.find(session, _number(deps.links.read(Purpose.ARCHIVE, key, deps.now())))


def _number(text: str) -> int:
    """The number of a digest; none has one of more digits than a database counts."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise NotFoundError(Said("There is no such digest."))
    return int(text)


def healthz(request: Request) -> Response:
    """Whether mails go out and sources answer, for a monitor: 200, or 503 when something is broken; names no person."""
    deps = deps_of(request)
    with deps.reading() as session:
        found = watchman.findings(session, deps.now())
    ok = all(one.ok for one in found)
    document = {"status": "ok" if ok else "failing", "checks": [asdict(one) for one in found]}
    return JSONResponse(document, 200 if ok else 503)


def feed(request: Request) -> Response:
    """The news of a public profile as Atom (RFC 4287)."""
    deps = deps_of(request)
    with deps.reading() as session:
        profile = archive.public_profile(session, request.path_params["slug"])
        entries = archive.news(session, profile)
        document = atom.feed(profile, entries, f"{deps.settings.public_url}/feeds/{profile.slug}.atom")
    body = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=900"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/atom+xml; charset=utf-8")
