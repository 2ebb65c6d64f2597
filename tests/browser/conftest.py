"""One server and one Chromium for the browser tests; a page that remembers what went wrong."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from serving import FLAGS, chromium, serve

LAST = "test_asking"
Opener = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests in one process: a Chromium keeps a core busy, and two of them wait for each other.

    Half of them come last, for the process that has by then done all that needs no browser.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(LAST if item.path.stem == LAST else "browser"))
    items.sort(key=lambda item: item.path.stem == LAST)


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
    """Open a page, alone=True in a browser context of its own. At the end nothing may have gone wrong on any.

    Where the address does not say otherwise, at a small random layer, which is there at once; first=True: as it is.
    """
    pages: list[Page] = []
    troubles: list[str] = []

    def open_page(
        path: str = "/",
        base: str = server,
        size: tuple[int, int] = (1440, 1000),
        alone: bool = False,
        first: bool = False,
        **options: Any,
    ) -> Page:
        options.setdefault("reduced_motion", "reduce")
        options["viewport"] = {"width": size[0], "height": size[1]}
        key = f"{options} {len(pages) if alone else ''}"
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
        page = contexts[key].new_page()
        pages.append(page)
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(base + (path if first else at_random(path)))
        settle(page)
        return page

    yield open_page
    exceptions = sum(page.get_by_test_id("stException").count() for page in pages if not page.is_closed())
    for page in pages:
        page.close()
    assert troubles == []
    assert exceptions == 0


def at_random(path: str) -> str:
    """The address with a small random layer, as far as it says nothing else."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    size = {} if "d_model" in query else {"d_model": "8", "num_heads": "2"}
    return urlunsplit(parts._replace(query=urlencode({"weights": "random"} | size | query)))


def explained(page: Page, text: str | None = None, *, other_than: str = "") -> None:
    """Wait until the inspector explains that cell (any where text is None), and all that it says is there."""
    page.wait_for_function(
        """([text, last]) => {
          const told = document.querySelector('.trail b')?.innerText;
          const ready = document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
          return ready && told && (text === null ? told !== last : told === text);
        }""",
        arg=[text, other_than],
    )


def settle(page: Page) -> None:
    """Wait until the app has run to its end and every chart is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning] h1", timeout=60_000)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stMain] [data-testid=stSkeleton]') && "
        "[...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(c => c.querySelector('.infolayer text'))",
        timeout=60_000,
    )
    page.wait_for_timeout(250)
