"""A real Chromium for the tests: found on this machine, driven by Playwright, with nothing reached but loopback."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright


def chromium() -> str:
    """Where a Chromium lies; without one the test is skipped, loudly."""
    for name in (
        os.environ.get("NOTIFIER_CHROMIUM"),
        "chromium",
        "chromium-browser",
        "google-chrome",
    ):
        if name and (found := shutil.which(name)):
            return found
    message = "NO CHROMIUM FOUND, THE BROWSER TESTS ARE SKIPPED: run tests/install-chromium or set NOTIFIER_CHROMIUM"
    if os.environ.get("NOTIFIER_REQUIRE_BROWSER"):
        raise FileNotFoundError(message)
    pytest.skip(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    path = chromium()
    quiet = [
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=quiet)
        try:
            yield started
        finally:
            started.close()
