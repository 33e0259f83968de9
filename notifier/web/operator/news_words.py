"""The words of the pages about news: kinds, tiers, reasons and times, for an editor."""

from datetime import datetime

from notifier.deps import Deps
from notifier.enums import Authority, HeldBecause, NewsKind, Tier
from notifier.i18n.catalog import ENGLISH
from notifier.text import times

KINDS = {
    NewsKind.NEW: "New report",
    NewsKind.CORRECTED: "Correction",
    NewsKind.WITHDRAWN: "Withdrawal",
    NewsKind.TRIAL_CHANGE: "Change of a trial",
    NewsKind.PAGE_CHANGE: "Change of a page",
}
TIERS = {
    Tier.ABOUT: "About the therapy",
    Tier.MENTION: "Names the therapy",
    Tier.RELATED: "Related",
    Tier.NONE: "Unclear",
}
AUTHORITIES = {
    Authority.REGISTRY: "trial registry",
    Authority.REGULATOR: "medicines authority",
    Authority.PEER_REVIEWED: "journal, checked by experts",
    Authority.SPONSOR: "company",
    Authority.NEWS: "news",
    Authority.OPINION: "opinion",
}
# Why something is held: in a word or two for the choice, and as a sentence.
HELD = {
    HeldBecause.DOUBTFUL: "Unclear texts",
    HeldBecause.OLD_NEWS: "Old news",
    HeldBecause.WITHDRAWAL: "Withdrawals",
    HeldBecause.MASS_EDIT: "Changes of many at once",
}
HELD_SENTENCES = {
    HeldBecause.DOUBTFUL: "The text nearly matches, but not enough to send it unseen.",
    HeldBecause.OLD_NEWS: "Its own date is more than 90 days before its source listed it.",
    HeldBecause.WITHDRAWAL: "Its page is gone, but so are most others that were checked, or the"
    " website could not be reached well. It may be a fault of the website.",
    HeldBecause.MASS_EDIT: "Most articles of its source changed at once: it may be a new design"
    " of the website and no news.",
}


class Clock:
    """The times of a page, in the time zone of the installation."""

    def __init__(self, deps: Deps) -> None:
        self.zone_name = deps.settings.schedule.time_zone
        self._zone = times.zone_or_utc(self.zone_name)

    def short(self, moment: datetime) -> str:
        """Return ``Mon 2 Mar 2026, 08:00``."""
        local = moment.astimezone(self._zone)
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"

    def day(self, moment: datetime) -> str:
        """Return ``2 March 2026``."""
        return ENGLISH.day(moment.astimezone(self._zone).date())


def number(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 reader``, ``1,234 readers``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
