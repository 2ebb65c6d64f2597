"""One server and one Chromium for all browser tests of a process; tabs that remember what went wrong."""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, JSHandle, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from serving import FLAGS, chromium, serve

Opener = Callable[..., Page]
ONE_SERVER = pytest.mark.xdist_group("learned in a browser")  # in one process, whose server learns the layer once
LARGE, SMALL, PHONE = (1440, 900), (1280, 720), (390, 844)  # windows
IN_SIGHT = """selector => {
  const found = document.querySelector(selector);
  if (!found) return 'missing';
  const {left, top, right, bottom} = found.getBoundingClientRect();
  const inside = left >= 0 && top >= 0 && right <= innerWidth + 0.5 && bottom <= innerHeight + 0.5 && right > left;
  return inside ? '' : [left, top, right, bottom].map(Math.round).join();
}"""
CALLS = count()
# True once the page, since this call, has been whole for a few looks in a row between which nothing of it changed.
SETTLED = """call => {
  if (!window.settling) {
    window.settling = {};
    const again = () => window.settling.looks = 0;
    new MutationObserver(again).observe(document.body, {childList: true, subtree: true, characterData: true});
    document.addEventListener('scroll', again, true);  // the page may scroll to an answer
  }
  // A click on another row is told first, and then the page is drawn: a walk's picture may still be of the row before.
  const query = new URL(location.href).searchParams.get('query');
  const isOfNow = scene => !scene.route || query === null || scene.row === Number(query);
  if (window.settling.call !== call) window.settling = {call, looks: 0};
  const whole = document.querySelector('[data-testid=stApp][data-test-script-state=notRunning] h1')
    && !document.querySelector('[data-testid=stMain] [data-testid=stSkeleton]')
    && !document.querySelector('.learning')
    && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(c => c.querySelector('.infolayer text'))
    && [...document.querySelectorAll('.st-key-stage')].every(c => c.querySelector(
      '.stage-canvas[data-version], .veil, .infolayer text, .katex-html, table, button, p'))
    && [...document.querySelectorAll('.stage-canvas')].every(c => !c.stage.fetching && !c.stage.stands)
    && [...document.querySelectorAll('.stage-canvas')].every(c => isOfNow(c.stage.scene));
  return whole ? window.settling.looks++ > 3 : (window.settling.looks = 0) > 0;
}"""
PAUSE = 30  # milliseconds from look to look: with every frame, as is usual, Chromium would draw a frame for each


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
    with serve(idle=True) as address:
        yield address


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> dict[str, BrowserContext]:
    """Browser contexts by their options, kept because a warm cache saves seconds on every page."""
    return {}


@pytest.fixture(scope="session")
def tabs() -> dict[str, list[Page]]:
    """Tabs that wait for their next address, by their context.

    A tab that has shown the app before has compiled its scripts, and opens an address in half the time of a new one.
    """
    return {}


@pytest.fixture
def visit(
    browser: Browser, contexts: dict[str, BrowserContext], tabs: dict[str, list[Page]], server: str
) -> Iterator[Opener]:
    """Open an address as a visitor of its own, alone=True in a browser context that no other visitor has.

    Where the address does not say otherwise, at a small random layer, which is there at once; first=True: as it is.
    At the end nothing may have gone wrong on any page.
    """
    opened: list[tuple[str, Page]] = []
    troubles: list[str] = []

    def on_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            troubles.append(message.text)

    def on_error(error: Error) -> None:
        troubles.append(str(error))

    def open_page(
        path: str = "/",
        base: str = server,
        size: tuple[int, int] = (1440, 900),
        alone: bool = False,
        first: bool = False,
        color_scheme: Literal["light", "dark"] = "light",
        **options: Any,
    ) -> Page:
        key = f"{options} {len(opened) if alone else ''}"
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
            tabs[key] = []
        page = tabs[key].pop() if tabs[key] and base == server else contexts[key].new_page()
        if page.url.startswith(server) and all(other != key for other, _ in opened):
            page.evaluate("localStorage.clear()")  # what the visitor before left: an open sidebar, deeds
        opened.append((key, page))
        page.bring_to_front()  # a tab behind another one draws nothing
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")
        page.on("console", on_message)
        page.on("pageerror", on_error)
        page.goto(base + (path if first else at_random(path)))
        settle(page)
        return page

    yield open_page
    left = [(key, page) for key, page in opened if not page.is_closed()]
    exceptions = sum(page.get_by_test_id("stException").count() for _, page in left)
    for key, page in reversed(left):
        page.remove_listener("console", on_message)
        page.remove_listener("pageerror", on_error)
        tabs[key].append(page)
    assert troubles == []
    assert exceptions == 0


def at_random(path: str) -> str:
    """The address with a small random layer, as far as it says nothing else."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    size = {} if "d_model" in query else {"d_model": "8", "num_heads": "2"}
    return urlunsplit(parts._replace(query=urlencode({"weights": "random"} | size | query)))


def until(page: Page, condition: str, arg: Any = None, timeout: float | None = None) -> JSHandle:
    """Wait until that is true of the page, and give what it is."""
    return page.wait_for_function(condition, arg=arg, polling=PAUSE, timeout=timeout)


def explained(page: Page, text: str | None = None, *, other_than: str = "") -> None:
    """Wait until the inspector explains that cell (any where text is None), and all that it says is there."""
    until(
        page,
        """([text, last]) => {
          const told = document.querySelector('.trail b')?.innerText;
          const ready = document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
          return ready && told && (text === null ? told !== last : told === text);
        }""",
        arg=[text, other_than],
    )


def too_far(page: Page) -> list[str]:
    """What is wrong with a page on this window: something beyond its edge, or a number too small to read."""
    beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.stage-canvas')].flatMap(c => c.stage.places.panels)"
        ".map(place => place?.writing?.size ?? 99)"
    )
    wrong = [f"{beyond} pixels beyond the edge"] if beyond > 1 else []
    return wrong + ([f"numbers of {min(sizes)} pixels"] if min(sizes, default=99) < 9 else [])


def found_by_axe(page: Page, *, whole: bool = True, contrast: bool = False) -> list[str]:
    """whole: the frame around the page, too, which is the same everywhere. contrast: that alone."""
    if not page.evaluate("typeof axe === 'object'"):  # it stays until the page is loaded anew
        page.evaluate(Axe().axe_script)
    context = None if whole else {"exclude": [["[data-testid=stSidebar]"], [".top"]]}
    # Ahead of its rules axe fetches what moves and sounds. Style sheets would take longer, and no rule in force asks.
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
    options |= {"runOnly": ["color-contrast"]} if contrast else {}
    found = page.evaluate(
        "async ([context, options]) => (await axe.run(context ?? document, options)).violations", [context, options]
    )
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def settle(page: Page) -> None:
    """Wait until the app has run to its end, every chart is drawn, and nothing changes any more."""
    page.bring_to_front()
    until(page, SETTLED, next(CALLS), timeout=60_000)
