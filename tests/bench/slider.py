"""How long from a move of the d_model slider to the last change on the page: ours against a plain yardstick.

    python tests/bench/slider.py [ROUNDS]

Both apps run at once, each in its own server, and are measured in turn in the same browser. The yardstick
(yardstick.py) shows the same tensors, one px.imshow per tensor and head, with Streamlit as it comes.
Machines are noisy: read the ratios, not the milliseconds.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from serving import FLAGS, chromium, serve

PAGES = ("", "embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")
QUIET = 900  # ms without a change that end a measurement
_WATCH = """() => {
  window.lastChange = performance.now();
  new MutationObserver(() => requestAnimationFrame(() => { window.lastChange = performance.now(); }))
    .observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
}"""
_SETTLED = "quiet => performance.now() - window.lastChange > quiet"


def measure(page: Page, key: str) -> float:
    """Milliseconds from one key press on the first slider to the last change that it brings."""
    slider = page.locator("[data-testid=stSlider] input[type=range], [data-testid=stSlider] [role=slider]").first
    slider.focus()
    page.wait_for_function(_SETTLED, arg=QUIET)
    start = page.evaluate("window.lastChange = performance.now()")
    page.keyboard.press(key)
    page.wait_for_function(_SETTLED, arg=QUIET, timeout=60_000)
    return float(page.evaluate("window.lastChange")) - float(start)


def main(rounds: int) -> int:
    worst = 0.0
    with serve() as ours, serve(Path(__file__).with_name("yardstick.py")) as plain, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        print(f"{'page':14}{'ours ms':>9}{'plain ms':>10}{'ratio':>8}   (medians of {rounds} moves each)")
        for name in PAGES:
            tabs = []
            for address in (f"{ours}/{name}", f"{plain}/?page={name or 'overview'}"):
                tab = browser.new_page(viewport={"width": 1440, "height": 1000})
                tab.goto(address)
                tab.wait_for_selector(".heatmaplayer image", timeout=90_000)
                tab.wait_for_timeout(2000)
                tab.evaluate(_WATCH)
                measure(tab, "ArrowRight")
                measure(tab, "ArrowLeft")
                tabs.append(tab)
            times: list[list[float]] = [[], []]
            for turn in range(rounds):
                for tab, found in zip(tabs, times, strict=True):
                    tab.bring_to_front()
                    found.append(measure(tab, "ArrowLeft" if turn % 2 else "ArrowRight"))
            here, there = (statistics.median(found) for found in times)
            worst = max(worst, here / there)
            print(f"{name or 'overview':14}{here:9.0f}{there:10.0f}{here / there:8.2f}", flush=True)
            for tab in tabs:
                tab.close()
        browser.close()
    print(f"worst ratio {worst:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
