"""What the heads step shows: every head's weights, their outputs joined, W_O, and the output."""

import math

from pages.ui.figures.panels import Band, Board, Outline, Panel, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """On the left each head attends by itself; on the right their joined outputs times W_O."""
    count, width, length = here.trace.config.num_heads, here.trace.config.head_dim, len(here.trace.tokens)
    shares, across = Scale(weight=True, name=here.name("tensor_attn_weights")), _across(count)
    panels: list[Panel | None] = []
    for head in range(count):
        band = (Band(0, length, head),)
        title = here.name("head_n", number=head)
        each = here.panel("attn_weights", head=head, title=title, scale=shares, follows=True, bands=band)
        last = head >= count - across
        panels.append(each.without("shape", *["rows"] * (head % across > 0), *["columns"] * (not last)))
    panels += [None] * (-count % across)
    grid = [panels[start : start + across] for start in range(0, len(panels), across)]

    bands = tuple(Band(head * width, (head + 1) * width, head) for head in range(count))
    both = Scale.signed(here.own("joined"), here.own("output"), name=here.name("joined_scale"))
    mixer = Scale.signed(here.own("w_o"), here.own("b_o"), name="W_O, b_O")
    matrix, bias = here.panel("w_o", scale=mixer).without("columns"), here.panel("b_o", scale=mixer)
    before = here.panel("joined", scale=both, bands=bands, follows=True)
    after = here.panel("output", scale=both, follows=True).without("rows")
    product = Board(
        [[None, matrix], [None, bias.without("rows", "columns")], [before, after]],
        [1, 1],
        [170, 22, heatmap_height(length, most=360)],
        gap=0.07,
        signs=(((2, 1), "="),),
    )
    each_high = heatmap_height(length, most=400 if count <= 2 else 230)
    return Board(grid, [1] * across, [each_high] * len(grid), beside=product, share=0.4)


def _across(count: int) -> int:
    """How many heads stand beside each other: a few, so that they make a block rather than a line."""
    return 1 if count <= 2 else math.ceil(math.sqrt(count / 1.5))


def split(here: Sight) -> Board:
    """Q, K and V with the columns of each head marked, and below them the chosen head's columns, taken out."""
    count, width, height = here.trace.config.num_heads, here.trace.config.head_dim, heatmap_height(len(here.labels))
    bands = tuple(Band(head * width, (head + 1) * width, head) for head in range(count))
    own = bands[here.head]
    scale = Scale.signed(*map(here.whole, "qkv"), name="Q, K, V")
    wholes, slices = list[Panel](), list[Panel]()
    for role in "qkv":
        marked = (Outline(role, columns=(own.start, own.stop)),)
        wholes.append(here.panel(role, all_heads=True, scale=scale, outlines=marked, bands=bands))
        slices.append(here.panel(role, scale=scale, bands=(Band(0, width, here.head),), first=own.start))
    lines = [[line[0], *(panel.without("rows") for panel in line[1:])] for line in (wholes, slices)]
    return Board(lines, [1, 1, 1], [height, height])
