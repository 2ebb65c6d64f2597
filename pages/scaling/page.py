"""Scaling: divide the scores by the square root of head_dim."""

import math

import streamlit as st

from attention import functional, measures
from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
scores, scaled, query, d_k = here.own("scores"), here.own("scaled_scores"), here.query, here.now.config.head_dim
is_on = here.settings.scaled

divisor = rf"\sqrt{{{d_k}}}" if is_on else "1"
here.formula(sized(r"S_{\mathrm{scaled}}", scaled), "=", sized("S", scores), rf"/\; {divisor}")
both = Scale.signed(scores, scaled, name=here.name("same_scale"))
before, after = (here.panel(tensor, scale=both, follows=True) for tensor in ("scores", "scaled_scores"))
signs = (((0, 1), "→" if is_on else "="),)
here.show(
    Board([[before, after.without("rows")]], [1, 1], [heatmap_height(len(scores))], gap=0.08, signs=signs), "scales"
)
here.inspect("scaled_scores")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    divided = functional.scale_scores(scores, 1 / math.sqrt(d_k))
    shares = {
        "raw": measures.peak(functional.softmax(scores)[query]).value,
        "calm": measures.peak(functional.softmax(divided)[query]).value,
    }
    spread = {"before": measures.variance(scores), "after": measures.variance(divided)}
    here.notice("notice" if is_on else "notice_off", d_k=d_k, root=math.sqrt(d_k), **spread, **shares)
with asked:
    here.say("why", d_k=d_k)
with code:
    here.question({"query": here.token(query), **shares})
    here.attempt()
    here.source(functional.scale_scores)
here.compare("scaled_scores")
