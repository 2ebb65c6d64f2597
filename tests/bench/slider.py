"""How long from a move of the d_model slider to the picture, and to the last change on the page, against a yardstick.

    python tests/bench/slider.py [ROUNDS]

The picture comes by the server's own route while the slider is still held, the rest on its release; a key does both at
once. Both apps run at once, each in its own server, and are measured in turn in the same browser. The yardstick
(yardstick.py) shows the same tensors with Streamlit as it comes, in two ways: one px.imshow per tensor and head, and
one per tensor for one head only, as our steps 3 to 6 do. Machines are noisy: read the ratios, not the milliseconds.
"""

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from serving import FLAGS, chromium, serve

# What the yardstick begins with. A layer that learned has another slider first, and learns at every other size.
SAME = "weights=random&d_model=8&num_heads=2&sentence=the+animal+did+not+cross+the+street+because+it+was+too+tired"
PAGES = ("", "embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")
QUIET = 900  # ms without a change that end a measurement
_WATCH = """() => {
  window.lastChange = performance.now();
  const canvas = document.querySelector('.st-key-stage .stage-canvas');
  if (canvas) new MutationObserver(() => { window.pictureAt ||= performance.now(); })
    .observe(canvas, {attributes: true, attributeFilter: ['data-shown']});
  new MutationObserver(() => requestAnimationFrame(() => { window.lastChange = performance.now(); }))
    .observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
}"""
SETTLED = "quiet => performance.now() - window.lastChange > quiet"


def picture(page: Page, key: str) -> tuple[float, float]:
    """The same as measure, and before it the milliseconds to the first new picture of the painter."""
    page.evaluate("window.pictureAt = 0")
    last = measure(page, key)
    start, first = page.evaluate("[window.startedAt, window.pictureAt]")
    return first - start, last


def measure(page: Page, key: str) -> float:
    """Milliseconds from one key press on the first slider to the last change that it brings."""
    slider = page.locator("[data-testid=stSlider] input[type=range], [data-testid=stSlider] [role=slider]").first
    slider.focus()
    page.wait_for_function(SETTLED, arg=QUIET)
    start = page.evaluate("window.startedAt = window.lastChange = performance.now()")
    page.keyboard.press(key)
    page.wait_for_function(SETTLED, arg=QUIET, timeout=60_000)
    return float(page.evaluate("window.lastChange")) - float(start)


def main(rounds: int, names: Sequence[str]) -> int:
    with serve() as ours, serve(Path(__file__).with_name("yardstick.py")) as plain, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        print(f"medians of {rounds} moves each, in ms")
        print(
            f"{'page':14}{'picture':>8}{'ratio':>7}{'ours':>7}{'per head':>10}{'ratio':>7}{'one head':>10}{'ratio':>7}"
        )
        for name in names:
            query = f"page={name or 'overview'}"
            tabs = [
                opened(browser, address)
                for address in (f"{ours}/{name}?{SAME}", f"{plain}/?{query}&heads=all", f"{plain}/?{query}&heads=one")
            ]
            times: list[list[float]] = [[], [], [], []]
            for turn in range(rounds):
                key = "ArrowLeft" if turn % 2 else "ArrowRight"
                tabs[0].bring_to_front()
                for found, each in zip(times, picture(tabs[0], key), strict=False):
                    found.append(each)
                for tab, found in zip(tabs[1:], times[2:], strict=True):
                    tab.bring_to_front()
                    found.append(measure(tab, key))
            seen, here, per_head, one_head = (statistics.median(found) for found in times)
            row = f"{seen:8.0f}{seen / per_head:7.2f}{here:7.0f}"
            row += f"{per_head:10.0f}{here / per_head:7.2f}{one_head:10.0f}{here / one_head:7.2f}"
            print(f"{name or 'overview':14}{row}", flush=True)
            for tab in tabs:
                tab.close()
        browser.close()
    return 0


def opened(browser: Browser, address: str) -> Page:
    """A page that has come to rest, watched for changes, its slider moved once to and fro."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(address)
    tab.wait_for_selector(".heatmaplayer image, .st-key-stage .stage-canvas[data-shown]", timeout=90_000)
    tab.wait_for_timeout(2000)
    tab.evaluate(_WATCH)
    measure(tab, "ArrowRight")
    measure(tab, "ArrowLeft")
    return tab


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9, sys.argv[2:] or PAGES))
