"""The pages in a real browser: phone and desktop, light and dark, scripts on and off, keyboard."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from notifier.admin.profile_import import import_profile
from notifier.deps import Deps
from notifier.enums import Cadence, SubscriptionStatus
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.store.models import Digest, Subscriber, Subscription
from notifier.subscribers import subscriptions
from notifier.subscribers.choices import default_choice
from notifier.web.app import create
from tests.support.browser import browser
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.web_server import serving

PHONE, DESKTOP = {"width": 360, "height": 780}, {"width": 1280, "height": 900}
VIEWS = [
    pytest.param(PHONE, "light", id="phone, light"),
    pytest.param(DESKTOP, "dark", id="desktop, dark", marks=pytest.mark.long),
    pytest.param(PHONE, "dark", id="phone, dark", marks=pytest.mark.long),
    pytest.param(DESKTOP, "light", id="desktop, light", marks=pytest.mark.long),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def site_address(installation: Installation) -> Iterator[str]:
    with serving(create(installation.at(MONDAY))) as address:
        yield address


def opened(chromium: Browser, viewport: dict[str, int], **context) -> Page:
    page = chromium.new_context(
        viewport=viewport, locale="en-GB", timezone_id="Europe/Berlin", **context
    ).new_page()
    page.set_default_timeout(10_000)
    return page


def local(address: str, link: str) -> str:
    return link.replace("https://news.example.org", address)


def run(deps: Deps) -> None:
    """A run in a thread of its own, for Playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(run_once, deps).result()


def one(made: Installation) -> Subscription:
    with made.at(MONDAY).reading() as session:
        return session.query(Subscription).one()


@pytest.mark.parametrize(
    "scripts",
    [True, pytest.param(False, marks=pytest.mark.long)],
    ids=["scripts on", "scripts off"],
)
def test_somebody_subscribes_changes_the_hour_pauses_and_leaves_on_a_phone(
    chromium: Browser, installation: Installation, site_address: str, scripts: bool
):
    made, page = installation, opened(chromium, PHONE, java_script_enabled=scripts)
    page.goto(site_address)
    page.get_by_label("E-mail address").fill("petra@example.org")
    page.get_by_text("More choices").click()
    page.get_by_label("How often").select_option("daily")
    page.get_by_label("At what time").fill("07:00")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Please check your mailbox."

    run(made.at(MONDAY))
    with made.at(MONDAY).reading() as session:
        assert session.query(Subscriber).one().time_zone == ("Europe/Berlin" if scripts else "UTC")
    question = text_of(made.sink.messages[-1])
    page.goto(local(site_address, re.search(r"https://\S+/confirm/\S+", question).group()))
    page.get_by_role("button", name="Yes, I agree and subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Your subscription is confirmed."

    run(made.at(MONDAY))
    welcome = text_of(made.sink.messages[-1])
    page.goto(local(site_address, re.search(r"https://\S+/preferences/\S+", welcome).group()))
    page.get_by_label("At what time").fill("19:30")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert one(made).at == "19:30"

    page.get_by_label("No digest until").fill("2026-03-20")
    page.get_by_role("button", name="Pause").click()
    assert one(made).status is SubscriptionStatus.PAUSED
    page.get_by_role("button", name="Send my digests again").click()
    page.get_by_role("button", name="Unsubscribe me").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are unsubscribed."
    assert one(made).status is SubscriptionStatus.ENDED
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything about me").click()
    assert download.value.suggested_filename == "my-data.json"
    page.get_by_role("button", name="Undo").click()
    assert one(made).status is SubscriptionStatus.CONFIRMED


def test_the_form_can_be_filled_in_by_keyboard_alone_and_the_honeypot_is_never_reached(
    chromium: Browser, site_address: str
):
    page = opened(chromium, DESKTOP)
    page.goto(site_address)
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name || document.activeElement.tagName")
        reached.append(name)
        if name == "email" and not page.input_value("#email"):
            page.keyboard.type("petra@example.org")
        if name == "consent":
            page.keyboard.press("Space")
        if name == "SUMMARY":
            page.keyboard.press("Enter")
        if name == "BUTTON":
            page.keyboard.press("Enter")
            break
    own = [name for name in dict.fromkeys(reached) if name not in ("A", "SUMMARY", "BUTTON")]
    assert own == [
        "email", "consent", "every", "weekday", "at", "time_zone", "edition", "language"
    ]  # fmt: skip
    assert "website" not in reached
    page.wait_for_url("**/subscribe")
    assert "mailbox" in page.get_by_role("heading", level=1).inner_text()


def test_only_the_fields_of_the_chosen_cadence_are_shown(chromium: Browser, site_address: str):
    page = opened(chromium, PHONE)
    page.goto(site_address)
    page.get_by_text("More choices").click()
    weekday, day, at = page.locator("#weekday"), page.locator("#day"), page.locator("#at")
    assert (weekday.is_visible(), day.is_visible(), at.is_visible()) == (True, False, True)
    page.get_by_label("How often").select_option("monthly")
    assert (weekday.is_visible(), day.is_visible(), at.is_visible()) == (False, True, True)
    page.get_by_label("How often").select_option("immediate")
    assert (weekday.is_visible(), day.is_visible(), at.is_visible()) == (False, False, False)


@pytest.mark.parametrize(("viewport", "scheme"), VIEWS)
def test_every_page_is_accessible_fits_the_screen_and_loads_nothing_from_other_sites(
    chromium: Browser,
    installation: Installation,
    site_address: str,
    viewport: dict[str, int],
    scheme: str,
):
    made = installation
    deps = made.at(MONDAY)
    with deps.writing() as session:
        import_profile(
            session, profiles.parse(profiles.bundled_file("tolebrutinib"), "the profile"), MONDAY
        )
    made_id = _subscribed(made)
    page = opened(chromium, viewport, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    links = {purpose: deps.links.token(purpose, made_id, MONDAY) for purpose in Purpose}
    with deps.reading() as session:
        digest = session.query(Digest).first().id
    paths = ["/", "/?language=de", "/link", "/archive", f"/archive/{digest}", "/nothing"]
    paths += ["/about", "/contact", "/privacy", "/sample", "/sample?language=de"]
    paths += [
        f"/{purpose}/{links[purpose]}"
        for purpose in (Purpose.CONFIRM, Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)
    ]
    paths += [f"/renew/{links[Purpose.RENEW]}"]
    for path in paths:
        page.goto(site_address + path)
        _judged(page, path)
    page.goto(site_address)
    page.evaluate("document.querySelector('form').noValidate = true")
    _pressed(page, "Subscribe")
    _judged(page, "the form with its errors")
    page.goto(f"{site_address}/preferences/{links[Purpose.PREFERENCES]}")
    _pressed(page, "Delete everything about me")
    _judged(page, "the question before erasing")
    page.goto(f"{site_address}/unsubscribe/{links[Purpose.UNSUBSCRIBE]}")
    _pressed(page, "Unsubscribe me")
    _judged(page, "the page after leaving")
    assert [url for url in asked if not url.startswith(site_address)] == []
    assert [text for text in problems if "404" not in text and "422" not in text] == []
    assert page.context.cookies() == []


def _subscribed(made: Installation) -> str:
    deps = made.at(MONDAY)
    with deps.writing() as session:
        choice = default_choice(Cadence.DAILY, "UTC")
        stored = subscriptions.subscribe(
            session, "anna@example.org", profiles.find(session, "frexalimab"), choice, MONDAY
        )
        subscriptions.confirm(session, stored, "command line", "operator test", MONDAY)
        link_id = stored.link_id
    run(deps)
    made.publish([Article("Frexalimab slows lesions", "A made-up summary.")])
    run(made.at(MONDAY + timedelta(days=1)))
    return link_id


def _pressed(page: Page, name: str) -> None:
    """Press a button and wait until the next page is loaded: a click alone does not wait."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=name).click()


def _judged(page: Page, what: str) -> None:
    found = Axe().run(page)
    named = [
        (one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]
    ]
    assert named == [], what
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, what
