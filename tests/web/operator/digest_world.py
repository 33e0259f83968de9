"""Digests for the tests of their pages: drafts in two editions and two languages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from notifier.operators import actions
from notifier.pipeline import compose, match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Review
from notifier.store.models import Digest
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operators import Operator, add_operator
from tests.support.visitor import Answer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Daily digests are due at 8 o'clock; their drafts are composed at 20 o'clock, 12 hours before.
DUE = MONDAY + DAY - HOUR
EVENING = DUE - 12 * HOUR
LESIONS = Article("Frexalimab slows lesions", "Of 89 patients, 40 had none.", slug="lesions")
CORRECTED = replace(LESIONS, summary="Of 89 patients, 14 had none.")
SLEEP = Article("Frexalimab and sleep", "A survey of 12 clinics.", slug="sleep")
READERS = {
    "anna@example.org": {},
    "ben@example.org": {"language": "de"},
    "cleo@example.org": {"edition": "clinician"},
}
_STATE = re.compile(r'name="(state_[0-9]+)" value="([^"]+)"')
_SENTENCE = re.compile(r'<p class="done" role="status">([^<]+)</p>')


def begin(installation: Installation) -> None:
    for reader, choice in READERS.items():
        installation.subscribe(reader, **choice)
    run_once(installation.at(MONDAY))
    publish(installation, MONDAY + 3 * HOUR, LESIONS, SLEEP)
    installation.change(review=Review(required=True))
    compose.run(installation.at(EVENING))
    add_operator(installation)
    add_operator(installation, "ben", "editor")


def with_drafts(installation: Installation) -> Installation:
    """Return the installation with three drafts that wait, and the operators Anna and Ben."""
    installation.prepare(begin)
    installation.change(review=Review(required=True))
    return installation


def publish(installation: Installation, moment: datetime, *articles: Article) -> None:
    """Publish articles, and match them."""
    installation.publish(list(articles))
    poll.run(installation.at(moment))
    match.run(installation.at(moment))


@contextmanager
def logged_in(
    made: Installation, moment: datetime = EVENING + HOUR, *names: str
) -> Iterator[list[Operator]]:
    """Start the pages at a moment, with a browser for each operator."""
    with visiting(made, moment) as client:
        browsers = [Operator(client) for _ in names]
        for browser, name in zip(browsers, names, strict=True):
            assert browser.log_in(name).status_code == 303
        yield browsers


def states(page: Answer) -> dict[str, str]:
    """Return the states that the forms of a page carry."""
    return dict(_STATE.findall(page.text))


def act(browser: Operator, digest_id: int, action: str, **fields: str) -> Answer:
    """Open the page of a digest, and send one of its forms with the states that are shown."""
    path = f"/operator/digests/{digest_id}"
    page = browser.get(path)
    shown = states(page)
    if action == "approve":
        shown = {name: shown[name] for name in shown if name == f"state_{digest_id}"}
    return browser.act(path, f"{path}/{action}", **shown, **fields)


def done(browser: Operator, answer: Answer, digest_id: int = 1) -> str:
    """Follow an answer, and return what the next page says was done."""
    page = browser.follow(answer, f"/operator/digests/{digest_id}/x")
    assert page.status_code == 200
    return _SENTENCE.search(page.text)[1]


def digests_of(made: Installation) -> list[Digest]:
    """Return all digests in the order of their ids."""
    with made.at(MONDAY).reading() as session:
        return list(session.scalars(select(Digest).order_by(Digest.id)))


def log_of(made: Installation) -> list[str]:
    """Return the log without log-ins, the oldest first."""
    with made.at(MONDAY).reading() as session:
        found = [each for each in actions.newest(session) if each.kind != "logged_in"]
        return [
            f"{each.name}: {each.text}" + (f" ({each.reason})" if each.reason else "")
            for each in reversed(found)
        ]
