"""Positions: what a layer knows of the order of words, and four ways to tell it."""

from functools import partial

from attention import Learned
from attention.embedding import sinusoidal_positions
from attention.variants import alibi, rotate
from pages.order import shuffle
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Axis, Board, Panel, Scale, heatmap_height, token_labels
from pages.ui.lab import LayerLab, asked
from pages.ui.lesson import Say

EXPERIMENTS = ("shuffle", "waves", "distance", "kinds")
ROUNDING = 1e-3  # differences below that are the order of additions
COUNT, FAR = 48, 33  # positions in a picture; places by which two words are moved at most

here = LayerLab()
trace, config = here.trace, here.trace.config


def shuffled() -> None:
    here.shuffle()
    here.asks(asked("rows", "along", "change", "same"), asked("bag", "cannot", "can", "partly"))
    order = shuffle.order_of(len(trace.tokens), here.settings.shift)
    tokens = [trace.tokens[place] for place in order]
    base, other = (here.also(shuffle.written(each)) or trace for each in (trace.tokens, tokens))
    if (base.tokens, other.tokens) != (
        trace.tokens,
        tuple(tokens),
    ):  # a model with tokens of its own cannot be shuffled word by word
        here.asks()
        here.place(Board([[here.panel("output")]], [1], [heatmap_height(len(here.labels), most=330)]))
        here.tells(partial(here.say, "notice_fixed"), shuffle.order_of, shuffle.moved_back)
        return
    was, now = base.attention.output, shuffle.moved_back(other.attention.output, order)
    scale = Scale.signed(was, now, name=here.name("tensor_output"))
    columns = here.axis("out")
    panels = [
        Panel(was, here.text("as_typed"), here.axis("token"), columns, scale, show_shape=False),
        Panel(now, here.text("shuffled"), here.axis("token"), columns, scale, show_rows=False, show_shape=False),
        Panel(
            now - was,
            here.text("difference"),
            here.axis("token"),
            columns,
            Scale(scale.limit, name=here.text("difference")),
            show_rows=False,
            show_shape=False,
        ),
    ]
    grid = [[panels[0], *(here.veil(panel) for panel in panels[1:])]]
    here.place(Board(grid, [1, 1, 1], [heatmap_height(len(here.labels), most=330)], gap=0.03))
    largest = float((now - was).abs().max())
    words = here.code(" ".join(tokens))
    if not here.settings.shift:
        section = "notice_still"
    elif config.causal:
        section = "notice_causal"
    elif config.positions:
        section = "notice_on"
    else:
        section = "notice_off" if largest < ROUNDING else "notice_kinds_changed"
    facts = {"largest": largest, **({"words": words} if here.settings.shift else {})}
    here.tells(partial(here.say, section, **facts), shuffle.order_of, shuffle.moved_back)


def waves() -> None:
    here.asks(asked("fast", "left", "right", "even"), asked("number", "waves", "index", "onehot"))
    values = sinusoidal_positions(COUNT, config.d_model)
    panel = Panel(
        values,
        here.name("tensor_positions"),
        Axis(here.text("axis_place"), token_labels([""] * COUNT)),
        here.axis("dim"),
        Scale(1.0, name=here.name("tensor_positions")),
    )
    here.place(Board([[here.veil(panel)]], [1], [300]))
    here.tells(partial(here.say, "notice_waves", count=COUNT, d_model=config.d_model), sinusoidal_positions)


def distance() -> None:
    here.asks(asked("product", "falls", "rises", "flat"), asked("where", "only", "depends", "never"))
    products = shuffle.position_products(COUNT, config.d_model)
    starts = (0, 12, 24)
    lines = [
        Line(
            here.text("from_place", place=start),
            range(COUNT - start),
            products[start, start:].tolist(),
            hue=number,
            quiet=number > 0,
        )
        for number, start in enumerate(starts)
    ]
    chart = Chart(here.text("chart_distance"), here.text("axis_apart"), lines, height=400, signed=True)
    here.place(draw_curves(chart, here.colors), here.text("chart_distance"))
    facts = {"near": float(products[0, 1]), "own": float(products[0, 0]), "far": float(products[0, 20])}
    here.tells(partial(here.say, "notice_distance", **facts), shuffle.position_products)


def kinds() -> None:
    here.asks(asked("moved", "relative", "all", "none"), asked("alibi", "far", "near", "random"))
    query, layer = here.query, here.layer if here.says and isinstance(here.layer, Learned) else None
    key = int(here.own("attn_weights")[query].argmax())
    if key == query:
        key = max(query - 1, 0) if query else min(1, len(here.labels) - 1)
    names = shuffle.kinds_for(config.head_dim)
    lines, spread = [], {}
    for number, kind in enumerate(names):
        scores = [shuffle.moved_score(trace, here.head, query, key, kind, by, layer) for by in range(FAR)]
        lines.append(Line(here.text(f"kind_{kind}"), range(FAR), scores, hue=number, dots=kind == "alibi"))
        spread[kind] = max(scores) - min(scores)
    chart = Chart(here.text("chart_kinds"), here.text("axis_shift"), lines, height=400, signed=True)
    here.place(draw_curves(chart, here.colors), here.text("chart_kinds"))
    facts = {name: spread[name] for name in ("sinusoidal", "learned", "alibi")}

    def notice() -> None:
        here.say("notice_kinds", query=here.token(query), key=here.token(key), **facts)
        if "rotary" in spread:
            here.say("rotary", rotary=spread["rotary"])
        else:
            here.say("rotary_odd")

    here.tells(notice, rotate, alibi)


DRAWN: dict[str, Say] = {"shuffle": shuffled, "waves": waves, "distance": distance, "kinds": kinds}
DRAWN[here.choose(*EXPERIMENTS)]()
here.back()
