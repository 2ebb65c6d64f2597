"""Embedding: tokens, ids, one-hot rows, vectors, positions, X."""

import streamlit as st

from attention import embedding, measures
from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
trace = here.trace
height = heatmap_height(len(trace.tokens))

figure, side = st.columns([0.64, 0.36], gap="large")
with figure:
    x, one_hot, table, positions = (
        sized(symbol, here.own(tensor))
        for symbol, tensor in (("X", "x"), ("H", "one_hot"), ("E", "embedding_table"), ("P", "positions"))
    )
    here.formula(x, "=", one_hot, table, "+", positions)
    meaning = Scale.signed(here.own("embedding_table"), name=here.name("embeddings_scale"))
    looked_up = here.panel("embeddings", scale=meaning, follows=True).without("rows")
    parts = here.panel("ids").without("shape", "columns"), here.panel("one_hot").without("rows"), looked_up
    above = here.panel("embedding_table", scale=meaning).without("columns")
    heights = [heatmap_height(len(trace.vocabulary), most=240), height]
    here.show(Board([[None, None, above], parts], [0.07, 0.5, 0.5], heights, gap=0.06, width=600), "look_up")
with side:
    sizes = {"tokens": len(trace.tokens), "words": len(trace.vocabulary), "d_model": trace.config.d_model}
    count = {"tokens": sizes["tokens"], "words": sizes["words"]}
    here.notice("notice", "embeddings", **count, query=here.token(here.query), id=int(trace.ids[here.query]))
    here.say("why")
    if len(trace.vocabulary) > 1:
        apart = measures.distances(trace.embedding_table)
        here.say("distances", nearest=float(apart.min()), farthest=float(apart.max()))
    here.question(sizes)

here.heading("positions_heading")
added = ("embeddings", "positions", "x")
one_scale = Scale.signed(*map(here.own, added), name=here.name("one_scale"))
first, second, total = (here.panel(tensor, scale=one_scale, follows=tensor == "x") for tensor in added)
signs = () if trace.x_given else (((0, 1), "+"), ((0, 2), "="))
here.show(
    Board([[first, second.without("rows"), total.without("rows")]], [1, 1, 1], [height], signs=signs), "positions"
)
here.inspect("x")
told, tried = st.columns([0.64, 0.36], gap="large")
with told:
    if trace.x_given:
        here.say("positions", layer=here.settings.layer)
    else:
        here.say("positions" if trace.config.positions else "positions_off")
    repeat = measures.first_repeat(trace.ids.tolist())  # two tokens of a real model may only look alike
    if repeat and not here.is_edited("embeddings"):
        section = "repeat" if trace.config.positions else "repeat_off"
        here.say(section, first=here.token(repeat[0]), second=here.token(repeat[1]))
with tried:
    here.attempt()
here.compare("x", by_hand="swap")
here.source(embedding.look_up, embedding.sinusoidal_positions, embedding.add_positions)
