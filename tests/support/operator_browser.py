"""An operator in a real browser: the pages, served at a moment and opened after the log-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from playwright.sync_api import Page

from notifier.web.app import create
from tests.support.browser import browser
from tests.support.installation import Installation
from tests.support.operators import PASSWORD
from tests.support.web_server import serving


@contextmanager
def opened(
    made: Installation, moment: datetime, place: str = "", **context
) -> Iterator[tuple[Page, str]]:
    """Open a page in a browser, logged in as Anna; yield it and the address of all pages.

    Args:
        made: an installation with the operator Anna.
        moment: the time that the pages show.
        place: the path of the page behind ``/operator/``.
        context: options of the browser's window.
    """
    application = create(made.at(moment))
    with serving(application) as address, browser() as chromium:
        made.change(public_url=address)
        application.state.deps = made.at(moment)
        page = chromium.new_context(**context).new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{address}/operator/login?next={place}")
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        yield page, f"{address}/operator"
