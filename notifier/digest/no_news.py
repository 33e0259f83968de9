"""The digest of a month without news, which proves to its readers that the service still works.

Owns its wording. It states only what was counted: how often how many sources were polled, and which
of them fail.
"""

from dataclasses import dataclass
from datetime import date

from notifier.digest.evidence import EvidenceView, evidence_view
from notifier.digest.view import Variant
from notifier.i18n.catalog import language_of
from notifier.store.models import Profile


@dataclass(frozen=True)
class PollingSummary:
    """The polling of a profile's sources in the last month.

    Attributes:
        polls: how often any of them was polled.
        sources: how many there are.
        failing: the names of those that fail now.
    """

    polls: int
    sources: int
    failing: tuple[str, ...]


@dataclass(frozen=True)
class NoNewsView:
    """The digest of a month without news, ready to be rendered.

    Attributes:
        therapy: the profile's name.
        variant: for whom it is worded.
        composed_on: the day, UTC.
        looked: how often how many sources were polled, as a sentence.
        health: which sources fail, as a sentence.
        evidence: the evidence box; None where the profile has none.
    """

    therapy: str
    variant: Variant
    composed_on: date
    looked: str
    health: str
    evidence: EvidenceView | None

    @property
    def subject(self) -> str:
        """The subject line; it never names the therapy."""
        return language_of(self.variant.language).gettext("Your digest: nothing new this month")

    @property
    def headline(self) -> str:
        """The first visible line, so long that lock screens show nothing of what follows."""
        return language_of(self.variant.language).gettext(
            "There was no news for you in the last 30 days. This mail only says that everything "
            "works: we looked at our sources as always, and you will hear from us as soon as there "
            "is something to tell."
        )


def no_news_view(
    profile: Profile, variant: Variant, polling: PollingSummary, today: date
) -> NoNewsView:
    """Word the digest of a month without news."""
    language = language_of(variant.language)
    times = language.ngettext("%(n)s time", "%(n)s times", polling.polls)
    sources = language.ngettext("%(n)s source", "%(n)s sources", polling.sources)
    looked = language.gettext(
        "Nothing new in the last 30 days: we looked %(times)s at %(sources)s and found nothing to "
        "tell you.",
        times=times,
        sources=sources,
    )
    health = language.gettext("All of them are well.")
    if polling.failing:
        names = language.join(polling.failing)
        health = language.gettext(
            "These cannot be read at the moment, and whoever runs this was told: %(names)s.",
            names=names,
        )
    return NoNewsView(
        profile.name, variant, today, looked, health, evidence_view(profile, language)
    )
