"""Scaling: divide the scores by the square root of head_dim."""

import math

import streamlit as st

from attention import functional, measures
from pages.ui.figures import Board, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("scaling")
attention, head, query, d_k = here.trace.attention, here.head, here.query, here.trace.config.head_dim
scores, scaled = attention.scores[head], attention.scaled_scores[head]
rows, keys = here.tokens("axis_query"), here.tokens("axis_key")

divisor = rf"\sqrt{{{d_k}}}" if here.settings.scaled else "1"
here.formula(sized(r"S_{\mathrm{scaled}}", scaled), "=", sized("S", scores), rf"/\; {divisor}")
both = Scale.signed(scores, scaled, name=here.name("same_scale"))
row = here.row_of("q")
before = Panel(scores, here.name("scores_tensor"), rows, keys, both, outlines=(row,), origin=here.of("scores"))
after = Panel(
    scaled, here.name("scaled_scores"), rows, keys, both, outlines=(row,), origin=here.of("scaled_scores")
).without("rows")
sign = "→" if here.settings.scaled else "="
here.show(Board([[before, after]], [1, 1], [heatmap_height(len(scores))], gap=0.08, signs=(((0, 1), sign),)), "scales")
here.inspect("scaled_scores")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    divided = functional.scale_scores(scores, 1 / math.sqrt(d_k))
    facts = {
        "d_k": d_k,
        "root": math.sqrt(d_k),
        "before": measures.variance(scores),
        "after": measures.variance(divided),
        "query": here.token(query),
        "raw": measures.peak(functional.softmax(scores)[query]).value,
        "calm": measures.peak(functional.softmax(divided)[query]).value,
    }
    here.notice("notice" if here.settings.scaled else "notice_off", "", **facts)
with asked:
    here.say("why", d_k=d_k)
with code:
    here.question(**facts)
    here.attempt()
    here.source(functional.scale_scores)
here.compare("scaled_scores")
