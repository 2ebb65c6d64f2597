"""What the softmax step shows: scaled scores, masks, exponentials, their sums, and the shares."""

from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """Above what goes in, before and after the masks; below how each row becomes shares."""
    scores = Scale.signed(here.own("scaled_scores"), name=here.name("tensor_scaled_scores"))
    shares = Scale(weight=True, name=here.name("shares"))
    scaled, masked = (here.panel(tensor, scale=scores, follows=True) for tensor in ("scaled_scores", "masked_scores"))
    exps, result = (here.panel(tensor, scale=shares, follows=True) for tensor in ("exponentials", "attn_weights"))
    total = here.panel("exp_sums", follows=True)
    above = [scaled.without("columns"), None, masked.without("rows", "columns")]
    below = [exps, total.without("rows", "columns", "shape"), result.without("rows")]
    heights = [heatmap_height(len(here.labels), most=480)] * 2
    return Board([above, below], [1, 0.12, 1], heights, gap=0.03, signs=(((0, 2), "→"), ((1, 2), "→")))
