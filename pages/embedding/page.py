"""Embedding: tokens, ids, one-hot rows, vectors, positions, X."""

import streamlit as st

from attention import embedding, measures
from pages.ui.figures import Board, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("embedding")
trace = here.trace
tokens, dims, words = here.tokens(), here.dims(), here.words()
height = heatmap_height(len(trace.tokens))

figure, side = st.columns([0.64, 0.36], gap="large")
with figure:
    here.formula(
        sized("X", trace.x),
        "=",
        sized("H", trace.one_hot),
        sized("E", trace.embedding_table),
        "+",
        sized("P", trace.positions),
    )
    meaning = Scale.signed(trace.embedding_table, name=f"E, {here.name('embeddings')}")
    ids = Panel(
        trace.ids.unsqueeze(-1), here.name("ids"), tokens, here.dims("axis_id"), Scale(plain=True), whole=True
    ).without("shape", "columns")
    one_hot = Panel(
        trace.one_hot,
        f"H · {here.name('one_hot')}",
        tokens,
        words,
        Scale(weight=True, name=here.name("one_hot")),
        whole=True,
    ).without("rows")
    table = Panel(trace.embedding_table, f"E · {here.name('table')}", words, dims, meaning).without("columns")
    looked_up = Panel(trace.embeddings, here.name("embeddings"), tokens, dims, meaning, outlines=(here.row_of(""),))
    here.show(
        Board(
            [[None, None, table], [ids, one_hot, looked_up.without("rows")]],
            [0.07, 0.5, 0.5],
            [heatmap_height(len(trace.vocabulary), most=240), height],
            gap=0.06,
            width=600,
        ),
        "look_up",
    )
with side:
    facts = {"tokens": len(trace.tokens), "words": len(trace.vocabulary), "d_model": here.settings.d_model}
    here.notice("notice", **facts, query=here.token(here.query), id=int(trace.ids[here.query]))
    here.say("why")
    if len(trace.vocabulary) > 1:
        apart = measures.distances(trace.embedding_table)
        here.say("distances", nearest=float(apart.min()), farthest=float(apart.max()))
    here.question(**facts)

here.heading("positions_heading")
one_scale = Scale.signed(trace.embeddings, trace.positions, trace.x, name=here.name("one_scale"))
parts = (
    Panel(trace.embeddings, here.name("embeddings"), tokens, dims, one_scale),
    Panel(trace.positions, f"P · {here.name('positions_tensor')}", tokens, dims, one_scale).without("rows"),
    Panel(trace.x, "X", tokens, dims, one_scale, outlines=(here.row_of(""),)).without("rows"),
)
here.show(Board([parts], [1, 1, 1], [height], signs=(((0, 1), "+"), ((0, 2), "="))), "positions")
told, tried = st.columns([0.64, 0.36], gap="large")
with told:
    here.say("positions" if here.settings.positions else "positions_off")
    repeat = measures.first_repeat(trace.tokens)
    if repeat:
        section = "repeat" if here.settings.positions else "repeat_off"
        here.say(section, first=here.token(repeat[0]), second=here.token(repeat[1]))
with tried:
    here.attempt()
here.source(embedding.look_up, embedding.sinusoidal_positions, embedding.add_positions)
