"""The pages about news in a real browser: decided on, without scripts too, no obstacles."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from notifier.enums import NewsKind
from tests.support.installation import MONDAY, Installation
from tests.support.newsroom import DAY, EDIT, GONE, HOUR, LESIONS, Newsroom
from tests.support.operator_browser import opened
from tests.support.operators import add_operator

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
NOW = MONDAY + DAY + 2 * HOUR
SONGS = [f"FREXALT, song {number}" for number in range(3)]


@pytest.fixture
def newsroom(installation: Installation) -> Newsroom:
    """An article that was sent and corrected, one that is held as withdrawn, and three songs."""
    add_operator(installation)
    installation.subscribe("petra@example.org")
    room = Newsroom(installation)
    room.run(MONDAY)
    first, second = room.see(LESIONS), room.see("Frexalimab and sleep")
    room.run(MONDAY + DAY)
    room.revise(first, NewsKind.CORRECTED, DAY + HOUR, EDIT)
    room.revise(second, NewsKind.WITHDRAWN, DAY + HOUR, GONE, held_because="withdrawal")
    for title in SONGS:
        room.see(title, "A band plays on 12 stages. " * 40, after=DAY + HOUR)
    return room


@pytest.mark.long
@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.long)],
    ids=["scripts on", "scripts off"],
)
def test_an_editor_dismisses_several_releases_one_and_keeps_a_correction_back(
    newsroom: Newsroom, scripts: bool
):
    with opened(newsroom.made, NOW, "news/held", viewport=DESKTOP, java_script_enabled=scripts) as (
        page,
        _,
    ):
        page.on("dialog", lambda dialog: dialog.accept())
        for title in SONGS[:2]:
            page.get_by_role("checkbox", name=title).check()
        last = page.locator("#several")
        last.get_by_role("textbox").fill("a band, no medicine")
        last.get_by_role("button", name="Dismiss the ticked").click()
        lines = page.get_by_role("status").get_by_role("listitem")
        expect(lines.filter(has_text="Dismissed “FREXALT")).to_have_count(2)
        song = page.get_by_role("article", name=SONGS[2])
        song.get_by_role("button", name="Dismiss").click()
        expect(song.get_by_role("alert")).to_contain_text("Say why")
        song.get_by_role("button", name="Release").click()
        expect(page.get_by_role("status")).to_contain_text(f"Released “{SONGS[2]}”")
        page.get_by_role("link", name="Corrections to go out").click()
        page.get_by_text("Do not tell readers").click()
        page.get_by_role("textbox").fill("a typing error")
        page.get_by_role("button", name="Keep it from readers").click()
        expect(page.get_by_role("status")).to_contain_text(f"Dropped “{LESIONS}”")
        expect(page.get_by_text("No change is going out.")).to_be_visible()
    assert newsroom.match_of(1).dropped_because == "a typing error"


@pytest.mark.long
@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "dark", id="320 px, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
    ],
)
def test_no_page_about_news_has_an_obstacle(
    newsroom: Newsroom, viewport: dict[str, int], scheme: str
):
    paths = (
        "news",
        "news?source=nowhere&since=x",
        "news/held",
        "news/held?because=old_news",
        "news/changes",
        "news/entries/1",
        "news/entries/2",
    )
    with opened(newsroom.made, NOW, "news/held", viewport=viewport, color_scheme=scheme) as (
        page,
        address,
    ):
        for path in paths:
            page.goto(f"{address}/{path}")
            assert page.get_by_role("navigation", name="News", exact=True).count() == 1, path
            page.evaluate(
                "document.querySelectorAll('details').forEach((each) => each.open = true)"
            )
            result = Axe().run(page)
            assert result.violations_count == 0, (path, result.generate_report())
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], (path, width)
