"""Softmax: masks close cells, and each row becomes positive and sums to 1."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures import Board, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("softmax")
attention, head, query = here.trace.attention, here.head, here.query
scaled, masked = attention.scaled_scores[head], attention.masked_scores[head]
exps, weights = functional.exponentials(masked), attention.attn_weights[head]
rows, keys = here.tokens("axis_query"), here.tokens("axis_key")
row = here.row_of("q")

here.formula(sized("A_{ij}", weights), "=", r"\frac{\exp(M_{ij} - \max_l M_{il})}{\sum_l \exp(M_{il} - \max_l M_{il})}")
one_scale, shares = Scale.signed(scaled, name=here.name("scores_tensor")), Scale(weight=True, name=here.name("shares"))
sums = measures.row_sums(exps)
height = heatmap_height(len(weights), most=480)
here.show(
    Board(
        [
            [
                Panel(
                    scaled,
                    here.name("scaled_scores"),
                    rows,
                    keys,
                    one_scale,
                    outlines=(row,),
                    origin=here.of("scaled_scores"),
                ).without("columns"),
                None,
                Panel(
                    masked,
                    f"M · {here.name('masked_scores')}",
                    rows,
                    keys,
                    one_scale,
                    outlines=(row,),
                    closed=here.closed,
                    origin=here.of("masked_scores"),
                ).without("rows", "columns"),
            ],
            [
                Panel(
                    exps,
                    here.name("exponentials"),
                    rows,
                    keys,
                    shares,
                    outlines=(row,),
                    closed=here.closed,
                    origin=here.of("exponentials"),
                ),
                Panel(
                    sums,
                    "Σ",
                    rows,
                    here.dims("axis_sum"),
                    Scale(plain=True),
                    outlines=(row,),
                    origin=here.of("exp_sums"),
                ).without("rows", "columns", "shape"),
                Panel(
                    weights,
                    here.name("attn_weights"),
                    rows,
                    keys,
                    shares,
                    outlines=(row,),
                    closed=here.closed_weights(),
                    origin=here.of("attn_weights"),
                ).without("rows"),
            ],
        ],
        [1, 0.12, 1],
        [height, height],
        gap=0.03,
        signs=(((0, 2), "→"), ((1, 2), "→")),
    ),
    "steps",
)
here.inspect("attn_weights")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    best, open_keys = measures.peak(weights[query]), measures.open_keys(masked)
    if here.is_closed:
        here.notice("notice_closed", rule_of="attn_weights", query=here.token(query))
    else:
        here.notice(
            "notice",
            rule_of="attn_weights",
            query=here.token(query),
            key=here.token(best.column),
            weight=best.value,
            sum=float(sums[query]),
            total=float(weights[query].sum()),
            entropy=float(measures.entropy(weights)[query]),
            possible=float(open_keys[query].log()),
            open=int(open_keys[query]),
        )
    if bool(here.closed.cells.any()):
        here.say("mask", closed=int(here.closed.cells.sum()), cells=here.closed.cells.numel())
        empty = int((open_keys == 0).sum())
        if empty:
            here.say("mask_rows", empty=empty)
    else:
        here.say("mask_none")
with asked:
    here.say("why")
with code:
    popular = measures.peak(weights.sum(dim=0))
    here.question(key=here.token(popular.column), sum=popular.value)
    here.attempt()
here.compare("attn_weights", "head_outputs", by_hand="silence")
here.source(functional.apply_mask, functional.exponentials, functional.softmax)
