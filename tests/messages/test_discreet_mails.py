"""Discretion: the part of a mail on a lock screen names neither the therapy nor the illness."""

import html
import re
from datetime import timedelta

import pytest

from notifier.admin.template_check import example
from notifier.digest import no_news as quiet_months
from notifier.digest.no_news import PollingSummary
from notifier.digest.view import Variant
from notifier.enums import Cadence, DeliveryKind, Edition, TermKind
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profiles
from notifier.messages import account_mail, digest_body, digest_mail
from notifier.store.models import AddressChange, Profile, Subscription
from notifier.subscribers.choices import default_choice, dummy_subscription
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import parsed

# The characters of a mail that a lock screen may show beside its subject; the mail programs that
# were checked show fewer.
SHOWN = 170
ILLNESS = re.compile(
    r"(?i)s[cck]l[eé]ros|esclerosis|\b(?:MS|SM|EM|PPMS|SPMS|RRMS)\b|madeupimab|NCT\d"
)


def reader(profile: Profile, cadence: Cadence, edition: Edition, language: str) -> Subscription:
    choice = default_choice(cadence, "Europe/Berlin", edition, language)
    subscription = dummy_subscription(profile, choice, MONDAY)
    subscription.profile = profile
    subscription.next_due_at = (
        MONDAY + timedelta(days=1) if cadence is not Cadence.IMMEDIATE else None
    )
    return subscription


def visible(text: str) -> str:
    """Return the visible text of an HTML mail."""
    body = re.sub(r"(?is)<head\b.*?</head>|<style\b.*?</style>|<!--.*?-->", " ", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def is_indiscreet(text: str, profile: Profile) -> bool:
    """Return whether a text names the therapy, a trial, its target, its class or the illness."""
    kinds = (
        TermKind.NAME,
        TermKind.CODE,
        TermKind.TRIAL,
        TermKind.TARGET,
        TermKind.CLASS,
        TermKind.INDICATION,
    )
    terms = [term for term in profile.terms if term.kind in kinds]
    spellings = [
        profile.name,
        *(spelling for term in terms for spelling in (term.text, *term.also)),
    ]
    words = re.compile(r"(?i)\b(?:" + "|".join(map(re.escape, spellings)) + r")\b")
    return bool(ILLNESS.search(text) or words.search(text))


def spec_of(deps, kind: str, profile: Profile, cadence: Cadence, edition: Edition, language: str):
    subscription = reader(profile, cadence, edition, language)
    variant = Variant(cadence, edition, language)
    if kind in ("digest", "quiet", "late"):
        view = example(variant)
        rendered = digest_body.renderer(deps)(view)
        if kind == "quiet":
            month = quiet_months.no_news_view(
                profile, variant, PollingSummary(1, 1, ("MS News",)), MONDAY.date()
            )
            rendered = digest_body.render_no_news(deps, month)
        composed = digest_mail.RenderedDigest(
            rendered, profile.name, cadence, language, MONDAY, "https://news.example.org/a/1"
        )
        due_at = MONDAY - timedelta(hours=3) if kind == "late" else MONDAY
        return digest_mail.digest_spec(
            deps, composed, subscription, "<1@example.org>", MONDAY, due_at
        )
    if kind == "confirmation":
        return account_mail.confirmation_spec(deps, subscription, "<1@example.org>", MONDAY)
    if kind.startswith("change"):
        change = AddressChange(
            subscriber=subscription.subscriber, email="x@example.org", link_id="link"
        )
        return account_mail.address_change_spec(
            deps, change, DeliveryKind(kind), "<1@example.org>", MONDAY
        )
    return account_mail.account_spec(
        deps, DeliveryKind(kind), subscription, "<1@example.org>", MONDAY
    )


KINDS = (
    "digest",
    "late",
    "quiet",
    "confirmation",
    "change_old",
    "change_new",
    *sorted(map(str, account_mail.KINDS)),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_begins_with_a_word_of_the_therapy_or_the_illness(
    installation: Installation, kind: str, language: str
):
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        profile = profiles.find(session, None)
        for edition in Edition:
            for cadence in Cadence:
                spec = spec_of(deps, kind, profile, cadence, edition, language)
                mail = parsed(digest_mail.build_message(deps, spec, MONDAY))
                text, page = " ".join(text_of(mail).split()), visible(html_of(mail))
                assert not is_indiscreet(str(mail["Subject"]), profile)
                for shown in (text[:SHOWN], page[:SHOWN]):
                    assert len(shown) == SHOWN, "there is enough to fill the room"
                    assert not is_indiscreet(shown, profile), shown


def test_the_therapy_is_named_further_down(installation: Installation):
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        profile = profiles.find(session, None)
        for kind in ("confirmation", "welcome", "renewal", "digest"):
            spec = spec_of(deps, kind, profile, Cadence.WEEKLY, Edition.PATIENT, "en")
            mail = parsed(digest_mail.build_message(deps, spec, MONDAY))
            assert is_indiscreet(visible(html_of(mail)), profile)
            assert is_indiscreet(text_of(mail), profile)


def test_nothing_is_hidden_at_the_beginning_of_a_mail(installation: Installation):
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        profile = profiles.find(session, None)
        for kind in KINDS:
            spec = spec_of(deps, kind, profile, Cadence.WEEKLY, Edition.PATIENT, "en")
            page = html_of(parsed(digest_mail.build_message(deps, spec, MONDAY)))
            assert not re.search(r"display:\s*none|visibility:\s*hidden|font-size:\s*0", page)
