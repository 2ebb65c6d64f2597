"""From a click on a cell of the followed row to its explanation, beside a move of the plain yardstick's slider.

    python tests/bench/clicks.py [ROUNDS]

Both are measured in turn in one browser, each against its own server. Machines are noisy: read the ratios.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from pictures import panels, place_of
from serving import FLAGS, chromium, serve
from slider import PAGES, QUIET, SETTLED, measure, opened

SIZES = ("weights=random&d_model=8&num_heads=2", "weights=random&d_model=128&num_heads=8")


def click(page: Page, turn: int) -> float:
    """Milliseconds from a click on another cell of the page's last heatmap to the last change that it brings."""
    page.wait_for_function(SETTLED, arg=QUIET)
    result = panels(page)[page.evaluate("document.querySelector('.st-key-stage .stage-canvas').stage.result()")]
    row = page.evaluate("document.querySelector('.st-key-stage .stage-canvas').stage.scene.row")
    before = page.url
    page.mouse.move(*place_of(page, result, row, turn % result.numbers.shape[1]))  # the followed row stays
    page.wait_for_function(SETTLED, arg=QUIET)  # the hover label's own changes
    start = page.evaluate("window.lastChange = performance.now()")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("before => location.href !== before", arg=before, timeout=8_000)
    page.wait_for_function(SETTLED, arg=QUIET, timeout=60_000)
    return float(page.evaluate("window.lastChange")) - float(start)


def main(rounds: int) -> int:
    yardstick = Path(__file__).with_name("yardstick.py")
    with serve() as ours, serve(yardstick) as plain, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for size in SIZES:
            slider = opened(browser, f"{plain}/?page=softmax&heads=all&{size}")
            print(f"{size}: medians of {rounds} each, in ms\n{'page':14}{'click':>7}{'slider':>8}{'ratio':>7}")
            for name in PAGES[1:]:  # on the overview a click opens the step
                tab = opened(browser, f"{ours}/{name}?{size}")
                clicks, moves = [], []
                for turn in range(rounds):
                    tab.bring_to_front()
                    clicks.append(click(tab, turn))
                    slider.bring_to_front()
                    moves.append(measure(slider, "ArrowLeft" if turn % 2 else "ArrowRight"))
                here, move = statistics.median(clicks), statistics.median(moves)
                print(f"{name or 'overview':14}{here:7.0f}{move:8.0f}{here / move:7.2f}", flush=True)
                tab.close()
            slider.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
