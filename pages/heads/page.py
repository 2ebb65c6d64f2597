"""Heads: d_model is cut into heads, all steps run per head, the results are joined and mixed by W_O."""

import streamlit as st

from attention import functional, measures, parity
from pages.ui.figures.panels import Band, Board, Outline, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson, sized

here = Lesson()
trace, attention, config = here.trace, here.trace.attention, here.trace.config
head, query, count, width = here.head, here.query, config.num_heads, config.head_dim
hues, length = here.colors.heads, len(trace.tokens)
bands = tuple(Band(h * width, (h + 1) * width, hues[h % len(hues)]) for h in range(count))
own, height = bands[head], heatmap_height(length, most=360)
sizes = {"d_model": config.d_model, "heads": count, "d_k": width}

# The split: columns of Q, K and V, and below them the chosen head's share.
here.say("split", **sizes, head=head)
parts = r"(Q_0, Q_1, \dots)" if count > 1 else "(Q_0)"
here.formula(sized("Q", here.whole("q")), r"\longrightarrow", sized(parts, attention.q))
scale = Scale.signed(*map(here.whole, "qkv"), name="Q, K, V")
wholes, slices = list[Panel](), list[Panel]()
for role in "qkv":
    marked = (Outline(role, columns=(own.start, own.stop)),)
    title = f"{role.upper()}<sub>{head}</sub>"
    wholes.append(here.panel(role, all_heads=True, scale=scale, outlines=marked, bands=bands))
    slices.append(here.panel(role, title=title, scale=scale, bands=(own,), first=own.start))
lines = [[line[0], *(panel.without("rows") for panel in line[1:])] for line in (wholes, slices)]
here.show(Board(lines, [1, 1, 1], [height, height]), "split")

# Every head attends by itself.
here.heading("side_by_side")
if here.is_closed and not bool(attention.attn_weights[:, query].any()):
    here.say("heads_closed", query=here.token(query))
else:
    different = measures.favourites(attention.attn_weights[:, query])
    here.say("heads", different=different, heads=count, query=here.token(query))
here.say("differ")
shares, across = Scale(weight=True, name=here.name("tensor_attn_weights")), min(4, count)
panels: list[Panel | None] = []
for h in range(count):
    band = (Band(0, length, hues[h % len(hues)]),)
    looks = here.panel(
        "attn_weights", head=h, title=here.name("head_n", number=h), scale=shares, follows=True, bands=band
    )
    panels.append(looks.without(*["rows"] * (h % across > 0), *["columns"] * (h < count - across)))
panels += [None] * (-count % across)
grid = [panels[start : start + across] for start in range(0, len(panels), across)]
here.show(
    Board(grid, [1] * across, [heatmap_height(length, most=400 if count <= 2 else 230)] * len(grid)), "side_by_side"
)

# The joined heads, mixed by W_O.
here.heading("join")
figure, side = st.columns([0.62, 0.38], gap="large")
with figure:
    joined, output = here.own("joined"), here.own("output")
    heads = r"[O_0\,|\,O_1 \cdots]" if count > 1 else "O_0"
    here.formula(
        sized("Y", output),
        "=",
        sized(heads, joined),
        sized("W_O", here.own("w_o")),
        "+",
        sized("b_O", trace.weights.b_o),
    )
    both = Scale.signed(joined, output, name=here.name("joined_scale"))
    mixer = Scale.signed(here.own("w_o"), here.own("b_o"), name="W_O, b_O")
    matrix, bias = here.panel("w_o", scale=mixer).without("columns"), here.panel("b_o", scale=mixer)
    before = here.panel("joined", scale=both, bands=bands, follows=True)
    after = here.panel("output", scale=both, follows=True).without("rows")
    product = Board(
        [[None, matrix], [None, bias.without("rows", "columns")], [before, after]],
        [1, 1],
        [170, 22, height],
        gap=0.07,
        width=600,
    )
    here.show(product, "join")
with side:
    here.decoded()
    here.say("why", **sizes)
    with st.container(border=True):
        if trace.edits:
            here.say("check_edited")
        else:
            here.say("check" if here.settings.scaled else "check_unscaled", difference=parity.largest_difference(trace))
    here.question({"numbers": measures.parameters(trace.weights)["matrices"], "d_model": config.d_model})
    here.attempt()
here.inspect("output")
here.compare("output", by_hand="silence")
here.source(functional.split_heads, functional.merge_heads)
