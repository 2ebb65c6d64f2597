"""One server and one Chromium for the browser tests; a page that remembers what went wrong."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from serving import FLAGS, chromium, serve

Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        except Error as error:
            reason = f"no browser: {str(error).splitlines()[0]} (get one with tests/get_browser.py)"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield started
        started.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[str, BrowserContext]:
    """Browser contexts by their options, kept because a warm cache saves seconds on every page."""
    return {}


@pytest.fixture
def visit(browser: Browser, contexts: dict[str, BrowserContext], server: str) -> Iterator[Opener]:
    """Open a page; alone=True in a browser context of its own. At the end nothing may have gone wrong on any."""
    pages: list[Page] = []
    troubles: list[str] = []

    def open_page(
        path: str = "/", base: str = server, size: tuple[int, int] = (1440, 1000), alone: bool = False, **options: Any
    ) -> Page:
        options["viewport"] = {"width": size[0], "height": size[1]}
        key = f"{options} {len(pages) if alone else ''}"
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
        page = contexts[key].new_page()
        pages.append(page)
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(base + path)
        settle(page)
        return page

    yield open_page
    exceptions = sum(page.get_by_test_id("stException").count() for page in pages if not page.is_closed())
    for page in pages:
        page.close()
    assert troubles == []
    assert exceptions == 0


def settle(page: Page) -> None:
    """Wait until the app has run to its end and every chart is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning] h1", timeout=60_000)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stMain] [data-testid=stSkeleton]') && "
        "[...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(c => c.querySelector('.infolayer text'))",
        timeout=60_000,
    )
    page.wait_for_timeout(250)
