"""Why √d_k: what happens to dot products, to softmax and to a training without it, or with another divisor."""

import math
from dataclasses import replace
from functools import partial

from attention import AttentionConfig
from attention.functional import scale_scores, softmax
from pages.root import dots
from pages.root.dots import DIVISORS
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Axis, Board, Outline, Panel, Scale, heatmap_height
from pages.ui.lab import LayerLab, asked, open_lab
from pages.ui.layers.progress import work_through
from pages.ui.state.settings import WIDTHS
from pages.ui.words.numbers import percent

EXPERIMENTS = ("variance", "spread", "softmax", "row", "training")


def lines(values: dict[str, list[float]]) -> list[Line]:
    """A line over the widths for each divisor."""
    return [
        Line(here.name(f"divisor_{name}"), WIDTHS, values[name], dots=True, hue=i) for i, name in enumerate(DIVISORS)
    ]


def variance() -> None:
    here.asks(
        asked("double", "doubles", "stays", "fourfold"),
        asked("divide", "root_one", "width_one", "both_one"),
    )
    measured = {name: dots.variances(seed, name) for name in DIVISORS}
    expected = [Line("", WIDTHS, dots.theory(name), quiet=True) for name in DIVISORS]
    expected[0] = Line(here.text("theory"), WIDTHS, dots.theory("none"), quiet=True)
    chart = Chart(here.text("chart_variance"), "d_k", [*lines(measured), *expected], log_x=True, log_y=True, height=430)
    here.place(draw_curves(chart, here.colors), here.text("chart_variance"), under=here.redraw)
    at = WIDTHS.index(64)
    facts = {f"at_{name}": measured[name][at] for name in DIVISORS}
    here.tells(partial(here.say, "notice_variance", pairs=dots.PAIRS, **facts), scale_scores, dots.dot_products)


def spread() -> None:
    here.slider("width", WIDTHS)
    width = here.settings.width
    here.asks(asked("narrow", "crowded", "same", "wide", d_k=width), asked("typical", "root", "width", "one"))
    found = [dots.histogram(seed, width, name) for name in ("none", "root")]
    named = [
        Line(here.name(f"divisor_{name}"), line.x, line.y, hue=DIVISORS.index(name))
        for name, line in zip(("none", "root"), found, strict=True)
    ]
    chart = Chart(here.text("chart_spread", d_k=width), "q · k", named, height=380)
    here.place(draw_curves(chart, here.colors), here.text("chart_spread", d_k=width), under=here.redraw)
    at = WIDTHS.index(width)
    deviations = {f"at_{name}": math.sqrt(dots.variances(seed, name)[at]) for name in DIVISORS}
    here.tells(partial(here.say, "notice_spread", d_k=width, root=math.sqrt(width), **deviations), scale_scores)


def softened() -> None:
    here.asks(asked("gradient", "vanishes", "grows", "same"), asked("even", "useless", "best", "onehot"))
    found = {name: dots.softened(seed, name) for name in DIVISORS}
    steep = Chart(
        here.text("chart_gradient"), "d_k", lines({n: f.gradient for n, f in found.items()}), log_x=True, height=225
    )
    even = Chart(
        here.text("chart_entropy"), "d_k", lines({n: f.entropy for n, f in found.items()}), log_x=True, height=225
    )

    def draw() -> None:
        here.figure(draw_curves(steep, here.colors), "gradient", here.text("chart_gradient"))
        here.figure(draw_curves(even, here.colors), "entropy", here.text("chart_entropy"))

    here.place(draw)
    facts = {f"{part}_{name}": getattr(found[name], part)[-1] for part in ("gradient", "largest") for name in DIVISORS}
    here.tells(
        partial(here.say, "notice_softmax", keys=dots.KEYS, even=math.log(dots.KEYS), **facts), softmax, dots.softened
    )


def row(here: LayerLab) -> None:
    d_k, query, chosen = here.now.config.head_dim, here.query, here.settings.width
    here.slider("width", WIDTHS, lambda width: f"√{width} = {math.sqrt(width):.3g}", here.text("axis_divisor"))
    here.asks(asked("larger", "evener", "sharper", "other"), asked("winner", "never", "sometimes", "always"))
    scores = here.own("scores")[query]
    weights = dots.under_divisors(scores)
    names = tuple(f"÷ {number:.3g}" for number in (math.sqrt(width) for width in WIDTHS))
    at = WIDTHS.index(chosen)
    panel = Panel(
        weights,
        here.text("chart_row"),
        Axis(here.text("axis_divisor"), names),
        here.axis("key"),
        Scale(weight=True, name=here.name("tensor_attn_weights")),
        outlines=(Outline("q", rows=(at, at + 1)),),
        show_shape=False,
    )
    given = here.panel("scores")
    first = Panel(
        scores.unsqueeze(0),
        here.text("chart_scores", query=here.labels[query]),
        Axis(here.name("axis_query"), (here.labels[query],)),
        given.columns,
        given.scale,
        show_columns=False,
        show_shape=False,
    )
    under = replace(
        first,
        values=weights[at].unsqueeze(0),
        name=here.text("chart_under", divisor=names[at]),
        rows=Axis(here.text("axis_divisor"), (names[at],)),
        scale=panel.scale,
    )
    board = [[first], [here.veil(under)], [here.veil(panel)]]
    here.place(Board(board, [1], [30, 30, heatmap_height(len(WIDTHS), most=195)]))
    largest = weights.max(dim=1).values.tolist()
    facts = {"first": largest[0], "last": largest[-1], "own": float(weights[at].max()), "divisor": names[at]}

    def notice() -> None:
        here.say("notice_row", query=here.token(query), key=here.leader(scores), **facts)
        if here.trace.config.scaled:
            here.say("divides", d_k=d_k)
        else:
            here.say("divides_off")

    here.tells(notice, softmax)


def training() -> None:
    layers, language = dots.sizes(here.settings.seed), here.now.language
    todo = [config for config in layers if dots.trained(config, language) is None]
    done = [(config, course) for config in layers if (course := dots.trained(config, language))]

    def named(config: AttentionConfig) -> str:
        return f"d_k = {config.head_dim}, {here.name('divisor_root' if config.scaled else 'divisor_none')}"

    curves = [
        Line(named(config), range(1, len(course.losses) + 1), dots.smooth(course.losses), hue=layers.index(config))
        for config, course in done
    ]
    chart = Chart(here.text("chart_training"), here.name("axis_step"), curves, height=330)

    def under() -> None:
        work_through("root", here.lang, todo, len(layers), lambda config: dots.training(config, language), named)

    here.place(draw_curves(chart, here.colors), here.text("chart_training"), under=under, is_empty=not done)

    def notice() -> None:
        here.say("notice_training")
        if done:
            names = [here.name("layer_trained"), here.name("accuracy")]
            here.table(names, [[named(config), f"{percent(course.accuracy)} %"] for config, course in done])
        if not todo:
            narrow, narrow_off, wide, wide_off = (100 * course.accuracy for _, course in done)
            here.say("cost_training", narrow=round(narrow - narrow_off, 1), wide=round(wide - wide_off, 1))

    here.tells(notice, scale_scores)


here = open_lab(*EXPERIMENTS)
seed = here.drawn
if isinstance(here, LayerLab):
    row(here)
else:
    {"variance": variance, "spread": spread, "softmax": softened, "training": training}[here.experiment]()
here.back()
