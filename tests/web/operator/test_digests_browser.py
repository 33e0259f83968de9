"""The pages about digests in a real browser: annotated and approved, without scripts too."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.installation import Installation
from tests.support.operator_browser import opened
from tests.web.operator.digest_world import EVENING, HOUR, digests_of, with_drafts

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 900}


@pytest.mark.long
@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.long)],
    ids=["scripts on", "scripts off"],
)
def test_a_draft_is_annotated_reordered_and_approved(installation: Installation, scripts: bool):
    made = with_drafts(installation)
    with opened(made, EVENING + HOUR, "digests", viewport=DESKTOP, java_script_enabled=scripts) as (
        page,
        _,
    ):
        page.get_by_role("link", name="patients, in German").click()
        expect(page.get_by_role("link", name="Patients, German")).to_have_attribute(
            "aria-current", "page"
        )
        page.get_by_label("German").fill("Liebe <b>Leserinnen</b>")
        page.get_by_role("button", name="Save the notes").click()
        expect(page.get_by_role("status")).to_contain_text("Wrote the editor's note")
        mail = page.frame_locator("iframe")
        expect(mail.get_by_text("Liebe <b>Leserinnen</b>")).to_have_count(1)
        places = page.get_by_label("Place of")
        first = page.locator(".item-title").first.inner_text()
        places.nth(0).fill("9")
        page.get_by_role("button", name="Save the order").click()
        expect(page.locator(".item-title").last).to_have_text(first)
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Approved digest")
    assert sorted(str(each.status) for each in digests_of(made)) == ["approved", "draft", "draft"]


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "dark", id="320 px, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
    ],
)
def test_no_page_about_digests_has_an_obstacle(
    installation: Installation, viewport: dict[str, int], scheme: str
):
    made = with_drafts(installation)
    number = digests_of(made)[-1].id
    with opened(made, EVENING + HOUR, "digests", viewport=viewport, color_scheme=scheme) as (
        page,
        address,
    ):
        for path in (
            "digests",
            "digests?show=next",
            "digests/next?profile=frexalimab&every=daily",
            f"digests/{number}",
            f"digests/{number}?view=text",
        ):
            page.goto(f"{address}/{path}")
            page.evaluate(
                "document.querySelectorAll('details').forEach((each) => each.open = true)"
            )
            result = Axe().run(page)
            assert result.violations_count == 0, (path, result.generate_report())
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], (path, width)
