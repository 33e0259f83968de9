"""Words about sources for an editor: how one is, what to do, and how often it says something.

Pure. The reasons of failures are clauses that `watch/` stores; those that have a remedy are
recognised here by their words.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from notifier.enums import Authority, Health, SourceKind
from notifier.store.models import Source
from notifier.watch.health import health
from notifier.watch.source_overview import Rhythm
from notifier.web.operator.charts.chart_parts import day_text
from notifier.web.operator.words import Clock

KINDS = {
    SourceKind.FEED: "News feed",
    SourceKind.PAGE: "Web page",
    SourceKind.REGISTRY: "Trial registry",
}
# The tiers, from the most authoritative.
TIERS = {
    Authority.REGISTRY: "Trial registry",
    Authority.REGULATOR: "Regulator, as a medicines agency",
    Authority.PEER_REVIEWED: "Peer-reviewed journal",
    Authority.SPONSOR: "Sponsor, the company behind the therapy",
    Authority.NEWS: "News",
    Authority.OPINION: "Opinion, as a blog",
}
# How long a suffix of a time in words may be rounded.
_HOURS, _DAYS = timedelta(hours=2), timedelta(days=2)

# What is asked of an editor, by the words of a failure; the first that is found counts.
_REMEDIES = (
    (
        r"answered 40[13]\b|challenge|captcha|log-in",
        "The site refuses programs. Ask its owner to let this service read the address.",
    ),
    (
        r"answered 404|front page|HTML page, not a feed",
        "The address may have moved. Look for the new one on the site, and change it below.",
    ),
    (
        r"answered 429",
        "The site limits how often it may be read. Nothing to do: it is read less often now.",
    ),
    (
        r"answered 5\d\d|maintenance|did not answer completely|cannot be reached",
        "The site has trouble of its own. If that lasts, tell its owner, or pause it here.",
    ),
    (
        r"cannot be resolved|no such host",
        "The name of the site does not exist any more, or is misspelt. Check the address below.",
    ),
    (
        r"certificate",
        "The site's certificate is not valid. Its owner has to renew it.",
    ),
    (
        r"not public|allow_private",
        "The address lies in a private network. Who runs the server can allow that.",
    ),
    (
        r"not a feed|broken|not JSON|nothing|cannot be read|could not be read",
        "What the site publishes there cannot be read. Open it in a browser, and tell its owner.",
    ),
)


class State(NamedTuple):
    """The state of a source in words.

    Attributes:
        label: in one or two words.
        css_class: ``good``, ``warn``, ``wrong``, or ``aside`` for what needs nobody.
        text: a sentence or two on what is the matter; empty if nothing is.
        advice: what an editor can do; empty for nothing.
    """

    label: str
    css_class: str
    text: str = ""
    advice: str = ""


def state_of(source: Source, now: datetime, clock: Clock) -> State:
    """Return the state of a source."""
    if source.paused_at is not None:
        by = f" by {source.paused_by}" if source.paused_by else " on the command line"
        text = f"Paused since {clock.dated(source.paused_at)}{by}. It is not read meanwhile."
        return State("paused", "aside", text)
    return _STATES[health(source, now)](source, clock)


def _gone(_source: Source, _clock: Clock) -> State:
    return State(
        "gone",
        "wrong",
        "The site says that this address is gone for good. It is not read any more.",
        "Look for a new address on the site and change it; or remove the source.",
    )


def _failing(source: Source, clock: Clock) -> State:
    reason = reason_text(source.last_error or "it could not be read")
    if source.failures == 1:
        text = f"The last time it could not be read: {reason}."
        return State("failed once", "aside", text, "It is tried again by itself.")
    since = (
        f"The last time that worked was {clock.dated(source.last_success_at)}."
        if source.last_success_at
        else "It was never read successfully."
    )
    text = f"It could not be read {source.failures:,} times in a row: {reason}. {since}"
    return State("failing", "wrong", text, _remedy(reason))


def _silent(source: Source, _clock: Clock) -> State:
    since = day_text(source.changed_at) if source.changed_at else "its first reading"
    return State(
        "silent",
        "warn",
        f"It can be read, but has published nothing since {since}, unusually long for it.",
        "Check on the site whether there is newer news; then its feed has another address now.",
    )


def _healthy(_source: Source, _clock: Clock) -> State:
    return State("well", "good")


def _new(_source: Source, _clock: Clock) -> State:
    return State("new", "aside", "It was not read yet.")


_STATES = {
    Health.GONE: _gone,
    Health.FAILING: _failing,
    Health.SILENT: _silent,
    Health.HEALTHY: _healthy,
    Health.NEW: _new,
}


def reason_text(reason: str) -> str:
    """Return the reason of a failure, a clause, without the settings that it names."""
    return re.sub(r" ?[(;] ?(set )?watch\.\w+[^;)]*\)?", "", reason).rstrip(".")


def _remedy(reason: str) -> str:
    for pattern, advice in _REMEDIES:
        if re.search(pattern, reason, re.IGNORECASE):
            return advice
    return "Open the address in a browser to see what is there now."


def rhythm_text(source: Source, rhythm: Rhythm) -> str:
    """Return how often a source says something: ``about 3 a day``."""
    if source.kind is not SourceKind.FEED:
        if source.changed_at is None:
            return "no change yet"
        return f"last change {day_text(source.changed_at)}"
    if not rhythm.days:
        return "too new to tell"
    if not rhythm.entries:
        return f"nothing in {rhythm.days} days"
    for days, word in ((1, "day"), (7, "week"), (30.44, "month")):
        rate = rhythm.entries * days / rhythm.days
        if rate >= 0.75:
            return f"about {round(rate):,} a {word}"
    return f"{rhythm.entries} in {rhythm.days} days"


def wait_text(moment: datetime, now: datetime) -> str:
    """Return how far a time lies ahead: ``in 25 minutes``, ``in 3 hours``, ``at once``."""
    wait = moment - now
    if wait < timedelta(minutes=1):
        return "at once"
    if wait < _HOURS:
        return _counted(round(wait / timedelta(minutes=1)), "minute")
    if wait < _DAYS:
        return _counted(round(wait / timedelta(hours=1)), "hour")
    return _counted(round(wait / timedelta(days=1)), "day")


def ago_text(moment: datetime | None, now: datetime) -> str:
    """Return how long ago a time was: ``25 minutes ago``; ``never`` for none."""
    if moment is None:
        return "never"
    wait = wait_text(now, moment)
    return "just now" if wait == "at once" else f"{wait.removeprefix('in ')} ago"


def _counted(number: int, word: str) -> str:
    return f"in {number} {word}" if number == 1 else f"in {number} {word}s"
