"""Weighted sum: each token's new vector is the values, blended by its row of weights."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures.panels import Board, Outline, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
weights, v, output, parts = map(here.own, ("attn_weights", "v", "head_outputs", "contributions"))
query, lengths = here.query, parts.norm(dim=-1)
heaviest, longest = measures.peak(weights[query]), measures.peak(lengths)

here.formula(sized("O", output), "=", sized("A", weights), sized("V", v))
values = Scale.signed(v, output, parts, name=here.name("values_scale"))
long = (Outline("v", rows=(longest.column, longest.column + 1)),)
above = [here.panel(tensor, scale=values, outlines=long) for tensor in ("v", "contributions")]
shares, result = here.panel("attn_weights", follows=True), here.panel("head_outputs", scale=values, follows=True)
here.show(
    Board(
        [
            [None, above[0].without("columns"), above[1].without("rows", "columns")],
            [shares, result.without("rows"), None],
        ],
        [1.5, 0.75, 0.75],
        [heatmap_height(len(weights), most=480)] * 2,
        gap=0.09,
    ),
    "product",
)
here.inspect("head_outputs")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    found = {
        "query": here.token(query),
        "key": here.token(heaviest.column),
        "weight": heaviest.value,
        "length": longest.value,
    }
    other = {
        "longest": here.token(longest.column),
        "share": float(weights[query, longest.column]),
        "other": float(lengths[heaviest.column]),
    }
    if here.is_closed:
        here.notice("notice_closed", "head_outputs", query=found["query"])
    elif heaviest.column == longest.column:
        here.notice("notice_same", "head_outputs", **found)
    else:
        here.notice("notice_other", "head_outputs", **found, **other)
with asked:
    here.say("why")
with code:
    here.question(found | other)
    here.attempt()
here.compare("head_outputs", by_hand="silence")
here.source(functional.weighted_sum)
