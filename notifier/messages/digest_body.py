"""The body of a digest: rendered once for all who get the same, and cut to what a mail may hold."""

from notifier.deps import Deps
from notifier.digest.digests import Rendered, Renderer
from notifier.digest.no_news import NoNewsView
from notifier.digest.view import DigestView, headline, subject
from notifier.enums import Cadence
from notifier.i18n.catalog import Language
from notifier.i18n.messages import mark

# Gmail shows no more than 102 KB of a mail and hides the way to leave below that: a digest ends
# well before.
LARGEST = 90_000


_ISSUES = {
    Cadence.IMMEDIATE: "",
    Cadence.DAILY: mark("daily digest"),
    Cadence.WEEKLY: mark("weekly digest"),
    Cadence.MONTHLY: mark("monthly digest"),
}


def renderer(deps: Deps) -> Renderer:
    """The way from a digest's view to its subject and body; composing and previewing share it."""

    def render(view: DigestView) -> Rendered:
        whole_html = full_body(deps, view)
        shown, html = _fitting(deps, view, whole_html)
        return Rendered(
            subject=subject(view, discreet=deps.settings.sender.discreet),
            headline=headline(view, discreet=deps.settings.sender.discreet),
            html=html,
            text=deps.templates.render(
                "email/digest.txt.j2", {"digest": shown}, view.variant.language
            ),
            left_out=shown.left_out,
            page=whole_html if shown is not view else None,
        )

    return render


def render_no_news(deps: Deps, view: NoNewsView) -> Rendered:
    """A month without news, rendered."""
    code = view.variant.language
    return Rendered(
        subject=view.subject,
        headline=view.headline,
        html=deps.templates.render("email/quiet.html.j2", {"quiet": view}, code),
        text=deps.templates.render("email/quiet.txt.j2", {"quiet": view}, code),
    )


def full_body(deps: Deps, view: DigestView) -> str:
    """The body of a digest with all its items, for a page that has room for them."""
    return deps.templates.render("email/digest.html.j2", {"digest": view}, view.variant.language)


def digest_title(cadence: Cadence, spoken: Language) -> str:
    """What a digest of this cadence is called; empty for those that come with the news."""
    return spoken.gettext(_ISSUES[cadence]) if _ISSUES[cadence] else ""


def _fitting(deps: Deps, view: DigestView, html: str) -> tuple[DigestView, str]:
    """The digest with as many of its items as a mail may hold, and its body; one item alone can be too long, too."""
    shown = view
    # Style takes up to twice the room of what it is written into; most digests are nowhere near.
    while len(html) * 3 > LARGEST and (size := _size(deps, shown, html)) > LARGEST:
        number = shown.count - shown.left_out
        if number == 1:
            shown = view.in_short()
            return shown, full_body(deps, shown)
        shown = view.first(max(1, min(number - 1, number * LARGEST // size)))
        html = full_body(deps, shown)
    return shown, html


def _size(deps: Deps, view: DigestView, html: str) -> int:
    """How many bytes the HTML of a mail has that holds this body, its style written into the elements."""
    address = "https://a-rather-long-name.example.org/unsubscribe/" + "x" * 60
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
        "archive_url": address,
        "left_out": view.count,
        "body_html": html,
        "schedule": "monthly, on the last day of the month at 08:00 (America/Argentina/ComodRivadavia)",
        "leave_url": address,
        "preferences_url": address,
    }
    return len(
        deps.templates.mail_page("email/mail.html.j2", values, view.variant.language).encode()
    )
