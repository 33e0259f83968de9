"""Forms and links of the web pages: a visitor, the links in mails, four kinds of addresses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlencode

from notifier.admin.profile_import import import_profile
from notifier.enums import SuppressionCause
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.store.models import Subscriber, Subscription, Suppression
from notifier.subscribers import privacy, subscriptions, suppressions
from notifier.web.app import create
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.visitor import Answer, Client
from tests.support.web_server import serving

FORM = "application/x-www-form-urlencoded"

KINDS = ("known", "unknown", "suppressed", "erased")


@contextmanager
def visiting(made: Installation, moment: datetime = MONDAY) -> Iterator[Client]:
    """Start the web application at a moment and give a visitor of its pages."""
    with serving(create(made.at(moment))) as address:
        yield Client(address)


def add_second_profile(installation: Installation) -> None:
    """Store another bundled profile, `tolebrutinib`."""
    file = profiles.parse(profiles.bundled_file("tolebrutinib"), "the second profile")
    with installation.at(MONDAY).writing() as session:
        import_profile(session, file, MONDAY)


def post(client: Client, path: str, network: str = "198.51.100.7", **fields: str) -> Answer:
    """Send a form from an address of a network."""
    return client.request("POST", path, urlencode(fields), FORM, X_Forwarded_For=network)


def sign_up(client: Client, email: str, network: str = "198.51.100.7", **fields: str) -> Answer:
    """Send the sign-up form."""
    return post(client, "/subscribe", network, **{"email": email, "consent": "yes", **fields})


def subscription_of(made: Installation, email: str) -> Subscription:
    """Return the first stored subscription of a person."""
    with made.at(MONDAY).reading() as session:
        person = subscriptions.find_subscriber(session, email)
        assert person is not None, email
        assert person.subscriptions[0].profile
        return person.subscriptions[0]


def link_to(made: Installation, purpose: Purpose, email: str, moment: datetime = MONDAY) -> str:
    """Return the path of a link in a mail to this person."""
    link_id = subscription_of(made, email).link_id
    return f"/{purpose}/{made.at(moment).links.token(purpose, link_id, moment)}"


def links_in_mails(made: Installation, purpose: Purpose) -> dict[str, str]:
    """Return the newest link of a purpose by the address that got it."""
    links = {}
    for mail in made.sink.messages:
        if match := re.search(rf"https://\S+/{purpose}/\S+", text_of(mail)):
            links[mail["To"]] = match.group()
    return links


def suppress(
    made: Installation, email: str, cause: SuppressionCause, moment: datetime = MONDAY
) -> None:
    """Suppress an address at a moment."""
    with made.at(moment).writing() as session:
        suppressions.add(session, subscriptions.hash_of(session, email), cause, "5.1.1", moment)


def suppression_of(made: Installation, email: str) -> Suppression | None:
    """Return the stored suppression of an address."""
    with made.at(MONDAY).reading() as session:
        return suppressions.of(session, subscriptions.hash_of(session, email))


def erase(made: Installation, email: str) -> None:
    """Erase a person."""
    with made.at(MONDAY).writing() as session:
        person = subscriptions.find_subscriber(session, email)
        assert person is not None
        privacy.erase(session, person, SuppressionCause.ERASED, "erased", MONDAY)


def four_kinds(made: Installation) -> None:
    """Store an address of each of `KINDS` at example.org."""
    made.subscribe("known@example.org")
    made.subscribe("erased@example.org")
    erase(made, "erased@example.org")
    suppress(made, "suppressed@example.org", SuppressionCause.BOUNCED)


def comparable(answer: Answer) -> tuple[int, tuple[tuple[str, str], ...], str]:
    """Return status, headers without the date, and body of an answer."""
    headers = tuple(
        (name, value) for name, value in answer.headers.items() if name.lower() != "date"
    )
    return answer.status_code, headers, answer.text


def people(made: Installation) -> list[str]:
    """Return the stored addresses."""
    with made.at(MONDAY).reading() as session:
        return sorted(person.email for person in session.query(Subscriber))


def mails_to(made: Installation, moment: datetime = MONDAY) -> dict[str, int]:
    """Send everything that is due at a moment, and return the number of mails by address."""
    run_once(made.at(moment))
    counts: dict[str, int] = {}
    for mail in made.sink.messages:
        counts[mail["To"]] = counts.get(mail["To"], 0) + 1
    return counts
