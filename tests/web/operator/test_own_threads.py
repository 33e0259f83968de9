"""Pages that keep a processor busy: meanwhile the public pages are answered."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest

from notifier.admin import profile_edit
from notifier.links import Purpose
from tests.support.forms import link_to, post, sign_up, visiting
from tests.support.installation import Installation
from tests.support.operators import Operator, add_operator
from tests.support.stored_news import store_entries
from tests.support.visitor import Answer, Client
from tests.web.operator.test_profiles import EDIT, FILE, HISTORY, changed, fields_of

# More than the forty threads that all other pages share.
AT_ONCE = 45
SECONDS = 2.0


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    store_entries(installation, ["Frexalimab slows lesions"], [""])
    installation.subscribe("anna@example.org")
    add_operator(installation)
    with visiting(installation) as visitor:
        yield visitor


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[Event]:
    """Let a function of the profiles wait; it goes on at the end. Yields when it was begun."""
    begun, may_go_on, original = Event(), Event(), getattr(profile_edit, name)

    def wait(*arguments, **named):
        begun.set()
        assert may_go_on.wait(30)
        return original(*arguments, **named)

    monkeypatch.setattr(profile_edit, name, wait)
    try:
        yield begun
    finally:
        may_go_on.set()


def request_of(browser: Operator, what: str) -> partial[Answer]:
    """Return what sends a request for which a profile is looked at for long."""
    if what == "a form":
        fields = fields_of(browser.get(EDIT).text)
        edited = changed(fields, do="live", terms_name="frexalimab\nlesions")
        return partial(browser.send, EDIT, edited)
    fields = fields_of(browser.get(FILE).text)
    text = dict(fields)["file"] + '\n[[terms]]\nkind = "name"\ntext = "lesions"\n'
    if what == "a file":
        return partial(browser.send, FILE, changed(fields, do="estimate", file=text))
    assert browser.send(FILE, changed(fields, do="save", file=text)).status_code == 303
    return partial(browser.get, f"{HISTORY}/1")


@pytest.mark.parametrize(
    ("what", "function"),
    [
        ("a form", "estimate"),
        ("a form", "canary_tiers"),
        ("a file", "estimate"),
        ("an earlier state", "estimate"),
    ],
)
def test_forty_profiles_at_once_keep_no_visitor_waiting(
    installation: Installation,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    function: str,
):
    browser = Operator(client)
    assert browser.log_in().status_code == 303
    ask = request_of(browser, what)
    leave = link_to(installation, Purpose.UNSUBSCRIBE, "anna@example.org")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        with slow(monkeypatch, function) as begun:
            asked: list[Future[Answer]] = [pool.submit(ask) for _ in range(AT_ONCE)]
            assert begun.wait(10)
            time.sleep(0.5)
            began = time.monotonic()
            assert sign_up(client, "ben@example.org").status_code == 200
            assert post(client, leave).status_code == 200
            assert browser.get("/operator/").status_code == 200
            assert time.monotonic() - began < SECONDS
        answers = [each.result(60) for each in asked]
    assert {answer.status_code for answer in answers} == {200}
