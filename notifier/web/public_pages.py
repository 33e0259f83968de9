"""Public pages that say who sends the digests and what they are like: about, contact, a sample.

Owns their values, the icon of the site, and the redirects from addresses that people type. Nothing
here knows a reader, and nothing is stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from notifier.deps import Deps
from notifier.digest import archive
from notifier.digest.view import Variant
from notifier.enums import Cadence, Edition
from notifier.errors import NotFoundError
from notifier.i18n.catalog import LANGUAGES, Language
from notifier.i18n.messages import LazyMessage
from notifier.messages import digest_body
from notifier.store.models import Profile, Source
from notifier.text.languages import foreign, guess
from notifier.watch import sources
from notifier.web import mail_requests
from notifier.web.archive import cached, page_body
from notifier.web.responses import browser_language, deps_of, render_message, render_page

# The pages whose addresses hold no link and that people type; one of them with a slash at its end
# is the same page.
TYPED = ("about", "archive", "contact", "link", "privacy", "sample", "subscribe")

# For how long a sample is shown again without being rendered anew: as long as a browser may keep
# the page. Chosen by hand; not measured.
_SAMPLE_KEPT = timedelta(minutes=5)
# Samples that are kept: more than the profiles of an installation in four languages. Names of
# sources that the about page lists. Both chosen by hand; not measured.
_MOST_SAMPLES, _MOST_SOURCES = 100, 100

_NO_SAMPLE = LazyMessage("There is no digest to read yet.")


class Samples:
    """The rendered samples of an application, each for some minutes, so that a visit costs little.

    Several threads may ask at once: then some of them render in vain, and nobody waits.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._lock = Lock()

    def get(self, key: tuple[str, str], now: datetime, render: Callable[[], str]) -> str:
        """Return the sample of a profile (slug) in a language (code); rendered if none is kept."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and abs(now - kept[0]) < _SAMPLE_KEPT:
            return kept[1]
        body = render()
        with self._lock:
            if len(self._kept) >= _MOST_SAMPLES:
                self._kept.clear()
            self._kept[key] = (now, body)
        return body


def show_sample(request: Request) -> Response:
    """Show what a digest of a public profile looks like, with its latest news.

    The query names the profile; without it the oldest one is shown.
    """
    deps, language = deps_of(request), browser_language(request)
    try:
        with deps.reading() as session:
            profile = _wanted(archive.public_profiles(session), request.query_params)
            name, slug = profile.name, profile.slug
        samples: Samples = request.app.state.samples
        body = samples.get((slug, language.code), deps.now(), lambda: _sample(deps, slug, language))
    except NotFoundError:
        return render_message(request, _NO_SAMPLE, status=404)
    values = {"therapy": name, "profile": slug, "body": body, "languages": LANGUAGES}
    return cached(request, render_page(request, "sample", values, language))


def _wanted(profiles: Iterable[Profile], query: Mapping[str, str]) -> Profile:
    for profile in profiles:
        if query.get("profile", "") in ("", profile.slug):
            return profile
    raise NotFoundError("There is no such profile.")


def _sample(deps: Deps, slug: str, language: Language) -> str:
    """Render the latest news of a profile as its digests are rendered; nothing is stored."""
    variant = Variant(Cadence.WEEKLY, Edition.PATIENT, language.code)
    with deps.reading() as session:
        profile = archive.public_profile(session, slug)
        view = archive.sample_view(session, profile, variant, deps.now())
    return page_body(digest_body.full_body(deps, view))


def show_about(request: Request) -> Response:
    """Show who sends the digests, how they are made, and which sources are read."""
    deps, language = deps_of(request), browser_language(request)
    with deps.reading() as session:
        profiles = archive.public_profiles(session)
        names = _source_names(sources.listed(session), profiles)
        therapies = [profile.name for profile in profiles]
    about = deps.settings.web.about
    contact = deps.settings.contact
    values = {
        "about": [foreign(text, guess(about), language.code) for text in _paragraphs(about)],
        "therapies": therapies,
        "sources": names[:_MOST_SOURCES],
        "more_sources": max(len(names) - _MOST_SOURCES, 0),
        "contact": contact,
        "contact_url": mail_requests.contact_url(contact),
    }
    return cached(request, render_page(request, "about", values, language))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _source_names(listed: Iterable[Source], profiles: Sequence[Profile]) -> list[str]:
    """Return the names of the sources of public profiles, each once, in alphabetical order."""
    public = {profile.id for profile in profiles}
    names = {
        source.name
        for source in listed
        if not source.profiles or public & {profile.id for profile in source.profiles}
    }
    return sorted(names, key=str.casefold) if public else []


def show_contact(request: Request) -> Response:
    """Show the sender's address, and that nobody is needed for leaving."""
    contact = deps_of(request).settings.contact
    values = {"contact": contact, "contact_url": mail_requests.contact_url(contact)}
    return cached(request, render_page(request, "write_to_us", values))


def icon(request: Request) -> Response:
    """Return the icon that browsers show beside the site's name."""
    svg = deps_of(request).templates.render("web/favicon.svg", {})
    return cached(request, Response(svg, media_type="image/svg+xml"))


def to_icon(_request: Request) -> Response:
    """Lead browsers that ask for the icon under its oldest name to it."""
    return RedirectResponse("favicon.svg", 308)


def to_form(request: Request) -> Response:
    """Lead somebody who opens the address of the form's answer to the form itself."""
    return RedirectResponse(f"./{_query(request)}", 303)


def without_slash(request: Request) -> Response:
    """Lead to a page of `TYPED` from its address with a slash at its end."""
    return RedirectResponse(f"../{request.scope['path'].strip('/')}{_query(request)}", 308)


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""
