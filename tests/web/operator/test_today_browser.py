"""Today, mail, people, operators and the log in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from notifier.enums import DeliveryStatus, HeldBecause, SubscriptionStatus
from notifier.operators import actions
from notifier.pipeline.run import run_once
from notifier.store.models import Delivery
from tests.support.forms import subscription_of
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.operator_browser import opened
from tests.support.operators import add_operator
from tests.support.stored_trouble import break_source, hold_addresses, hold_news, lose_answers

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 800}
TUESDAY = MONDAY + timedelta(days=1)
PAGES = ("", "mail", "people", "operators", "password", "log", "log?about=digest+7")


@pytest.fixture
def troubled(installation: Installation) -> Installation:
    """An installation in which something of each kind waits for a person."""
    for place in range(8):
        installation.subscribe(f"reader{place}@example.org", at="08:00")
    run_once(installation.at(MONDAY))
    installation.publish([Article("Frexalimab slows lesions"), Article("Another article")])
    run_once(installation.at(TUESDAY - timedelta(hours=2)))
    run_once(installation.at(TUESDAY))
    hold_news(installation, HeldBecause.DOUBTFUL, TUESDAY)
    hold_addresses(installation, "mail.test", 6, TUESDAY)
    lose_answers(installation, 2, TUESDAY)
    break_source(installation, 3, TUESDAY)
    add_operator(installation)
    add_operator(installation, "ben", "editor")
    return installation


def look_at(page: Page, what: str) -> None:
    """Require that nothing hinders anybody from using a page, and that it is not too wide."""
    violations = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == [], what
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(width) <= 0, what


@pytest.mark.long
@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "dark", id="phone, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
    ],
)
def test_nothing_hinders_anybody(troubled: Installation, viewport: dict[str, int], scheme: str):
    with opened(troubled, TUESDAY, viewport=viewport, color_scheme=scheme) as (page, address):
        for place in PAGES:
            page.goto(f"{address}/{place}")
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = true; }")
            look_at(page, place)
        page.goto(f"{address}/people")
        page.get_by_label("E-mail address").fill("reader0@example.org")
        page.get_by_role("button", name="Look up").click()
        page.get_by_text("Change", exact=True).click()
        look_at(page, "one person")


@pytest.mark.long
def test_from_today_to_a_decision_by_keyboard_alone(troubled: Installation):
    def tab_to(name: str) -> None:
        """Press the tabulator until the element with this text has the focus."""
        focused = "document.activeElement?.textContent"
        for _ in range(60):
            page.keyboard.press("Tab")
            if (page.evaluate(focused) or "").startswith(name):
                style = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(style) != "none"
                return
        pytest.fail(f"{name!r} was not reached")

    with opened(troubled, TUESDAY, viewport=DESKTOP) as (page, _):
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("heading", name="Today").wait_for()
        tab_to("Decide: 2 mails may or may not have arrived")
        page.keyboard.press("Enter")
        page.wait_for_url("**/mail#uncertain")
        tab_to("Leave them")
        page.keyboard.press("Enter")
        status = page.get_by_role("status").inner_text()
    assert status == "Ended 2 mails of digest 1 without sending again."
    with troubled.at(TUESDAY).reading() as session:
        ended = session.query(Delivery).filter(Delivery.status == DeliveryStatus.SUPPRESSED)
        assert ended.count() == 2


@pytest.mark.long
@pytest.mark.parametrize(
    "scripts",
    [False, pytest.param(True, marks=pytest.mark.long)],
    ids=["scripts off", "scripts on"],
)
def test_an_owner_ends_the_subscription_of_somebody_who_telephoned(
    troubled: Installation, scripts: bool
):
    with opened(troubled, TUESDAY, viewport=DESKTOP, java_script_enabled=scripts) as (page, _):
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("link", name="People").click()
        page.get_by_label("E-mail address").fill("reader0@example.org")
        page.get_by_role("button", name="Look up").click()
        assert "reader0" not in page.url
        page.get_by_text("Change", exact=True).click()
        page.get_by_label("Reason").last.fill("by telephone")
        page.get_by_role("button", name="End the subscription").click()
        status = page.get_by_role("status").inner_text()
        assert status == "Ended one subscription of subscriber 1."
    assert subscription_of(troubled, "reader0@example.org").status is SubscriptionStatus.ENDED
    with troubled.at(TUESDAY).reading() as session:
        newest = actions.newest(session, about="subscriber 1", limit=1)[0]
        assert newest.reason == "by telephone"
