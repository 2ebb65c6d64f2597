"""Projections: three learned matrices turn X into queries, keys and values."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
for column, role in zip(st.columns(3), "qkv", strict=True):
    with column:
        symbol, matrix = role.upper(), sized(f"W_{role.upper()}", here.own(f"w_{role}"))
        here.formula(sized(symbol, here.whole(role)), "=", sized("X", here.own("x")), matrix, "+", f"b_{symbol}")

learned = Scale.signed(*(here.own(f"{kind}_{role}") for kind in "wb" for role in "qkv"), name="W, b")
made = Scale.signed(*map(here.whole, "qkv"), name="Q, K, V")
above = [here.panel(f"w_{role}", scale=learned).without("columns") for role in "qkv"]
between = [here.panel(f"b_{role}", scale=learned).without("rows", "columns") for role in "qkv"]
below = [here.panel(role, all_heads=True, scale=made, follows=True).without("rows") for role in "qkv"]
left = here.panel("x", follows=True)
heights = [190, 22, heatmap_height(len(here.labels))]
here.show(Board([[None, *above], [None, *between], [left, *below]], [1] * 4, heights, gap=0.035), "product")
here.inspect("q")
noticed, asked, code = st.columns([0.36, 0.32, 0.32], gap="large")
with noticed:
    sizes = {"d_model": here.now.config.d_model, "learned": measures.parameters(here.trace.weights)["projections"]}
    here.notice("notice", query=here.token(here.query), **sizes)
with asked:
    here.say("analogy")
    here.question({"tokens": len(here.labels), "d_model": here.now.config.d_model})
with code:
    here.source(functional.project)
    here.attempt()
here.compare("q", "k", "v")
