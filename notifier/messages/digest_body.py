"""Digest bodies: rendered once for all who get the same, and cut to what a mail may hold."""

from notifier.deps import Deps
from notifier.digest.digests import Rendered, Renderer
from notifier.digest.no_news import NoNewsView
from notifier.digest.view import DigestView, headline, subject
from notifier.enums import Cadence
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark

# The most bytes of HTML in a mail. Gmail shows no more than 102 KB of a mail and hides the
# unsubscribe link below that. The margin was chosen by hand; not measured.
LARGEST = 90_000
# Inlining the styles makes HTML up to this many times larger. Chosen by hand; not measured.
_MOST_GROWTH = 3

_TITLES = {
    Cadence.IMMEDIATE: "",
    Cadence.DAILY: mark("daily digest"),
    Cadence.WEEKLY: mark("weekly digest"),
    Cadence.MONTHLY: mark("monthly digest"),
}


def renderer(deps: Deps) -> Renderer:
    """Return the function that renders a digest; composing and previewing share it."""

    def render(view: DigestView) -> Rendered:
        html_with_all = full_body(deps, view)
        shown, html = _fitting(deps, view, html_with_all)
        return Rendered(
            subject=subject(view, discreet=deps.settings.sender.discreet),
            headline=headline(view, discreet=deps.settings.sender.discreet),
            html=html,
            text=deps.templates.render(
                "email/digest_body.txt.j2", {"digest": shown}, view.variant.language
            ),
            left_out=shown.left_out,
            page=html_with_all if shown is not view else None,
        )

    return render


def render_no_news(deps: Deps, view: NoNewsView) -> Rendered:
    """Render the mail about a month without news."""
    code = view.variant.language
    return Rendered(
        subject=view.subject,
        headline=view.headline,
        html=deps.templates.render("email/no_news.html.j2", {"quiet": view}, code),
        text=deps.templates.render("email/no_news.txt.j2", {"quiet": view}, code),
    )


def full_body(deps: Deps, view: DigestView) -> str:
    """Render the HTML body of a digest with all items of the view, as an HTML fragment."""
    return deps.templates.render(
        "email/digest_body.html.j2", {"digest": view}, view.variant.language
    )


def digest_title(cadence: Cadence, language: Language) -> str:
    """Return the name of a digest of a cadence; empty for digests sent as soon as news comes."""
    return language.gettext(_TITLES[cadence]) if _TITLES[cadence] else ""


def _fitting(deps: Deps, view: DigestView, html: str) -> tuple[DigestView, str]:
    """Return the digest with as many items as a mail may hold, and its HTML body.

    An only item that is too long is shown in short.
    """
    shown = view
    # Most digests are far below the limit: their exact size is not needed.
    while len(html) * _MOST_GROWTH > LARGEST and (size := _size(deps, shown, html)) > LARGEST:
        number = shown.count - shown.left_out
        if number == 1:
            shown = view.in_short()
            return shown, full_body(deps, shown)
        shown = view.first(max(1, min(number - 1, number * LARGEST // size)))
        html = full_body(deps, shown)
    return shown, html


def _size(deps: Deps, view: DigestView, html: str) -> int:
    """Return the bytes of the HTML of a mail with this body, its styles inlined.

    The values of the frame are as long as real ones can be.
    """
    url = "https://a-rather-long-name.example.org/unsubscribe/" + "x" * 60
    values = {
        "language": view.variant.language,
        "subject": subject(view, discreet=False),
        "sender_name": deps.settings.sender.name,
        "postal_address": deps.settings.sender.postal_address or "",
        "headline": headline(view, discreet=True),
        "therapy": view.therapy,
        "issue": "",
        "composed_on": view.composed_on,
        "late_since": "Wednesday 30 September, 08:00",
        "archive_url": url,
        "left_out": view.count,
        "body_html": html,
        "schedule": (
            "monthly, on the last day of the month at 08:00 (America/Argentina/ComodRivadavia)"
        ),
        "leave_url": url,
        "preferences_url": url,
    }
    page = deps.templates.mail_page("email/digest.html.j2", values, view.variant.language)
    return len(page.encode())
