"""From the mouse over another cell to the picture that shows where it came from, in frames of the same browser.

    python tests/bench/hover.py [MOVES]

It happens in the browser alone. frames: for which picture of the browser's it was ready, 1 being the next one. paint:
how long the painting itself took, beside the time between two pictures of a page at rest.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from conftest import settle
from pictures import panels, place_of
from serving import FLAGS, chromium, serve
from slider import PAGES

LONG = "+".join("abcd" * 16)
SIZES = (
    "weights=random&d_model=8&num_heads=2",
    "weights=random&d_model=512&num_heads=16",
    f"weights=random&d_model=64&num_heads=4&sentence={LONG}",
)
_WATCH = """() => {
  const stage = document.querySelector('.st-key-stage .stage-canvas').stage, paint = stage.paintNow.bind(stage);
  window.painted = [];
  window.rest = [];
  let moved = 0, frames = 0, last = performance.now();
  const tick = (now) => { frames += 1; window.rest.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  addEventListener('pointermove', () => { moved ||= frames + 1; }, true);
  stage.paintNow = (...options) => {
    const start = performance.now();
    paint(...options);
    if (moved) window.painted.push([frames - moved + 1, performance.now() - start]);
    moved = 0;
  };
}"""


def main(moves: int) -> int:
    with serve(idle=True) as ours, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for size in SIZES:
            print(f"{size}: {moves} moves each\n{'page':14}{'frames':>8}{'most':>6}{'paint ms':>10}{'frame ms':>10}")
            for name in PAGES:
                tab = browser.new_page(viewport={"width": 1440, "height": 900})
                tab.goto(f"{ours}/{name}?{size}")
                settle(tab)
                tab.evaluate(_WATCH)
                tab.wait_for_timeout(500)
                rest = statistics.median(tab.evaluate("window.rest.slice(1)"))
                found = [panel for panel in panels(tab) if panel.place]
                for turn in range(moves):
                    panel = found[turn % len(found)]
                    rows, columns = panel.numbers.shape
                    tab.mouse.move(*place_of(tab, panel, turn % rows, (3 * turn) % columns))
                    tab.wait_for_timeout(60)
                frames, paints = zip(*tab.evaluate("window.painted"), strict=True)
                row = f"{statistics.median(frames):8.0f}{max(frames):6.0f}{statistics.median(paints):10.1f}{rest:10.1f}"
                print(f"{name or 'overview':14}{row}", flush=True)
                tab.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 24))
