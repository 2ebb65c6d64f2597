"""Softmax: masks close cells, and each row becomes positive and sums to 1."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
weights, sums, query = here.own("attn_weights"), here.own("exp_sums"), here.query

here.formula(sized("A_{ij}", weights), "=", r"\frac{\exp(M_{ij} - \max_l M_{il})}{\sum_l \exp(M_{il} - \max_l M_{il})}")
one_scale = Scale.signed(here.own("scaled_scores"), name=here.name("tensor_scores"))
shares = Scale(weight=True, name=here.name("shares"))
scaled, masked = (here.panel(tensor, scale=one_scale, follows=True) for tensor in ("scaled_scores", "masked_scores"))
exps, total, result = (
    here.panel(tensor, scale=shares if tensor != "exp_sums" else None, follows=True)
    for tensor in ("exponentials", "exp_sums", "attn_weights")
)
here.show(
    Board(
        [
            [scaled.without("columns"), None, masked.without("rows", "columns")],
            [exps, total.without("rows", "columns", "shape"), result.without("rows")],
        ],
        [1, 0.12, 1],
        [heatmap_height(len(weights), most=480)] * 2,
        gap=0.03,
        signs=(((0, 2), "→"), ((1, 2), "→")),
    ),
    "steps",
)
here.inspect("attn_weights")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    best, open_keys = measures.peak(weights[query]), measures.open_keys(here.own("masked_scores"))
    if here.is_closed:
        here.notice("notice_closed", "attn_weights", query=here.token(query))
    else:
        here.notice(
            "notice",
            "attn_weights",
            query=here.token(query),
            key=here.token(best.column),
            weight=best.value,
            sum=float(sums[query]),
            total=float(weights[query].sum()),
            entropy=float(measures.entropy(weights)[query]),
            possible=float(open_keys[query].log()),
            open=int(open_keys[query]),
        )
    closed = here.closed("masked_scores")
    if bool(closed.any()):
        here.say("mask", closed=int(closed.sum()), cells=closed.numel())
        if empty := int((open_keys == 0).sum()):
            here.say("mask_rows", empty=empty)
    else:
        here.say("mask_none")
with asked:
    here.say("why")
with code:
    popular = measures.peak(weights.sum(dim=0))
    here.question({"key": here.token(popular.column), "sum": popular.value})
    here.attempt()
here.compare("attn_weights", "head_outputs", by_hand="silence")
here.source(functional.apply_mask, functional.exponentials, functional.softmax)
