"""A quarter of ordinary life of twelve sources: nothing wrong is told, and nothing is missed.

Edits, themes, outages, moves, advertisements and pages in the place of others are drawn by twenty
seeds, which were fixed before the code was written that passes them.
"""

import re
from collections import Counter

import pytest

from notifier.enums import NewsKind, SourceKind
from notifier.pipeline import match, poll
from notifier.store.models import Match
from notifier.watch import sources
from tests.support.direct_fetch import fetch_from
from tests.support.installation import MONDAY, Installation
from tests.support.quarter import DAYS, Quarter

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _without_http(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer twelve thousand requests a seed without HTTP."""
    monkeypatch.setattr(poll, "fetch_all", fetch_from(installation.site))


def told(installation: Installation, quarter: Quarter) -> Counter[tuple[NewsKind, str]]:
    """Return what readers would be told: for each kind, how often about which place."""
    counts: Counter[tuple[NewsKind, str]] = Counter()
    with installation.at(quarter.now).reading() as session:
        for news in session.query(Match).filter(Match.filed.is_(False)):
            title = news.revision.title or news.entry.title
            found = [word for word in re.findall(r"[A-Z][a-z]+", title) if word in quarter.places]
            counts[news.kind, found[0] if found else title] += 1
    return counts


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_quarter_tells_what_happened_and_nothing_else(installation: Installation, seed: int):
    quarter = Quarter(installation.site, seed, MONDAY)
    with installation.at(MONDAY).writing() as session:
        for kind, addresses in (
            (SourceKind.FEED, quarter.feed_addresses),
            (SourceKind.PAGE, quarter.page_addresses),
            (SourceKind.REGISTRY, quarter.trial_addresses),
        ):
            for address in addresses:
                sources.add(session, address, MONDAY, kind=kind)
    poll.run(installation.at(MONDAY))
    match.run(installation.at(MONDAY))
    for _ in range(DAYS):
        quarter.pass_day()
        poll.run(installation.at(quarter.now))
        match.run(installation.at(quarter.now))

    counts = told(installation, quarter)
    happened = "\n".join(quarter.truth.log)
    wrong = counts - quarter.truth.expected
    missed = quarter.truth.expected - counts
    assert not wrong, f"told wrongly: {dict(wrong)}, not told: {dict(missed)}\n{happened}"
    assert not missed, f"not told: {dict(missed)}\n{happened}"
