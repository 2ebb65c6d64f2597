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
        trace.ids.unsqueeze(-1),
        here.name("ids"),
        tokens,
        here.dims("axis_id"),
        Scale(plain=True),
        whole=True,
        origin=here.of("ids"),
    ).without("shape", "columns")
    one_hot = Panel(
        trace.one_hot,
        f"H · {here.name('one_hot')}",
        tokens,
        words,
        Scale(weight=True, name=here.name("one_hot")),
        whole=True,
        origin=here.of("one_hot"),
    ).without("rows")
    table = Panel(
        trace.embedding_table,
        f"E · {here.name('table')}",
        words,
        dims,
        meaning,
        origin=here.of("embedding_table"),
    ).without("columns")
    looked_up = Panel(
        trace.embeddings,
        here.name("embeddings"),
        tokens,
        dims,
        meaning,
        outlines=(here.row_of(""),),
        origin=here.of("embeddings"),
    )
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
    facts = {"tokens": len(trace.tokens), "words": len(trace.vocabulary), "d_model": trace.config.d_model}
    here.notice("notice", rule_of="embeddings", **facts, query=here.token(here.query), id=int(trace.ids[here.query]))
    here.say("why")
    if len(trace.vocabulary) > 1:
        apart = measures.distances(trace.embedding_table)
        here.say("distances", nearest=float(apart.min()), farthest=float(apart.max()))
    here.question(**facts)

here.heading("positions_heading")
one_scale = Scale.signed(trace.embeddings, trace.positions, trace.x, name=here.name("one_scale"))
parts = (
    Panel(trace.embeddings, here.name("embeddings"), tokens, dims, one_scale, origin=here.of("embeddings")),
    Panel(
        trace.positions,
        f"P · {here.name('positions_tensor')}",
        tokens,
        dims,
        one_scale,
        origin=here.of("positions"),
    ).without("rows"),
    Panel(trace.x, "X", tokens, dims, one_scale, outlines=(here.row_of(""),), origin=here.of("x")).without("rows"),
)
here.show(
    Board([parts], [1, 1, 1], [height], signs=() if trace.x_given else (((0, 1), "+"), ((0, 2), "="))), "positions"
)
here.inspect("x")
told, tried = st.columns([0.64, 0.36], gap="large")
with told:
    here.say("positions" if trace.config.positions else "positions_off", layer=here.settings.layer)
    repeat = measures.first_repeat(trace.ids.tolist())  # two tokens of a real model may only look alike
    if repeat and not here.is_edited("embeddings"):
        section = "repeat" if trace.config.positions else "repeat_off"
        here.say(section, first=here.token(repeat[0]), second=here.token(repeat[1]))
with tried:
    here.attempt()
here.compare("x", by_hand="swap")
here.source(embedding.look_up, embedding.sinusoidal_positions, embedding.add_positions)
