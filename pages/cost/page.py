"""Cost: time and memory against the length of the text, how far a word has to travel, and a task where that shows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from attention import scaled_dot_product_attention
from pages.cost import measure
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.lab import Lab, asked
from pages.ui.layers.jobs import Job
from pages.ui.layers.progress import work_through

EXPERIMENTS = ("time", "memory", "path", "copy")
BYTES = 4  # of a number
RIVALS = ("ours", "fused", "recurrent", "convolution")
here = Lab()


def under(name: str, todo: list[int], total: int, begin: Callable[[int], Job[Any]]) -> None:
    work_through(name, here.lang, todo, total, begin, str)


def finished() -> tuple[list[tuple[int, measure.Times]], list[int]]:
    """The lengths that were measured, with what was found, and those to do."""
    done = [(n, found) for n in measure.LENGTHS if (found := measure.measured(n))]
    return done, [n for n in measure.LENGTHS if not measure.measured(n)]


def timed() -> None:
    here.asks(asked("twice", "four", "two", "eight"), asked("fused", "constant", "less", "linear"))
    done, todo = finished()
    lengths = [n for n, _ in done]
    series = {name: [getattr(each, name) * 1000 for _, each in done] for name in RIVALS}
    lines = [
        Line(here.text(f"of_{name}"), lengths, values, dots=True, hue=i)
        for i, (name, values) in enumerate(series.items())
    ]
    if lengths:
        lines.append(Line("n²", lengths, measure.squares(series["ours"][-1], lengths), quiet=True))
    chart = Chart(here.text("chart_time"), "n", lines, log_x=True, log_y=True, height=360)
    below = partial(under, "cost", todo, len(measure.LENGTHS), measure.measuring)
    here.place(draw_curves(chart, here.colors), here.text("chart_time"), under=below, is_empty=not done)

    def notice() -> None:
        here.say("notice_time", width=measure.WIDTH)
        if len(done) > 1 and not todo:
            ours, gru = series["ours"], series["recurrent"]
            facts = {"growth": ours[-1] / ours[-2], "fused": series["fused"][-1] / ours[-1]}
            here.say("grown_time", **facts, short=gru[0] / ours[0], long=gru[-1] / ours[-1])

    here.tells(notice, scaled_dot_product_attention)


def memory() -> None:
    here.asks(asked("where", "weights", "values", "parameters"), asked("long", "square", "line", "cube"))
    done, todo = finished()
    lengths, d_k, longest = [n for n, _ in done], measure.WIDTH, measure.LENGTHS[-1]
    held = {"ours": [each.ours_bytes for _, each in done], "fused": [each.fused_bytes for _, each in done]}
    lines = [
        Line(here.text(f"of_{name}"), lengths, values, dots=True, hue=i)
        for i, (name, values) in enumerate(held.items())
    ]
    if lengths:
        lines.append(Line("16 n²", lengths, [4 * BYTES * n * n for n in lengths], quiet=True))
        lines.append(Line("16 n · d_k", lengths, [4 * BYTES * n * d_k for n in lengths], quiet=True))
    chart = Chart(here.text("chart_memory"), "n", lines, log_x=True, log_y=True, height=360)
    below = partial(under, "cost", todo, len(measure.LENGTHS), measure.measuring)
    here.place(draw_curves(chart, here.colors), here.text("chart_memory"), under=below, is_empty=not done)

    def notice() -> None:
        facts = {"n": longest, "matrices": f"{4 * longest**2:,}", "vectors": f"{4 * longest * d_k:,}"}
        here.say("notice_memory", width=d_k, **facts)
        if done and not todo:
            ours, fused = held["ours"][-1] / 2**20, held["fused"][-1] / 2**20
            here.say("held_memory", ours=round(ours, 1), fused=round(fused, 1), share=ours / fused)

    here.tells(notice, scaled_dot_product_attention, measure.most_held)


def path() -> None:
    here.asks(asked("steps", "one", "few", "many"), asked("parallel", "attends", "recurs", "same"))
    tokens = max(2, len(here.now.tokens))

    def draw() -> None:
        here.say("path_about", tokens=tokens)
        names = [here.text(name) for name in ("layer_kind", "waiting", "way")]
        rows = [[here.text(f"kind_{name}"), each.waiting, each.path] for name, each in measure.paths(tokens).items()]
        rows_long = [[here.text(f"kind_{name}"), each.waiting, each.path] for name, each in measure.paths(2048).items()]
        here.table(names, rows)
        here.say("path_long")
        here.table(names, rows_long)

    here.place(draw)
    here.tells(partial(here.say, "notice_path"), measure.paths)


def copy() -> None:
    here.asks(asked("far", "attention_far", "both_far", "recurrent_far"))
    done = [(gap, found) for gap in measure.GAPS if (found := measure.copied(gap))]
    todo = [gap for gap in measure.GAPS if not measure.copied(gap)]
    gaps = [gap for gap, _ in done]
    lines = [
        Line(here.text(f"kind_{name}"), gaps, [getattr(found, name) for _, found in done], dots=True, hue=i)
        for i, name in enumerate(("attention", "recurrent"))
    ]
    chart = Chart(here.text("chart_copy"), here.text("axis_gap"), lines, share=True, log_x=True, height=340)
    below = partial(under, "copy", todo, len(measure.GAPS), measure.copying)
    here.place(draw_curves(chart, here.colors), here.text("chart_copy"), under=below, is_empty=not done)
    here.tells(partial(here.say, "notice_copy", steps=measure.STEPS, words=measure.WORDS), measure.learn_to_copy)


{"time": timed, "memory": memory, "path": path, "copy": copy}[here.choose(*EXPERIMENTS)]()
here.back()
