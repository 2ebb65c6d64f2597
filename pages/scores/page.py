"""Scores: every query meets every key in a dot product."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures import Board, Outline, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("scores")
attention, head, query = here.trace.attention, here.head, here.query
q, k, scores = attention.q[head], attention.k[head], attention.scores[head]
best = measures.peak(scores[query])

figure, words = st.columns([0.66, 0.34], gap="large")
with figure:
    here.formula(sized("S", scores), "=", sized("Q", q), sized(r"K^\top", k.T))
    operands = Scale.signed(q, k, name="Q, Kᵀ")
    column = (best.column, best.column + 1)
    keys = Panel(
        k.T,
        "Kᵀ",
        here.dims(),
        here.tokens("axis_key"),
        operands,
        "k",
        show_columns=False,
        origin=here.of("k", transposed=True),
        outlines=(Outline("k", columns=column),),
    )
    queries = Panel(
        q,
        "Q",
        here.tokens("axis_query"),
        here.dims(),
        operands,
        "q",
        origin=here.of("q"),
        outlines=(here.row_of("q"),),
    )
    products = Panel(
        scores,
        here.name("scores_tensor"),
        here.tokens("axis_query"),
        here.tokens("axis_key"),
        Scale.signed(scores, name=here.name("scores_tensor")),
        show_rows=False,
        origin=here.of("scores"),
        outlines=(here.row_of("q"), Outline("", (query, query + 1), column)),
    )
    here.show(
        Board([[None, keys], [queries, products]], [0.28, 0.72], [170, heatmap_height(len(scores))], width=600),
        "product",
    )
with words:
    here.notice(
        "notice",
        rule_of="scores",
        query=here.token(query),
        key=here.token(best.column),
        score=best.value,
        query_length=float(q[query].norm()),
        key_length=float(k[best.column].norm()),
        cosine=measures.cosine(q[query], k[best.column]),
        count=scores.numel(),
    )
    here.say("why")
    if bool(here.closed.cells.any()):
        here.say("masks_later")
here.inspect("scores")
asked, code = st.columns(2, gap="large")
with asked:
    here.question(query=here.token(query), key=here.token(best.column), score=best.value)
    here.attempt()
with code:
    here.source(functional.attention_scores)
here.compare("scores")
