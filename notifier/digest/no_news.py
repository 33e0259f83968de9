"""Quiet: the digest that says that there was nothing to say, so that silence can be trusted.

Owns its words. It says only what was counted: how often how many sources were looked at, and which
of them fail.
"""

from dataclasses import dataclass
from datetime import date

from notifier.digest import evidence
from notifier.digest.evidence import EvidenceView
from notifier.digest.view import Variant
from notifier.i18n.catalog import language_of
from notifier.store.models import Profile


@dataclass(frozen=True)
class PollingSummary:
    """What was watched in the last month: how often, how many sources, and the names of those that fail now."""

    polls: int
    sources: int
    failing: tuple[str, ...]


@dataclass(frozen=True)
class NoNewsView:
    """A month without news, in words."""

    therapy: str
    variant: Variant
    composed_on: date
    looked: str
    health: str
    evidence: EvidenceView | None

    @property
    def subject(self) -> str:
        """The subject line; it names no therapy, discreet or not."""
        return language_of(self.variant.language).gettext("Your digest: nothing new this month")

    @property
    def headline(self) -> str:
        """The first visible line; it is long enough that lock screens show nothing of what follows."""
        return language_of(self.variant.language).gettext(
            "There was no news for you in the last 30 days. This mail only says that everything works: we looked at "
            "our sources as always, and you will hear from us as soon as there is something to tell."
        )


def no_news_view(
    profile: Profile, variant: Variant, watched: PollingSummary, today: date
) -> NoNewsView:
    """Put a month without news into words."""
    spoken = language_of(variant.language)
    times = spoken.ngettext("%(n)s time", "%(n)s times", watched.polls)
    sources = spoken.ngettext("%(n)s source", "%(n)s sources", watched.sources)
    looked = spoken.gettext(
        "Nothing new in the last 30 days: we looked %(times)s at %(sources)s and found nothing to tell you.",
        times=times,
        sources=sources,
    )
    health = spoken.gettext("All of them are well.")
    if watched.failing:
        names = spoken.join(watched.failing)
        health = spoken.gettext(
            "These cannot be read at the moment, and whoever runs this was told: %(names)s.",
            names=names,
        )
    return NoNewsView(
        profile.name, variant, today, looked, health, evidence.evidence(profile, spoken)
    )
