"""Error pages: a status and a text for each kind of error, in the visitor's language."""

import logging

import pytest
from starlette.requests import Request
from starlette.routing import Route

from notifier.errors import (
    AddressError,
    InputError,
    LinkError,
    NotFoundError,
    NotifierError,
    ProfileError,
    SettingsError,
    StoreError,
)
from notifier.web.app import create
from tests.support.forms import visiting
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Answer, Client
from tests.support.web_server import serving

ERRORS = [
    (AddressError("x", "There is no @."), 422, "Dieses Formular konnte nicht gelesen werden."),
    (InputError("x is not a time of day"), 422, "Dieses Formular konnte nicht gelesen werden."),
    (ProfileError("no profile"), 422, "Dieses Formular konnte nicht gelesen werden."),
    (NotifierError("it cannot be"), 422, "Dieses Formular konnte nicht gelesen werden."),
    (SettingsError("own/page.html, line 2: broken"), 422, "Hier ist etwas schiefgegangen."),
    (NotFoundError("there is none"), 404, "Diese Seite gibt es nicht."),
    (LinkError("forged"), 404, "Dieser Link ist nicht vollständig."),
    (StoreError("the database is locked"), 503, "Diese Seite ist gerade überlastet."),
]


def answer_to(made: Installation, error: Exception) -> Answer:
    """Return the answer to a German visitor of a page that raises an error."""

    async def broken(_request: Request) -> None:
        raise error

    application = create(made.at(MONDAY))
    application.router.routes.insert(0, Route("/broken", broken))
    with serving(application) as address:
        return Client(address).get("/broken", Accept_Language="de")


@pytest.mark.parametrize(("error", "status", "text"), ERRORS)
def test_each_kind_of_error_has_its_own_status(
    installation: Installation, error: NotifierError, status: int, text: str
):
    answer = answer_to(installation, error)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert text in answer.text
    assert error.problem not in answer.text
    assert "locked" not in answer.text


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (SettingsError("The template is broken.", "Correct line 2."), True),
        (StoreError("The database is locked.", "Wait."), True),
        (InputError("anna@example.org is wrong.", "Correct it."), False),
    ],
)
def test_only_what_the_operator_can_correct_is_logged(
    installation: Installation,
    caplog: pytest.LogCaptureFixture,
    error: NotifierError,
    logged: bool,
):
    with caplog.at_level(logging.DEBUG, logger="notifier"):
        answer_to(installation, error)
    messages = [record.getMessage() for record in caplog.records if record.name == "notifier"]
    assert messages == ([f"{error.problem} {error.fix}"] if logged else [])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/archive/123", "Diese Ausgabe gibt es nicht."),
        ("/archive/nothing", "Diese Ausgabe gibt es nicht."),
        ("/feeds/nothing.atom", "Diesen Feed gibt es nicht."),
        ("/nothing", "Diese Seite gibt es nicht."),
    ],
)
def test_a_page_says_what_is_missing(installation: Installation, path: str, text: str):
    with visiting(installation) as client:
        answer = client.get(path, Accept_Language="de")
    assert answer.status_code == 404
    assert text in answer.text
