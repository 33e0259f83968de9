"""The words of the pages about news: kinds, tiers and reasons, for an editor."""

from notifier.enums import Authority, HeldBecause, NewsKind, Tier

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
