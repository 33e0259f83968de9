"""Mails for tests: a digest with made-up items, in the frame of the real ones."""

from notifier.deliver.mime.message import ListHeaders, MessageSpec, compile_message
from notifier.digest.digests import Rendered
from notifier.digest.items import ItemView
from notifier.digest.view import DigestView, SectionView, Variant, headline, subject
from notifier.enums import Cadence, Edition, NewsKind
from notifier.render import Templates
from notifier.settings import Sender
from tests.support.installation import MONDAY

TEMPLATES = Templates()
LEAVE = (
    "https://news.example.org/unsubscribe/"
    "IkEwOFF2MWwxU0FVR3VHMFdzTXh3Y3ci.do8q3UEz8XIVxHJCzp-3E6bdVjo"
)
PREFERENCES = (
    "https://news.example.org/preferences/"
    "IkEwOFF2MWwxU0FVR3VHMFdzTXh3Y3ci.q3UEz8XIVxHJCzp-3E6bdVjodo8"
)
WEEKLY = Variant(Cadence.WEEKLY, Edition.PATIENT, "en")

SENDER = Sender(
    name="Example Society",
    address="digest@example.org",
    reply_to="office@example.org",
    postal_address="1 Example Street, Exampletown",
)


def an_item(**changes) -> ItemView:
    values = {
        "kind": NewsKind.NEW,
        "tier": "about",
        "title": "A made-up headline",
        "url": "https://herald.example.org/one/",
        "source": "The Example Herald (fictional)",
        "authority": "news",
        "published_on": MONDAY.date(),
        "summary": "Nothing of it is true.",
        "changes": (),
        "more_changes": 0,
        "aside": "",
        "reasons": ("the headline names frexalimab",),
    }
    return ItemView(**{**values, **changes})


def a_digest(*items: ItemView, variant: Variant = WEEKLY) -> DigestView:
    section = SectionView("about", "About Frexalimab", items or (an_item(),))
    return DigestView("Frexalimab", variant, MONDAY.date(), (section,))


def rendered(digest: DigestView, sender: Sender = SENDER) -> Rendered:
    code = digest.variant.language
    return Rendered(
        subject(digest, discreet=sender.discreet),
        headline(digest, discreet=sender.discreet),
        TEMPLATES.render("email/digest_body.html.j2", {"digest": digest}, code),
        TEMPLATES.render("email/digest_body.txt.j2", {"digest": digest}, code),
    )


def a_letter(digest: DigestView, sender: Sender = SENDER, **personal: str) -> MessageSpec:
    shown = rendered(digest, sender)
    return MessageSpec(
        message_id="<0123456789abcdef0123456789abcdef@example.org>",
        to="anna@example.org",
        subject=shown.subject,
        template="digest",
        values={
            "headline": shown.headline,
            "therapy": digest.therapy,
            "issue": "weekly digest",
            "composed_on": MONDAY.date(),
            "late_since": "",
            "archive_url": "https://news.example.org/archive/7",
            "left_out": digest.left_out,
            "body_html": shown.html,
            "body_text": shown.text,
        },
        personal={
            "schedule": "weekly, on Monday at 08:00 (Europe/Berlin)",
            "leave_url": LEAVE,
            "preferences_url": PREFERENCES,
            **personal,
        },
        language=digest.variant.language,
        listing=ListHeaders(
            LEAVE,
            "A08Qv1l1SAUGuG0WsMxwcw",
            "https://news.example.org/archive/7",
            "weekly:digest:news",
        ),
    )


def a_mail(digest: DigestView, sender: Sender = SENDER) -> bytes:
    letter = a_letter(digest, sender)
    return compile_message(letter, sender, TEMPLATES.mail_page, TEMPLATES.render).render(
        letter.own, MONDAY
    )
