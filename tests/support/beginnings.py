"""What many tests begin with, for `Installation.prepare`."""

from datetime import timedelta

from notifier.pipeline.run import run_once
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

ANNA, BEN = "anna@example.org", "ben@example.org"
TUESDAY = MONDAY + timedelta(days=1)


def send_a_digest(installation: Installation) -> None:
    """Send a digest with one article to Anna and Ben, on Tuesday."""
    for person in (ANNA, BEN):
        installation.subscribe(person)
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions")])
    run_once(installation.at(TUESDAY))
    assert len(installation.sink.messages) == 2
