"""Cross-attention: queries from one sentence, keys and values from another; and word alignment, learned."""

from functools import partial

import streamlit as st

from attention import multi_head_attention
from pages.cross import pairs
from pages.cross.align import draw_lines
from pages.ui.figures.panels import Axis, Board, Outline, Panel, Scale, heatmap_height, token_labels
from pages.ui.lab import Lab, LayerLab, asked, open_lab
from pages.ui.layers.jobs import Job, wait_for
from pages.ui.layers.progress import watch_steps
from pages.ui.words.numbers import percent

EXPERIMENTS = ("two", "align")


def two(here: LayerLab) -> None:
    here.typing("second", here.text("second"))
    here.asks(asked("shape", "rows", "square", "columns"), asked("swap", "other", "turned", "same"))
    other = here.also(here.settings.second or here.text("second")) or here.trace
    found = pairs.crossed(here.trace, other)
    head, query = here.head, here.query
    keys = Axis(here.text("axis_other"), token_labels(other.tokens))
    row = (Outline("q", rows=(query, query + 1)),)
    scale = Scale.signed(found.scaled_scores[head], name=here.name("tensor_scaled_scores"))
    scores = Panel(
        found.scaled_scores[head], here.name("tensor_scaled_scores"), here.axis("query"), keys, scale, outlines=row
    )
    weights = here.weights(found.attn_weights[head], here.name("tensor_attn_weights"), keys=keys, shape=True)
    height = heatmap_height(len(here.labels), most=330)
    shown = here.veil(scores), here.veil(weights).without("rows")
    here.place(Board([shown], [1, 1], [height], gap=0.06))
    best = int(found.attn_weights[head, query].argmax())
    facts = {"queries": len(here.labels), "keys": len(other.tokens), "query": here.token(query)}
    facts |= {"key": here.code(keys.labels[best]), "sum": float(found.attn_weights[head, query].sum())}
    here.tells(partial(here.say, "notice_two", **facts), multi_head_attention)


def align(here: Lab) -> None:
    here.slider("shift", range(pairs.HELD_OUT), lambda number: str(number + 1), title=here.text("pair"))
    here.asks(asked("crossing", "cross", "parallel", "fan"), asked("taught", "nobody", "pairs", "grammar"))
    slot, seed = st.empty(), here.settings.seed

    def watch(job: Job[pairs.Aligner]) -> None:
        watch_steps(job, slot, here.lang)
        slot.empty()

    layer = wait_for(lambda: pairs.training(seed), watch).outcome()
    pair = pairs.pairs()[1][here.settings.shift]
    weights = pairs.weights_of(layer, pair)
    here.place(draw_lines(pair.english, pair.chinese, weights, here.colors), here.text("lines"))
    right = sum(int(row.argmax()) == link for row, link in zip(weights, pair.links, strict=True) if link >= 0)
    facts = {"right": right, "links": sum(link >= 0 for link in pair.links), "steps": pairs.STEPS}
    facts |= {"pairs": pairs.COUNT, "held_out": pairs.HELD_OUT}
    accuracy = {"accuracy": percent(layer.accuracy), "said": percent(layer.said)}
    here.tells(partial(here.say, "notice_align", **facts, **accuracy), pairs.attend)


here = open_lab(*EXPERIMENTS)
if isinstance(here, LayerLab):
    two(here)
else:
    align(here)
here.back()
