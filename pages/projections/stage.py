"""What the projections step shows: X, three matrices with their biases, and Q, K and V of all heads."""

from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """X on the left, a matrix and its bias above each product."""
    learned = Scale.signed(*(here.own(f"{kind}_{role}") for kind in "wb" for role in "qkv"), name="W, b")
    made = Scale.signed(*map(here.whole, "qkv"), name="Q, K, V")
    above = [here.panel(f"w_{role}", scale=learned).without("columns") for role in "qkv"]
    between = [here.panel(f"b_{role}", scale=learned).without("rows", "columns") for role in "qkv"]
    below = [here.panel(role, all_heads=True, scale=made, follows=True).without("rows") for role in "qkv"]
    left = here.panel("x", follows=True)
    heights = [190, 22, heatmap_height(len(here.labels))]
    return Board([[None, *above], [None, *between], [left, *below]], [1] * 4, heights, gap=0.035)
