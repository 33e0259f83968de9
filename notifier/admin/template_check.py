"""Rehearsal: made-up mails through all templates, so that a broken one is refused at the start, not at eight o'clock.

Owns a digest that has something in every part. Nothing of it is true, and nothing is stored or
sent.
"""

from dataclasses import replace
from datetime import date, datetime

from notifier.deliver.outbox import new_message_id
from notifier.deps import Deps
from notifier.digest.changes import ChangeView
from notifier.digest.digests import Rendered
from notifier.digest.evidence import EvidenceView, SnapshotView
from notifier.digest.items import DetailView, ItemView, OutletView
from notifier.digest.no_news import NoNewsView
from notifier.digest.selection import Section
from notifier.digest.view import DigestView, SectionView, Variant
from notifier.enums import Cadence, DeliveryKind, Edition, NewsKind
from notifier.match import profiles
from notifier.messages import account_mail, digest_body, digest_mail
from notifier.store.models import Profile, Subscription
from notifier.subscribers import choices, subscriptions

_ON = date(2026, 3, 2)
_ITEM = ItemView(
    kind=NewsKind.NEW,
    tier="about",
    title="A made-up headline",
    url="https://herald.example.org/one/",
    source="The Example Herald (fictional)",
    authority="news",
    published_on=_ON,
    summary="Nothing of it is true, not even the placebo.",
    changes=(),
    more_changes=0,
    aside="",
    reasons=("the headline names the therapy",),
    others=(
        OutletView(
            "The Example Wire (fictional)",
            "news",
            "Another headline",
            "https://wire.example.org/1/",
        ),
    ),
    details=(DetailView("DOI", "10.5555/made-up", "https://doi.org/10.5555/made-up"),),
)
_CHANGED = replace(
    _ITEM,
    kind=NewsKind.CORRECTED,
    summary="",
    changes=(ChangeView("The text", "was “89%”, now “86%”", "89% → 86%"),),
    more_changes=2,
    aside="Registry data as of 2 March 2026.",
)


def example(variant: Variant) -> DigestView:
    """A made-up digest with something in every part."""
    sections = (
        SectionView(str(Section.CORRECTED), "Corrected since we wrote", (_CHANGED,)),
        SectionView(str(Section.ABOUT), "About Madeupimab", (_ITEM,)),
    )
    box = EvidenceView("Investigational", ("Not approved: European Union.",), _ON)
    profile = SnapshotView(
        changed=False,
        summary="A made-up antibody.",
        facts=(("Target", "nothing"),),
        trials=("DEMO (phase 3)",),
    )
    return DigestView("Madeupimab", variant, _ON, sections, box, profile)


def check_templates(deps: Deps) -> None:
    """Render one mail of each kind, with the name of the first stored profile.

    Raises:
        SettingsError: a template is broken; with its file and line.
    """
    now, shown = deps.now(), deps.for_preview()
    with deps.reading() as session:
        for profile in profiles.listed(session)[:1]:
            for edition in Edition:
                variant = Variant(Cadence.WEEKLY, edition, "en")
                rendered = digest_body.renderer(shown)(example(variant))
                _mail(shown, profile, variant, replace(rendered, left_out=3), now)
            quiet = NoNewsView(profile.name, variant, _ON, "We looked.", "All is well.", None)
            _mail(shown, profile, variant, digest_body.render_no_news(shown, quiet), now)
            asked = account_mail.confirmation_spec(
                shown, _reader(profile, variant, now), _message_id(), now
            )
            digest_mail.build_message(shown, asked, now)
            reader = _reader(profile, variant, now)
            digest_mail.build_message(
                shown,
                account_mail.account_spec(shown, DeliveryKind.WELCOME, reader, _message_id(), now),
                now,
            )


def _message_id() -> str:
    return new_message_id("example.org")


def _mail(
    deps: Deps, profile: Profile, variant: Variant, rendered: Rendered, now: datetime
) -> None:
    address = deps.settings.public_url
    composed = digest_mail.RenderedDigest(
        rendered, profile.name, variant.cadence, variant.language, now, address
    )
    letter = digest_mail.digest_spec(
        deps, composed, _reader(profile, variant, now), _message_id(), now, now
    )
    digest_mail.build_message(deps, letter, now)


def _reader(profile: Profile, variant: Variant, now: datetime) -> Subscription:
    one = subscriptions.dummy_subscription(
        profile, choices.default_choice(variant.cadence, "UTC", variant.edition), now
    )
    one.profile = profile
    return one
