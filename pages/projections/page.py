"""Projections: three learned matrices turn X into queries, keys and values."""

import streamlit as st

from attention import functional
from pages.ui.figures import Board, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("projections")
x, attention, weights = here.trace.x, here.trace.attention, here.trace.weights
q, k, v = (functional.merge_heads(tensor) for tensor in (attention.q, attention.k, attention.v))

formulas = st.columns(3)
for column, symbol, result, matrix in zip(
    formulas, "QKV", (q, k, v), (weights.w_q, weights.w_k, weights.w_v), strict=True
):
    with column:
        here.formula(sized(symbol, result), "=", sized("X", x), sized(f"W_{symbol}", matrix), "+", f"b_{symbol}")

learned = Scale.signed(weights.w_q, weights.w_k, weights.w_v, weights.b_q, weights.b_k, weights.b_v, name="W, b")
made = Scale.signed(q, k, v, name="Q, K, V")
tokens, dims = here.tokens(), here.dims("axis_out")


columns = [
    (
        Panel(
            matrix, f"W<sub>{symbol}</sub>", here.dims("axis_in"), dims, learned, role, origin=here.of(f"w_{role}")
        ).without("columns"),
        Panel(
            bias.unsqueeze(0),
            f"b<sub>{symbol}</sub>",
            here.dims("axis_bias"),
            dims,
            learned,
            role,
            origin=here.of(f"b_{role}"),
        ).without("rows", "columns"),
        Panel(
            result, symbol, tokens, dims, made, role, outlines=(here.row_of(role),), origin=here.all_heads(role)
        ).without("rows"),
    )
    for symbol, role, matrix, bias, result in (
        ("Q", "q", weights.w_q, weights.b_q, q),
        ("K", "k", weights.w_k, weights.b_k, k),
        ("V", "v", weights.w_v, weights.b_v, v),
    )
]
left = Panel(
    x, "X", tokens, here.dims("axis_in"), Scale.signed(x, name="X"), outlines=(here.row_of(""),), origin=here.of("x")
)
above, between, below = (list(line) for line in zip(*columns, strict=True))
here.show(
    Board(
        [[None, *above], [None, *between], [left, *below]],
        [1, 1, 1, 1],
        [190, 22, heatmap_height(len(x))],
        gap=0.035,
    ),
    "product",
)
here.inspect("q")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    d_model = here.trace.config.d_model
    here.notice(
        "notice", query=here.token(here.query), d_model=d_model, learned=3 * (weights.w_q.numel() + weights.b_q.numel())
    )
with asked:
    here.say("analogy")
    here.question(tokens=len(x), d_model=d_model)
with code:
    here.source(functional.project)
    here.attempt()
here.compare("q", "k", "v")
