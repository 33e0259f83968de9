"""Sources and trials in a real browser: a source is added, read, paused and removed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from notifier.pipeline import poll
from notifier.store.models import Source
from notifier.watch import sources
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article, rss
from tests.support.operator_browser import opened
from tests.support.operators import add_operator
from tests.web.operator.test_trials import STATES, TRIAL

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 900}


def removed(made: Installation) -> list[bool]:
    with made.at(MONDAY).reading() as session:
        return [source.removed_at is not None for source in session.query(Source)]


@pytest.mark.long
@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.long)],
    ids=["scripts on", "scripts off"],
)
def test_a_site_is_added_read_paused_and_removed(installation: Installation, scripts: bool):
    made, site = installation, installation.site
    link = '<link rel="alternate" type="application/rss+xml" href="/news.xml">'
    site.put("/", f"<html><head>{link}</head><body>Hi</body></html>", "text/html")
    site.put("/news.xml", rss([Article("Frexalimab, seen at once")]))
    add_operator(made, role="editor")
    with opened(made, MONDAY, "sources", viewport=DESKTOP, java_script_enabled=scripts) as (
        page,
        _,
    ):
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("link", name="Add a source").click()
        page.get_by_label("Address of a news site").fill(site.address)
        page.get_by_role("button", name="Look what is there").press("Enter")
        expect(page.get_by_text("Frexalimab, seen at once")).to_be_visible()
        page.get_by_label("Name that readers see").fill("The Herald")
        page.get_by_label("These alone").check()
        page.get_by_label("Frexalimab").check()
        page.get_by_role("button", name="Watch it").click()
        expect(page.get_by_role("status")).to_contain_text("Added the source The Herald")
        page.get_by_role("button", name="Read it now").click()
        expect(page.get_by_role("status")).to_contain_text("1 entry, 1 new")
        expect(page.get_by_role("img", name="Readings a day")).to_be_visible()
        page.get_by_role("button", name="Pause it").click()
        expect(page.get_by_role("heading", name="How it is: paused")).to_be_visible()
        page.get_by_role("button", name="Let it go on").click()
        page.get_by_text("Remove this source").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_role("status")).to_contain_text("Removed the source The Herald")
    assert removed(made) == [False, True]


@pytest.mark.long
@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "dark", id="320 px, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
    ],
)
def test_no_page_about_sources_has_an_obstacle(
    installation: Installation, viewport: dict[str, int], scheme: str
):
    made, path = installation, f"/api/v2/studies/{TRIAL}"
    made.publish([Article("Seen")])
    with made.at(MONDAY).writing() as session:
        sources.add(session, f"{made.site.address}{path}", MONDAY, name="The registry")
        failing, _ = sources.add(session, f"{made.site.address}/missing", MONDAY)
        number = failing.id
    for day, state in enumerate(STATES, start=-2):
        made.site.put(path, state, "application/json")
        with ThreadPoolExecutor(1) as aside:  # Playwright keeps an event loop in this thread
            moment = MONDAY + timedelta(days=day)
            aside.submit(poll.run, made.at(moment), force=True).result()
    add_operator(made, role="editor")
    with opened(made, MONDAY, "sources", viewport=viewport, color_scheme=scheme) as (page, address):
        for place in (
            *("sources", "sources?part=paused", f"sources/{number}", "sources/1", "sources/add"),
            *("trials", f"trials/{TRIAL}", "found", "wrong"),
        ):
            if place == "found":
                page.goto(f"{address}/sources/add?url={made.site.address}/missing2")
                page.get_by_role("button", name="Look what is there").click()
            elif place == "wrong":
                page.goto(f"{address}/sources/1")
                page.get_by_label("Address", exact=True).fill("javascript:alert(1)")
                page.get_by_role("button", name="Save").click()
            else:
                page.goto(f"{address}/{place}")
            page.evaluate(
                "document.querySelectorAll('details').forEach((each) => each.open = true)"
            )
            result = Axe().run(page)
            assert result.violations_count == 0, (place, result.generate_report())
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], (place, width)
