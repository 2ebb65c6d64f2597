"""Today's models: shared keys and values, a sliding window, a cap on the scores, and the key/value cache."""

from functools import partial

from attention.functional import causal_mask
from attention.operator import attention
from attention.variants import cap, share_kv, window_mask
from pages.today import layers
from pages.ui.figures.panels import Axis, Board, Closed, Outline, Panel, Scale, heatmap_height
from pages.ui.lab import LayerLab, asked
from pages.ui.lesson import Say
from pages.ui.state.settings import SOFTCAPS, WINDOWS, head_counts

EXPERIMENTS = ("shared", "window", "cap", "cache")
MOST_HEADS = 4  # that are shown

here = LayerLab()
size, query, head = len(here.labels), here.query, here.head
tokens = here.axis("query"), here.axis("key")
shares = Scale(weight=True, name=here.name("tensor_attn_weights"))
row = (Outline("q", rows=(query, query + 1)),)
height = heatmap_height(size, most=330)


def shared() -> None:
    heads = here.now.heads
    if heads > 1:
        here.slider("kv_heads", head_counts(heads))
    groups = here.settings.kv_heads if heads % here.settings.kv_heads == 0 else 1
    here.asks(asked("smaller", "cache", "queries", "nothing"), asked("one", "multi", "grouped", "off"))
    whole, found = here.trace.attention.attn_weights, layers.shared(here.trace, groups).kept[0]
    shown = range(min(heads, MOST_HEADS))
    own = [here.weights(whole[h], here.text("as_is", head=h)) for h in shown]
    now = [here.weights(found[h], here.text("with_shared", head=h)) for h in shown]
    grid = [
        [panel if h == 0 else panel.without("rows") for h, panel in enumerate(own)],
        [here.veil(panel if h == 0 else panel.without("rows")) for h, panel in enumerate(now)],
    ]
    tall = heatmap_height(size, most=112)
    here.place(Board(grid, [1] * len(shown), [tall, tall], gap=0.03))
    large = layers.LARGE
    numbers = {
        name: layers.cache_numbers(large["tokens"], kv, large["d_k"], large["layers"]) * layers.BYTES / 2**30
        for name, kv in (("full", large["heads"]), ("eighth", large["heads"] // 4), ("single", 1))
    }
    facts = {"heads": heads, "groups": groups, "tokens": large["tokens"], **numbers}
    facts["own"] = layers.cache_numbers(size, heads, here.now.config.head_dim)
    facts["less"] = layers.cache_numbers(size, groups, here.now.config.head_dim)
    here.tells(partial(here.say, "notice_shared", **facts), share_kv, attention)


def window() -> None:
    here.slider("window", WINDOWS)
    here.asks(asked("far", "layers", "never", "same"), asked("linear", "yes", "no", "worse"))
    causal, narrow = layers.windowed(here.trace, head, here.settings.window)
    mask = window_mask(size, size, here.settings.window)
    every = causal_mask(size, size)
    panels = [
        here.weights(values, here.text(name), is_open=is_open, shape=True)
        for values, name, is_open in ((causal, "all_before", every), (narrow, "in_window", mask))
    ]
    here.place(Board([[panels[0], here.veil(panels[1]).without("rows")]], [1, 1], [height], gap=0.05))
    facts = {
        "window": here.settings.window,
        "before": here.settings.window - 1,
        "open": int(mask.sum()),
        "all": int(every.sum()),
    }
    here.tells(partial(here.say, "notice_window", **facts), window_mask)


def capped() -> None:
    here.slider("softcap", SOFTCAPS, lambda value: str(value) if value else here.text("no_cap"))
    here.asks(asked("order", "keeps", "turns", "flat"), asked("before", "first", "after", "either"))
    softcap = here.settings.softcap
    scores, weights = layers.capped(here.trace, head, softcap)
    given = here.own("scaled_scores")
    scale = Scale.signed(given, name=here.name("tensor_scaled_scores"))
    panels = [
        Panel(scores, here.text("capped_scores"), *tokens, scale, outlines=row, show_shape=False),
        here.weights(weights, here.name("tensor_attn_weights")),
    ]
    here.place(Board([[panels[0], here.veil(panels[1]).without("rows")]], [1, 1], [height], gap=0.05))
    facts = {"before": float(given.abs().max()), "after": float(scores.abs().max())}
    facts["largest"] = float(weights[query].max())
    section = "notice_cap" if softcap else "notice_no_cap"
    here.tells(partial(here.say, section, **facts, **({"softcap": softcap} if softcap else {})), cap)


def cache() -> None:
    here.asks(asked("new", "one_row", "all_rows", "one_column"), asked("queries", "no_need", "saved", "too_big"))
    found = layers.written(here.trace, query)
    heads = here.now.heads
    names = tuple(here.name("head_n", number=h) for h in range(heads))
    later = layers.later(size, query)
    new = Panel(
        layers.padded(found.weights, size),
        here.text("new_row"),
        Axis(here.name("head"), names),
        here.axis("key"),
        shares,
        closed=Closed(later.expand(heads, size), here.text("not_written")),
        show_shape=False,
    )
    keys = Panel(
        here.trace.attention.k[head],
        here.text("kept_keys"),
        here.axis("key"),
        here.axis("dim"),
        Scale.signed(here.trace.attention.k[head], name=here.name("tensor_k")),
        "k",
        closed=Closed(later.T.expand(size, here.now.config.head_dim), here.text("not_written")),
        outlines=(Outline("k", rows=(query, query + 1)),),
        show_shape=False,
    )
    here.place(Board([[keys], [here.veil(new)]], [1], [heatmap_height(size, most=210), max(30, 24 * min(heads, 5))]))
    facts = {"word": here.token(query), "difference": found.difference, "without": found.without}
    facts["numbers"] = layers.cache_numbers(query + 1, heads, here.now.config.head_dim)
    here.tells(partial(here.say, "notice_cache", **facts), layers.written)


DRAWN: dict[str, Say] = {"shared": shared, "window": window, "cap": capped, "cache": cache}
DRAWN[here.choose(*EXPERIMENTS)]()
here.back()
