"""Visitors who look on: alone, beside others who come all at once, and beside others whose layers learn.

    python tests/bench/learners.py [LEARNERS] [WATCHERS]

Speaks to a server of its own as a browser would, so that no browser takes its time. Machines are noisy: read the ratio.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from crowd import run, visit
from serving import serve

LOOK, THINK, SECONDS = {"weights": "random", "d_model": "8", "num_heads": "2", "lang": "en"}, 1.0, 20.0


async def timed(visitor: ClientConnection, **address: str) -> float:
    """The seconds until the whole of the scores page at that address was sent."""
    start = time.perf_counter()
    await run(visitor, **address)
    return time.perf_counter() - start


async def watch(server: str, until: float, number: int) -> list[float]:
    """How long the page took a visitor who changes the seed now and then."""
    times = []
    async with visit(server) as visitor:
        await timed(visitor, **LOOK, seed=str(number))
        while time.monotonic() < until:
            await asyncio.sleep(THINK)
            times.append(await timed(visitor, **LOOK, seed=str(number + 1000 * len(times))))
    return times


async def come(server: str, number: int, weights: str) -> float:
    """How long a visitor waits for a page, with a layer of their own where weights are learned."""
    async with visit(server) as visitor:
        return await timed(visitor, weights=weights, d_model="32", num_heads="2", lang="en", seed=str(7_000 + number))


async def crowd(server: str, others: int, watchers: int, weights: str) -> tuple[list[float], list[float]]:
    """The watchers' times beside so many others who come at once, and the others' times."""
    until = time.monotonic() + SECONDS
    watching = [asyncio.create_task(watch(server, until, number)) for number in range(1, watchers + 1)]
    await asyncio.sleep(THINK)
    learned = await asyncio.gather(*(come(server, number, weights) for number in range(others)))
    looked = await asyncio.gather(*watching)
    return [seconds for times in looked for seconds in times], list(learned)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def main(learners: int, watchers: int) -> int:
    with serve() as server:
        asyncio.run(crowd(server, 1, 1, "learned"))  # what a server pays once
        alone, _ = asyncio.run(crowd(server, 0, watchers, "random"))
        among, _ = asyncio.run(crowd(server, learners, watchers, "random"))
        beside, learned = asyncio.run(crowd(server, learners, watchers, "learned"))
    print(f"{watchers} watchers, {len(alone)}, {len(among)} and {len(beside)} pages, in s: p50, p95, p95 to that alone")
    for who, times in (("alone", alone), (f"{learners} others come", among), (f"{learners} others learn", beside)):
        print(f"{who:20} {statistics.median(times):.3f} {p95(times):.3f} {p95(times) / p95(alone):.2f}")
    print(f"all {len(learned)} layers after {max(learned):.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(number) for number in sys.argv[1:3]) if len(sys.argv) > 2 else (10, 3)))
