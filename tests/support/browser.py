"""Chromium for the tests, driven by Playwright; only loopback addresses are reached."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

# What a test expects of a page may take longer on a busy machine than Playwright's five seconds.
expect.set_options(timeout=20_000)


def chromium() -> str:
    """Return the path of a Chromium; without one the test is skipped.

    Raises:
        FileNotFoundError: there is none, and `NOTIFIER_REQUIRE_BROWSER` is set.
    """
    for name in (
        os.environ.get("NOTIFIER_CHROMIUM"),
        "chromium",
        "chromium-browser",
        "google-chrome",
    ):
        if name and (path := shutil.which(name)):
            return path
    message = (
        "NO CHROMIUM FOUND, THE BROWSER TESTS ARE SKIPPED: run tests/install-chromium"
        " or set NOTIFIER_CHROMIUM"
    )
    if os.environ.get("NOTIFIER_REQUIRE_BROWSER"):
        raise FileNotFoundError(message)
    pytest.skip(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a Chromium, and stop it at the end."""
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
