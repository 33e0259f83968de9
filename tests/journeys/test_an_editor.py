"""An editor with the pages alone: from what is held to a reviewed digest in a reader's inbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette

from notifier.operators import actions
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Review
from notifier.web.app import create
from tests.support.browser import browser
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.operators import PASSWORD, add_operator
from tests.support.web_server import serving

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Daily digests are due at 8 o'clock; their drafts are composed at 20 o'clock, 12 hours before.
DUE = MONDAY + DAY - HOUR
EVENING = DUE - 12 * HOUR
READER = "reader@example.org"
LESIONS = Article("Frexalimab slows lesions", "Of 89 patients, 40 had none.", slug="lesions")
BANQUET = Article("A banquet for frexalimab's founders", "Twelve tables were set.", slug="banquet")
ALBUM = Article("FREXALT, the album", "A band plays on 12 stages.", slug="album")


@pytest.fixture
def reviewed(installation: Installation) -> Installation:
    """An installation with review, a reader, an owner and an editor, and news of Monday."""
    installation.change(review=Review(required=True), operator=Operator(address="o@example.org"))
    installation.subscribe(READER)
    run_once(installation.at(MONDAY))
    installation.publish([LESIONS, BANQUET, ALBUM])
    poll.run(installation.at(MONDAY + 3 * HOUR))
    match.run(installation.at(MONDAY + 3 * HOUR))
    add_operator(installation)
    add_operator(installation, "eve", "editor")
    return installation


class Desk:
    """The pages at a moment that the test sets, in one browser."""

    def __init__(self, made: Installation, application: Starlette, chromium: Browser) -> None:
        self._made, self._application, self._chromium = made, application, chromium
        self.address = ""

    def at(self, moment: datetime) -> None:
        """Let the clock of the pages show a moment."""
        self._application.state.deps = self._made.at(moment)

    def page(self) -> Page:
        """Open a browser window of somebody who is not logged in."""
        opened = self._chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        opened.set_default_timeout(20_000)
        opened.on("dialog", lambda dialog: dialog.accept())
        return opened

    def log_in(self, name: str, place: str = "") -> Page:
        """Return a window of an operator, on one of the pages."""
        page = self.page()
        page.goto(f"{self.address}/operator/{place}")
        fill_in(page, name, PASSWORD)
        return page


@contextmanager
def desk(made: Installation) -> Iterator[Desk]:
    application = create(made.at(EVENING + HOUR))
    with serving(application) as address, browser() as chromium:
        made.change(public_url=address)
        opened = Desk(made, application, chromium)
        opened.address = address
        opened.at(EVENING + HOUR)
        yield opened


def fill_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def expect_done(page: Page, text: str) -> None:
    """Wait until the page says at its head what was done."""
    expect(page.get_by_role("status")).to_contain_text(text, timeout=20_000)


def test_an_editor_reviews_annotates_and_approves_what_a_reader_is_sent(reviewed: Installation):
    run_once(reviewed.at(EVENING))
    with desk(reviewed) as at_work:
        page = at_work.page()
        page.goto(f"{at_work.address}/operator/")
        fill_in(page, "eve", "not my password")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        fill_in(page, "eve", PASSWORD)
        expect(page.get_by_role("heading", name="Today")).to_be_visible()

        page.goto(f"{at_work.address}/operator/news/held")
        assert page.get_by_text(ALBUM.title).first.is_visible()
        page.get_by_label("Why?").first.fill("It is music.")
        page.get_by_role("button", name="Dismiss", exact=True).click()
        expect_done(page, ALBUM.title)

        page.goto(f"{at_work.address}/operator/digests")
        page.get_by_role("link", name="daily").first.click()
        page.get_by_text(f"Leave it out: {BANQUET.title}").click()
        page.get_by_label("Why", exact=True).first.fill("It is no news about the therapy.")
        page.get_by_role(
            "button", name="Leave it out, here and in all further digests"
        ).first.click()
        expect_done(page, BANQUET.title)
        page.get_by_label("English").fill("Dear readers, the congress begins on Friday.")
        page.get_by_role("button", name="Save the note").click()
        expect_done(page, "Wrote the editor's note")
        page.get_by_role("button", name="Approve", exact=True).click()
        expect_done(page, "Approved digest")
    run_once(reviewed.at(DUE))
    (mail,) = reviewed.sink.to(READER)
    assert LESIONS.title in text_of(mail)
    assert "the congress begins on Friday" in text_of(mail)
    assert BANQUET.title not in text_of(mail)
    with reviewed.at(DUE).reading() as session:
        done = [(action.name, action.kind, action.reason) for action in actions.newest(session)]
    assert [name for name, *_ in done] == ["eve"] * 5
    assert {"It is music.", "It is no news about the therapy."} <= {reason for *_, reason in done}


@pytest.mark.long
def test_of_two_editors_at_once_the_second_is_shown_what_the_first_did(reviewed: Installation):
    run_once(reviewed.at(EVENING))
    with desk(reviewed) as at_work:
        first, second = at_work.log_in("eve", "digests/1"), at_work.log_in("anna", "digests/1")
        first.get_by_label("English").fill("Written by Eve.")
        first.get_by_role("button", name="Save the note").click()
        expect_done(first, "note")
        second.get_by_role("button", name="Approve", exact=True).click()
        meanwhile = second.get_by_role("region", name="What happened meanwhile")
        expect(meanwhile).to_contain_text("eve: Wrote the editor's note")
        assert second.get_by_label("English").input_value().strip() == "Written by Eve."
        second.get_by_role("button", name="Approve", exact=True).click()
        expect_done(second, "Approved digest")


@pytest.mark.long
def test_who_writes_until_the_log_in_has_ended_gets_the_text_back(reviewed: Installation):
    run_once(reviewed.at(EVENING))
    with desk(reviewed) as at_work:
        page = at_work.log_in("eve", "digests/1")
        page.get_by_label("English").fill("A long note.")
        at_work.at(EVENING + 14 * HOUR)
        page.get_by_role("button", name="Save the note").click()
        expect(page.get_by_role("heading", name="Your log-in has ended")).to_be_visible()
        expect(page.get_by_text("A long note.")).to_be_visible()
        page.get_by_role("link", name="Log in again").click()
        fill_in(page, "eve", PASSWORD)
        expect(page).to_have_url(f"{at_work.address}/operator/digests/1")
