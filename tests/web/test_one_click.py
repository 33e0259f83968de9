"""One click unsubscribes within a second, whatever a source sends meanwhile."""

import json
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from notifier.enums import SourceKind, SubscriptionStatus
from notifier.links import Purpose
from notifier.store.models import Subscription
from notifier.watch import sources
from tests.support.effort import measured
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Answer, Article, Asked
from tests.support.visitor import Client

DAY = timedelta(days=1)
PEOPLE = 100
POLL = """
import sys
from datetime import datetime
from notifier.deps import Deps
from notifier.pipeline import poll
from notifier.settings import Settings
from notifier.store import db
from notifier.watch.http import client

client.PAUSE_SECONDS = 0.0
settings = Settings.model_validate_json(sys.stdin.read())
now = datetime.fromisoformat(sys.argv[1])
poll.run(Deps(settings, db.make_engine(settings.database_url), now), force=True)
"""


def watch(made: Installation, url: str, kind: SourceKind) -> None:
    with made.at(MONDAY).writing() as session:
        sources.add(session, url, MONDAY, kind=kind)


def page_of_links(made: Installation, number: int) -> None:
    links = "".join(
        f"<li><a href='/{n}/'>Frexalimab link {n} of {number}</a></li>" for n in range(2000)
    )
    text = f"<h1>Frexalimab</h1><p>What it is, in words {number}.</p>"
    body = f"<article>{text}<ul>{links}</ul></article>"
    watch(made, made.site.put("/page/", body, "text/html"), SourceKind.PAGE)


def feed_of_5000(made: Installation, number: int) -> None:
    made.publish(
        [
            Article(f"Made-up article {n}", f"Nothing of it is true, {number} times.")
            for n in range(5000)
        ]
    )


def nested_markup(made: Installation, number: int) -> None:
    made.publish([Article(f"Frexalimab {number}", "".join(f"<p><b a{n}>" for n in range(20_000)))])
    watch(made, made.site.put("/page/", f"<div>{number}" * 100_000, "text/html"), SourceKind.PAGE)


def attributes(made: Installation, number: int) -> None:
    tag = f"<p {' '.join(f'a{n}={number}' for n in range(50_000))}>x</p>"
    made.publish([Article(f"Frexalimab {number}", tag)])
    watch(made, made.site.put("/page/", f"<article>{tag}</article>", "text/html"), SourceKind.PAGE)


def endless_list(made: Installation, _: int) -> None:
    def page(asked: Asked) -> Answer:
        trial = {
            "protocolSection": {"identificationModule": {"nctId": f"NCT{len(made.site.asked):08}"}}
        }
        return Answer(
            200,
            json.dumps({"studies": [trial], "nextPageToken": f"t{len(made.site.asked)}"}).encode(),
        )

    made.site.dynamic["/api/v2/studies"] = page
    watch(made, f"{made.site.address}/api/v2/studies?query=x", SourceKind.REGISTRY)


def equal_words(made: Installation, number: int) -> None:
    made.publish([Article("Frexalimab", "word " * (8000 + number))])


LONG = [
    pytest.param(publish, marks=pytest.mark.long)
    for publish in (feed_of_5000, nested_markup, attributes, endless_list, equal_words)
]


@pytest.mark.postgresql_long
@pytest.mark.parametrize("publish", [page_of_links, *LONG])
def test_leaving_takes_less_than_a_second_while_a_source_is_polled(
    any_installation: Installation, any_client: Client, publish
):
    made = any_installation
    for number in range(PEOPLE):
        made.subscribe(f"person{number}@example.org")
    with made.at(MONDAY).reading() as session:
        links = leaving_links(made, session)
    took: list[float] = []
    for day in range(2):
        publish(made, day)
        polling = polled_elsewhere(made, day)
        while polling.poll() is None and links:
            with measured() as effort:
                answer = any_client.post(links.pop(), "List-Unsubscribe=One-Click", FORM)
            took.append(effort.elapsed)
            assert answer.status_code == 200
            time.sleep(0.2)
        assert polling.wait() == 0
    assert took
    assert max(took) < 1
    with made.at(MONDAY).reading() as session:
        ended = session.query(Subscription).filter_by(status=SubscriptionStatus.ENDED).count()
    assert ended == len(took)


def polled_elsewhere(made: Installation, day: int) -> subprocess.Popen[bytes]:
    """A poll in a process of its own, as `notifier run` is beside `notifier serve`."""
    deps = made.at(MONDAY + day * DAY)
    database = deps.engine.url.render_as_string(hide_password=False)
    settings = deps.settings.model_copy(update={"database_url": database})
    process = subprocess.Popen(
        [sys.executable, "-c", POLL, deps.now().isoformat()], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(settings.model_dump_json().encode())
    process.stdin.close()
    return process


def leaving_links(made: Installation, session: Session) -> list[str]:
    tokens = (
        made.at(MONDAY).links.token(Purpose.UNSUBSCRIBE, subscription.link_id, MONDAY)
        for subscription in session.query(Subscription)
    )
    return [f"/unsubscribe/{token}" for token in tokens]
