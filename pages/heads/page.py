"""Heads: d_model is cut into heads, all steps run per head, the results are joined and mixed by W_O."""

import streamlit as st

from attention import functional, measures, parity
from pages.ui.figures import Band, Board, Outline, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson("heads")
trace, attention, weights = here.trace, here.trace.attention, here.trace.weights
head, query, count, width = here.head, here.query, trace.config.num_heads, trace.config.head_dim
tokens, rows, keys, dims = here.tokens(), here.tokens("axis_query"), here.tokens("axis_key"), here.dims()
hues = here.colors.heads
bands = tuple(Band(h * width, (h + 1) * width, hues[h % len(hues)]) for h in range(count))
height = heatmap_height(len(trace.tokens), most=360)

# The split: columns of Q, K and V, and below them the chosen head's share.
here.say("split", d_model=trace.config.d_model, heads=count, d_k=width, head=head)
wholes = {role: functional.merge_heads(getattr(attention, role)) for role in "qkv"}
scale = Scale.signed(*wholes.values(), name="Q, K, V")
here.formula(
    sized("Q", wholes["q"]), r"\longrightarrow", sized(r"(Q_0, Q_1, \dots)" if count > 1 else "(Q_0)", attention.q)
)
own = bands[head]
here.show(
    Board(
        [
            [
                Panel(
                    whole,
                    role.upper(),
                    tokens,
                    dims,
                    scale,
                    role,
                    bands=bands,
                    outlines=(Outline(role, columns=(own.start, own.stop)),),
                    show_rows=role == "q",
                    origin=here.all_heads(role),
                )
                for role, whole in wholes.items()
            ],
            [
                Panel(
                    getattr(attention, role)[head],
                    f"{role.upper()}<sub>{head}</sub>",
                    tokens,
                    here.dims(first=own.start),
                    scale,
                    role,
                    bands=(own,),
                    show_rows=role == "q",
                    origin=here.of(role),
                )
                for role in "qkv"
            ],
        ],
        [1, 1, 1],
        [height, height],
    ),
    "split",
)

# Every head attends by itself.
here.heading("side_by_side")
if here.is_closed and not bool(attention.attn_weights[:, query].any()):
    here.say("heads_closed", query=here.token(query))
else:
    different = measures.favourites(attention.attn_weights[:, query])
    here.say("heads", different=different, heads=count, query=here.token(query))
here.say("differ")
shares, across = Scale(weight=True, name=here.name("attn_weights")), min(4, count)
panels: list[Panel | None] = [
    Panel(
        attention.attn_weights[h],
        here.name("head_n", number=h),
        rows,
        keys,
        shares,
        outlines=(here.row_of("q"),),
        bands=(Band(0, len(trace.tokens), hues[h % len(hues)]),),
        show_rows=h % across == 0,
        show_columns=h >= count - across,
        closed=here.closed_weights(h),
        origin=here.of("attn_weights", head=h),
    )
    for h in range(count)
]
panels += [None] * (-count % across)
lines = [panels[start : start + across] for start in range(0, len(panels), across)]
here.show(
    Board(lines, [1] * across, [heatmap_height(len(trace.tokens), most=400 if count <= 2 else 230)] * len(lines)),
    "side_by_side",
)

# The joined heads, mixed by W_O.
here.heading("join")
figure, side = st.columns([0.62, 0.38], gap="large")
with figure:
    joined, output = attention.joined, attention.output
    here.formula(
        sized("Y", output),
        "=",
        sized(r"[O_0\,|\,O_1 \cdots]" if count > 1 else "O_0", joined),
        sized("W_O", weights.w_o),
        "+",
        sized("b_O", weights.b_o),
    )
    one_scale, mixer = (
        Scale.signed(joined, output, name=f"{here.name('joined')}, {here.name('output')}"),
        Scale.signed(weights.w_o, weights.b_o, name="W_O, b_O"),
    )
    here.show(
        Board(
            [
                [
                    None,
                    Panel(
                        weights.w_o,
                        "W<sub>O</sub>",
                        here.dims("axis_in"),
                        here.dims("axis_out"),
                        mixer,
                        origin=here.of("w_o"),
                    ).without("columns"),
                ],
                [
                    None,
                    Panel(
                        weights.b_o.unsqueeze(0),
                        "b<sub>O</sub>",
                        here.dims("axis_bias"),
                        here.dims("axis_out"),
                        mixer,
                        origin=here.of("b_o"),
                    ).without("rows", "columns"),
                ],
                [
                    Panel(
                        joined,
                        here.name("joined"),
                        tokens,
                        here.dims("axis_in"),
                        one_scale,
                        bands=bands,
                        outlines=(here.row_of("q"),),
                        origin=here.of("joined"),
                    ),
                    Panel(
                        output,
                        here.name("output"),
                        tokens,
                        here.dims("axis_out"),
                        one_scale,
                        outlines=(here.row_of("q"),),
                        origin=here.of("output"),
                    ).without("rows"),
                ],
            ],
            [1, 1],
            [170, 22, height],
            gap=0.07,
            width=600,
        ),
        "join",
    )
with side:
    here.decoded()
    here.say("why", d_model=trace.config.d_model, heads=count, d_k=width)
    with st.container(border=True):
        if trace.edits:
            here.say("check_edited")
        else:
            here.say("check" if here.settings.scaled else "check_unscaled", difference=parity.largest_difference(trace))
    here.question(
        numbers=sum(m.numel() for m in (weights.w_q, weights.w_k, weights.w_v, weights.w_o)),
        d_model=trace.config.d_model,
    )
    here.attempt()
here.inspect("output")
here.compare("output", by_hand="silence")
here.source(functional.split_heads, functional.merge_heads)
