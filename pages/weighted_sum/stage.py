"""What the weighted sum shows: weights on the left, values above, the head's output in the corner, and its parts."""

from attention import measures
from pages.ui.figures.panels import Board, Outline, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """A V; beside the values what each key hands to the followed query, the longest framed."""
    v, output, parts = map(here.own, ("v", "head_outputs", "contributions"))
    longest = measures.peak(parts.norm(dim=-1)).column
    long = (Outline("v", rows=(longest, longest + 1)),)
    scale = Scale.signed(v, output, parts, name=here.name("values_scale"))
    values, handed = (here.panel(tensor, scale=scale, outlines=long) for tensor in ("v", "contributions"))
    shares, result = here.panel("attn_weights", follows=True), here.panel("head_outputs", scale=scale, follows=True)
    above = [None, values.without("columns"), handed.without("rows", "columns")]
    below = [shares, result.without("rows"), None]
    heights = [heatmap_height(len(here.labels), most=480)] * 2
    return Board([above, below], [1.5, 0.75, 0.75], heights, gap=0.09, signs=(((1, 1), "="),))
