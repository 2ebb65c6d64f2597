"""Overview: the whole computation on one screen."""

import streamlit as st

from attention import functional, measures
from pages import WALK
from pages.ui.figures import Board, Panel, Scale
from pages.ui.lesson import Lesson

here = Lesson("overview")
trace, attention, weights = here.trace, here.trace.attention, here.trace.weights
head, query, heads = here.head, here.query, here.settings.num_heads
signed, shares = Scale.signed, Scale(weight=True)
rows, keys, dims = here.tokens("axis_query"), here.tokens("axis_key"), here.dims()
best = measures.peak(attention.attn_weights[head, query])

if here.is_closed:
    here.say("gist_closed", query=here.token(query), head=head)
else:
    here.say("gist", query=here.token(query), key=here.token(best.column), weight=best.value, head=head)


def projection(symbol: str, role: str) -> tuple[Panel, Panel]:
    """The chosen head's columns of one learned matrix, and what it makes of X."""
    matrix = functional.split_heads(getattr(weights, f"w_{role}"), heads)[head]
    result = getattr(attention, role)[head]
    return (
        Panel(matrix, f"W<sub>{symbol}</sub>", dims, dims, signed(matrix), role, leads_to="projections"),
        Panel(result, symbol, here.tokens(), dims, signed(result), role, leads_to="projections"),
    )


scores, scaled, output = attention.scores[head], attention.scaled_scores[head], attention.head_outputs[head]
both = signed(scores, scaled)
w_q, q = projection("Q", "q")
w_k, k = projection("K", "k")
w_v, v = projection("V", "v")
x = Panel(trace.x, "X", here.tokens(), dims, signed(trace.x), leads_to="embedding")
before = Panel(scores, here.name("scores_tensor"), rows, keys, both, leads_to="scores")
after = Panel(scaled, here.name("scaled_short"), rows, keys, both, leads_to="scaling")
shared = Panel(
    attention.attn_weights[head], here.name("attn_weights"), rows, keys, shares, leads_to="softmax", closed=here.closed
)
summed = Panel(output, here.name("head_short"), rows, dims, signed(output), leads_to="weighted_sum")
joined = Panel(attention.joined, here.name("joined_short"), rows, dims, signed(attention.joined), leads_to="heads")
final = Panel(attention.output, here.name("output"), rows, dims, signed(attention.output), leads_to="heads")

here.show_map(
    Board(
        [[None, w_q, q, before, final], [x, w_k, k, after, joined], [None, w_v, v, shared, summed]],
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
    )
)
here.caption("hint", head=head, heads=heads)
with st.container(gap="xsmall", key="steps"):
    for slug in WALK:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"step_{slug}"):
            here.link(slug, here.name(slug))
            here.say(slug)
