"""Template check: render a made-up mail of each kind before a server starts.

A broken template is refused at the start, and not when the first digest is due. Owns a made-up
digest with content in every part; nothing is stored or sent.
"""

from dataclasses import replace
from datetime import date, datetime

from notifier.deliver.outbox import new_message_id
from notifier.deps import Deps
from notifier.digest.changes import ChangeView
from notifier.digest.digests import Rendered
from notifier.digest.evidence import EvidenceView, SnapshotView
from notifier.digest.items import DetailView, ItemView, OutletView
from notifier.digest.marked_edits import Part
from notifier.digest.no_news import NoNewsView
from notifier.digest.selection import Section
from notifier.digest.view import DigestView, SectionView, Variant
from notifier.enums import Cadence, DeliveryKind, Edition, NewsKind
from notifier.match import profiles
from notifier.messages import account_mail, digest_body, digest_mail
from notifier.store.models import Profile, Subscription
from notifier.subscribers import choices

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
    changes=(
        ChangeView("The text", "was “89%”, now “86%”", "89% → 86%"),
        ChangeView(
            "The headline",
            "was “It was 89%”, now “It was 86%”",
            "",
            (Part(text="It was"), Part(removed="89%", added="86%")),
            "It was [89% → 86%]",
        ),
    ),
    more_changes=2,
    aside="Registry data as of 2 March 2026.",
)


def example(variant: Variant) -> DigestView:
    """Return a made-up digest with content in every part."""
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

    Nothing is rendered if no profile is stored.

    Raises:
        SettingsError: a template is broken; with its file and line.
    """
    now, preview_deps = deps.now(), deps.for_preview()
    with deps.reading() as session:
        for profile in profiles.listed(session)[:1]:
            _check_mails(preview_deps, profile, now)


def _check_mails(deps: Deps, profile: Profile, now: datetime) -> None:
    for edition in Edition:
        variant = Variant(Cadence.WEEKLY, edition, "en")
        rendered = digest_body.renderer(deps)(example(variant))
        _build_digest(deps, profile, variant, replace(rendered, left_out=3), now)
    no_news = NoNewsView(profile.name, variant, _ON, "We looked.", "All is well.", None)
    _build_digest(deps, profile, variant, digest_body.render_no_news(deps, no_news), now)
    reader = _reader(profile, variant, now)
    confirmation = account_mail.confirmation_spec(deps, reader, _message_id(), now)
    digest_mail.build_message(deps, confirmation, now)
    welcome = account_mail.account_spec(deps, DeliveryKind.WELCOME, reader, _message_id(), now)
    digest_mail.build_message(deps, welcome, now)


def _message_id() -> str:
    return new_message_id("example.org")


def _build_digest(
    deps: Deps, profile: Profile, variant: Variant, rendered: Rendered, now: datetime
) -> None:
    archive = deps.settings.public_url
    digest = digest_mail.RenderedDigest(
        rendered, profile.name, variant.cadence, variant.language, now, archive
    )
    spec = digest_mail.digest_spec(
        deps, digest, _reader(profile, variant, now), _message_id(), now, now
    )
    digest_mail.build_message(deps, spec, now)


def _reader(profile: Profile, variant: Variant, now: datetime) -> Subscription:
    choice = choices.default_choice(variant.cadence, "UTC", variant.edition)
    return choices.dummy_subscription(profile, choice, now)
