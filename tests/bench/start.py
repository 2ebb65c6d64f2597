"""How long from the start of a server to the first heatmap: of the layer that learns, and of a random one.

    python tests/bench/start.py [ROUNDS]

The two are measured in turn, each time on a fresh server, with a browser that has been there before. Machines are
noisy: read the ratio.
"""

import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from serving import FLAGS, chromium, serve


def first_heatmap(page: Page, query: str) -> tuple[float, float]:
    """Seconds from the start of a server until it answers, and until a page of it shows its first heatmap."""
    start = time.perf_counter()
    with serve() as address:
        answers = time.perf_counter() - start
        page.goto(f"{address}/softmax?{query}")
        page.locator(".heatmaplayer image").first.wait_for(timeout=120_000)
        return answers, time.perf_counter() - start


def main(rounds: int) -> int:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page()
        first_heatmap(page, "weights=random")  # the browser's own first time
        learned, at_random, up = [], [], []
        for _ in range(rounds):
            for query, found in (("", learned), ("weights=random", at_random)):
                answers, shows = first_heatmap(page, query)
                up.append(answers)
                found.append(shows)
        browser.close()
    ours, other = statistics.median(learned), statistics.median(at_random)
    print(f"medians of {rounds}, in s: server answers {statistics.median(up):.1f}")
    print(f"first heatmap, learned {ours:.1f}, random {other:.1f}, ratio {ours / other:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
