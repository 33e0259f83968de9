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


def mail_three_and_be_refused_by_one(installation: Installation) -> None:
    """Mail a digest with one article to three people on Tuesday; Carl's server refuses it."""
    for name in ("anna", "ben", "carl"):
        installation.subscribe(f"{name}@example.org")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab calms the disease")])
    installation.sink.refuse_recipient["carl@example.org"] = "550 5.1.1 no such user"
    run_once(installation.at(TUESDAY))
