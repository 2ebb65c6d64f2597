"""Weighted sum: each token's new vector is the values, blended by its row of weights."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures import Board, Outline, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("weighted_sum")
attention, head, query = here.trace.attention, here.head, here.query
weights, v, output = attention.attn_weights[head], attention.v[head], attention.head_outputs[head]
parts = measures.contributions(weights[query], v)
rows, keys, dims = here.tokens("axis_query"), here.tokens("axis_key"), here.dims()
heaviest, longest = measures.peak(weights[query]), measures.peak(parts.norm(dim=-1))
row = here.row_of("q")

here.formula(sized("O", output), "=", sized("A", weights), sized("V", v))
values = Scale.signed(v, output, parts, name=here.name("values_scale"))
height = heatmap_height(len(weights), most=480)
key_row = Outline("v", rows=(longest.column, longest.column + 1))
here.show(
    Board(
        [
            [
                None,
                Panel(v, "V", keys, dims, values, "v", outlines=(key_row,), origin=here.of("v")).without("columns"),
                Panel(
                    parts,
                    here.name("contributions"),
                    keys,
                    dims,
                    values,
                    outlines=(key_row,),
                    origin=here.of("contributions"),
                ).without("rows", "columns"),
            ],
            [
                Panel(
                    weights,
                    here.name("attn_weights"),
                    rows,
                    keys,
                    Scale(weight=True, name=here.name("attn_weights")),
                    outlines=(row,),
                    closed=here.closed_weights(),
                    origin=here.of("attn_weights"),
                ),
                Panel(
                    output,
                    here.name("head_output"),
                    rows,
                    dims,
                    values,
                    outlines=(row,),
                    origin=here.of("head_outputs"),
                ).without("rows"),
                None,
            ],
        ],
        [1.5, 0.75, 0.75],
        [height, height],
        gap=0.09,
    ),
    "product",
)
here.inspect("head_outputs")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    facts = {
        "query": here.token(query),
        "key": here.token(heaviest.column),
        "weight": heaviest.value,
        "longest": here.token(longest.column),
        "share": float(weights[query, longest.column]),
        "length": longest.value,
        "other": float(parts[heaviest.column].norm()),
    }
    if here.is_closed:
        here.notice("notice_closed", rule_of="head_outputs", **facts)
    else:
        section = "notice_same" if heaviest.column == longest.column else "notice_other"
        here.notice(section, rule_of="head_outputs", **facts)
with asked:
    here.say("why")
with code:
    here.question(**facts)
    here.attempt()
here.compare("head_outputs", by_hand="silence")
here.source(functional.weighted_sum)
