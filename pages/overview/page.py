"""Overview: the whole computation on one screen."""

import streamlit as st

from attention import measures
from pages import WALK
from pages.ui.figures.panels import Board, Scale
from pages.ui.lesson import Lesson

here = Lesson()
head, query = here.head, here.query
best = measures.peak(here.own("attn_weights")[query])
if here.is_closed:
    here.say("gist_closed", query=here.token(query), head=head)
else:
    here.say("gist", query=here.token(query), key=here.token(best.column), weight=best.value, head=head)

w_q, w_k, w_v = (here.panel(f"w_{role}", own_columns=True, leads_to="projections") for role in "qkv")
q, k, v = (here.panel(role, leads_to="projections") for role in "qkv")
x = here.panel("x", leads_to="embedding")
both = Scale.signed(here.own("scores"), here.own("scaled_scores"))
scores = here.panel("scores", scale=both, leads_to="scores")
scaled = here.panel("scaled_scores", title=here.name("scaled_short"), scale=both, leads_to="scaling")
shares = here.panel("attn_weights", leads_to="softmax")
summed = here.panel("head_outputs", title=here.name("head_short"), leads_to="weighted_sum")
joined = here.panel("joined", title=here.name("joined_short"), leads_to="heads")
output = here.panel("output", leads_to="heads")
here.show(
    Board(
        [[None, w_q, q, scores, output], [x, w_k, k, scaled, joined], [None, w_v, v, shares, summed]],
        [1, 1, 1, 1, 1],
        [104, 104, 104],
        gap=0.045,
        arrows=(
            *(((1, 0), (row, 1)) for row in range(3)),
            *(((row, 1), (row, 2)) for row in range(3)),
            *(((row, 2), (0, 3)) for row in range(2)),
            *(((row, 3), (row + 1, 3)) for row in range(2)),
            ((2, 3), (2, 4)),
            ((2, 2), (2, 4)),
            ((2, 4), (1, 4)),
            ((1, 4), (0, 4)),
        ),
        small=True,
    ),
    "map",
)
here.caption("hint", head=head, heads=here.now.heads)
here.inspect("attn_weights")
with st.container(gap="xsmall", key="steps"):
    for slug in WALK:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"step_{slug}"):
            here.link(slug, here.name(slug))
            here.say(slug)
            here.progress(slug)
here.compare("output")
