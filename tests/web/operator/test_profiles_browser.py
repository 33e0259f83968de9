"""The pages about profiles in a real browser: estimated while typing, and without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from notifier.match import profiles
from tests.support.installation import Installation
from tests.support.operator_browser import opened
from tests.support.operators import add_operator
from tests.web.operator.test_profiles import NOW, store_news

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 900}


@pytest.mark.long
@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.long)],
    ids=["scripts on", "scripts off"],
)
def test_a_profile_is_edited_by_keyboard_after_its_estimate(
    installation: Installation, scripts: bool
):
    store_news(installation, "Obexelimab slows lesions")
    path = "profiles/frexalimab/edit"
    add_operator(installation)
    with opened(installation, NOW, path, viewport=DESKTOP, java_script_enabled=scripts) as (
        page,
        _,
    ):
        page.get_by_label("Names", exact=True).focus()
        page.keyboard.press("Control+End")
        page.keyboard.type("\nobexelimab")
        if not scripts:
            page.get_by_role("button", name="Estimate").press("Enter")
        estimate = page.get_by_role("region", name="Estimate")
        estimate.get_by_role("link", name="Obexelimab slows lesions").wait_for()
        expect(estimate).to_contain_text("Would have matched 1 of 31")
        if scripts:
            expect(page.locator("#said")).to_contain_text("Would have matched 1 of 31")
        assert "obexelimab" in page.get_by_label("Names", exact=True).input_value()
        page.get_by_role("button", name="Save").press("Enter")
        done = page.get_by_text("Changed the profile Frexalimab: 1 term added")
        assert done.get_attribute("role") == "status"
        page.get_by_role("link", name="History").click()
        expect(page.get_by_role("heading", level=2).first).to_have_text("State 2 as it is now")
    with installation.at(NOW).reading() as session:
        names = [term.text for term in profiles.find(session, None).terms]
    assert "obexelimab" in names


@pytest.mark.long
@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "dark", id="320 px, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
    ],
)
def test_no_page_about_profiles_has_an_obstacle(
    installation: Installation, viewport: dict[str, int], scheme: str
):
    store_news(installation, "Obexelimab slows lesions")
    add_operator(installation)
    with opened(installation, NOW, "", viewport=viewport, color_scheme=scheme) as (page, address):
        one = f"{address}/profiles/frexalimab"
        for path in ("profiles", "profiles?search=none-such", "new-profile"):
            page.goto(f"{address}/{path}")
            require_no_obstacle(page)
        page.goto(f"{one}/edit")
        require_no_obstacle(page)
        page.get_by_label("Names", exact=True).fill("frexalimab\na walk along the river\nx")
        page.get_by_label("Number").first.fill("NCT1")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("alert").wait_for()
        require_no_obstacle(page)
        page.get_by_label("Names", exact=True).fill("frexalimab\na walk along the river")
        page.get_by_label("Number").first.fill("NCT04879628")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("checkbox", name="I have looked at the estimate").check()
        require_no_obstacle(page)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("status").wait_for()
        for path in ("", "/file", "/history", "/history/1", "/remove"):
            page.goto(one + path)
            require_no_obstacle(page)


def require_no_obstacle(page: Page) -> None:
    """Require that axe finds nothing, and that nothing is wider than the window."""
    found = Axe().run(page).response["violations"]
    assert not found, (page.url, [(each["id"], each["nodes"][0]["html"]) for each in found])
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide, page.url
