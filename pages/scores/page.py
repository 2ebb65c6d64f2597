"""Scores: every query meets every key in a dot product."""

import streamlit as st

from attention import functional, measures
from pages.ui.figures.panels import Board, Outline, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
q, k, scores, query = here.own("q"), here.own("k"), here.own("scores"), here.query
best = measures.peak(scores[query])
column = (best.column, best.column + 1)

figure, words = st.columns([0.66, 0.34], gap="large")
with figure:
    here.formula(sized("S", scores), "=", sized("Q", q), sized(r"K^\top", k.T))
    operands = Scale.signed(q, k, name="Q, Kᵀ")
    keys = here.panel("k", transposed=True, scale=operands, outlines=(Outline("k", columns=column),))
    queries = here.panel("q", scale=operands, follows=True)
    products = here.panel("scores", follows=True, outlines=(Outline("", (query, query + 1), column),))
    above, below = [None, keys.without("columns")], [queries, products.without("rows")]
    here.show(Board([above, below], [0.28, 0.72], [170, heatmap_height(len(scores))], width=600), "product")
with words:
    here.notice(
        "notice",
        "scores",
        query=here.token(query),
        key=here.token(best.column),
        score=best.value,
        query_length=float(q[query].norm()),
        key_length=float(k[best.column].norm()),
        cosine=measures.cosine(q[query], k[best.column]),
        count=scores.numel(),
    )
    here.say("why")
    if bool(here.closed("masked_scores").any()):
        here.say("masks_later")
here.inspect("scores")
asked, code = st.columns(2, gap="large")
with asked:
    here.question({"query": here.token(query), "key": here.token(best.column), "score": best.value})
    here.attempt()
with code:
    here.source(functional.attention_scores)
here.compare("scores")
