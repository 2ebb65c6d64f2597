"""Overview: the whole computation on one screen."""

import streamlit as st

from attention import functional, measures
from pages import WALK
from pages.ui.figures import Board, Panel, Scale
from pages.ui.lesson import Lesson
from pages.ui.tensors import Origin

here = Lesson("overview")
trace, attention, weights = here.trace, here.trace.attention, here.trace.weights
head, query, heads = here.head, here.query, trace.config.num_heads
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
    learned = Origin(f"w_{role}", first=head * trace.config.head_dim, width=trace.config.head_dim)
    return (
        Panel(
            matrix, f"W<sub>{symbol}</sub>", dims, dims, signed(matrix), role, leads_to="projections", origin=learned
        ),
        Panel(result, symbol, here.tokens(), dims, signed(result), role, leads_to="projections", origin=here.of(role)),
    )


scores, scaled, output = attention.scores[head], attention.scaled_scores[head], attention.head_outputs[head]
both = signed(scores, scaled)
w_q, q = projection("Q", "q")
w_k, k = projection("K", "k")
w_v, v = projection("V", "v")
x = Panel(trace.x, "X", here.tokens(), dims, signed(trace.x), leads_to="embedding", origin=here.of("x"))
before = Panel(scores, here.name("scores_tensor"), rows, keys, both, leads_to="scores", origin=here.of("scores"))
after = Panel(scaled, here.name("scaled_short"), rows, keys, both, leads_to="scaling", origin=here.of("scaled_scores"))
shared = Panel(
    attention.attn_weights[head],
    here.name("attn_weights"),
    rows,
    keys,
    shares,
    leads_to="softmax",
    closed=here.closed_weights(),
    origin=here.of("attn_weights"),
)
summed = Panel(
    output,
    here.name("head_short"),
    rows,
    dims,
    signed(output),
    leads_to="weighted_sum",
    origin=here.of("head_outputs"),
)
joined, final = (
    Panel(values, here.name(name), rows, dims, signed(values), leads_to="heads", origin=here.of(tensor))
    for values, name, tensor in (
        (attention.joined, "joined_short", "joined"),
        (attention.output, "output", "output"),
    )
)

here.show(
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
    ),
    "map",
)
here.caption("hint", head=head, heads=heads)
here.inspect("attn_weights")
with st.container(gap="xsmall", key="steps"):
    for slug in WALK:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"step_{slug}"):
            here.link(slug, here.name(slug))
            here.say(slug)
            here.progress(slug)
here.compare("output")
