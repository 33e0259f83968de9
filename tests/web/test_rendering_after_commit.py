"""Pages are made after their transaction: while one is rendered, anybody else can write."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from urllib.parse import urlencode

import pytest

from notifier.links import Purpose
from notifier.render import Templates
from notifier.store import db
from notifier.store.models import Subscription
from notifier.web.app import create
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Client
from tests.support.web_server import serving


@pytest.fixture
def rendered_while_writing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were rendered while their thread had a write transaction open."""
    thread, found = local(), []
    write, render = db.writing, Templates.render

    @contextmanager
    def writing(*arguments) -> Iterator:
        with write(*arguments) as session:
            thread.writes = True
            try:
                yield session
            finally:
                thread.writes = False

    def noting(self: Templates, name: str, *arguments) -> str:
        if getattr(thread, "writes", False):
            found.append(name)
        return render(self, name, *arguments)

    monkeypatch.setattr(db, "writing", writing)
    monkeypatch.setattr(Templates, "render", noting)
    return found


def sent(**fields: str) -> str:
    return urlencode(fields)


CHOICE = {
    "every": "daily",
    "at": "08:00",
    "time_zone": "UTC",
    "edition": "patient",
    "language": "en",
}


@pytest.mark.parametrize(
    ("purpose", "body"),
    [
        (Purpose.PREFERENCES, sent(do="save", **CHOICE)),
        (Purpose.PREFERENCES, sent(do="save", **{**CHOICE, "at": "25:00"})),
        (Purpose.PREFERENCES, sent(do="pause", until="2026-03-20")),
        (Purpose.PREFERENCES, sent(do="resume")),
        (Purpose.PREFERENCES, sent(do="address", email="new@example.org")),
        (Purpose.PREFERENCES, sent(do="export")),
        (Purpose.PREFERENCES, sent(do="erase")),
        (Purpose.PREFERENCES, sent(do="erase", sure="yes")),
        (Purpose.PREFERENCES, sent(do="leave")),
        (Purpose.UNSUBSCRIBE, sent(do="leave")),
        (Purpose.UNSUBSCRIBE, sent(do="pause")),
        (Purpose.UNSUBSCRIBE, sent(do="undo")),
        (Purpose.RENEW, ""),
        (Purpose.CONFIRM, ""),
        (Purpose.NEVER, ""),
    ],
)
def test_a_page_is_rendered_after_its_transaction(
    installation: Installation, rendered_while_writing: list[str], purpose: Purpose, body: str
):
    installation.subscribe("anna@example.org", confirmed=purpose is not Purpose.CONFIRM)
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        subscription = session.query(Subscription).one()
        names = (
            subscription.subscriber.address_hash
            if purpose is Purpose.NEVER
            else subscription.link_id
        )
    with serving(create(deps)) as address:
        link = f"/{purpose}/{deps.links.token(purpose, names, MONDAY)}"
        answer = Client(address).request("POST", link, body, FORM)
    assert answer.status_code in (200, 422)
    assert rendered_while_writing == []


def test_the_fixture_notices_a_page_that_is_rendered_too_early(
    installation: Installation, rendered_while_writing: list[str]
):
    deps = installation.at(MONDAY)
    with deps.writing():
        deps.templates.render("web/style.css", {})
    assert rendered_while_writing == ["web/style.css"]
